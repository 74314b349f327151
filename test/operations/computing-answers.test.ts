/**
 * Published answers through the server: NIST SP 800-38A (four blocks, every key length), SP 800-38C, the test cases of GCM, RFC
 * 8439, RFC 3394, RFC 5649 and RFC 4231, each encrypted and decrypted, MACed and verified. What it is not: the answers of the
 * KMIP profiles, which test/crypto/ and the conformance runner have.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { CryptographicParameters } from '#kmip/attribute-values'
import { BlockCipherMode, CryptographicAlgorithm, PaddingMethod, ValidityIndicator } from '#kmip/enums'
import { bytes, registerKey } from '#test/computing'
import { openDispatcher, outcome, succeed } from '#test/dispatcher'

const A = CryptographicAlgorithm
const M = BlockCipherMode

const hex = (text: string): Uint8Array => bytes(text.replaceAll(/\s/g, ''))

interface Answer {
  readonly name: string
  readonly algorithm?: CryptographicAlgorithm
  readonly key: string
  readonly parameters: CryptographicParameters
  readonly iv?: string
  readonly aad?: string
  readonly plain: string
  readonly encrypted: string
  readonly tag?: string
}

const keys38A = [
  '2b7e151628aed2a6abf7158809cf4f3c',
  '8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b',
  '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4',
] as const
const plain38A = `6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
  30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710`
const iv38A = '000102030405060708090a0b0c0d0e0f'
const counter38A = 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'

/** A mode of SP 800-38A appendix F with keys of 128, 192 and 256 bits. */
const of38A = (
  name: string,
  blockCipherMode: BlockCipherMode,
  iv: string | undefined,
  encrypted: readonly [string, string, string],
): readonly Answer[] =>
  keys38A.map((key, index) => ({
    name: `SP 800-38A ${name}, AES-${key.length * 4}`,
    key,
    parameters: { blockCipherMode, paddingMethod: PaddingMethod.None },
    ...(iv === undefined ? {} : { iv }),
    plain: plain38A,
    encrypted: encrypted[index] ?? '',
  }))

const gcmKey = 'feffe9928665731c6d6a8f9467308308'
const gcmPlain = `d9313225f88406e5a55909c5aff5269a 86a7a9531534f7da2e4c303d8a318a72
  1c3c0c95956809532fcf0e2449a6b525 b16aedf5aa0de657ba637b39`
const gcmEncrypted128 = `42831ec2217774244b7221b784d0d49c e3aa212f2c02a4e035c17e2329aca12e
  21d514b25466931c7d8f6a5aac84aa05 1ba30b396a0aac973d58e091`
const gcmEncrypted256 = `522dc1f099567d07f47f37a32a84427d 643a8cdcbfe5c0c97598a2bd2555d1aa
  8cb08e48590dbb3da7b08b1056828838 c5f61e6393ba7a0abcc9f662`
const gcmIv = 'cafebabefacedbaddecaf888'
const gcmAad = 'feedfacedeadbeeffeedfacedeadbeefabaddad2'
const gcm = { blockCipherMode: M.GCM, tagLength: 16 }

const ccmKey = '404142434445464748494a4b4c4d4e4f'
const wrapKey = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
const wrapData = '00112233445566778899aabbccddeeff'

