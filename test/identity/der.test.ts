/** DER, item by item: what is written is read again, and no other spelling of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { CertificateError } from '#identity/certificates'
import { DerCursor, derItem, derSeconds, derTag, derTime } from '#identity/der'

const contents = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(127, 128, 255, 256, 65_535, 65_536).map((length) => new Uint8Array(length)),
)

test('items come back as they were written', () => {
  fc.assert(
    fc.property(fc.array(contents, { maxLength: 4 }), (parts) => {
      const items = parts.map((part) => derItem(derTag.octetString, part))
      const whole = derItem(derTag.sequence, ...items)
      const outer = new DerCursor(whole)
      const inner = outer.enter(derTag.sequence)
      for (const [index, part] of parts.entries()) {
        const item = inner.take(derTag.octetString)
        assert.deepEqual(Uint8Array.from(item.content), part)
        assert.deepEqual(Uint8Array.from(item.whole), items[index])
      }
      assert.ok(inner.isAtEnd && outer.isAtEnd)
      for (const cut of [1, 2, Math.floor(whole.length / 2)])
        assert.throws(() => new DerCursor(whole.subarray(0, whole.length - cut)).next(), CertificateError)
    }),
  )
})

test('any bytes are items or an error of ours', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const cursor = new DerCursor(bytes)
      const read: Uint8Array[] = []
      try {
        while (!cursor.isAtEnd) {
          const { tag, content } = cursor.next()
          read.push(derItem(tag, content))
        }
      } catch (error) {
        assert.ok(error instanceof CertificateError)
        return
      }
      assert.deepEqual(Buffer.concat(read), Buffer.from(bytes), 'an item has one spelling')
    }),
  )
})

test('lengths that are indefinite, too long or longer than they need to be are refused', () => {
  for (const hex of [
    '3080',
    '308100',
    '30817f' + '00'.repeat(127),
    '3082007f',
    '3085000000000000',
    '30',
    '3001',
    '1f8101',
    '',
  ]) {
    assert.throws(() => new DerCursor(Buffer.from(hex, 'hex')).next(), CertificateError, hex)
  }
})

test('times', () => {
  for (const text of ['1970-01-01T00:00:00Z', '2026-02-28T23:59:59Z', '2049-12-31T23:59:59Z', '2050-01-01T00:00:00Z']) {
    const seconds = Date.parse(text) / 1000
    const item = new DerCursor(derTime(seconds)).next()
    assert.equal(item.tag, text < '2050' ? derTag.utcTime : derTag.generalizedTime)
    assert.equal(derSeconds(item), seconds)
  }
  const read = (tag: number, text: string): number => derSeconds(new DerCursor(derItem(tag, Buffer.from(text))).next())
  assert.equal(read(derTag.utcTime, '500101000000Z'), Date.parse('1950-01-01T00:00:00Z') / 1000)
  for (const text of ['260230000000Z', '2602280000Z', '260228000000+0100', '26022800000', 'Z'])
    assert.throws(() => read(derTag.utcTime, text), CertificateError, text)
  assert.throws(() => read(derTag.octetString, '260228000000Z'), CertificateError)
})
