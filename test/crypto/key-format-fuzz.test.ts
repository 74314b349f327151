/** Hostile key material: whatever the bytes or numbers, reading ends in a key or in a KeyFormatError, and soon. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KeyFormatError } from '#crypto/errors'
import { convertKey, type KeyForm, parseKey } from '#crypto/key-format'
import type { KeyMaterial, TransparentKey } from '#crypto/transparent'
import { CryptographicAlgorithm as A, KeyFormatType, ObjectType, RecommendedCurve } from '#kmip/enums'
import { dh, dsa, ec, ed25519, pkcs1, pkcs8, rsa, sec1, spki, x25519 } from '#test/crypto/keys'
import { seededRandom } from '#test/seeded-random'

const seed = 20260101
const runs = 4000

const luck = seededRandom(seed)
const random = (below: number): number => luck.below(below)
const pick = <Value>(values: readonly Value[]): Value => luck.pick(values)

const seeds: readonly Uint8Array[] = [
  ...[rsa.privateKey, rsa.publicKey].map(pkcs1),
  ...[rsa, ec, ed25519, x25519, dsa, dh].flatMap(({ privateKey, publicKey }) => [pkcs8(privateKey), spki(publicKey)]),
  sec1(ec.privateKey),
  new Uint8Array(0),
]
const objectTypes = [ObjectType.PrivateKey, ObjectType.PublicKey, ObjectType.SymmetricKey, ObjectType.SecretData]
const formats = Object.values(KeyFormatType)
const algorithms: readonly A[] = [A.RSA, A.EC, A.AES, A.DES3, A.Ed25519, A.DSA, A.DH]

/** Changes of bytes that a parser finds hard: flips, lengths, cuts, insertions, repeats. */
const mutations: readonly ((bytes: number[]) => void)[] = [
  (bytes) => {
    const at = random(bytes.length + 1)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8))
  },
  (bytes) => {
    // Headers stand near the start.
    bytes[random(Math.min(bytes.length + 1, 32))] = pick([0, 1, 2, 0x30, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xff])
  },
  (bytes) => {
    bytes.length = random(bytes.length + 1)
  },
  (bytes) => {
    bytes.splice(random(bytes.length + 1), random(4), ...Array.from({ length: random(6) }, () => random(256)))
  },
  (bytes) => {
    const from = random(bytes.length + 1)
    bytes.push(...bytes.slice(from, from + random(64)))
  },
]

const mutated = (bytes: Uint8Array): Uint8Array => {
  const changed = [...bytes]
  for (let count = random(4); count >= 0; count -= 1) pick(mutations)(changed)
  return Uint8Array.from(changed, (byte) => byte ?? 0)
}

const numbers = [0n, 1n, -1n, 2n, 3n, 65537n, 2n ** 255n - 19n, -(2n ** 64n), 2n ** 512n - 1n, 2n ** 17000n + 1n]
const structures: readonly TransparentKey[] = [
  [ObjectType.PrivateKey, KeyFormatType.PKCS_8, KeyFormatType.TransparentRSAPrivateKey, pkcs8(rsa.privateKey)],
  [ObjectType.PublicKey, KeyFormatType.X_509, KeyFormatType.TransparentRSAPublicKey, spki(rsa.publicKey)],
  [ObjectType.PrivateKey, KeyFormatType.PKCS_8, KeyFormatType.TransparentECPrivateKey, pkcs8(ec.privateKey)],
  [ObjectType.PublicKey, KeyFormatType.X_509, KeyFormatType.TransparentECPublicKey, spki(ec.publicKey)],
  [ObjectType.PrivateKey, KeyFormatType.PKCS_8, KeyFormatType.TransparentDSAPrivateKey, pkcs8(dsa.privateKey)],
  [ObjectType.PublicKey, KeyFormatType.X_509, KeyFormatType.TransparentDHPublicKey, spki(dh.publicKey)],
].map((row) => {
  const [objectType, from, to, keyMaterial] = row as [ObjectType, KeyFormatType, KeyFormatType, Uint8Array]
  return convertKey({ objectType, keyFormatType: from, keyMaterial }, { keyFormatType: to })
    .keyMaterial as TransparentKey
})

function mutatedStructure(structure: TransparentKey): TransparentKey {
  const changed: Record<string, unknown> = { ...structure }
  for (let count = random(3); count >= 0; count -= 1) {
    const field = pick(Object.keys(structure))
    const value = changed[field]
    if (random(4) === 0) delete changed[field]
    else if (value instanceof Uint8Array) changed[field] = mutated(value)
    else if (typeof value === 'number') changed[field] = pick([...Object.values(RecommendedCurve), 0, 9999])
    else changed[field] = pick([...numbers, (typeof value === 'bigint' ? value : 5n) + pick([1n, -1n, 2n])])
  }
  return changed
}

function survives(keyMaterial: KeyMaterial): 'read' | 'refused' {
  const form: KeyForm = {
    objectType: pick(objectTypes),
    keyFormatType: pick(formats),
    keyMaterial,
    cryptographicAlgorithm: algorithms[random(algorithms.length + 1)],
  }
  return triedAll(form)
}

function triedAll(form: KeyForm): 'read' | 'refused' {
  let result: 'read' | 'refused' = 'read'
  for (const step of [() => parseKey(form), () => convertKey(form, { keyFormatType: pick(formats) })]) {
    try {
      step()
    } catch (error) {
      if (!(error instanceof KeyFormatError)) throw error
      result = 'refused'
    }
  }
  return result
}

describe(`fuzz, seed ${seed}`, () => {
  test('bytes of any kind', () => {
    for (let run = 0; run < runs; run += 1) survives(mutated(pick(seeds)))
  })

  test('bytes in the format that they were made for', () => {
    const counts = { read: 0, refused: 0 }
    const homes: readonly (readonly [ObjectType, KeyFormatType, Uint8Array])[] = [
      [ObjectType.PrivateKey, KeyFormatType.PKCS_1, pkcs1(rsa.privateKey)],
      [ObjectType.PublicKey, KeyFormatType.PKCS_1, pkcs1(rsa.publicKey)],
      [ObjectType.PrivateKey, KeyFormatType.ECPrivateKey, sec1(ec.privateKey)],
      ...[rsa, ec, ed25519, x25519, dsa, dh].flatMap(({ privateKey, publicKey }) => [
        [ObjectType.PrivateKey, KeyFormatType.PKCS_8, pkcs8(privateKey)] as const,
        [ObjectType.PublicKey, KeyFormatType.X_509, spki(publicKey)] as const,
      ]),
    ]
    for (let run = 0; run < runs; run += 1) {
      const [objectType, keyFormatType, keyMaterial] = pick(homes)
      counts[triedAll({ objectType, keyFormatType, keyMaterial: mutated(keyMaterial) })] += 1
    }
    assert.ok(counts.refused > runs / 2)
  })

  test('structures', () => {
    for (let run = 0; run < 1000; run += 1) survives(mutatedStructure(pick(structures)))
    const transparent = formats.filter((format) => format >= KeyFormatType.TransparentSymmetricKey)
    for (let run = 0; run < 1000; run += 1) {
      const objectType = pick(objectTypes)
      triedAll({ objectType, keyFormatType: pick(transparent), keyMaterial: mutatedStructure(pick(structures)) })
    }
  })
})
