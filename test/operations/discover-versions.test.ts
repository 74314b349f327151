/** Discover Versions: the versions that both sides have, the server's preference first (KMIP 1.4 §4.26). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openDispatcher, outcome, succeed } from '#test/dispatcher'

const version = (minor: number, major = 1) => ({ protocolVersionMajor: major, protocolVersionMinor: minor })

describe('Discover Versions', () => {
  const cases = [
    ['none asked: all', [], [4, 3, 2, 1, 0]],
    ['one that the server has', [version(4)], [4]],
    ['some, in whatever order', [version(0), version(3)], [3, 0]],
    ['one of two', [version(9), version(2)], [2]],
    ['the same twice', [version(2), version(2)], [2]],
    ['none that the server has', [version(0, 9), version(7), version(-1), version(1000)], []],
  ] as const
  for (const [given, asked, expected] of cases) {
    test(given, async () => {
      const under = openDispatcher()
      const { protocolVersion } = await succeed(under, 'DiscoverVersions', { protocolVersion: asked })
      assert.deepEqual(
        protocolVersion,
        expected.map((minor) => version(minor)),
      )
    })
  }

  test('works in every version that has it, which 1.0 has not', async () => {
    const under = openDispatcher()
    assert.equal(await outcome(under, 'DiscoverVersions', {}, { version: 100 }), 'OperationNotSupported')
    for (const own of [101, 102, 103]) {
      const { protocolVersion } = await succeed(under, 'DiscoverVersions', {}, { version: own })
      assert.equal(protocolVersion.length, 5)
    }
  })
})
