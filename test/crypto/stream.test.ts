/** Uses of a key over several requests: the published streams, and pieces of any size against the whole. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { encrypt } from '#crypto/encrypt'
import { executeJob } from '#crypto/jobs'
import { computeMac } from '#crypto/mac'
import { computeSignature, verifySignature } from '#crypto/signature'
import { type CryptoStream, openStream, type StreamOptions } from '#crypto/stream'
import type { CryptographicParameters } from '#kmip/attribute-values'
import {
  CryptographicAlgorithm as A,
  KeyFormatType as F,
  HashingAlgorithm as H,
  BlockCipherMode as M,
  PaddingMethod as P,
} from '#kmip/enums'
import { ec, ed25519, pkcs8, privateForm, publicForm, rsa, spki } from '#test/crypto/keys'
import { hex, symmetric, text } from '#test/crypto/published'

const digits = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex')

/** Ends a stream, and does what it leaves. */
const ended = (
  stream: CryptoStream,
  last?: Uint8Array,
  expected?: Uint8Array,
): Omit<ReturnType<CryptoStream['final']>, 'left'> => {
  const { left, ...made } = stream.final(last, expected)
  return left === undefined ? made : { ...made, ...executeJob(left) }
}

describe('published streams', () => {
  const key = symmetric('010101010101010101010101010101010101010101010101', A.DES3)
  const encryption: StreamOptions = { kind: 'encrypt', key, parameters: { blockCipherMode: M.ECB } }

  test('TC-STREAM-ENC-2: a block comes out as soon as it is whole', () => {
    const stream = openStream(encryption)
    assert.equal(digits(stream.update(hex('01020304'))), '')
    assert.equal(digits(stream.update(hex('05060708'))), 'cead373db80eabf8')
    assert.equal(digits(stream.final().data), '')
  })

  test('TC-STREAM-ENC-2: with the last piece', () => {
    const stream = openStream(encryption)
    assert.equal(digits(stream.update(hex('01020304'))), '')
    assert.equal(digits(stream.update(hex('050607'))), '')
    assert.equal(digits(stream.final(hex('08')).data), 'cead373db80eabf8')
  })

  test('TC-STREAM-HASH-2', () => {
    const stream = openStream({ kind: 'hash', parameters: { hashingAlgorithm: H.SHA_256 } })
    for (const piece of ['61', '62', '63']) stream.update(hex(piece))
    const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    assert.equal(digits(stream.final(hex('')).digest), expected)
  })

  test('TC-STREAM-MAC-1', () => {
    const mac = hex('c911e78196d64c30f631bb079ea37b97a95936d4da764d6a171df030c895ecf9')
    const parameters = { cryptographicAlgorithm: A.HMAC_SHA256 }
    const options = { key: symmetric('0123456789abcdef0123456789abcdef'), parameters }
    const making = openStream({ kind: 'mac', ...options })
    making.update(hex('0102'))
    making.update(hex('030405060708091011121314'))
    assert.deepEqual(making.final(hex('1516')).mac, mac)
    const checking = openStream({ kind: 'verifyMac', ...options })
    checking.update(hex('01020304050607080910111213141516'))
    assert.equal(checking.final(undefined, mac).valid, true)
  })
})

const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 })
const whole = (parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts))

