/** The framer: every way in which a stream can be cut and joined, and streams that are none. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { encodeItem } from '#ttlv/binary'
import { Framer } from '#ttlv/framer'

const tag = 0x420078
const message = (size: number, fill = 7): Buffer =>
  encodeItem({ tag, type: 1, value: [{ tag: 0x420008, type: 8, value: new Uint8Array(size).fill(fill) }] })

/** All messages that are complete, as one list of hexadecimal texts: the framer's buffers may be used again. */
const drain = (framer: Framer): string[] => {
  const messages: string[] = []
  for (let next = framer.next(); next !== undefined; next = framer.next()) messages.push(next.toString('hex'))
  return messages
}

describe('framer', () => {
  test('a split at every offset', () => {
    const whole = message(61)
    for (let at = 0; at <= whole.length; at += 1) {
      const framer = new Framer(tag, 1024)
      framer.push(Buffer.from(whole.subarray(0, at)))
      const first = drain(framer)
      framer.push(Buffer.from(whole.subarray(at)))
      assert.deepEqual([...first, ...drain(framer)], [whole.toString('hex')], `split at ${at}`)
      assert.equal(framer.pendingBytes, 0)
    }
  })

  test('byte by byte, several messages', () => {
    const sent = [message(3), message(40), message(0)]
    const framer = new Framer(tag, 1024)
    const got: string[] = []
    for (const byte of Buffer.concat(sent)) {
      framer.push(Buffer.of(byte))
      got.push(...drain(framer))
    }
    assert.deepEqual(
      got,
      sent.map((each) => each.toString('hex')),
    )
  })

  test('any cut of any messages, whatever their sizes', () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 9000 })), {
      maxLength: 8,
    })
    const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 6000 })), {
      minLength: 1,
    })
    fc.assert(
      fc.property(sizes, cuts, fc.boolean(), (lengths, steps, drainEach) => {
        const sent = lengths.map((length, index) => message(length, index))
        const stream = Buffer.concat(sent)
        const framer = new Framer(tag, 16_384)
        const got: string[] = []
        for (let at = 0, step = 0; at < stream.length; step += 1) {
          const size = steps[step % steps.length] ?? 1
          framer.push(Buffer.from(stream.subarray(at, at + size)))
          at += size
          if (drainEach) got.push(...drain(framer))
        }
        got.push(...drain(framer))
        assert.deepEqual(
          got,
          sent.map((each) => each.toString('hex')),
        )
        assert.equal(framer.pendingBytes, 0)
      }),
      { numRuns: 150 },
    )
  })

  test('small chunks behind a rest do not change what the messages hold', () => {
    const framer = new Framer(tag, 16_384)
    const sent = [message(4000, 1), message(4000, 2)]
    const stream = Buffer.concat(sent)
    framer.push(Buffer.from(stream.subarray(0, 4100)))
    const first = framer.next()
    assert(first !== undefined)
    const copy = Buffer.from(first)
    for (let at = 4100; at < stream.length; at += 100) framer.push(Buffer.from(stream.subarray(at, at + 100)))
    assert.deepEqual(drain(framer), [sent[1]?.toString('hex')])
    assert.deepEqual(first, copy)
  })

  test('a wrong first byte is refused at once', () => {
    const framer = new Framer(tag, 1024)
    framer.push(Buffer.from('G'))
    assert.throws(() => framer.next(), { name: 'TtlvError', fault: 'message' })
  })

  test('another tag, another type and an odd length are refused with the header', () => {
    for (const header of ['4200770100000008', '4200780200000008', '4200780100000009']) {
      const framer = new Framer(tag, 1024)
      framer.push(Buffer.from(header, 'hex'))
      assert.throws(() => framer.next(), { name: 'TtlvError', fault: 'message' })
    }
  })

  test('a message that is too long is refused before its bytes come', () => {
    const exact = message(100)
    const fits = new Framer(tag, exact.length)
    fits.push(exact)
    assert.equal(drain(fits).length, 1)
    const framer = new Framer(tag, exact.length - 1)
    framer.push(exact.subarray(0, 8))
    assert.throws(() => framer.next(), { fault: 'limit' })
    const endless = new Framer(tag, 1024)
    endless.push(Buffer.from('42007801ffffffff', 'hex'))
    assert.throws(() => endless.next(), { fault: 'limit' })
  })
})
