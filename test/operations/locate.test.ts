/** Locate: the reasons of KMIP 1.4 §11.10 and the matching rules of §4.9, in numbers, order and parts. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RequestPayload } from '#client/operation-methods'
import {
  AlternativeNameType,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  LinkType,
  NameType,
  ObjectGroupMember,
  ObjectType,
  State,
  StorageStatusMask,
  UsageLimitsUnit,
} from '#kmip/enums'
import { objectTable } from '#operations/object-table'
import { MemoryStore } from '#store/memory'
import { type Store, StoreDamaged } from '#store/store'
import {
  alice,
  archive,
  bob,
  type DispatcherUnderTest,
  item,
  openDispatcher,
  outcome,
  outcomesOf,
  payloadOf,
  send,
  succeed,
} from '#test/dispatcher'
import { registerTemplate, templateRows, testOutcomes } from '#test/outcome-table'
import {
  attributes,
  certificateRequest,
  createKey,
  createRequest,
  keyRequest,
  name,
  revocation,
  secretRequest,
} from '#test/sample-objects'
import { type Item, ItemType } from '#ttlv/item'

type Request = RequestPayload<'Locate'>
const { Encrypt, Decrypt, Sign } = CryptographicUsageMask
const text = (value: string): Item => ({ tag: 0x42000b, type: ItemType.TextString, value })

const locate = (under: DispatcherUnderTest, request: Request = {}) => succeed(under, 'Locate', request)

const by = (values: Readonly<Record<string, unknown>>): Request => ({ attribute: attributes(values) })

/** The identifiers that are found by attributes. */
const found = async (under: DispatcherUnderTest, values: Readonly<Record<string, unknown>>, more: Request = {}) =>
  (await locate(under, { ...by(values), ...more })).uniqueIdentifier

/** Located: the newest first. */
const newest = (...inOrder: readonly (string | undefined)[]) => inOrder.toReversed()

/** As many keys as lists of attributes are given, a second apart. */
const keys = async (under: DispatcherUnderTest, ...all: readonly Readonly<Record<string, unknown>>[]) => {
  const made: string[] = []
  for (const values of all) {
    made.push(await createKey(under, values))
    under.clock.advance(1000)
  }
  return made
}

describe('Locate: reasons', () => {
  const withTemplate = (under: DispatcherUnderTest, template: string) =>
    outcome(under, 'Locate', { templateAttribute: { name: [name(template)] } })
  testOutcomes([
    [
      'an attribute that nobody knows',
      'InvalidField',
      (under) => outcome(under, 'Locate', by({ Colour: text('red') })),
    ],
    [
      'an attribute that came later',
      'InvalidField',
      (under) => outcome(under, 'Locate', by({ Comment: 'a' }), { version: 103 }),
    ],
    [
      'an enumeration value that is not known',
      'InvalidField',
      (under) => outcome(under, 'Locate', by({ 'Object Type': 99 })),
    ],
    // §11.10 has its own reason for Templates that are not there.
    ...templateRows(withTemplate).map(
      ([given, expected, run]) => [given, expected === 'ItemNotFound' ? 'InvalidField' : expected, run] as const,
    ),
    ['a negative Maximum Items', 'InvalidField', (under) => outcome(under, 'Locate', { maximumItems: -1 })],
    ['a negative Offset Items', 'InvalidField', (under) => outcome(under, 'Locate', { offsetItems: -1 })],
    [
      'an Object Group Member without an Object Group',
      'InvalidField',
      (under) => outcome(under, 'Locate', { objectGroupMember: ObjectGroupMember.GroupMemberFresh }),
    ],
    ['nothing asked', 'Success', (under) => outcome(under, 'Locate', {})],
  ])
})

