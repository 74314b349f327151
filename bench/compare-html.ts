/**
 * Two reports beside one another as a page: the table, and rates and p99 of each case before and after. What it is not: other
 * figures than `compare` prints (compare.ts).
 */
import { comparisonCells, comparisonNames, differences, pairsOf, type Report } from './compare.ts'
import { escaped, figuresTable, machineText, pageOf } from './page.ts'

const script = `
const pairs = report.pairs
const names = pairs.map((pair) => pair.name)
const both = (name, colour) => [
  { label: 'before', colour: '#94a3b8', values: pairs.map((pair) => pair.before?.[name] ?? 0) },
  { label: 'after', colour, values: pairs.map((pair) => pair.after?.[name] ?? 0) },
]
bars(document.getElementById('rates'), names, 'answered a second', both('operationsPerSecond', '#3b82f6'), false)
bars(document.getElementById('slow'), names, 'p99, microseconds', both('p99Us', '#ef4444'), true)
`

/**
 * The page.
 * @param names of the two reports
 */
export const comparisonPage = (first: Report, second: Report, names: readonly [string, string]): string => {
  const pairs = pairsOf(first, second)
  const warnings = differences(first, second).map((text) => `<li>${escaped(text)}</li>`)
  return pageOf({
    title: 'kmip-bench: before and after',
    data: {
      pairs: pairs.map(({ operation, connections, before, after }) => ({
        name: `${operation} (${connections})`,
        before,
        after,
      })),
    },
    script,
    body: `<p>Before: ${escaped(names[0])}. After: ${escaped(names[1])}. ${escaped(machineText(second.machine))}</p>
${warnings.length === 0 ? '' : `<ul>${warnings.join('')}</ul>`}
${figuresTable(comparisonNames, pairs.map(comparisonCells))}
<h2>Answered a second</h2><div id="rates"></div>
<h2>Latency: p99</h2><div id="slow"></div>`,
  })
}
