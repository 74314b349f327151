/** Hash rows against known answers, and the Digest attribute. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { digestOf, hashRows, mandatoryDigest } from '#crypto/digest'
import { AlgorithmError } from '#crypto/errors'
import { enumerationRows, HashingAlgorithm, KeyFormatType } from '#kmip/enums'

const registered = enumerationRows.find(({ name }) => name === 'HashingAlgorithm')?.values ?? []

/** Digests of `abc`, from FIPS 180-4 and FIPS 202 examples, RFC 1321, and the RIPEMD-160 paper. */
const ofAbc: readonly (readonly [number, string])[] = [
  [HashingAlgorithm.MD5, '900150983cd24fb0d6963f7d28e17f72'],
  [HashingAlgorithm.SHA_1, 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  [HashingAlgorithm.SHA_224, '23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7'],
  [HashingAlgorithm.SHA_256, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [HashingAlgorithm.RIPEMD_160, '8eb208f7e05d987a9b044a8e98c6b087f15a0bfc'],
  [HashingAlgorithm.SHA_512_256, '53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23'],
  [HashingAlgorithm.SHA3_256, '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532'],
]

describe('digest', () => {
  test('every hashing algorithm of the registry has a row, and no other', () => {
    assert.deepEqual(
      [...hashRows.keys()],
      registered.map(({ value }) => value),
    )
  })

  for (const [algorithm, hex] of ofAbc) {
    test(`${hashRows.get(algorithm)?.name} of abc`, () => {
      assert.equal(Buffer.from(digestOf(algorithm, Buffer.from('abc'))).toString('hex'), hex)
    })
  }

  for (const row of hashRows.values()) {
    test(`${row.name} gives ${row.digestBytes} bytes or is refused`, () => {
      if (row.library === undefined) assert.throws(() => digestOf(row.value, new Uint8Array(1)), AlgorithmError)
      else assert.equal(digestOf(row.value, new Uint8Array(1)).length, row.digestBytes)
    })
  }

  test('an unknown number is refused', () => {
    assert.throws(() => digestOf(0x999, new Uint8Array(1)), { name: 'AlgorithmError', kind: 'unsupportedAlgorithm' })
  })

  test('the mandatory digest is SHA-256 over the material', () => {
    const material = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
    const digest = mandatoryDigest(material, KeyFormatType.Raw)
    assert.equal(digest.hashingAlgorithm, HashingAlgorithm.SHA_256)
    assert.equal(digest.keyFormatType, KeyFormatType.Raw)
    assert.deepEqual(Buffer.from(digest.digestValue), createHash('sha256').update(material).digest())
    assert.ok(!('keyFormatType' in mandatoryDigest(material)))
  })
})
