/** Hash: every reason of KMIP 1.4 §11.38, digests at once and in parts (§4.37). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HashingAlgorithm } from '#kmip/enums'
import { bytes, hexOf } from '#test/computing'
import { openDispatcher, outcome, succeed } from '#test/dispatcher'
import { testOutcomes } from '#test/outcome-table'

const cryptographicParameters = { hashingAlgorithm: HashingAlgorithm.SHA_256 }
const data = bytes('616263')
const digest = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'

describe('Hash: reasons', () => {
  testOutcomes([
    [
      'no Hashing Algorithm',
      'InvalidMessage',
      (under) => outcome(under, 'Hash', { cryptographicParameters: {}, data }),
    ],
    ['no data', 'InvalidMessage', (under) => outcome(under, 'Hash', { cryptographicParameters })],
    [
      'a hash that the library has not',
      'CryptographicFailure',
      (under) => outcome(under, 'Hash', { cryptographicParameters: { hashingAlgorithm: HashingAlgorithm.MD2 }, data }),
    ],
    [
      'an unknown Correlation Value',
      'ItemNotFound',
      (under) => outcome(under, 'Hash', { cryptographicParameters, data, correlationValue: bytes('00') }),
    ],
    [
      'one stream too many',
      'PermissionDenied',
      async (under) => {
        const opening = { cryptographicParameters, initIndicator: true }
        for (let open = 0; open < 4; open += 1) await succeed(under, 'Hash', opening)
        return outcome(under, 'Hash', opening)
      },
    ],
    ['a valid request', 'Success', (under) => outcome(under, 'Hash', { cryptographicParameters, data })],
  ])
})

test('Hash at once and in parts; Init and Final at once are the whole', async () => {
  const under = openDispatcher()
  const whole = { cryptographicParameters, data }
  assert.equal(hexOf((await succeed(under, 'Hash', whole)).data), digest)
  const both = { ...whole, initIndicator: true, finalIndicator: true }
  assert.equal(hexOf((await succeed(under, 'Hash', both)).data), digest)
  const first = { cryptographicParameters, data: data.subarray(0, 1), initIndicator: true }
  const { correlationValue, data: none } = await succeed(under, 'Hash', first)
  assert.equal(none, undefined)
  const last = { cryptographicParameters, data: data.subarray(1), correlationValue, finalIndicator: true }
  assert.equal(hexOf((await succeed(under, 'Hash', last)).data), digest)
})
