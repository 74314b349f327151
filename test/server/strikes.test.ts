/** Connections that come to nothing: how many of an address are borne, and for how long it is remembered. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SettableClock } from '#actor/clock'
import { Strikes } from '#server/strikes'

const open = (failedSessionsPerAddressMax: number) => {
  const clock = new SettableClock()
  const strikes = new Strikes({ failedSessionsPerAddressMax }, clock)
  const strikeTimes = (address: string, count: number): void => {
    for (let times = 0; times < count; times += 1) strikes.strike(address)
  }
  return { clock, strikes, strikeTimes }
}

test('four seconds of them are borne at once, then as many as time gives back', () => {
  const { clock, strikes, strikeTimes } = open(2)
  strikeTimes('a', 7)
  assert.ok(!strikes.isFull('a'))
  strikeTimes('a', 2)
  assert.ok(strikes.isFull('a') && !strikes.isFull('b'))
  clock.advance(499)
  assert.ok(strikes.isFull('a'))
  clock.advance(2)
  assert.ok(!strikes.isFull('a'))
  strikeTimes('a', 2)
  assert.ok(strikes.isFull('a'))
  clock.advance(8_000)
  strikeTimes('a', 7)
  assert.ok(!strikes.isFull('a'), 'what was long ago is forgotten')
})

test('whatever an address did, ten seconds make up for it', () => {
  const { clock, strikes, strikeTimes } = open(2)
  strikeTimes('a', 1_000)
  clock.advance(5_999)
  assert.ok(strikes.isFull('a'))
  clock.advance(2)
  assert.ok(!strikes.isFull('a'))
  clock.advance(4_000)
  strikeTimes('a', 7)
  assert.ok(!strikes.isFull('a'))
})

test('0 is any number', () => {
  const { strikes, strikeTimes } = open(0)
  strikeTimes('a', 10_000)
  assert.ok(!strikes.isFull('a'))
})

test('of many addresses the last ones are remembered', () => {
  const { strikes, strikeTimes } = open(1)
  strikeTimes('first', 4)
  for (let address = 0; address < 10_000; address += 1) strikes.strike(`${address}`)
  strikeTimes('last', 4)
  assert.ok(!strikes.isFull('first') && strikes.isFull('last'))
})