describe('Locate: numbers and order', () => {
  test('without any attribute finds all; without any match answers with nothing', async () => {
    const under = openDispatcher()
    const all = await keys(under, {}, {}, {})
    assert.deepEqual(await locate(under), { locatedItems: 3, uniqueIdentifier: newest(...all) })
    assert.deepEqual(await locate(under, by({ Name: name('none') })), { locatedItems: 0, uniqueIdentifier: [] })
  })

  test('Maximum Items and Offset Items are pages of one order, and the total is that of all', async () => {
    const under = openDispatcher()
    const all = await keys(under, ...Array.from({ length: 7 }, () => ({ 'Object Group': 'g' })))
    const pages: string[] = []
    for (let offsetItems = 0; offsetItems < 9; offsetItems += 3) {
      const page = await locate(under, { ...by({ 'Object Group': 'g' }), maximumItems: 3, offsetItems })
      assert.equal(page.locatedItems, 7)
      pages.push(...page.uniqueIdentifier)
    }
    assert.deepEqual(pages, newest(...all))
    assert.deepEqual(await locate(under, { maximumItems: 0 }), { locatedItems: 7, uniqueIdentifier: [] })
    assert.deepEqual((await locate(under, { offsetItems: 7 })).uniqueIdentifier, [])
    assert.deepEqual((await locate(under, { offsetItems: 0 })).uniqueIdentifier, newest(...all))
  })

  test('where pages begin with the oldest, what is made meanwhile moves none; without pages the newest is first', async () => {
    const under = openDispatcher({ policy: { locatePages: 'oldest' } })
    const before = await keys(under, {}, {}, {}, {})
    for (const asked of [{}, by({ 'Cryptographic Usage Mask': Encrypt })]) {
      const first = await locate(under, { ...asked, maximumItems: 2 })
      assert.deepEqual(first.uniqueIdentifier, before.slice(0, 2))
    }
    const all = [...before, ...(await keys(under, {}))]
    const rest = await locate(under, { maximumItems: 9, offsetItems: 2 })
    assert.deepEqual(rest, { locatedItems: 5, uniqueIdentifier: all.slice(2) })
    assert.deepEqual((await locate(under)).uniqueIdentifier, newest(...all))
  })

  test('pages are the same when candidates must be looked at one by one', async () => {
    const under = openDispatcher()
    const all = await keys(under, ...Array.from({ length: 5 }, () => ({})))
    const filter = by({ 'Cryptographic Usage Mask': Encrypt })
    const page = await locate(under, { ...filter, maximumItems: 2, offsetItems: 2 })
    assert.deepEqual(page, { locatedItems: 5, uniqueIdentifier: newest(...all).slice(2, 4) })
  })

  test('the server returns as many as it is set to, and counts all', async () => {
    const under = openDispatcher({ policy: { locateItemsMax: 2 } })
    const all = await keys(under, {}, {}, {})
    for (const maximumItems of [undefined, 3]) {
      const answer = await locate(under, { maximumItems })
      assert.deepEqual(answer, { locatedItems: 3, uniqueIdentifier: newest(...all).slice(0, 2) })
    }
  })

  test('in versions before 1.3 Offset Items is honoured, and the total told to who uses it', async () => {
    const under = openDispatcher()
    const all = await keys(under, {}, {}, {})
    const page = await succeed(under, 'Locate', { offsetItems: 1, maximumItems: 1 }, { version: 100 })
    assert.deepEqual(page, { locatedItems: 3, uniqueIdentifier: newest(...all).slice(1, 2) })
    const plain = await succeed(under, 'Locate', {}, { version: 100 })
    assert.deepEqual(plain, { locatedItems: undefined, uniqueIdentifier: newest(...all) })
  })

  test('objects of others are neither found nor counted', async () => {
    const under = openDispatcher()
    const [mine] = await keys(under, { 'Object Group': 'g' })
    await createKey(under, { 'Object Group': 'g' }, { who: bob })
    assert.deepEqual(await locate(under, by({ 'Object Group': 'g' })), { locatedItems: 1, uniqueIdentifier: [mine] })
    assert.deepEqual(await locate(under), { locatedItems: 1, uniqueIdentifier: [mine] })
  })
})

