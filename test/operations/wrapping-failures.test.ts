/**
 * What does not open, and who may not open it: whatever is wrong with wrapped bytes is one Result Reason and one text, so that
 * nothing is learned by trying (RFC 8017 §7.2.2, note; padding oracles of CBC); keys that may not unwrap do not. What it is not:
 * a measurement of time, which is held by structure: every byte is looked at (crypto/padding.ts, crypto/rsa-padding.ts).
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  EncodingOption,
  HashingAlgorithm,
  KeyFormatType,
  KeyWrapType,
  ObjectType,
  PaddingMethod,
  WrappingMethod,
} from '#kmip/enums'
import type { KeyBlock, KeyWrappingData } from '#kmip/key-block'
import { everyUse } from '#test/computing'
import { ask, bob, outcome, succeed } from '#test/dispatcher'
import { keyRequest } from '#test/sample-objects'
import {
  type Cell,
  encodings,
  keyBlockOf,
  namedKeys,
  otherKeyOf,
  registering,
  schemeText,
  specificationOf,
  type Wrapping,
  WrappingServer,
  wrappedObjects,
  wrappingOf,
} from './wrapping-cells.ts'
import { blockBytesOf, decryptElsewhere, encryptElsewhere, macElsewhere, ttlvOfMaterial } from './wrapping-elsewhere.ts'

const A = CryptographicAlgorithm
const H = HashingAlgorithm
const M = BlockCipherMode
const O = ObjectType
const P = PaddingMethod
const W = WrappingMethod

const sample = wrappedObjects[O.SymmetricKey]
assert.ok(sample)
const { material, block } = sample

const aes = (blockCipherMode: number, paddingMethod?: number): Cell => ({
  work: 'encrypt',
  algorithm: A.AES,
  lengthBits: 256,
  objectType: O.SymmetricKey,
  scheme: { blockCipherMode, paddingMethod },
})
const rsa = (paddingMethod: number, hashingAlgorithm?: number): Cell => ({
  work: 'encrypt',
  algorithm: A.RSA,
  lengthBits: 2048,
  objectType: O.SymmetricKey,
  scheme: { paddingMethod, hashingAlgorithm },
})
const hmac: Cell = {
  work: 'mac',
  algorithm: A.HMAC_SHA256,
  lengthBits: 256,
  objectType: O.SymmetricKey,
  scheme: { hashingAlgorithm: H.SHA_256 },
}

const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
  Uint8Array.from(bytes, (byte, index) => (index === (at < 0 ? bytes.length + at : at) ? byte ^ 1 : byte))

/** Plain texts that are not the key that is promised: what opens well, and is wrong. */
const wrongPlains: Readonly<Record<string, Uint8Array>> = {
  'TTLV of another tag': flipped(ttlvOfMaterial(material), 2),
  'TTLV of a wrong length': flipped(ttlvOfMaterial(material), 7),
  'TTLV of a wrong type': flipped(ttlvOfMaterial(material), 11),
  'TTLV with something behind it': Buffer.concat([ttlvOfMaterial(material), Buffer.alloc(16)]),
  'no TTLV': Buffer.alloc(48, 0x11),
  'a key of another length': ttlvOfMaterial(material.subarray(0, 16)),
  'a key of no length': ttlvOfMaterial(material.subarray(0, 0)),
}

interface Cipher {
  readonly data: Uint8Array
  readonly iv?: Uint8Array | undefined
}

/** Cipher texts that are wrong in every way that another party can make them. */
const wrongCiphers = (cell: Cell): Map<string, Cipher> => {
  const key = otherKeyOf(cell)
  const { data, iv } = encryptElsewhere(key, cell.scheme, ttlvOfMaterial(material))
  const changed = new Map<string, Uint8Array>([
    ['the first byte is changed', flipped(data, 0)],
    ['a byte within is changed', flipped(data, data.length >> 1)],
    ['the last byte is changed', flipped(data, -1)],
    ['a byte is missing', data.subarray(1)],
    ['a byte too many', Buffer.concat([data, Buffer.alloc(1)])],
    ['a block is missing', data.subarray(0, -blockBytesOf(cell.algorithm))],
    ['nothing', data.subarray(0, 0)],
    ['one byte', data.subarray(0, 1)],
    ['ones', Buffer.alloc(data.length, 0xff)],
  ])
  const all = new Map<string, Cipher>([...changed].map(([name, bytes]) => [name, { data: bytes, iv }]))
  for (const [name, plain] of Object.entries(wrongPlains)) {
    all.set(name, encryptElsewhere(key, cell.scheme, plain))
  }
  return all
}

