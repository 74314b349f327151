/** Log-ins: good for their time, ended with their user, bounded in number. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SettableClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { BearerTokens } from '#identity/bearer-tokens'

const logIn = { userKey: 'root|local|joe', domain: 'root' }

describe('bearer tokens', () => {
  test('a token is found as long as it is good for', () => {
    const clock = new SettableClock()
    const tokens = new BearerTokens(clock, systemEntropy, 60_000)
    const token = tokens.issue(logIn)
    assert.match(token, /^[\w-]{64}$/)
    assert.equal(tokens.find(token)?.userKey, logIn.userKey)
    assert.equal(tokens.find(`${token}x`), undefined)
    assert.equal(tokens.find(''), undefined)
    clock.advance(59_999)
    assert.ok(tokens.find(token))
    clock.advance(1)
    assert.equal(tokens.find(token), undefined)
    assert.equal(tokens.lifetimeSeconds, 60)
  })

  test('the log-ins of a user end together, those of others go on', () => {
    const tokens = new BearerTokens(new SettableClock(), systemEntropy, 60_000)
    const [one, two] = [tokens.issue(logIn), tokens.issue(logIn)]
    const other = tokens.issue({ ...logIn, userKey: 'root|local|bob' })
    tokens.endOf(logIn.userKey)
    assert.deepEqual([tokens.find(one), tokens.find(two)], [undefined, undefined])
    assert.ok(tokens.find(other))
  })

  test('the oldest goes when there are too many', () => {
    const tokens = new BearerTokens(new SettableClock(), systemEntropy, 60_000)
    const first = tokens.issue(logIn)
    const second = tokens.issue(logIn)
    for (let count = 2; count < 10_000; count += 1) tokens.issue(logIn)
    assert.ok(tokens.find(first))
    tokens.issue(logIn)
    assert.equal(tokens.find(first), undefined)
    assert.ok(tokens.find(second))
  })
})
