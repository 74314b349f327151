/**
 * What the server computes for PyKMIP's own client, in every protocol version that both have: encryption, codes, signatures.
 * What it is: calls, each with what is expected, computed here by the platform's library. What it is not: vectors of
 * algorithms (test/crypto).
 */
import assert from 'node:assert/strict'
import * as node from 'node:crypto'
import { check, done, type Expectation, identifier, reason, result } from './pykmip.ts'
import {
  aesKey,
  blocks,
  bytes,
  type Call,
  call,
  ciphered,
  concatenated,
  desKey,
  type Given,
  hex,
  hmac,
  iv,
  refused,
  rsa,
  testCalls,
  text,
  unknown,
} from './pykmip-calls.ts'

const nonce = iv.subarray(0, 12)

interface ModeRow {
  readonly key: string
  readonly by: Given
  readonly iv?: Uint8Array
  /** What comes out; undefined: it is refused. */
  readonly out?: string
}

const modes: readonly ModeRow[] = [
  { key: 'aes', by: { block_cipher_mode: 'CBC' }, iv, out: ciphered('aes-128-cbc', aesKey, iv, blocks) },
  { key: 'aes', by: { block_cipher_mode: 'ECB' }, out: ciphered('aes-128-ecb', aesKey, null, blocks) },
  { key: 'aes', by: { block_cipher_mode: 'CFB' }, iv, out: ciphered('aes-128-cfb', aesKey, iv, blocks) },
  { key: 'aes', by: { block_cipher_mode: 'OFB' }, iv, out: ciphered('aes-128-ofb', aesKey, iv, blocks) },
  { key: 'aes', by: { block_cipher_mode: 'CTR' }, iv, out: ciphered('aes-128-ctr', aesKey, iv, blocks) },
  {
    key: 'aes',
    by: { block_cipher_mode: 'NIST_KEY_WRAP' },
    out: ciphered('aes128-wrap', aesKey, Buffer.alloc(8, 0xa6), blocks),
  },
  {
    key: 'aes',
    by: { block_cipher_mode: 'AES_KEY_WRAP_PADDING' },
    out: ciphered('id-aes128-wrap-pad', aesKey, bytes('a65959a6'), blocks),
  },
  {
    key: 'des',
    by: { block_cipher_mode: 'CBC' },
    iv: iv.subarray(8),
    out: ciphered('des-ede3-cbc', desKey, iv.subarray(8), blocks),
  },
  { key: 'des', by: { block_cipher_mode: 'ECB' }, out: ciphered('des-ede3-ecb', desKey, null, blocks) },
  ...['PCBC', 'CMAC', 'CBC_MAC', 'X9_102_AESKW', 'X9_102_TDKW', 'X9_102_AKW1', 'X9_102_AKW2'].map((mode) => ({
    key: 'aes',
    by: { block_cipher_mode: mode },
    iv,
  })),
]

const encryptions: readonly Call[] = modes.flatMap(({ key, by, iv: vector, out }) => {
  const name = `${key} ${String(by['block_cipher_mode'])}`
  const given = { key: `@${key}`, by, ...(vector === undefined ? {} : { iv: hex(vector) }) }
  return [
    call(
      `encrypt ${name}`,
      'encrypt',
      { ...given, data: hex(blocks) },
      out === undefined ? refused : result([out, null]),
    ),
    ...(out === undefined ? [] : [call(`decrypt ${name}`, 'decrypt', { ...given, data: out }, result(hex(blocks)))]),
  ]
})

const pad = (tail: Uint8Array): string => ciphered('aes-128-cbc', aesKey, iv, concatenated(text, tail))

/** What each padding of a block gives: the bytes, where they are no random ones. */
const paddings: Readonly<Record<string, Expectation>> = {
  NONE: refused,
  PKCS5: result([pad(Buffer.alloc(8, 8)), null]),
  ANSI_X923: result([pad(bytes('0000000000000008')), null]),
  ZEROS: result([pad(Buffer.alloc(8)), null]),
  SSL3: check((given) => assert.equal((given as readonly string[])[0]?.length, 64)),
  ISO_10126: check((given) => assert.equal((given as readonly string[])[0]?.length, 64)),
  OAEP: refused,
  PKCS1v15: refused,
  X931: refused,
  PSS: refused,
}

