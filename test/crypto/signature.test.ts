/** Signatures against published ones, the library and the openssl command, in both directions. */

import assert from 'node:assert/strict'
import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { computeSignature, type SignRequest, verifySignature } from '#crypto/signature'
import type { CryptographicParameters } from '#kmip/attribute-values'
import {
  CryptographicAlgorithm as A,
  DigitalSignatureAlgorithm as D,
  KeyFormatType as F,
  HashingAlgorithm as H,
  PaddingMethod as P,
} from '#kmip/enums'
import { dsa, ec, ed448, ed25519, openssl, pkcs8, privateForm, publicForm, rsa, spki, x25519 } from '#test/crypto/keys'
import { hex, pss, symmetric, text } from '#test/crypto/published'

interface Pair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}
const halves = ({ privateKey, publicKey }: Pair) => ({
  own: privateForm(F.PKCS_8, pkcs8(privateKey)),
  other: publicForm(F.X_509, spki(publicKey)),
})
const data = text('data to be signed')
const digestWith = (name: string): Uint8Array => new Uint8Array(createHash(name).update(data).digest())
const ofCurve = (namedCurve: string): Pair => generateKeyPairSync('ec', { namedCurve })
const rsa1025 = generateKeyPairSync('rsa', { modulusLength: 1025 })
/** RSA keys for PSS alone (id-RSASSA-PSS, RFC 4055 §3.1): with the parameters of their signatures, and without. */
const boundOptions = ['md:sha384', 'mgf1_md:sha256', 'saltlen:70'].flatMap((option) => [
  '-pkeyopt',
  `rsa_pss_keygen_${option}`,
])
const boundKey = openssl(
  ['genpkey', '-algorithm', 'RSA-PSS', '-outform', 'DER', '-pkeyopt', 'rsa_keygen_bits:2048', ...boundOptions],
  new Uint8Array(0),
)
const boundPrivate = createPrivateKey({ key: boundKey, format: 'der', type: 'pkcs8' })
const bound = { privateKey: boundPrivate, publicKey: createPublicKey(boundPrivate) }
const unbound = generateKeyPairSync('rsa-pss', { modulusLength: 2048 })
const psss = { padding: constants.RSA_PKCS1_PSS_PADDING }

/** What the library takes for the same signature: the hash, and options of the key. */
interface Row {
  readonly name: string
  readonly pair: Pair
  readonly parameters: CryptographicParameters
  readonly hash: string | null
  readonly options?: { readonly padding: number; readonly saltLength?: number }
}

