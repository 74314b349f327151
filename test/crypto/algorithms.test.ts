/** Algorithm and curve rows against the registry and the library. */

import assert from 'node:assert/strict'
import { generateKeyPairSync, getCurves } from 'node:crypto'
import { describe, test } from 'node:test'
import { algorithmRows, lengthAllowed, lengthBitsOfMaterial, materialBytesOf } from '#crypto/algorithms'
import { curveByLengthBits, curveRows, curveRowsByLibraryName } from '#crypto/curves'
import { CryptographicAlgorithm as A, enumerationRows, RecommendedCurve } from '#kmip/enums'

const registered = (name: string) => enumerationRows.find((row) => row.name === name)?.values ?? []

describe('algorithms', () => {
  test('every cryptographic algorithm of the registry has a row', () => {
    assert.deepEqual(
      [...algorithmRows.keys()],
      registered('CryptographicAlgorithm').map(({ value }) => value),
    )
  })

  test('only those are kept without being made whose keys the library does not know', () => {
    const kept = [...algorithmRows.values()].filter(({ kind }) => kind === 'stored').map(({ name }) => name)
    assert.deepEqual(kept, [
      'SM2',
      'GOSTR34_10_2012',
      'XMSS',
      'SPHINCS_256',
      'McEliece',
      'McEliece_6960119',
      'McEliece_8192128',
    ])
  })

  for (const row of algorithmRows.values()) {
    if (!row.generated) continue
    test(`${row.name}: the default length is one of its lengths`, () => {
      assert.ok(row.defaultLengthBits !== undefined && lengthAllowed(row.lengths, row.defaultLengthBits))
    })
  }

  const lengths: readonly (readonly [number, number, boolean])[] = [
    [A.AES, 128, true],
    [A.AES, 160, false],
    [A.AES, 0, false],
    [A.AES, -128, false],
    [A.DES3, 112, true],
    [A.DES3, 168, true],
    [A.DES3, 192, true],
    [A.DES3, 56, false],
    [A.HMAC_SHA256, 8, true],
    [A.HMAC_SHA256, 12, false],
    [A.HMAC_SHA256, 0, false],
    [A.HMAC_SHA256, 65544, false],
    [A.MARS, 160, true],
    [A.MARS, 168, false],
    [A.AES, Number.NaN, false],
  ]
  for (const [algorithm, lengthBits, allowed] of lengths) {
    test(`${algorithmRows.get(algorithm)?.name} ${lengthBits} bits: ${allowed ? 'legal' : 'refused'}`, () => {
      assert.equal(lengthAllowed(algorithmRows.get(algorithm)?.lengths ?? [], lengthBits), allowed)
    })
  }

  test('parity bits count in the material, not in the length', () => {
    const tripleDes = algorithmRows.get(A.DES3)
    const aes = algorithmRows.get(A.AES)
    assert.ok(tripleDes !== undefined && aes !== undefined)
    assert.deepEqual(
      [112, 128, 168, 192].map((bits) => materialBytesOf(tripleDes, bits)),
      [16, 16, 24, 24],
    )
    assert.deepEqual(
      [16, 24].map((bytes) => lengthBitsOfMaterial(tripleDes, bytes)),
      [112, 168],
    )
    assert.equal(materialBytesOf(aes, 192), 24)
    assert.equal(lengthBitsOfMaterial(aes, 24), 192)
  })
})

describe('curves', () => {
  const known = new Set(getCurves())

  test('every recommended curve of the registry has a row', () => {
    assert.deepEqual(
      [...curveRows.keys()],
      registered('RecommendedCurve').map(({ value }) => value),
    )
    assert.equal(curveRowsByLibraryName.size, curveRows.size)
  })

  for (const row of curveRows.values()) {
    if (row.field === 'montgomery') continue
    test(`${row.name}: the library has it, and its field has ${row.lengthBits} bits`, () => {
      assert.ok(known.has(row.libraryName))
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: row.libraryName })
      const point = publicKey.export({ format: 'raw-public', type: 'uncompressed' })
      assert.equal((point.length - 1) / 2, Math.ceil(row.lengthBits / 8))
      assert.equal(publicKey.asymmetricKeyDetails?.namedCurve, row.libraryName)
    })
  }

  test('a length alone means the NIST prime curve', () => {
    assert.deepEqual(
      [...curveByLengthBits].map(([bits, { name }]) => [bits, name]),
      [
        [192, 'P_192'],
        [224, 'P_224'],
        [256, 'P_256'],
        [384, 'P_384'],
        [521, 'P_521'],
      ],
    )
    assert.equal(curveByLengthBits.get(256)?.value, RecommendedCurve.P_256)
  })
})
