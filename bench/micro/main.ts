/**
 * Times modules of src/ one by one: codec, framer, index keys, store, searches, cryptography, dispatcher. What it is: figures to
 * compare with the same machine's figures of yesterday. What it is not: a measurement of a server (kmip-bench).
 *
 * With --task a single operation runs for a while and nothing else, for `node --cpu-prof`.
 */
import { writeFileSync } from 'node:fs'
import { Bench } from 'tinybench'
import yargs from 'yargs'
import { hideBin } from 'yargs/helpers'
import { mustBeWritable } from '#bench/machine'
import type { Suite, SuiteOptions, Task } from './suite.ts'

/** A suite a module that it times, and that it is named for. */
const suites: Readonly<Record<string, () => Promise<{ readonly open: (options: SuiteOptions) => Promise<Suite> }>>> = {
  binary: () => import('./binary.ts'),
  framer: () => import('./framer.ts'),
  chain: () => import('./chain.ts'),
  gathered: () => import('./gathered.ts'),
  later: () => import('./later.ts'),
  hmac: () => import('./hmac.ts'),
  keys: () => import('./keys.ts'),
  unpack: () => import('./unpack.ts'),
  front: () => import('./front.ts'),
  find: () => import('./find.ts'),
  run: () => import('./run.ts'),
  dispatch: () => import('./dispatch.ts'),
  'known-answers': () => import('./known-answers.ts'),
}

/** Ends the process with what is wrong, in one line. */
const refuse = (text: string): never => {
  process.stderr.write(`npm run bench: ${text}\n`)
  return process.exit(1)
}

const values = await yargs(hideBin(process.argv))
  .scriptName('npm run bench --')
  .usage('$0 [options]\n\nTimes operations of modules, one by one, within this process.')
  .options({
    suite: { type: 'string', default: Object.keys(suites).join(','), describe: 'modules, with commas between them' },
    time: { type: 'number', default: 300, describe: 'milliseconds for each operation' },
    filter: { type: 'string', describe: 'only operations whose line has this in it' },
    task: { type: 'string', describe: 'one operation alone, by its whole line: for a profile' },
    objects: { type: 'number', default: 2000, describe: 'objects in the stores' },
    json: { type: 'string', describe: 'write the rows into this file' },
  })
  .strict()
  .fail((text: string) => refuse(text))
  .wrap(120)
  .parseAsync()
for (const name of ['time', 'objects'] as const) {
  if (!(values[name] > 0)) refuse(`--${name}: ${values[name]} is no number above 0`)
}
const timeMs = values.time
const objects = Math.ceil(values.objects)
const names = values.suite.split(',')
const strange = names.find((name) => !Object.hasOwn(suites, name))
if (values.json !== undefined) {
  try {
    mustBeWritable(values.json)
  } catch (error) {
    refuse(`--json: the report could not be written: ${error instanceof Error ? error.message : String(error)}`)
  }
}
if (strange !== undefined) refuse(`no suite is named ${strange}; there are ${Object.keys(suites).join(', ')}`)

/** One sample of what takes no promise is so many calls: the clock costs about as much as one of them. */
const repeats = 100
/** A short time is for a look at whether everything runs: what is slow is then done once. */
const counts = timeMs < 10 ? { iterations: 1, warmupIterations: 1 } : { iterations: 32, warmupIterations: 8 }
/** Takes every result, so that no work can be left out as unused. */
let sink = 0

interface Row {
  readonly suite: string
  readonly name: string
  readonly p50Us: number
  readonly p99Us: number
  readonly rmePercent: number
}

const isChosen = (suite: string, { name }: Task): boolean =>
  values.task === undefined
    ? values.filter === undefined || `${suite} ${name}`.includes(values.filter)
    : `${suite} ${name}` === values.task

/** How many calls a sample of a task has: what gives a promise is slow enough for the clock. */
const callsOf = async ({ run, operations }: Task): Promise<number> => {
  const first = run()
  sink += await first
  return first instanceof Promise || operations !== undefined ? 1 : repeats
}