const rows: readonly Row[] = [
  { name: 'RSA by default: PKCS #1 v1.5, SHA-256', pair: rsa, parameters: {}, hash: 'sha256' },
  ...(['SHA_1', 'SHA_224', 'SHA_384', 'SHA_512', 'SHA3_256', 'SHA_512_256', 'RIPEMD_160', 'MD5'] as const).map(
    (name) => ({
      name: `RSA, ${name}`,
      pair: rsa,
      parameters: { hashingAlgorithm: H[name], paddingMethod: P.PKCS1V1_5 },
      hash:
        { SHA_512_256: 'sha512-256', RIPEMD_160: 'ripemd160', SHA3_256: 'sha3-256' }[name as string] ??
        name.replace('_', ''),
    }),
  ),
  {
    name: 'RSA, by its digital signature algorithm',
    pair: rsa,
    parameters: { digitalSignatureAlgorithm: D.SHA_512WithRSAEncryption },
    hash: 'sha512',
  },
  {
    name: 'PSS by default: MGF1 with SHA-1, and a salt as long as its block',
    pair: rsa,
    parameters: { paddingMethod: P.PSS, hashingAlgorithm: H.SHA_1 },
    hash: 'sha1',
    options: { ...psss, saltLength: 64 },
  },
  {
    name: 'PSS with a salt of 20 bytes',
    pair: rsa,
    parameters: {
      digitalSignatureAlgorithm: D.RSASSA_PSS,
      maskGeneratorHashingAlgorithm: H.SHA_256,
      hashingAlgorithm: H.SHA_256,
      saltLength: 20,
    },
    hash: 'sha256',
    options: { ...psss, saltLength: 20 },
  },
  {
    name: 'PSS with a modulus of 1025 bits, and no salt',
    pair: rsa1025,
    parameters: { paddingMethod: P.PSS, maskGeneratorHashingAlgorithm: H.SHA_256, saltLength: 0 },
    hash: 'sha256',
    options: { ...psss, saltLength: 0 },
  },
  {
    name: 'a key for PSS alone, which names its hashes and its salt',
    pair: bound,
    parameters: {},
    hash: 'sha384',
    options: { ...psss, saltLength: 70 },
  },
  {
    name: 'a key for PSS alone, whose parameters the request names too',
    pair: bound,
    parameters: {
      digitalSignatureAlgorithm: D.RSASSA_PSS,
      hashingAlgorithm: H.SHA_384,
      maskGeneratorHashingAlgorithm: H.SHA_256,
      saltLength: 71,
    },
    hash: 'sha384',
    options: { ...psss, saltLength: 71 },
  },
  {
    name: 'a key for PSS alone, of any hash',
    pair: unbound,
    parameters: { hashingAlgorithm: H.SHA_256, maskGeneratorHashingAlgorithm: H.SHA_256, saltLength: 32 },
    hash: 'sha256',
    options: { ...psss, saltLength: 32 },
  },
  { name: 'ECDSA by default: SHA-256', pair: ec, parameters: {}, hash: 'sha256' },
  {
    name: 'ECDSA, SHA-512',
    pair: ofCurve('secp521r1'),
    parameters: { digitalSignatureAlgorithm: D.ECDSAWithSHA512 },
    hash: 'sha512',
  },
  // CS-AC-M-3-ECC of 1.3 names RSA and PSS for a key of a curve, and wants the hash of them.
  {
    name: "ECDSA with RSA's parameters",
    pair: ofCurve('secp256k1'),
    parameters: { paddingMethod: P.PSS, hashingAlgorithm: H.SHA_1, cryptographicAlgorithm: A.RSA },
    hash: 'sha1',
  },
  { name: 'DSA', pair: dsa, parameters: { digitalSignatureAlgorithm: D.DSAWithSHA224 }, hash: 'sha224' },
  { name: 'Ed25519', pair: ed25519, parameters: {}, hash: null },
  { name: 'Ed448', pair: ed448, parameters: {}, hash: null },
]

