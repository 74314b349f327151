/**
 * Keys that come from others for PyKMIP's own client, in every protocol version that both have: derived, agreed upon, replaced,
 * checked. What it is: calls, each with what is expected, computed here by the platform's library. What it is not: vectors of
 * algorithms (test/crypto).
 */
import assert from 'node:assert/strict'
import * as node from 'node:crypto'
import { broken, check, done, identifier, reason, result } from './pykmip.ts'
import {
  aesKey,
  blocks,
  bytes,
  type Call,
  call,
  ciphered,
  concatenated,
  type Given,
  hex,
  hmac,
  identityOf,
  iv,
  macKey,
  refused,
  testCalls,
  text,
  unknown,
} from './pykmip-calls.ts'

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

const replacements = (version: string): readonly Call[] => {
  const name = `cryptography-${version}-replaced`
  return [
    call('create to re-key', 'create', { algorithm: 'AES', length: 256, usage: ['ENCRYPT'], name }, identifier),
    call('re-key', 'rekey', { key: '@create to re-key' }, identifier),
    call(
      "the name is the replacement's",
      'locate',
      { name },
      identityOf('re-key', (uniqueIdentifier) => [uniqueIdentifier]),
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

/** By PyKMIP's payloads, for it has no methods for these. */
const custody: readonly Call[] = [
  call('create to keep', 'create', { algorithm: 'AES', length: 128, usage: ['ENCRYPT'] }, identifier),
  call(
    'lease',
    'obtain_lease',
    { key: '@create to keep' },
    check((lease) => {
      const [uniqueIdentifier, seconds, dated] = lease as readonly unknown[]
      assert.match(String(uniqueIdentifier), /^[0-9a-f-]{36}$/)
      assert.ok(Number(seconds) > 0 && dated === true)
    }),
  ),
  call('allocate without limits', 'allocate', { key: '@create to keep', count: 1 }, reason('ILLEGAL_OPERATION')),
  call('archive', 'archive', { key: '@create to keep' }, identityOf('create to keep')),
  call('archive again', 'archive', { key: '@create to keep' }, reason('OBJECT_ARCHIVED')),
  call('get archived', 'get', { key: '@create to keep' }, reason('OBJECT_ARCHIVED')),
  call('recover', 'recover', { key: '@create to keep' }, identityOf('create to keep')),
  call(
    'get recovered',
    'get',
    { key: '@create to keep' },
    check((key) => assert.match(String(key), /^[0-9a-f]{32}$/)),
  ),
  call('recover nothing', 'recover', { key: 'nobody' }, reason('ITEM_NOT_FOUND')),
]

testCalls("the keys of PyKMIP's client", (version) => [
  ...derivedKeys,
  ...derivationRefusals,
  ...agreement(version),
  ...replacements(version),
  ...checks,
  ...custody,
])