const addTo = (bench: Bench, { name, run }: Task, calls: number): void => {
  if (calls > 1) {
    bench.add(name, () => {
      for (let count = 0; count < calls; count += 1) sink += run() as number
    })
    return
  }
  bench.add(name, async () => {
    sink += await run()
  })
}

/** Times the chosen tasks of a suite. @throws Error when one does not complete */
const timed = async (suite: string, tasks: readonly Task[]): Promise<Row[]> => {
  const bench = new Bench({ time: timeMs, warmupTime: timeMs / 3, throws: true, ...counts })
  const operationsOf = new Map<string, number>()
  for (const task of tasks) {
    const calls = await callsOf(task)
    operationsOf.set(task.name, calls * (task.operations ?? 1))
    addTo(bench, task, calls)
  }
  await bench.run()
  return bench.tasks.map(({ name, result }) => {
    if (result.state !== 'completed') throw new Error(`${suite} ${name} did not complete`)
    const operations = operationsOf.get(name) ?? 1
    // Milliseconds a call, as microseconds an operation.
    const us = (ms: number): number => (ms * 1000) / operations
    return { suite, name, p50Us: us(result.latency.p50), p99Us: us(result.latency.p99), rmePercent: result.latency.rme }
  })
}

/** Runs one task for the time, and tells what it cost this thread and all threads together. */
const repeated = async (suite: string, task: Task): Promise<Row[]> => {
  const calls = await callsOf(task)
  const run = async (forMs: number): Promise<number> => {
    const endMs = performance.now() + forMs
    let count = 0
    do {
      for (let call = 0; call < calls; call += 1) {
        const result = task.run()
        sink += result instanceof Promise ? await result : result
      }
      count += calls
    } while (performance.now() < endMs)
    return count * (task.operations ?? 1)
  }
  await run(timeMs / 3)
  const [thread, all, startMs] = [process.threadCpuUsage(), process.cpuUsage(), performance.now()]
  const operations = await run(timeMs)
  const wallUs = ((performance.now() - startMs) * 1000) / operations
  const ofThread = process.threadCpuUsage(thread)
  const ofAll = process.cpuUsage(all)
  const perOperation = ({ user, system }: { readonly user: number; readonly system: number }): string =>
    ((user + system) / operations).toFixed(3)
  process.stdout.write(
    `${suite} ${task.name}: ${operations} operations, each ${wallUs.toFixed(3)} us, ` +
      `${perOperation(ofThread)} us of this thread's processor time, ${perOperation(ofAll)} us of all threads'\n`,
  )
  return [{ suite, name: task.name, p50Us: wallUs, p99Us: wallUs, rmePercent: 0 }]
}

const line = (cells: readonly string[]): string => {
  const [name = '', ...others] = cells
  return `${name.padEnd(60)} ${others.map((cell) => cell.padStart(10)).join(' ')}\n`
}

const rows: Row[] = []
if (values.task === undefined) process.stdout.write(line(['operation', 'p50 us', 'p99 us', '+- %']))
for (const name of names) {
  const load = suites[name]
  if (load === undefined) continue
  const suite = await (await load()).open({ objects })
  try {
    const tasks = suite.tasks.filter((task) => isChosen(name, task))
    const [first] = tasks
    if (first === undefined) continue
    const found = values.task === undefined ? await timed(name, tasks) : await repeated(name, first)
    rows.push(...found)
    if (values.task !== undefined) continue
    for (const row of found) {
      const figures = [row.p50Us.toFixed(3), row.p99Us.toFixed(3), row.rmePercent.toFixed(2)]
      process.stdout.write(line([`${name} ${row.name}`, ...figures]))
    }
  } finally {
    await suite.close()
  }
}
if (rows.length === 0) refuse('no task has that name')
if (!(sink > 0)) throw new Error('the operations gave nothing')
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ node: process.version, repeats, objects, rows }, undefined, 2)}\n`)
