/**
 * Encrypt, Decrypt, Sign, Signature Verify, MAC, MAC Verify and Hash, row by row and in both directions: what the server makes is
 * checked with the library used directly (or the openssl command), what that makes the server opens or finds valid; in one go
 * and in parts. What it is not: the reasons of each operation (encrypt.test.ts and its like), or published answers (test/crypto/).
 */
import assert from 'node:assert/strict'
import { type CipherGCM, createCipheriv, createDecipheriv, type DecipherGCM, hash } from 'node:crypto'
import { describe, test } from 'node:test'
import type { RequestPayload, ResponsePayload } from '#client/operation-methods'
import type { CryptographicParameters } from '#kmip/attribute-values'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  DigitalSignatureAlgorithm,
  HashingAlgorithm,
  PaddingMethod,
  ValidityIndicator,
} from '#kmip/enums'
import type { WrappingScheme } from '#objects/wrapping-table'
import { ask, type DispatcherUnderTest, outcome, succeed } from '#test/dispatcher'
import { type Cell, otherKeyOf, parametersOf, schemeText, WrappingServer } from './wrapping-cells.ts'
import {
  assertMacElsewhere,
  cipherOf,
  decryptElsewhere,
  encryptElsewhere,
  hashNameOf,
  macElsewhere,
  takes,
} from './wrapping-elsewhere.ts'

const A = CryptographicAlgorithm
const D = DigitalSignatureAlgorithm
const H = HashingAlgorithm
const M = BlockCipherMode
const P = PaddingMethod

type Row = Omit<Cell, 'objectType'>

const encrypts = (algorithm: number, lengthBits: number, scheme: WrappingScheme): Row => ({
  work: 'encrypt',
  algorithm,
  lengthBits,
  scheme,
})

const paddings = [P.None, P.PKCS5, P.ANSIX9_23, P.ISO10126, P.Zeros]
const feedback = [M.CFB, M.OFB]
const authenticated: ReadonlySet<number | undefined> = new Set([M.GCM, M.CCM, M.AEAD])

/** Block ciphers: algorithm, lengths, and modes that need no whole blocks. */
const blockCiphers: readonly (readonly [number, readonly number[], readonly number[]])[] = [
  [A.AES, [128, 192, 256], [...feedback, M.CTR, M.GCM, M.CCM, M.NISTKeyWrap, M.AESKeyWrapPadding]],
  // 112: two keys, of which the first is used twice; 168: three.
  [A.DES3, [112, 168], feedback],
  [A.Camellia, [128, 192, 256], [...feedback, M.CTR]],
]

const cipherRows: readonly Row[] = [
  ...blockCiphers.flatMap(([algorithm, lengths, others]) =>
    lengths.flatMap((bits) => [
      ...[M.ECB, M.CBC].flatMap((blockCipherMode) =>
        paddings.map((paddingMethod) => encrypts(algorithm, bits, { blockCipherMode, paddingMethod })),
      ),
      ...others.map((blockCipherMode) => encrypts(algorithm, bits, { blockCipherMode })),
    ]),
  ),
  ...[256, 512].map((bits) => encrypts(A.AES, bits, { blockCipherMode: M.XTS })),
  encrypts(A.ChaCha20Poly1305, 256, { blockCipherMode: M.AEAD }),
  encrypts(A.ChaCha20, 256, {}),
]

const allHashes = [
  H.SHA_1,
  H.SHA_224,
  H.SHA_256,
  H.SHA_384,
  H.SHA_512,
  H.SHA_512_224,
  H.SHA_512_256,
  H.SHA3_224,
  H.SHA3_256,
  H.SHA3_384,
  H.SHA3_512,
]

const rsaRows: readonly Row[] = [
  encrypts(A.RSA, 2048, {}),
  encrypts(A.RSA, 2048, { paddingMethod: P.PKCS1V1_5 }),
  ...allHashes.map((hashingAlgorithm) => encrypts(A.RSA, 2048, { paddingMethod: P.OAEP, hashingAlgorithm })),
]

