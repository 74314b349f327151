/**
 * A flame graph as a page: each box is a function, as wide as its share of the time, upon the one that called it. What it is:
 * SVG that needs nothing but itself; a box tells its name and share when it is pointed at. What it is not: the reading
 * (profile.ts).
 */
import { escaped } from './page.ts'
import type { Call, ThreadProfile } from './profile.ts'

const width = 1200
const rowHeight = 18
/** A narrower box could not be seen. */
const widthMin = 0.5
const characterWidth = 6.6

/** Ours, the runtime's own JavaScript, and what is native. */
const colourOf = (name: string): string => {
  if (name.includes(' node:')) return '#7fb3d5'
  return / [\w-]+\/[\w.-]+\.[cm]?[jt]s:/.test(name) ? '#f0b27a' : '#aab7b8'
}

interface Box {
  readonly call: Call
  readonly x: number
  readonly depth: number
  readonly wide: number
}

const boxesOf = (root: Call): Box[] => {
  const boxes: Box[] = []
  const place = (call: Call, x: number, depth: number): void => {
    const wide = (call.totalUs / root.totalUs) * width
    if (wide < widthMin) return
    boxes.push({ call, x, depth, wide })
    let at = x
    for (const next of [...call.calls.values()].sort((a, b) => b.totalUs - a.totalUs)) {
      place(next, at, depth + 1)
      at += (next.totalUs / root.totalUs) * width
    }
  }
  place(root, 0, 0)
  return boxes
}

const drawn = ({ root }: ThreadProfile): string => {
  const boxes = boxesOf(root)
  const rows = Math.max(0, ...boxes.map(({ depth }) => depth)) + 1
  const texts = boxes.map(({ call, x, depth, wide }) => {
    const y = (rows - 1 - depth) * rowHeight
    const share = `${((call.totalUs / root.totalUs) * 100).toFixed(1)} %`
    const fitting = call.name.slice(0, Math.max(0, Math.floor((wide - 6) / characterWidth)))
    const label = fitting.length < 3 ? '' : `<text x="${(x + 3).toFixed(1)}" y="${y + 13}">${escaped(fitting)}</text>`
    return `<g><title>${escaped(call.name)}: ${share}</title><rect x="${x.toFixed(2)}" y="${y}" width="${wide.toFixed(2)}" height="${rowHeight - 1}" fill="${colourOf(call.name)}"/>${label}</g>`
  })
  return `<svg viewBox="0 0 ${width} ${rows * rowHeight}" width="${width}" height="${rows * rowHeight}">${texts.join('\n')}</svg>`
}

/** The page: a graph a thread. */
export const flamePage = (title: string, threads: readonly ThreadProfile[]): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escaped(title)}</title>
<style>
body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: ${width}px; color: #1c2330; background: #fff }
svg text { font: 11px ui-monospace, monospace; fill: #1c2330; pointer-events: none } rect { stroke: #fff; stroke-width: .5 }
h2 { font-size: 1.1rem } i { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 1em }
</style>
<h1>${escaped(title)}</h1>
<p>The width of a box is its share of the time in which the thread was busy; it stands on what called it.
<i style="background: #f0b27a"></i>JavaScript of server and packages <i style="background: #7fb3d5"></i>of the runtime <i style="background: #aab7b8"></i>native</p>
${threads
  .map(
    (thread) =>
      `<h2>Thread ${escaped(thread.thread)}: busy ${((thread.busyUs / (thread.busyUs + thread.idleUs)) * 100).toFixed(0)} %</h2>\n${drawn(thread)}`,
  )
  .join('\n')}
</html>
`
