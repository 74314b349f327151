/** The interpreter of the attribute rows: every rule for clients, indices, bounds, and every row of the table (KMIP 1.4 §3). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { attributeRows } from '#kmip/attributes'
import { ObjectType, ResultReason, State, UsageLimitsUnit } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { newestVersion } from '#kmip/versions'
import {
  type AttributeLimits,
  addAttribute,
  attributesFromRequest,
  deleteAttribute,
  modifyAttribute,
} from '#objects/attributes'
import { importedAttributes } from '#objects/imported-attributes'
import { instancesOf, type ManagedObject, valueOf } from '#objects/managed-object'

const limits: AttributeLimits = { instancesMax: 3, attributesPerObjectMax: 8, attributeBytesMax: 512 }
const now = 1000

const objectWith = (
  values: Readonly<Record<string, readonly unknown[]>>,
  objectType: number = ObjectType.SymmetricKey,
): ManagedObject => ({
  uniqueIdentifier: 'a',
  objectType,
  owner: 'local|a',
  attributes: Object.fromEntries(
    Object.entries(values).map(([name, all]) => [name, all.map((value, index) => ({ index, value }))]),
  ),
  value: undefined,
})

const given = (attributeName: string, attributeValue: unknown, attributeIndex?: number) => ({
  attributeName,
  attributeIndex,
  attributeValue,
})

const add = (object: ManagedObject, name: string, value: unknown, index?: number, version = newestVersion) =>
  addAttribute(object, given(name, value, index), version, now, limits)
const modify = (object: ManagedObject, name: string, value: unknown, index?: number, version = newestVersion) =>
  modifyAttribute(object, given(name, value, index), version, now, limits)
const remove = (object: ManagedObject, name: string, index?: number, version = newestVersion) =>
  deleteAttribute(object, name, index, version, now)

/** `Success`, or the name of the reason. */
const outcome = (run: () => unknown): string => {
  try {
    run()
    return 'Success'
  } catch (error) {
    assert.ok(error instanceof KmipError, String(error))
    return Object.entries(ResultReason).find(([, value]) => value === error.reason)?.[0] ?? ''
  }
}

describe('every row of the table', () => {
  const states = Object.values(State)
  const text = { tag: 1, type: 7, value: 'a' }

  for (const row of attributeRows.values()) {
    const name = row.name === 'Custom Attribute' ? 'x-custom' : row.name
    const inState = (state: number) => objectWith({ State: [state], ...(name === 'State' ? {} : { [name]: [text] }) })

    test(`${name}: what a client may not do is refused in every state`, () => {
      for (const state of states) {
        const object = inState(state)
        if (!row.setByClient)
          assert.equal(
            outcome(() => add(object, name, text)),
            'PermissionDenied',
          )
        if (row.modifiableByClient === 'no')
          assert.equal(
            outcome(() => modify(object, name, text)),
            'PermissionDenied',
          )
        if (row.deletableByClient === 'no')
          assert.equal(
            outcome(() => remove(object, name)),
            'PermissionDenied',
          )
      }
    })

    test(`${name}: required means never deleted`, () => {
      if (row.alwaysHasValue) assert.equal(row.deletableByClient, 'no')
    })

    test(`${name}: not before its version`, () => {
      const before = row.since - 1
      const object = inState(State.PreActive)
      assert.equal(
        outcome(() => add(objectWith({}), name, text, undefined, before)),
        'PermissionDenied',
      )
      assert.equal(
        outcome(() => modify(object, name, text, undefined, before)),
        'InvalidField',
      )
      assert.equal(
        outcome(() => remove(object, name, undefined, before)),
        'ItemNotFound',
      )
      const creating = () => attributesFromRequest(ObjectType.SymmetricKey, [[given(name, text)]], before, limits)
      assert.equal(outcome(creating), 'InvalidField')
    })

    test(`${name}: not of another Object Type`, () => {
      const other = Object.values(ObjectType).find((type) => !row.objectTypes.has(type))
      if (other === undefined) return
      assert.equal(
        outcome(() => add(objectWith({}, other), name, text)),
        'PermissionDenied',
      )
      const creating = () => attributesFromRequest(other, [[given(name, text)]], newestVersion, limits)
      assert.equal(outcome(creating), 'InvalidField')
    })
  }
})

