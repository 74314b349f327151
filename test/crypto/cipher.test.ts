/** Ciphers against published answers, the openssl command and the library; paddings, vectors and refusals as tables. */

import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { decrypt, type EncryptRequest, encrypt } from '#crypto/encrypt'
import { KeyUseError } from '#crypto/errors'
import type { CryptographicParameters } from '#kmip/attribute-values'
import { CryptographicAlgorithm as A, BlockCipherMode as M, PaddingMethod as P } from '#kmip/enums'
import { openssl } from '#test/crypto/keys'
import { hex, symmetric, text } from '#test/crypto/published'

/** NIST SP 800-38A appendix F. */
const key38A = symmetric('2b7e151628aed2a6abf7158809cf4f3c')
const plain38A = `6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51
  30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710`.replace(/\s/g, '')
const iv38A = '000102030405060708090a0b0c0d0e0f'
const key3DES = symmetric('010101010101010101010101010101010101010101010101', A.DES3)
const keyChaCha = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
const sunscreen =
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."

interface Answer {
  readonly name: string
  readonly request: Omit<EncryptRequest, 'data'>
  readonly plain: Uint8Array
  /** The encrypted data, or its beginning. */
  readonly encrypted: string
  readonly tag?: string
}

const of38A = (name: string, blockCipherMode: M, iv: string | undefined, encrypted: string): Answer => ({
  name: `SP 800-38A ${name}`,
  request: { key: key38A, parameters: { blockCipherMode }, iv: iv === undefined ? undefined : hex(iv) },
  plain: hex(plain38A),
  encrypted,
})

