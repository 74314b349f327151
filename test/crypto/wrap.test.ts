/** AES key wrap against the examples of RFC 3394 §4 and RFC 5649 §6. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { KeyWrapError } from '#crypto/errors'
import { unwrapKey, wrapKey } from '#crypto/wrap'
import { BlockCipherMode as M } from '#kmip/enums'

const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const keyOf = (bytes: number) => Uint8Array.from({ length: bytes }, (_, index) => index)
const data128 = '00112233445566778899AABBCCDDEEFF'
const data192 = `${data128}0001020304050607`
const data256 = `${data128}000102030405060708090A0B0C0D0E0F`
const key5649 = hex('5840df6e29b02af1 ab493b705bf16ea1 ae8338f4dcc176a8')

const answers: readonly (readonly [string, number, Uint8Array, Uint8Array, Uint8Array])[] = [
  ['RFC 3394 §4.1', M.NISTKeyWrap, keyOf(16), hex(data128), hex('1FA68B0A8112B447 AEF34BD8FB5A7B82 9D3E862371D2CFE5')],
  ['RFC 3394 §4.2', M.NISTKeyWrap, keyOf(24), hex(data128), hex('96778B25AE6CA435 F92B5B97C050AED2 468AB8A17AD84E5D')],
  ['RFC 3394 §4.3', M.NISTKeyWrap, keyOf(32), hex(data128), hex('64E8C3F9CE0F5BA2 63E9777905818A2A 93C8191E7D6E8AE7')],
  [
    'RFC 3394 §4.4',
    M.NISTKeyWrap,
    keyOf(24),
    hex(data192),
    hex('031D33264E15D332 68F24EC260743EDC E1C6C7DDEE725A93 6BA814915C6762D2'),
  ],
  [
    'RFC 3394 §4.5',
    M.NISTKeyWrap,
    keyOf(32),
    hex(data192),
    hex('A8F9BC1612C68B3F F6E6F4FBE30E71E4 769C8B80A32CB895 8CD5D17D6B254DA1'),
  ],
  [
    'RFC 3394 §4.6',
    M.NISTKeyWrap,
    keyOf(32),
    hex(data256),
    hex('28C9F404C4B810F4 CBCCB35CFB87F826 3F5786E2D80ED326 CBC7F0E71A99F43B FB988B9B7A02DD21'),
  ],
  [
    'RFC 5649 §6, 20 bytes',
    M.AESKeyWrapPadding,
    key5649,
    hex('c37b7e6492584340 bed1220780894115 5068f738'),
    hex('138bdeaa9b8fa7fc 61f97742e72248ee 5ae6ae5360d1ae6a 5f54f373fa543b6a'),
  ],
  [
    'RFC 5649 §6, 7 bytes',
    M.AESKeyWrapPadding,
    key5649,
    hex('466f7250617369'),
    hex('afbeb0f07dfbf541 9200f2ccb50bb24f'),
  ],
]

describe('key wrap', () => {
  for (const [name, blockCipherMode, wrappingKey, plain, wrapped] of answers) {
    test(name, () => {
      const mode = blockCipherMode as M
      assert.deepEqual(wrapKey({ blockCipherMode: mode, wrappingKey, data: plain }), wrapped)
      assert.deepEqual(unwrapKey({ blockCipherMode: mode, wrappingKey, data: wrapped }), plain)
    })
  }

  test('NISTKeyWrap is meant where no mode is named', () => {
    assert.deepEqual(wrapKey({ wrappingKey: keyOf(16), data: hex(data128) }), answers[0]?.[4])
  })

  const refused: readonly (readonly [string, () => unknown, string])[] = [
    [
      'a mode that wraps no keys',
      () => wrapKey({ blockCipherMode: M.CBC, wrappingKey: keyOf(16), data: keyOf(16) }),
      'unsupported',
    ],
    ['a wrapping key of 15 bytes', () => wrapKey({ wrappingKey: keyOf(15), data: keyOf(16) }), 'invalid'],
    ['8 bytes of data without padding', () => wrapKey({ wrappingKey: keyOf(16), data: keyOf(8) }), 'invalid'],
    ['20 bytes of data without padding', () => wrapKey({ wrappingKey: keyOf(16), data: keyOf(20) }), 'invalid'],
    [
      'no data',
      () => wrapKey({ blockCipherMode: M.AESKeyWrapPadding, wrappingKey: keyOf(16), data: keyOf(0) }),
      'invalid',
    ],
    ['16 wrapped bytes without padding', () => unwrapKey({ wrappingKey: keyOf(16), data: keyOf(16) }), 'invalid'],
    ['23 wrapped bytes', () => unwrapKey({ wrappingKey: keyOf(16), data: keyOf(23) }), 'invalid'],
    [
      'another wrapping key',
      () => unwrapKey({ wrappingKey: keyOf(24), data: hex('1FA68B0A8112B447 AEF34BD8FB5A7B82 9D3E862371D2CFE5') }),
      'integrity',
    ],
  ]
  for (const [name, run, kind] of refused) {
    test(`refuses ${name}`, () => {
      assert.throws(run, { name: 'KeyWrapError', kind })
    })
  }

  test('opens what it wrapped, and nothing that was changed', () => {
    const keys = fc.constantFrom(16, 24, 32).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }))
    fc.assert(
      fc.property(keys, fc.uint8Array({ minLength: 1, maxLength: 80 }), fc.nat(), (wrappingKey, data, position) => {
        const blockCipherMode = M.AESKeyWrapPadding
        const wrapped = wrapKey({ blockCipherMode, wrappingKey, data })
        assert.deepEqual(unwrapKey({ blockCipherMode, wrappingKey, data: wrapped }), new Uint8Array(data))
        const at = position % wrapped.length
        wrapped[at] = (wrapped[at] ?? 0) ^ 1
        assert.throws(() => unwrapKey({ blockCipherMode, wrappingKey, data: wrapped }), KeyWrapError)
      }),
    )
  })
})
