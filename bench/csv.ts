/**
 * Rows as comma-separated values, a line each: for spreadsheets. What it is not: the whole report, which is the JSON.
 */
import {
  itemsPerSecond,
  latencyUs,
  limitPerSecond,
  operationsPerSecond,
  p99RatioOf,
  type Row,
  ratioOf,
} from './report.ts'

const columns: readonly (readonly [string, (row: Row) => string | number | undefined])[] = [
  ['operation', (row) => row.operation],
  ['sessions', (row) => row.connections],
  ['run', (row) => row.run],
  ['operationsPerSecond', (row) => operationsPerSecond(row.measured).toFixed(1)],
  ['itemsPerSecond', (row) => itemsPerSecond(row.measured).toFixed(1)],
  ['meanUs', (row) => latencyUs(row.measured, 'mean')?.toFixed(1)],
  ['p50Us', (row) => latencyUs(row.measured, 'p50')?.toFixed(1)],
  ['p90Us', (row) => latencyUs(row.measured, 'p90')?.toFixed(1)],
  ['p99Us', (row) => latencyUs(row.measured, 'p99')?.toFixed(1)],
  ['p999Us', (row) => latencyUs(row.measured, 'p999')?.toFixed(1)],
  ['maxUs', (row) => latencyUs(row.measured, 'max')?.toFixed(1)],
  ['requestBytes', (row) => row.requestBytes],
  ['responseBytes', (row) => row.responseBytes],
  ['echoPerSecond', (row) => limitPerSecond(row)?.toFixed(1)],
  ['ratio', (row) => ratioOf(row)?.toFixed(3)],
  ['processorUs', (row) => row.measured.processorUs?.server?.toFixed(2)],
  ['echoProcessorUs', (row) => row.limit?.processorUs?.server?.toFixed(2)],
  ['generatorProcessorUs', (row) => row.measured.processorUs?.generator?.toFixed(2)],
  ['p99Ratio', (row) => p99RatioOf(row)?.toFixed(3)],
  [
    'errors',
    (row) =>
      Object.entries(row.measured.errors)
        .map(([name, count]) => `${name} ${count}`)
        .join('; '),
  ],
]

const quoted = (value: string | number | undefined): string => {
  const text = String(value ?? '')
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** The rows below a line of names. */
export const csvReport = (rows: readonly Row[]): string =>
  [columns.map(([name]) => name), ...rows.map((row) => columns.map(([, valueOf]) => quoted(valueOf(row))))]
    .map((cells) => `${cells.join(',')}\n`)
    .join('')