describe('Locate: matching', () => {
  test('all attributes must match; an index says nothing', async () => {
    const under = openDispatcher()
    const [a, b] = await keys(under, { 'Object Group': ['g', 'h'], Comment: 'c' }, { 'Object Group': 'g' })
    assert.deepEqual(await found(under, { 'Object Group': 'g' }), newest(a, b))
    assert.deepEqual(await found(under, { 'Object Group': ['g', 'h'] }), [a])
    assert.deepEqual(await found(under, { 'Object Group': 'g', Comment: 'c' }), [a])
    assert.deepEqual(await found(under, { 'Object Group': 'h', Comment: 'd' }), [])
    const attribute = [{ attributeName: 'Object Group', attributeIndex: 7, attributeValue: 'g' }]
    assert.deepEqual((await locate(under, { attribute })).uniqueIdentifier, newest(a, b))
  })

  test('Name, Object Type, algorithm, state, identifier', async () => {
    const under = openDispatcher()
    const [key] = await keys(under, { Name: name('k'), 'Activation Date': 0 })
    const { uniqueIdentifier: secret } = await succeed(under, 'Register', secretRequest({ Name: name('s') }))
    assert.deepEqual(await found(under, { Name: name('s') }), [secret])
    assert.deepEqual(await found(under, { Name: { nameValue: 's', nameType: NameType.URI } }), [])
    assert.deepEqual(await found(under, { 'Object Type': ObjectType.SecretData }), [secret])
    assert.deepEqual(await found(under, { 'Cryptographic Algorithm': CryptographicAlgorithm.AES }), [key])
    assert.deepEqual(await found(under, { 'Cryptographic Length': 128 }), [key])
    assert.deepEqual(await found(under, { State: State.Active }), [key])
    assert.deepEqual(await found(under, { State: State.PreActive }), [secret])
    assert.deepEqual(await found(under, { 'Unique Identifier': key }), [key])
  })

  test('a part of a structure is enough', async () => {
    const under = openDispatcher()
    const link = { linkType: LinkType.ParentLink, linkedObjectIdentifier: 'up' }
    const application = { applicationNamespace: 'LIBRARY-LTO', applicationData: 'tape 1' }
    const alternative = { alternativeNameValue: 'also', alternativeNameType: AlternativeNameType.URI }
    const [key] = await keys(under, {
      Name: name('k'),
      Link: link,
      'Application Specific Information': application,
      'Alternative Name': alternative,
    })
    const { uniqueIdentifier: x509 } = await succeed(under, 'Register', certificateRequest())
    const parts: readonly (readonly [string, object])[] = [
      ['Name', { nameValue: 'k' }],
      ['Name', { nameType: NameType.UninterpretedTextString }],
      ['Link', { linkType: LinkType.ParentLink }],
      ['Link', { linkedObjectIdentifier: 'up' }],
      ['Link', link],
      ['Application Specific Information', { applicationNamespace: 'LIBRARY-LTO' }],
      ['Application Specific Information', { applicationData: 'tape 1' }],
      ['Application Specific Information', application],
      ['Alternative Name', { alternativeNameValue: 'also' }],
    ]
    for (const [attributeName, part] of parts) {
      assert.deepEqual(await found(under, { [attributeName]: part }), [key], JSON.stringify(part))
    }
    const subject = { certificateSubjectDistinguishedName: 'CN=kms.example' }
    assert.deepEqual(await found(under, { 'Certificate Subject': subject }), [x509])
    assert.deepEqual(
      await found(under, { 'Certificate Issuer': { certificateIssuerDistinguishedName: 'CN=Test CA,O=Acme' } }),
      [x509],
    )
  })

  test('parts that stand in two instances are no match', async () => {
    const under = openDispatcher()
    await keys(under, {
      Link: [
        { linkType: LinkType.ParentLink, linkedObjectIdentifier: 'a' },
        { linkType: LinkType.ChildLink, linkedObjectIdentifier: 'b' },
      ],
    })
    const crossed = { linkType: LinkType.ParentLink, linkedObjectIdentifier: 'b' }
    assert.deepEqual(await found(under, { Link: crossed }), [])
  })

  test('dates: one is exact, two are a range with both ends, in either order', async () => {
    const under = openDispatcher()
    const start = under.clock.nowSeconds()
    const all = await keys(under, {}, {}, {}, {})
    const initial = (...seconds: number[]) => found(under, { 'Initial Date': seconds.map((each) => start + each) })
    assert.deepEqual(await initial(1), [all[1]])
    assert.deepEqual(await initial(1, 2), newest(all[1], all[2]))
    assert.deepEqual(await initial(2, 1), newest(all[1], all[2]))
    assert.deepEqual(await initial(4, 9), [])
    assert.deepEqual(await initial(0, 9), newest(...all))
    assert.deepEqual(await found(under, { 'Activation Date': start }), [])
  })

  test('the usage mask: all bits that are asked for, and more', async () => {
    const under = openDispatcher()
    const [both] = await keys(under, {}, { 'Cryptographic Usage Mask': Decrypt })
    assert.deepEqual(await found(under, { 'Cryptographic Usage Mask': Encrypt }), [both])
    assert.deepEqual(await found(under, { 'Cryptographic Usage Mask': Encrypt | Decrypt }), [both])
    assert.deepEqual(await found(under, { 'Cryptographic Usage Mask': Encrypt | Sign }), [])
  })

  test('Usage Limits: as much as is asked for, or more', async () => {
    const under = openDispatcher()
    const limits = (usageLimitsTotal: bigint) => ({ usageLimitsTotal, usageLimitsUnit: UsageLimitsUnit.Byte })
    const [, large] = await keys(under, { 'Usage Limits': limits(10n) }, { 'Usage Limits': limits(100n) }, {})
    assert.deepEqual(await found(under, { 'Usage Limits': { usageLimitsTotal: 50n } }), [large])
    assert.deepEqual(await found(under, { 'Usage Limits': { usageLimitsCount: 100n, usageLimitsTotal: 100n } }), [
      large,
    ])
    assert.deepEqual(await found(under, { 'Usage Limits': { usageLimitsCount: 101n } }), [])
  })

  test('custom attributes of any type; the same text as another type is something else', async () => {
    const under = openDispatcher()
    const integer = (value: number): Item => ({ tag: 0x42000b, type: ItemType.Integer, value })
    const enumeration: Item = { tag: 0x42000b, type: ItemType.Enumeration, value: 5 }
    const [a, b] = await keys(under, { 'x-id': text('5') }, { 'x-id': integer(5) })
    assert.deepEqual(await found(under, { 'x-id': text('5') }), [a])
    assert.deepEqual(await found(under, { 'x-id': integer(5) }), [b])
    assert.deepEqual(await found(under, { 'x-id': enumeration }), [])
    assert.deepEqual(await found(under, { 'x-other': text('5') }), [])
  })

  test('a filter in a Template-Attribute, in a Template, or both', async () => {
    const under = openDispatcher()
    const [, b] = await keys(under, { 'Object Group': 'g' }, { 'Object Group': 'g', 'Contact Information': 'desk' })
    await registerTemplate(under, 'at the desk', { 'Contact Information': 'desk' })
    const online = { 'Object Type': ObjectType.SymmetricKey }
    const attribute = attributes({ 'Object Group': 'g', 'Contact Information': 'desk' })
    assert.deepEqual((await locate(under, { templateAttribute: { attribute } })).uniqueIdentifier, [b])
    const templateAttribute = { name: [name('at the desk')] }
    assert.deepEqual((await locate(under, { ...by(online), templateAttribute })).uniqueIdentifier, [b])
  })

  test('states and dates are those of now, not of the last change', async () => {
    const under = openDispatcher()
    const [key] = await keys(under, { 'Activation Date': under.clock.nowSeconds() + 10 })
    assert.deepEqual(await found(under, { State: State.Active }), [])
    under.clock.advance(9000)
    assert.deepEqual(await found(under, { State: State.Active }), [key])
    assert.deepEqual(await found(under, { State: State.PreActive }), [])
  })

  test('an object that is damaged when its date has come is found as the index has it, and others as they are', async () => {
    const store = new MemoryStore([objectTable])
    const under = openDispatcher({ store })
    const due = { 'Activation Date': under.clock.nowSeconds() + 10 }
    const [damaged, whole] = await keys(under, due, due)
    const read: Store['read'] = store.read.bind(store)
    store.read = (table, key) => {
      if (key === damaged) throw new StoreDamaged('the record does not open')
      return read(table, key)
    }
    under.clock.advance(9000)
    assert.deepEqual(await found(under, { State: State.Active }), [whole])
    assert.deepEqual(await found(under, { State: State.PreActive }), [damaged])
    assert.equal(await outcome(under, 'Get', { uniqueIdentifier: damaged }), 'GeneralFailure')
  })
})

