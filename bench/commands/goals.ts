/**
 * `kmip-bench goals` as a command: all goals, or some, on servers that it starts. What it is not: the goals (bench/goals.ts).
 */
import { join } from 'node:path'
import type { Argv } from 'yargs'
import { type Goal, type GoalOptions, goals } from '#bench/goals'
import { type GoalResult, goalsJson, goalsMarkdown, resultOf } from '#bench/goals-report'
import { interruption } from '#bench/interruption'
import type { Progress } from '#bench/load'
import { nowMs, removeDirectory, temporaryDirectory, writeText } from '#bench/machine'
import { numbers, print, progressOfProcess } from '#bench/options'
import { pykmipGoals } from '#bench/pykmip-goals'

/** Measures one, whatever happens: a row that fails must not cost the others. */
const resultFor = async (goal: Goal, options: GoalOptions, progress: Progress): Promise<GoalResult> => {
  const impossible = goal.impossible?.()
  if (impossible !== undefined) return resultOf(goal, options, { note: `not measured: ${impossible}` }, 0)
  const startMs = nowMs()
  const seconds = (): number => (nowMs() - startMs) / 1000
  try {
    return resultOf(goal, options, { figures: await goal.measure(options, progress) }, seconds())
  } catch (error) {
    const text = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ')
    return resultOf(goal, options, { note: `failed: ${text}` }, seconds())
  }
}

const isMillion = ({ name }: Goal): boolean => name.startsWith('million-')

interface Choice {
  readonly row: readonly string[]
  readonly skip: readonly string[]
  readonly million: boolean
  readonly pykmip: boolean
}

/** The rows of a command line. @throws Error for a name that no row has */
const chosen = ({ row, skip, million, pykmip }: Choice): Goal[] => {
  const all = [...goals, ...pykmipGoals]
  const names = (texts: readonly string[]): string[] =>
    texts
      .flatMap((text) => text.split(','))
      .map((name) => {
        if (!all.some((goal) => goal.name === name))
          throw new Error(`no row is named ${name}; there are ${all.map((goal) => goal.name).join(', ')}`)
        return name
      })
  const [wanted, left] = [names(row), names(skip)]
  const byDefault = pykmip ? pykmipGoals : goals.filter((goal) => million || !isMillion(goal))
  const picked = wanted.length > 0 ? all.filter(({ name }) => wanted.includes(name)) : byDefault
  return picked.filter(({ name }) => !left.includes(name))
}

/** Adds `goals`. */
export const withGoals = <T>(commands: Argv<T>): Argv<T> =>
  commands.command(
    'goals',
    'measures the goals of speed, each on a server that it starts',
    (command) =>
      command.options({
        row: {
          type: 'string',
          array: true,
          default: [] as string[],
          describe: `only these: ${goals.map(({ name }) => name).join(', ')}`,
        },
        skip: { type: 'string', array: true, default: [] as string[], describe: 'not these' },
        million: { type: 'boolean', default: false, describe: 'the rows million-* too, which take minutes' },
        pykmip: { type: 'boolean', default: false, describe: "the same operations against PyKMIP's server" },
        runs: { type: 'number', default: 5, describe: 'runs of each row' },
        repeats: {
          type: 'number',
          default: 5,
          describe: 'runs of a row that are measured anew, at most, because the echo was faster or slower behind them',
        },
        seconds: { type: 'number', default: 1.5, describe: 'time of each measurement' },
        warmup: { type: 'number', default: 0.4, describe: 'seconds before it that do not count' },
        threads: { type: 'number', default: 1, describe: 'threads of the load generator' },
        objects: { type: 'number', default: 10_000, describe: 'objects that Get and the like ask for' },
        held: { type: 'number', default: 10_000, describe: 'idle sessions' },
        'million-objects': { type: 'number', default: 1_000_000, describe: 'objects of the rows million-*' },
        'million-data': { type: 'string', describe: 'where they are kept, to be measured again; default: not kept' },
        'server-flag': {
          type: 'string',
          array: true,
          default: [] as string[],
          describe: 'another flag of the server: --server-flag=--fronts --server-flag=2',
        },
        json: { type: 'string', describe: 'write all figures into this file, anew after each row' },
        markdown: { type: 'string', describe: 'write the table into this file, anew after each row' },
      }),
    async (values) => {
      const rows = chosen(values)
      const scratch = temporaryDirectory()
      const [objectCount = 1, heldSessions = 1, millionCount = 1] = numbers([
        values.objects,
        values.held,
        values['million-objects'],
      ])
      const options: GoalOptions = {
        connections: [16],
        runs: values.runs,
        repeatsMax: values.repeats,
        pipeline: 1,
        threads: values.threads,
        processes: 1,
        warmupMs: values.warmup * 1000,
        durationMs: values.seconds * 1000,
        timeoutMs: 30_000,
        serverFlags: values['server-flag'],
        objectCount,
        heldSessions,
        millionCount,
        millionDirectory: values['million-data'] ?? join(scratch, 'million'),
      }
      const progress = progressOfProcess()
      const results: GoalResult[] = []
      try {
        for (const goal of rows) {
          progress.say(`${goal.name} …`)
          const result = await resultFor(goal, options, progress)
          results.push(result)
          const middle =
            result.median === undefined ? (result.note ?? '') : `${result.median.toFixed(2)} ${result.unit}`
          progress.say(`${goal.name}: ${middle} (${result.tookSeconds.toFixed(0)} s)`)
          if (values.json !== undefined) writeText(values.json, goalsJson(results, { ...options }))
          if (values.markdown !== undefined) writeText(values.markdown, goalsMarkdown(results))
          interruption.throwIfAborted()
        }
      } finally {
        removeDirectory(scratch)
      }
      print(goalsMarkdown(results))
      if (results.some(({ runs, note }) => runs === 0 && note?.startsWith('failed') === true)) process.exitCode = 1
    },
  )
