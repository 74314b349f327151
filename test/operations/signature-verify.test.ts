/** Signature Verify: every reason of KMIP 1.4 §11.33; signatures that Node made; certificates; parts (§4.32). */
import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, test } from 'node:test'
import {
  CryptographicUsageMask,
  DigitalSignatureAlgorithm,
  KeyFormatType,
  ObjectType,
  ValidityIndicator,
} from '#kmip/enums'
import { bytes, keyRows, registerKey, usable } from '#test/computing'
import { type DispatcherUnderTest, openDispatcher, outcome, succeed } from '#test/dispatcher'
import { testOutcomes } from '#test/outcome-table'
import { certificateRequest } from '#test/sample-objects'

const data = bytes('0102030405')
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const cryptographicParameters = { digitalSignatureAlgorithm: DigitalSignatureAlgorithm.ECDSAWithSHA256 }
const signatureData = new Uint8Array(sign('sha256', data, privateKey))

const registerPublicKey = async (under: DispatcherUnderTest) => {
  const { uniqueIdentifier } = await succeed(under, 'Register', {
    objectType: ObjectType.PublicKey,
    templateAttribute: { attribute: usable(under, { 'Cryptographic Parameters': cryptographicParameters }) },
    publicKey: {
      keyBlock: {
        keyFormatType: KeyFormatType.X_509,
        keyValue: { keyMaterial: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })), attribute: [] },
      },
    },
  })
  return uniqueIdentifier
}

describe('Signature Verify: reasons', () => {
  testOutcomes([
    ...keyRows(
      'SignatureVerify',
      (uniqueIdentifier) => ({ uniqueIdentifier, data, signatureData }),
      CryptographicUsageMask.Verify,
    ),
    [
      'a symmetric key',
      'CryptographicFailure',
      async (under) =>
        outcome(under, 'SignatureVerify', { uniqueIdentifier: await registerKey(under), data, signatureData }),
    ],
    [
      'no signature',
      'InvalidMessage',
      async (under) => outcome(under, 'SignatureVerify', { uniqueIdentifier: await registerPublicKey(under), data }),
    ],
    [
      'no data',
      'InvalidMessage',
      async (under) =>
        outcome(under, 'SignatureVerify', { uniqueIdentifier: await registerPublicKey(under), signatureData }),
    ],
    [
      'a digest in parts',
      'InvalidMessage',
      async (under) =>
        outcome(under, 'SignatureVerify', {
          uniqueIdentifier: await registerPublicKey(under),
          digestedData: new Uint8Array(32),
          signatureData,
          initIndicator: true,
        }),
    ],
    [
      'nothing to be checked in any part',
      'InvalidMessage',
      async (under) => {
        const uniqueIdentifier = await registerPublicKey(under)
        const { correlationValue } = await succeed(under, 'SignatureVerify', {
          uniqueIdentifier,
          data,
          initIndicator: true,
        })
        return outcome(under, 'SignatureVerify', { correlationValue, finalIndicator: true })
      },
    ],
    [
      'a valid request',
      'Success',
      async (under) =>
        outcome(under, 'SignatureVerify', { uniqueIdentifier: await registerPublicKey(under), data, signatureData }),
    ],
  ])
})

test('Signature Verify tells right from wrong, at once and in parts', async () => {
  const under = openDispatcher()
  const uniqueIdentifier = await registerPublicKey(under)
  for (const [given, indicator] of [
    [data, ValidityIndicator.Valid],
    [bytes('0102030406'), ValidityIndicator.Invalid],
  ] as const) {
    const whole = await succeed(under, 'SignatureVerify', { uniqueIdentifier, data: given, signatureData })
    assert.equal(whole.validityIndicator, indicator)
    const first = { uniqueIdentifier, data: given.subarray(0, 2), initIndicator: true, signatureData }
    const { correlationValue, validityIndicator } = await succeed(under, 'SignatureVerify', first)
    assert.equal(validityIndicator, undefined)
    const rest = { uniqueIdentifier, data: given.subarray(2), correlationValue, finalIndicator: true }
    assert.equal((await succeed(under, 'SignatureVerify', rest)).validityIndicator, indicator)
  }
})

test('Signature Verify takes the public key of a certificate', async () => {
  const under = openDispatcher()
  const request = certificateRequest({
    'Cryptographic Usage Mask': CryptographicUsageMask.Verify,
    'Activation Date': under.clock.nowSeconds(),
  })
  const { uniqueIdentifier } = await succeed(under, 'Register', request)
  const asked = { uniqueIdentifier, cryptographicParameters, data, signatureData }
  assert.equal((await succeed(under, 'SignatureVerify', asked)).validityIndicator, ValidityIndicator.Invalid)
})
