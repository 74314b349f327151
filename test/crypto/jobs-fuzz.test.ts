/** Jobs with parameters that make no sense: whatever a client asks for, the answer is a result or an error of ours. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { AlgorithmError, KeyFormatError, KeyUseError, KeyWrapError } from '#crypto/errors'
import { type CryptoJob, executeJob } from '#crypto/jobs'
import { openStream } from '#crypto/stream'
import { CryptographicAlgorithm as A, KeyFormatType as F, ObjectType } from '#kmip/enums'
import { dsa, ec, ed25519, pkcs1, pkcs8, privateForm, publicForm, rsa, spki, x25519 } from '#test/crypto/keys'

const octets = (maxLength: number) => fc.uint8Array({ maxLength }).map((bytes) => new Uint8Array(bytes))
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 2 })
/** Most of what a client leaves out: else hardly a request makes sense. */
const rarely = <Value>(value: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })
const number = (max: number) => maybe(fc.integer({ min: -1, max }))

const parameters = fc.record({
  blockCipherMode: maybe(fc.integer({ min: 1, max: 18 })),
  paddingMethod: rarely(fc.integer({ min: 0, max: 12 })),
  hashingAlgorithm: number(20),
  digitalSignatureAlgorithm: rarely(fc.integer({ min: 1, max: 21 })),
  cryptographicAlgorithm: rarely(fc.integer({ min: 0, max: 60 })),
  randomIv: maybe(fc.boolean()),
  ivLength: rarely(fc.integer({ min: -1, max: 200 })),
  tagLength: rarely(fc.integer({ min: -1, max: 20 })),
  counterLength: rarely(fc.integer({ min: -1, max: 40 })),
  initialCounterValue: number(300),
  saltLength: number(300),
  maskGeneratorHashingAlgorithm: number(20),
  pSource: maybe(octets(8)),
})

const symmetricKey = fc.record({
  objectType: fc.constant(ObjectType.SymmetricKey),
  keyFormatType: fc.constant(F.Raw),
  keyMaterial: fc.oneof(
    fc.constantFrom(16, 24, 32).map((length) => new Uint8Array(length)),
    octets(40),
  ),
  cryptographicAlgorithm: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(A.AES, A.DES3, A.Camellia, A.ARIA, A.ChaCha20, A.HMAC_SHA256) },
    { weight: 1, arbitrary: maybe(fc.integer({ min: 1, max: 60 }).map((value) => value as A)) },
  ),
})
const key = fc.oneof(
  { weight: 3, arbitrary: symmetricKey },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      privateForm(F.PKCS_1, pkcs1(rsa.privateKey)),
      publicForm(F.PKCS_1, pkcs1(rsa.publicKey)),
      privateForm(F.PKCS_8, pkcs8(ec.privateKey)),
      publicForm(F.X_509, spki(ec.publicKey)),
      privateForm(F.PKCS_8, pkcs8(ed25519.privateKey)),
      publicForm(F.X_509, spki(dsa.publicKey)),
      privateForm(F.PKCS_8, pkcs8(x25519.privateKey)),
      privateForm(F.PKCS_8, new Uint8Array(30)),
      { objectType: ObjectType.Certificate, keyFormatType: F.X_509, keyMaterial: new Uint8Array(30) },
    ),
  },
)
const data = octets(80)

const jobs = fc.oneof<fc.Arbitrary<CryptoJob>[]>(
  fc.record({ kind: fc.constant('encrypt'), key, parameters, data, iv: maybe(octets(20)), aad: maybe(data) }),
  fc.record({
    kind: fc.constant('decrypt'),
    key,
    parameters,
    data,
    iv: maybe(octets(20)),
    aad: maybe(data),
    tag: maybe(octets(17)),
  }),
  fc.record({ kind: fc.constant('sign'), key, parameters, data: maybe(data), digestedData: maybe(data) }),
  fc.record({
    kind: fc.constant('verifySignature'),
    key,
    parameters,
    data: maybe(data),
    digestedData: maybe(data),
    signature: octets(140),
  }),
  fc.record({ kind: fc.constant('verifyMac'), key, parameters, data, mac: octets(40) }),
  fc.record({
    kind: fc.constant('deriveKey'),
    method: fc.integer({ min: 0, max: 11 }),
    keys: fc.array(fc.record({ bytes: data, algorithm: number(60) }), { maxLength: 3 }),
    parameters,
    derivationData: maybe(data),
    iv: maybe(octets(20)),
    salt: maybe(data),
    iterationCount: number(5),
    lengthBytes: fc.integer({ min: -1, max: 9000 }),
  }),
  fc.record({
    kind: fc.constant('splitKey'),
    method: fc.integer({ min: 0, max: 5 }),
    parts: fc.integer({ min: -1, max: 20 }),
    threshold: fc.integer({ min: -1, max: 20 }),
    primeFieldSize: maybe(fc.bigInt({ min: -5n, max: 2n ** 200n })),
    secret: octets(20),
  }),
  fc.record({
    kind: fc.constant('joinKey'),
    method: fc.integer({ min: 0, max: 5 }),
    primeFieldSize: maybe(fc.bigInt({ min: -5n, max: 2n ** 200n })),
    shares: fc.array(fc.record({ keyPartIdentifier: fc.integer({ min: -1, max: 300 }), bytes: octets(20) }), {
      maxLength: 5,
    }),
    secretBytes: number(30),
  }),
)

/** Runs, and lets our own errors pass: each has a kind that a result reason stands for. */
function tolerate(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    const ours =
      error instanceof KeyUseError ||
      error instanceof AlgorithmError ||
      error instanceof KeyFormatError ||
      error instanceof KeyWrapError
    assert.ok(ours, error instanceof Error ? (error.stack ?? error.message) : 'no error')
  }
}

test('jobs', () => {
  fc.assert(
    fc.property(jobs, (job) => tolerate(() => executeJob(job))),
    { numRuns: 6000 },
  )
})

test('streams', () => {
  const kind = fc.constantFrom('encrypt', 'decrypt', 'sign', 'verifySignature', 'mac', 'verifyMac', 'hash')
  const options = fc.record({ kind, key: maybe(key), parameters, iv: maybe(octets(20)), aad: maybe(data) })
  fc.assert(
    fc.property(options, fc.array(data, { maxLength: 3 }), maybe(data), (opened, pieces, expected) =>
      tolerate(() => {
        const stream = openStream(opened)
        for (const piece of pieces) stream.update(piece)
        stream.final(undefined, expected)
      }),
    ),
    { numRuns: 2000 },
  )
})