const paddedBlocks: readonly Call[] = Object.entries(paddings).flatMap(([padding, expected]) => {
  const given = { key: '@aes', by: { block_cipher_mode: 'CBC', padding_method: padding }, iv: hex(iv) }
  const encrypted = call(`pad ${padding}`, 'encrypt', { ...given, data: hex(text) }, expected)
  if (expected === refused) return [encrypted]
  return [encrypted, call(`unpad ${padding}`, 'decrypt', { ...given, data: `@pad ${padding}#0` }, result(hex(text)))]
})

/** A random vector comes back, and is what opens the data. */
const randomVectors: readonly Call[] = [
  call(
    'encrypt with a random vector',
    'encrypt',
    { key: '@aes', data: hex(text), by: { block_cipher_mode: 'CBC', padding_method: 'PKCS5', random_iv: true } },
    check((given) => assert.match((given as readonly string[])[1] ?? '', /^[0-9a-f]{32}$/)),
  ),
  call(
    'decrypt with the random vector',
    'decrypt',
    {
      key: '@aes',
      data: '@encrypt with a random vector#0',
      by: { block_cipher_mode: 'CBC', padding_method: 'PKCS5' },
      iv: '@encrypt with a random vector#1',
    },
    result(hex(text)),
  ),
]

/** The data and its tag. */
const sealed = (): readonly [data: string, tag: string] => {
  const cipher = node.createCipheriv('aes-128-gcm', aesKey, nonce, { authTagLength: 16 })
  const data = concatenated(cipher.update(text), cipher.final())
  return [hex(data), hex(cipher.getAuthTag())]
}

/**
 * PyKMIP has no field for the tag. Before 1.4 the protocol has none either, and the data ends with it; since then it is
 * given beside the data, PyKMIP passes over it, and without it nothing opens the data.
 */
const authenticated = (version: string): readonly Call[] => {
  const [data, tag] = sealed()
  const given = { key: '@aes', by: { block_cipher_mode: 'GCM', tag_length: 16 }, iv: hex(nonce) }
  const beside = version >= '1.4'
  return [
    call('encrypt GCM', 'encrypt', { ...given, data: hex(text) }, result([beside ? data : data + tag, null])),
    call('decrypt GCM', 'decrypt', { ...given, data: '@encrypt GCM#0' }, beside ? refused : result(hex(text))),
  ]
}

const privateDecrypted = (padding: number, given: unknown, oaepHash?: string): void => {
  const options = { key: rsa.privateKey, padding, ...(oaepHash === undefined ? {} : { oaepHash }) }
  const [data] = given as readonly string[]
  assert.deepEqual(node.privateDecrypt(options, bytes(data ?? '')), text)
}

const { RSA_PKCS1_OAEP_PADDING, RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING } = node.constants
const everyPadding = Object.keys(paddings)

/** SHA-1, for the mask has it where nothing else is named (§3.6), and the platform's library has one hash for both. */
const rsaEncryptions: readonly Call[] = everyPadding.flatMap((padding) => {
  const by = { padding_method: padding, hashing_algorithm: 'SHA_1', cryptographic_algorithm: 'RSA' }
  const step = `RSA encrypt ${padding}`
  const given = { key: '@public', data: hex(text), by }
  if (padding !== 'OAEP' && padding !== 'PKCS1v15') return [call(step, 'encrypt', given, refused)]
  const judge = (value: unknown): void =>
    padding === 'OAEP'
      ? privateDecrypted(RSA_PKCS1_OAEP_PADDING, value, 'sha1')
      : privateDecrypted(RSA_PKCS1_PADDING, value)
  return [
    call(step, 'encrypt', given, check(judge)),
    call(`RSA decrypt ${padding}`, 'decrypt', { key: '@private', data: `@${step}#0`, by }, result(hex(text))),
  ]
})

