/**
 * Access over real TLS: every operation that names an object × who asks × whose object it is, and Locate. Beside owner,
 * stranger, other domain, anonymous and administrator: users and groups to whom the operation's own permission is granted, or
 * all but that one.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '#actor/clock'
import type { Client } from '#client/client'
import type { BatchRequest } from '#client/operation-methods'
import { groupName } from '#identity/permissions'
import { type Permission, permissionNames, type UserName } from '#identity/principals'
import { changeRecord } from '#identity/records'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  DerivationMethod,
  DigitalSignatureAlgorithm,
  HashingAlgorithm,
  ObjectType,
  PaddingMethod,
  SplitKeyMethod,
  UsageLimitsUnit,
} from '#kmip/enums'
import { operations } from '#operations/index'
import { objectTable } from '#operations/object-table'
import { type InterfacesUnderTest, startInterfaces } from '#test/interfaces'
import { freePort } from '#test/running-server'
import {
  attributes,
  createRequest,
  keyRequest,
  name,
  pairRequest,
  revocation,
  templateRequest,
} from '#test/sample-objects'

const everyUse = Object.values(CryptographicUsageMask).reduce((mask, bit) => mask | bit, 0)
const data = new Uint8Array(16).fill(3)
const nowSeconds = systemClock.nowSeconds()
const active = { 'Activation Date': nowSeconds - 1, 'Cryptographic Usage Mask': everyUse }
const hmac = { cryptographicAlgorithm: CryptographicAlgorithm.HMAC_SHA256 }
const ecb = { blockCipherMode: BlockCipherMode.ECB, paddingMethod: PaddingMethod.None }
const ecdsa = { digitalSignatureAlgorithm: DigitalSignatureAlgorithm.ECDSAWithSHA256 }

const key =
  (values: Readonly<Record<string, unknown>> = {}) =>
  async (client: Client): Promise<readonly string[]> => [(await client.create(createRequest(values))).uniqueIdentifier]
const activeKey = key(active)
const archivedKey = async (client: Client): Promise<readonly string[]> => {
  const made = await key()(client)
  for (const uniqueIdentifier of made) await client.archive({ uniqueIdentifier })
  return made
}
/** Private key, public key. */
const pair = async (client: Client): Promise<readonly string[]> => {
  const dates = { 'Activation Date': nowSeconds - 1 }
  const made = await client.createKeyPair(pairRequest({ private: dates, public: dates }))
  return [made.privateKeyUniqueIdentifier, made.publicKeyUniqueIdentifier]
}
const publicKey = async (client: Client): Promise<readonly string[]> => (await pair(client)).toReversed()
const certificate = async (client: Client): Promise<readonly string[]> => {
  const [uniqueIdentifier = '', ...others] = await publicKey(client)
  return [(await client.certify({ uniqueIdentifier })).uniqueIdentifier, uniqueIdentifier, ...others]
}
const parts = async (client: Client): Promise<readonly string[]> => {
  const made = await client.createSplitKey({
    objectType: ObjectType.SplitKey,
    splitKeyParts: 2,
    splitKeyThreshold: 2,
    splitKeyMethod: SplitKeyMethod.XOR,
    templateAttribute: { attribute: attributes({ ...createAes }) },
  })
  return made.uniqueIdentifier
}
const createAes = {
  'Cryptographic Algorithm': CryptographicAlgorithm.AES,
  'Cryptographic Length': 128,
  'Cryptographic Usage Mask': CryptographicUsageMask.Encrypt,
}

interface Row {
  readonly permission: Permission
  /** Makes what the operation works on, the object that it names first. */
  readonly make: (client: Client) => Promise<readonly string[]>
  readonly request: (uniqueIdentifier: string, all: readonly string[]) => BatchRequest
}

const row = (permission: Permission, make: Row['make'], request: Row['request']): Row => ({ permission, make, request })

