/**
 * Goals as people and programs read them: a table in Markdown, and JSON. What it is not: the measurement (goals.ts).
 */
import type { Figures, Goal, GoalOptions } from './goals.ts'
import { machineFacts, median } from './report.ts'

/** What became of a goal. */
export interface GoalResult {
  readonly name: string
  readonly work: string
  readonly unit: string
  readonly command: string
  readonly goal?: string
  /** Whether the median reaches the goal; undefined where there is none, or nothing was measured. */
  readonly reached?: boolean
  readonly median?: number
  readonly lowest?: number
  readonly highest?: number
  readonly runs: number
  readonly details: Readonly<
    Record<string, { readonly median: number; readonly lowest: number; readonly highest: number }>
  >
  readonly errors: Readonly<Record<string, number>>
  /** What a reader must know; why nothing was measured. */
  readonly note?: string
  readonly tookSeconds: number
}

const spreadOf = (values: readonly number[]) => ({
  median: median(values),
  lowest: Math.min(...values),
  highest: Math.max(...values),
})

const goalText = ({ atLeast, atMost }: Goal): string | undefined => {
  if (atLeast !== undefined) return `${atLeast} or more`
  return atMost === undefined ? undefined : `${atMost} or less`
}

/** Figures beside their goal. */
export const resultOf = (
  goal: Goal,
  options: GoalOptions,
  outcome: { readonly figures: Figures } | { readonly note: string },
  tookSeconds: number,
): GoalResult => {
  const { name, work, unit, atLeast, atMost } = goal
  const text = goalText(goal)
  const base = {
    name,
    work,
    unit,
    command: goal.command(options),
    ...(text === undefined ? {} : { goal: text }),
    tookSeconds,
  }
  if ('note' in outcome) return { ...base, runs: 0, details: {}, errors: {}, note: outcome.note }
  const { values, details, errors, note } = outcome.figures
  const spread = spreadOf(values)
  const reached =
    atLeast === undefined ? (atMost === undefined ? undefined : spread.median <= atMost) : spread.median >= atLeast
  return {
    ...base,
    ...spread,
    ...(reached === undefined ? {} : { reached }),
    runs: values.length,
    details: Object.fromEntries(Object.entries(details).map(([label, each]) => [label, spreadOf(each)])),
    errors,
    ...(note === undefined ? {} : { note }),
  }
}

const digits = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)

const detailText = (result: GoalResult): string => {
  const details = Object.entries(result.details).map(([label, { median: middle }]) => `${label} ${digits(middle)}`)
  const errors = Object.entries(result.errors).map(([name, count]) => `**${name} ${count}**`)
  return [...details, ...errors, ...(result.note === undefined ? [] : [result.note])].join('; ')
}

const cells = (result: GoalResult): string[] => {
  const { median: middle, lowest, highest, reached, goal } = result
  return [
    result.name,
    result.work,
    goal ?? '–',
    middle === undefined ? '–' : `${digits(middle)} ${result.unit}`,
    lowest === undefined || highest === undefined ? '–' : `${digits(lowest)} – ${digits(highest)}`,
    reached === undefined ? '–' : reached ? 'yes' : 'no',
    detailText(result),
  ]
}

/** The table, with the machine above it. */
export const goalsMarkdown = (results: readonly GoalResult[]): string => {
  const { node, openssl, platform, architecture, processor, cores } = machineFacts()
  const rows = [
    ['row', 'work', 'goal', 'median', 'lowest – highest', 'reached', 'medians of'],
    ['---', '---', '---', '---', '---', '---', '---'],
    ...results.map(cells),
  ]
  const runs = Math.max(0, ...results.map((result) => result.runs))
  return `Node ${node}, OpenSSL ${openssl}, ${platform} ${architecture}, ${cores} cores of ${processor}; ${runs} runs; the load generator on the same cores.

${rows.map((row) => `| ${row.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`).join('\n')}

${results.map(({ name, command }) => `- ${name}: \`${command}\``).join('\n')}
`
}

/** The whole of it. */
export const goalsJson = (results: readonly GoalResult[], settings: Readonly<Record<string, unknown>>): string =>
  `${JSON.stringify({ tool: 'kmip-bench', machine: machineFacts(), settings, goals: results }, undefined, 2)}\n`
