/** Groups of users, and who is in them when several change both at once: no membership outlives its group. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SettableClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { AdministrationError } from '#identity/administration-error'
import { userKey, userTable } from '#identity/principals'
import { newRecord } from '#identity/records'
import { createGroup, deleteGroup, getGroup, groupTable, setMembership } from '#identity/user-groups'
import { createUser, modifyUser, type UserContext } from '#identity/users'
import { MemoryStore } from '#store/memory'
import type { Change, CommitResult, Store } from '#store/store'
import { localUser, userNamed } from './registered.ts'

const domain = 'root'
const joe = localUser('joe')

/** A store with joe and the group `staff`, and a view of it whose next commit waits for what another does first. */
const setting = async () => {
  const clock = new SettableClock()
  const store = new MemoryStore([userTable, groupTable])
  await store.commit([newRecord(userTable.name, userKey(joe), userNamed(joe, clock.nowSeconds()))])
  const context: UserContext = { store, clock, entropy: systemEntropy, passwordLengthMin: 8 }
  await createGroup(domain, 'staff', undefined, context)
  const overtaken = (other: () => Promise<unknown>): UserContext => ({
    ...context,
    store: overtakenStore(store, other),
  })
  const groupsOf = (name: string) => store.read(userTable, userKey(localUser(name)))?.value.groups
  return { context, overtaken, groupsOf }
}

const overtakenStore = (store: MemoryStore, other: () => Promise<unknown>): Store => {
  let isOvertaken = false
  const commit = async (changes: readonly Change[]): Promise<CommitResult> => {
    if (!isOvertaken) {
      isOvertaken = true
      await other()
    }
    return store.commit(changes)
  }
  return new Proxy<Store>(store, {
    get(target, name) {
      if (name === 'commit') return commit
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

const administrationError = (kind: string) => (error: unknown) => {
  assert.ok(error instanceof AdministrationError, String(error))
  assert.equal(error.kind, kind, error.message)
  return true
}

type Entering = readonly [what: string, kind: string, user: string, enter: (context: UserContext) => Promise<unknown>]

const enterings: readonly Entering[] = [
  ['groups adduser', 'not found', 'joe', (context) => setMembership(userKey(joe), 'staff', true, context)],
  ['users modify', 'invalid', 'joe', (context) => modifyUser('joe', domain, { groups: ['staff'] }, context)],
  ['users create', 'invalid', 'ann', (context) => createUser('ann', domain, { groups: ['staff'] }, context)],
]

for (const [what, kind, user, enter] of enterings) {
  test(`${what}: nobody enters a group that is removed meanwhile`, async () => {
    const { context, overtaken, groupsOf } = await setting()
    const late = overtaken(() => deleteGroup(domain, 'staff', context))
    await assert.rejects(enter(late), administrationError(kind))
    assert.deepEqual(groupsOf(user) ?? [], [])
  })

  test(`${what}: who enters a group while it is removed is taken out of it`, async () => {
    const { context, overtaken, groupsOf } = await setting()
    await deleteGroup(
      domain,
      'staff',
      overtaken(() => enter(context)),
    )
    assert.throws(() => getGroup(domain, 'staff', context.store), administrationError('not found'))
    assert.deepEqual(groupsOf(user), [])
  })

  test(`${what}: others who enter at the same time are in nobody's way`, async () => {
    const { context, overtaken, groupsOf } = await setting()
    await createUser('ben', domain, {}, context)
    await enter(overtaken(() => setMembership(userKey(localUser('ben')), 'staff', true, context)))
    assert.deepEqual([groupsOf(user), groupsOf('ben')], [['staff'], ['staff']])
  })
}

test('a group whose removal was cut short is removed by the same command', async () => {
  const { context, groupsOf } = await setting()
  await createUser('ben', domain, { groups: ['staff'] }, context)
  await setMembership(userKey(joe), 'staff', true, context)
  const failing = overtakenStore(context.store as MemoryStore, () => Promise.reject(new TypeError('cut short')))
  await assert.rejects(deleteGroup(domain, 'staff', { ...context, store: failing }), /cut short/)
  await deleteGroup(domain, 'staff', context)
  assert.deepEqual([groupsOf('joe'), groupsOf('ben')], [[], []])
})