const answers: readonly Answer[] = [
  of38A('F.1.1', M.ECB, undefined, '3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf'),
  of38A('F.2.1', M.CBC, iv38A, '7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2'),
  of38A('F.3.13', M.CFB, iv38A, '3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b'),
  of38A('F.4.1', M.OFB, iv38A, '3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed825'),
  of38A(
    'F.5.1',
    M.CTR,
    'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff',
    '874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff',
  ),
  {
    name: 'SP 800-38C example 1',
    request: {
      key: symmetric('404142434445464748494a4b4c4d4e4f'),
      parameters: { blockCipherMode: M.CCM, tagLength: 4 },
      iv: hex('10111213141516'),
      aad: hex('0001020304050607'),
    },
    plain: hex('20212223'),
    encrypted: '7162015b',
    tag: '4dac255d',
  },
  {
    name: 'CS-BC-M-GCM-1 (SP 800-38D)',
    request: {
      key: symmetric('00000000000000000000000000000000'),
      parameters: { blockCipherMode: M.GCM, tagLength: 16 },
      iv: hex('000000000000000000000000'),
    },
    plain: hex('00000000000000000000000000000000'),
    encrypted: '0388dace60b6a392f328c2b971b2fe78',
    tag: 'ab6e47d42cec13bdf53a67b21257bddf',
  },
  {
    name: 'CS-BC-M-GCM-2, an IV of 8 bytes',
    request: {
      key: symmetric('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308'),
      parameters: { blockCipherMode: M.GCM, tagLength: 16 },
      iv: hex('cafebabefacedbad'),
      aad: hex('feedfacedeadbeeffeedfacedeadbeefabaddad2'),
    },
    plain: hex(
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    ),
    encrypted:
      'c3762df1ca787d32ae47c13bf19844cbaf1ae14d0b976afac52ff7d79bba9de0feb582d33934a4f0954cc2363bc73f7862ac430e64abe499f47c9b1f',
    tag: '3a337dbf46a792c45e454913fe2ea8f2',
  },
  {
    name: 'CS-BC-M-GCM-2, no data, a tag of 15 bytes',
    request: {
      key: symmetric('6dfa1a07c14f978020ace450ad663d18'),
      parameters: { blockCipherMode: M.GCM, tagLength: 15 },
      iv: hex('34edfa462a14c6969a680ec1'),
      aad: hex('2a35c7f5f8578e919a581c60500c04f6'),
    },
    plain: hex(''),
    encrypted: '',
    tag: '751f3098d59cf4ea1d2fb0853bde1c',
  },
  {
    name: 'IEEE 1619, vector 2',
    request: {
      key: symmetric('1111111111111111111111111111111122222222222222222222222222222222'),
      parameters: { blockCipherMode: M.XTS },
      iv: hex('33333333330000000000000000000000'),
    },
    plain: hex('44'.repeat(32)),
    encrypted: 'c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0',
  },
  {
    name: 'RFC 8439 §2.8.2',
    request: {
      key: symmetric('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f', A.ChaCha20Poly1305),
      parameters: {},
      iv: hex('070000004041424344454647'),
      aad: hex('50515253c0c1c2c3c4c5c6c7'),
    },
    plain: text(sunscreen),
    encrypted: 'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6',
    tag: '1ae10b594f09e26a7e902ecbd0600691',
  },
  {
    name: 'RFC 8439 §2.4.2',
    request: {
      key: symmetric(keyChaCha, A.ChaCha20),
      parameters: { initialCounterValue: 1 },
      iv: hex('000000000000004a00000000'),
    },
    plain: text(sunscreen),
    encrypted: '6e2e359a2568f98041ba0728dd0d6981',
  },
  {
    name: 'RFC 3686, test vector 1: a nonce, and a counter of 1 behind it',
    request: {
      key: symmetric('ae6852f8121067cc4bf7a5765577f39e'),
      parameters: { blockCipherMode: M.CTR, initialCounterValue: 1 },
      iv: hex('000000300000000000000000'),
    },
    plain: text('Single block msg'),
    encrypted: 'e4095d4fb7a7b3792d6175a3261311b8',
  },
  {
    name: 'CS-BC-M-8: PKCS5',
    request: {
      key: symmetric('0123456789abcdef0123456789abcdef'),
      parameters: { blockCipherMode: M.ECB, paddingMethod: P.PKCS5 },
    },
    plain: hex('01020304050607080910111213141516'),
    encrypted: 'd9bcce11b0b437b90239552df3a360c90efb6bfed93b4d1ea2123ba4db075ff6',
  },
  {
    name: 'CS-BC-M-8: ECB and PKCS5 are meant where nothing is named',
    request: { key: symmetric('0123456789abcdef0123456789abcdef'), parameters: {} },
    plain: hex('01020304050607080910111213141516'),
    encrypted: 'd9bcce11b0b437b90239552df3a360c90efb6bfed93b4d1ea2123ba4db075ff6',
  },
  {
    name: 'CS-BC-M-6: no padding is meant where a mode is named',
    request: { key: symmetric('0123456789abcdef0123456789abcdef'), parameters: { blockCipherMode: M.ECB } },
    plain: hex('01020304050607080910111213141516'),
    encrypted: 'd9bcce11b0b437b90239552df3a360c9',
  },
  {
    name: 'CS-BC-M-10',
    request: {
      key: symmetric('0123456789abcdef0123456789abcdef'),
      parameters: { blockCipherMode: M.CBC, paddingMethod: P.PKCS5 },
      iv: hex('01020304050607080910111213141516'),
    },
    plain: hex('010203040506070809101112131415160102030405060708091011121314151601'),
    encrypted: '79abc5c23868ad84d388ce61110a62742bda19d694bbcb757dd06617c0d80fb1df2e71864ad9633d7d797e30860df00d',
  },
  {
    name: 'RFC 3394 §4.1',
    request: { key: symmetric('000102030405060708090a0b0c0d0e0f'), parameters: { blockCipherMode: M.NISTKeyWrap } },
    plain: hex('00112233445566778899aabbccddeeff'),
    encrypted: '1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5',
  },
  {
    name: 'CS-BC-M-4-12-3DES',
    request: { key: key3DES, parameters: { blockCipherMode: M.ECB } },
    plain: hex('010203040506070809101112131415161718192021222324'),
    encrypted: 'cead373db80eabf87477d921e6d5a5d116c10e3814ebe004',
  },
]

describe('published answers', () => {
  for (const { name, request, plain, encrypted, tag } of answers) {
    test(name, () => {
      const result = encrypt({ ...request, data: plain })
      assert.equal(Buffer.from(result.data).toString('hex').slice(0, encrypted.length), encrypted)
      assert.equal(result.tag === undefined ? undefined : Buffer.from(result.tag).toString('hex'), tag)
      assert.deepEqual(decrypt({ ...request, data: result.data, tag: result.tag }).data, plain)
    })
  }
})

