/**
 * A page with charts that needs nothing but itself: the library, the style and the data are inside, light or dark as the reader
 * has it. What it is: the shell, and the functions that draw in it. What it is not: what is drawn (html.ts, compare-html.ts).
 */
import { fileURLToPath } from 'node:url'
import { readText } from './machine.ts'
import { machineFacts } from './report.ts'

const libraryFile = (name: string): string => readText(fileURLToPath(new URL(name, import.meta.resolve('uplot'))))

/** Text that cannot end the element that it stands in. */
export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const scriptData = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c')

const style = `
:root { color-scheme: light dark; font: 14px/1.45 system-ui, sans-serif;
  --text: light-dark(#1c2330, #dfe4ec); --quiet: light-dark(#55606f, #9aa5b4); --line: light-dark(#e3e7ee, #333b47); --page: light-dark(#fff, #171b21) }
body { max-width: 1180px; margin: 2rem auto; padding: 0 1rem; color: var(--text); background: var(--page) }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem } h3 { font-size: 1rem; margin: 1.5rem 0 .3rem }
p { color: var(--quiet); margin: .3rem 0 1rem } summary { cursor: pointer; margin-top: 2rem }
table.figures { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 13px }
.figures th, .figures td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid var(--line) }
.figures th { color: var(--quiet); font-weight: 600 } .figures tbody tr:hover { background: light-dark(#f3f6fa, #20262e) }
.figures th:first-child, .figures td:first-child, .figures th:last-child, .figures td:last-child { text-align: left }
.pair { display: flex; flex-wrap: wrap; gap: 1rem }
.u-legend { font-size: 12px; text-align: left } .u-legend tr { display: inline-block; margin-right: .8rem }
.u-legend th, .u-legend td { padding: 0 .2rem; border: 0; text-align: left }
`