describe('rules that depend on the object', () => {
  const { PreActive, Active, Deactivated, Compromised, Destroyed } = State
  const modifiable = (name: string, value: unknown, state: number) =>
    outcome(() => modify(objectWith({ State: [state], [name]: [value] }), name, value))

  test('preActive: the Activation Date', () => {
    assert.equal(modifiable('Activation Date', 5, PreActive), 'Success')
    for (const state of [Active, Deactivated, Compromised, Destroyed]) {
      assert.equal(modifiable('Activation Date', 5, state), 'PermissionDenied')
    }
  })

  test('preActiveOrActive: the Deactivation Date', () => {
    for (const state of [PreActive, Active]) assert.equal(modifiable('Deactivation Date', 5, state), 'Success')
    for (const state of [Deactivated, Compromised, Destroyed]) {
      assert.equal(modifiable('Deactivation Date', 5, state), 'PermissionDenied')
    }
  })

  test('notReached: Process Start Date and Protect Stop Date', () => {
    for (const name of ['Process Start Date', 'Protect Stop Date']) {
      for (const state of [PreActive, Active]) {
        assert.equal(modifiable(name, now + 1, state), 'Success')
        assert.equal(modifiable(name, now, state), 'PermissionDenied')
        assert.equal(modifiable(name, now - 1, state), 'PermissionDenied')
      }
      assert.equal(modifiable(name, now + 1, Deactivated), 'PermissionDenied')
    }
  })

  test('a date that is not there is added in the states in which it could be changed', () => {
    const addable = (name: string, state: number) => outcome(() => add(objectWith({ State: [state] }), name, now + 1))
    assert.equal(addable('Process Start Date', Active), 'Success')
    assert.equal(addable('Process Start Date', Deactivated), 'PermissionDenied')
    assert.equal(addable('Activation Date', PreActive), 'Success')
    assert.equal(addable('Activation Date', Compromised), 'PermissionDenied')
    assert.equal(addable('Deactivation Date', Destroyed), 'PermissionDenied')
  })

  test('Templates have no state: their dates can be changed', () => {
    const template = objectWith({ 'Activation Date': [5], 'Process Start Date': [now + 5] }, ObjectType.Template)
    assert.equal(
      outcome(() => modify(template, 'Activation Date', 6)),
      'Success',
    )
    assert.equal(
      outcome(() => modify(template, 'Process Start Date', now + 6)),
      'Success',
    )
  })

  test('notAllocated: Usage Limits until some were used', () => {
    const limited = (count: bigint) =>
      objectWith({
        'Usage Limits': [{ usageLimitsTotal: 5n, usageLimitsCount: count, usageLimitsUnit: UsageLimitsUnit.Byte }],
      })
    const more = { usageLimitsTotal: 9n }
    assert.equal(
      outcome(() => modify(limited(5n), 'Usage Limits', more)),
      'Success',
    )
    assert.equal(
      outcome(() => remove(limited(5n), 'Usage Limits')),
      'Success',
    )
    assert.equal(
      outcome(() => modify(limited(4n), 'Usage Limits', more)),
      'PermissionDenied',
    )
    assert.equal(
      outcome(() => remove(limited(4n), 'Usage Limits')),
      'PermissionDenied',
    )
  })

  test('clientCreated: custom attributes x-, not y-', () => {
    const object = objectWith({ 'x-a': ['a'], 'y-a': ['a'] })
    assert.equal(
      outcome(() => modify(object, 'x-a', { tag: 1, type: 7, value: 'b' })),
      'Success',
    )
    assert.equal(
      outcome(() => remove(object, 'x-a')),
      'Success',
    )
    assert.equal(
      outcome(() => modify(object, 'y-a', { tag: 1, type: 7, value: 'b' })),
      'PermissionDenied',
    )
    assert.equal(
      outcome(() => remove(object, 'y-a')),
      'PermissionDenied',
    )
    assert.equal(
      outcome(() => add(object, 'y-b', { tag: 1, type: 7, value: 'b' })),
      'PermissionDenied',
    )
  })
})

describe('indices', () => {
  test('a new instance stands behind the highest, whatever went before it', () => {
    let object = add(objectWith({}), 'Object Group', 'a').object
    object = add(object, 'Object Group', 'b').object
    object = remove(object, 'Object Group').object
    const { instance } = add(object, 'Object Group', 'c')
    assert.deepEqual(instance, { index: 2, value: 'c' })
  })

  test('a change keeps the index and the others', () => {
    const object = objectWith({ 'Object Group': ['a', 'b', 'c'] })
    const changed = modify(object, 'Object Group', 'B', 1)
    assert.deepEqual(changed.instance, { index: 1, value: 'B' })
    assert.deepEqual(
      instancesOf(changed.object, 'Object Group').map(({ index, value }) => [index, value]),
      [
        [0, 'a'],
        [1, 'B'],
        [2, 'c'],
      ],
    )
    assert.deepEqual(valueOf(object, 'Object Group'), 'a', 'the object that was given is as it was')
  })

  test('the last instance takes the attribute with it', () => {
    const { object, instance } = remove(objectWith({ Comment: ['a'] }), 'Comment')
    assert.deepEqual(instance, { index: 0, value: 'a' })
    assert.deepEqual(object.attributes, {})
  })

  test('no index, or 0, of what has one instance', () => {
    const object = objectWith({ Comment: ['a'] })
    for (const index of [undefined, 0])
      assert.equal(
        outcome(() => modify(object, 'Comment', 'b', index)),
        'Success',
      )
    for (const index of [1, -1]) {
      assert.equal(
        outcome(() => modify(object, 'Comment', 'b', index)),
        'ItemNotFound',
      )
      assert.equal(
        outcome(() => remove(object, 'Comment', index)),
        'ItemNotFound',
      )
    }
  })
})

