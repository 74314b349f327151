/** Key derivation against published answers, the openssl command, and formulas written down again with the library alone. */

import assert from 'node:assert/strict'
import {
  createCipheriv,
  createDiffieHellmanGroup,
  createHmac,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { describe, test } from 'node:test'
import { type DeriveRequest, deriveKey } from '#crypto/derive'
import {
  CryptographicAlgorithm as A,
  DerivationMethod as D,
  HashingAlgorithm as H,
  BlockCipherMode as M,
  PaddingMethod as P,
} from '#kmip/enums'
import { dh, openssl, pkcs8, rsa, spki, x25519 } from '#test/crypto/keys'
import { hex, text } from '#test/crypto/published'

const key = hex('00112233445566778899aabbccddeeff')
const aes = [{ bytes: key, algorithm: A.AES }]

const answers: readonly (readonly [string, DeriveRequest, string])[] = [
  [
    'TC-DERIVEKEY-1: HASH',
    { method: D.HASH, keys: aes, parameters: { hashingAlgorithm: H.SHA_256 }, lengthBytes: 16 },
    'a8faed6abbf35c12a4b26e40f6feb19d',
  ],
  [
    'TC-DERIVEKEY-2: HMAC',
    {
      method: D.HMAC,
      keys: aes,
      parameters: { hashingAlgorithm: H.SHA_256 },
      derivationData: hex('0102'),
      lengthBytes: 16,
    },
    '1e15c1f1da233629f770fb0a04a5020e',
  ],
  [
    'TC-DERIVEKEY-3, RFC 6070: PBKDF2, SHA-1 where nothing is named',
    {
      method: D.PBKDF2,
      keys: [{ bytes: text('password') }],
      parameters: {},
      salt: text('salt'),
      iterationCount: 1,
      lengthBytes: 16,
    },
    '0c60c80f961f0e71f3a9b524af601206',
  ],
  [
    'RFC 6070: PBKDF2, 4096 iterations',
    {
      method: D.PBKDF2,
      keys: [{ bytes: text('password') }],
      parameters: {},
      salt: text('salt'),
      iterationCount: 4096,
      lengthBytes: 20,
    },
    '4b007901b765489abead49d926f721d065a429c1',
  ],
  [
    'TC-DERIVEKEY-5: PBKDF2, SHA-256',
    {
      method: D.PBKDF2,
      keys: [{ bytes: text('password') }],
      parameters: { hashingAlgorithm: H.SHA_256 },
      salt: text('salt'),
      iterationCount: 4096,
      lengthBytes: 32,
    },
    'c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a',
  ],
  [
    'ENCRYPT (SP 800-38A F.2.1)',
    {
      method: D.ENCRYPT,
      keys: [{ bytes: hex('2b7e151628aed2a6abf7158809cf4f3c'), algorithm: A.AES }],
      parameters: { blockCipherMode: M.CBC },
      derivationData: hex('6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51'),
      iv: hex('000102030405060708090a0b0c0d0e0f'),
      lengthBytes: 24,
    },
    '7649abac8119b246cee98e9b12e9197d5086cb9b507219ee',
  ],
]

describe('published answers', () => {
  for (const [name, request, expected] of answers) {
    test(name, () => {
      assert.equal(Buffer.from(deriveKey(request)).toString('hex'), expected)
    })
  }
})

const label = text('label')
const context = text('context')
/** Label, a zero byte, Context: what the specification calls Derivation Data. */
const derivationData = new Uint8Array([...label, 0, ...context])
const octets32 = (counter: number) => Uint8Array.of(0, 0, 0, counter)
const hmac = (...parts: readonly Uint8Array[]) => createHmac('sha256', key).update(Buffer.concat(parts)).digest()

describe('NIST SP 800-108', () => {
  const request = { keys: aes, parameters: { hashingAlgorithm: H.SHA_256 }, derivationData, lengthBytes: 80 }
  const kdf = (mode: string, ...more: readonly string[]) => {
    const options = [
      'mac:HMAC',
      'digest:SHA256',
      `hexkey:${Buffer.from(key).toString('hex')}`,
      `hexsalt:${Buffer.from(label).toString('hex')}`,
      `hexinfo:${Buffer.from(context).toString('hex')}`,
      'use-l:0',
      `mode:${mode}`,
      ...more,
    ]
    const args = ['kdf', '-keylen', '80', '-binary', ...options.flatMap((option) => ['-kdfopt', option]), 'KBKDF']
    return new Uint8Array(openssl(args, new Uint8Array(0)))
  }

  test('counter mode, against the openssl command', () => {
    assert.deepEqual(deriveKey({ ...request, method: D.NIST800_108_C }), kdf('counter'))
  })

  test('feedback mode, against the openssl command', () => {
    const iv = new Uint8Array(32).fill(5)
    const seed = `hexseed:${Buffer.from(iv).toString('hex')}`
    assert.deepEqual(deriveKey({ ...request, method: D.NIST800_108_F, iv }), kdf('feedback', seed))
  })

  test('feedback mode from an empty IV', () => {
    const first = hmac(octets32(1), derivationData)
    const second = hmac(first, octets32(2), derivationData)
    const expected = new Uint8Array(Buffer.concat([first, second]))
    assert.deepEqual(deriveKey({ ...request, method: D.NIST800_108_F, lengthBytes: 64 }), expected)
  })

  test('double pipeline iteration mode (§4.3)', () => {
    const one = hmac(derivationData)
    const two = hmac(one)
    const blocks = [hmac(one, octets32(1), derivationData), hmac(two, octets32(2), derivationData)]
    const expected = new Uint8Array(Buffer.concat(blocks)).subarray(0, 50)
    assert.deepEqual(deriveKey({ ...request, method: D.NIST800_108_DPI, lengthBytes: 50 }), expected)
  })

  test('counter mode with CMAC and a counter of 8 bits', () => {
    const args = ['mac', '-cipher', 'AES-128-CBC', '-macopt', `hexkey:${Buffer.from(key).toString('hex')}`, '-binary']
    const block = (counter: number) => openssl([...args, '-in', '-', 'CMAC'], Uint8Array.of(counter, ...derivationData))
    const expected = new Uint8Array(Buffer.concat([block(1), block(2)])).subarray(0, 24)
    const parameters = { blockCipherMode: M.CMAC, counterLength: 8 }
    assert.deepEqual(deriveKey({ ...request, method: D.NIST800_108_C, parameters, lengthBytes: 24 }), expected)
    assert.deepEqual(
      deriveKey({ ...request, method: D.NIST800_108_C, parameters: { counterLength: 8 }, lengthBytes: 24 }),
      expected,
    )
  })
})

describe('agreement', () => {
  const prime = createDiffieHellmanGroup('modp14').getPrime()
  const pairs: readonly (readonly [
    string,
    () => { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
    number,
  ])[] = [
    ['TC-DERIVEKEY-6: secp256k1', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }), 32],
    ['P-521', () => generateKeyPairSync('ec', { namedCurve: 'P-521' }), 66],
    ['X25519', () => generateKeyPairSync('x25519'), 32],
    ['DH', () => generateKeyPairSync('dh', { prime, generator: 2 }), 256],
  ]
  for (const [name, make, lengthBytes] of pairs) {
    test(name, () => {
      const [first, second] = [make(), make()]
      const privateOf = { bytes: pkcs8(first.privateKey) }
      const publicOf = { bytes: spki(second.publicKey) }
      const request = { method: D.AsymmetricKey, parameters: { cryptographicAlgorithm: A.ECDH }, lengthBytes }
      const secret = deriveKey({ ...request, keys: [privateOf, publicOf] })
      const { publicKey } = first
      assert.deepEqual(secret, new Uint8Array(diffieHellman({ privateKey: second.privateKey, publicKey })))
      assert.deepEqual(deriveKey({ ...request, keys: [publicOf, privateOf] }), secret)
    })
  }
})

