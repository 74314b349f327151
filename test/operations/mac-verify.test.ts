/** MAC Verify: every reason of KMIP 1.4 §11.35, and codes right and wrong (§4.34). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CryptographicAlgorithm, CryptographicUsageMask, HashingAlgorithm, ValidityIndicator } from '#kmip/enums'
import { bytes, keyRows, registerKey } from '#test/computing'
import { openDispatcher, outcome, succeed } from '#test/dispatcher'
import { testOutcomes } from '#test/outcome-table'

const hmac = { 'Cryptographic Parameters': { cryptographicAlgorithm: CryptographicAlgorithm.HMAC_SHA256 } }
const data = bytes('01020304050607080910111213141516')
const macData = bytes('c911e78196d64c30f631bb079ea37b97a95936d4da764d6a171df030c895ecf9')
const { Valid, Invalid } = ValidityIndicator

describe('MAC Verify: reasons', () => {
  testOutcomes([
    ...keyRows(
      'MACVerify',
      (uniqueIdentifier) => ({ uniqueIdentifier, data, macData }),
      CryptographicUsageMask.MACVerify,
    ),
    [
      'a hash that the library has not',
      'CryptographicFailure',
      async (under) => {
        const cryptographicParameters = { hashingAlgorithm: HashingAlgorithm.MD2 }
        const uniqueIdentifier = await registerKey(under)
        return outcome(under, 'MACVerify', { uniqueIdentifier, cryptographicParameters, data, macData })
      },
    ],
    [
      'no code',
      'InvalidMessage',
      async (under) => outcome(under, 'MACVerify', { uniqueIdentifier: await registerKey(under, hmac), data }),
    ],
    [
      'no data',
      'InvalidMessage',
      async (under) => outcome(under, 'MACVerify', { uniqueIdentifier: await registerKey(under, hmac), macData }),
    ],
    [
      'nothing to be checked in any part',
      'InvalidMessage',
      async (under) => {
        const uniqueIdentifier = await registerKey(under)
        const { correlationValue } = await succeed(under, 'MACVerify', { uniqueIdentifier, data, initIndicator: true })
        return outcome(under, 'MACVerify', { correlationValue, finalIndicator: true })
      },
    ],
    [
      'a valid request',
      'Success',
      async (under) => outcome(under, 'MACVerify', { uniqueIdentifier: await registerKey(under, hmac), data, macData }),
    ],
  ])
})

test('MAC Verify tells right from wrong, cut short too; the code may come with any part', async () => {
  const under = openDispatcher()
  const uniqueIdentifier = await registerKey(under, hmac)
  const verify = async (given: Uint8Array) =>
    (await succeed(under, 'MACVerify', { uniqueIdentifier, data, macData: given })).validityIndicator
  assert.equal(await verify(macData), Valid)
  assert.equal(await verify(macData.map((byte, at) => (at === 31 ? byte ^ 1 : byte))), Invalid)
  assert.equal(await verify(new Uint8Array(0)), Invalid)
  for (const place of ['first', 'last']) {
    const first = { uniqueIdentifier, data: data.subarray(0, 3), initIndicator: true }
    const { correlationValue } = await succeed(under, 'MACVerify', place === 'first' ? { ...first, macData } : first)
    const last = { data: data.subarray(3), correlationValue, finalIndicator: true }
    const answer = await succeed(under, 'MACVerify', place === 'last' ? { ...last, macData } : last)
    assert.equal(answer.validityIndicator, Valid)
  }
})