const keyWrappingData = async (server: WrappingServer, wrapping: Wrapping): Promise<KeyWrappingData> => ({
  wrappingMethod: wrapping.method,
  ...(await namedKeys(server, wrapping, 'unwraps')),
  encodingOption: wrapping.encoding,
})

const refusal = async (server: WrappingServer, keyBlock: KeyBlock): Promise<string> => {
  const answered = await ask(server.under, 'Register', registering(O.SymmetricKey, keyBlock, server.under))
  return `${answered.reason ?? answered.status}: ${answered.message}`
}

const oneText = 'CryptographicFailure: The cryptographic operation failed'

describe('whatever does not open is refused with one reason and one text', () => {
  const server = new WrappingServer('all')
  // Modes without a check of their own let a changed key through where the change is in the key itself: TTLV alone is checked.
  const unchecked: ReadonlySet<string> = new Set(['a byte within is changed', 'the last byte is changed'])
  for (const cell of [
    aes(M.NISTKeyWrap),
    aes(M.AESKeyWrapPadding),
    aes(M.CBC, P.PKCS5),
    aes(M.CBC, P.ANSIX9_23),
    aes(M.CBC, P.ISO10126),
    aes(M.CBC, P.None),
    aes(M.ECB, P.PKCS5),
    aes(M.CTR),
    aes(M.GCM),
    aes(M.CCM),
    rsa(P.PKCS1V1_5),
    rsa(P.OAEP, H.SHA_1),
    rsa(P.OAEP, H.SHA_256),
  ]) {
    test(schemeText(cell), async () => {
      const wrapping = wrappingOf(cell, EncodingOption.TTLVEncoding)
      const data = await keyWrappingData(server, wrapping)
      for (const [name, { data: keyValue, iv }] of wrongCiphers(cell)) {
        const said = await refusal(server, { ...block, keyValue, keyWrappingData: { ...data, ivCounterNonce: iv } })
        const isOpen = said.startsWith('Success') && unchecked.has(name)
        assert.ok(isOpen || said === oneText, `${name}: ${said}`)
      }
    })
  }

  test('OAEP whose mask was made with another hash than the one that is meant: SHA-1 where none is named', async () => {
    const cell = rsa(P.OAEP, H.SHA_256)
    const cryptographicParameters = { paddingMethod: P.OAEP, hashingAlgorithm: H.SHA_256 }
    const { unwraps: uniqueIdentifier } = await server.key(cell, cryptographicParameters)
    const encryptionKeyInformation = { uniqueIdentifier, cryptographicParameters }
    const wrong = wrongCiphers(cell)
    wrong.set('another mask', encryptElsewhere(otherKeyOf(cell), cell.scheme, ttlvOfMaterial(material)))
    for (const [name, { data: keyValue }] of wrong) {
      const data: KeyWrappingData = { wrappingMethod: W.Encrypt, encryptionKeyInformation }
      assert.equal(await refusal(server, { ...block, keyValue, keyWrappingData: data }), oneText, name)
    }
  })

  for (const method of [W.MACSign, W.EncryptThenMACSign, W.MACSignThenEncrypt]) {
    test(`a wrong MAC, and none, with method ${method}`, async () => {
      const encryption = method === W.MACSign ? undefined : aes(M.CBC, P.PKCS5)
      const wrapping = {
        method,
        objectType: O.SymmetricKey,
        encryption,
        mac: hmac,
        encoding: EncodingOption.TTLVEncoding,
      }
      const data = await keyWrappingData(server, wrapping)
      const plain = ttlvOfMaterial(material)
      const cipher = encryption && encryptElsewhere(otherKeyOf(encryption), encryption.scheme, plain)
      const maced = method === W.EncryptThenMACSign ? (cipher?.data ?? plain) : plain
      const right = macElsewhere(otherKeyOf(hmac), hmac.scheme, maced)
      const keyValue = cipher?.data ?? { keyMaterial: material, attribute: [] }
      const blockWith = (macSignature: Uint8Array | undefined): KeyBlock => ({
        ...block,
        keyValue,
        keyWrappingData: { ...data, ivCounterNonce: cipher?.iv, macSignature },
      })
      assert.match(await refusal(server, blockWith(right)), /^Success/)
      for (const wrong of [flipped(right, 0), right.subarray(1), right.subarray(0, 0), undefined]) {
        assert.equal(await refusal(server, blockWith(wrong)), oneText)
      }
    })
  }
})

