/** RSA encryption against a published ciphertext, the library and the openssl command. */

import assert from 'node:assert/strict'
import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { decrypt, encrypt } from '#crypto/encrypt'
import type { CryptographicParameters } from '#kmip/attribute-values'
import { KeyFormatType as F, HashingAlgorithm as H, BlockCipherMode as M, PaddingMethod as P } from '#kmip/enums'
import { ec, openssl, pkcs1, pkcs8, privateForm, publicForm, spki } from '#test/crypto/keys'
import { oaep, text } from '#test/crypto/published'

const rsa = generateKeyPairSync('rsa', { modulusLength: 1536 })
const own = privateForm(F.PKCS_1, pkcs1(rsa.privateKey))
const other = publicForm(F.X_509, spki(rsa.publicKey))
const data = text('a key, say')
const pSource = text('label')
const oaepParameters = (hash: H, mask?: H, label?: Uint8Array): CryptographicParameters => ({
  paddingMethod: P.OAEP,
  hashingAlgorithm: hash,
  maskGeneratorHashingAlgorithm: mask,
  pSource: label,
})

test('CS-AC-M-OAEP-10: SHA-384, MGF1 with SHA-256, a P Source', () => {
  const key = privateForm(F.PKCS_1, oaep.privateKey)
  const parameters = oaepParameters(H.SHA_384, H.SHA_256, oaep.pSource)
  assert.deepEqual(decrypt({ key, parameters, data: oaep.encrypted }).data, oaep.plain)
})

describe('against the library', () => {
  test('PKCS #1 v1.5 is meant where nothing is named', () => {
    const padding = constants.RSA_PKCS1_PADDING
    const { data: ours } = encrypt({ key: other, parameters: {}, data })
    assert.deepEqual(new Uint8Array(privateDecrypt({ key: rsa.privateKey, padding }, ours)), data)
    const its = new Uint8Array(publicEncrypt({ key: rsa.publicKey, padding }, data))
    assert.deepEqual(decrypt({ key: own, parameters: { paddingMethod: P.PKCS1V1_5 }, data: its }).data, data)
  })

  for (const [hash, oaepHash] of [
    [H.SHA_1, 'sha1'] as const,
    [H.SHA_256, 'sha256'] as const,
    [H.SHA_512, 'sha512'] as const,
  ]) {
    test(`OAEP with ${oaepHash}`, () => {
      const options = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash, oaepLabel: pSource }
      const parameters = oaepParameters(hash, hash, pSource)
      const { data: ours } = encrypt({ key: other, parameters, data })
      assert.deepEqual(new Uint8Array(privateDecrypt({ key: rsa.privateKey, ...options }, ours)), data)
      const its = new Uint8Array(publicEncrypt({ key: rsa.publicKey, ...options }, data))
      assert.deepEqual(decrypt({ key: own, parameters, data: its }).data, data)
    })
  }
})

describe('OAEP with another hash for its mask', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kmipd-rsa-'))
  after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'private.pem')
  writeFileSync(path, rsa.privateKey.export({ format: 'pem', type: 'pkcs8' }))

  const rows: readonly (readonly [H, H | undefined, string, string])[] = [
    [H.SHA_256, H.SHA_384, 'sha256', 'sha384'],
    // KMIP 1.4 §3.6: SHA-1 where no hash of the mask is named.
    [H.SHA_256, undefined, 'sha256', 'sha1'],
  ]
  for (const [hash, mask, name, maskName] of rows) {
    const options = [
      'rsa_padding_mode:oaep',
      `rsa_oaep_md:${name}`,
      `rsa_mgf1_md:${maskName}`,
      'rsa_oaep_label:6c6162656c',
    ]
    const args = ['-inkey', path, ...options.flatMap((option) => ['-pkeyopt', option])]
    const parameters = oaepParameters(hash, mask, pSource)
    test(`${name} and ${mask === undefined ? 'none' : maskName}, against the openssl command`, () => {
      const { data: ours } = encrypt({ key: other, parameters, data })
      assert.deepEqual(new Uint8Array(openssl(['pkeyutl', '-decrypt', ...args], ours)), data)
      const its = new Uint8Array(openssl(['pkeyutl', '-encrypt', ...args], data))
      assert.deepEqual(decrypt({ key: own, parameters, data: its }).data, data)
    })
    test(`${name} and ${mask === undefined ? 'none' : maskName}: all that is wrong is the same`, () => {
      const { data: ours } = encrypt({ key: other, parameters, data })
      const otherLabel = { ...parameters, pSource: text('other') }
      const wrong = { kind: 'failed', message: 'The cryptographic operation failed' }
      assert.throws(() => decrypt({ key: own, parameters: otherLabel, data: ours }), wrong)
      assert.throws(() => decrypt({ key: own, parameters, data: ours.with(9, (ours[9] ?? 0) ^ 1) }), wrong)
      assert.throws(() => decrypt({ key: own, parameters, data: ours.subarray(1) }), wrong)
      assert.throws(() => decrypt({ key: own, parameters, data: new Uint8Array(192).fill(255) }), wrong)
    })
  }

  test('no data, and as much as there is room for', () => {
    const parameters = oaepParameters(H.SHA_256, H.SHA_1)
    for (const length of [0, 192 - 2 * 32 - 2]) {
      const plain = new Uint8Array(length).fill(1)
      assert.deepEqual(
        decrypt({ key: own, parameters, data: encrypt({ key: other, parameters, data: plain }).data }).data,
        plain,
      )
    }
  })
})

describe('refusals', () => {
  const pssAlone = publicForm(F.X_509, spki(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey))
  const refused: readonly (readonly [string, () => unknown, string])[] = [
    [
      'data too long for PKCS #1',
      () => encrypt({ key: other, parameters: {}, data: new Uint8Array(182) }),
      'invalidLength',
    ],
    [
      'data too long for OAEP',
      () => encrypt({ key: other, parameters: oaepParameters(H.SHA_256), data: new Uint8Array(127) }),
      'invalidLength',
    ],
    [
      'another mask generator',
      () => encrypt({ key: other, parameters: { paddingMethod: P.OAEP, maskGenerator: 0x80000001 }, data }),
      'unsupportedParameter',
    ],
    ['a key for PSS alone', () => encrypt({ key: pssAlone, parameters: {}, data }), 'invalidKey'],
    ['PSS', () => encrypt({ key: other, parameters: { paddingMethod: P.PSS }, data }), 'unsupportedParameter'],
    [
      'a hash that is not there',
      () => encrypt({ key: other, parameters: oaepParameters(H.Tiger), data }),
      'unsupportedAlgorithm',
    ],
    [
      'a key of a curve',
      () => decrypt({ key: privateForm(F.PKCS_8, pkcs8(ec.privateKey)), parameters: { blockCipherMode: M.ECB }, data }),
      'invalidKey',
    ],
    ['decryption with a public key', () => decrypt({ key: other, parameters: {}, data }), 'invalidKey'],
  ]
  for (const [name, run, kind] of refused) {
    test(name, () => {
      assert.throws(run, { kind })
    })
  }
})