describe('against the openssl command', () => {
  const key = '000102030405060708090a0b0c0d0e0f1011121314151617'
  const key128 = key.slice(0, 32)
  const key256 = `${key}18191a1b1c1d1e1f`
  const iv = 'a0a1a2a3a4a5a6a7a8a9aaabacadaeaf'
  const rows: readonly (readonly [string, string, A, M, string | undefined])[] = [
    ['aes-192-cbc', key, A.AES, M.CBC, iv],
    ['aes-256-ctr', key256, A.AES, M.CTR, iv],
    ['aes-256-ofb', key256, A.AES, M.OFB, iv],
    ['camellia-128-cbc', key128, A.Camellia, M.CBC, iv],
    ['camellia-256-ecb', key256, A.Camellia, M.ECB, undefined],
    ['aria-256-cfb', key256, A.ARIA, M.CFB, iv],
    ['sm4-cbc', key128, A.SM4, M.CBC, iv],
    ['des-ede-cbc', key128, A.DES3, M.CBC, iv.slice(0, 16)],
    ['des-ede3-cbc', key, A.DES3, M.CBC, iv.slice(0, 16)],
    ['des-ede3-cfb', key, A.DES3, M.CFB, iv.slice(0, 16)],
  ]
  for (const [name, material, algorithm, blockCipherMode, vector] of rows) {
    test(name, () => {
      const plain = text('forty-one bytes, which are not whole blocks')
      const request = {
        key: symmetric(material, algorithm),
        parameters: { blockCipherMode, paddingMethod: P.PKCS5 },
        iv: vector === undefined ? undefined : hex(vector),
      }
      const { data } = encrypt({ ...request, data: plain })
      const iv = vector === undefined ? [] : ['-iv', vector]
      assert.deepEqual(new Uint8Array(openssl(['enc', `-${name}`, '-K', material, ...iv], plain)), data)
      assert.deepEqual(decrypt({ ...request, data }).data, plain)
    })
  }
})

describe('paddings', () => {
  const key = symmetric('0123456789abcdef0123456789abcdef')
  const raw = (data: Uint8Array) => decrypt({ key, parameters: { blockCipherMode: M.ECB }, data }).data
  const tails: readonly (readonly [string, P, string | undefined, number])[] = [
    ['PKCS5', P.PKCS5, '030303', 16],
    ['ANSI X9.23', P.ANSIX9_23, '000003', 16],
    ['ISO 10126', P.ISO10126, undefined, 16],
    ['SSL3', P.SSL3, undefined, 16],
    ['Zeros', P.Zeros, '000000', 0],
  ]
  for (const [name, paddingMethod, tail, whole] of tails) {
    const parameters = { blockCipherMode: M.ECB, paddingMethod }
    test(name, () => {
      const block = raw(encrypt({ key, parameters, data: new Uint8Array(13).fill(9) }).data)
      assert.equal(block.length, 16)
      assert.equal(block[15], { [P.Zeros]: 0, [P.SSL3]: 2 }[paddingMethod as number] ?? 3)
      if (tail !== undefined) assert.deepEqual(block.subarray(13), hex(tail))
      assert.equal(encrypt({ key, parameters, data: new Uint8Array(16) }).data.length, 16 + whole)
    })
    test(`${name}: what was padded comes back`, () => {
      const data = fc.uint8Array({ maxLength: 70 }).map((bytes) => (bytes.at(-1) === 0 ? bytes.fill(1, -1) : bytes))
      fc.assert(
        fc.property(data, (plain) => {
          const { data: encrypted } = encrypt({ key, parameters, data: plain })
          assert.deepEqual(decrypt({ key, parameters, data: encrypted }).data, new Uint8Array(plain))
        }),
      )
    })
  }

  const broken: readonly (readonly [string, P, string])[] = [
    ['PKCS5 of 0', P.PKCS5, '00'.repeat(16)],
    ['PKCS5 of 17', P.PKCS5, '11'.repeat(16)],
    ['PKCS5 with another byte', P.PKCS5, `${'00'.repeat(13)}020303`],
    ['ANSI X9.23 with another byte', P.ANSIX9_23, `${'00'.repeat(13)}010003`],
    ['ISO 10126 of 17', P.ISO10126, `${'00'.repeat(15)}11`],
  ]
  for (const [name, paddingMethod, block] of broken) {
    test(`refuses ${name}, and says no more than that`, () => {
      const { data } = encrypt({ key, parameters: { blockCipherMode: M.ECB }, data: hex(block) })
      const run = () => decrypt({ key, parameters: { blockCipherMode: M.ECB, paddingMethod }, data })
      assert.throws(run, { name: 'KeyUseError', kind: 'failed', message: new KeyUseError('failed').message })
    })
  }
})

describe('initialization vectors', () => {
  const key = symmetric('0123456789abcdef0123456789abcdef')
  const data = new Uint8Array(20)
  const made: readonly (readonly [string, CryptographicParameters, number])[] = [
    ['CBC', { blockCipherMode: M.CBC, paddingMethod: P.PKCS5 }, 16],
    ['GCM', { blockCipherMode: M.GCM }, 12],
    ['GCM of 128 bits', { blockCipherMode: M.GCM, ivLength: 128 }, 16],
    ['CTR', { blockCipherMode: M.CTR }, 16],
    ['CTR with a nonce of 96 bits', { blockCipherMode: M.CTR, ivLength: 96, initialCounterValue: 1 }, 12],
    ['CCM', { blockCipherMode: M.CCM, tagLength: 8 }, 12],
  ]
  for (const [name, own, length] of made) {
    test(`makes one for ${name}`, () => {
      const parameters = { ...own, randomIv: true }
      const first = encrypt({ key, parameters, data })
      assert.equal(first.iv?.length, length)
      assert.notDeepEqual(encrypt({ key, parameters, data }).iv, first.iv)
      assert.deepEqual(decrypt({ key, parameters, ...first }).data, data)
    })
  }

  test('a given one is used, and not given back', () => {
    const parameters = { blockCipherMode: M.GCM, randomIv: true }
    const result = encrypt({ key, parameters, iv: new Uint8Array(12), data })
    const library = createCipheriv('aes-128-gcm', hex('0123456789abcdef0123456789abcdef'), new Uint8Array(12))
    assert.equal(result.iv, undefined)
    assert.deepEqual(result.data, new Uint8Array(library.update(data)))
  })
})

