/** What reports make of cases that went wrong, and what a comparison tells beside the figures. What it is not: a measurement. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { comparison, reportOf } from '#bench/compare'
import { csvReport } from '#bench/csv'
import type { Measured } from '#bench/job'
import { jsonReport, line, type Row, summarize, summaryLine } from '#bench/report'
import { ratiosOf, type VersusRow } from '#bench/versus'

const measured = (completed: number, ns: number, errors: Readonly<Record<string, number>> = {}): Measured => {
  const latency = { mean: ns, p50: ns, p90: ns, p99: ns, p999: ns, max: ns }
  const counted = { completed, items: completed, errors, elapsedMs: 1000, latency, steps: {}, percentiles: [] }
  return { ...counted, sliceMs: 1000, timeline: [{ completed, failed: 0 }] }
}

const row = (run: number, of: Measured, operation = 'get'): Row => ({
  operation,
  connections: 1,
  run,
  requestBytes: 8,
  responseBytes: 8,
  protocol: 'TLSv1.3',
  cipher: 'none',
  measured: of,
  limit: undefined,
})

const nothing = measured(0, 0, { RequestTimeout: 1 })

describe('a case in which nothing was answered', () => {
  test('has no latency, rather than the lowest', () => {
    assert.match(line(row(1, nothing)), /^get +1 +1 +0 +- +- .*RequestTimeout 1$/)
    const [names = '', cells = ''] = csvReport([row(1, nothing)]).split('\n')
    const cellOf = (name: string): string | undefined => cells.split(',')[names.split(',').indexOf(name)]
    assert.deepEqual([cellOf('operationsPerSecond'), cellOf('p99Us'), cellOf('maxUs')], ['0.0', '', ''])
    const [summary] = summarize([row(1, nothing)])
    assert.equal(summary?.p99Us, undefined)
    assert.match(summary === undefined ? '' : summaryLine(summary), /p50 - us, p99 - us/)
  })

  test('does not pull the median of its other runs down', () => {
    const rows = [measured(10, 4_000_000), nothing, measured(10, 6_000_000)].map((of, index) => row(index + 1, of))
    assert.equal(summarize(rows)[0]?.p99Us, 5000)
  })
})

test('a cell with any end of line is quoted', () => {
  const [, ...lines] = csvReport([row(1, measured(1, 1, { 'a\rb': 1 }))]).split('\n')
  assert.match(lines.join('\n'), /"a\rb 1"/)
})

describe('a comparison', () => {
  const report = (rows: readonly Row[], settings: Readonly<Record<string, unknown>>) =>
    reportOf(jsonReport(rows, settings), 'a.json')
  const first = report([row(1, measured(100, 1000)), row(1, measured(5, 1000), 'locate')], {
    pipeline: 1,
    durationMs: 5000,
  })

  test('tells of errors, since refusals are quick', () => {
    const second = report([row(1, measured(300, 500, { ItemNotFound: 900 }))], { pipeline: 1, durationMs: 5000 })
    const [, get, locate, ...more] = comparison(first, second)
    assert.match(get ?? '', /^get +1 +100 +300 +\+200\.0%.* 0 errors, then 900$/)
    assert.match(locate ?? '', /^locate .*not measured then$/)
    assert.deepEqual(more, [])
  })

  test('tells of cases that only the second report has', () => {
    const second = report([row(1, measured(7, 1000), 'create')], { pipeline: 1, durationMs: 5000 })
    const [create] = comparison(first, second).filter((text) => text.startsWith('create'))
    assert.match(create ?? '', /^create +1 +- +7 +- .*not measured before$/)
  })

  test('tells of settings that were not the same, but not of the choice of cases', () => {
    const second = report([row(1, measured(100, 1000))], { pipeline: 8, ratePerSecond: 10, objectPrefix: 'b' })
    assert.deepEqual(
      comparison(first, second).filter((text) => text.startsWith('not the same')),
      [
        'not the same pipeline: 1, then 8',
        'not the same durationMs: 5000, then none',
        'not the same ratePerSecond: none, then 10',
      ],
    )
  })
})

describe('servers in turn', () => {
  test('ratios are of one start: the median of several, with lowest and highest', () => {
    const row = (start: number, variant: number, ratePerSecond: number): VersusRow => ({
      start,
      variant,
      ratePerSecond,
      processorUs: start === 1 ? 10 * (variant + 1) : undefined,
      failed: 0,
    })
    const rows = [row(1, 0, 100), row(1, 1, 50), row(2, 0, 10), row(2, 1, 9), row(3, 0, 1000), row(3, 1, 800)]
    const rate = ({ ratePerSecond }: VersusRow): number => ratePerSecond
    const processor = ({ processorUs }: VersusRow): number | undefined => processorUs
    assert.deepEqual(ratiosOf(rows, 1, rate), { median: 0.8, lowest: 0.5, highest: 0.9 })
    assert.equal(ratiosOf(rows, 1, processor), undefined)
    assert.deepEqual(ratiosOf(rows.slice(0, 2), 1, processor), { median: 2, lowest: 2, highest: 2 })
    assert.equal(ratiosOf(rows, 2, rate), undefined)
  })
})