const answers: readonly Answer[] = [
  ...of38A('F.1', M.ECB, undefined, [
    `3ad77bb40d7a3660a89ecaf32466ef97 f5d3d58503b9699de785895a96fdbaaf
     43b1cd7f598ece23881b00e3ed030688 7b0c785e27e8ad3f8223207104725dd4`,
    `bd334f1d6e45f25ff712a214571fa5cc 974104846d0ad3ad7734ecb3ecee4eef
     ef7afd2270e2e60adce0ba2face6444e 9a4b41ba738d6c72fb16691603c18e0e`,
    `f3eed1bdb5d2a03c064b5a7e3db181f8 591ccb10d410ed26dc5ba74a31362870
     b6ed21b99ca6f4f9f153e7b1beafed1d 23304b7a39f9f3ff067d8d8f9e24ecc7`,
  ]),
  ...of38A('F.2', M.CBC, iv38A, [
    `7649abac8119b246cee98e9b12e9197d 5086cb9b507219ee95db113a917678b2
     73bed6b8e3c1743b7116e69e22229516 3ff1caa1681fac09120eca307586e1a7`,
    `4f021db243bc633d7178183a9fa071e8 b4d9ada9ad7dedf4e5e738763f69145a
     571b242012fb7ae07fa9baac3df102e0 08b0e27988598881d920a9e64f5615cd`,
    `f58c4c04d6e5f1ba779eabfb5f7bfbd6 9cfc4e967edb808d679f777bc6702c7d
     39f23369a9d9bacfa530e26304231461 b2eb05e2c39be9fcda6c19078c6a9d1b`,
  ]),
  ...of38A('F.3, segments of 128 bits', M.CFB, iv38A, [
    `3b3fd92eb72dad20333449f8e83cfb4a c8a64537a0b3a93fcde3cdad9f1ce58b
     26751f67a3cbb140b1808cf187a4f4df c04b05357c5d1c0eeac4c66f9ff7f2e6`,
    `cdc80d6fddf18cab34c25909c99a4174 67ce7f7f81173621961a2b70171d3d7a
     2e1e8a1dd59b88b1c8e60fed1efac4c9 c05f9f9ca9834fa042ae8fba584b09ff`,
    `dc7e84bfda79164b7ecd8486985d3860 39ffed143b28b1c832113c6331e5407b
     df10132415e54b92a13ed0a8267ae2f9 75a385741ab9cef82031623d55b1e471`,
  ]),
  ...of38A('F.4', M.OFB, iv38A, [
    `3b3fd92eb72dad20333449f8e83cfb4a 7789508d16918f03f53c52dac54ed825
     9740051e9c5fecf64344f7a82260edcc 304c6528f659c77866a510d9c1d6ae5e`,
    `cdc80d6fddf18cab34c25909c99a4174 fcc28b8d4c63837c09e81700c1100401
     8d9a9aeac0f6596f559c6d4daf59a5f2 6d9f200857ca6c3e9cac524bd9acc92a`,
    `dc7e84bfda79164b7ecd8486985d3860 4febdc6740d20b3ac88f6ad82a4fb08d
     71ab47a086e86eedf39d1c5bba97c408 0126141d67f37be8538f5a8be740e484`,
  ]),
  ...of38A('F.5', M.CTR, counter38A, [
    `874d6191b620e3261bef6864990db6ce 9806f66b7970fdff8617187bb9fffdff
     5ae4df3edbd5d35e5b4f09020db03eab 1e031dda2fbe03d1792170a0f3009cee`,
    `1abc932417521ca24f2b0459fe7e6e0b 090339ec0aa6faefd5ccc2c6f4ce8e94
     1e36b26bd1ebc670d1bd1d665620abf7 4f78a7f6d29809585a97daec58c6b050`,
    `601ec313775789a5b7a7f504bbf3d228 f443e3ca4d62b59aca84e990cacaf5c5
     2b0930daa23de94ce87017ba2d84988d dfc9c58db67aada613c2dd08457941a6`,
  ]),
  {
    name: 'SP 800-38C example 1',
    key: ccmKey,
    parameters: { blockCipherMode: M.CCM, tagLength: 4 },
    iv: '10111213141516',
    aad: '0001020304050607',
    plain: '20212223',
    encrypted: '7162015b',
    tag: '4dac255d',
  },
  {
    name: 'SP 800-38C example 2',
    key: ccmKey,
    parameters: { blockCipherMode: M.CCM, tagLength: 6 },
    iv: '1011121314151617',
    aad: '000102030405060708090a0b0c0d0e0f',
    plain: '202122232425262728292a2b2c2d2e2f',
    encrypted: 'd2a1f0e051ea5f62081a7792073d593d',
    tag: '1fc64fbfaccd',
  },
  {
    name: 'SP 800-38C example 3',
    key: ccmKey,
    parameters: { blockCipherMode: M.CCM, tagLength: 8 },
    iv: '101112131415161718191a1b',
    aad: '000102030405060708090a0b0c0d0e0f10111213',
    plain: '202122232425262728292a2b2c2d2e2f3031323334353637',
    encrypted: 'e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5',
    tag: '484392fbc1b09951',
  },
  {
    name: 'GCM test case 3',
    key: gcmKey,
    parameters: gcm,
    iv: gcmIv,
    plain: `${gcmPlain}1aafd255`,
    encrypted: `${gcmEncrypted128}473f5985`,
    tag: '4d5c2af327cd64a62cf35abd2ba6fab4',
  },
  {
    name: 'GCM test case 4',
    key: gcmKey,
    parameters: gcm,
    iv: gcmIv,
    aad: gcmAad,
    plain: gcmPlain,
    encrypted: gcmEncrypted128,
    tag: '5bc94fbc3221a5db94fae95ae7121a47',
  },
  {
    name: 'GCM test case 14',
    key: '00'.repeat(32),
    parameters: gcm,
    iv: '00'.repeat(12),
    plain: '00'.repeat(16),
    encrypted: 'cea7403d4d606b6e074ec5d3baf39d18',
    tag: 'd0d1c8a799996bf0265b98b5d48ab919',
  },
  {
    name: 'GCM test case 15',
    key: gcmKey.repeat(2),
    parameters: gcm,
    iv: gcmIv,
    plain: `${gcmPlain}1aafd255`,
    encrypted: `${gcmEncrypted256}898015ad`,
    tag: 'b094dac5d93471bdec1a502270e3cc6c',
  },
  {
    name: 'GCM test case 16',
    key: gcmKey.repeat(2),
    parameters: gcm,
    iv: gcmIv,
    aad: gcmAad,
    plain: gcmPlain,
    encrypted: gcmEncrypted256,
    tag: '76fc6ece0f4e1768cddf8853bb2d551b',
  },
  {
    name: 'RFC 8439 §2.8.2',
    algorithm: A.ChaCha20Poly1305,
    key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
    parameters: {},
    iv: '070000004041424344454647',
    aad: '50515253c0c1c2c3c4c5c6c7',
    plain: Buffer.from(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    ).toString('hex'),
    encrypted: `d31a8d34648e60db7b86afbc53ef7ec2 a4aded51296e08fea9e2b5a736ee62d6
      3dbea45e8ca9671282fafb69da92728b 1a71de0a9e060b2905d6a5b67ecd3b36
      92ddbd7f2d778b8c9803aee328091b58 fab324e4fad675945585808b4831d7bc
      3ff4def08e4b7a9de576d26586cec64b 6116`,
    tag: '1ae10b594f09e26a7e902ecbd0600691',
  },
  ...(
    [
      [16, wrapData, '1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5'],
      [24, wrapData, '96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d'],
      [32, wrapData, '64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7'],
      [24, `${wrapData}0001020304050607`, '031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2'],
      [32, `${wrapData}0001020304050607`, 'a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1'],
      [
        32,
        `${wrapData}000102030405060708090a0b0c0d0e0f`,
        '28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21',
      ],
    ] as const
  ).map(([keyBytes, plain, encrypted], index) => ({
    name: `RFC 3394 §4.${index + 1}`,
    key: wrapKey.slice(0, keyBytes * 2),
    parameters: { blockCipherMode: M.NISTKeyWrap },
    plain,
    encrypted,
  })),
  ...(
    [
      ['c37b7e6492584340bed12207808941155068f738', '138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a'],
      ['466f7250617369', 'afbeb0f07dfbf5419200f2ccb50bb24f'],
    ] as const
  ).map(([plain, encrypted]) => ({
    name: `RFC 5649 §6, ${plain.length / 2} bytes`,
    key: '5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8',
    parameters: { blockCipherMode: M.AESKeyWrapPadding },
    plain,
    encrypted,
  })),
]

