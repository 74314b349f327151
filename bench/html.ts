/**
 * A report as one page with charts: throughput over time, latency by percentile, rates and p99 by operation. What it is: the
 * page, which needs nothing but itself (the chart library is inside). What it is not: other figures than the JSON has.
 */
import { fileURLToPath } from 'node:url'
import { readText } from './machine.ts'
import {
  itemsPerSecond,
  limitPerSecond,
  machineFacts,
  operationsPerSecond,
  type Row,
  ratioOf,
  summarize,
} from './report.ts'

const libraryFile = (name: string): string => readText(fileURLToPath(new URL(name, import.meta.resolve('uplot'))))

/** Text that cannot end the element that it stands in. */
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const scriptData = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c')

/** What the page draws. */
const chartData = (rows: readonly Row[]) => ({
  cases: rows.map((row) => ({
    name: `${row.operation}, ${row.connections} sessions${rows.some(({ run }) => run > 1) ? `, run ${row.run}` : ''}`,
    sliceMs: row.measured.sliceMs,
    timeline: row.measured.timeline.map(({ completed }) => (completed / row.measured.sliceMs) * 1000),
    percentiles: row.measured.percentiles.map(([percentile, ns]) => [percentile, ns / 1000]),
    echoPercentiles: (row.limit?.percentiles ?? []).map(([percentile, ns]) => [percentile, ns / 1000]),
  })),
  bars: summarize(rows).map((summary) => {
    const same = rows.filter(
      ({ operation, connections }) => operation === summary.operation && connections === summary.connections,
    )
    return {
      name: `${summary.operation} (${summary.connections})`,
      rate: summary.operationsPerSecond,
      echo: same.reduce((sum, row) => sum + (limitPerSecond(row) ?? 0), 0) / same.length,
      p99Us: summary.p99Us,
    }
  }),
})

const style = `
:root { color-scheme: light; font: 14px/1.45 system-ui, sans-serif }
body { max-width: 1180px; margin: 2rem auto; padding: 0 1rem; color: #1c2330 }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
p { color: #55606f; margin: .3rem 0 1rem }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid #e3e7ee } th { color: #55606f; font-weight: 600 }
th:first-child, td:first-child, th:last-child, td:last-child { text-align: left }
.u-legend { font-size: 12px; text-align: left } .u-legend tr { display: inline-block; margin-right: 1rem }
.u-legend th, .u-legend td { border: 0; padding: 0 .2rem }
`

