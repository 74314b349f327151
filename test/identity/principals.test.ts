/** User names in all their spellings, and whom a certificate acts as. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SettableClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { AdministrationError } from '#identity/administration-error'
import { createAuthority, issueClientCertificate } from '#identity/authority'
import { certificateUserName } from '#identity/certificate-user'
import { CertificateError, parseCertificate } from '#identity/certificates'
import {
  clientTable,
  findClient,
  identify,
  isNamePart,
  ownerName,
  parseUserName,
  rootDomain,
  type UserName,
  userKey,
  userTable,
} from '#identity/principals'
import { newRecord } from '#identity/records'
import { type Registration, registerClient, removeClient } from '#identity/registration'
import { MemoryStore } from '#store/memory'
import { userNamed } from './registered.ts'

const clock = new SettableClock()
const now = clock.nowSeconds()
const authority = createAuthority({ CN: 'CA' }, now, systemEntropy)
const joe: UserName = { domain: rootDomain, connection: 'local', user: 'joe' }

function clientCertificate(CN = 'joe'): Uint8Array {
  return issueClientCertificate(authority, { CN }, now, systemEntropy).certificate
}

async function storeWith(...users: readonly UserName[]): Promise<MemoryStore> {
  const store = new MemoryStore([userTable, clientTable])
  for (const name of users) {
    await store.commit([newRecord(userTable.name, userKey(name), userNamed(name, now))])
  }
  return store
}

test('user names', () => {
  for (const [text, domain, connection, user] of [
    ['joe', 'root', 'local', 'joe'],
    ['local|joe', 'root', 'local', 'joe'],
    ['ldap1|joe', 'root', 'ldap1', 'joe'],
    ['d1|ldap1|joe', 'd1', 'ldap1', 'joe'],
    ['d1||joe', 'd1', 'local', 'joe'],
    ['joe@example.org', 'root', 'local', 'joe@example.org'],
  ] as const) {
    assert.deepEqual(parseUserName(text), { domain, connection, user }, text)
  }
  assert.deepEqual(parseUserName('joe', 'd1'), { domain: 'd1', connection: 'local', user: 'joe' })
  for (const text of ['', '|', '|joe', 'a|', '||joe', 'a|b|c|d', 'a||', 'a\nb', '\ud800', 'x'.repeat(256)]) {
    assert.equal(parseUserName(text), undefined, JSON.stringify(text))
  }
  assert.equal(ownerName(joe), 'local|joe')
  assert.equal(ownerName({ ...joe, domain: 'd1' }), 'd1|local|joe')
  assert.equal(isNamePart('a b'), true)
})

test('the user name in a certificate', () => {
  const subject = { CN: 'cn', SN: 'sn', E: 'joe@example.org', UID: 'uid', OU: 'ou' }
  const parsed = parseCertificate(issueClientCertificate(authority, subject, now, systemEntropy).certificate).subject
  const names = (['CN', 'SN', 'E', 'E_ND', 'UID', 'OU'] as const).map((field) => certificateUserName(parsed, field))
  assert.deepEqual(names, ['cn', 'sn', 'joe@example.org', 'joe', 'uid', 'ou'])
  assert.equal(certificateUserName(parseCertificate(clientCertificate()).subject, 'E_ND'), undefined)
})

describe('registration', () => {
  test('a registered certificate acts as its user', async () => {
    const store = await storeWith(joe)
    const context = { store, clock, entropy: systemEntropy }
    const { key, value } = await registerClient(
      { certificate: clientCertificate(), user: joe, name: 'array 7' },
      context,
    )
    assert.deepEqual(identify(store, key, now), {
      principal: {
        kind: 'client',
        domain: 'root',
        user: 'local|joe',
        groups: [],
        clientId: value.clientId,
        administrator: false,
        fingerprint: key,
      },
    })
    assert.equal(await removeClient(key, store), true)
    assert.equal(await removeClient(key, store), false)
    assert.deepEqual(identify(store, key, now), { refused: 'not registered' })
  })

  test('what keeps a certificate from acting as anybody', async () => {
    const store = await storeWith(joe)
    const context = { store, clock, entropy: systemEntropy }
    const { key, value } = await registerClient({ certificate: clientCertificate(), user: joe, name: 'a' }, context)
    assert.deepEqual(identify(store, 'ab'.repeat(32), now), { refused: 'not registered' })
    assert.deepEqual(identify(store, key, value.notBeforeSeconds - 1), { refused: 'certificate not yet valid' })
    assert.deepEqual(identify(store, key, value.notAfterSeconds + 1), { refused: 'certificate expired' })
    assert.ok('principal' in identify(store, key, value.notAfterSeconds))

    const previous = findClient(store, key)
    assert.ok(previous)
    const { revision } = previous
    const disabled = { ...previous.value, status: 'disabled' }
    await store.commit([{ table: clientTable.name, key, revision, previous: previous.value, value: disabled }])
    assert.deepEqual(identify(store, key, now), { refused: 'client disabled' })
  })

  test('a client whose user was removed acts as nobody', async () => {
    const store = await storeWith(joe)
    const context = { store, clock, entropy: systemEntropy }
    const { key } = await registerClient({ certificate: clientCertificate(), user: joe, name: 'a' }, context)
    const user = store.read(userTable, userKey(joe))
    assert.ok(user)
    const { revision, value } = user
    await store.commit([{ table: 'user', key: userKey(joe), revision, previous: value, value: undefined }])
    assert.deepEqual(identify(store, key, now), { refused: 'user removed' })
  })

  test('what cannot be registered', async () => {
    const store = await storeWith(joe)
    const context = { store, clock, entropy: systemEntropy }
    const certificate = clientCertificate()
    await registerClient({ certificate, user: joe, name: 'first' }, context)
    const refused: readonly (readonly [Partial<Registration>, RegExp])[] = [
      [{ certificate }, /registered already/],
      [{ name: 'first' }, /another client is called "first"/],
      [{ user: { ...joe, user: 'nobody' } }, /no user local\|nobody/],
      [{ name: 'a|b' }, /client name/],
    ]
    for (const [change, message] of refused) {
      const registration = { certificate: clientCertificate(), user: joe, name: 'second', ...change }
      await assert.rejects(registerClient(registration, context), (error) => {
        return error instanceof AdministrationError && message.test(error.message)
      })
    }
    const registration = { certificate: new Uint8Array(9), user: joe, name: 'third' }
    await assert.rejects(registerClient(registration, context), CertificateError)
  })
})
