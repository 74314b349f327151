/** Message authentication codes against RFC 4231, RFC 2202, NIST SP 800-38B and the library. */

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { computeMac, openMac, verifyMac } from '#crypto/mac'
import type { CryptographicParameters } from '#kmip/attribute-values'
import { CryptographicAlgorithm as A, HashingAlgorithm as H, BlockCipherMode as M } from '#kmip/enums'
import { openssl } from '#test/crypto/keys'
import { hex, symmetric, text } from '#test/crypto/published'

const jefe = Buffer.from('Jefe').toString('hex')
const question = Buffer.from('what do ya want for nothing?').toString('hex')
const aes = '2b7e151628aed2a6abf7158809cf4f3c'
const message = '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411'

const rows: readonly (readonly [string, string, A, CryptographicParameters, string, string])[] = [
  ['RFC 2202 §2, MD5', jefe, A.HMAC_MD5, {}, question, '750c783e6ab0b503eaa86e310a5db738'],
  ['RFC 2202 §3, SHA-1', jefe, A.HMAC_SHA1, {}, question, 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79'],
  [
    'RFC 4231 §4.3, SHA-224',
    jefe,
    A.HMAC_SHA224,
    {},
    question,
    'a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44',
  ],
  [
    'RFC 4231 §4.3, SHA-256',
    jefe,
    A.HMAC_SHA256,
    {},
    question,
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [
    'RFC 4231 §4.3, SHA-384',
    jefe,
    A.HMAC_SHA384,
    {},
    question,
    'af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649',
  ],
  [
    'RFC 4231 §4.3, SHA-512',
    jefe,
    A.HMAC_SHA512,
    {},
    question,
    '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
  ],
  [
    'CS-AC-M-4: an AES key and HMAC in its parameters',
    '0123456789abcdef0123456789abcdef',
    A.AES,
    { cryptographicAlgorithm: A.HMAC_SHA256 },
    '01020304050607080910111213141516',
    'c911e78196d64c30f631bb079ea37b97a95936d4da764d6a171df030c895ecf9',
  ],
  ['SP 800-38B D.1, no data', aes, A.AES, {}, '', 'bb1d6929e95937287fa37d129b756746'],
  [
    'SP 800-38B D.1, one block',
    aes,
    A.AES,
    { blockCipherMode: M.CMAC },
    message.slice(0, 32),
    '070a16b46b4d4144f79bdd9dd04a287c',
  ],
  ['SP 800-38B D.1, 40 bytes', aes, A.AES, {}, message, 'dfa66747de9ae63030ca32611497c827'],
]

describe('message authentication codes', () => {
  for (const [name, key, algorithm, parameters, data, mac] of rows) {
    test(name, () => {
      const form = symmetric(key, algorithm)
      assert.equal(Buffer.from(computeMac(form, parameters, hex(data))).toString('hex'), mac)
      assert.equal(verifyMac(form, parameters, hex(data), hex(mac)), true)
      assert.equal(verifyMac(form, parameters, hex(`${data}00`), hex(mac)), false)
      assert.equal(verifyMac(form, parameters, hex(data), hex(mac.slice(2))), false)
    })
  }

  test('HMAC with each hash that the parameters may name, against the library', () => {
    const names = { [H.RIPEMD_160]: 'ripemd160', [H.SHA_512_256]: 'sha512-256', [H.SHA3_384]: 'sha3-384' }
    for (const [hashingAlgorithm, name] of Object.entries(names)) {
      const parameters = { hashingAlgorithm: Number(hashingAlgorithm) }
      const expected = createHmac(name, hex(jefe)).update(hex(question)).digest()
      assert.deepEqual(computeMac(symmetric(jefe), parameters, hex(question)), new Uint8Array(expected))
    }
  })

  test('CMAC with 3DES, against the openssl command', () => {
    const key = '0123456789abcdef23456789abcdef01456789abcdef0123'
    const args = ['mac', '-cipher', 'DES-EDE3-CBC', '-macopt', `hexkey:${key}`, '-binary', '-in', '-', 'CMAC']
    for (const data of ['', 'a', 'eight by', 'more than eight bytes']) {
      const mac = computeMac(symmetric(key, A.DES3), {}, text(data))
      assert.deepEqual(mac, new Uint8Array(openssl(args, text(data))))
    }
  })

  test('pieces give the code of the whole', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), fc.boolean(), (pieces, cipher) => {
        const key = symmetric(aes, cipher ? A.AES : A.HMAC_SHA256)
        const stream = openMac(key, {})
        for (const piece of pieces) stream.update(piece)
        assert.deepEqual(stream.final(), computeMac(key, {}, new Uint8Array(Buffer.concat(pieces))))
      }),
    )
  })

  test('refuses a mode that makes none, a hash that is not there, and CMAC with an HMAC key', () => {
    const run = (parameters: CryptographicParameters, algorithm: A = A.AES) =>
      computeMac(symmetric(aes, algorithm), parameters, text('data'))
    assert.throws(() => run({ blockCipherMode: M.GCM }), { kind: 'unsupportedParameter' })
    assert.throws(() => run({ hashingAlgorithm: H.Tiger }), { kind: 'unsupportedAlgorithm' })
    assert.throws(() => run({ blockCipherMode: M.CMAC }, A.HMAC_SHA256), { kind: 'invalidKey' })
  })
})
