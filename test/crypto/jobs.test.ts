/** The jobs that use keys: the same answers inline and in the pool, errors on their way back, and what each costs. */

import assert from 'node:assert/strict'
import { createHash, verify } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { type CryptoJob, costOf } from '#crypto/jobs'
import { createCryptoRunner, KeyUseError } from '#crypto/run'
import {
  CryptographicAlgorithm as A,
  DerivationMethod as D,
  KeyFormatType as F,
  HashingAlgorithm as H,
  BlockCipherMode as M,
  SplitKeyMethod as S,
} from '#kmip/enums'
import { ec, pkcs1, pkcs8, privateForm, publicForm, rsa, spki } from '#test/crypto/keys'
import { symmetric, text } from '#test/crypto/published'

const options = { workers: 1, queueMax: 64 }
const runners = {
  auto: createCryptoRunner({ placement: 'auto', ...options }),
  pool: createCryptoRunner({ placement: 'pool', ...options }),
}
after(async () => {
  await Promise.all([runners.auto.close(), runners.pool.close()])
})

const key = symmetric('000102030405060708090a0b0c0d0e0f')
const own = privateForm(F.PKCS_1, pkcs1(rsa.privateKey))
const other = publicForm(F.X_509, spki(rsa.publicKey))
const data = text('data')

for (const [placement, runner] of Object.entries(runners)) {
  describe(`placement ${placement}`, () => {
    test('encrypt and decrypt', async () => {
      const parameters = { blockCipherMode: M.GCM, randomIv: true }
      const encrypted = await runner.run({ kind: 'encrypt', key, parameters, data, aad: data })
      assert.equal(encrypted.iv?.length, 12)
      const decrypted = await runner.run({ kind: 'decrypt', key, parameters, aad: data, ...encrypted })
      assert.deepEqual(decrypted, { data })
      const wrapped = await runner.run({ kind: 'encrypt', key: other, parameters: {}, data })
      assert.deepEqual(await runner.run({ kind: 'decrypt', key: own, parameters: {}, ...wrapped }), { data })
    })

    test('sign and verifySignature', async () => {
      const { signature } = await runner.run({ kind: 'sign', key: own, parameters: {}, data })
      assert.equal(verify('sha256', data, rsa.publicKey, signature), true)
      const request = { kind: 'verifySignature', key: other, parameters: {}, signature } as const
      assert.deepEqual(await runner.run({ ...request, data }), { valid: true })
      assert.deepEqual(await runner.run({ ...request, data: text('other') }), { valid: false })
    })

    test('mac and verifyMac', async () => {
      const request = { key, parameters: { hashingAlgorithm: H.SHA_256 }, data }
      const { mac } = await runner.run({ kind: 'mac', ...request })
      assert.deepEqual(await runner.run({ kind: 'verifyMac', ...request, mac }), { valid: true })
      assert.deepEqual(await runner.run({ kind: 'verifyMac', ...request, mac: mac.subarray(1) }), { valid: false })
    })

    test('hash', async () => {
      const { digest } = await runner.run({ kind: 'hash', hashingAlgorithm: H.SHA3_256, data })
      assert.deepEqual(digest, new Uint8Array(createHash('sha3-256').update(data).digest()))
    })

    test('deriveKey', async () => {
      const keys = [{ bytes: data, algorithm: A.HMAC_SHA256 }]
      const request = { method: D.NIST800_108_C, keys, parameters: {}, derivationData: data, lengthBytes: 48 }
      assert.equal((await runner.run({ kind: 'deriveKey', ...request })).keyMaterial.length, 48)
    })

    test('splitKey and joinKey', async () => {
      for (const method of [S.XOR, S.PolynomialSharingGF2_16, S.PolynomialSharingPrimeField]) {
        const split = await runner.run({ kind: 'splitKey', method, parts: 3, threshold: 3, secret: data })
        const joined = await runner.run({ kind: 'joinKey', method, ...split, secretBytes: data.length })
        assert.deepEqual(joined, { secret: data })
      }
    })

    test('what fails comes back as it is', async () => {
      const parameters = { blockCipherMode: M.CBC }
      const missing = (error: unknown) => error instanceof KeyUseError && error.kind === 'missingIV'
      await assert.rejects(async () => runner.run({ kind: 'decrypt', key, parameters, data }), missing)
    })

    test('what a caller hands in stays as it is', async () => {
      const handed = text('data')
      await runner.run({ kind: 'encrypt', key, parameters: {}, data: handed })
      assert.deepEqual(handed, data)
    })
  })
}

