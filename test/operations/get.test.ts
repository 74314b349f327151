/** Get: every reason of KMIP 1.4 §11.12 that the server can have, formats, and what is served no longer being fresh (§3.34). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  CryptographicAlgorithm,
  KeyCompressionType,
  KeyFormatType,
  KeyWrapType,
  ObjectType,
  RecommendedCurve,
  WrappingMethod,
} from '#kmip/enums'
import type { KeyBlock, KeyWrappingSpecification } from '#kmip/key-block'
import { attributesOf, type DispatcherUnderTest, openDispatcher, outcome, succeed } from '#test/dispatcher'
import { objectRows, registerTemplate, testOutcomes } from '#test/outcome-table'
import {
  certificate,
  certificateRequest,
  createKey,
  keyBytes,
  keyRequest,
  materialOf,
  opaqueRequest,
  pairRequest,
  secretRequest,
} from '#test/sample-objects'

const wrapping: KeyWrappingSpecification = {
  wrappingMethod: WrappingMethod.Encrypt,
  encryptionKeyInformation: { uniqueIdentifier: 'nobody' },
  attributeName: [],
}

const wrappedRequest = (values: Readonly<Record<string, unknown>> = {}) => {
  const request = keyRequest(values)
  const keyWrappingData = { wrappingMethod: WrappingMethod.Encrypt }
  const keyBlock = { ...request.symmetricKey.keyBlock, keyValue: new Uint8Array(24), keyWrappingData }
  return { ...request, symmetricKey: { keyBlock } }
}

const getting =
  (more: object, values: Readonly<Record<string, unknown>> = {}, version?: number) =>
  async (under: DispatcherUnderTest): Promise<string> => {
    const request = { uniqueIdentifier: await createKey(under, values), ...more }
    return outcome(under, 'Get', request, version === undefined ? {} : { version })
  }

describe('Get: reasons', () => {
  testOutcomes([
    ...objectRows('Get', (uniqueIdentifier) => ({ uniqueIdentifier })),
    // key-wrapping.test.ts has the rows of §11.12 on wrapping keys, Cryptographic Parameters and Encoding Options.
    ['a wrapping key that does not exist', 'ItemNotFound', getting({ keyWrappingSpecification: wrapping })],
    [
      'a destroyed object',
      'IllegalOperation',
      async (under) => {
        const uniqueIdentifier = await createKey(under)
        await succeed(under, 'Destroy', { uniqueIdentifier })
        return outcome(under, 'Get', { uniqueIdentifier })
      },
    ],
    [
      'a key that was registered wrapped without naming what wrapped it, not wrapped',
      'InvalidMessage',
      async (under) => {
        const { uniqueIdentifier } = await succeed(under, 'Register', wrappedRequest())
        return outcome(under, 'Get', { uniqueIdentifier, keyWrapType: KeyWrapType.NotWrapped })
      },
    ],
    ['a Key Wrap Type of nobody', 'FeatureNotSupported', getting({ keyWrapType: 0x8000_0001 })],
    ['a sensitive object', 'Sensitive', getting({}, { Sensitive: true })],
    [
      'a sensitive object, before version 1.4 had a word for it',
      'PermissionDenied',
      async (under) => {
        const uniqueIdentifier = await createKey(under, { Sensitive: true })
        return outcome(under, 'Get', { uniqueIdentifier }, { version: 103 })
      },
    ],
    ['an object that is not extractable', 'NotExtractable', getting({}, { Extractable: false })],
    [
      'an object that is not extractable, before 1.4',
      'PermissionDenied',
      async (under) => {
        const uniqueIdentifier = await createKey(under, { Extractable: false })
        return outcome(under, 'Get', { uniqueIdentifier }, { version: 100 })
      },
    ],
    ['a format that is not for the key', 'KeyFormatTypeNotSupported', getting({ keyFormatType: KeyFormatType.PKCS_1 })],
    [
      'a format of an object that has none',
      'KeyFormatTypeNotSupported',
      async (under) => {
        const { uniqueIdentifier } = await succeed(under, 'Register', opaqueRequest())
        return outcome(under, 'Get', { uniqueIdentifier, keyFormatType: KeyFormatType.Raw })
      },
    ],
    [
      'another format of a key that was registered wrapped',
      'KeyFormatTypeNotSupported',
      async (under) => {
        const { uniqueIdentifier } = await succeed(under, 'Register', wrappedRequest())
        return outcome(under, 'Get', { uniqueIdentifier, keyFormatType: KeyFormatType.TransparentSymmetricKey })
      },
    ],
    [
      'a compression of a key that has no point',
      'KeyCompressionTypeNotSupported',
      getting({ keyCompressionType: KeyCompressionType.ECPublicKeyTypeX9_62CompressedPrime }),
    ],
    [
      'a sensitive object that was registered wrapped',
      'Success',
      async (under) => outcome(under, 'Get', await succeed(under, 'Register', wrappedRequest({ Sensitive: true }))),
    ],
    ['not wrapped, which it is not', 'Success', getting({ keyWrapType: KeyWrapType.NotWrapped })],
    ['as registered', 'Success', getting({ keyWrapType: KeyWrapType.AsRegistered })],
    ['a key in any state', 'Success', getting({}, { 'Activation Date': 0, 'Deactivation Date': 1 })],
    ['a key', 'Success', getting({})],
  ])
})

const keyBlockOf = async (under: DispatcherUnderTest, uniqueIdentifier: string, keyFormatType?: KeyFormatType) => {
  const { symmetricKey, secretData } = await succeed(under, 'Get', { uniqueIdentifier, keyFormatType })
  return (symmetricKey ?? secretData)?.keyBlock
}

describe('Get', () => {
  test('gives a key as it was registered, with algorithm and length', async () => {
    const under = openDispatcher()
    const { uniqueIdentifier } = await succeed(under, 'Register', keyRequest())
    const answer = await succeed(under, 'Get', { uniqueIdentifier })
    assert.equal(answer.objectType, ObjectType.SymmetricKey)
    assert.equal(answer.uniqueIdentifier, uniqueIdentifier)
    assert.deepEqual(answer.symmetricKey?.keyBlock, {
      keyFormatType: KeyFormatType.Raw,
      keyCompressionType: undefined,
      keyValue: { keyMaterial: Buffer.from(keyBytes), attribute: [] },
      cryptographicAlgorithm: CryptographicAlgorithm.AES,
      cryptographicLength: 128,
      keyWrappingData: undefined,
    })
  })

  test('gives a symmetric key as Opaque and as a Transparent Symmetric Key', async () => {
    const under = openDispatcher()
    const { uniqueIdentifier } = await succeed(under, 'Register', keyRequest())
    const opaque = await keyBlockOf(under, uniqueIdentifier, KeyFormatType.Opaque)
    assert.equal(opaque?.keyFormatType, KeyFormatType.Opaque)
    assert.deepEqual(opaque.keyValue, { keyMaterial: Buffer.from(keyBytes), attribute: [] })
    const transparent = await keyBlockOf(under, uniqueIdentifier, KeyFormatType.TransparentSymmetricKey)
    assert.deepEqual(transparent?.keyValue, { keyMaterial: { key: Buffer.from(keyBytes) }, attribute: [] })
  })

  test('gives public keys with compressed points', async () => {
    const under = openDispatcher()
    const { publicKeyUniqueIdentifier } = await succeed(under, 'CreateKeyPair', pairRequest())
    const lengths: number[] = []
    for (const keyCompressionType of [undefined, KeyCompressionType.ECPublicKeyTypeX9_62CompressedPrime]) {
      const request = { uniqueIdentifier: publicKeyUniqueIdentifier, keyCompressionType }
      const { publicKey } = await succeed(under, 'Get', request)
      assert.equal(publicKey?.keyBlock.keyCompressionType, keyCompressionType)
      lengths.push(materialOf(publicKey).length)
    }
    assert.equal(lengths[1], (lengths[0] ?? 0) - 32)
  })

  test('gives secret data without algorithm and length, opaque data, certificates and Templates', async () => {
    const under = openDispatcher()
    const secret = await succeed(under, 'Register', secretRequest({}, 'open sesame'))
    const keyBlock = await keyBlockOf(under, secret.uniqueIdentifier)
    assert.equal(keyBlock?.cryptographicAlgorithm, undefined)
    assert.deepEqual(keyBlock?.keyValue, { keyMaterial: Buffer.from('open sesame'), attribute: [] })
    const opaque = await succeed(under, 'Get', await succeed(under, 'Register', opaqueRequest()))
    assert.deepEqual(opaque.opaqueObject?.opaqueDataValue, Buffer.of(1, 2, 3))
    const x509 = await succeed(under, 'Get', await succeed(under, 'Register', certificateRequest()))
    assert.deepEqual(x509.certificate?.certificateValue, Buffer.from(certificate))
    const uniqueIdentifier = await registerTemplate(under, 'a', { Comment: 'a', 'Contact Information': 'b' })
    const { template } = await succeed(under, 'Get', { uniqueIdentifier })
    assert.deepEqual(
      template?.attribute.map(({ attributeName }) => attributeName),
      ['Comment', 'Contact Information'],
    )
  })

  test('what was served is not fresh; what could not be served is', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under)
    const fresh = async () => (await attributesOf(under, uniqueIdentifier))['Fresh']
    assert.equal(
      await outcome(under, 'Get', { uniqueIdentifier, keyFormatType: KeyFormatType.PKCS_1 }),
      'KeyFormatTypeNotSupported',
    )
    assert.deepEqual(await fresh(), [true])
    await succeed(under, 'Get', { uniqueIdentifier })
    assert.deepEqual(await fresh(), [false])
  })

  test('leaves out of a Template what an old version has not', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await registerTemplate(under, 'a', { Comment: 'a', 'Contact Information': 'b' })
    const { template } = await succeed(under, 'Get', { uniqueIdentifier }, { version: 100 })
    assert.deepEqual(
      template?.attribute.map(({ attributeName }) => attributeName),
      ['Contact Information'],
    )
  })

  test('leaves out of a Key Block an algorithm that an old version has not', async () => {
    const under = openDispatcher()
    const request = keyRequest({}, new Uint8Array(32))
    const keyBlock: KeyBlock = {
      ...request.symmetricKey.keyBlock,
      cryptographicAlgorithm: CryptographicAlgorithm.ChaCha20,
    }
    const { uniqueIdentifier } = await succeed(under, 'Register', { ...request, symmetricKey: { keyBlock } })
    const algorithms: unknown[] = []
    for (const version of [100, 103, 104]) {
      const { symmetricKey } = await succeed(under, 'Get', { uniqueIdentifier }, { version })
      algorithms.push(symmetricKey?.keyBlock.cryptographicAlgorithm)
    }
    assert.deepEqual(algorithms, [undefined, undefined, CryptographicAlgorithm.ChaCha20])
  })

  test('a format or a curve that an old version has not is not given in it', async () => {
    const under = openDispatcher()
    const curve = { 'Cryptographic Domain Parameters': { recommendedCurve: RecommendedCurve.SECP256K1 } }
    const { publicKeyUniqueIdentifier } = await succeed(under, 'CreateKeyPair', pairRequest({ common: curve }))
    const { objectType, publicKey } = await succeed(under, 'Get', {
      uniqueIdentifier: publicKeyUniqueIdentifier,
      keyFormatType: KeyFormatType.TransparentECDSAPublicKey,
    })
    const { uniqueIdentifier } = await succeed(under, 'Register', { objectType, publicKey, templateAttribute: {} })
    assert.equal(await outcome(under, 'Get', { uniqueIdentifier }, { version: 102 }), 'Success')
    assert.equal(await outcome(under, 'Get', { uniqueIdentifier }, { version: 101 }), 'KeyFormatTypeNotSupported')
    const newer = await succeed(under, 'Get', {
      uniqueIdentifier: publicKeyUniqueIdentifier,
      keyFormatType: KeyFormatType.TransparentECPublicKey,
    })
    const other = { objectType, publicKey: newer.publicKey, templateAttribute: {} }
    const registered = await succeed(under, 'Register', other)
    assert.equal(await outcome(under, 'Get', registered, { version: 103 }), 'Success')
    assert.equal(await outcome(under, 'Get', registered, { version: 102 }), 'KeyFormatTypeNotSupported')
  })
})
