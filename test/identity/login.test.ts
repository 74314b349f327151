/** Credentials: only the right password of the certificate's own user passes. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { systemEntropy } from '#actor/entropy'
import { hashPassword, Login, passwordBytesMax, passwordMatches } from '#identity/login'
import { type Principal, type UserRecord, userKey, userTable } from '#identity/principals'
import { newRecord } from '#identity/registration'
import { CredentialType } from '#kmip/enums'
import { MemoryStore } from '#store/memory'

const joe: Principal = {
  kind: 'client',
  domain: 'root',
  user: 'local|joe',
  clientId: 'c',
  administrator: false,
  fingerprint: '00',
}
const store = new MemoryStore([userTable])
const login = new Login(store, systemEntropy)

before(async () => {
  const password = await hashPassword('correct horse', systemEntropy)
  const user = { domain: 'root', connection: 'local', administrator: false, createdSeconds: 0 }
  const records: readonly UserRecord[] = [
    { ...user, name: 'joe', password },
    { ...user, name: 'ann', password },
    { ...user, name: 'bob' },
  ]
  const keyOf = ({ domain, connection, name }: UserRecord) => userKey({ domain, connection, user: name })
  await store.commit(records.map((record) => newRecord(userTable.name, keyOf(record), record)))
})

const { UsernameAndPassword, Device, Attestation } = CredentialType

describe('verifyCredential', () => {
  const cases: readonly (readonly [string, number, unknown, Principal, boolean])[] = [
    ['right', UsernameAndPassword, { username: 'joe', password: 'correct horse' }, joe, true],
    ['right, the long name', UsernameAndPassword, { username: 'root||joe', password: 'correct horse' }, joe, true],
    ['an attestation, which the server asks of nobody', Attestation, { attestationType: 1 }, joe, false],
    ['wrong password', UsernameAndPassword, { username: 'joe', password: 'correct horsf' }, joe, false],
    ['empty password', UsernameAndPassword, { username: 'joe', password: '' }, joe, false],
    ['no password', UsernameAndPassword, { username: 'joe' }, joe, false],
    ['of another user', UsernameAndPassword, { username: 'ann', password: 'correct horse' }, joe, false],
    ['unknown user', UsernameAndPassword, { username: 'eve', password: 'correct horse' }, joe, false],
    [
      'user without password',
      UsernameAndPassword,
      { username: 'bob', password: 'correct horse' },
      { ...joe, user: 'local|bob' },
      false,
    ],
    ['another connection', UsernameAndPassword, { username: 'ldap|joe', password: 'correct horse' }, joe, false],
    ['no name at all', UsernameAndPassword, { username: '|||', password: 'correct horse' }, joe, false],
    [
      'the principal of another domain',
      UsernameAndPassword,
      { username: 'root||joe', password: 'correct horse' },
      { ...joe, domain: 'd1', user: 'd1|local|joe' },
      false,
    ],
    ['no structure', UsernameAndPassword, null, joe, false],
    ['of odd types', UsernameAndPassword, { username: 1, password: {} }, joe, false],
    ['a device', Device, { username: 'joe', password: 'correct horse' }, joe, false],
  ]
  for (const [name, credentialType, credentialValue, principal, expected] of cases) {
    test(`${name}: ${expected ? 'accepted' : 'refused'}`, async () => {
      assert.equal(await login.verifyCredential({ credentialType, credentialValue }, principal), expected)
    })
  }
})

describe('passwords', () => {
  test('equal passwords have unlike hashes, and both match', async () => {
    const [one, two] = [await hashPassword('pässwörd', systemEntropy), await hashPassword('pässwörd', systemEntropy)]
    assert.notDeepEqual(one.hash, two.hash)
    assert.ok((await passwordMatches('pässwörd', one)) && (await passwordMatches('pässwörd', two)))
    assert.equal(await passwordMatches('passwörd', one), false)
  })

  test('too short and too long', async () => {
    const stored = await hashPassword('x'.repeat(passwordBytesMax), systemEntropy)
    assert.equal(await passwordMatches('x'.repeat(passwordBytesMax), stored), true)
    for (const password of ['', 'x'.repeat(passwordBytesMax + 1), 'é'.repeat(passwordBytesMax / 2 + 1)]) {
      await assert.rejects(hashPassword(password, systemEntropy), RangeError)
      assert.equal(await passwordMatches(password, stored), false)
    }
  })
})