describe('refusals', () => {
  const hash = { method: D.HASH, keys: aes, parameters: { hashingAlgorithm: H.SHA_256 }, lengthBytes: 16 }
  const password = { method: D.PBKDF2, keys: aes, parameters: {}, salt: key, iterationCount: 1, lengthBytes: 16 }
  const encrypted = { method: D.ENCRYPT, keys: aes, derivationData: key, lengthBytes: 16 }
  const agreement = { method: D.AsymmetricKey, parameters: {}, lengthBytes: 16 }
  const refused: readonly (readonly [string, DeriveRequest, string])[] = [
    ['another method', { ...hash, method: 99 }, 'unsupportedParameter'],
    ['more than the hash has', { ...hash, lengthBytes: 33 }, 'invalidLength'],
    ['nothing at all', { ...hash, lengthBytes: 0 }, 'invalidLength'],
    ['a hash that is not named', { ...hash, parameters: {} }, 'missingParameter'],
    ['a hash of key and data', { ...hash, derivationData: key }, 'invalidParameter'],
    ['two keys for HMAC', { ...hash, method: D.HMAC, keys: [...aes, ...aes] }, 'invalidParameter'],
    ['HMAC without data', { ...hash, method: D.HMAC }, 'missingParameter'],
    ['PBKDF2 without salt', { ...password, salt: undefined }, 'missingParameter'],
    ['PBKDF2 without count', { ...password, iterationCount: undefined }, 'missingParameter'],
    ...[D.NIST800_108_C, D.NIST800_108_F, D.NIST800_108_DPI].map(
      (method) =>
        [
          `data of 2 MiB, which method ${method} goes over again and again`,
          { ...hash, method, derivationData: new Uint8Array(2 ** 21), lengthBytes: 512 },
          'invalidParameter',
        ] as const,
    ),
    ['no iteration', { ...password, iterationCount: 0 }, 'invalidParameter'],
    ['too many for the length', { ...password, iterationCount: 100_000, lengthBytes: 8192 }, 'invalidParameter'],
    ['2^31 - 1 iterations', { ...password, iterationCount: 2 ** 31 - 1 }, 'invalidParameter'],
    ['encryption in no mode', { ...encrypted, parameters: {} }, 'missingParameter'],
    ['CBC without IV', { ...encrypted, parameters: { blockCipherMode: M.CBC } }, 'missingIV'],
    [
      'more than was encrypted',
      { ...encrypted, parameters: { blockCipherMode: M.ECB, paddingMethod: P.None }, lengthBytes: 17 },
      'invalidLength',
    ],
    [
      'a counter that is used up',
      { ...encrypted, method: D.NIST800_108_C, parameters: { counterLength: 8 }, lengthBytes: 8192 },
      'invalidLength',
    ],
    [
      'a counter of 12 bits',
      { ...encrypted, method: D.NIST800_108_C, parameters: { counterLength: 12 } },
      'invalidParameter',
    ],
    ['one key for an agreement', { ...agreement, keys: aes }, 'invalidParameter'],
    ['two private keys', { ...agreement, keys: [0, 1].map(() => ({ bytes: pkcs8(x25519.privateKey) })) }, 'invalidKey'],
    [
      'keys of two kinds',
      { ...agreement, keys: [{ bytes: pkcs8(x25519.privateKey) }, { bytes: spki(dh.publicKey) }] },
      'invalidKey',
    ],
    [
      'keys that agree on nothing',
      { ...agreement, keys: [{ bytes: pkcs8(rsa.privateKey) }, { bytes: spki(rsa.publicKey) }] },
      'invalidKey',
    ],
  ]
  for (const [name, request, kind] of refused) {
    test(name, () => {
      assert.throws(() => deriveKey(request), { kind })
    })
  }
})

test('ENCRYPT in another mode is what the library gives', () => {
  const library = createCipheriv('aes-128-ctr', key, new Uint8Array(16))
  const parameters = { blockCipherMode: M.CTR }
  const request = { method: D.ENCRYPT, keys: aes, parameters, derivationData, iv: new Uint8Array(16), lengthBytes: 13 }
  assert.deepEqual(deriveKey(request), new Uint8Array(library.update(derivationData)))
})