/** Runs in the page: takes `report` and `uPlot` from it. */
const drawing = `
const colours = ['#2563eb','#dc2626','#059669','#d97706','#7c3aed','#0891b2','#be185d','#65a30d','#475569','#ea580c']
const colour = (index) => colours[index % colours.length]
const width = Math.min(1140, document.body.clientWidth)
const number = (value) => value == null ? '-' : value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1)
const chart = (id, options, data) => new uPlot({ width, height: 340, ...options }, data, document.getElementById(id))

const sliceMs = Math.min(...report.cases.map((entry) => entry.sliceMs))
const seconds = [...new Set(report.cases.flatMap((entry) => entry.timeline.map((_, index) => (index + 1) * entry.sliceMs / 1000)))].sort((a, b) => a - b)
chart('time', {
  scales: { x: { time: false }, y: { range: (u, low, high) => [0, (high || 1) * 1.05] } },
  axes: [{ label: 'seconds' }, { label: 'answered a second', size: 80, values: (u, ticks) => ticks.map(number) }],
  series: [{ label: 's' }, ...report.cases.map((entry, index) => ({ label: entry.name, stroke: colour(index), width: 2, spanGaps: true, value: (u, value) => number(value) }))],
}, [seconds, ...report.cases.map((entry) => seconds.map((at) => entry.timeline[Math.round(at * 1000 / entry.sliceMs) - 1] ?? null))])

// 90, 99 and 99.9 stand at equal distances: what is slow is what matters.
const place = (percentile) => percentile >= 100 ? 5.3 : -Math.log10(1 - percentile / 100)
const marks = [50, 90, 99, 99.9, 99.99, 99.999]
const drawn = report.cases.flatMap((entry, index) => [
  { name: entry.name, points: entry.percentiles, colour: colour(index), dash: [] },
  ...(entry.echoPercentiles.length === 0 ? [] : [{ name: 'echo of ' + entry.name, points: entry.echoPercentiles, colour: colour(index), dash: [4, 4] }]),
])
const places = [...new Set(drawn.flatMap(({ points }) => points.map(([percentile]) => percentile)))].sort((a, b) => a - b)
chart('percentiles', {
  scales: { x: { time: false }, y: { distr: 3 } },
  axes: [
    { label: 'percentile', splits: () => marks.map(place), values: (u, splits) => splits.map((split) => marks.find((mark) => place(mark) === split)) },
    { label: 'microseconds', size: 80, values: (u, ticks) => ticks.map((tick) => Math.log10(tick) % 1 === 0 ? number(tick) : '') },
  ],
  series: [{ label: 'percentile', value: (u, value) => value == null ? '-' : value >= 5.3 ? '100' : (100 - 100 * 10 ** -value).toFixed(3) }, ...drawn.map((line) => ({ label: line.name, stroke: line.colour, dash: line.dash, width: 2, spanGaps: true, points: { show: false }, value: (u, value) => number(value) }))],
}, [places.map(place), ...drawn.map(({ points }) => { const known = new Map(points); return places.map((percentile) => known.get(percentile) || null) })])

const names = report.bars.map((bar) => bar.name)
const bars = (id, label, series, distr) => chart(id, {
  scales: { x: { time: false, range: [-0.6, names.length - 0.4] }, y: distr === 3 ? { distr: 3 } : { range: (u, low, high) => [0, (high || 1) * 1.1] } },
  axes: [
    { splits: () => names.map((_, index) => index), values: () => names, grid: { show: false }, rotate: names.length > 6 ? -35 : 0, size: names.length > 6 ? 110 : 50 },
    { label, size: 80, values: (u, ticks) => ticks.map((tick) => distr === 3 && Math.log10(tick) % 1 !== 0 ? '' : number(tick)) },
  ],
  series: [{ label: 'case', value: (u, value) => names[value] ?? '-' }, ...series.map((entry, index) => ({ label: entry.label, stroke: entry.colour, fill: entry.colour + '99', points: { show: false }, paths: uPlot.paths.bars({ size: [0.4, 60], align: series.length === 1 ? 0 : index === 0 ? -1 : 1 }), value: (u, value) => number(value) }))],
}, [names.map((_, index) => index), ...series.map((entry) => entry.values)])
bars('rates', 'answered a second (median)', [
  { label: 'server', colour: '#2563eb', values: report.bars.map((bar) => bar.rate) },
  { label: 'bare echo', colour: '#94a3b8', values: report.bars.map((bar) => bar.echo) },
], 1)
bars('slow', 'p99, microseconds (median)', [{ label: 'p99', colour: '#dc2626', values: report.bars.map((bar) => bar.p99Us) }], 1)
`

const cells = (row: Row): string[] => {
  const limit = limitPerSecond(row)
  const { latency, errors } = row.measured
  const us = (ns: number): string => (ns / 1000).toFixed(0)
  return [
    row.operation,
    String(row.connections),
    String(row.run),
    operationsPerSecond(row.measured).toFixed(0),
    itemsPerSecond(row.measured).toFixed(0),
    us(latency.p50),
    us(latency.p99),
    us(latency.p999),
    us(latency.max),
    limit?.toFixed(0) ?? '-',
    ratioOf(row)?.toFixed(2) ?? '-',
    Object.entries(errors)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none',
  ]
}

const names = 'operation,sessions,run,ops/s,items/s,p50 µs,p99 µs,p99.9 µs,max µs,echo ops/s,ratio,errors'.split(',')

const tableRow = (tag: 'th' | 'td', texts: readonly string[]): string =>
  `<tr>${texts.map((text) => `<${tag}>${escaped(text)}</${tag}>`).join('')}</tr>`

/** The page. */
export const htmlReport = (rows: readonly Row[], settings: Readonly<Record<string, unknown>>): string => {
  const { node, openssl, platform, architecture, processor, cores } = machineFacts()
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>kmip-bench</title>
<style>${libraryFile('./uPlot.min.css')}${style}</style>
<h1>kmip-bench</h1>
<p>Node ${escaped(node)}, OpenSSL ${escaped(openssl)}, ${escaped(platform)} ${escaped(architecture)}, ${cores} cores of ${escaped(processor)}.
The bare echo is a TLS server that answers with as many bytes and does nothing else.</p>
<table><thead>${tableRow('th', names)}</thead><tbody>
${rows.map((row) => tableRow('td', cells(row))).join('\n')}
</tbody></table>
<h2>Answered a second, over time</h2><div id="time"></div>
<h2>Latency by percentile</h2><p>Dashed: the bare echo.</p><div id="percentiles"></div>
<h2>By operation: answered a second</h2><div id="rates"></div>
<h2>By operation: p99</h2><div id="slow"></div>
<h2>Settings</h2><pre>${escaped(JSON.stringify(settings, undefined, 2))}</pre>
<script>${libraryFile('./uPlot.iife.min.js')}</script>
<script>const report = ${scriptData(chartData(rows))}
${drawing}</script>
</html>
`
}