describe('published answers of ciphers', () => {
  const under = openDispatcher()
  for (const answer of answers) {
    test(answer.name, async () => {
      const { algorithm = A.AES, parameters: cryptographicParameters } = answer
      const uniqueIdentifier = await registerKey(under, {}, hex(answer.key), algorithm)
      const common = {
        uniqueIdentifier,
        cryptographicParameters,
        ivCounterNonce: answer.iv === undefined ? undefined : hex(answer.iv),
        authenticatedEncryptionAdditionalData: answer.aad === undefined ? undefined : hex(answer.aad),
      }
      const made = await succeed(under, 'Encrypt', { ...common, data: hex(answer.plain) })
      assert.deepEqual(made.data, Buffer.from(hex(answer.encrypted)))
      const tag = answer.tag === undefined ? undefined : hex(answer.tag)
      assert.deepEqual(made.authenticatedEncryptionTag, tag && Buffer.from(tag))
      const request = { ...common, data: hex(answer.encrypted), authenticatedEncryptionTag: tag }
      assert.deepEqual((await succeed(under, 'Decrypt', request)).data, Buffer.from(hex(answer.plain)))
      if (tag === undefined) return
      const changed = Uint8Array.from(tag, (byte, index) => (index === 0 ? byte ^ 1 : byte))
      const wrong = { ...request, authenticatedEncryptionTag: changed }
      assert.equal(await outcome(under, 'Decrypt', wrong), 'CryptographicFailure')
    })
  }
})