describe('keys that may not unwrap', () => {
  const cell = aes(M.AESKeyWrapPadding)
  const wrapped = encryptElsewhere(otherKeyOf(cell), cell.scheme, ttlvOfMaterial(material)).data
  const server = new WrappingServer('common')
  const registeredWith = async (encryptionKey: string): Promise<string> =>
    outcome(
      server.under,
      'Register',
      registering(
        O.SymmetricKey,
        {
          ...block,
          keyValue: wrapped,
          keyWrappingData: {
            wrappingMethod: W.Encrypt,
            encryptionKeyInformation: {
              uniqueIdentifier: encryptionKey,
              cryptographicParameters: { blockCipherMode: M.AESKeyWrapPadding },
            },
          },
        },
        server.under,
      ),
    )
  const keyWith = async (values: Readonly<Record<string, unknown>>, options = {}): Promise<string> =>
    (await succeed(server.under, 'Register', keyRequest(values, otherKeyOf(cell).bytes), options)).uniqueIdentifier
  const active = (): Readonly<Record<string, unknown>> => ({
    'Cryptographic Usage Mask': everyUse,
    'Activation Date': server.under.clock.nowSeconds(),
  })

  test('none of the name', async () => assert.equal(await registeredWith('nobody'), 'ItemNotFound'))

  test('one of another user', async () =>
    assert.equal(await registeredWith(await keyWith(active(), { who: bob })), 'PermissionDenied'))

  test('one without the Unwrap Key bit', async () => {
    const mask = everyUse & ~CryptographicUsageMask.UnwrapKey
    const key = await keyWith({ ...active(), 'Cryptographic Usage Mask': mask })
    assert.equal(await registeredWith(key), 'PermissionDenied')
  })

  test('one that is not active yet', async () =>
    assert.equal(await registeredWith(await keyWith({ 'Cryptographic Usage Mask': everyUse })), 'PermissionDenied'))

  test('one that is archived', async () => {
    const uniqueIdentifier = await keyWith(active())
    await succeed(server.under, 'Archive', { uniqueIdentifier })
    assert.equal(await registeredWith(uniqueIdentifier), 'ObjectArchived')
  })

  test('one that is not a key', async () =>
    assert.equal(await registeredWith(await server.object(O.SecretData)), 'IllegalOperation'))

  test('one that may', async () => assert.equal(await registeredWith(await keyWith(active())), 'Success'))
})