/** The operations that name objects, with a request that succeeds for who may. */
const rows: readonly Row[] = [
  row('rekey', key(), (uniqueIdentifier) => ({ operation: 'ReKey', payload: { uniqueIdentifier } })),
  row('rekey', pair, (privateKeyUniqueIdentifier) => ({
    operation: 'ReKeyKeyPair',
    payload: { privateKeyUniqueIdentifier },
  })),
  row('certify', publicKey, (uniqueIdentifier) => ({ operation: 'Certify', payload: { uniqueIdentifier } })),
  row('certify', certificate, (uniqueIdentifier) => ({ operation: 'ReCertify', payload: { uniqueIdentifier } })),
  row('read', certificate, (uniqueIdentifier) => ({
    operation: 'Validate',
    payload: { uniqueIdentifier: [uniqueIdentifier], certificate: [] },
  })),
  row('derive', activeKey, (uniqueIdentifier) => ({
    operation: 'DeriveKey',
    payload: {
      objectType: ObjectType.SymmetricKey,
      uniqueIdentifier: [uniqueIdentifier],
      derivationMethod: DerivationMethod.HASH,
      derivationParameters: { cryptographicParameters: { hashingAlgorithm: HashingAlgorithm.SHA_256 } },
      templateAttribute: { attribute: attributes(createAes) },
    },
  })),
  row('read', key(), (uniqueIdentifier) => ({ operation: 'Check', payload: { uniqueIdentifier } })),
  row('export', key(), (uniqueIdentifier) => ({ operation: 'Get', payload: { uniqueIdentifier } })),
  row('export', key(), (uniqueIdentifier) => ({ operation: 'Export', payload: { uniqueIdentifier } })),
  row('destroy', key(), (uniqueIdentifier) => {
    const { objectType, templateAttribute, symmetricKey } = keyRequest()
    const { attribute } = templateAttribute
    return {
      operation: 'Import',
      payload: { uniqueIdentifier, objectType, replaceExisting: true, attribute, symmetricKey },
    }
  }),
  row('read', key(), (uniqueIdentifier) => ({
    operation: 'GetAttributes',
    payload: { uniqueIdentifier, attributeName: [] },
  })),
  row('read', key(), (uniqueIdentifier) => ({ operation: 'GetAttributeList', payload: { uniqueIdentifier } })),
  row('modify', key(), (uniqueIdentifier) => ({
    operation: 'AddAttribute',
    payload: { uniqueIdentifier, attribute: { attributeName: 'Comment', attributeValue: 'seen' } },
  })),
  row('modify', key({ Comment: 'old' }), (uniqueIdentifier) => ({
    operation: 'ModifyAttribute',
    payload: { uniqueIdentifier, attribute: { attributeName: 'Comment', attributeValue: 'new' } },
  })),
  row('modify', key({ Comment: 'old' }), (uniqueIdentifier) => ({
    operation: 'DeleteAttribute',
    payload: { uniqueIdentifier, attributeName: 'Comment' },
  })),
  row('read', activeKey, (uniqueIdentifier) => ({ operation: 'ObtainLease', payload: { uniqueIdentifier } })),
  row(
    'export',
    key({ ...active, 'Usage Limits': { usageLimitsTotal: 9n, usageLimitsUnit: UsageLimitsUnit.Byte } }),
    (uniqueIdentifier) => ({ operation: 'GetUsageAllocation', payload: { uniqueIdentifier, usageLimitsCount: 1n } }),
  ),
  row('activate', key(), (uniqueIdentifier) => ({ operation: 'Activate', payload: { uniqueIdentifier } })),
  row('revoke', activeKey, (uniqueIdentifier) => ({ operation: 'Revoke', payload: revocation(uniqueIdentifier) })),
  row('destroy', key(), (uniqueIdentifier) => ({ operation: 'Destroy', payload: { uniqueIdentifier } })),
  row('encrypt', activeKey, (uniqueIdentifier) => ({
    operation: 'Encrypt',
    payload: { uniqueIdentifier, cryptographicParameters: ecb, data },
  })),
  row('decrypt', activeKey, (uniqueIdentifier) => ({
    operation: 'Decrypt',
    payload: { uniqueIdentifier, cryptographicParameters: ecb, data },
  })),
  row('sign', pair, (uniqueIdentifier) => ({
    operation: 'Sign',
    payload: { uniqueIdentifier, cryptographicParameters: ecdsa, data },
  })),
  row('verify', publicKey, (uniqueIdentifier) => ({
    operation: 'SignatureVerify',
    payload: { uniqueIdentifier, cryptographicParameters: ecdsa, data, signatureData: data },
  })),
  row('mac', activeKey, (uniqueIdentifier) => ({
    operation: 'MAC',
    payload: { uniqueIdentifier, cryptographicParameters: hmac, data },
  })),
  row('mac', activeKey, (uniqueIdentifier) => ({
    operation: 'MACVerify',
    payload: { uniqueIdentifier, cryptographicParameters: hmac, data, macData: data },
  })),
  row('export', key(), (uniqueIdentifier) => ({
    operation: 'CreateSplitKey',
    payload: {
      objectType: ObjectType.SplitKey,
      uniqueIdentifier,
      splitKeyParts: 2,
      splitKeyThreshold: 2,
      splitKeyMethod: SplitKeyMethod.XOR,
      templateAttribute: { attribute: [] },
    },
  })),
  row('export', parts, (_first, uniqueIdentifier) => ({
    operation: 'JoinSplitKey',
    payload: { objectType: ObjectType.SymmetricKey, uniqueIdentifier, templateAttribute: { attribute: [] } },
  })),
  row('archive', key(), (uniqueIdentifier) => ({ operation: 'Archive', payload: { uniqueIdentifier } })),
  row('archive', archivedKey, (uniqueIdentifier) => ({ operation: 'Recover', payload: { uniqueIdentifier } })),
]

