/**
 * The table of wrapping, cell by cell and in both directions: what Get gives wrapped is opened by another party, what another
 * party wrapped is opened by Register; and what the table does not have is refused, both ways, with its Result Reason.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  DigitalSignatureAlgorithm,
  EncodingOption,
  HashingAlgorithm,
  ObjectType,
  PaddingMethod,
  WrappingMethod,
} from '#kmip/enums'
import type { KeyBlock, KeyValue } from '#kmip/key-block'
import { wrappingRows } from '#objects/wrapping-table'
import { outcome, succeed } from '#test/dispatcher'
import {
  type Cell,
  cellsOf,
  cellText,
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
import {
  assertMacElsewhere,
  decryptElsewhere,
  encryptElsewhere,
  macElsewhere,
  takes,
  ttlvOfMaterial,
} from './wrapping-elsewhere.ts'

const A = CryptographicAlgorithm
const D = DigitalSignatureAlgorithm
const H = HashingAlgorithm
const M = BlockCipherMode
const O = ObjectType
const P = PaddingMethod
const W = WrappingMethod

const sampleOf = (objectType: number) => {
  const sample = wrappedObjects[objectType]
  assert.ok(sample)
  return sample
}

/** The bytes that are wrapped. */
const plainOf = ({ objectType, encoding }: Wrapping): Uint8Array => {
  const { material } = sampleOf(objectType)
  return encoding === EncodingOption.NoEncoding ? material : ttlvOfMaterial(material)
}

const bytesOf = (keyValue: Uint8Array | KeyValue | undefined): Uint8Array => {
  assert.ok(keyValue instanceof Uint8Array, 'the Key Value is bytes')
  return keyValue
}

/** Another party opens what Get gives. */
const openedElsewhere = async (server: WrappingServer, wrapping: Wrapping): Promise<void> => {
  const { method, encryption, mac } = wrapping
  const request = {
    uniqueIdentifier: await server.object(wrapping.objectType),
    keyWrappingSpecification: await specificationOf(server, wrapping),
  }
  const plain = plainOf(wrapping)
  if (encryption !== undefined && !takes(otherKeyOf(encryption), encryption.scheme, plain.length)) {
    assert.equal(await outcome(server.under, 'Get', request), 'CryptographicFailure')
    return
  }
  const { keyValue, keyWrappingData } = keyBlockOf(await succeed(server.under, 'Get', request))
  assert.equal(keyWrappingData?.encodingOption, wrapping.encoding)
  assert.equal(keyWrappingData.wrappingMethod, method)
  let opened: Uint8Array = plain
  if (encryption === undefined) {
    assert.ok(keyValue !== undefined && !(keyValue instanceof Uint8Array))
    assert.deepEqual(keyValue.keyMaterial, Buffer.from(sampleOf(wrapping.objectType).material))
  } else {
    const { ivCounterNonce } = keyWrappingData
    opened = decryptElsewhere(otherKeyOf(encryption), encryption.scheme, bytesOf(keyValue), ivCounterNonce)
    assert.deepEqual(Buffer.from(opened), Buffer.from(plain))
  }
  if (mac === undefined) return
  const maced = method === W.EncryptThenMACSign ? bytesOf(keyValue) : opened
  assertMacElsewhere(otherKeyOf(mac), mac.scheme, maced, keyWrappingData.macSignature)
}

/** A Key Block that another party wrapped. */
const wrappedElsewhere = async (server: WrappingServer, wrapping: Wrapping): Promise<KeyBlock> => {
  const { method, encryption, mac, objectType, encoding } = wrapping
  const { material, block } = sampleOf(objectType)
  const plain = plainOf(wrapping)
  const cipher =
    encryption === undefined ? undefined : encryptElsewhere(otherKeyOf(encryption), encryption.scheme, plain)
  const maced = method === W.EncryptThenMACSign ? cipher?.data : plain
  assert.ok(maced)
  return {
    ...block,
    keyValue: cipher?.data ?? { keyMaterial: material, attribute: [] },
    keyWrappingData: {
      wrappingMethod: method,
      ...(await namedKeys(server, wrapping, 'unwraps')),
      macSignature: mac === undefined ? undefined : macElsewhere(otherKeyOf(mac), mac.scheme, maced),
      ivCounterNonce: cipher?.iv,
      encodingOption: encoding,
    },
  }
}