/** Bytes that end in no zero, or padding with zeros would lose some. */
const dataOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => ((index * 7) % 255) + 1)
/** None, part of a block, whole blocks of both sizes, and more. */
const dataLengths = [0, 1, 8, 15, 16, 17, 24, 48, 100]
const aad = dataOf(20)

const server = new WrappingServer('common')
const { under } = server

/** Cuts data for three parts, none of them whole blocks. */
const cut = (data: Uint8Array): readonly [Uint8Array, Uint8Array, Uint8Array] => [
  data.subarray(0, 5),
  data.subarray(5, 22),
  data.subarray(22),
]

type Streamed = 'Encrypt' | 'Decrypt' | 'Sign' | 'SignatureVerify' | 'MAC' | 'MACVerify' | 'Hash'

/** One operation in three parts; gives the three answers. */
const inParts = async <N extends Streamed>(
  operation: N,
  first: RequestPayload<N>,
  last: Partial<RequestPayload<N>>,
  data: Uint8Array,
): Promise<readonly [ResponsePayload<N>, ResponsePayload<N>, ResponsePayload<N>]> => {
  const [head, middle, tail] = cut(data)
  const fields: object = first
  const lastFields: object = last
  const step = (part: object): Promise<ResponsePayload<N>> =>
    succeed(under, operation, { ...fields, ...part } as RequestPayload<N>)
  const begun = await step({ data: head, initIndicator: true })
  const { correlationValue } = begun
  assert.ok(correlationValue)
  const going = await step({ correlationValue, data: middle })
  const ended = await step({ ...lastFields, correlationValue, data: tail, finalIndicator: true })
  return [begun, going, ended]
}

const joined = (parts: readonly { readonly data?: Uint8Array | undefined }[]): Buffer =>
  Buffer.concat(parts.map(({ data }) => data ?? new Uint8Array(0)))

/** What padding with zeros and no padding at all cannot take; zeros that are whole blocks add none. */
const takesData = (row: Row, bytes: number): boolean => {
  const { scheme } = row
  if (row.algorithm === A.ChaCha20 || row.algorithm === A.ChaCha20Poly1305) return true
  if (scheme.blockCipherMode === M.AESKeyWrapPadding) return bytes > 0
  return takes(otherKeyOf(row), scheme, bytes)
}

/** ChaCha20 alone: the library wants a counter of 4 bytes before the nonce (RFC 8439 §2.4). */
const chacha = (key: Uint8Array, nonce: Uint8Array, data: Uint8Array): Buffer => {
  const cipher = createCipheriv('chacha20', key, Buffer.concat([Buffer.alloc(4), nonce]))
  return Buffer.concat([cipher.update(data), cipher.final()])
}

const tagOf = (row: Row, cipher: Uint8Array): { data: Uint8Array; tag: Uint8Array | undefined } =>
  authenticated.has(row.scheme.blockCipherMode)
    ? { data: cipher.subarray(0, -16), tag: cipher.subarray(-16) }
    : { data: cipher, tag: undefined }

const opensElsewhere = (
  row: Row,
  data: Uint8Array,
  tag: Uint8Array | undefined,
  iv: Uint8Array | undefined,
): Uint8Array => {
  const key = otherKeyOf(row)
  if (row.algorithm === A.ChaCha20) return chacha(key.bytes, iv ?? new Uint8Array(12), data)
  return decryptElsewhere(key, row.scheme, tag === undefined ? data : Buffer.concat([data, tag]), iv)
}

const madeElsewhere = (row: Row, data: Uint8Array): { data: Uint8Array; iv?: Uint8Array | undefined } => {
  const key = otherKeyOf(row)
  const iv = Buffer.alloc(12, 0x21)
  if (row.algorithm === A.ChaCha20) return { data: chacha(key.bytes, iv, data), iv }
  return encryptElsewhere(key, row.scheme, data)
}

/** The parameters of a row; what a library takes for granted is left out. */
const asked = (row: Row): CryptographicParameters => parametersOf(row)

