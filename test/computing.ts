/** Keys for tests of the operations that compute: registered, active, with a mask. What it is not: the tests. */

import type { RequestPayload } from '#client/operation-methods'
import {
  CryptographicAlgorithm,
  CryptographicUsageMask,
  KeyFormatType,
  ObjectType,
  SecretDataType,
  UsageLimitsUnit,
} from '#kmip/enums'
import type { PayloadName } from '#kmip/payloads/index'
import type { ComputingPolicy } from '#operations/computing-policy'
import { type DispatcherUnderTest, outcome, place, stored, succeed } from '#test/dispatcher'
import { type OutcomeRow, objectRows } from '#test/outcome-table'
import { attributes } from '#test/sample-objects'

export const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
export const hexOf = (data: Uint8Array | undefined): string | undefined =>
  data === undefined ? undefined : Buffer.from(data).toString('hex')

/** Every use that a key may have. */
export const everyUse = Object.values(CryptographicUsageMask).reduce((mask, bit) => mask | bit, 0)

/** Values of a request's attributes for a key that may be used at once. */
export const usable = (under: DispatcherUnderTest, values: Readonly<Record<string, unknown>> = {}) =>
  attributes({ 'Cryptographic Usage Mask': everyUse, 'Activation Date': under.clock.nowSeconds(), ...values })

/** The identifier of an active AES key of 128 bits, or of another symmetric key. */
export const registerKey = async (
  under: DispatcherUnderTest,
  values: Readonly<Record<string, unknown>> = {},
  keyMaterial: Uint8Array = bytes('0123456789abcdef0123456789abcdef'),
  cryptographicAlgorithm: CryptographicAlgorithm = CryptographicAlgorithm.AES,
): Promise<string> => {
  const { uniqueIdentifier } = await succeed(under, 'Register', {
    objectType: ObjectType.SymmetricKey,
    templateAttribute: { attribute: usable(under, values) },
    symmetricKey: {
      keyBlock: {
        keyFormatType: KeyFormatType.Raw,
        keyValue: { keyMaterial, attribute: [] },
        cryptographicAlgorithm,
        cryptographicLength: keyMaterial.length * 8,
      },
    },
  })
  return uniqueIdentifier
}

/** The identifier of active Secret Data. */
export const registerSecret = async (
  under: DispatcherUnderTest,
  keyMaterial: Uint8Array,
  values: Readonly<Record<string, unknown>> = {},
): Promise<string> => {
  const { uniqueIdentifier } = await succeed(under, 'Register', {
    objectType: ObjectType.SecretData,
    templateAttribute: { attribute: usable(under, values) },
    secretData: {
      secretDataType: SecretDataType.Seed,
      keyBlock: { keyFormatType: KeyFormatType.Opaque, keyValue: { keyMaterial, attribute: [] } },
    },
  })
  return uniqueIdentifier
}

/** A key as it lies in the store, without its value: kept elsewhere. */
export const withoutValue = async (under: DispatcherUnderTest, uniqueIdentifier: string): Promise<string> => {
  const object = stored(under, uniqueIdentifier)
  const { keyBlock } = object.value as { readonly keyBlock: object }
  await place(under, { ...object, value: { keyBlock: { ...keyBlock, keyValue: undefined } } })
  return uniqueIdentifier
}

/** Usage Limits of so many bytes or objects. */
export const limits = (total: bigint, unit: 'Byte' | 'Object') => ({
  'Usage Limits': { usageLimitsTotal: total, usageLimitsUnit: UsageLimitsUnit[unit] },
})

/** Operations that compute with one key. */
type WithKey = Extract<PayloadName, 'Encrypt' | 'Decrypt' | 'Sign' | 'SignatureVerify' | 'MAC' | 'MACVerify'>

/** §11.30 to §11.35: rows that every operation with a key has. */
export const keyRows = <N extends WithKey>(
  operation: N,
  payloadFor: (uniqueIdentifier: string | undefined) => RequestPayload<N>,
  bit: number,
): readonly OutcomeRow[] => [
  ...objectRows(operation, payloadFor),
  [
    'a usage mask without the bit',
    'PermissionDenied',
    async (under) =>
      outcome(under, operation, payloadFor(await registerKey(under, { 'Cryptographic Usage Mask': everyUse & ~bit }))),
  ],
  [
    'a key that is not active',
    'PermissionDenied',
    async (under) => {
      const later = under.clock.nowSeconds() + 10
      return outcome(under, operation, payloadFor(await registerKey(under, { 'Activation Date': later })))
    },
  ],
  [
    'a key whose value is not here',
    'KeyValueNotPresent',
    async (under) => outcome(under, operation, payloadFor(await withoutValue(under, await registerKey(under)))),
  ],
  [
    'an unknown Correlation Value',
    'ItemNotFound',
    async (under) => {
      const whole: object = payloadFor(await registerKey(under))
      const payload = { ...whole, correlationValue: bytes('00'), finalIndicator: true } as RequestPayload<N>
      return outcome(under, operation, payload)
    },
  ],
  [
    'a Correlation Value on the first part',
    'InvalidMessage',
    async (under) => {
      const whole: object = payloadFor(await registerKey(under))
      const payload = { ...whole, correlationValue: bytes('00'), initIndicator: true } as RequestPayload<N>
      return outcome(under, operation, payload)
    },
  ],
]

/** Settings of the operations that compute, for tests that change one. */
export const computing: ComputingPolicy = {
  deriveIterationsMax: 10_000,
  pkcs12Iterations: 2_048,
  randomBytesMax: 1_024,
  rngSeed: 'use',
  rngSeedBytesMax: 16,
  missingIv: 'refuse',
  unnamedPadding: 'none',
}
