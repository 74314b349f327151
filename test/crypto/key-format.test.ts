/** Key formats against the library used directly and against the openssl command: what each conversion gives. */

import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, test } from 'node:test'
import { curveRows } from '#crypto/curves'
import { convertKey, type KeyForm, parseKey } from '#crypto/key-format'
import type { TransparentKey } from '#crypto/transparent'
import { CryptographicAlgorithm as A, KeyCompressionType as C, KeyFormatType as F, RecommendedCurve } from '#kmip/enums'
import {
  dh,
  dsa,
  ec,
  ed448,
  ed25519,
  number,
  openssl,
  pkcs1,
  pkcs8,
  plain,
  privateForm,
  publicForm,
  raw,
  refuses,
  rsa,
  sec1,
  spki,
  symmetricForm,
  x25519,
} from '#test/crypto/keys'

type Source = {
  readonly name: string
  readonly pair: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }
  readonly algorithm: A
  readonly lengthBits: number
  readonly curve?: RecommendedCurve
  readonly privateFormats: readonly (readonly [F, (key: KeyObject) => Uint8Array])[]
  readonly publicFormats: readonly (readonly [F, (key: KeyObject) => Uint8Array])[]
  readonly transparent?: readonly [F, F]
}

const ecSource = (name: string, curve: RecommendedCurve, namedCurve: string, lengthBits: number): Source => ({
  name,
  pair: generateKeyPairSync('ec', { namedCurve }),
  algorithm: A.ECDSA,
  lengthBits,
  curve,
  privateFormats: [
    [F.PKCS_8, pkcs8],
    [F.ECPrivateKey, sec1],
  ],
  publicFormats: [[F.X_509, spki]],
  transparent: [F.TransparentECPrivateKey, F.TransparentECPublicKey],
})

const rawFormats = { privateFormats: [[F.PKCS_8, pkcs8]], publicFormats: [[F.X_509, spki]] } as const

const sources: readonly Source[] = [
  {
    name: 'RSA',
    pair: rsa,
    algorithm: A.RSA,
    lengthBits: 1024,
    privateFormats: [
      [F.PKCS_1, pkcs1],
      [F.PKCS_8, pkcs8],
    ],
    publicFormats: [
      [F.PKCS_1, pkcs1],
      [F.X_509, spki],
    ],
    transparent: [F.TransparentRSAPrivateKey, F.TransparentRSAPublicKey],
  },
  ecSource('P-256', RecommendedCurve.P_256, 'prime256v1', 256),
  ecSource('P-521', RecommendedCurve.P_521, 'secp521r1', 521),
  ecSource('secp256k1', RecommendedCurve.SECP256K1, 'secp256k1', 256),
  ecSource('K-163', RecommendedCurve.K_163, 'sect163k1', 163),
  ecSource('secp160r1, whose order is longer than its field', RecommendedCurve.SECP160R1, 'secp160r1', 160),
  ecSource('brainpoolP256r1', RecommendedCurve.BRAINPOOLP256R1, 'brainpoolP256r1', 256),
  { name: 'Ed25519', pair: ed25519, algorithm: A.Ed25519, lengthBits: 256, ...rawFormats },
  { name: 'Ed448', pair: ed448, algorithm: A.Ed448, lengthBits: 456, ...rawFormats },
  {
    name: 'X25519',
    pair: x25519,
    algorithm: A.ECDH,
    lengthBits: 256,
    curve: RecommendedCurve.CURVE25519,
    ...rawFormats,
  },
  {
    name: 'DSA',
    pair: dsa,
    algorithm: A.DSA,
    lengthBits: 1024,
    ...rawFormats,
    transparent: [F.TransparentDSAPrivateKey, F.TransparentDSAPublicKey],
  },
  {
    name: 'DH',
    pair: dh,
    algorithm: A.DH,
    lengthBits: 2048,
    ...rawFormats,
    transparent: [F.TransparentDHPrivateKey, F.TransparentDHPublicKey],
  },
]