describe('what a job costs', () => {
  const large = new Uint8Array(1_000_000)
  const curve = { ...privateForm(F.PKCS_8, pkcs8(ec.privateKey)), cryptographicAlgorithm: A.ECDSA }
  // Wide of the measured figures, which another machine's run may change.
  const rows: readonly (readonly [string, CryptoJob, boolean, min: number, max: number])[] = [
    ['a small encryption', { kind: 'encrypt', key, parameters: {}, data }, true, 1, 50],
    ['a large one', { kind: 'encrypt', key, parameters: {}, data: large }, false, 100, 50_000],
    ['a large hash', { kind: 'hash', hashingAlgorithm: H.SHA_256, data: large }, false, 100, 50_000],
    ['decryption with RSA', { kind: 'decrypt', key: own, parameters: {}, data }, false, 100, 5000],
    ['a signature of RSA', { kind: 'sign', key: own, parameters: {}, data }, false, 100, 5000],
    ['a check of RSA', { kind: 'verifySignature', key: other, parameters: {}, data, signature: data }, true, 1, 200],
    ['a signature on P-256', { kind: 'sign', key: curve, parameters: {}, data }, true, 5, 200],
    [
      'many iterations',
      { kind: 'deriveKey', method: D.PBKDF2, keys: [], parameters: {}, iterationCount: 40_960, lengthBytes: 16 },
      false,
      5000,
      100_000,
    ],
    [
      'iterations of many blocks',
      { kind: 'deriveKey', method: D.PBKDF2, keys: [], parameters: {}, iterationCount: 40, lengthBytes: 512 },
      false,
      100,
      5000,
    ],
    [
      'a small derivation',
      { kind: 'deriveKey', method: D.NIST800_108_C, keys: [], parameters: {}, derivationData: data, lengthBytes: 32 },
      true,
      1,
      50,
    ],
    [
      'a hash of large data',
      { kind: 'deriveKey', method: D.HASH, keys: [], parameters: {}, derivationData: large, lengthBytes: 32 },
      false,
      1000,
      100_000,
    ],
    [
      'a pseudorandom function over large data, again and again',
      {
        kind: 'deriveKey',
        method: D.NIST800_108_DPI,
        keys: [],
        parameters: {},
        derivationData: large,
        lengthBytes: 64,
      },
      false,
      100_000,
      5_000_000,
    ],
    [
      'an RSA key of long numbers',
      {
        kind: 'parseKey',
        ...privateForm(F.TransparentRSAPrivateKey, { modulus: 2n ** 8_192n, p: 2n ** 4_096n, q: 2n ** 4_096n }),
      },
      false,
      1000,
      100_000,
    ],
    [
      'a prime',
      { kind: 'splitKey', method: S.PolynomialSharingPrimeField, parts: 2, threshold: 2, secret: data },
      false,
      5000,
      100_000,
    ],
    ['shares', { kind: 'joinKey', method: S.PolynomialSharingGF2_8, shares: [] }, false, 10, 1000],
    ['a pair of RSA', { kind: 'generateKeyPair', cryptographicAlgorithm: A.RSA }, false, 10_000, 1_000_000],
    [
      'a pair that cannot be',
      { kind: 'generateKeyPair', cryptographicAlgorithm: A.RSA, cryptographicLength: 99 },
      true,
      0,
      0,
    ],
  ]
  for (const [name, job, inPlace, min, max] of rows) {
    test(name, () => {
      const cost = costOf(job)
      assert.equal(cost.inPlace, inPlace)
      assert.ok(cost.microseconds >= min && cost.microseconds <= max, String(cost.microseconds))
    })
  }
})