describe('signatures of data', () => {
  for (const { name, pair, parameters, hash, options = {} } of rows) {
    const { own, other } = halves(pair)
    test(`${name}: the library takes ours, and we take its`, () => {
      const signature = computeSignature({ key: own, parameters, data })
      assert.equal(verify(hash, data, { key: pair.publicKey, ...options }, signature), true)
      const its = new Uint8Array(sign(hash, data, { key: pair.privateKey, ...options }))
      assert.equal(verifySignature({ key: other, parameters, data, signature: its }), true)
      assert.equal(verifySignature({ key: own, parameters, data, signature }), true)
    })
    test(`${name}: nothing that was changed`, () => {
      const signature = computeSignature({ key: own, parameters, data })
      const changed = signature.with(20, (signature[20] ?? 0) ^ 1)
      for (const wrong of [
        changed,
        signature.subarray(1),
        new Uint8Array(0),
        new Uint8Array(signature.length).fill(255),
      ]) {
        assert.equal(verifySignature({ key: other, parameters, data, signature: wrong }), false)
      }
      assert.equal(verifySignature({ key: other, parameters, data: text('other data'), signature }), false)
    })
  }

  test('CS-AC-M-2: MGF1 with the hash of the data, which its parameters do not name', () => {
    const key = publicForm(F.PKCS_1, pss.publicKey)
    const parameters = { paddingMethod: P.PSS, hashingAlgorithm: H.SHA_256, cryptographicAlgorithm: A.RSA }
    const request = { key, parameters, data: pss.data, signature: pss.signature }
    assert.equal(verifySignature(request), true)
    assert.equal(verifySignature({ ...request, data: pss.data.with(0, 0xff) }), false)
    assert.equal(verifySignature({ ...request, signature: pss.signature.with(0, 0xff) }), false)
    assert.equal(verifySignature({ ...request, parameters: { ...parameters, saltLength: 222 } }), true)
    assert.equal(verifySignature({ ...request, parameters: { ...parameters, saltLength: 20 } }), false)
    const otherMask = { ...parameters, maskGeneratorHashingAlgorithm: H.SHA_1 }
    assert.equal(verifySignature({ ...request, parameters: otherMask }), false)
  })

  const folder = mkdtempSync(join(tmpdir(), 'kmipd-signature-'))
  after(() => rmSync(folder, { recursive: true }))

  test('PSS with another hash for its mask, against the openssl command', () => {
    const path = join(folder, 'public.pem')
    writeFileSync(path, rsa.publicKey.export({ format: 'pem', type: 'spki' }))
    const parameters = {
      paddingMethod: P.PSS,
      hashingAlgorithm: H.SHA_384,
      maskGeneratorHashingAlgorithm: H.SHA_256,
      saltLength: 33,
    }
    const { own } = halves(rsa)
    writeFileSync(join(folder, 'signature'), computeSignature({ key: own, parameters, data }))
    const options = ['rsa_padding_mode:pss', 'rsa_pss_saltlen:33', 'digest:sha384', 'rsa_mgf1_md:sha256']
    const args = options.flatMap((option) => ['-pkeyopt', option])
    const files = ['-inkey', path, '-pubin', '-sigfile', join(folder, 'signature')]
    const answer = openssl(['pkeyutl', '-verify', ...files, ...args], digestWith('sha384'))
    assert.match(answer.toString(), /Verified Successfully/)
  })
})

describe('signatures of digested data', () => {
  const pairs: readonly (readonly [string, Pair])[] = [
    ['RSA', rsa],
    ['DSA', dsa],
    ...['prime256v1', 'secp384r1', 'secp521r1', 'secp224r1', 'secp256k1', 'brainpoolP320r1'].map(
      (name) => [name, ofCurve(name)] as const,
    ),
  ]
  for (const [name, pair] of pairs) {
    const { own, other } = halves(pair)
    for (const hash of ['sha1', 'sha256', 'sha512']) {
      test(`${name}, ${hash}: as the library signs the data`, () => {
        const digestedData = digestWith(hash)
        const signature = computeSignature({ key: own, parameters: {}, digestedData })
        assert.equal(verify(hash, data, pair.publicKey, signature), true)
        const its = new Uint8Array(sign(hash, data, pair.privateKey))
        const request = { key: other, parameters: {}, digestedData, signature: its }
        assert.equal(verifySignature(request), true)
        assert.equal(verifySignature({ ...request, key: own }), true, 'by the public half of a private key')
        assert.equal(verifySignature({ ...request, digestedData: digestedData.with(0, 1) }), false)
        assert.equal(verifySignature({ ...request, signature: its.with(its.length - 1, (its.at(-1) ?? 0) ^ 1) }), false)
        assert.equal(verifySignature({ ...request, signature: text('no signature') }), false)
      })
    }
  }

  test('a digest is not its opposite: the other point of the same first coordinate is refused', () => {
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
    const { own, other } = halves(ec)
    const digestedData = new Uint8Array([0, ...digestWith('sha256').subarray(1)])
    const signature = computeSignature({ key: own, parameters: {}, digestedData })
    const opposite = (order - BigInt(`0x${Buffer.from(digestedData).toString('hex')}`)).toString(16).padStart(64, '0')
    assert.equal(verifySignature({ key: other, parameters: {}, digestedData, signature }), true)
    assert.equal(verifySignature({ key: other, parameters: {}, digestedData: hex(opposite), signature }), false)
  })

  test('PSS: as the library signs the data', () => {
    const { own, other } = halves(rsa)
    const parameters = { paddingMethod: P.PSS, maskGeneratorHashingAlgorithm: H.SHA_256, saltLength: 32 }
    const digestedData = digestWith('sha256')
    const signature = computeSignature({ key: own, parameters, digestedData })
    assert.equal(verify('sha256', data, { key: rsa.publicKey, ...psss, saltLength: 32 }, signature), true)
    assert.equal(verifySignature({ key: other, parameters, digestedData, signature }), true)
  })

  // TC-RSA-SIGN-DIGESTEDDATA-1, TC-ECDSA-SIGN-DIGESTEDDATA-1: 16 bytes, and no hash is named.
  for (const [name, pair] of [['RSA', rsa] as const, ['ECDSA', ofCurve('secp256k1')] as const]) {
    test(`${name}: a digest of no known hash`, () => {
      const { own, other } = halves(pair)
      const digestedData = hex('01020304050607080910111213141516')
      const signature = computeSignature({ key: own, parameters: {}, digestedData })
      const parameters = { cryptographicAlgorithm: A.RSA }
      assert.equal(verifySignature({ key: other, parameters, digestedData, signature }), true)
      const others = { ...parameters, paddingMethod: P.PSS, hashingAlgorithm: H.SHA_1 }
      assert.equal(verifySignature({ key: other, parameters: others, data: digestedData, signature }), false)
    })
  }
})

