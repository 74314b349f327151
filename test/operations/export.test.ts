/** Export: every reason of KMIP 1.4 §11.41, and that what is exported can be imported as it was. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RequestPayload } from '#client/operation-methods'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  EncodingOption,
  HashingAlgorithm,
  KeyCompressionType,
  KeyFormatType,
  WrappingMethod,
} from '#kmip/enums'
import type { KeyWrappingSpecification } from '#kmip/key-block'
import { attributesOf, type DispatcherUnderTest, openDispatcher, outcome, succeed } from '#test/dispatcher'
import { objectRows, testOutcomes } from '#test/outcome-table'
import { createKey, name, opaqueRequest, revocation } from '#test/sample-objects'

const { WrapKey, Encrypt, MACGenerate } = CryptographicUsageMask
const nistKeyWrap = { blockCipherMode: BlockCipherMode.NISTKeyWrap }

/** An active AES key that wraps, or does what else its mask says. */
const wrappingKey = async (
  under: DispatcherUnderTest,
  values: Readonly<Record<string, unknown>> = {},
): Promise<string> =>
  createKey(under, {
    'Cryptographic Usage Mask': WrapKey,
    'Cryptographic Parameters': nistKeyWrap,
    'Activation Date': under.clock.nowSeconds(),
    ...values,
  })

const encryption = (
  uniqueIdentifier: string,
  more: Partial<KeyWrappingSpecification> = {},
): RequestPayload<'Export'> => ({
  keyWrappingSpecification: {
    wrappingMethod: WrappingMethod.Encrypt,
    encryptionKeyInformation: { uniqueIdentifier, cryptographicParameters: nistKeyWrap },
    attributeName: [],
    encodingOption: EncodingOption.NoEncoding,
    ...more,
  },
})

const authentication = (uniqueIdentifier: string): RequestPayload<'Export'> =>
  encryption('', {
    wrappingMethod: WrappingMethod.MACSign,
    encryptionKeyInformation: undefined,
    macSignatureKeyInformation: { uniqueIdentifier },
  })

/** What comes of the Export of a new AES key. */
const exporting =
  (form: (under: DispatcherUnderTest) => Promise<RequestPayload<'Export'>>) =>
  async (under: DispatcherUnderTest): Promise<string> =>
    outcome(under, 'Export', { uniqueIdentifier: await createKey(under), ...(await form(under)) })

const opaque = async (under: DispatcherUnderTest): Promise<string> =>
  (await succeed(under, 'Register', opaqueRequest())).uniqueIdentifier

describe('Export: reasons', () => {
  testOutcomes([
    ...objectRows('Export', (uniqueIdentifier) => ({ uniqueIdentifier })),
    ['a wrapping key that does not exist', 'ItemNotFound', exporting(async () => encryption('nobody'))],
    ['what wraps is not a key', 'IllegalOperation', exporting(async (under) => encryption(await opaque(under)))],
    [
      'no Wrap Key bit',
      'PermissionDenied',
      exporting(async (under) => encryption(await wrappingKey(under, { 'Cryptographic Usage Mask': Encrypt }))),
    ],
    [
      'what authenticates is not a key',
      'IllegalOperation',
      exporting(async (under) => authentication(await opaque(under))),
    ],
    [
      'no MAC Generate bit',
      'PermissionDenied',
      exporting(async (under) => authentication(await wrappingKey(under, { 'Cryptographic Usage Mask': Encrypt }))),
    ],
    [
      'a format that is not for the key',
      'KeyFormatTypeNotSupported',
      exporting(async () => ({ keyFormatType: KeyFormatType.PKCS_1 })),
    ],
    [
      'a compression of a key that has no point',
      'KeyCompressionTypeNotSupported',
      exporting(async () => ({ keyCompressionType: KeyCompressionType.ECPublicKeyTypeX9_62CompressedPrime })),
    ],
    [
      'parameters that the wrapping key does not have',
      'ItemNotFound',
      exporting(async (under) =>
        encryption(
          await wrappingKey(under, {
            'Cryptographic Parameters': { blockCipherMode: BlockCipherMode.AESKeyWrapPadding },
          }),
        ),
      ),
    ],
    [
      'a structure without TTLV Encoding',
      'EncodingOptionError',
      exporting(async (under) => ({
        ...encryption(await wrappingKey(under)),
        keyFormatType: KeyFormatType.TransparentSymmetricKey,
      })),
    ],
    [
      'attributes without TTLV Encoding',
      'EncodingOptionError',
      exporting(async (under) => encryption(await wrappingKey(under), { attributeName: ['Cryptographic Usage Mask'] })),
    ],
    ['a Key Wrap Type of nobody', 'FeatureNotSupported', exporting(async () => ({ keyWrapType: 0x8000_0001 }))],
    [
      'a sensitive object',
      'Sensitive',
      async (under) => outcome(under, 'Export', { uniqueIdentifier: await createKey(under, { Sensitive: true }) }),
    ],
    [
      'an object that is not extractable',
      'NotExtractable',
      async (under) => outcome(under, 'Export', { uniqueIdentifier: await createKey(under, { Extractable: false }) }),
    ],
    ['a key, wrapped', 'Success', exporting(async (under) => encryption(await wrappingKey(under)))],
    [
      'a key with a code',
      'Success',
      exporting(async (under) =>
        authentication(
          await wrappingKey(under, {
            'Cryptographic Usage Mask': MACGenerate,
            'Cryptographic Algorithm': CryptographicAlgorithm.HMAC_SHA256,
            'Cryptographic Length': 256,
            'Cryptographic Parameters': { hashingAlgorithm: HashingAlgorithm.SHA_256 },
          }),
        ),
      ),
    ],
    ['a key', 'Success', exporting(async () => ({}))],
  ])
})

describe('Export', () => {
  test('another server imports the object with identifier, attributes and value', async () => {
    const [here, there] = [openDispatcher(), openDispatcher()]
    const uniqueIdentifier = await createKey(here, { Name: [name('a'), name('b')], 'Activation Date': 5 })
    await succeed(here, 'Revoke', revocation(uniqueIdentifier, true))
    await succeed(here, 'Get', { uniqueIdentifier })
    const exported = await succeed(here, 'Export', { uniqueIdentifier })
    there.clock.advance(1_000_000)
    await succeed(there, 'Import', exported)
    assert.deepEqual(await attributesOf(there, uniqueIdentifier), await attributesOf(here, uniqueIdentifier))
    const value = async (under: typeof here) => (await succeed(under, 'Get', { uniqueIdentifier })).symmetricKey
    assert.deepEqual(await value(there), await value(here))
  })

  test('of a destroyed object the attributes are what is left', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under)
    await succeed(under, 'Destroy', { uniqueIdentifier })
    const exported = await succeed(under, 'Export', { uniqueIdentifier })
    assert.equal(exported.symmetricKey, undefined)
    assert.ok(exported.attribute.some(({ attributeName }) => attributeName === 'Destroy Date'))
  })
})