describe('Locate: groups and places', () => {
  test('fresh members of a group are those that were not served', async () => {
    const under = openDispatcher()
    const [a, b] = await keys(under, { 'Object Group': 'g' }, { 'Object Group': 'g' }, { 'Object Group': 'h' })
    assert.ok(a)
    const fresh = { objectGroupMember: ObjectGroupMember.GroupMemberFresh }
    assert.deepEqual(await found(under, { 'Object Group': 'g' }, fresh), newest(a, b))
    await succeed(under, 'Get', { uniqueIdentifier: a })
    assert.deepEqual(await found(under, { 'Object Group': 'g' }, fresh), [b])
  })

  test('the default member of a group is the first that nobody was given, else the first', async () => {
    const under = openDispatcher()
    const [a, b] = await keys(under, { 'Object Group': 'g' }, { 'Object Group': 'g' })
    const member = { objectGroupMember: ObjectGroupMember.GroupMemberDefault }
    for (const expected of [a, b, a]) {
      assert.ok(expected)
      const answer = await locate(under, { ...by({ 'Object Group': 'g' }), ...member })
      assert.deepEqual(answer, { locatedItems: 1, uniqueIdentifier: [expected] })
      await succeed(under, 'Get', { uniqueIdentifier: expected })
    }
    assert.deepEqual(await found(under, { 'Object Group': 'none' }, member), [])
  })

  test('the Storage Status Mask chooses between what is on-line and what is archived', async () => {
    const under = openDispatcher()
    const [online, archived] = await keys(under, {}, {})
    assert.ok(archived)
    await archive(under, archived)
    const { OnLineStorage, ArchivalStorage } = StorageStatusMask
    const places = async (storageStatusMask: number | undefined) =>
      (await locate(under, { storageStatusMask })).uniqueIdentifier
    assert.deepEqual(await places(undefined), [online])
    assert.deepEqual(await places(OnLineStorage), [online])
    assert.deepEqual(await places(ArchivalStorage), [archived])
    assert.deepEqual(await places(OnLineStorage | ArchivalStorage), newest(online, archived))
    assert.deepEqual(await places(0), [])
    const asAttribute: Item = { tag: 0x42000b, type: ItemType.Integer, value: ArchivalStorage }
    assert.deepEqual(await found(under, { 'Storage Status Mask': asAttribute }), [archived])
  })

  test('what is destroyed is found by who asks for it', async () => {
    const under = openDispatcher()
    const [a, b, c] = await keys(under, { Name: name('a') }, {}, {})
    assert.ok(a && b)
    await succeed(under, 'Destroy', { uniqueIdentifier: a })
    await succeed(under, 'Revoke', revocation(b, true))
    await succeed(under, 'Destroy', { uniqueIdentifier: b })
    assert.deepEqual((await locate(under)).uniqueIdentifier, [c])
    assert.deepEqual(await found(under, { Name: name('a') }), [])
    assert.deepEqual(await found(under, { State: State.Destroyed }), [a])
    assert.deepEqual(await found(under, { State: State.DestroyedCompromised }), [b])
    assert.deepEqual(await found(under, { 'Destroy Date': under.clock.nowSeconds() }), newest(a, b))
    assert.deepEqual(await found(under, { Name: name('a') }, { storageStatusMask: 7 }), [a])
  })
})