/** Functions that run in the page; `report` is what the page was given. */
const drawing = `
const colours = ['#3b82f6','#ef4444','#10b981','#f59e0b','#8b5cf6','#06b6d4','#ec4899','#84cc16','#64748b','#f97316']
const colour = (index) => colours[index % colours.length]
const bodyStyle = getComputedStyle(document.body)
const quiet = bodyStyle.color
// Of a colour that is told as light-dark(), what holds now: a probe has it.
const lineColour = getComputedStyle(document.querySelector('.figures th')).borderBottomColor
const fullWidth = Math.min(1140, document.body.clientWidth - 32)
const number = (value) => value == null ? '-' : value === 0 ? '0' : value >= 100 ? Math.round(value).toLocaleString('en') : value >= 10 ? value.toFixed(1) : value.toFixed(2)
const axis = (options) => ({ stroke: quiet, grid: { stroke: lineColour, width: 1 }, ticks: { stroke: lineColour, width: 1 }, ...options })
const chart = (element, width, options, data) =>
  new uPlot({ width, height: 320, ...options, axes: options.axes.map(axis) }, data, element)
const powersOnly = (u, ticks) => ticks.map((tick) => Math.log10(tick) % 1 === 0 ? number(tick) : '')

const overTime = (element, width, lines) => {
  const seconds = [...new Set(lines.flatMap((line) => line.timeline.map((_, index) => (index + 1) * line.sliceMs / 1000)))].sort((a, b) => a - b)
  chart(element, width, {
    scales: { x: { time: false }, y: { range: (u, low, high) => [0, (high || 1) * 1.1] } },
    axes: [{ label: 'seconds' }, { label: 'answered a second', size: 80, values: (u, ticks) => ticks.map(number) }],
    series: [{ label: 's' }, ...lines.map((line) => ({ label: line.name, stroke: line.colour, dash: line.dash, width: 2, spanGaps: true, points: { show: seconds.length < 3 }, value: (u, value) => number(value) }))],
  }, [seconds, ...lines.map((line) => seconds.map((at) => line.timeline[Math.round(at * 1000 / line.sliceMs) - 1] ?? null))])
}

// 90, 99 and 99.9 stand at equal distances: what is slow is what matters.
const place = (percentile) => percentile >= 100 ? 5.3 : -Math.log10(1 - percentile / 100)
const marks = [50, 90, 99, 99.9, 99.99, 99.999]
const byPercentile = (element, width, lines) => {
  const percentiles = [...new Set(lines.flatMap(({ points }) => points.map(([percentile]) => percentile)))].sort((a, b) => a - b)
  chart(element, width, {
    scales: { x: { time: false }, y: { distr: 3 } },
    axes: [
      { label: 'percentile', splits: () => marks.map(place), values: (u, splits) => splits.map((split) => marks.find((mark) => place(mark) === split)) },
      { label: 'microseconds', size: 80, values: powersOnly },
    ],
    series: [{ label: 'percentile', value: (u, value) => value == null ? '-' : value >= 5.3 ? '100' : (100 - 100 * 10 ** -value).toFixed(3) }, ...lines.map((line) => ({ label: line.name, stroke: line.colour, dash: line.dash, width: 2, spanGaps: true, points: { show: false }, value: (u, value) => number(value) }))],
  }, [percentiles.map(place), ...lines.map(({ points }) => { const known = new Map(points); return percentiles.map((percentile) => known.get(percentile) || null) })])
}

const bars = (element, names, label, series, isLogarithmic) => {
  const all = series.flatMap(({ values }) => values).filter((value) => value > 0)
  const floor = 10 ** Math.floor(Math.log10(Math.min(...all)))
  chart(element, fullWidth, {
    padding: [10, names.length > 6 ? 90 : 20, 0, 0],
    scales: { x: { time: false, range: [-0.6, names.length - 0.4] }, y: isLogarithmic ? { distr: 3, range: (u, low, high) => [floor, high * 1.5] } : { range: (u, low, high) => [0, (high || 1) * 1.1] } },
    axes: [
      { splits: () => names.map((_, index) => index), values: () => names, grid: { show: false }, rotate: names.length > 6 ? -35 : 0, size: names.length > 6 ? 110 : 50 },
      { label, size: 80, values: isLogarithmic ? powersOnly : (u, ticks) => ticks.map(number) },
    ],
    series: [{ label: 'case', value: (u, value) => names[value] ?? '-' }, ...series.map((entry, index) => ({ label: entry.label, stroke: entry.colour, fill: entry.colour + '99', points: { show: false }, paths: uPlot.paths.bars({ size: [0.4, 60], align: series.length === 1 ? 0 : index === 0 ? -1 : 1 }), value: (u, value) => number(value) }))],
  }, [names.map((_, index) => index), ...series.map((entry) => entry.values.map((value) => value > 0 ? value : null))])
}
`

const tableRow = (tag: 'th' | 'td', texts: readonly string[]): string =>
  `<tr>${texts.map((text) => `<${tag}>${escaped(text)}</${tag}>`).join('')}</tr>`

/** A table of figures. */
export const figuresTable = (names: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<table class="figures"><thead>${tableRow('th', names)}</thead><tbody>
${rows.map((row) => tableRow('td', row)).join('\n')}
</tbody></table>`

/** What a page is made of. */
export interface Page {
  readonly title: string
  /** HTML. */
  readonly body: string
  /** What `script` finds as `report`. */
  readonly data: unknown
  /** Draws, with the functions above. */
  readonly script: string
}

/** The machine of a measurement, in a sentence. */
export const machineText = (facts: Readonly<Record<string, unknown>> = machineFacts()): string => {
  const text = (name: string): string => {
    const fact = facts[name]
    return typeof fact === 'string' || typeof fact === 'number' ? String(fact) : 'unknown'
  }
  return `Node ${text('node')}, OpenSSL ${text('openssl')}, ${text('platform')} ${text('architecture')}, ${text('cores')} cores of ${text('processor')}.`
}

/** The page. */
export const pageOf = ({ title, body, data, script }: Page): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>${libraryFile('./uPlot.min.css')}${style}</style>
<h1>${escaped(title)}</h1>
${body}
<script>${libraryFile('./uPlot.iife.min.js')}</script>
<script>const report = ${scriptData(data)}
${drawing}${script}</script>
</html>
`
