/** Answers of one turn: each a write of its own, in order, and nothing kept back that a peer waits for. */
import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { flushBurst, writeInBurst } from '#server/burst'

const recorder = (writes: string[], name: string): Writable =>
  new Writable({
    write(chunk: Buffer, _encoding, done) {
      writes.push(`${name}${chunk.length < 100 ? chunk.toString() : chunk.length}`)
      done()
    },
  })

test('answers of a turn are written at its end, in order, one write each', async () => {
  const writes: string[] = []
  const [a, b] = [recorder(writes, 'a'), recorder(writes, 'b')]
  assert.equal(writeInBurst(a, Buffer.from('1')), true)
  assert.equal(writeInBurst(b, Buffer.from('2')), true)
  assert.equal(writeInBurst(a, Buffer.from('3')), true)
  assert.deepEqual(writes, [])
  await turn()
  assert.deepEqual(writes, ['a1', 'b2', 'a3'])
})

test('a large answer goes at once, behind what waits', () => {
  const writes: string[] = []
  const socket = recorder(writes, '')
  writeInBurst(socket, Buffer.from('1'))
  writeInBurst(socket, Buffer.alloc(5_000))
  assert.deepEqual(writes, ['1', '5000'])
})

test('what waits can be asked for, and a socket that is gone gets nothing', async () => {
  const writes: string[] = []
  const [gone, there] = [recorder(writes, 'gone'), recorder(writes, '')]
  writeInBurst(gone, Buffer.from('1'))
  writeInBurst(there, Buffer.from('2'))
  gone.destroy()
  flushBurst()
  assert.deepEqual(writes, ['2'])
  await turn()
  assert.deepEqual(writes, ['2'])
})

test('a peer that takes nothing is told of by the next answer', () => {
  let taken: (() => void) | undefined
  const slow = new Writable({
    highWaterMark: 4,
    write(_chunk, _encoding, done) {
      taken = done
    },
  })
  assert.equal(writeInBurst(slow, Buffer.from('12345678')), true)
  flushBurst()
  assert.equal(writeInBurst(slow, Buffer.from('1')), false)
  taken?.()
})
