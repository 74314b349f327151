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

test('ten times as many as in a second are borne at once, then as many as time gives back', () => {
  const { clock, strikes, strikeTimes } = open(2)
  strikeTimes('a', 19)
  assert.ok(strikes.admits('a'))
  strikeTimes('a', 2)
  assert.ok(!strikes.admits('a') && strikes.admits('b'))
  clock.advance(499)
  assert.ok(!strikes.admits('a'))
  clock.advance(2)
  assert.ok(strikes.admits('a'))
  strikeTimes('a', 2)
  assert.ok(!strikes.admits('a'))
  clock.advance(11_000)
  strikeTimes('a', 19)
  assert.ok(strikes.admits('a'), 'what was long ago is forgotten')
})

test('who comes while it is not admitted does not lengthen it: nothing is counted before a connection is taken', () => {
  const { clock, strikes, strikeTimes } = open(1)
  strikeTimes('a', 10)
  for (let times = 0; times < 1_000; times += 1) assert.ok(!strikes.admits('a'))
  clock.advance(1_001)
  assert.ok(strikes.admits('a'))
})

test('0 is any number', () => {
  const { strikes, strikeTimes } = open(0)
  strikeTimes('a', 10_000)
  assert.ok(strikes.admits('a'))
})

test('of many addresses the last ones are remembered', () => {
  const { strikes, strikeTimes } = open(1)
  strikeTimes('first', 10)
  for (let address = 0; address < 10_000; address += 1) strikes.strike(`${address}`)
  strikeTimes('last', 10)
  assert.ok(strikes.admits('first') && !strikes.admits('last'))
})
