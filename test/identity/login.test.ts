/** Log-ins: only the right password of an enabled user counts, failures are slowed, and what counted ends when the user changes. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { SettableClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { hashPassword, isUsernameAndPassword, Login, passwordBytesMax, passwordMatches } from '#identity/login'
import { findUser, type UserName, type UserRecord, userKey, userTable } from '#identity/principals'
import { changeRecord, newRecord } from '#identity/records'
import { newUser } from '#identity/users'
import { MemoryStore } from '#store/memory'

const clock = new SettableClock()
const store = new MemoryStore([userTable])
/** A directory that knows one user; how often it was asked, and how often it was changed. */
const directory = { asked: 0, generation: 1 }
const login = new Login({
  store,
  clock,
  entropy: systemEntropy,
  directories: {
    passwordMatches: async ({ connection, user }, password) => {
      directory.asked += 1
      return connection === 'corporate' && user === 'eve' && password === 'in the directory'
    },
    generationOf: () => directory.generation,
  },
  rememberMs: 60_000,
})

const local = (user: string, domain = 'root'): UserName => ({ domain, connection: 'local', user })
const verify = (username: string, password: string, domain = 'root', address = '192.0.2.1') =>
  login.verify({ username, password }, domain, address)

before(async () => {
  const password = await hashPassword('correct horse', systemEntropy)
  const records: readonly UserRecord[] = [
    newUser(local('joe'), { administrator: false, password }, { clock, entropy: systemEntropy }),
    newUser(local('joe', 'd1'), { administrator: false, password }, { clock, entropy: systemEntropy }),
    newUser(local('bob'), { administrator: false }, { clock, entropy: systemEntropy }),
    {
      ...newUser(local('ann'), { administrator: false, password }, { clock, entropy: systemEntropy }),
      disabled: true,
    },
  ]
  const keyOf = ({ domain, connection, name }: UserRecord) => userKey({ domain, connection, user: name })
  await store.commit(records.map((record) => newRecord(userTable.name, keyOf(record), record)))
})

describe('verify', () => {
  const cases: readonly (readonly [string, string, string, string, string | undefined])[] = [
    ['right', 'joe', 'correct horse', 'root', 'root|local|joe'],
    ['right, the name with its connection', 'local|joe', 'correct horse', 'root', 'root|local|joe'],
    ['right, the name with its domain', 'root||joe', 'correct horse', 'd1', 'root|local|joe'],
    ['a name without a domain is one of the domain given', 'joe', 'correct horse', 'd1', 'd1|local|joe'],
    ['wrong password', 'joe', 'correct horsf', 'root', undefined],
    ['empty password', 'joe', '', 'root', undefined],
    ['unknown user', 'eve', 'correct horse', 'root', undefined],
    ['unknown domain', 'd2||joe', 'correct horse', 'root', undefined],
    ['user without password', 'bob', 'correct horse', 'root', undefined],
    ['disabled user', 'ann', 'correct horse', 'root', undefined],
    ['unknown connection', 'other|joe', 'correct horse', 'root', undefined],
    ['no name at all', '|||', 'correct horse', 'root', undefined],
  ]
  for (const [index, [name, username, password, domain, expected]] of cases.entries()) {
    test(`${name}: ${expected === undefined ? 'refused' : 'accepted'}`, async () => {
      const found = await verify(username, password, domain, `192.0.2.${index}`)
      assert.equal(found?.user.key, expected)
      assert.equal(found !== undefined && login.stillHolds(found), expected !== undefined)
    })
  }

  test('what counted ends when the user changes', async () => {
    const found = await verify('joe', 'correct horse')
    assert.ok(found !== undefined && login.stillHolds(found))
    await changeRecord(store, userTable, found.user.key, 'user', (user) => ({ ...user, email: 'joe@example.org' }))
    assert.equal(login.stillHolds(found), false)
  })

  test('four failures make the next try wait, right or wrong', async () => {
    for (let count = 0; count < 4; count++) assert.equal(await verify('joe', 'wrong', 'root', '192.0.2.99'), undefined)
    let done = false
    const trying = verify('joe', 'correct horse', 'root', '192.0.2.99').then((found) => {
      done = true
      return found
    })
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(done, false)
    clock.advance(1_000)
    assert.equal((await trying)?.user.key, 'root|local|joe')
  })
})

describe('users of a directory', () => {
  test('get a record at their first log-in, which counts until user or connection change', async () => {
    const name = { domain: 'root', connection: 'corporate', user: 'eve' }
    assert.equal(await verify('corporate|eve', 'wrong'), undefined)
    assert.equal(findUser(store, name), undefined)
    const found = await verify('corporate|eve', 'in the directory')
    assert.ok(found !== undefined && login.stillHolds(found))
    assert.equal(findUser(store, name)?.value.id, found.user.value.id)
    const again = await verify('corporate|eve', 'in the directory')
    assert.equal(again?.user.value.id, found.user.value.id)
    directory.generation += 1
    assert.equal(login.stillHolds(found), false)
  })

  test('the directory is not asked about an empty password: it would let in whoever asks', async () => {
    const { asked } = directory
    assert.equal(await verify('corporate|eve', ''), undefined)
    assert.equal(directory.asked, asked)
  })
})

test('digests tell passwords apart, also where name and password run together', () => {
  const digest = (username: string, password: string) => login.digestOf({ username, password })
  assert.equal(digest('joe', 'x'), digest('joe', 'x'))
  assert.equal(new Set([digest('joe', 'x'), digest('jo', 'ex'), digest('joe', 'y'), digest('joex', '')]).size, 4)
})

test('a credential is a name with a password, and nothing else', () => {
  assert.equal(isUsernameAndPassword({ username: 'joe', password: 'x' }), true)
  for (const value of [null, undefined, 'joe', {}, { username: 'joe' }, { username: 1, password: {} }])
    assert.equal(isUsernameAndPassword(value), false)
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
