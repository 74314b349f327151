/** RNG Seed: the three policies that the published cases CS-RNG-O-2, -3 and -4 ask for (KMIP 1.4 §4.36). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ComputingPolicy } from '#operations/computing-policy'
import { computing } from '#test/computing'
import { type DispatcherUnderTest, openDispatcher, outcome, succeed } from '#test/dispatcher'

const under = (rngSeed: ComputingPolicy['rngSeed']): DispatcherUnderTest =>
  openDispatcher({ policy: { computing: { ...computing, rngSeed } } })

const seed = { data: new Uint8Array(32) }

test('RNG Seed tells how much of the seed it used', async () => {
  assert.equal((await succeed(under('use'), 'RNGSeed', seed)).dataLength, 16)
  assert.equal((await succeed(under('use'), 'RNGSeed', { data: new Uint8Array(3) })).dataLength, 3)
})

test('RNG Seed: a server that ignores seeds says so with 0', async () => {
  assert.equal((await succeed(under('ignore'), 'RNGSeed', seed)).dataLength, 0)
})

test('RNG Seed: a server that refuses seeds: PermissionDenied', async () => {
  assert.equal(await outcome(under('refuse'), 'RNGSeed', seed), 'PermissionDenied')
})
