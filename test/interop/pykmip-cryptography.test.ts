/**
 * What the server computes for PyKMIP's own client, in every protocol version that both have: encryption, codes, signatures,
 * derived keys, keys that replace others. What it is: calls of pykmip_calls.py, each with what is expected, computed here by
 * the platform's library from keys that the client registered. What it is not: vectors of algorithms (test/crypto).
 */
import assert from 'node:assert/strict'
import * as node from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { type RunningServer, startServerProcess } from '#test/running-server'
import {
  broken,
  check,
  compareSteps,
  done,
  type Expectation,
  expectPykmip,
  identifier,
  reason,
  result,
  runSession,
  versions,
} from './pykmip.ts'

type Given = Readonly<Record<string, unknown>>

/** A call of pykmip_calls.py, and what is expected of it. */
interface Call {
  readonly step: string
  readonly call: string
  readonly with: Given
  readonly expected: Expectation
}

const call = (step: string, name: string, given: Given, expected: Expectation): Call => ({
  step,
  call: name,
  with: given,
  expected,
})

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytes = (value: string): Buffer => Buffer.from(value, 'hex')
const concatenated = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts)

const aesKey = bytes('000102030405060708090a0b0c0d0e0f')
const desKey = bytes('0123456789abcdeffedcba987654321000112233445566aa')
const macKey = bytes('0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b')
const iv = bytes('f0e0d0c0b0a090807060504030201000')
const nonce = iv.subarray(0, 12)
/** Two blocks, and one and a half. */
const blocks = Buffer.from('the first block, and the second.', 'utf8')
const text = blocks.subarray(0, 24)
const rsa = node.generateKeyPairSync('rsa', { modulusLength: 2048 })

const registered = (version: string): readonly Call[] => {
  const register = (step: string, name: string, value: Uint8Array, usage: readonly string[], given: Given = {}) => [
    call(step, name, { value: hex(value), usage, name: `cryptography-${version}-${step}`, ...given }, identifier),
    call(`activate ${step}`, 'activate', { key: `@${step}` }, done),
  ]
  const both = ['ENCRYPT', 'DECRYPT']
  return [
    ...register('aes', 'register_key', aesKey, [...both, 'MAC_GENERATE', 'DERIVE_KEY'], { algorithm: 'AES' }),
    ...register('des', 'register_key', desKey, both, { algorithm: 'TRIPLE_DES' }),
    ...register('hmac', 'register_key', macKey, ['MAC_GENERATE', 'DERIVE_KEY'], { algorithm: 'HMAC_SHA256' }),
    ...register('secret', 'register_secret', macKey, ['DERIVE_KEY']),
    ...register('public', 'register_public_key', rsa.publicKey.export({ type: 'pkcs1', format: 'der' }), [
      'VERIFY',
      'ENCRYPT',
    ]),
    ...register('private', 'register_private_key', rsa.privateKey.export({ type: 'pkcs8', format: 'der' }), [
      'SIGN',
      'DECRYPT',
    ]),
  ]
}

const ciphered = (name: string, key: Uint8Array, vector: Uint8Array | null, data: Uint8Array): string => {
  const cipher = node.createCipheriv(name, key, vector).setAutoPadding(false)
  return hex(concatenated(cipher.update(data), cipher.final()))
}

/** What the library has no name for, or what belongs to other keys: refused as §11.30 says. */
const refused = reason('CRYPTOGRAPHIC_FAILURE')
/** A value of an enumeration that the version does not have. */
const unknown = reason('INVALID_FIELD')

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

/** PyKMIP has no field for the tag: what it reads is the data alone, and without a tag nothing opens it. */
const authenticated: readonly Call[] = [
  call(
    'encrypt GCM',
    'encrypt',
    { key: '@aes', data: hex(text), by: { block_cipher_mode: 'GCM', tag_length: 16 }, iv: hex(nonce) },
    result([ciphered('aes-128-gcm', aesKey, nonce, text), null]),
  ),
  call(
    'decrypt GCM without its tag',
    'decrypt',
    { key: '@aes', data: '@encrypt GCM#0', by: { block_cipher_mode: 'GCM', tag_length: 16 }, iv: hex(nonce) },
    refused,
  ),
]

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

const hmac = (hash: string, data: Uint8Array = text): Buffer => node.createHmac(hash, macKey).update(data).digest()

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

const counter = (value: number): Buffer => bytes(value.toString(16).padStart(8, '0'))

/** The modes of NIST SP 800-108 with HMAC SHA-256 and a counter of 32 bits before the data: 384 bits are a block and a half. */
const feedback = (): Buffer => {
  const first = hmac('sha256', concatenated(counter(1), text))
  return concatenated(first, hmac('sha256', concatenated(first, counter(2), text)))
}
const doublePipeline = (): Buffer => {
  const a1 = hmac('sha256', text)
  const a2 = hmac('sha256', a1)
  return concatenated(
    hmac('sha256', concatenated(a1, counter(1), text)),
    hmac('sha256', concatenated(a2, counter(2), text)),
  )
}
const countered = (): Buffer =>
  concatenated(hmac('sha256', concatenated(counter(1), text)), hmac('sha256', concatenated(counter(2), text)))

