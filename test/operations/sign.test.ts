/** Sign: every reason of KMIP 1.4 §11.32; signatures that Node verifies; parts (§4.31). */
import assert from 'node:assert/strict'
import { generateKeyPairSync, verify } from 'node:crypto'
import { describe, test } from 'node:test'
import { type CryptoRunner, createCryptoRunner } from '#crypto/run'
import { CryptographicUsageMask, DigitalSignatureAlgorithm, KeyFormatType, ObjectType } from '#kmip/enums'
import { bytes, keyRows, limits, registerKey, usable } from '#test/computing'
import { ed25519, rsa } from '#test/crypto/keys'
import { type DispatcherUnderTest, openDispatcher, outcome, succeed } from '#test/dispatcher'
import { testOutcomes } from '#test/outcome-table'

const data = bytes('0102030405')
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ecdsa = { digitalSignatureAlgorithm: DigitalSignatureAlgorithm.ECDSAWithSHA256 }

const registerPrivateKey = async (
  under: DispatcherUnderTest,
  values: Readonly<Record<string, unknown>> = {},
  key = privateKey,
) => {
  const { uniqueIdentifier } = await succeed(under, 'Register', {
    objectType: ObjectType.PrivateKey,
    templateAttribute: { attribute: usable(under, { 'Cryptographic Parameters': ecdsa, ...values }) },
    privateKey: {
      keyBlock: {
        keyFormatType: KeyFormatType.PKCS_8,
        keyValue: {
          keyMaterial: new Uint8Array(key.export({ type: 'pkcs8', format: 'der' })),
          attribute: [],
        },
      },
    },
  })
  return uniqueIdentifier
}

describe('Sign: reasons', () => {
  testOutcomes([
    ...keyRows('Sign', (uniqueIdentifier) => ({ uniqueIdentifier, data }), CryptographicUsageMask.Sign),
    [
      'Usage Limits that are used up',
      'PermissionDenied',
      async (under) =>
        outcome(under, 'Sign', { uniqueIdentifier: await registerPrivateKey(under, limits(0n, 'Object')), data }),
    ],
    [
      'a symmetric key',
      'CryptographicFailure',
      async (under) => outcome(under, 'Sign', { uniqueIdentifier: await registerKey(under), data }),
    ],
    [
      'no data',
      'InvalidMessage',
      async (under) => outcome(under, 'Sign', { uniqueIdentifier: await registerPrivateKey(under) }),
    ],
    [
      'data and a digest',
      'InvalidMessage',
      async (under) =>
        outcome(under, 'Sign', { uniqueIdentifier: await registerPrivateKey(under), data, digestedData: data }),
    ],
    [
      'a digest in parts',
      'InvalidMessage',
      async (under) =>
        outcome(under, 'Sign', {
          uniqueIdentifier: await registerPrivateKey(under),
          digestedData: new Uint8Array(32),
          initIndicator: true,
        }),
    ],
    [
      'a valid request',
      'Success',
      async (under) => outcome(under, 'Sign', { uniqueIdentifier: await registerPrivateKey(under), data }),
    ],
  ])
})

test('Sign at once and in parts: Node agrees', async () => {
  const under = openDispatcher()
  const uniqueIdentifier = await registerPrivateKey(under)
  const whole = await succeed(under, 'Sign', { uniqueIdentifier, data })
  const first = await succeed(under, 'Sign', { uniqueIdentifier, data: data.subarray(0, 2), initIndicator: true })
  assert.equal(first.signatureData, undefined)
  const { correlationValue } = first
  const last = await succeed(under, 'Sign', { correlationValue, data: data.subarray(2), finalIndicator: true })
  for (const { signatureData } of [whole, last]) {
    assert.ok(signatureData)
    assert.ok(verify('sha256', data, publicKey, signatureData))
  }
})

test('in parts, what RSA and EdDSA do at the end is a job like that of a signature at once: long keys take seconds', async () => {
  const kinds: string[] = []
  const own = createCryptoRunner({ placement: 'auto', workers: 1, queueMax: 8 })
  const crypto: CryptoRunner = {
    run: (job) => {
      kinds.push(job.kind)
      return own.run(job)
    },
    close: () => own.close(),
  }
  const under = openDispatcher({ crypto })
  for (const [pair, digest] of [
    [rsa, 'sha256'],
    [ed25519, null],
  ] as const) {
    const uniqueIdentifier = await registerPrivateKey(under, { 'Cryptographic Parameters': {} }, pair.privateKey)
    const { correlationValue } = await succeed(under, 'Sign', {
      uniqueIdentifier,
      data: data.subarray(0, 2),
      initIndicator: true,
    })
    kinds.length = 0
    const { signatureData } = await succeed(under, 'Sign', {
      correlationValue,
      data: data.subarray(2),
      finalIndicator: true,
    })
    assert.ok(signatureData)
    assert.ok(verify(digest, data, pair.publicKey, signatureData))
    assert.deepEqual(kinds, ['sign'])
  }
  await crypto.close()
})
