/** What a session remembers of whom it acts as: what is proved once, what is made once, and what ends it. */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { SettableClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { createAuthority, issueClientCertificate } from '#identity/authority'
import { certificateFingerprint } from '#identity/certificates'
import { Login } from '#identity/login'
import { type ClientRecord, clientTable, type InterfaceMode, type UserRecord, userTable } from '#identity/principals'
import { changeRecord, newRecord } from '#identity/records'
import { clientRecord } from '#identity/registration'
import { type CredentialRefusal, SessionIdentity } from '#identity/session-identity'
import { CredentialType } from '#kmip/enums'
import { MemoryStore } from '#store/memory'
import type { Stored, Table } from '#store/store'
import { localUser, userNamed } from './registered.ts'

const now = new SettableClock().nowSeconds()
const authority = createAuthority({ CN: 'the CA' }, now, systemEntropy)
const { certificate } = issueClientCertificate(authority, { CN: 'joe' }, now, systemEntropy)
const fingerprint = certificateFingerprint(certificate)
const credential = (username: string, password = 'right') => ({
  credentialType: CredentialType.UsernameAndPassword,
  credentialValue: { username, password },
})

let clock: SettableClock
let store: MemoryStore
let identity: SessionIdentity
let newIdentity: () => SessionIdentity
let mode: InterfaceMode
let asked: number
let generation: number
let refusals: CredentialRefusal[]

/** As the store of a server does: what was read is given again as long as it is the same. */
class RememberingStore extends MemoryStore {
  readonly #read = new Map<string, Stored<unknown>>()

  override read<T>(table: Table<T>, key: string): Stored<T> | undefined {
    const stored = super.read(table, key)
    const name = `${table.name} ${key}`
    if (stored !== undefined && this.#read.get(name)?.revision !== stored.revision) this.#read.set(name, stored)
    return stored && (this.#read.get(name) as Stored<T>)
  }
}

/** A session of joe's certificate; every user of the directory has the password `right`. */
beforeEach(async () => {
  clock = new SettableClock()
  store = new RememberingStore([userTable, clientTable])
  mode = 'tls-cert-pw-opt'
  asked = 0
  generation = 1
  refusals = []
  const context = { clock, entropy: systemEntropy }
  const joe = localUser('joe')
  const client = clientRecord({ certificate, user: joe, name: 'of joe' }, context)
  await store.commit([
    newRecord(userTable.name, 'root|local|joe', userNamed(joe, now)),
    newRecord(clientTable.name, fingerprint, client),
  ])
  const directories = {
    passwordMatches: async (_name: unknown, password: string) => {
      asked += 1
      return password === 'right'
    },
    generationOf: () => generation,
  }
  const login = new Login({ store, ...context, directories, rememberMs: 60_000 })
  newIdentity = () =>
    new SessionIdentity({
      store,
      clock,
      login,
      peer: { address: '192.0.2.1', fingerprint },
      rules: () => ({ mode, hardDelete: undefined }),
      onCredentialRefused: (reason) => void refusals.push(reason),
    })
  identity = newIdentity()
})

const actsAs = async (...credentials: readonly ReturnType<typeof credential>[]): Promise<string> => {
  assert.equal(identity.standing(), undefined)
  return (await identity.principalOf(credentials)).user
}
const changeUser = (key: string, change: Partial<UserRecord>) =>
  changeRecord(store, userTable, key, 'user', (user) => ({ ...user, ...change }))
const changeClient = (change: Partial<ClientRecord>) =>
  changeRecord(store, clientTable, fingerprint, 'client', (client) => ({ ...client, ...change }))

describe('without a credential', () => {
  test('the principal is made once, at once, and again when something of it changes', async () => {
    const principal = () => {
      assert.equal(identity.standing(), undefined)
      return identity.principalOf([])
    }
    const first = principal()
    assert.ok(!(first instanceof Promise))
    assert.equal(principal(), first)
    await changeUser('root|local|joe', { groups: ['staff'] })
    const second = principal()
    assert.notEqual(second, first)
    assert.deepEqual(second, { ...first, groups: ['staff'] })
    mode = 'tls-pw-opt'
    assert.equal((await principal()).kind, 'anonymous')
    mode = 'tls-cert-pw-opt'
    assert.deepEqual(principal(), second)
  })

  test('the sessions of a client have one principal, known before the first request, and none that a change has ended', async () => {
    const started = (session: SessionIdentity) => {
      assert.equal(session.standing(), undefined)
      return session
    }
    assert.equal(started(identity).ownPrincipal, undefined, 'nobody was asked yet')
    const principal = identity.principalOf([])
    assert.equal(started(newIdentity()).ownPrincipal, principal)
    assert.equal(started(newIdentity()).principalOf([]), principal)

    mode = 'tls-cert-and-pw'
    const another = started(newIdentity())
    assert.equal(another.ownPrincipal, undefined)
    assert.throws(() => another.principalOf([]), { message: /./ })
    assert.deepEqual(refusals, ['a credential is needed'])
    mode = 'tls-cert-pw-opt'

    await changeUser('root|local|joe', { groups: ['staff'] })
    assert.equal(started(newIdentity()).ownPrincipal, undefined)
    assert.deepEqual(started(newIdentity()).principalOf([]), { ...(await principal), groups: ['staff'] })
    await changeClient({ deviceCredential: { serial_no: '7' } })
    const device = started(newIdentity())
    assert.equal(device.ownPrincipal, undefined)
    await assert.rejects(async () => device.principalOf([]))
    assert.deepEqual(refusals, ['a credential is needed', 'the device credential is missing or wrong'])
  })

  const changes: readonly (readonly [string, () => Promise<unknown>, string])[] = [
    ['a disabled client', () => changeClient({ status: 'disabled' }), 'client disabled'],
    ['a revoked client', () => changeClient({ status: 'revoked' }), 'certificate revoked'],
    ['an expired certificate', () => changeClient({ notAfterSeconds: now - 1 }), 'certificate expired'],
    ['a certificate of tomorrow', () => changeClient({ notBeforeSeconds: now + 9 }), 'certificate not yet valid'],
    ['a client without a user', () => changeClient({ userKey: undefined }), 'registered without a user'],
    ['a client of mode tls-pw-opt', () => changeClient({ mode: 'tls-pw-opt' }), 'registered without a user'],
    ['a disabled user', () => changeUser('root|local|joe', { disabled: true }), 'user disabled'],
    ['a user that is not there', () => changeClient({ userKey: 'root|local|eve' }), 'user removed'],
  ]
  for (const [name, change, refusal] of changes) {
    test(`${name} ends the service: ${refusal}`, async () => {
      assert.equal(identity.standing(), undefined)
      await change()
      assert.equal(identity.standing(), refusal)
    })
  }

  test('time ends it too', () => {
    const days = 86_400_000
    clock.advance(40 * 365 * days)
    assert.equal(identity.standing(), 'certificate expired')
  })
})

describe('a password that was right', () => {
  test('is proved once, and anew after its time', async () => {
    for (let count = 0; count < 3; count++) assert.equal(await actsAs(credential('corporate|ann')), 'corporate|ann')
    assert.equal(asked, 1)
    clock.advance(60_000)
    assert.equal(await actsAs(credential('corporate|ann')), 'corporate|ann')
    assert.equal(asked, 2)
  })

  test('of each of several users who take turns', async () => {
    for (let round = 0; round < 3; round++) {
      for (const user of ['corporate|ann', 'corporate|ben', 'corporate|eve']) {
        assert.equal(await actsAs(credential(user)), user)
      }
    }
    assert.equal(asked, 3)
  })

  test('is forgotten when its user or connection changes', async () => {
    await actsAs(credential('corporate|ann'))
    await changeUser('root|corporate|ann', { groups: ['staff'] })
    assert.equal(identity.standing(), undefined)
    assert.deepEqual((await identity.principalOf([credential('corporate|ann')])).groups, ['staff'])
    assert.equal(asked, 2)
    generation += 1
    await actsAs(credential('corporate|ann'))
    assert.equal(asked, 3)
    await changeUser('root|corporate|ann', { disabled: true })
    await assert.rejects(actsAs(credential('corporate|ann')))
  })

  test('says nothing for another mode', async () => {
    await actsAs(credential('corporate|ann'))
    mode = 'tls-cert-and-pw'
    await assert.rejects(actsAs(credential('corporate|ann')))
    assert.deepEqual(refusals, ['the credential names another user'])
    assert.equal(asked, 1, 'what was proved stays proved')
    mode = 'tls-pw-req'
    assert.equal(await actsAs(credential('corporate|ann')), 'corporate|ann')
  })

  test('does not open for a wrong one', async () => {
    await actsAs(credential('corporate|ann'))
    await assert.rejects(actsAs(credential('corporate|ann', 'wrong')))
    assert.deepEqual(refusals, ['user name or password are wrong'])
    assert.equal(await actsAs(credential('corporate|ann')), 'corporate|ann')
    assert.equal(asked, 2)
  })
})
