/** What is deployed beside the server asks for metrics that there are. `promtool check rules` looks at the rules' syntax by hand. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { metricRows } from '#server/metrics'

const read = (path: string): string => readFileSync(join(dirname(import.meta.dirname), 'deploy', path), 'utf8')

/** Names of the server's own metrics in an expression, as a histogram's parts where they are. */
const checkNames = (expression: string): void => {
  for (const [name] of expression.matchAll(/\bkmipd_\w+/g)) {
    const histogram = metricRows[name.replace(/_(?:bucket|sum|count)$/, '')]
    assert.ok(Object.hasOwn(metricRows, name) || histogram?.type === 'histogram', `${name} in ${expression}`)
  }
}

test('every alert asks for metrics that there are, and says what to do', () => {
  const { groups } = parse(read('prometheus/kmipd.rules.yml')) as {
    groups: { rules: { alert: string; expr: string; annotations: { summary: string; remedy: string } }[] }[]
  }
  const rules = groups.flatMap((group) => group.rules)
  assert.ok(rules.length > 0)
  for (const { alert, expr, annotations } of rules) {
    checkNames(expr)
    assert.ok(annotations.summary.length > 0 && annotations.remedy.length > 0, alert)
  }
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length)
})

test('every panel of the dashboard asks for metrics that there are, and has a place of its own', () => {
  const { panels, uid } = JSON.parse(read('grafana/kmipd.json')) as {
    uid: string
    panels: {
      id: number
      title: string
      gridPos: { x: number; y: number; w: number; h: number }
      targets?: { expr: string }[]
    }[]
  }
  assert.equal(uid, 'kmipd')
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  const taken = new Set<string>()
  for (const { title, gridPos, targets = [] } of panels) {
    for (const { expr } of targets) checkNames(expr)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
      assert.ok(x < 24 && !taken.has(`${x} ${gridPos.y}`), title)
      taken.add(`${x} ${gridPos.y}`)
    }
  }
})