describe('bounds', () => {
  test('instances of one attribute', () => {
    const full = objectWith({ 'Object Group': ['a', 'b', 'c'] })
    assert.equal(
      outcome(() => add(full, 'Object Group', 'd')),
      'IndexOutOfBounds',
    )
    const creating = (count: number) => () =>
      attributesFromRequest(
        ObjectType.SymmetricKey,
        [Array.from({ length: count }, (_, index) => given('Object Group', `${index}`))],
        newestVersion,
        limits,
      )
    assert.equal(outcome(creating(3)), 'Success')
    assert.equal(outcome(creating(4)), 'IndexOutOfBounds')
  })

  test('instances of all attributes together', () => {
    const many = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`x-${index}`, ['a']]))
    assert.equal(
      outcome(() => add(objectWith(many), 'Comment', 'a')),
      'IndexOutOfBounds',
    )
    const { 'x-0': _, ...fewer } = many
    assert.equal(
      outcome(() => add(objectWith(fewer), 'Comment', 'a')),
      'Success',
    )
    const source = Array.from({ length: 9 }, (__, index) => given(`x-${index}`, { tag: 1, type: 7, value: 'a' }))
    const creating = () => attributesFromRequest(ObjectType.SymmetricKey, [source], newestVersion, limits)
    assert.equal(outcome(creating), 'IndexOutOfBounds')
  })

  test('bytes of all attributes together', () => {
    const long = 'x'.repeat(200)
    const type = { tag: 1, type: 7 } as const
    const held = objectWith({ 'x-a': [{ ...type, value: long }], 'x-b': [{ ...type, value: 'short' }] })
    assert.equal(
      outcome(() => add(held, 'x-c', { ...type, value: long })),
      'Success',
    )
    assert.equal(
      outcome(() => add(held, 'x-c', { ...type, value: long + long })),
      'InvalidField',
    )
    assert.equal(
      outcome(() => modify(held, 'x-b', { ...type, value: long + long })),
      'InvalidField',
    )
    const creating = (count: number) => () =>
      attributesFromRequest(
        ObjectType.SymmetricKey,
        [Array.from({ length: count }, (_, index) => given(`x-${index}`, { ...type, value: long }))],
        newestVersion,
        limits,
      )
    assert.equal(outcome(creating(2)), 'Success')
    assert.equal(outcome(creating(3)), 'InvalidField')
    const importing = () =>
      importedAttributes(
        { uniqueIdentifier: 'a', objectType: ObjectType.SymmetricKey },
        [1, 2, 3].map((index) => given(`x-${index}`, { ...type, value: long })),
        newestVersion,
        limits,
      )
    assert.equal(outcome(importing), 'InvalidField')
  })
})

describe('attributesFromRequest', () => {
  const from = (...sources: (readonly ReturnType<typeof given>[])[]) =>
    attributesFromRequest(ObjectType.SymmetricKey, sources, newestVersion, limits)

  test('a later source stands above an earlier one for single instances', () => {
    const set = from([given('Comment', 'a'), given('Description', 'a')], [given('Comment', 'b')])
    assert.deepEqual(set['Comment'], [{ index: 0, value: 'b' }])
    assert.deepEqual(set['Description'], [{ index: 0, value: 'a' }])
  })

  test('several instances are united, the same value once, indices from 0', () => {
    const set = from([given('Object Group', 'a', 5)], [given('Object Group', 'b'), given('Object Group', 'a')])
    assert.deepEqual(set['Object Group'], [
      { index: 0, value: 'a' },
      { index: 1, value: 'b' },
    ])
  })

  test('a single instance stands once in a source, at index 0', () => {
    assert.equal(
      outcome(() => from([given('Comment', 'a'), given('Comment', 'a')])),
      'InvalidField',
    )
    assert.equal(
      outcome(() => from([given('Comment', 'a', 1)])),
      'InvalidField',
    )
    assert.equal(
      outcome(() => from([given('Comment', 'a', 0)])),
      'Success',
    )
  })

  test('what the server sets is refused, but for what creating requests carry', () => {
    assert.equal(
      outcome(() => from([given('State', State.Active)])),
      'InvalidField',
    )
    assert.equal(
      outcome(() => from([given('y-a', 'a')])),
      'InvalidField',
    )
    assert.equal(
      outcome(() => from([given('Cryptographic Algorithm', 3), given('Cryptographic Length', 128)])),
      'Success',
    )
  })

  test('a name that is long is not given back whole', () => {
    const name = 'a'.repeat(5000)
    try {
      from([given(name, 'a')])
    } catch (error) {
      assert.ok(error instanceof KmipError && error.message.length < 200)
      return
    }
    assert.fail('the name is refused')
  })

  test('names of the language mean nothing', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      assert.equal(
        outcome(() => from([given(name, 'a')])),
        'InvalidField',
      )
      assert.equal(
        outcome(() => modify(objectWith({}), name, 'a')),
        'InvalidField',
      )
      assert.deepEqual(instancesOf(objectWith({}), name), [])
    }
  })
})
