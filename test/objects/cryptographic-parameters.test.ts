/** Which Cryptographic Parameters hold: the request's, the key's, what nobody named (KMIP 1.4 §3.6, §4.29). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CryptographicParameters } from '#kmip/attribute-values'
import { BlockCipherMode, CryptographicAlgorithm, HashingAlgorithm, ObjectType, PaddingMethod } from '#kmip/enums'
import { effectiveParameters, hasParameters, needsIv, withCipherDefaults } from '#objects/cryptographic-parameters'
import type { ManagedObject } from '#objects/managed-object'

const key = (...own: readonly CryptographicParameters[]): ManagedObject => ({
  uniqueIdentifier: 'key',
  objectType: ObjectType.SymmetricKey,
  owner: 'global',
  attributes:
    own.length === 0 ? {} : { 'Cryptographic Parameters': own.map((value, index) => ({ index: index + 3, value })) },
  value: {},
})

const { CBC, ECB, GCM } = BlockCipherMode
const { PKCS5, None } = PaddingMethod
const { AES, RSA } = CryptographicAlgorithm

test('the lowest index of the key holds when the request says nothing', () => {
  assert.deepEqual(effectiveParameters(key({ blockCipherMode: CBC }, { blockCipherMode: GCM }), undefined), {
    blockCipherMode: CBC,
  })
  assert.deepEqual(effectiveParameters(key(), undefined), {})
})

test('the request holds, completed from the first of the key that agree with it', () => {
  const own = key({ blockCipherMode: GCM, tagLength: 16 }, { blockCipherMode: CBC, paddingMethod: PKCS5 })
  assert.deepEqual(effectiveParameters(own, { blockCipherMode: CBC }), { blockCipherMode: CBC, paddingMethod: PKCS5 })
  assert.deepEqual(effectiveParameters(own, { blockCipherMode: ECB }), { blockCipherMode: ECB })
})

test('a key has the parameters whose fields are all in one of its own', () => {
  const own = key({ blockCipherMode: CBC, pSource: Uint8Array.of(1) }, { hashingAlgorithm: HashingAlgorithm.SHA_1 })
  assert.ok(hasParameters(own, { blockCipherMode: CBC, pSource: Uint8Array.of(1) }))
  assert.ok(hasParameters(own, { hashingAlgorithm: HashingAlgorithm.SHA_1 }))
  assert.ok(!hasParameters(own, { blockCipherMode: CBC, hashingAlgorithm: HashingAlgorithm.SHA_1 }))
  assert.ok(!hasParameters(own, { pSource: Uint8Array.of(2) }))
})

test('what nobody named: ECB and PKCS5; with a mode as the setting has it; nothing for RSA and GCM', () => {
  assert.deepEqual(withCipherDefaults({}, AES, 'none'), { blockCipherMode: ECB, paddingMethod: PKCS5 })
  const ecb = { blockCipherMode: ECB }
  assert.deepEqual(withCipherDefaults(ecb, AES, 'none'), { ...ecb, paddingMethod: None })
  assert.deepEqual(withCipherDefaults(ecb, AES, 'PKCS5'), { ...ecb, paddingMethod: PKCS5 })
  assert.deepEqual(withCipherDefaults({ blockCipherMode: GCM }, AES, 'PKCS5'), { blockCipherMode: GCM })
  assert.deepEqual(withCipherDefaults({}, RSA, 'PKCS5'), {})
})

test('modes with an IV', () => {
  assert.ok(needsIv({ blockCipherMode: CBC }))
  assert.ok(!needsIv({ blockCipherMode: ECB }))
  assert.ok(!needsIv({}))
})