describe('refusals', () => {
  const { own, other } = halves(rsa)
  const refused: readonly (readonly [string, Partial<SignRequest>, string])[] = [
    ['a symmetric key', { key: symmetric('00'.repeat(16)) }, 'invalidKey'],
    ['a public key', { key: other }, 'invalidKey'],
    ['a key that agrees only', { key: halves(x25519).own }, 'invalidKey'],
    ['OAEP', { parameters: { paddingMethod: P.OAEP } }, 'unsupportedParameter'],
    [
      'another mask generator',
      { parameters: { paddingMethod: P.PSS, maskGenerator: 0x80000001 } },
      'unsupportedParameter',
    ],
    ['another trailer', { parameters: { paddingMethod: P.PSS, trailerField: 2 } }, 'unsupportedParameter'],
    ...[
      { paddingMethod: P.PKCS1V1_5 },
      { digitalSignatureAlgorithm: D.SHA_384WithRSAEncryption },
      { hashingAlgorithm: H.SHA_256 },
      { maskGeneratorHashingAlgorithm: H.SHA_1 },
      { saltLength: 69 },
    ].map(
      (parameters) =>
        [
          `a key for PSS with other ${Object.keys(parameters)[0]}`,
          { key: halves(bound).own, parameters },
          'invalidParameter',
        ] as const,
    ),
    ['a hash that is not there', { parameters: { hashingAlgorithm: H.MD2 } }, 'unsupportedAlgorithm'],
    ["a curve's algorithm", { parameters: { digitalSignatureAlgorithm: D.ECDSAWithSHA256 } }, 'invalidParameter'],
    ['a salt too long', { parameters: { paddingMethod: P.PSS, saltLength: 200 } }, 'invalidParameter'],
    ['data and its digest', { digestedData: digestWith('sha256') }, 'invalidParameter'],
    ['neither', { data: undefined }, 'missingParameter'],
    [
      'a digest of another length',
      { data: undefined, digestedData: digestWith('sha1'), parameters: { hashingAlgorithm: H.SHA_256 } },
      'invalidLength',
    ],
    ['an empty digest', { data: undefined, digestedData: new Uint8Array(0) }, 'invalidLength'],
    [
      'PSS of a digest of no known hash',
      { data: undefined, digestedData: new Uint8Array(16), parameters: { paddingMethod: P.PSS } },
      'missingParameter',
    ],
    [
      'a digest for Ed25519',
      { key: halves(ed25519).own, data: undefined, digestedData: digestWith('sha256') },
      'unsupportedParameter',
    ],
  ]
  for (const [name, change, kind] of refused) {
    test(name, () => {
      assert.throws(() => computeSignature({ key: own, parameters: {}, data, ...change }), { kind })
    })
  }
})