describe('ciphers, each row in both directions', () => {
  for (const row of cipherRows) {
    test(schemeText(row), async () => {
      const { wraps: uniqueIdentifier } = await server.key(row)
      const cryptographicParameters = { ...asked(row), randomIv: true }
      for (const length of dataLengths) {
        const data = dataOf(length)
        if (!takesData(row, length)) {
          const request = { uniqueIdentifier, cryptographicParameters, data }
          assert.equal(await outcome(under, 'Encrypt', request), 'CryptographicFailure', `${length} bytes`)
          continue
        }
        const made = await succeed(under, 'Encrypt', { uniqueIdentifier, cryptographicParameters, data })
        const opened = opensElsewhere(row, made.data ?? dataOf(0), made.authenticatedEncryptionTag, made.ivCounterNonce)
        assert.deepEqual(Buffer.from(opened), Buffer.from(data), `${length} bytes`)
        const theirs = madeElsewhere(row, data)
        const { data: cipher, tag } = tagOf(row, theirs.data)
        const back = await succeed(under, 'Decrypt', {
          uniqueIdentifier,
          cryptographicParameters: asked(row),
          data: cipher,
          ivCounterNonce: theirs.iv,
          authenticatedEncryptionTag: tag,
        })
        assert.deepEqual(back.data ?? Buffer.alloc(0), Buffer.from(data), `${length} bytes`)
      }
    })

    test(`${schemeText(row)}, in parts`, async () => {
      const { wraps: uniqueIdentifier } = await server.key(row)
      const data = dataOf(48)
      const cryptographicParameters = { ...asked(row), randomIv: true }
      const made = await inParts('Encrypt', { uniqueIdentifier, cryptographicParameters }, {}, data)
      const [{ ivCounterNonce }, , { authenticatedEncryptionTag: tag }] = made
      const cipher = joined(made)
      assert.deepEqual(Buffer.from(opensElsewhere(row, cipher, tag, ivCounterNonce)), Buffer.from(data))
      const opened = await inParts(
        'Decrypt',
        { uniqueIdentifier, cryptographicParameters: asked(row), ivCounterNonce },
        { authenticatedEncryptionTag: tag },
        cipher,
      )
      assert.deepEqual(joined(opened), Buffer.from(data))
    })
  }
})

describe('authenticated encryption with additional data and shorter tags', () => {
  for (const [blockCipherMode, algorithm, tagLengths] of [
    [M.GCM, A.AES, [4, 8, 12, 13, 14, 15, 16]],
    [M.CCM, A.AES, [4, 6, 8, 10, 12, 14, 16]],
    [M.AEAD, A.ChaCha20Poly1305, [16]],
  ] as const) {
    for (const tagLength of tagLengths) {
      const row = encrypts(algorithm, 256, { blockCipherMode })
      test(`${schemeText(row)}, a tag of ${tagLength} bytes`, async () => {
        const cryptographicParameters = { blockCipherMode, tagLength, randomIv: true }
        const { wraps: uniqueIdentifier } = await server.key(row)
        const data = dataOf(33)
        const made = await succeed(under, 'Encrypt', {
          uniqueIdentifier,
          cryptographicParameters,
          data,
          authenticatedEncryptionAdditionalData: aad,
        })
        const { ivCounterNonce: iv, authenticatedEncryptionTag: tag } = made
        assert.ok(iv && tag && made.data)
        const key = otherKeyOf(row)
        const { name } = cipherOf(key, blockCipherMode)
        const options: object = { authTagLength: tagLength }
        const decipher = createDecipheriv(name, key.bytes, iv, options) as DecipherGCM
        decipher.setAuthTag(tag)
        decipher.setAAD(aad, { plaintextLength: data.length })
        assert.deepEqual(Buffer.concat([decipher.update(made.data), decipher.final()]), Buffer.from(data))
        const cipher = createCipheriv(name, key.bytes, iv, options) as CipherGCM
        cipher.setAAD(aad, { plaintextLength: data.length })
        const theirs = Buffer.concat([cipher.update(data), cipher.final()])
        const request = {
          uniqueIdentifier,
          cryptographicParameters: { blockCipherMode, tagLength },
          data: theirs,
          ivCounterNonce: iv,
          authenticatedEncryptionAdditionalData: aad,
          authenticatedEncryptionTag: new Uint8Array(cipher.getAuthTag()),
        }
        assert.deepEqual((await succeed(under, 'Decrypt', request)).data, Buffer.from(data))
        const others = { ...request, authenticatedEncryptionAdditionalData: dataOf(19) }
        assert.equal(await outcome(under, 'Decrypt', others), 'CryptographicFailure')
      })
    }
  }
})

