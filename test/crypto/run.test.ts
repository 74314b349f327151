/** The runner: the same answers inline and in the pool, key pairs against the openssl command, errors on their way back. */

import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { algorithmRows, materialBytesOf } from '#crypto/algorithms'
import {
  AlgorithmError,
  CryptoBusy,
  createCryptoRunner,
  type KeyForm,
  KeyFormatError,
  type KeyPairRequest,
  KeyWrapError,
} from '#crypto/run'
import {
  CryptographicAlgorithm as A,
  KeyFormatType as F,
  HashingAlgorithm,
  ObjectType,
  RecommendedCurve,
} from '#kmip/enums'
import { openssl, pkcs1, rsa } from '#test/crypto/keys'

const options = { workers: 2, queueMax: 64 }
const runners = {
  auto: createCryptoRunner({ placement: 'auto', ...options }),
  pool: createCryptoRunner({ placement: 'pool', ...options }),
}
after(async () => {
  await Promise.all([runners.auto.close(), runners.pool.close()])
})

const symmetricAlgorithms = [...algorithmRows.values()].filter(({ kind }) => kind === 'symmetric' || kind === 'hmac')

/** What a pair must be: its algorithm, bits, curve, and formats. */
const pairs: readonly (readonly [string, KeyPairRequest, number, F, F, number?])[] = [
  ['RSA-2048', { cryptographicAlgorithm: A.RSA, cryptographicLength: 2048 }, 2048, F.PKCS_1, F.PKCS_1],
  [
    'RSA-1024 in PKCS#8 and X.509',
    {
      cryptographicAlgorithm: A.RSA,
      cryptographicLength: 1024,
      privateKeyFormatType: F.PKCS_8,
      publicKeyFormatType: F.X_509,
    },
    1024,
    F.PKCS_8,
    F.X_509,
  ],
  ['ECDSA', { cryptographicAlgorithm: A.ECDSA }, 256, F.ECPrivateKey, F.X_509, RecommendedCurve.P_256],
  [
    'ECDSA of 521 bits',
    { cryptographicAlgorithm: A.ECDSA, cryptographicLength: 521 },
    521,
    F.ECPrivateKey,
    F.X_509,
    RecommendedCurve.P_521,
  ],
  [
    'ECDSA on P-521, counted in bytes',
    { cryptographicAlgorithm: A.ECDSA, cryptographicLength: 528, recommendedCurve: RecommendedCurve.P_521 },
    521,
    F.ECPrivateKey,
    F.X_509,
    RecommendedCurve.P_521,
  ],
  [
    'EC on secp256k1',
    { cryptographicAlgorithm: A.EC, recommendedCurve: RecommendedCurve.SECP256K1, cryptographicLength: 256 },
    256,
    F.ECPrivateKey,
    F.X_509,
    RecommendedCurve.SECP256K1,
  ],
  [
    'ECDH on B-283',
    { cryptographicAlgorithm: A.ECDH, recommendedCurve: RecommendedCurve.B_283 },
    283,
    F.ECPrivateKey,
    F.X_509,
    RecommendedCurve.B_283,
  ],
  [
    'ECDH on Curve25519',
    { cryptographicAlgorithm: A.ECDH, recommendedCurve: RecommendedCurve.CURVE25519 },
    256,
    F.PKCS_8,
    F.X_509,
    RecommendedCurve.CURVE25519,
  ],
  ['Ed25519', { cryptographicAlgorithm: A.Ed25519 }, 256, F.PKCS_8, F.X_509],
  ['Ed448', { cryptographicAlgorithm: A.Ed448 }, 456, F.PKCS_8, F.X_509],
  ['DSA-1024', { cryptographicAlgorithm: A.DSA, cryptographicLength: 1024 }, 1024, F.PKCS_8, F.X_509],
  ['DH-2048', { cryptographicAlgorithm: A.DH }, 2048, F.PKCS_8, F.X_509],
]

