/** Decrypt: every reason of KMIP 1.4 §11.31, missing IVs by two policies, states that may still process, and streams (§4.30). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BlockCipherMode, CryptographicUsageMask, PaddingMethod, RevocationReasonCode } from '#kmip/enums'
import { bytes, computing, hexOf, keyRows, registerKey } from '#test/computing'
import { ask, openDispatcher, outcome, succeed } from '#test/dispatcher'
import { testOutcomes } from '#test/outcome-table'

const { ECB, CBC, GCM } = BlockCipherMode
const ecb = { blockCipherMode: ECB, paddingMethod: PaddingMethod.PKCS5 }
const cbc = { blockCipherMode: CBC, paddingMethod: PaddingMethod.PKCS5 }
const plain = bytes('01020304050607080910111213141516')
const data = bytes('d9bcce11b0b437b90239552df3a360c90efb6bfed93b4d1ea2123ba4db075ff6')

describe('Decrypt: reasons', () => {
  testOutcomes([
    ...keyRows('Decrypt', (uniqueIdentifier) => ({ uniqueIdentifier, data }), CryptographicUsageMask.Decrypt),
    [
      'CBC without an IV',
      'InvalidMessage',
      async (under) =>
        outcome(under, 'Decrypt', { uniqueIdentifier: await registerKey(under), cryptographicParameters: cbc, data }),
    ],
    [
      'a padding that is not one',
      'CryptographicFailure',
      async (under) =>
        outcome(under, 'Decrypt', { uniqueIdentifier: await registerKey(under), data: data.subarray(0, 16) }),
    ],
    [
      'no data',
      'InvalidMessage',
      async (under) => outcome(under, 'Decrypt', { uniqueIdentifier: await registerKey(under) }),
    ],
    [
      'a valid request',
      'Success',
      async (under) => outcome(under, 'Decrypt', { uniqueIdentifier: await registerKey(under), data }),
    ],
  ])
})

test('Decrypt gives back what was encrypted, also after the key was revoked', async () => {
  const under = openDispatcher()
  const uniqueIdentifier = await registerKey(under)
  const revocationReason = { revocationReasonCode: RevocationReasonCode.KeyCompromise }
  await succeed(under, 'Revoke', { uniqueIdentifier, revocationReason })
  const back = await succeed(under, 'Decrypt', { uniqueIdentifier, cryptographicParameters: ecb, data })
  assert.equal(hexOf(back.data), hexOf(plain))
  assert.equal(await outcome(under, 'Encrypt', { uniqueIdentifier, data }), 'PermissionDenied')
})

test('Decrypt with the setting for it takes zeros for a missing IV: the first block is lost, the rest is right', async () => {
  const under = openDispatcher({ policy: { computing: { ...computing, missingIv: 'zeros' } } })
  const uniqueIdentifier = await registerKey(under)
  const ivCounterNonce = bytes('ff020304050607080910111213141516')
  const made = await succeed(under, 'Encrypt', {
    uniqueIdentifier,
    cryptographicParameters: cbc,
    ivCounterNonce,
    data: plain,
  })
  const joined = new Uint8Array(Buffer.concat([ivCounterNonce, made.data ?? new Uint8Array()]))
  const back = await succeed(under, 'Decrypt', { uniqueIdentifier, cryptographicParameters: cbc, data: joined })
  assert.equal(hexOf(back.data?.subarray(16)), hexOf(plain))
})

test('Decrypt says the same of every wrong padding, tag and length', async () => {
  const under = openDispatcher()
  const uniqueIdentifier = await registerKey(under)
  const gcm = { blockCipherMode: GCM, tagLength: 16 }
  const answers = await Promise.all([
    ask(under, 'Decrypt', { uniqueIdentifier, data: data.subarray(0, 16) }),
    ask(under, 'Decrypt', { uniqueIdentifier, cryptographicParameters: cbc, ivCounterNonce: plain, data }),
    ask(under, 'Decrypt', {
      uniqueIdentifier,
      cryptographicParameters: gcm,
      ivCounterNonce: plain,
      data,
      authenticatedEncryptionTag: plain,
    }),
  ])
  assert.deepEqual(new Set(answers.map(({ reason }) => reason)), new Set(['CryptographicFailure']))
  assert.equal(new Set(answers.map(({ message }) => message)).size, 1)
})

test('Decrypt in parts; GCM checks the tag, which may come with the last', async () => {
  const under = openDispatcher()
  const uniqueIdentifier = await registerKey(under, {}, new Uint8Array(16))
  const open = async () =>
    (
      await succeed(under, 'Decrypt', {
        uniqueIdentifier,
        cryptographicParameters: { blockCipherMode: GCM, tagLength: 16 },
        ivCounterNonce: new Uint8Array(12),
        initIndicator: true,
      })
    ).correlationValue
  const last = (correlationValue: Uint8Array | undefined, tag: string) => ({
    uniqueIdentifier,
    correlationValue,
    data: bytes('0388dace60b6a392f328c2b971b2fe78'),
    authenticatedEncryptionTag: bytes(tag),
    finalIndicator: true,
  })
  const right = await succeed(under, 'Decrypt', last(await open(), 'ab6e47d42cec13bdf53a67b21257bddf'))
  assert.equal(hexOf(right.data), '00'.repeat(16))
  const wrong = last(await open(), 'ab6e47d42cec13bdf53a67b21257bdde')
  assert.equal(await outcome(under, 'Decrypt', wrong), 'CryptographicFailure')
})