for (const source of sources) {
  const { pair, algorithm, lengthBits, curve, transparent } = source
  describe(source.name, () => {
    for (const [half, form, formats, index] of [
      ['private', privateForm, source.privateFormats, 0],
      ['public', publicForm, source.publicFormats, 1],
    ] as const) {
      const key = half === 'private' ? pair.privateKey : pair.publicKey
      const expected = {
        cryptographicAlgorithm: algorithm,
        cryptographicLength: lengthBits,
        ...(curve === undefined ? {} : { recommendedCurve: curve }),
        checked: true,
      }
      test(`${half} key: each DER format is read, and turned into each other as the library does`, () => {
        for (const [from, write] of formats) {
          assert.deepEqual(parseKey(form(from, write(key))), expected)
          for (const [to, writeOther] of formats) {
            const converted = convertKey(form(from, write(key)), { keyFormatType: to })
            assert.deepEqual(converted, { keyFormatType: to, keyMaterial: writeOther(key) })
          }
        }
      })
      const structureFormat = transparent?.[index]
      if (structureFormat !== undefined) {
        test(`${half} key: transparent and back gives the same DER`, () => {
          for (const [from, write] of formats) {
            const { keyMaterial } = convertKey(form(from, write(key)), { keyFormatType: structureFormat })
            const parsed = parseKey({ ...form(structureFormat, keyMaterial), cryptographicAlgorithm: algorithm })
            assert.deepEqual(parsed, expected)
            const back = convertKey(form(structureFormat, keyMaterial), { keyFormatType: from })
            assert.deepEqual(back.keyMaterial, write(key))
          }
        })
      }
      test(`${half} key: Opaque is the stored bytes`, () => {
        for (const [from, write] of formats) {
          assert.deepEqual(convertKey(form(from, write(key)), { keyFormatType: F.Opaque }).keyMaterial, write(key))
        }
      })
    }
  })
}