describe('Locate in a batch', () => {
  const after = async (under: DispatcherUnderTest, request: Request) =>
    outcomesOf(await send(under, alice, 104, [item('Locate', request), item('GetAttributeList', {})]))[1]

  test('a single identifier is the ID Placeholder; several, or none, leave it empty', async () => {
    const under = openDispatcher()
    await keys(under, { Name: name('a') }, {})
    assert.equal(await after(under, by({ Name: name('a') })), 'Success')
    assert.equal(await after(under, { maximumItems: 1 }), 'Success')
    assert.equal(await after(under, {}), 'ItemNotFound')
    assert.equal(await after(under, { maximumItems: 2 }), 'ItemNotFound')
    assert.equal(await after(under, by({ Name: name('b') })), 'ItemNotFound')
  })

  test('several empty what was there', async () => {
    const under = openDispatcher()
    const batch = [item('Create', createRequest()), item('Register', keyRequest()), item('Locate', {}), item('Get', {})]
    assert.deepEqual(outcomesOf(await send(under, alice, 104, batch)), [
      'Success',
      'Success',
      'Success',
      'ItemNotFound',
    ])
  })

  test('finds what the items before it made and changed, and not what they destroyed', async () => {
    const under = openDispatcher()
    const [old] = await keys(under, { 'Object Group': 'g' })
    assert.ok(old)
    const group = (attributeValue: string) => ({ attributeName: 'Object Group', attributeValue })
    const answer = await send(under, alice, 104, [
      item('Create', createRequest({ 'Object Group': 'g' })),
      item('Locate', by({ 'Object Group': 'g' })),
      item('ModifyAttribute', { uniqueIdentifier: old, attribute: group('h') }),
      item('Locate', by({ 'Object Group': 'g' })),
      item('Locate', by({ 'Object Group': 'h' })),
      item('Destroy', { uniqueIdentifier: old }),
      item('Locate', {}),
    ])
    const { uniqueIdentifier: made } = payloadOf(answer, 0, 'Create')
    const located = [1, 3, 4, 6].map((at) => payloadOf(answer, at, 'Locate').uniqueIdentifier)
    assert.deepEqual(located, [[made, old], [made], [old], [made]])
  })
})