describe('RSA encryption, each row in both directions', () => {
  for (const row of rsaRows) {
    test(schemeText(row), async () => {
      // The public half encrypts and the private half decrypts; a row of signatures names the private one.
      const { wraps: publicKey } = await server.key(row)
      const { wraps: privateKey } = await server.key({ ...row, work: 'sign' }, asked(row))
      const cryptographicParameters = asked(row)
      const key = otherKeyOf(row)
      for (const length of [0, 1, 16, 32, 117]) {
        const data = dataOf(length)
        const encryption = { uniqueIdentifier: publicKey, cryptographicParameters, data }
        if (!takes(key, row.scheme, length)) {
          assert.equal(await outcome(under, 'Encrypt', encryption), 'CryptographicFailure')
          continue
        }
        const made = await succeed(under, 'Encrypt', encryption)
        assert.ok(made.data)
        assert.deepEqual(Buffer.from(decryptElsewhere(key, row.scheme, made.data, undefined)), Buffer.from(data))
        const theirs = encryptElsewhere(key, row.scheme, data).data
        const decryption = { uniqueIdentifier: privateKey, cryptographicParameters, data: theirs }
        assert.deepEqual((await succeed(under, 'Decrypt', decryption)).data ?? Buffer.alloc(0), Buffer.from(data))
      }
    })
  }
})

const signs = (algorithm: number, lengthBits: number, scheme: WrappingScheme): Row => ({
  work: 'sign',
  algorithm,
  lengthBits,
  scheme,
})

const rsaSignatures = [
  D.SHA_1WithRSAEncryption,
  D.SHA_224WithRSAEncryption,
  D.SHA_256WithRSAEncryption,
  D.SHA_384WithRSAEncryption,
  D.SHA_512WithRSAEncryption,
  D.SHA3_256WithRSAEncryption,
  D.SHA3_384WithRSAEncryption,
  D.SHA3_512WithRSAEncryption,
]

const signatureRows: readonly Row[] = [
  ...allHashes.flatMap((hashingAlgorithm) => [
    signs(A.RSA, 2048, { hashingAlgorithm }),
    signs(A.RSA, 2048, { paddingMethod: P.PKCS1V1_5, hashingAlgorithm }),
    signs(A.RSA, 2048, { paddingMethod: P.PSS, hashingAlgorithm }),
    signs(A.RSA, 2048, { digitalSignatureAlgorithm: D.RSASSA_PSS, hashingAlgorithm }),
    signs(A.ECDSA, 256, { hashingAlgorithm }),
  ]),
  ...rsaSignatures.map((digitalSignatureAlgorithm) => signs(A.RSA, 2048, { digitalSignatureAlgorithm })),
  ...[D.ECDSAWithSHA_1, D.ECDSAWithSHA224, D.ECDSAWithSHA256, D.ECDSAWithSHA384, D.ECDSAWithSHA512].map(
    (digitalSignatureAlgorithm) => signs(A.ECDSA, 256, { digitalSignatureAlgorithm }),
  ),
  ...[D.DSAWithSHA_1, D.DSAWithSHA224, D.DSAWithSHA256].map((digitalSignatureAlgorithm) =>
    signs(A.DSA, 2048, { digitalSignatureAlgorithm }),
  ),
  ...[H.SHA_1, H.SHA_224, H.SHA_256].map((hashingAlgorithm) => signs(A.DSA, 2048, { hashingAlgorithm })),
]

const validity = async (request: RequestPayload<'SignatureVerify'>): Promise<number | undefined> =>
  (await succeed(under, 'SignatureVerify', request)).validityIndicator