describe('transparent structures hold the right numbers', () => {
  const materialOf = (form: KeyForm, keyFormatType: F) =>
    convertKey(form, { keyFormatType }).keyMaterial as TransparentKey

  test('RSA private: as the library names them in JSON', () => {
    const jwk = rsa.privateKey.export({ format: 'jwk' })
    const names = { modulus: 'n', publicExponent: 'e', privateExponent: 'd', p: 'p', q: 'q' } as const
    const rest = { primeExponentP: 'dp', primeExponentQ: 'dq', crtCoefficient: 'qi' } as const
    const structure = materialOf(privateForm(F.PKCS_1, pkcs1(rsa.privateKey)), F.TransparentRSAPrivateKey)
    for (const [field, member] of Object.entries({ ...names, ...rest })) {
      const expected = number(Buffer.from(String(jwk[member]), 'base64url'))
      assert.equal(structure[field as keyof TransparentKey], expected, field)
    }
  })

  test('EC: D and an uncompressed Q String', () => {
    assert.deepEqual(materialOf(privateForm(F.PKCS_8, pkcs8(ec.privateKey)), F.TransparentECDSAPrivateKey), {
      recommendedCurve: RecommendedCurve.P_256,
      d: number(raw(ec.privateKey)),
    })
    const qString = plain(ec.publicKey.export({ format: 'raw-public', type: 'uncompressed' }))
    const expected = { recommendedCurve: RecommendedCurve.P_256, qString }
    assert.deepEqual(materialOf(publicForm(F.X_509, spki(ec.publicKey)), F.TransparentECMQVPublicKey), expected)
  })

  test('DSA: as openssl prints them', () => {
    const text = openssl(['pkey', '-inform', 'DER', '-noout', '-text'], pkcs8(dsa.privateKey)).toString()
    const printed = (label: string) => {
      const match = new RegExp(`${label}:\\s*((?:[0-9a-f]{2}:?\\s*)+)`).exec(text)
      return BigInt(`0x${match?.[1]?.replaceAll(/[^0-9a-f]/g, '')}`)
    }
    const structure = materialOf(privateForm(F.PKCS_8, pkcs8(dsa.privateKey)), F.TransparentDSAPrivateKey)
    assert.deepEqual(structure, { p: printed('P'), q: printed('Q'), g: printed('G'), x: printed('priv') })
  })

  test('DH after X9.42, with Q: read and written as openssl does', () => {
    const args = ['genpkey', '-algorithm', 'DHX', '-pkeyopt', 'group:dh_2048_224', '-outform', 'DER']
    const privateKey = plain(openssl(args, new Uint8Array()))
    const publicKey = plain(openssl(['pkey', '-inform', 'DER', '-pubout', '-outform', 'DER'], privateKey))
    const form = privateForm(F.PKCS_8, privateKey)
    assert.deepEqual(parseKey(form), { cryptographicAlgorithm: A.DH, cryptographicLength: 2048, checked: true })
    const structure = materialOf(form, F.TransparentDHPrivateKey)
    assert.ok(structure.q !== undefined && structure.j === undefined)
    const ours = convertKey(privateForm(F.TransparentDHPrivateKey, structure), { keyFormatType: F.PKCS_8 }).keyMaterial
    const read = openssl(['pkey', '-inform', 'DER', '-pubout', '-outform', 'DER'], ours as Uint8Array)
    assert.deepEqual(plain(read), publicKey)
    const publicStructure = materialOf(publicForm(F.X_509, publicKey), F.TransparentDHPublicKey)
    const back = convertKey(publicForm(F.TransparentDHPublicKey, publicStructure), { keyFormatType: F.X_509 })
    assert.deepEqual(back.keyMaterial, publicKey)
  })

  test('DH with J, which PKCS#8 and X.509 keep behind Q', () => {
    const args = ['genpkey', '-algorithm', 'DHX', '-pkeyopt', 'group:dh_2048_224', '-outform', 'DER']
    const form = privateForm(F.PKCS_8, plain(openssl(args, new Uint8Array())))
    const withoutJ = materialOf(form, F.TransparentDHPrivateKey)
    const { p = 0n, q = 1n } = withoutJ
    const structure = { ...withoutJ, j: (p - 1n) / q }
    const pkcs8Form = convertKey(privateForm(F.TransparentDHPrivateKey, structure), { keyFormatType: F.PKCS_8 })
    const read = openssl(['asn1parse', '-inform', 'DER'], pkcs8Form.keyMaterial as Uint8Array).toString()
    const integers = [...read.matchAll(/INTEGER +:([0-9A-F]+)/g)].map(([, digits]) => BigInt(`0x${digits}`))
    assert.deepEqual(integers, [0n, p, structure.g, q, structure.j])
    assert.deepEqual(materialOf(privateForm(F.PKCS_8, pkcs8Form.keyMaterial), F.TransparentDHPrivateKey), structure)
    const wrong = privateForm(F.TransparentDHPrivateKey, { ...structure, j: structure.j + 1n })
    refuses('invalid', () => parseKey(wrong))
  })
})

