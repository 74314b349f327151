/** What a client registers: what is read, what is completed, what is kept unread and what is refused. */

import assert from 'node:assert/strict'
import { createECDH, generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { derElement, derElements, derInteger, derSequence, integerOf } from '#crypto/der'
import type { KeyFormatErrorKind } from '#crypto/errors'
import { convertKey, type KeyForm, parseKey } from '#crypto/key-format'
import type { TransparentKey } from '#crypto/transparent'
import { CryptographicAlgorithm as A, KeyFormatType as F, ObjectType, RecommendedCurve } from '#kmip/enums'
import {
  dsa,
  ec,
  ed25519,
  openssl,
  pkcs1,
  pkcs8,
  plain,
  privateForm,
  publicForm,
  refuses,
  rsa,
  sec1,
  spki,
  symmetricForm,
  type WholeStructure,
} from '#test/crypto/keys'

describe('RSA private keys of which a part is given', () => {
  const whole = convertKey(privateForm(F.PKCS_1, pkcs1(rsa.privateKey)), { keyFormatType: F.TransparentRSAPrivateKey })
  const all = whole.keyMaterial as WholeStructure
  const { modulus, publicExponent, privateExponent, p, q, primeExponentP, primeExponentQ } = all
  const parts: readonly (readonly [string, TransparentKey])[] = [
    ['private exponent', { modulus, publicExponent, privateExponent }],
    ['private exponent alone', { modulus, privateExponent }],
    ['P and Q', { modulus, publicExponent, p, q }],
    ['P and Q and the private exponent', { modulus, privateExponent, p, q }],
    ['P alone', { modulus, publicExponent, p }],
    ['exponents of the primes', { modulus, publicExponent, primeExponentP, primeExponentQ }],
    ['exponent of Q, no public exponent', { modulus, primeExponentQ }],
  ]
  for (const [name, keyMaterial] of parts) {
    test(`${name}: completed`, () => {
      const converted = convertKey(privateForm(F.TransparentRSAPrivateKey, keyMaterial), { keyFormatType: F.PKCS_1 })
      const key = converted.keyMaterial as Uint8Array
      assert.match(openssl(['rsa', '-inform', 'DER', '-check', '-noout'], key).toString(), /RSA key ok/)
      assert.deepEqual(
        plain(openssl(['rsa', '-inform', 'DER', '-pubout', '-outform', 'DER'], key)),
        spki(rsa.publicKey),
      )
    })
  }
  const broken: readonly (readonly [string, TransparentKey])[] = [
    ['nothing but the modulus', { modulus, publicExponent }],
    ['no modulus', { publicExponent, privateExponent }],
    ['a wrong P', { ...all, p: p + 2n }],
    ['a wrong private exponent', { modulus, publicExponent, privateExponent: privateExponent + 2n }],
    ['a wrong coefficient', { ...all, crtCoefficient: all.crtCoefficient + 1n }],
    ['a wrong exponent of P', { modulus, publicExponent, primeExponentP: primeExponentP + 1n }],
    ['an even public exponent', { ...all, publicExponent: publicExponent + 1n }],
    ['a negative modulus', { ...all, modulus: -modulus }],
    ['a negative P', { ...all, p: -p, q: -q }],
    ['P of zero', { modulus, publicExponent, p: 0n }],
    ['P of one', { modulus, publicExponent, p: 1n, q: modulus }],
    ['a private exponent of zero', { modulus, publicExponent, p, q, privateExponent: 0n }],
  ]
  for (const [name, keyMaterial] of broken) {
    test(`${name}: refused`, () =>
      refuses('invalid', () => parseKey(privateForm(F.TransparentRSAPrivateKey, keyMaterial))))
  }
  test('too long to complete: refused', () => {
    const long = 2n ** 8191n + 1n
    const form = privateForm(F.TransparentRSAPrivateKey, { modulus: long, publicExponent, privateExponent: long - 2n })
    refuses('unsupported', () => parseKey(form))
  })
  test('a prime exchanged in DER: refused', () => {
    const numbers = derSequence(pkcs1(rsa.privateKey)).map(integerOf)
    numbers[4] = p + 2n
    const changed = derElement(0x30, ...numbers.map(derInteger))
    refuses('invalid', () => parseKey(privateForm(F.PKCS_1, changed)))
  })
})

describe('symmetric keys and secret data', () => {
  const legal: readonly (readonly [A, number, number | undefined, number])[] = [
    [A.AES, 16, undefined, 128],
    [A.AES, 32, 256, 256],
    [A.DES3, 16, 112, 112],
    [A.DES3, 16, undefined, 112],
    [A.DES3, 16, 128, 128],
    [A.DES3, 24, 168, 168],
    [A.DES3, 24, 192, 192],
    [A.DES3, 24, undefined, 168],
    [A.DES, 8, undefined, 56],
    [A.SKIPJACK, 10, 80, 80],
    [A.HMAC_SHA1, 20, 160, 160],
    [A.HMAC_SHA256, 1, undefined, 8],
    [A.ChaCha20, 32, 256, 256],
    [A.SM4, 16, 128, 128],
  ]
  for (const [cryptographicAlgorithm, bytes, claimed, lengthBits] of legal) {
    test(`algorithm ${cryptographicAlgorithm}, ${bytes} bytes, said to be ${claimed}: ${lengthBits}`, () => {
      const form = symmetricForm(new Uint8Array(bytes), { cryptographicAlgorithm, cryptographicLength: claimed })
      assert.deepEqual(parseKey(form), { cryptographicAlgorithm, cryptographicLength: lengthBits, checked: true })
    })
  }
  const refused: readonly (readonly [string, KeyFormatErrorKind, KeyForm])[] = [
    ['17 bytes of AES', 'invalid', symmetricForm(new Uint8Array(17))],
    ['AES said to be longer', 'invalid', symmetricForm(new Uint8Array(16), { cryptographicLength: 256 })],
    ['AES of 8192 bits', 'invalid', symmetricForm(new Uint8Array(1024))],
    ['no bytes', 'invalid', symmetricForm(new Uint8Array(0))],
    ['3DES of 8 bytes', 'invalid', symmetricForm(new Uint8Array(8), { cryptographicAlgorithm: A.DES3 })],
    ['a symmetric key of RSA', 'invalid', symmetricForm(new Uint8Array(16), { cryptographicAlgorithm: A.RSA })],
    ['a symmetric key of a hash', 'invalid', symmetricForm(new Uint8Array(16), { cryptographicAlgorithm: A.SHA3_256 })],
    ['PKCS#8 of a symmetric key', 'unsupported', symmetricForm(new Uint8Array(16), { keyFormatType: F.PKCS_8 })],
    ['a structure as Raw', 'invalid', symmetricForm({ key: new Uint8Array(16) })],
    [
      'bytes as a structure',
      'invalid',
      symmetricForm(new Uint8Array(16), { keyFormatType: F.TransparentSymmetricKey }),
    ],
    ['a structure without Key', 'invalid', symmetricForm({}, { keyFormatType: F.TransparentSymmetricKey })],
    [
      'an unknown algorithm',
      'unsupported',
      symmetricForm(new Uint8Array(16), { cryptographicAlgorithm: 0x999 as unknown as A }),
    ],
    ['a template', 'unsupported', symmetricForm(new Uint8Array(16), { objectType: ObjectType.Template })],
  ]
  for (const [name, kind, form] of refused) test(`refuses ${name}`, () => refuses(kind, () => parseKey(form)))

  test('Raw, Opaque and transparent turn into each other', () => {
    const key = Uint8Array.from({ length: 16 }, (_, index) => index)
    for (const objectType of [ObjectType.SymmetricKey, ObjectType.SecretData]) {
      const transparent = symmetricForm({ key }, { objectType, keyFormatType: F.TransparentSymmetricKey })
      for (const form of [symmetricForm(key, { objectType }), transparent]) {
        assert.deepEqual(convertKey(form, { keyFormatType: F.Raw }).keyMaterial, key)
        assert.deepEqual(convertKey(form, { keyFormatType: F.Opaque }).keyMaterial, key)
        assert.deepEqual(convertKey(form, { keyFormatType: F.TransparentSymmetricKey }).keyMaterial, { key })
        refuses('unsupported', () => convertKey(form, { keyFormatType: F.PKCS_1 }))
      }
    }
  })

  test('Opaque says nothing of the length', () => {
    const form = symmetricForm(new Uint8Array(77), { keyFormatType: F.Opaque, cryptographicLength: 128 })
    assert.deepEqual(parseKey(form), { cryptographicAlgorithm: A.AES, cryptographicLength: 128, checked: false })
  })

  test('secret data needs neither algorithm nor length', () => {
    const form = { objectType: ObjectType.SecretData, keyFormatType: F.Opaque, keyMaterial: new Uint8Array(96) }
    assert.deepEqual(parseKey(form), { checked: false })
    refuses('invalid', () => parseKey({ ...form, keyMaterial: new Uint8Array(0) }))
    refuses('unsupported', () => parseKey({ ...form, keyFormatType: F.X_509 }))
  })
})

describe('what a client says of a key of a pair', () => {
  const encrypted = plain(
    ec.privateKey.export({ format: 'der', type: 'pkcs8', cipher: 'aes-128-cbc', passphrase: 'not ours' }),
  )
  test('an encrypted PKCS#8 key is kept, unread', () => {
    const form = { ...privateForm(F.PKCS_8, encrypted), cryptographicAlgorithm: A.ECDSA, cryptographicLength: 256 }
    const expected = { cryptographicAlgorithm: A.ECDSA, cryptographicLength: 256, checked: false }
    assert.deepEqual(parseKey(form), expected)
    assert.deepEqual(convertKey(form, { keyFormatType: F.PKCS_8 }).keyMaterial, encrypted)
    refuses('unsupported', () => convertKey(form, { keyFormatType: F.ECPrivateKey }))
  })

  test('a key for RSA-PSS is read, and given as it came', () => {
    const pss = generateKeyPairSync('rsa-pss', { modulusLength: 1024 })
    const form = privateForm(F.PKCS_8, pkcs8(pss.privateKey))
    assert.deepEqual(parseKey(form), { cryptographicAlgorithm: A.RSA, cryptographicLength: 1024, checked: true })
    refuses('unsupported', () => convertKey(form, { keyFormatType: F.PKCS_1 }))
    refuses('unsupported', () => convertKey(form, { keyFormatType: F.TransparentRSAPrivateKey }))
    // The last number of the one is the coefficient, of the other the exponent.
    for (const [whole, formOf] of [
      [pkcs8(pss.privateKey), (der: Uint8Array) => privateForm(F.PKCS_8, der)],
      [spki(pss.publicKey), (der: Uint8Array) => publicForm(F.X_509, der)],
    ] as const) {
      const changed = whole.with(whole.length - 1, (whole.at(-1) ?? 0) ^ 1)
      refuses('invalid', () => parseKey(formOf(changed)))
    }
  })

  test('EC algorithms share their keys; the structure names one', () => {
    for (const cryptographicAlgorithm of [A.ECDSA, A.ECDH, A.ECMQV, A.EC]) {
      const parsed = parseKey({ ...privateForm(F.ECPrivateKey, sec1(ec.privateKey)), cryptographicAlgorithm })
      assert.equal(parsed.cryptographicAlgorithm, cryptographicAlgorithm)
    }
    const keyMaterial = { recommendedCurve: RecommendedCurve.P_256, d: 5n }
    assert.equal(parseKey(privateForm(F.TransparentECDHPrivateKey, keyMaterial)).cryptographicAlgorithm, A.ECDH)
    assert.equal(parseKey(privateForm(F.TransparentECPrivateKey, keyMaterial)).cryptographicAlgorithm, A.EC)
  })

  const trailing = (bytes: Uint8Array) => Uint8Array.from([...bytes, 0])
  const otherD = createECDH('prime256v1')
  otherD.setPrivateKey(Uint8Array.of(5))
  const sec1OfTwoKeys = (): Uint8Array => {
    const whole = Buffer.from(sec1(ec.privateKey))
    whole.set(otherD.getPublicKey(), whole.length - 65)
    return plain(whole)
  }
  const explicit = openssl(
    ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-param_enc', 'explicit', '-outform', 'DER'],
    new Uint8Array(),
  )
  const explicitPkcs8 = openssl(['pkcs8', '-topk8', '-nocrypt', '-inform', 'DER', '-outform', 'DER'], explicit)
  const order = 2n ** 256n - 2n ** 224n + 2n ** 192n - 89188191075325690597107910205041859247n
  const p256 = RecommendedCurve.P_256
  const domain = convertKey(privateForm(F.PKCS_8, pkcs8(dsa.privateKey)), { keyFormatType: F.TransparentDSAPrivateKey })
    .keyMaterial as WholeStructure

  const refused: readonly (readonly [string, KeyFormatErrorKind, KeyForm])[] = [
    ['bytes behind PKCS#1', 'invalid', privateForm(F.PKCS_1, trailing(pkcs1(rsa.privateKey)))],
    ['bytes behind PKCS#8', 'invalid', privateForm(F.PKCS_8, trailing(pkcs8(rsa.privateKey)))],
    ['bytes behind ECPrivateKey', 'invalid', privateForm(F.ECPrivateKey, trailing(sec1(ec.privateKey)))],
    ['bytes behind X.509', 'invalid', publicForm(F.X_509, trailing(spki(ec.publicKey)))],
    ['no bytes', 'invalid', privateForm(F.PKCS_8, new Uint8Array(0))],
    ['no opaque bytes', 'invalid', privateForm(F.Opaque, new Uint8Array(0))],
    ['PKCS#1 as PKCS#8', 'invalid', privateForm(F.PKCS_8, pkcs1(rsa.privateKey))],
    ['ECPrivateKey as PKCS#8', 'invalid', privateForm(F.PKCS_8, sec1(ec.privateKey))],
    ['a private key as a public one', 'invalid', publicForm(F.PKCS_1, pkcs1(rsa.privateKey))],
    ['PKCS#8 as a public key', 'invalid', publicForm(F.PKCS_8, pkcs8(rsa.privateKey))],
    ['PKCS#8 as X.509', 'invalid', publicForm(F.X_509, pkcs8(rsa.privateKey))],
    ['X.509 as a private key', 'invalid', privateForm(F.X_509, spki(rsa.publicKey))],
    ['X.509 as PKCS#1', 'invalid', publicForm(F.PKCS_1, spki(rsa.publicKey))],
    ['a symmetric format', 'unsupported', privateForm(F.TransparentSymmetricKey, { key: new Uint8Array(16) })],
    ['PKCS#12', 'unsupported', privateForm(F.PKCS_12, new Uint8Array(16))],
    ['a curve by its numbers', 'unsupported', privateForm(F.ECPrivateKey, plain(explicit))],
    ['a curve by its numbers in PKCS#8', 'unsupported', privateForm(F.PKCS_8, plain(explicitPkcs8))],
    ['parts of two keys', 'invalid', privateForm(F.ECPrivateKey, sec1OfTwoKeys())],
    ['RSA said to be EC', 'invalid', { ...privateForm(F.PKCS_1, pkcs1(rsa.privateKey)), cryptographicAlgorithm: A.EC }],
    [
      'RSA said to be longer',
      'invalid',
      { ...privateForm(F.PKCS_1, pkcs1(rsa.privateKey)), cryptographicLength: 2048 },
    ],
    [
      'Ed25519 said to be Ed448',
      'invalid',
      { ...publicForm(F.X_509, spki(ed25519.publicKey)), cryptographicAlgorithm: A.Ed448 },
    ],
    ['more DER than a key has', 'unsupported', privateForm(F.PKCS_8, new Uint8Array(20000))],
    ['D of zero', 'invalid', privateForm(F.TransparentECPrivateKey, { recommendedCurve: p256, d: 0n })],
    ['D of the order', 'invalid', privateForm(F.TransparentECPrivateKey, { recommendedCurve: p256, d: order })],
    ['a negative D', 'invalid', privateForm(F.TransparentECPrivateKey, { recommendedCurve: p256, d: -5n })],
    ['D too long', 'invalid', privateForm(F.TransparentECPrivateKey, { recommendedCurve: p256, d: 2n ** 9999n })],
    ['no D', 'invalid', privateForm(F.TransparentECPrivateKey, { recommendedCurve: p256 })],
    ['an unknown curve', 'unsupported', privateForm(F.TransparentECPrivateKey, { recommendedCurve: 999, d: 5n })],
    [
      'a Montgomery curve as a structure',
      'unsupported',
      privateForm(F.TransparentECPrivateKey, { recommendedCurve: RecommendedCurve.CURVE25519, d: 5n }),
    ],
    [
      'infinity',
      'invalid',
      publicForm(F.TransparentECPublicKey, { recommendedCurve: p256, qString: Uint8Array.of(0) }),
    ],
    [
      'a point off the curve',
      'invalid',
      publicForm(F.TransparentECPublicKey, { recommendedCurve: p256, qString: new Uint8Array(65).fill(4) }),
    ],
    ['DSA, G of 1', 'invalid', privateForm(F.TransparentDSAPrivateKey, { ...domain, g: 1n })],
    ['DSA, an even P', 'invalid', privateForm(F.TransparentDSAPrivateKey, { ...domain, p: domain.p + 1n })],
    [
      'DSA, Q that does not divide',
      'invalid',
      privateForm(F.TransparentDSAPrivateKey, { ...domain, q: domain.q + 2n }),
    ],
    ['DSA, X of Q', 'invalid', privateForm(F.TransparentDSAPrivateKey, { ...domain, x: domain.q })],
    ['DSA, P too long', 'unsupported', privateForm(F.TransparentDSAPrivateKey, { ...domain, p: 2n ** 20000n + 1n })],
    ['DH, a wrong J', 'invalid', privateForm(F.TransparentDHPrivateKey, { ...domain, j: 4n })],
  ]
  for (const [name, kind, form] of refused) test(`refuses ${name}`, () => refuses(kind, () => parseKey(form)))

  test('the order in the table is the order of P-256', () => {
    assert.equal(
      parseKey(privateForm(F.TransparentECPrivateKey, { recommendedCurve: p256, d: order - 1n })).checked,
      true,
    )
  })

  test('the messages hold nothing of the key', () => {
    for (const [, , form] of refused) {
      assert.throws(
        () => parseKey(form),
        (error) => error instanceof Error && !/\d{6}/.test(error.message) && error.message.length < 90,
      )
    }
  })

  test('a format that the key does not have is unsupported', () => {
    const targets = [F.ECPrivateKey, F.TransparentECPrivateKey, F.TransparentDSAPrivateKey, F.X_509, F.PKCS_12, F.Raw]
    for (const keyFormatType of targets) {
      refuses('unsupported', () => convertKey(privateForm(F.PKCS_1, pkcs1(rsa.privateKey)), { keyFormatType }))
    }
  })
})

describe('DER', () => {
  test('lengths are the shortest, and nothing is left over', () => {
    for (const text of ['30', '3001', '3080', '308100', '30820001', '300002', '02', '1f0100', '3084000000']) {
      refuses('invalid', () => derSequence(Uint8Array.from(Buffer.from(text, 'hex'))))
    }
    for (const text of ['0200', '020180', '02020001']) {
      refuses('invalid', () => integerOf(derElements(Uint8Array.from(Buffer.from(text, 'hex')))[0]))
    }
  })
  test('integers go and come', () => {
    for (const value of [0n, 1n, 127n, 128n, 255n, 256n, 2n ** 64n, 2n ** 1023n, 2n ** 2048n - 1n]) {
      assert.equal(integerOf(derElements(derInteger(value))[0]), value)
    }
  })
})
