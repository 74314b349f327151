/** What is left in memory of the bytes that a value was read from. In a process of its own: a picture of all memory is made. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getHeapSnapshot } from 'node:v8'
import { packValue, unpackValue } from '#store/records'

test('a text that is kept keeps nothing of what stood beside it', async () => {
  // As text of the snapshot, but of no file: the key's bytes are made of numbers.
  const marker = String.fromCharCode(...[81, 119, 69, 114, 84, 121].flatMap((code) => [code, code + 1]))
  const identifier = 'an identifier that is long enough to be a piece of another text'
  const value = {
    identifier,
    keyMaterial: new Uint8Array(Buffer.from(marker)),
    name: 'some name',
    more: 'x'.repeat(200),
  }
  const kept = (unpackValue(Buffer.from(packValue(value))) as typeof value).identifier
  value.keyMaterial.fill(0)
  const texts: string[] = []
  for await (const part of getHeapSnapshot().setEncoding('latin1')) texts.push(part as string)
  const snapshot = texts.join('')
  assert.ok(snapshot.includes(kept))
  assert.equal(snapshot.split(marker).length - 1, 1, 'the marker itself')
})
