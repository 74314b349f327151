/** The report: judged against the list of expected failures in both directions, and well-formed for machines. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseXml } from '#ttlv/xml-element'
import {
  type CaseResult,
  caseLine,
  expectedFailuresOf,
  jsonOf,
  judge,
  junitOf,
  type Outcome,
  summary,
} from './subject.ts'

const result = (name: string, outcome: Outcome, version = 104): CaseResult => ({
  name,
  file: `/cases/${name}.xml`,
  version,
  family: 'K',
  outcome,
  exchange: outcome === 'fail' ? 2 : 0,
  exchangeCount: 3,
  difference:
    outcome === 'fail'
      ? { path: 'BatchItem[0].ResultStatus', expected: 'Success', actual: 'said <"\u0001\ud800">', line: 12 }
      : undefined,
  note: undefined,
  durationMs: 1.5,
})

const results = [result('a', 'pass'), result('b', 'fail'), result('c', 'pass', 100), result('d', 'notRun', 201)]

describe('judgement', () => {
  test('all pass', () => assert(judge([result('a', 'pass')]).good))
  test('a failure that nobody expected', () => assert(!judge(results).good))
  test('exactly the list', () => assert(judge(results, { b: 'not yet' }).good))
  test('an unexpected pass is wrong too', () => {
    const judgement = judge(results, { b: 'not yet', a: 'not yet' })
    assert(!judgement.good)
    assert.deepEqual(
      judgement.unexpectedPasses.map(({ name }) => name),
      ['a'],
    )
  })
  test('a run of nothing is not good', () => assert(!judge([]).good && !judge([result('d', 'notRun')]).good))
  test('names that every object has are no list entries', () => assert(!judge([result('constructor', 'fail')]).good))
})

describe('the list of expected failures', () => {
  test('names to reasons', () => assert.deepEqual(expectedFailuresOf('{"a":"because"}'), { a: 'because' }))
  for (const text of ['["a"]', '{"a":1}', '{"a":""}', 'null', 'no']) {
    test(`refuses ${text}`, () => assert.throws(() => expectedFailuresOf(text)))
  }
})

describe('forms', () => {
  const report = { server: 'localhost:5696', results }

  test('a line each, with the first difference', () => {
    assert.equal(caseLine(result('a', 'pass')), 'pass    1.4 a')
    assert.match(
      caseLine(result('b', 'fail')),
      /^FAIL {4}1\.4 b\n {8}exchange 2 of 3: BatchItem\[0\]\.ResultStatus \(line 12\)/,
    )
    assert.match(caseLine(result('b', 'fail'), { b: 'not yet' }), /listed: not yet/)
    assert.match(caseLine(result('a', 'pass'), { a: 'not yet' }), /UNEXPECTED/)
  })

  test('totals by version and family', () => {
    const text = summary(report, judge(results))
    assert.match(text, /^1\.4 +1 +1 +0$/m)
    assert.match(text, /^2\.1 +0 +0 +1$/m)
    assert.match(text, /^all +2 +1 +1$/m)
    assert.match(text, /unexpected failure: b/)
    assert.match(text, /NOT as expected$/)
  })

  test('JUnit is XML whatever the server said, and carries the judgement', () => {
    const limits = { textLengthMax: 10_000, attributeLengthMax: 1000, nestingDepthMax: 8, itemCountMax: 100 }
    const root = parseXml(junitOf(report, { a: 'not yet' }), limits)
    const testcases = root.children.flatMap((suite) => suite.children)
    const inner = new Map(testcases.map((testcase) => [testcase.attributes.get('name'), testcase.children[0]?.name]))
    assert.deepEqual(Object.fromEntries(inner), { a: 'failure', b: 'failure', c: undefined, d: 'skipped' })
  })

  test('JSON', () => {
    const value: unknown = JSON.parse(jsonOf(report, judge(results)))
    assert.partialDeepStrictEqual(value, {
      server: 'localhost:5696',
      good: false,
      unexpectedFailures: ['b'],
      versions: { '1.4': { pass: 1, fail: 1, notRun: 0 } },
    })
  })
})