interface DerivationRow {
  readonly method: string
  readonly base: string
  readonly by: Given
  readonly out: Uint8Array
}

const sha256 = { parameters: { hashing_algorithm: 'SHA_256' } }
const derivations: readonly DerivationRow[] = [
  {
    method: 'PBKDF2',
    base: 'secret',
    by: { ...sha256, salt: hex(iv), iteration_count: 1000 },
    out: node.pbkdf2Sync(macKey, iv, 1000, 48, 'sha256'),
  },
  { method: 'HASH', base: 'secret', by: sha256, out: node.createHash('sha256').update(macKey).digest() },
  { method: 'HMAC', base: 'hmac', by: { derivation_data: hex(text), parameters: {} }, out: hmac('sha256') },
  {
    method: 'ENCRYPT',
    base: 'aes',
    by: {
      derivation_data: hex(blocks),
      initialization_vector: hex(iv),
      parameters: { block_cipher_mode: 'CBC', padding_method: 'NONE' },
    },
    out: bytes(ciphered('aes-128-cbc', aesKey, iv, blocks)),
  },
  { method: 'NIST800_108_C', base: 'hmac', by: { ...sha256, derivation_data: hex(text) }, out: countered() },
  { method: 'NIST800_108_F', base: 'hmac', by: { ...sha256, derivation_data: hex(text) }, out: feedback() },
  { method: 'NIST800_108_DPI', base: 'hmac', by: { ...sha256, derivation_data: hex(text) }, out: doublePipeline() },
]

const derivedKeys: readonly Call[] = derivations.flatMap(({ method, base, by, out }) => {
  const length = Math.min(out.length * 8, 384)
  const given = { bases: [`@${base}`], method, by }
  return [
    call(`derive key ${method}`, 'derive', { ...given, length: 256, algorithm: 'AES', usage: ['ENCRYPT'] }, identifier),
    call(`key of ${method}`, 'get', { key: `@derive key ${method}` }, result(hex(out.subarray(0, 32)))),
    call(`derive secret ${method}`, 'derive', { ...given, length }, identifier),
    call(`secret of ${method}`, 'get', { key: `@derive secret ${method}` }, result(hex(out.subarray(0, length / 8)))),
  ]
})

const derivationRefusals: readonly Call[] = [
  // Methods of KMIP 2.0.
  ...['HKDF', 'AWS_SIGNATURE_VERSION_4'].map((method) =>
    call(
      `derive ${method}`,
      'derive',
      { bases: ['@hmac'], method, by: { ...sha256, derivation_data: hex(text) }, length: 256 },
      unknown,
    ),
  ),
  call(
    'derive more than a hash has',
    'derive',
    { bases: ['@secret'], method: 'HASH', by: sha256, length: 512 },
    refused,
  ),
  call(
    'derive without a salt',
    'derive',
    { bases: ['@secret'], method: 'PBKDF2', by: { iteration_count: 9 }, length: 256 },
    unknown,
  ),
  call('derive from a public key', 'derive', { bases: ['@public'], method: 'HASH', by: sha256, length: 256 }, unknown),
  call(
    'derive from nothing',
    'derive',
    { bases: ['nobody'], method: 'HASH', by: sha256, length: 256 },
    reason('ITEM_NOT_FOUND'),
  ),
]

/** Two pairs agree on one secret, whichever half is whose. Asymmetric Key came with 1.4. */
const agreement = (version: string): readonly Call[] => {
  const pair = { algorithm: 'ECDH', length: 256, public: ['DERIVE_KEY'], private: ['DERIVE_KEY'] }
  const given = { method: 'ASYMMETRIC_KEY', by: {}, length: 256 }
  const known = version >= '1.4'
  return [
    ...['ours', 'theirs'].flatMap((name) => [
      call(
        name,
        'create_key_pair',
        pair,
        check((value) => assert.equal(new Set(value as readonly string[]).size, 2)),
      ),
      call(`activate public ${name}`, 'activate', { key: `@${name}#0` }, done),
      call(`activate private ${name}`, 'activate', { key: `@${name}#1` }, done),
    ]),
    call('agree as ours', 'derive', { ...given, bases: ['@ours#1', '@theirs#0'] }, known ? identifier : unknown),
    call('agree as theirs', 'derive', { ...given, bases: ['@theirs#1', '@ours#0'] }, known ? identifier : unknown),
    ...(known
      ? [
          call(
            'agreed by us',
            'get',
            { key: '@agree as ours' },
            check((secret) => assert.match(String(secret), /^[0-9a-f]{64}$/)),
          ),
          call('agreed by them', 'get', { key: '@agree as theirs' }, identityOf('agreed by us')),
        ]
      : []),
  ]
}