/** Register opens what another party wrapped. */
const openedByRegister = async (server: WrappingServer, wrapping: Wrapping): Promise<void> => {
  const { encryption, objectType } = wrapping
  if (encryption !== undefined && !takes(otherKeyOf(encryption), encryption.scheme, plainOf(wrapping).length)) return
  const request = registering(objectType, await wrappedElsewhere(server, wrapping), server.under)
  const { uniqueIdentifier } = await succeed(server.under, 'Register', request)
  const { keyValue, keyWrappingData } = keyBlockOf(await succeed(server.under, 'Get', { uniqueIdentifier }))
  assert.equal(keyWrappingData, undefined)
  assert.deepEqual(keyValue, { keyMaterial: Buffer.from(sampleOf(objectType).material), attribute: [] })
}

const bothWays = async (server: WrappingServer, wrapping: Wrapping): Promise<void> => {
  await openedElsewhere(server, wrapping)
  await openedByRegister(server, wrapping)
}

/** Neither way, for one reason. */
const assertRefused = async (server: WrappingServer, wrapping: Wrapping, reason: string): Promise<void> => {
  const what = [wrapping.encryption, wrapping.mac].map((cell) => cell && cellText(cell)).join(', ')
  const uniqueIdentifier = await server.object(wrapping.objectType)
  const keyWrappingSpecification = await specificationOf(server, wrapping)
  const asked = { uniqueIdentifier, keyWrappingSpecification }
  assert.equal(await outcome(server.under, 'Get', asked), reason, `Get: ${what}`)
  const { wrappingMethod, encodingOption } = keyWrappingSpecification
  const named = await namedKeys(server, wrapping, 'unwraps')
  const block: KeyBlock = {
    ...sampleOf(wrapping.objectType).block,
    keyValue: new Uint8Array(64),
    // Long enough for any: that it is not looked at is what is tried.
    keyWrappingData: { wrappingMethod, encodingOption, ...named, macSignature: new Uint8Array(32) },
  }
  const registered = await outcome(server.under, 'Register', registering(wrapping.objectType, block, server.under))
  assert.equal(registered, reason, `Register: ${what}`)
}

/** Cells of the setting `common`, and those that `all` has besides, by their text, so that each is tried once. */
const cellsBySetting = (() => {
  const texts = (setting: string): ReadonlyMap<string, Cell> =>
    new Map(
      wrappingRows
        .filter((row) => row.setting === setting)
        .flatMap((row) => cellsOf(row).map((cell) => [cellText(cell), cell])),
    )
  const common = texts('common')
  return { common, further: new Map([...texts('all')].filter(([text]) => !common.has(text))) }
})()

/** Cells of one scheme together: a test each. */
const byScheme = (cells: Iterable<Cell>): ReadonlyMap<string, readonly Cell[]> => Map.groupBy(cells, schemeText)

const hashes = [H.SHA_1, H.SHA_256, H.SHA_384, H.SHA_512]
const named = (names: Readonly<Record<string, number>>, value: number): string =>
  Object.entries(names).find(([, number]) => number === value)?.[0] ?? ''

/** What the setting `common` promises, written down once more: the server's rows are compared with this, not with themselves. */
const promised: readonly string[] = [
  ...[128, 192, 256].flatMap((bits) =>
    ['NISTKeyWrap', 'AESKeyWrapPadding'].map((mode) => `SymmetricKey encrypt AES ${bits} ${mode}`),
  ),
  'SymmetricKey encrypt RSA 2048 PKCS1V1_5',
  ...hashes.map((hash) => `SymmetricKey encrypt RSA 2048 OAEP ${named(H, hash)}`),
  'PrivateKey encrypt AES 256 AESKeyWrapPadding',
  ...['SymmetricKey', 'PrivateKey'].flatMap((wrapped) => [
    `${wrapped} mac HMAC_SHA1 160 SHA_1`,
    `${wrapped} mac HMAC_SHA256 256 SHA_256`,
    `${wrapped} mac HMAC_SHA384 256 SHA_384`,
    `${wrapped} mac HMAC_SHA512 256 SHA_512`,
    ...['PKCS1V1_5', 'PSS'].flatMap((padding) =>
      hashes.map((hash) => `${wrapped} sign RSA 2048 ${padding} ${named(H, hash)}`),
    ),
    ...[1, 256, 384, 512].map((bits) => `${wrapped} sign RSA 2048 SHA_${bits}WithRSAEncryption`),
  ]),
]