describe('key compression', () => {
  const compressions = [
    [C.ECPublicKeyTypeUncompressed, 'uncompressed', 'both'],
    [C.ECPublicKeyTypeX9_62CompressedPrime, 'compressed', 'prime'],
    [C.ECPublicKeyTypeX9_62CompressedChar2, 'compressed', 'binary'],
    [C.ECPublicKeyTypeX9_62Hybrid, 'hybrid', 'both'],
  ] as const
  for (const curveNumber of [RecommendedCurve.P_256, RecommendedCurve.P_521, RecommendedCurve.K_283] as const) {
    const curve = curveRows.get(curveNumber)
    assert.ok(curve !== undefined)
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: curve.libraryName })
    for (const [keyCompressionType, form, field] of compressions) {
      test(`${curve.name} ${form} (${keyCompressionType})`, () => {
        const from = publicForm(F.X_509, spki(publicKey))
        const convert = (keyFormatType?: F) => convertKey(from, { keyFormatType, keyCompressionType })
        if (field !== 'both' && field !== curve.field) {
          refuses('unsupportedCompression', () => convert())
          return
        }
        const converted = convert()
        const expected = openssl(
          ['ec', '-pubin', '-inform', 'DER', '-outform', 'DER', '-conv_form', form],
          spki(publicKey),
        )
        assert.deepEqual(converted, { keyFormatType: F.X_509, keyMaterial: plain(expected), keyCompressionType })
        const { qString } = convert(F.TransparentECPublicKey).keyMaterial as { qString: Uint8Array }
        assert.deepEqual(Buffer.from(expected).subarray(-qString.length), Buffer.from(qString))
        // What was given compressed can be registered again.
        const registered = publicForm(F.X_509, converted.keyMaterial)
        assert.deepEqual(convertKey(registered, { keyFormatType: F.TransparentECPublicKey }).keyMaterial, {
          recommendedCurve: curveNumber,
          qString: plain(publicKey.export({ format: 'raw-public', type: 'uncompressed' })),
        })
        const structure = publicForm(F.TransparentECPublicKey, { recommendedCurve: curveNumber, qString })
        assert.deepEqual(convertKey(structure, { keyFormatType: F.X_509 }).keyMaterial, spki(publicKey))
      })
    }
  }
  const keyCompressionType = C.ECPublicKeyTypeX9_62CompressedPrime
  const others: readonly KeyForm[] = [
    publicForm(F.PKCS_1, pkcs1(rsa.publicKey)),
    publicForm(F.X_509, spki(ed25519.publicKey)),
    publicForm(F.X_509, spki(x25519.publicKey)),
    privateForm(F.PKCS_8, pkcs8(ec.privateKey)),
    symmetricForm(new Uint8Array(16)),
  ]
  for (const [index, form] of others.entries()) {
    test(`a key without a point is refused (${index})`, () =>
      refuses('unsupportedCompression', () => convertKey(form, { keyCompressionType })))
  }
})

describe('raw keys', () => {
  for (const [pair, algorithm] of [
    [ed25519, A.Ed25519],
    [ed448, A.Ed448],
  ] as const) {
    test(`Edwards keys are read from their bytes (${algorithm})`, () => {
      const form = { ...privateForm(F.Raw, raw(pair.privateKey)), cryptographicAlgorithm: algorithm }
      assert.ok(parseKey(form).checked)
      assert.deepEqual(convertKey(form, { keyFormatType: F.PKCS_8 }).keyMaterial, pkcs8(pair.privateKey))
      const converted = convertKey(publicForm(F.X_509, spki(pair.publicKey)), { keyFormatType: F.Raw })
      assert.deepEqual(converted.keyMaterial, raw(pair.publicKey))
      refuses('invalid', () => parseKey({ ...form, keyMaterial: raw(pair.privateKey).subarray(1) }))
    })
  }
  test('of other pairs they are kept, unread', () => {
    const form = {
      ...privateForm(F.Raw, new Uint8Array(32)),
      cryptographicAlgorithm: A.ECDSA,
      cryptographicLength: 256,
    }
    const expected = { cryptographicAlgorithm: A.ECDSA, cryptographicLength: 256, checked: false }
    assert.deepEqual(parseKey(form), expected)
    assert.deepEqual(convertKey(form, {}).keyMaterial, form.keyMaterial)
    refuses('unsupported', () => convertKey(form, { keyFormatType: F.PKCS_8 }))
    refuses('unsupported', () => convertKey(privateForm(F.PKCS_8, pkcs8(ec.privateKey)), { keyFormatType: F.Raw }))
  })
})