describe('signatures, each row in both directions', () => {
  for (const row of signatureRows) {
    test(schemeText(row), async () => {
      const { wraps: privateKey, unwraps: publicKey } = await server.key(row)
      const cryptographicParameters = asked(row)
      const key = otherKeyOf(row)
      const data = dataOf(100)
      const signing = { uniqueIdentifier: privateKey, cryptographicParameters }
      const { signatureData } = await succeed(under, 'Sign', { ...signing, data })
      assertMacElsewhere(key, row.scheme, data, signatureData)
      const [, , last] = await inParts('Sign', signing, {}, data)
      assertMacElsewhere(key, row.scheme, data, last.signatureData)
      const theirs = macElsewhere(key, row.scheme, data)
      const checking = { uniqueIdentifier: publicKey, cryptographicParameters }
      assert.equal(await validity({ ...checking, data, signatureData: theirs }), ValidityIndicator.Valid)
      assert.equal(await validity({ ...checking, data: dataOf(99), signatureData: theirs }), ValidityIndicator.Invalid)
      const [, , checked] = await inParts('SignatureVerify', checking, { signatureData: theirs }, data)
      assert.equal(checked.validityIndicator, ValidityIndicator.Valid)
    })

    const { hashingAlgorithm } = row.scheme
    if (hashingAlgorithm === undefined) continue
    test(`${schemeText(row)}, of digested data`, async () => {
      const { wraps: privateKey, unwraps: publicKey } = await server.key(row)
      const cryptographicParameters = asked(row)
      const data = dataOf(100)
      const digestedData = new Uint8Array(hash(hashNameOf(hashingAlgorithm), data, 'buffer'))
      const signing = { uniqueIdentifier: privateKey, cryptographicParameters, digestedData }
      const { signatureData } = await succeed(under, 'Sign', signing)
      assertMacElsewhere(otherKeyOf(row), row.scheme, data, signatureData)
      const theirs = macElsewhere(otherKeyOf(row), row.scheme, data)
      const checking = { uniqueIdentifier: publicKey, cryptographicParameters, digestedData }
      assert.equal(await validity({ ...checking, signatureData: theirs }), ValidityIndicator.Valid)
    })
  }
})

const macs = (algorithm: number, lengthBits: number, scheme: WrappingScheme): Row => ({
  work: 'mac',
  algorithm,
  lengthBits,
  scheme,
})

const macRows: readonly Row[] = [
  ...[
    [A.HMAC_SHA1, H.SHA_1],
    [A.HMAC_SHA224, H.SHA_224],
    [A.HMAC_SHA256, H.SHA_256],
    [A.HMAC_SHA384, H.SHA_384],
    [A.HMAC_SHA512, H.SHA_512],
    [A.HMAC_MD5, H.MD5],
    [A.HMAC_SHA3_224, H.SHA3_224],
    [A.HMAC_SHA3_256, H.SHA3_256],
    [A.HMAC_SHA3_384, H.SHA3_384],
    [A.HMAC_SHA3_512, H.SHA3_512],
  ].map(([algorithm = 0, hashingAlgorithm]) => macs(algorithm, 256, { hashingAlgorithm })),
  ...[M.CMAC, M.CBC_MAC].flatMap((blockCipherMode) => [
    ...[128, 192, 256].map((bits) => macs(A.AES, bits, { blockCipherMode })),
    macs(A.Camellia, 256, { blockCipherMode }),
    macs(A.DES3, 168, { blockCipherMode }),
  ]),
]