const verified =
  (hash: string, padding: number) =>
  (signature: unknown): void => {
    const key = {
      key: rsa.publicKey,
      padding,
      ...(padding === RSA_PKCS1_PSS_PADDING ? { saltLength: node.constants.RSA_PSS_SALTLEN_AUTO } : {}),
    }
    assert.ok(node.verify(hash, text, key, bytes(String(signature))))
  }

/** A signature by the server, checked here and by the server, and refused for other data. */
const signed = (name: string, by: Given, judge: (signature: unknown) => void): readonly Call[] => [
  call(`sign ${name}`, 'sign', { key: '@private', data: hex(text), by }, check(judge)),
  call(
    `verify ${name}`,
    'signature_verify',
    { key: '@public', data: hex(text), signature: `@sign ${name}`, by },
    result('VALID'),
  ),
  call(
    `verify other data ${name}`,
    'signature_verify',
    { key: '@public', data: hex(blocks), signature: `@sign ${name}`, by },
    result('INVALID'),
  ),
]

const signatureHashes: Readonly<Record<string, string>> = {
  MD5_WITH_RSA_ENCRYPTION: 'md5',
  SHA1_WITH_RSA_ENCRYPTION: 'sha1',
  SHA224_WITH_RSA_ENCRYPTION: 'sha224',
  SHA256_WITH_RSA_ENCRYPTION: 'sha256',
  SHA384_WITH_RSA_ENCRYPTION: 'sha384',
  SHA512_WITH_RSA_ENCRYPTION: 'sha512',
}
const foreignSignatures = [
  'MD2_WITH_RSA_ENCRYPTION',
  'DSA_WITH_SHA1',
  'DSA_WITH_SHA224',
  'DSA_WITH_SHA256',
  'ECDSA_WITH_SHA1',
  'ECDSA_WITH_SHA224',
  'ECDSA_WITH_SHA256',
  'ECDSA_WITH_SHA384',
  'ECDSA_WITH_SHA512',
]
const sha3Signatures: Readonly<Record<string, string>> = {
  SHA3_256_WITH_RSA_ENCRYPTION: 'sha3-256',
  SHA3_384_WITH_RSA_ENCRYPTION: 'sha3-384',
  SHA3_512_WITH_RSA_ENCRYPTION: 'sha3-512',
}

const signatures = (version: string): readonly Call[] => [
  ...everyPadding.flatMap((padding) => {
    const by = { padding_method: padding, hashing_algorithm: 'SHA_1', cryptographic_algorithm: 'RSA' }
    if (padding === 'PKCS1v15') return signed(padding, by, verified('sha1', RSA_PKCS1_PADDING))
    if (padding === 'PSS') return signed(padding, by, verified('sha1', RSA_PKCS1_PSS_PADDING))
    return [call(`sign ${padding}`, 'sign', { key: '@private', data: hex(text), by }, refused)]
  }),
  ...Object.entries(signatureHashes).flatMap(([name, hash]) =>
    signed(name, { digital_signature_algorithm: name }, verified(hash, RSA_PKCS1_PADDING)),
  ),
  ...signed(
    'RSASSA_PSS',
    { digital_signature_algorithm: 'RSASSA_PSS', hashing_algorithm: 'SHA_1' },
    verified('sha1', RSA_PKCS1_PSS_PADDING),
  ),
  ...foreignSignatures.map((name) =>
    call(
      `sign ${name}`,
      'sign',
      { key: '@private', data: hex(text), by: { digital_signature_algorithm: name } },
      refused,
    ),
  ),
  ...Object.entries(sha3Signatures).flatMap(([name, hash]) => {
    const by = { digital_signature_algorithm: name }
    if (version >= '1.4') return signed(name, by, verified(hash, RSA_PKCS1_PADDING))
    return [call(`sign ${name}`, 'sign', { key: '@private', data: hex(text), by }, unknown)]
  }),
]

