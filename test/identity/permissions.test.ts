/** Who may do what, as a table; and that what Locate shows is what `permits` allows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessEntries, accessTerms, type Guarded, globalOf, groupName, ownerOf, permits } from '#identity/permissions'
import type { Permission, Principal } from '#identity/principals'

const joe: Principal = {
  kind: 'client',
  domain: 'root',
  user: 'local|joe',
  groups: [],
  clientId: 'c1',
  administrator: false,
  fingerprint: '00',
}
const ann: Principal = { ...joe, user: 'local|ann' }
const administrator: Principal = { ...joe, user: 'local|admin', administrator: true }
const stranger: Principal = { ...joe, domain: 'd1', user: 'd1|local|joe' }

const member: Principal = { ...ann, user: 'local|eve', groups: ['staff'] }
const namesake: Principal = { ...stranger, user: 'd1|local|eve', groups: ['staff'] }

const own: Guarded = { owner: 'local|joe' }
const nobodys: Guarded = { owner: 'global' }
const granted: Guarded = { owner: 'local|joe', permissions: { read: ['local|ann'], encrypt: ['global'] } }
const grantedToGroup: Guarded = { owner: 'local|joe', permissions: { read: [groupName('root', 'staff')] } }
const grantedToGroupElsewhere: Guarded = { owner: 'd1|local|joe', permissions: { mac: [groupName('d1', 'staff')] } }
const elsewhere: Guarded = { owner: globalOf('d1') }

const cases: readonly (readonly [string, Principal, Guarded, Permission, boolean])[] = [
  ['the owner', joe, own, 'destroy', true],
  ['somebody else', ann, own, 'read', false],
  ['an administrator, who administers the server and not the keys', administrator, own, 'read', false],
  ['anybody, an object of nobody', ann, nobodys, 'destroy', true],
  ['another domain, an object of nobody', stranger, nobodys, 'read', false],
  ['the same name in another domain', stranger, own, 'read', false],
  ['one domain, an object of nobody in another', joe, elsewhere, 'read', false],
  ['its own domain', stranger, elsewhere, 'read', true],
  ['what is granted', ann, granted, 'read', true],
  ['what is granted to everybody', administrator, granted, 'encrypt', true],
  ['what is granted to everybody of the domain', stranger, granted, 'encrypt', false],
  ['what is granted to its group', member, grantedToGroup, 'read', true],
  ['what is not granted to its group', member, grantedToGroup, 'export', false],
  ['what is granted to a group that it is not in', ann, grantedToGroup, 'read', false],
  ['what is granted to a group of this name in another domain', namesake, grantedToGroup, 'read', false],
  ['what is granted to its group in its domain', namesake, grantedToGroupElsewhere, 'mac', true],
  ['what is granted in another domain to a group of this name', member, grantedToGroupElsewhere, 'mac', false],
  ['a group cannot be named by a user', { ...ann, user: 'group:staff|x' }, grantedToGroup, 'read', false],
  ['what is not granted', ann, granted, 'export', false],
  ['a permission that every object inherits', ann, granted, 'toString' as Permission, false],
]
for (const [name, principal, object, permission, expected] of cases) {
  test(`${name}: ${permission} ${expected ? 'allowed' : 'refused'}`, () => {
    assert.equal(permits(principal, object, permission), expected)
  })
}

test('an object is found by exactly those who may read it', () => {
  for (const principal of [joe, ann, administrator, stranger, member, namesake]) {
    for (const object of [own, nobodys, granted, elsewhere, grantedToGroup, grantedToGroupElsewhere]) {
      const entries = accessEntries(object)
      const found = accessTerms(principal).some((term) => entries.includes(term))
      assert.equal(found, permits(principal, object, 'read'), `${principal.user} ${object.owner}`)
    }
  }
})

test('what a principal makes is its own', () => {
  assert.equal(permits(joe, { owner: ownerOf(joe) }, 'destroy'), true)
  assert.deepEqual(accessEntries({ owner: 'a', permissions: { read: ['a', 'b'], mac: ['c'] } }), ['a', 'b'])
})