describe('what is wrapped under the setting common', () => {
  const server = new WrappingServer('common')

  test('is what is promised, and nothing else', () => {
    assert.deepEqual([...cellsBySetting.common.keys()].toSorted(), promised.toSorted())
  })

  for (const [scheme, cells] of byScheme(cellsBySetting.common.values())) {
    test(`${scheme}: both ways`, async () => {
      for (const cell of cells) for (const encoding of encodings) await bothWays(server, wrappingOf(cell, encoding))
    })
  }

  const encryptions = [...cellsBySetting.common.values()].filter(({ work }) => work === 'encrypt')
  const macs = [...cellsBySetting.common.values()].filter(({ work }) => work !== 'encrypt')
  for (const encryption of encryptions) {
    const { objectType } = encryption
    test(`${cellText(encryption)}, then each MAC and signature: both ways`, async () => {
      for (const mac of macs) {
        if (mac.objectType !== objectType) continue
        const encoding = EncodingOption.TTLVEncoding
        await bothWays(server, { method: W.EncryptThenMACSign, objectType, encryption, mac, encoding })
      }
      const mac = macs.find((cell) => cell.objectType === objectType)
      const encoding = EncodingOption.NoEncoding
      await bothWays(server, { method: W.EncryptThenMACSign, objectType, encryption, mac, encoding })
    })
  }
})

const objectTypes = [O.SymmetricKey, O.PrivateKey, O.PublicKey, O.SecretData, O.SplitKey]
const allHashes = Object.values(H).filter((hash) => hash !== H.MD2)

/** Every cell that could be thought of: object types × wrapping keys × modes, paddings, hashes, signature algorithms. */
const thinkable = (): readonly Cell[] => {
  const schemes: Omit<Cell, 'objectType'>[] = []
  for (const [algorithm, lengthBits] of [
    [A.AES, 128],
    [A.AES, 192],
    [A.AES, 256],
    [A.Camellia, 256],
    [A.DES3, 192],
    [A.ChaCha20Poly1305, 256],
  ] as const) {
    for (const blockCipherMode of Object.values(M)) {
      const paddingMethod = blockCipherMode === M.CBC || blockCipherMode === M.ECB ? P.PKCS5 : undefined
      schemes.push({ work: 'encrypt', algorithm, lengthBits, scheme: { blockCipherMode, paddingMethod } })
    }
  }
  const rsa = { algorithm: A.RSA, lengthBits: 2048 }
  for (const paddingMethod of [P.PKCS1V1_5, P.None, P.PKCS5]) {
    schemes.push({ work: 'encrypt', ...rsa, scheme: { paddingMethod } })
  }
  for (const hashingAlgorithm of allHashes) {
    schemes.push({ work: 'encrypt', ...rsa, scheme: { paddingMethod: P.OAEP, hashingAlgorithm } })
    for (const paddingMethod of [P.PKCS1V1_5, P.PSS]) {
      schemes.push({ work: 'sign', ...rsa, scheme: { paddingMethod, hashingAlgorithm } })
    }
    schemes.push({ work: 'sign', algorithm: A.ECDSA, lengthBits: 256, scheme: { hashingAlgorithm } })
    schemes.push({ work: 'mac', algorithm: A.AES, lengthBits: 256, scheme: { hashingAlgorithm } })
    for (const [algorithm, lengthBits] of [
      [A.HMAC_SHA1, 160],
      [A.HMAC_SHA224, 256],
      [A.HMAC_SHA256, 256],
      [A.HMAC_SHA384, 256],
      [A.HMAC_SHA512, 256],
      [A.HMAC_MD5, 256],
      [A.HMAC_SHA3_256, 256],
    ] as const) {
      schemes.push({ work: 'mac', algorithm, lengthBits, scheme: { hashingAlgorithm } })
    }
  }
  for (const blockCipherMode of [M.CMAC, M.CBC_MAC]) {
    schemes.push({ work: 'mac', algorithm: A.AES, lengthBits: 256, scheme: { blockCipherMode } })
  }
  for (const digitalSignatureAlgorithm of Object.values(D)) {
    if (digitalSignatureAlgorithm === D.RSASSA_PSS) continue
    schemes.push({ work: 'sign', ...rsa, scheme: { digitalSignatureAlgorithm } })
  }
  return objectTypes.flatMap((objectType) => schemes.map((scheme) => ({ ...scheme, objectType })))
}