const codes: readonly Call[] = [
  ...['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'].map((hash) => {
    const algorithm = `HMAC_${hash.toUpperCase()}`
    return call(`mac ${algorithm}`, 'mac', { key: '@hmac', data: hex(text), algorithm }, result(hex(hmac(hash))))
  }),
  // NIST SP 800-38B: the one algorithm of these that the platform's library cannot check; test/crypto has its vectors.
  call(
    'mac AES',
    'mac',
    { key: '@aes', data: hex(text), algorithm: 'AES' },
    check((code) => assert.match(String(code), /^[0-9a-f]{32}$/)),
  ),
  call(
    'mac with no key for codes',
    'mac',
    { key: '@secret', data: hex(text), algorithm: 'HMAC_SHA256' },
    reason('PERMISSION_DENIED'),
  ),
]

/** All that 1.0 and 1.1 do not have: Encrypt to MAC came with 1.2. */
const notYet: readonly Call[] = [
  call('encrypt', 'encrypt', { key: '@aes', data: hex(blocks) }, reason('OPERATION_NOT_SUPPORTED')),
  call('decrypt', 'decrypt', { key: '@aes', data: hex(blocks) }, reason('OPERATION_NOT_SUPPORTED')),
  call('sign', 'sign', { key: '@private', data: hex(text) }, reason('OPERATION_NOT_SUPPORTED')),
  call(
    'verify',
    'signature_verify',
    { key: '@public', data: hex(text), signature: hex(text) },
    reason('OPERATION_NOT_SUPPORTED'),
  ),
  call('mac', 'mac', { key: '@hmac', data: hex(text), algorithm: 'HMAC_SHA256' }, reason('OPERATION_NOT_SUPPORTED')),
]

/** What a life forbids: protecting with a key that is not active, or no more. */
const life: readonly Call[] = [
  call('create to use', 'create', { algorithm: 'AES', length: 128, usage: ['ENCRYPT', 'DECRYPT'] }, identifier),
  call(
    'encrypt before it is active',
    'encrypt',
    { key: '@create to use', data: hex(blocks), by: { block_cipher_mode: 'ECB' } },
    reason('PERMISSION_DENIED'),
  ),
  call('activate it', 'activate', { key: '@create to use' }, done),
  call(
    'encrypt with it',
    'encrypt',
    { key: '@create to use', data: hex(blocks), by: { block_cipher_mode: 'ECB' } },
    check((given) => assert.equal((given as readonly string[])[0]?.length, 64)),
  ),
  call('deactivate it', 'revoke', { key: '@create to use', code: 'CESSATION_OF_OPERATION' }, done),
  call(
    'encrypt after that',
    'encrypt',
    { key: '@create to use', data: hex(blocks), by: { block_cipher_mode: 'ECB' } },
    reason('PERMISSION_DENIED'),
  ),
  call(
    'decrypt after that',
    'decrypt',
    { key: '@create to use', data: '@encrypt with it#0', by: { block_cipher_mode: 'ECB' } },
    result(hex(blocks)),
  ),
  call('destroy it', 'destroy', { key: '@create to use' }, done),
  call(
    'decrypt after its end',
    'decrypt',
    { key: '@create to use', data: '@encrypt with it#0', by: { block_cipher_mode: 'ECB' } },
    reason('PERMISSION_DENIED'),
  ),
]

const computed = (version: string): readonly Call[] => [
  ...encryptions,
  call(
    'encrypt AEAD',
    'encrypt',
    { key: '@aes', data: hex(text), by: { block_cipher_mode: 'AEAD' } },
    version >= '1.4' ? refused : unknown,
  ),
  ...paddedBlocks,
  ...randomVectors,
  ...authenticated(version),
  ...rsaEncryptions,
  ...signatures(version),
  ...codes,
  ...life,
]

testCalls("the cryptography of PyKMIP's client", (version) => (version < '1.2' ? notYet : computed(version)))