/** Operations that name no object of the store; Locate has a test of its own. */
const objectless: readonly string[] = [
  'Create',
  'CreateKeyPair',
  'Register',
  'Locate',
  'Hash',
  'RNGRetrieve',
  'RNGSeed',
  'Query',
  'DiscoverVersions',
  'Cancel',
  'Poll',
]

test('every operation has its row, or names no object', () => {
  const named = rows.map((each) => each.request('', ['']).operation)
  assert.deepEqual([...named, ...objectless].toSorted(), operations.map((each) => each.name).toSorted())
})

/** Who asks. `one`: granted the operation's permission alone; `others`: every other one; `member`: by a group. */
const askers = [
  'owner',
  'stranger',
  'administrator',
  'one',
  'others',
  'member',
  'anonymous',
  'elsewhere',
  'anonymous elsewhere',
] as const
type Asker = (typeof askers)[number]
/** Whose object. */
const ownership = ['own', 'global', 'of another domain', 'global of another domain'] as const
type Ownership = (typeof ownership)[number]

/** Who makes the objects: those of `global` are made by who logs in as nobody. */
const makers: Readonly<Record<Ownership, Asker>> = {
  own: 'owner',
  global: 'anonymous',
  'of another domain': 'elsewhere',
  'global of another domain': 'anonymous elsewhere',
}

const rootDomainAskers: readonly Asker[] = [
  'owner',
  'stranger',
  'administrator',
  'one',
  'others',
  'member',
  'anonymous',
]
const allowed: Readonly<Record<Ownership, readonly Asker[]>> = {
  own: ['owner', 'one', 'member'],
  global: rootDomainAskers,
  'of another domain': ['elsewhere'],
  'global of another domain': ['elsewhere', 'anonymous elsewhere'],
}

let under: InterfacesUnderTest
const clients = new Map<Asker, Client>()
const clientOf = (asker: Asker): Client => clients.get(asker) ?? assert.fail(asker)

before(async () => {
  under = await startInterfaces()
  const openPort = await freePort()
  await under.set.create({ port: openPort, networkInterface: '127.0.0.1', mode: 'tls-pw-opt' }, 'open')
  const user = (named: string, domain = 'root'): UserName => ({ domain, connection: 'local', user: named })
  const users: readonly (readonly [Asker, UserName, object])[] = [
    ['owner', user('owner'), {}],
    ['stranger', user('stranger'), { groups: ['strangers'] }],
    ['administrator', user('admin'), { administrator: true }],
    ['one', user('one'), {}],
    ['others', user('others'), {}],
    ['member', user('member'), { groups: ['staff'] }],
    // Of a group of the same name in the other domain, which is another group.
    ['elsewhere', user('owner', 'd1'), { groups: ['staff'], administrator: true }],
  ]
  for (const [asker, named, others] of users) {
    await under.addUser(named, undefined, others)
    const shown = under.issue({ CN: asker })
    await under.register(shown, named)
    clients.set(asker, under.connect(shown))
  }
  for (const [asker, domain] of [
    ['anonymous', 'root'],
    ['anonymous elsewhere', 'd1'],
  ] as const) {
    const shown = under.issue({ CN: asker })
    await under.register(shown, undefined, { domain, mode: 'tls-pw-opt' })
    clients.set(asker, under.connect(shown, { port: openPort }))
  }
})
after(() => under[Symbol.asyncDispose]())