describe('authentication', () => {
  const key = symmetric('0123456789abcdef0123456789abcdef')
  const request = { key, parameters: { blockCipherMode: M.GCM }, iv: new Uint8Array(12), aad: text('header') }
  const { data, tag = new Uint8Array(0) } = encrypt({ ...request, data: text('text') })

  test('without a tag of its own the data ends with it', () => {
    const joined = new Uint8Array([...data, ...tag])
    assert.deepEqual(decrypt({ ...request, data: joined }).data, text('text'))
  })

  const changed: readonly (readonly [string, Partial<EncryptRequest>])[] = [
    ['tag', { tag: new Uint8Array(16) }],
    ['data', { data: new Uint8Array(4) }],
    ['additional data', { aad: text('other') }],
    ['initialization vector', { iv: new Uint8Array(12).fill(1) }],
    ['key', { key: symmetric('00000000000000000000000000000000') }],
  ]
  for (const [name, change] of changed) {
    test(`refuses another ${name}`, () => {
      assert.throws(() => decrypt({ ...request, data, tag, ...change }), { name: 'KeyUseError', kind: 'failed' })
    })
  }
})

describe('refusals', () => {
  const key = symmetric('0123456789abcdef0123456789abcdef')
  const iv = new Uint8Array(16)
  const data = new Uint8Array(16)
  const rows: readonly (readonly [string, Partial<EncryptRequest>, string])[] = [
    ['CBC without an initialization vector', { parameters: { blockCipherMode: M.CBC } }, 'missingIV'],
    ['CBC with one of 8 bytes', { parameters: { blockCipherMode: M.CBC }, iv: iv.subarray(8) }, 'invalidIV'],
    ...[7, 9, 13, 15].map(
      (length) =>
        [
          `ChaCha20 with a nonce of ${length} bytes, which nobody defines`,
          { key: symmetric('00'.repeat(32), A.ChaCha20), iv: new Uint8Array(length) },
          'invalidIV',
        ] as const,
    ),
    ['one that is not of the IV Length', { parameters: { blockCipherMode: M.GCM, ivLength: 96 }, iv }, 'invalidIV'],
    ['a tag of 1 byte', { parameters: { blockCipherMode: M.GCM, tagLength: 1 }, iv }, 'invalidTagLength'],
    ['a tag of 32 bytes', { parameters: { blockCipherMode: M.GCM, tagLength: 32 }, iv }, 'invalidTagLength'],
    ['15 bytes without padding', { parameters: { blockCipherMode: M.ECB }, data: iv.subarray(1) }, 'invalidLength'],
    ['additional data for CBC', { parameters: { blockCipherMode: M.CBC }, iv, aad: data }, 'invalidParameter'],
    [
      'a counter that does not fit',
      { parameters: { blockCipherMode: M.CTR, initialCounterValue: 256 }, iv: iv.subarray(1) },
      'invalidParameter',
    ],
    ['a key of 17 bytes', { key: symmetric('00'.repeat(17)) }, 'invalidKey'],
    ['15 bytes of key wrap', { parameters: { blockCipherMode: M.NISTKeyWrap }, data: iv.subarray(1) }, 'invalid'],
    ['CMAC', { parameters: { blockCipherMode: M.CMAC } }, 'unsupportedParameter'],
    ['PSS', { parameters: { blockCipherMode: M.ECB, paddingMethod: P.PSS } }, 'unsupportedParameter'],
    ['3DES in GCM', { key: key3DES, parameters: { blockCipherMode: M.GCM } }, 'unsupportedParameter'],
    ['Twofish', { key: symmetric('00'.repeat(16), A.Twofish) }, 'unsupportedAlgorithm'],
    [
      'XTS with two equal keys',
      { parameters: { blockCipherMode: M.XTS }, key: symmetric('00'.repeat(32)), iv },
      'failed',
    ],
  ]
  for (const [name, change, kind] of rows) {
    test(name, () => {
      assert.throws(() => encrypt({ key, parameters: {}, data, ...change }), { kind })
    })
  }
})
