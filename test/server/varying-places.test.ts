/** Where in a request that stands what varies: found where the reader finds it, and nowhere in what is no request. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Operation } from '#kmip/enums'
import { varyingOf, varyingPlaces } from '#server/varying-places'
import { item, requestBytes } from '#test/dispatcher'
import { seededRandom } from '#test/seeded-random'

const fields = new Map([[Operation.Encrypt as number, ['data', 'ivCounterNonce'] as const]])
const uniqueIdentifier = 'a'

test('each field of the payload, without its padding, in the order in which they come', () => {
  const data = Uint8Array.of(1, 2, 3)
  const ivCounterNonce = new Uint8Array(16).fill(9)
  const bytes = requestBytes(104, [item('Encrypt', { uniqueIdentifier, data, ivCounterNonce })])
  const places = varyingPlaces(bytes, fields) ?? []
  assert.deepEqual(
    places.map(({ field }) => field),
    ['data', 'ivCounterNonce'],
  )
  const varying = varyingOf(bytes, places)
  assert.deepEqual(
    [Uint8Array.from(varying.data ?? []), Uint8Array.from(varying.ivCounterNonce ?? [])],
    [data, ivCounterNonce],
  )
})

test('nothing in other operations, in several items, and where none of the fields is', () => {
  const data = Uint8Array.of(1)
  const encrypt = item('Encrypt', { uniqueIdentifier, data })
  for (const items of [
    [item('Get', { uniqueIdentifier })],
    [encrypt, encrypt],
    [item('Encrypt', { uniqueIdentifier })],
  ]) {
    assert.equal(varyingPlaces(requestBytes(104, items), fields), undefined)
  }
})

test('whatever the bytes are, an end is found, and no place beyond it', () => {
  const random = seededRandom(3)
  const whole = requestBytes(104, [item('Encrypt', { uniqueIdentifier, data: new Uint8Array(40) })])
  for (let time = 0; time < 5_000; time += 1) {
    const bytes = Buffer.from(whole.subarray(0, random.below(3) === 0 ? random.below(whole.length) : whole.length))
    for (let change = random.below(4); change > 0 && bytes.length > 0; change -= 1) {
      bytes[random.below(bytes.length)] = random.pick([0, 1, 8, 0x42, 0x80, 0xff])
    }
    const places = varyingPlaces(bytes, fields) ?? []
    for (const { start, end } of places) assert.ok(start <= end)
    const { data } = varyingOf(bytes, places)
    assert.ok((data?.length ?? 0) <= bytes.length)
  }
})
