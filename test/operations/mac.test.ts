/** MAC: every reason of KMIP 1.4 §11.34, and the codes of the published cases (§4.33). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CryptographicAlgorithm, CryptographicUsageMask, HashingAlgorithm } from '#kmip/enums'
import { bytes, hexOf, keyRows, limits, registerKey } from '#test/computing'
import { openDispatcher, outcome, succeed } from '#test/dispatcher'
import { testOutcomes } from '#test/outcome-table'

const hmac = { 'Cryptographic Parameters': { cryptographicAlgorithm: CryptographicAlgorithm.HMAC_SHA256 } }
const data = bytes('01020304050607080910111213141516')
const code = 'c911e78196d64c30f631bb079ea37b97a95936d4da764d6a171df030c895ecf9'

describe('MAC: reasons', () => {
  testOutcomes([
    ...keyRows('MAC', (uniqueIdentifier) => ({ uniqueIdentifier, data }), CryptographicUsageMask.MACGenerate),
    [
      'Usage Limits that are used up',
      'PermissionDenied',
      async (under) =>
        outcome(under, 'MAC', {
          uniqueIdentifier: await registerKey(under, { ...hmac, ...limits(15n, 'Byte') }),
          data,
        }),
    ],
    [
      'a hash that the library has not',
      'CryptographicFailure',
      async (under) => {
        const cryptographicParameters = { hashingAlgorithm: HashingAlgorithm.MD2 }
        return outcome(under, 'MAC', { uniqueIdentifier: await registerKey(under), cryptographicParameters, data })
      },
    ],
    [
      'no data',
      'InvalidMessage',
      async (under) => outcome(under, 'MAC', { uniqueIdentifier: await registerKey(under, hmac) }),
    ],
    [
      'a valid request',
      'Success',
      async (under) => outcome(under, 'MAC', { uniqueIdentifier: await registerKey(under, hmac), data }),
    ],
  ])
})

test('MAC at once and in parts', async () => {
  const under = openDispatcher()
  const uniqueIdentifier = await registerKey(under, hmac)
  assert.equal(hexOf((await succeed(under, 'MAC', { uniqueIdentifier, data })).macData), code)
  const first = { uniqueIdentifier, data: data.subarray(0, 3), initIndicator: true }
  const { correlationValue, macData } = await succeed(under, 'MAC', first)
  assert.equal(macData, undefined)
  const last = { uniqueIdentifier, data: data.subarray(3), correlationValue, finalIndicator: true }
  assert.equal(hexOf((await succeed(under, 'MAC', last)).macData), code)
})