describe('pieces against the whole', () => {
  const aes = symmetric('0123456789abcdef0123456789abcdef')
  const iv = new Uint8Array(16).fill(7)
  const rows: readonly (readonly [string, CryptographicParameters, Uint8Array | undefined])[] = [
    ['ECB, PKCS5', {}, undefined],
    ['CBC, ANSI X9.23', { blockCipherMode: M.CBC, paddingMethod: P.ANSIX9_23 }, iv],
    ['CTR', { blockCipherMode: M.CTR }, iv],
    ['CFB', { blockCipherMode: M.CFB }, iv],
    ['GCM', { blockCipherMode: M.GCM, tagLength: 12 }, iv],
    ['CCM', { blockCipherMode: M.CCM }, iv.subarray(4)],
  ]
  for (const [name, parameters, vector] of rows) {
    test(name, () => {
      fc.assert(
        fc.property(pieces, pieces, (parts, cuts) => {
          const options = { key: aes, parameters, iv: vector }
          const data = whole(parts)
          const encrypting = openStream({ kind: 'encrypt', ...options })
          const head = parts.map((part) => encrypting.update(part))
          const result = encrypting.final()
          const encrypted = whole([...head, result.data ?? new Uint8Array(0)])
          const expected = encrypt({ ...options, data })
          assert.deepEqual({ encrypted, tag: result.tag }, { encrypted: expected.data, tag: expected.tag })

          const decrypting = openStream({ kind: 'decrypt', ...options })
          const out: Uint8Array[] = []
          let offset = 0
          for (const { length } of cuts) {
            out.push(decrypting.update(encrypted.subarray(offset, offset + length)))
            offset += length
          }
          const { data: rest = new Uint8Array(0) } = decrypting.final(encrypted.subarray(offset), result.tag)
          assert.deepEqual(whole([...out, rest]), data)
        }),
        { numRuns: 50 },
      )
    })
  }

  test('signatures of RSA, ECDSA and EdDSA', () => {
    for (const { privateKey, publicKey } of [rsa, ec, ed25519]) {
      const own = privateForm(F.PKCS_8, pkcs8(privateKey))
      const other = publicForm(F.X_509, spki(publicKey))
      const signing = openStream({ kind: 'sign', key: own, parameters: {} })
      signing.update(text('one'))
      const { signature = new Uint8Array(0) } = ended(signing, text('two'))
      const data = text('onetwo')
      assert.equal(verifySignature({ key: other, parameters: {}, data, signature }), true)
      const checking = openStream({ kind: 'verifySignature', key: other, parameters: {} })
      checking.update(text('onet'))
      assert.equal(ended(checking, text('wo'), computeSignature({ key: own, parameters: {}, data })).valid, true)
    }
  })

  test('RSA encrypts and decrypts at the end', () => {
    const encrypting = openStream({ kind: 'encrypt', key: publicForm(F.X_509, spki(rsa.publicKey)), parameters: {} })
    assert.equal(encrypting.update(text('one')).length, 0)
    const { data = new Uint8Array(0) } = ended(encrypting, text('two'))
    const decrypting = openStream({
      kind: 'decrypt',
      key: privateForm(F.PKCS_8, pkcs8(rsa.privateKey)),
      parameters: {},
    })
    decrypting.update(data.subarray(0, 50))
    assert.deepEqual(ended(decrypting, data.subarray(50)).data, text('onetwo'))
  })
})

describe('what a stream keeps', () => {
  const options = { key: symmetric('0123456789abcdef0123456789abcdef'), parameters: { blockCipherMode: M.GCM } }
  const iv = new Uint8Array(12)

  test('a piece may be overwritten after it was given', () => {
    const { data, tag } = encrypt({ ...options, iv, data: text('a secret') })
    const stream = openStream({ kind: 'decrypt', ...options, iv })
    stream.update(data)
    data.fill(0)
    assert.deepEqual(stream.final(undefined, tag).data, text('a secret'))
  })

  test('any number of pieces, which take no more memory than their bytes', () => {
    const key = privateForm(F.PKCS_8, pkcs8(ed25519.privateKey))
    const stream = openStream({ kind: 'sign', key, parameters: {} })
    const number = 200_000
    for (let piece = 0; piece < number; piece += 1) stream.update(Uint8Array.of(7))
    const { signature } = ended(stream)
    assert.deepEqual(signature, computeSignature({ key, parameters: {}, data: new Uint8Array(number).fill(7) }))
  })

  test('nothing that is not authentic leaves it', () => {
    const { data } = encrypt({ ...options, iv, data: text('a secret') })
    const stream = openStream({ kind: 'decrypt', ...options, iv })
    assert.equal(stream.update(data).length, 0)
    assert.throws(() => stream.final(undefined, new Uint8Array(16)), { kind: 'failed' })
  })

  test('the initialization vector that it made', () => {
    const parameters = { ...options.parameters, randomIv: true }
    assert.equal(openStream({ kind: 'encrypt', ...options, parameters }).iv?.length, 12)
  })
})

describe('refusals', () => {
  const key = symmetric('0123456789abcdef0123456789abcdef')
  const refused: readonly (readonly [string, () => unknown, string])[] = [
    ['no key', () => openStream({ kind: 'mac', parameters: {} }), 'missingParameter'],
    ['no hash', () => openStream({ kind: 'hash', parameters: {} }), 'missingParameter'],
    ['no code to check', () => openStream({ kind: 'verifyMac', key, parameters: {} }).final(), 'missingParameter'],
    ['no IV', () => openStream({ kind: 'decrypt', key, parameters: { blockCipherMode: M.CBC } }), 'missingIV'],
  ]
  for (const [name, run, kind] of refused) {
    test(name, () => {
      assert.throws(run, { name: 'KeyUseError', kind })
    })
  }

  test('a wrong code is not valid, and not an error', () => {
    const stream = openStream({ kind: 'verifyMac', key, parameters: {} })
    assert.equal(stream.final(text('data'), computeMac(key, {}, text('other'))).valid, false)
  })
})