describe('what is refused under the setting common', () => {
  const server = new WrappingServer('common')
  const refused = thinkable().filter((cell) => !promised.includes(cellText(cell)))

  for (const [scheme, cells] of byScheme(refused)) {
    test(`${scheme}: both ways, for ${cells.length} of ${objectTypes.length} types of object`, async () => {
      for (const cell of cells) {
        await assertRefused(server, wrappingOf(cell, EncodingOption.TTLVEncoding), 'PermissionDenied')
      }
    })
  }

  test('MAC/sign then encrypt, and TR-31: both ways', async () => {
    const [encryption, mac] = [...cellsBySetting.common.values()].filter(
      ({ objectType }) => objectType === O.SymmetricKey,
    )
    const encoding = EncodingOption.TTLVEncoding
    for (const method of [W.MACSignThenEncrypt, W.TR_31]) {
      await assertRefused(
        server,
        { method, objectType: O.SymmetricKey, encryption, mac, encoding },
        'FeatureNotSupported',
      )
    }
  })

  test('a mask of OAEP and PSS that is made with another hash', async () => {
    for (const [work, paddingMethod] of [
      ['encrypt', P.OAEP],
      ['sign', P.PSS],
    ] as const) {
      const cell = { work, algorithm: A.RSA, lengthBits: 2048, scheme: { paddingMethod, hashingAlgorithm: H.SHA_256 } }
      const parameters = { paddingMethod, hashingAlgorithm: H.SHA_256, maskGeneratorHashingAlgorithm: H.SHA_224 }
      const { wraps } = await server.key(cell, parameters)
      const asked = { uniqueIdentifier: wraps, cryptographicParameters: parameters }
      const keyWrappingSpecification = {
        wrappingMethod: work === 'encrypt' ? W.Encrypt : W.MACSign,
        ...(work === 'encrypt' ? { encryptionKeyInformation: asked } : { macSignatureKeyInformation: asked }),
        attributeName: [],
      }
      const uniqueIdentifier = await server.object(O.SymmetricKey)
      const given = await outcome(server.under, 'Get', { uniqueIdentifier, keyWrappingSpecification })
      assert.equal(given, 'PermissionDenied')
    }
  })
})

describe('what the setting all wraps besides', () => {
  const server = new WrappingServer('all')
  const [commonEncryption] = [...cellsBySetting.common.values()].filter(
    ({ objectType }) => objectType === O.SymmetricKey,
  )

  for (const [scheme, cells] of byScheme(cellsBySetting.further.values())) {
    test(`${scheme}: both ways`, async () => {
      for (const cell of cells) for (const encoding of encodings) await bothWays(server, wrappingOf(cell, encoding))
    })
  }

  test('MAC/sign then encrypt, with every MAC and signature of common: both ways', async () => {
    for (const mac of cellsBySetting.common.values()) {
      if (mac.work === 'encrypt' || mac.objectType !== O.SymmetricKey) continue
      for (const encoding of encodings) {
        const wrapping = { objectType: O.SymmetricKey, encryption: commonEncryption, mac, encoding }
        await bothWays(server, { method: W.MACSignThenEncrypt, ...wrapping })
      }
    }
  })

  test('MAC/sign then encrypt, with every encryption: both ways', async () => {
    const mac = [...cellsBySetting.common.values()].find(
      (cell) => cell.work === 'mac' && cell.objectType === O.SymmetricKey,
    )
    for (const encryption of [...cellsBySetting.common.values(), ...cellsBySetting.further.values()]) {
      if (encryption.work !== 'encrypt' || encryption.objectType !== O.SymmetricKey) continue
      const wrapping = { objectType: O.SymmetricKey, encryption, mac, encoding: EncodingOption.TTLVEncoding }
      await bothWays(server, { method: W.MACSignThenEncrypt, ...wrapping })
    }
  })
})

describe('what is refused under the setting all', () => {
  const server = new WrappingServer('all')
  const has = (cell: Cell): boolean =>
    cellsBySetting.common.has(cellText(cell)) || cellsBySetting.further.has(cellText(cell))
  const refused = thinkable().filter((cell) => !has(cell))

  for (const [scheme, cells] of byScheme(refused)) {
    test(`${scheme}: both ways`, async () => {
      for (const cell of cells) {
        await assertRefused(server, wrappingOf(cell, EncodingOption.TTLVEncoding), 'PermissionDenied')
      }
    })
  }
})
