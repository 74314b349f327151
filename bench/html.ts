/**
 * A report as one page: its figures, rates and p99 by operation, and for each operation throughput over time and latency by
 * percentile. What it is not: other figures than the JSON has, or the page's shell (page.ts).
 */
import type { Latency } from './job.ts'
import { escaped, figuresTable, machineText, pageOf } from './page.ts'
import {
  isSteady,
  itemsPerSecond,
  latencyUs,
  limitPerSecond,
  median,
  operationsPerSecond,
  processorRatioOf,
  type Row,
  ratioOf,
  summarize,
} from './report.ts'

/** Of the runs of a case the one in the middle, by its rate: what is drawn must be something that was measured. */
const middleRun = (runs: readonly Row[]): Row | undefined =>
  runs.toSorted((a, b) => operationsPerSecond(a.measured) - operationsPerSecond(b.measured))[(runs.length - 1) >> 1]

const microseconds = (percentiles: readonly (readonly [number, number])[]) =>
  percentiles.map(([percentile, ns]) => [percentile, ns / 1000])

/** What the page draws. */
const chartData = (rows: readonly Row[]) => ({
  operations: [...Map.groupBy(rows, ({ operation }) => operation)].map(([name, ofOperation]) => ({
    name,
    cases: [...Map.groupBy(ofOperation, ({ connections }) => connections)].flatMap(([connections, runs]) => {
      const row = middleRun(runs)
      if (row === undefined) return []
      const { sliceMs, timeline, percentiles } = row.measured
      return {
        name: `${connections} ${connections === 1 ? 'session' : 'sessions'}`,
        sliceMs,
        timeline: timeline.map(({ completed }) => (completed / sliceMs) * 1000),
        percentiles: microseconds(percentiles),
        echoPercentiles: microseconds(row.limit?.percentiles ?? []),
      }
    }),
  })),
  bars: summarize(rows).map((summary) => {
    const same = rows.filter(
      ({ operation, connections }) => operation === summary.operation && connections === summary.connections,
    )
    const echoes = same.flatMap((row) => limitPerSecond(row) ?? [])
    const echoP99s = same.flatMap(({ limit }) => (limit === undefined ? [] : (latencyUs(limit, 'p99') ?? [])))
    return {
      name: `${summary.operation} (${summary.connections})`,
      rate: summary.operationsPerSecond,
      echo: echoes.length === 0 ? 0 : median(echoes),
      p99Us: summary.p99Us ?? 0,
      echoP99Us: echoP99s.length === 0 ? 0 : median(echoP99s),
    }
  }),
})

const script = `
const names = report.bars.map((bar) => bar.name)
const hasEcho = report.bars.some((bar) => bar.echo > 0)
const beside = (label, values) => hasEcho ? [{ label, colour: '#94a3b8', values }] : []
bars(document.getElementById('rates'), names, 'answered a second (median)', [
  { label: 'server', colour: '#3b82f6', values: report.bars.map((bar) => bar.rate) },
  ...beside('bare echo', report.bars.map((bar) => bar.echo)),
], false)
bars(document.getElementById('slow'), names, 'p99, microseconds (median)', [
  { label: 'server', colour: '#ef4444', values: report.bars.map((bar) => bar.p99Us) },
  ...beside('bare echo', report.bars.map((bar) => bar.echoP99Us)),
], true)
const half = fullWidth > 900 ? Math.floor((fullWidth - 16) / 2) : fullWidth
report.operations.forEach((operation, index) => {
  const pair = document.getElementById('operation-' + index)
  const [time, percentile] = [document.createElement('div'), document.createElement('div')]
  pair.append(time, percentile)
  overTime(time, half, operation.cases.map((entry, at) => ({ ...entry, colour: colour(at), dash: [] })))
  byPercentile(percentile, half, operation.cases.flatMap((entry, at) => [
    { name: entry.name, points: entry.percentiles, colour: colour(at), dash: [] },
    ...(entry.echoPercentiles.length === 0 ? [] : [{ name: 'echo, ' + entry.name, points: entry.echoPercentiles, colour: colour(at), dash: [4, 4] }]),
  ]))
})
`

const cells = (row: Row): string[] => {
  const limit = limitPerSecond(row)
  const { errors, processorUs } = row.measured
  const us = (name: keyof Latency): string => latencyUs(row.measured, name)?.toFixed(0) ?? '-'
  return [
    row.operation,
    String(row.connections),
    String(row.run),
    operationsPerSecond(row.measured).toFixed(0),
    itemsPerSecond(row.measured).toFixed(0),
    us('p50'),
    us('p99'),
    us('p999'),
    us('max'),
    limit === undefined ? '-' : `${limit.toFixed(0)}${isSteady(row) ? '' : '!'}`,
    ratioOf(row)?.toFixed(2) ?? '-',
    processorUs?.server?.toFixed(1) ?? '-',
    processorRatioOf(row)?.toFixed(2) ?? '-',
    Object.entries(errors)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none',
  ]
}

const names =
  'operation,sessions,run,ops/s,items/s,p50 µs,p99 µs,p99.9 µs,max µs,echo ops/s,ratio,cpu µs,cpu ratio,errors'.split(
    ',',
  )

const operationSection = (name: string, index: number): string =>
  `<h3>${escaped(name)}</h3><div class="pair" id="operation-${index}"></div>`

/** The page. */
export const htmlReport = (rows: readonly Row[], settings: Readonly<Record<string, unknown>>): string => {
  const data = chartData(rows)
  return pageOf({
    title: 'kmip-bench',
    data,
    script,
    body: `<p>${escaped(machineText())} The bare echo is a TLS server that answers with as many bytes and does nothing else; an
exclamation mark: it was not as fast behind a run as before it.</p>
${figuresTable(names, rows.map(cells))}
<h2>Answered a second</h2><div id="rates"></div>
<h2>Latency: p99</h2><div id="slow"></div>
<h2>Operation by operation</h2>
<p>On the left what was answered over the time, on the right latency by percentile; dashed: the bare echo. Of several runs the
one in the middle.</p>
${data.operations.map(({ name }, index) => operationSection(name, index)).join('\n')}
<details><summary>Settings</summary><pre>${escaped(JSON.stringify(settings, undefined, 2))}</pre></details>`,
  })
}