const ofText = (text: string): string => Buffer.from(text).toString('hex')

/** RFC 4231 §4: key, data, and the codes of SHA-224, SHA-256, SHA-384 and SHA-512. */
const codes: readonly (readonly [string, string, string, readonly [string, string, string, string]])[] = [
  [
    '§4.2',
    '0b'.repeat(20),
    ofText('Hi There'),
    [
      '896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22',
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
      'afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6',
      `87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde
       daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854`,
    ],
  ],
  [
    '§4.4',
    'aa'.repeat(20),
    'dd'.repeat(50),
    [
      '7fb3cb3588c6c1f6ffa9694d7d6ad2649365b0c1f65d69d1ec8333ea',
      '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
      '88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27',
      `fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39
       bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb`,
    ],
  ],
  [
    '§4.7',
    'aa'.repeat(131),
    ofText('Test Using Larger Than Block-Size Key - Hash Key First'),
    [
      '95e9a0db962095adaebe9b2d6f0dbce2d499f112f2d2b7273fa6870e',
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
      '4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952',
      `80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352
       6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598`,
    ],
  ],
]

describe('published answers of HMAC', () => {
  const under = openDispatcher()
  const algorithms = [A.HMAC_SHA224, A.HMAC_SHA256, A.HMAC_SHA384, A.HMAC_SHA512]
  for (const [name, key, data, macs] of codes) {
    test(`RFC 4231 ${name}`, async () => {
      for (const [index, algorithm] of algorithms.entries()) {
        const uniqueIdentifier = await registerKey(under, {}, hex(key), algorithm)
        const macData = hex(macs[index] ?? '')
        const request = { uniqueIdentifier, data: hex(data) }
        assert.deepEqual((await succeed(under, 'MAC', request)).macData, Buffer.from(macData))
        const { validityIndicator } = await succeed(under, 'MACVerify', { ...request, macData })
        assert.equal(validityIndicator, ValidityIndicator.Valid)
      }
    })
  }
})