/** Grants the permission to `one` and the group `staff`, and all the others to `others`. */
const grant = async (identifiers: readonly string[], permission: Permission): Promise<void> => {
  const permissions = Object.fromEntries(
    permissionNames.map((each) => [
      each,
      each === permission ? ['local|one', groupName('root', 'staff')] : ['local|others', groupName('d1', 'staff')],
    ]),
  )
  for (const identifier of identifiers) {
    await changeRecord(under.store, objectTable, identifier, 'object', (object) => ({ ...object, permissions }))
  }
}

const outcome = async (client: Client, request: BatchRequest): Promise<string> => {
  const [result] = await client.batch([request])
  if (result?.status === 'success') return 'Success'
  return result?.status === 'failure' ? result.error.reasonName : 'unanswered'
}

describe('each operation, whoever asks, whosever object it is', () => {
  for (const { permission, make, request } of rows) {
    const { operation } = request('', [''])
    test(`${operation}: ${permission}`, async () => {
      for (const owned of ownership) {
        const makeOne = async () => {
          const made = await make(clientOf(makers[owned]))
          if (owned === 'own') await grant(made, permission)
          return made
        }
        const kept = await makeOne()
        const found: Record<string, string> = {}
        const expected: Record<string, string> = {}
        for (const asker of askers) {
          const may = allowed[owned].includes(asker)
          // Who may not changes nothing, so that one object is enough for all of them.
          const made = may ? await makeOne() : kept
          found[asker] = await outcome(clientOf(asker), request(made[0] ?? '', made))
          expected[asker] = may ? 'Success' : 'PermissionDenied'
        }
        assert.deepEqual(found, expected, `${operation}, an object ${owned}`)
      }
    })
  }
})

test('Locate shows what may be read, to whom it may be read, and counts no other', async () => {
  const label = 'access matrix'
  const made = new Map<Ownership, string>()
  for (const owned of ownership) {
    const [identifier = ''] = await key({ 'Object Group': label })(clientOf(makers[owned]))
    if (owned === 'own') await grant([identifier], 'read')
    made.set(owned, identifier)
  }
  for (const asker of askers) {
    const answer = await clientOf(asker).locate({ attribute: attributes({ 'Object Group': label }) })
    const expected = ownership.filter((owned) => allowed[owned].includes(asker)).map((owned) => made.get(owned) ?? '')
    assert.deepEqual(answer.uniqueIdentifier.toSorted(), expected.toSorted(), asker)
    assert.equal(answer.locatedItems ?? expected.length, expected.length, asker)
  }
})

test('names are of a domain: two domains may have the same, and one does not see the other', async () => {
  const named = { Name: name('the same') }
  const [own = ''] = await key(named)(clientOf('owner'))
  const [theirs = ''] = await key(named)(clientOf('elsewhere'))
  const located = async (asker: Asker) =>
    (await clientOf(asker).locate({ attribute: attributes(named) })).uniqueIdentifier
  assert.deepEqual(await located('owner'), [own])
  assert.deepEqual(await located('elsewhere'), [theirs])
  assert.deepEqual(await located('stranger'), [])
})

test('Templates are of a domain: the one of another is not there, and does not stand in for an own one', async () => {
  const template = (comment: string) => templateRequest('the template', { Comment: comment })
  await clientOf('elsewhere').register(template('theirs'))
  const made = createRequest({}, ['the template'])
  assert.equal(await outcome(clientOf('owner'), { operation: 'Create', payload: made }), 'ItemNotFound')
  await clientOf('owner').register(template('own'))
  assert.equal(await outcome(clientOf('stranger'), { operation: 'Create', payload: made }), 'PermissionDenied')
  for (const [asker, comment] of [
    ['owner', 'own'],
    ['elsewhere', 'theirs'],
  ] as const) {
    const { uniqueIdentifier } = await clientOf(asker).create(made)
    const asked = { uniqueIdentifier, attributeName: ['Comment'] }
    const [found] = (await clientOf(asker).getAttributes(asked)).attribute
    assert.equal(found?.attributeValue, comment)
  }
})

test('what is taken from an object is taken at once, from its sessions too', async () => {
  const [uniqueIdentifier = ''] = await key()(clientOf('owner'))
  const reads = () => outcome(clientOf('member'), { operation: 'GetAttributeList', payload: { uniqueIdentifier } })
  assert.equal(await reads(), 'PermissionDenied')
  await grant([uniqueIdentifier], 'read')
  assert.equal(await reads(), 'Success')
  await grant([uniqueIdentifier], 'mac')
  assert.equal(await reads(), 'PermissionDenied')
})