describe('MACs, each row in both directions', () => {
  for (const row of macRows) {
    test(schemeText(row), async () => {
      const { wraps: uniqueIdentifier } = await server.key(row)
      const key = otherKeyOf(row)
      const request = { uniqueIdentifier, cryptographicParameters: asked(row) }
      for (const length of [1, 16, 100]) {
        const data = dataOf(length)
        assertMacElsewhere(key, row.scheme, data, (await succeed(under, 'MAC', { ...request, data })).macData)
        const macData = macElsewhere(key, row.scheme, data)
        const valid = await succeed(under, 'MACVerify', { ...request, data, macData })
        assert.equal(valid.validityIndicator, ValidityIndicator.Valid)
        const changed = Uint8Array.from(macData, (byte, index) => (index === 0 ? byte ^ 1 : byte))
        for (const wrong of [changed, macData.subarray(1)]) {
          const { validityIndicator } = await succeed(under, 'MACVerify', { ...request, data, macData: wrong })
          assert.equal(validityIndicator, ValidityIndicator.Invalid)
        }
      }
      const data = dataOf(100)
      const [, , made] = await inParts('MAC', request, {}, data)
      assertMacElsewhere(key, row.scheme, data, made.macData)
      const [, , checked] = await inParts('MACVerify', request, { macData: macElsewhere(key, row.scheme, data) }, data)
      assert.equal(checked.validityIndicator, ValidityIndicator.Valid)
    })
  }

  test('an HMAC key without parameters makes the code of its own hash', async () => {
    const row = macs(A.HMAC_SHA384, 256, { hashingAlgorithm: H.SHA_384 })
    const { wraps: uniqueIdentifier } = await server.key(row, {})
    const data = dataOf(50)
    const { macData } = await succeed(under, 'MAC', { uniqueIdentifier, data })
    assertMacElsewhere(otherKeyOf(row), row.scheme, data, macData)
  })
})

describe('hashes', () => {
  for (const hashingAlgorithm of [...allHashes, H.MD5, H.RIPEMD_160]) {
    const name = hashingAlgorithm === H.RIPEMD_160 ? 'ripemd160' : hashNameOf(hashingAlgorithm)
    test(name, async () => {
      const data = dataOf(100)
      const cryptographicParameters = { hashingAlgorithm }
      const expected = hash(name, data, 'buffer')
      assert.deepEqual((await succeed(under, 'Hash', { cryptographicParameters, data })).data, expected)
      const [, , ended] = await inParts('Hash', { cryptographicParameters }, {}, data)
      assert.deepEqual(ended.data, expected)
    })
  }
})

describe('defaults', () => {
  const told = async (cryptographicParameters: CryptographicParameters | undefined, row: Row): Promise<void> => {
    const { wraps: uniqueIdentifier } = await server.key(row, {})
    const data = dataOf(20)
    const made = await succeed(under, 'Encrypt', { uniqueIdentifier, cryptographicParameters, data })
    assert.deepEqual(Buffer.from(opensElsewhere(row, made.data ?? dataOf(0), undefined, undefined)), Buffer.from(data))
  }
  for (const [algorithm, bits] of [
    [A.AES, 256],
    [A.DES3, 168],
  ] as const) {
    const row = encrypts(algorithm, bits, { blockCipherMode: M.ECB, paddingMethod: P.PKCS5 })
    test(`${schemeText(row)} is meant where nothing is named`, () => told(undefined, row))
  }
  test('PKCS #1 v1.5 is meant where RSA is told of no padding', () =>
    told(undefined, encrypts(A.RSA, 2048, { paddingMethod: P.PKCS1V1_5 })))
})

/** Result Reason and text of a Decrypt. */
const said = async (request: RequestPayload<'Decrypt'>, from: DispatcherUnderTest = under): Promise<string> => {
  const { reason, status, message } = await ask(from, 'Decrypt', request)
  return `${reason ?? status}: ${message}`
}