describe('wrapped objects are kept as they are, and given as they are', () => {
  const server = new WrappingServer('all', { registeredWrapped: 'keep' })
  for (const method of [W.Encrypt, W.MACSign, W.EncryptThenMACSign, W.MACSignThenEncrypt]) {
    for (const encoding of encodings) {
      test(`method ${method}, encoding ${encoding}: Get, Export, Import`, async () => {
        const wrapping: Wrapping = {
          method,
          objectType: O.SymmetricKey,
          encryption: method === W.MACSign ? undefined : aes(M.AESKeyWrapPadding),
          mac: method === W.Encrypt ? undefined : hmac,
          encoding,
        }
        const plainKey = await server.object(O.SymmetricKey)
        // With TTLV Encoding attributes travel with the material, under its MAC too.
        const attributeName = encoding === EncodingOption.TTLVEncoding ? ['Cryptographic Usage Mask', 'State'] : []
        const keyWrappingSpecification = { ...(await specificationOf(server, wrapping)), attributeName }
        const given = await succeed(server.under, 'Export', { uniqueIdentifier: plainKey, keyWrappingSpecification })
        const keyBlock = given.symmetricKey?.keyBlock
        assert.ok(keyBlock?.keyWrappingData)
        const request = registering(O.SymmetricKey, keyBlock, server.under)
        const { uniqueIdentifier } = await succeed(server.under, 'Register', request)
        const again = keyBlockOf(await succeed(server.under, 'Get', { uniqueIdentifier }))
        assert.deepEqual(again, keyBlock)
        const opened = await succeed(server.under, 'Get', { uniqueIdentifier, keyWrapType: KeyWrapType.NotWrapped })
        assert.deepEqual(keyBlockOf(opened).keyValue, { keyMaterial: Buffer.from(material), attribute: [] })
        const exported = await succeed(server.under, 'Export', { uniqueIdentifier })
        for (const keyWrapType of [KeyWrapType.NotWrapped, undefined]) {
          const imported = `imported ${method} ${encoding} ${keyWrapType}`
          await succeed(server.under, 'Import', {
            uniqueIdentifier: imported,
            keyWrapType,
            attribute: [{ attributeName: 'Cryptographic Usage Mask', attributeValue: 12 }],
            symmetricKey: { keyBlock: exported.symmetricKey?.keyBlock ?? keyBlock },
          })
          const after = keyBlockOf(await succeed(server.under, 'Get', { uniqueIdentifier: imported }))
          if (keyWrapType === undefined) assert.deepEqual(after, keyBlock)
          else assert.deepEqual(after.keyValue, { keyMaterial: Buffer.from(material), attribute: [] })
        }
      })
    }
  }
})

describe('a key in a transparent format', () => {
  const server = new WrappingServer('common')
  const cell = aes(M.AESKeyWrapPadding)
  // Key Value, Key Material as a structure, Key: tags and lengths written by hand (KMIP 1.4 §9.1, §2.1.7.1).
  const transparent = Buffer.concat([Buffer.from('4200450100000030420043010000002842003f0800000020', 'hex'), material])
  const keyFormatType = KeyFormatType.TransparentSymmetricKey

  test('is wrapped with TTLV Encoding', async () => {
    const uniqueIdentifier = await server.object(O.SymmetricKey)
    const keyWrappingSpecification = await specificationOf(server, wrappingOf(cell, EncodingOption.TTLVEncoding))
    const request = { uniqueIdentifier, keyFormatType, keyWrappingSpecification }
    const { keyValue } = keyBlockOf(await succeed(server.under, 'Get', request))
    assert.ok(keyValue instanceof Uint8Array)
    const opened = decryptElsewhere(otherKeyOf(cell), cell.scheme, keyValue, undefined)
    assert.deepEqual(Buffer.from(opened), transparent)
  })

  test('is unwrapped by Register', async () => {
    const data = await keyWrappingData(server, wrappingOf(cell, EncodingOption.TTLVEncoding))
    const keyValue = encryptElsewhere(otherKeyOf(cell), cell.scheme, transparent).data
    const keyBlock = { ...block, keyFormatType, keyValue, keyWrappingData: data }
    const request = registering(O.SymmetricKey, keyBlock, server.under)
    const { uniqueIdentifier } = await succeed(server.under, 'Register', request)
    const given = await succeed(server.under, 'Get', { uniqueIdentifier, keyFormatType: KeyFormatType.Raw })
    assert.deepEqual(keyBlockOf(given).keyValue, { keyMaterial: Buffer.from(material), attribute: [] })
  })

  test('is not wrapped without an encoding', async () => {
    const uniqueIdentifier = await server.object(O.SymmetricKey)
    const keyWrappingSpecification = await specificationOf(server, wrappingOf(cell, EncodingOption.NoEncoding))
    const request = { uniqueIdentifier, keyFormatType, keyWrappingSpecification }
    assert.equal(await outcome(server.under, 'Get', request), 'EncodingOptionError')
  })
})