/** The result of an earlier step, told when the steps are there. */
const earlier = new Map<string, unknown>()
const identityOf = (step: string): Expectation => check((value) => assert.deepEqual(value, earlier.get(step)))

const replacements = (version: string): readonly Call[] => {
  const name = `cryptography-${version}-replaced`
  return [
    call('create to re-key', 'create', { algorithm: 'AES', length: 256, usage: ['ENCRYPT'], name }, identifier),
    call('re-key', 'rekey', { key: '@create to re-key' }, identifier),
    call(
      "the name is the replacement's",
      'locate',
      { name },
      check((found) => assert.deepEqual(found, [earlier.get('re-key')])),
    ),
    call(
      'attributes of the replacement',
      'attributes',
      { key: '@re-key', names: ['Cryptographic Algorithm', 'Cryptographic Length', 'State'] },
      result([
        ['Cryptographic Algorithm', null, 'AES'],
        ['Cryptographic Length', null, 256],
        ['State', null, 'PRE_ACTIVE'],
      ]),
    ),
    call('the replaced one has no name', 'attributes', { key: '@create to re-key', names: ['Name'] }, result([])),
    call('re-key with an offset', 'rekey', { key: '@re-key', offset: 600 }, identifier),
    call(
      'dates after an offset',
      'dates',
      { key: '@re-key with an offset', names: ['Activation Date'] },
      result({ 'Activation Date': 600 }),
    ),
    call('re-key with no offset', 'rekey', { key: '@re-key with an offset', offset: 0 }, identifier),
    call(
      'active at once',
      'attributes',
      { key: '@re-key with no offset', names: ['State'] },
      result([['State', null, 'ACTIVE']]),
    ),
    call(
      're-key with dates',
      'rekey',
      { key: '@re-key with no offset', dates: { activation_date: 4_000_000_000, deactivation_date: 4_100_000_000 } },
      identifier,
    ),
    call(
      'dates as asked',
      'attributes',
      { key: '@re-key with dates', names: ['Activation Date', 'Deactivation Date'] },
      check((dates) => assert.equal((dates as readonly unknown[]).length, 2)),
    ),
    call(
      're-key with dates and an offset',
      'rekey',
      { key: '@re-key with dates', offset: 1, dates: { deactivation_date: 4_100_000_000 } },
      reason('INVALID_MESSAGE'),
    ),
    call('re-key nothing', 'rekey', { key: 'nobody' }, reason('ITEM_NOT_FOUND')),
    call('re-key a public key', 'rekey', { key: '@public' }, reason('PERMISSION_DENIED')),
    call(
      'pair to re-key',
      'create_key_pair',
      { algorithm: 'RSA', length: 2048, public: ['VERIFY'], private: ['SIGN'] },
      check((pair) => assert.equal((pair as readonly string[]).length, 2)),
    ),
    call(
      're-key pair',
      'rekey_key_pair',
      { key: '@pair to re-key#1' },
      version === '1.0'
        ? reason('OPERATION_NOT_SUPPORTED')
        : check((pair) => assert.equal(new Set(pair as readonly string[]).size, 2)),
    ),
  ]
}

const checks: readonly Call[] = [
  call('check a use', 'check', { key: '@aes', usage: ['ENCRYPT', 'DECRYPT'] }, identityOf('aes')),
  call('check a use that it has not', 'check', { key: '@aes', usage: ['SIGN'] }, reason('PERMISSION_DENIED')),
  // PyKMIP reads the payload of a failure that has none.
  call('check nothing', 'check', { key: 'nobody', usage: ['SIGN'] }, broken('AttributeError')),
  // PyKMIP cannot ask for anything without asking for a use.
  call('check no use', 'check', { key: '@aes' }, broken('TypeError')),
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
  ...authenticated,
  ...rsaEncryptions,
  ...signatures(version),
  ...codes,
  ...life,
]

const calls = (version: string): readonly Call[] => [
  ...registered(version),
  ...(version < '1.2' ? notYet : computed(version)),
  ...derivedKeys,
  ...derivationRefusals,
  ...agreement(version),
  ...replacements(version),
  ...checks,
]

describe("the cryptography of PyKMIP's client", () => {
  let server: RunningServer
  before(async () => {
    await expectPykmip()
    server = await startServerProcess()
  })
  after(() => server?.kill())

  for (const version of versions) {
    test(`KMIP ${version}`, async (context) => {
      const asked = calls(version)
      const steps = await runSession(server, 'pykmip_calls.py', version, asked)
      for (const { step, result: told } of steps) earlier.set(step, told)
      await compareSteps(context, steps, Object.fromEntries(asked.map(({ step, expected }) => [step, expected])))
    })
  }

  test('nothing failed inside the server', () => {
    assert.ok(server.alive)
    assert.deepEqual(server.failures, [])
  })
})