describe('what does not decrypt: one reason and one text, whatever is wrong', () => {
  const oneText = 'CryptographicFailure: The cryptographic operation failed'
  const changedAt = (bytes: Uint8Array, at: number): Uint8Array =>
    Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ 0x41 : byte))

  for (const paddingMethod of [P.PKCS5, P.ANSIX9_23]) {
    for (const blockCipherMode of [M.CBC, M.ECB]) {
      const row = encrypts(A.AES, 256, { blockCipherMode, paddingMethod })
      test(schemeText(row), async () => {
        const { wraps: uniqueIdentifier } = await server.key(row)
        const cryptographicParameters = asked(row)
        // Padded by hand with every wrong end that a padding can have: count 0, too large, and fillers of another value.
        const ends = [[0], [17], [255], [9, 2, 3], [7, 7, 6], [1, 0, 3, 3]]
        for (const end of ends) {
          const last = Buffer.alloc(16, 0x33)
          Buffer.from(end).copy(last, 16 - end.length)
          const none = { blockCipherMode, paddingMethod: P.None }
          const { data, iv } = encryptElsewhere(otherKeyOf(row), none, Buffer.concat([dataOf(16), last]))
          const request = { uniqueIdentifier, cryptographicParameters, data, ivCounterNonce: iv }
          assert.equal(await said(request), oneText, end.join(' '))
        }
      })
    }
  }

  for (const row of [
    encrypts(A.AES, 256, { blockCipherMode: M.GCM }),
    encrypts(A.AES, 256, { blockCipherMode: M.CCM }),
    encrypts(A.ChaCha20Poly1305, 256, { blockCipherMode: M.AEAD }),
    encrypts(A.AES, 256, { blockCipherMode: M.NISTKeyWrap }),
    encrypts(A.AES, 256, { blockCipherMode: M.AESKeyWrapPadding }),
  ]) {
    test(schemeText(row), async () => {
      const { wraps: uniqueIdentifier } = await server.key(row)
      const { data: whole, iv } = encryptElsewhere(otherKeyOf(row), row.scheme, dataOf(48))
      const { data, tag } = tagOf(row, whole)
      const right = { uniqueIdentifier, cryptographicParameters: asked(row), data, ivCounterNonce: iv }
      const request = { ...right, authenticatedEncryptionTag: tag }
      for (const at of [0, 20, data.length - 1]) {
        assert.equal(await said({ ...request, data: changedAt(data, at) }), oneText)
      }
      if (tag === undefined) return
      assert.equal(await said({ ...request, authenticatedEncryptionTag: changedAt(tag, 0) }), oneText)
      assert.equal(await said({ ...request, authenticatedEncryptionTag: changedAt(tag, 15) }), oneText)
      assert.equal(await said({ ...request, ivCounterNonce: changedAt(iv ?? dataOf(12), 3) }), oneText)
    })
  }

  for (const hashingAlgorithm of [H.SHA_1, H.SHA_256]) {
    const row = encrypts(A.RSA, 2048, { paddingMethod: P.OAEP, hashingAlgorithm })
    test(schemeText(row), async () => {
      const { wraps: uniqueIdentifier } = await server.key({ ...row, work: 'sign' }, {})
      const cryptographicParameters = asked(row)
      const { data } = encryptElsewhere(otherKeyOf(row), row.scheme, dataOf(20))
      const pkcs1 = encryptElsewhere(otherKeyOf(row), { paddingMethod: P.PKCS1V1_5 }, dataOf(20)).data
      const otherHash = encryptElsewhere(
        otherKeyOf(row),
        { ...row.scheme, hashingAlgorithm: H.SHA_384 },
        dataOf(20),
      ).data
      const wrong = [
        changedAt(data, 3),
        changedAt(data, 255),
        data.subarray(1),
        pkcs1,
        otherHash,
        Buffer.alloc(256, 255),
      ]
      for (const one of [...wrong, Buffer.alloc(256), Buffer.alloc(0)]) {
        assert.equal(await said({ uniqueIdentifier, cryptographicParameters, data: one }), oneText)
        const label = { ...cryptographicParameters, pSource: dataOf(3) }
        assert.equal(await said({ uniqueIdentifier, cryptographicParameters: label, data: one }), oneText)
      }
    })
  }

  test('PKCS #1 v1.5: a wrong padding gives bytes that mean nothing, the same each time, and no error', async () => {
    const row = encrypts(A.RSA, 2048, { paddingMethod: P.PKCS1V1_5 })
    const { wraps: uniqueIdentifier } = await server.key({ ...row, work: 'sign' }, {})
    const cryptographicParameters = asked(row)
    const plain = dataOf(32)
    const { data } = encryptElsewhere(otherKeyOf(row), row.scheme, plain)
    const oaep = encryptElsewhere(otherKeyOf(row), { paddingMethod: P.OAEP, hashingAlgorithm: H.SHA_1 }, plain).data
    for (const wrong of [changedAt(data, 100), oaep]) {
      const request = { uniqueIdentifier, cryptographicParameters, data: wrong }
      const [first, second] = [await succeed(under, 'Decrypt', request), await succeed(under, 'Decrypt', request)]
      assert.deepEqual(first.data, second.data)
      assert.notDeepEqual(first.data, Buffer.from(plain))
    }
  })
})
