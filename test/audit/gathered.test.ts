/**
 * Lines as they are gathered for the auditor. What it is: their bytes. What it is not: when they go (open.test.ts).
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { GatheredLines } from '#audit/gathered'
import { bodyOf, endOf, startOf } from '#audit/record'

const textOf = (lines: GatheredLines): string => Buffer.from(lines.take()).toString('utf8')

describe('lines on their way to the auditor', () => {
  test('are one line each, in order, whatever letters they have', () => {
    const lines = new GatheredLines()
    const texts = ['plain', 'größer', '鍵', '\u{1f511}', '']
    for (const text of texts) lines.add(text)
    assert.equal(lines.length, Buffer.byteLength(texts.join('\n')))
    assert.equal(textOf(lines), texts.join('\n'))
    assert.equal(lines.length, 0)
  })

  test('are the same of parts as in one piece', () => {
    const told = {
      user: 'local|größer',
      address: '127.0.0.1',
      operation: 'Get',
      objects: ['a', 'b'],
      result: 'success',
    }
    for (const atMs of [1_780_000_000_000, 1_780_000_000_001]) {
      const lines = new GatheredLines()
      const events = ['operation', 'administration', 'administration'] as const
      for (const event of events) {
        for (const front of ['f1-', '']) {
          const numbers = [0, 7, 9, 10, 99, 100, 12_345_678, Number.MAX_SAFE_INTEGER]
          for (const number of numbers) lines.addParts(startOf(event, atMs, front), number, Buffer.from(endOf(told)))
          const whole = numbers.map((number) => bodyOf({ event, atMs, request: `${front}${number}`, ...told }))
          assert.equal(textOf(lines), whole.join('\n'))
        }
      }
    }
  })

  test('have room, however many there are, and nothing is left of those that were taken', () => {
    const lines = new GatheredLines()
    for (let turn = 0; turn < 3; turn += 1) {
      const texts = Array.from({ length: 5_000 }, (_, line) => `${turn} ${line} ${'x'.repeat(line % 200)}`)
      for (const text of texts) lines.add(text)
      const taken = lines.take()
      lines.add('another')
      assert.equal(Buffer.from(taken).toString(), texts.join('\n'))
      assert.equal(textOf(lines), 'another')
    }
  })
})