for (const [placement, runner] of Object.entries(runners)) {
  describe(`placement ${placement}`, () => {
    test('symmetric keys of every algorithm, of the default length', async () => {
      const keys = await Promise.all(
        symmetricAlgorithms.map(async ({ value }) =>
          runner.run({ kind: 'generateSymmetricKey', cryptographicAlgorithm: value }),
        ),
      )
      for (const [index, key] of keys.entries()) {
        const row = symmetricAlgorithms[index]
        assert.ok(row?.defaultLengthBits !== undefined)
        assert.equal(key.cryptographicLength, row.defaultLengthBits)
        assert.equal(key.keyMaterial.length, materialBytesOf(row, row.defaultLengthBits))
        assert.equal(key.keyFormatType, F.Raw)
        assert.ok(key.keyMaterial.length < 4 || key.keyMaterial.some((byte) => byte !== 0))
      }
      const texts = keys.map(({ keyMaterial }) => Buffer.from(keyMaterial).toString('hex'))
      assert.equal(
        new Set(texts.filter((text) => text.length >= 16)).size,
        texts.filter((text) => text.length >= 16).length,
      )
    })

    test('3DES keys have odd parity in every byte', async () => {
      const ones = (byte: number) => byte.toString(2).replaceAll('0', '').length
      for (const cryptographicLength of [112, 168]) {
        const job = { kind: 'generateSymmetricKey', cryptographicAlgorithm: A.DES3, cryptographicLength } as const
        const { keyMaterial } = await runner.run(job)
        assert.equal(keyMaterial.length, cryptographicLength === 112 ? 16 : 24)
        assert.ok(keyMaterial.every((byte) => ones(byte) % 2 === 1))
      }
    })

    for (const [name, request, lengthBits, privateFormat, publicFormat, curve] of pairs) {
      test(`${name}: a pair that openssl takes for one`, async () => {
        const pair = await runner.run({ kind: 'generateKeyPair', ...request })
        assert.equal(pair.cryptographicAlgorithm, request.cryptographicAlgorithm)
        assert.equal(pair.cryptographicLength, lengthBits)
        assert.equal(pair.recommendedCurve, curve)
        assert.deepEqual([pair.privateKey.keyFormatType, pair.publicKey.keyFormatType], [privateFormat, publicFormat])
        const { keyMaterial: privateKey } = pair.privateKey
        const { keyMaterial: publicKey } = pair.publicKey
        assert.ok(privateKey instanceof Uint8Array && publicKey instanceof Uint8Array)
        const form = publicFormat === F.PKCS_1 ? 'PKCS#1' : 'SPKI'
        const args =
          form === 'PKCS#1' ? ['rsa', '-inform', 'DER', '-RSAPublicKey_out'] : ['pkey', '-inform', 'DER', '-pubout']
        assert.deepEqual(openssl([...args, '-outform', 'DER'], privateKey), Buffer.from(publicKey))
        const parsed = await runner.run({
          kind: 'parseKey',
          objectType: ObjectType.PrivateKey,
          keyFormatType: privateFormat,
          keyMaterial: privateKey,
          cryptographicAlgorithm: request.cryptographicAlgorithm,
          cryptographicLength: lengthBits,
        })
        assert.equal(parsed.recommendedCurve, curve)
        assert.equal(parsed.checked, true)
      })
    }

    test('a generated pair signs', async () => {
      const pair = await runner.run({ kind: 'generateKeyPair', cryptographicAlgorithm: A.ECDSA })
      const { keyMaterial: privateKey } = pair.privateKey
      const { keyMaterial: publicKey } = pair.publicKey
      assert.ok(privateKey instanceof Uint8Array && publicKey instanceof Uint8Array)
      const key = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'sec1' })
      const signature = sign('sha256', Buffer.from('text'), key)
      const other = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' })
      assert.ok(verify('sha256', Buffer.from('text'), other, signature))
    })

    const refused: readonly (readonly [string, KeyPairRequest, string])[] = [
      ['a pair of AES', { cryptographicAlgorithm: A.AES }, 'unsupportedAlgorithm'],
      ['an unknown algorithm', { cryptographicAlgorithm: 0x999 as unknown as A }, 'unsupportedAlgorithm'],
      ['SM2', { cryptographicAlgorithm: A.SM2 }, 'unsupportedAlgorithm'],
      ['RSA of 2047 bits', { cryptographicAlgorithm: A.RSA, cryptographicLength: 2047 }, 'unsupportedLength'],
      ['RSA of 16384 bits', { cryptographicAlgorithm: A.RSA, cryptographicLength: 16384 }, 'unsupportedLength'],
      ['RSA with exponent 3', { cryptographicAlgorithm: A.RSA, publicExponent: 3 }, 'unsupportedParameter'],
      ['RSA with an even exponent', { cryptographicAlgorithm: A.RSA, publicExponent: 65538 }, 'unsupportedParameter'],
      ['ECDSA of 160 bits', { cryptographicAlgorithm: A.ECDSA, cryptographicLength: 160 }, 'unsupportedLength'],
      [
        'P-256 of 384 bits',
        { cryptographicAlgorithm: A.ECDSA, cryptographicLength: 384, recommendedCurve: RecommendedCurve.P_256 },
        'unsupportedLength',
      ],
      [
        'an unknown curve',
        { cryptographicAlgorithm: A.EC, recommendedCurve: 0x999 as unknown as RecommendedCurve },
        'unsupportedCurve',
      ],
      [
        'ECDSA on Curve25519',
        { cryptographicAlgorithm: A.ECDSA, recommendedCurve: RecommendedCurve.CURVE25519 },
        'unsupportedCurve',
      ],
      [
        'DSA with Q of 161 bits',
        { cryptographicAlgorithm: A.DSA, cryptographicLength: 1024, qLength: 161 },
        'unsupportedParameter',
      ],
      [
        'a format of no pair',
        { cryptographicAlgorithm: A.EC, privateKeyFormatType: F.TransparentSymmetricKey },
        'unsupportedParameter',
      ],
    ]
    for (const [name, request, kind] of refused) {
      test(`refuses ${name}`, async () => {
        await assert.rejects(
          async () => runner.run({ kind: 'generateKeyPair', ...request }),
          (error) => error instanceof AlgorithmError && error.kind === kind,
        )
      })
    }

    test('errors of every kind come back as they are', async () => {
      const data = new Uint8Array(16)
      const form: KeyForm = { objectType: ObjectType.PrivateKey, keyFormatType: F.PKCS_8, keyMaterial: data }
      await assert.rejects(async () => runner.run({ kind: 'parseKey', ...form }), KeyFormatError)
      await assert.rejects(
        async () => runner.run({ kind: 'convertKey', from: form, to: { keyFormatType: F.X_509 } }),
        KeyFormatError,
      )
      await assert.rejects(
        async () => runner.run({ kind: 'wrapKey', wrappingKey: new Uint8Array(5), data }),
        KeyWrapError,
      )
      const bad = { kind: 'generateKeyPair', cryptographicAlgorithm: A.EC, privateKeyFormatType: F.PKCS_1 } as const
      await assert.rejects(async () => runner.run(bad), KeyFormatError)
      const wrongLength = {
        kind: 'generateSymmetricKey',
        cryptographicAlgorithm: A.AES,
        cryptographicLength: 100,
      } as const
      await assert.rejects(async () => runner.run(wrongLength), AlgorithmError)
    })

    test('wrap, unwrap, digest, convert', async () => {
      const wrappingKey = new Uint8Array(32).fill(7)
      const data = Uint8Array.from({ length: 24 }, (_, index) => index)
      const wrapped = await runner.run({ kind: 'wrapKey', wrappingKey, data })
      assert.deepEqual(await runner.run({ kind: 'unwrapKey', wrappingKey, data: wrapped }), data)
      const digest = await runner.run({
        kind: 'digest',
        encodedMaterial: new Uint8Array(100_000),
        keyFormatType: F.Raw,
      })
      assert.equal(digest.hashingAlgorithm, HashingAlgorithm.SHA_256)
      assert.deepEqual(
        Buffer.from(digest.digestValue),
        openssl(['dgst', '-sha256', '-binary'], new Uint8Array(100_000)),
      )
      const from: KeyForm = {
        objectType: ObjectType.PrivateKey,
        keyFormatType: F.PKCS_1,
        keyMaterial: pkcs1(rsa.privateKey),
      }
      const { keyMaterial } = await runner.run({
        kind: 'convertKey',
        from,
        to: { keyFormatType: F.TransparentRSAPrivateKey },
      })
      assert.ok(!(keyMaterial instanceof Uint8Array) && keyMaterial.modulus !== undefined)
      // Without its primes the key is completed in the pool, whatever the placement.
      const partly = { modulus: keyMaterial.modulus, privateExponent: keyMaterial.privateExponent }
      const incomplete: KeyForm = { ...from, keyFormatType: F.TransparentRSAPrivateKey, keyMaterial: partly }
      const completed = await runner.run({ kind: 'convertKey', from: incomplete, to: { keyFormatType: F.PKCS_8 } })
      assert.equal((await runner.run({ kind: 'parseKey', ...incomplete })).cryptographicLength, 1024)
      assert.ok(completed.keyMaterial instanceof Uint8Array)
    })

    test('what a caller hands in stays as it is', async () => {
      const keyMaterial = new Uint8Array(16).fill(9)
      await runner.run({
        kind: 'parseKey',
        objectType: ObjectType.SymmetricKey,
        keyFormatType: F.Raw,
        keyMaterial,
        cryptographicAlgorithm: A.AES,
      })
      assert.deepEqual(keyMaterial, new Uint8Array(16).fill(9))
    })
  })
}

test('beyond the bound a runner is busy', async () => {
  const runner = createCryptoRunner({ placement: 'pool', workers: 1, queueMax: 2 })
  const job = { kind: 'generateSymmetricKey', cryptographicAlgorithm: A.AES } as const
  const [first, second, third] = await Promise.allSettled([runner.run(job), runner.run(job), runner.run(job)])
  assert.deepEqual([first?.status, second?.status], ['fulfilled', 'fulfilled'])
  assert.ok(third?.status === 'rejected' && third.reason instanceof CryptoBusy)
  await runner.close()
})
