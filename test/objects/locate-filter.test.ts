/** Locate's rules: what indexes answer and what is tested object by object agree with the whole rule (KMIP 1.4 §4.9). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { ObjectType, State } from '#kmip/enums'
import {
  asksForDestroyed,
  claimsOf,
  dueField,
  type Entry,
  entriesOf,
  type FilterTerm,
  filtersOf,
  matches,
  planOf,
  storageStatus,
} from '#objects/locate-filter'
import type { ManagedObject } from '#objects/managed-object'
import { arbitraryFilters, arbitraryObject } from '#test/objects/arbitrary'

const objectWith = (values: Readonly<Record<string, readonly unknown[]>>): ManagedObject => ({
  uniqueIdentifier: 'a',
  objectType: ObjectType.SymmetricKey,
  owner: 'local|a',
  attributes: Object.fromEntries(
    Object.entries(values).map(([name, all]) => [name, all.map((value, index) => ({ index, value }))]),
  ),
  value: undefined,
})

/** What an index answers: the plain meaning of a term. */
const hasTerm = (entries: readonly Entry[], term: FilterTerm): boolean =>
  entries.some(({ field, value }) => {
    if (field !== term.field) return false
    if ('equals' in term) return value === term.equals
    return typeof value === 'number' && value >= (term.from ?? -Infinity) && value <= (term.to ?? Infinity)
  })

describe('planOf', () => {
  test('terms of the indexes and the rest together say what the whole rule says', () => {
    let matched = 0
    fc.assert(
      fc.property(arbitraryObject, arbitraryFilters, (object, filters) => {
        const { terms, rest } = planOf(filters)
        const entries = entriesOf(object)
        const planned = terms.every((term) => hasTerm(entries, term)) && matches(object, rest)
        const expected = matches(object, filters)
        if (expected && filters.length > 0) matched += 1
        return planned === expected
      }),
      { numRuns: 3000 },
    )
    assert.ok(matched > 100, `only ${matched} filters matched: the test says little`)
  })

  test('a filter of what the object has matches it', () => {
    fc.assert(
      fc.property(arbitraryObject, (object) => {
        const filters = Object.entries(object.attributes).map(([name, instances]) => ({
          name,
          values: instances.map(({ value }) => value),
        }))
        return matches(object, filters)
      }),
    )
  })

  test('a Name is looked up by its claim, and where there may be none, by its value', () => {
    const filter = { name: 'Name', values: [{ nameValue: 'a', nameType: 1 }] }
    const claimed = planOf([filter], 'local|someone')
    assert.deepEqual([claimed.terms.length, claimed.rest], [1, []])
    assert.deepEqual(
      claimed.terms.map((term) => 'equals' in term && term.claimed),
      [true],
    )
    assert.deepEqual(planOf([filter]), { terms: [{ field: 'Name.nameValue', equals: '"a"' }], rest: [filter] })
  })

  test('what can be answered by an index alone is', () => {
    const alone = [
      { name: 'Name', values: [{ nameValue: 'a' }] },
      { name: 'Object Group', values: ['a', 'b'] },
      { name: 'x-custom', values: [{ tag: 1, type: 7, value: 'a' }] },
      { name: 'Initial Date', values: [5] },
      { name: 'Initial Date', values: [5, 9] },
      { name: 'State', values: [State.Active] },
      { name: 'Object Type', values: [ObjectType.SymmetricKey] },
    ]
    for (const filter of alone) assert.deepEqual(planOf([filter]).rest, [], JSON.stringify(filter))
  })
})

describe('entriesOf', () => {
  test('gives the same entries for the same object', () => {
    fc.assert(fc.property(arbitraryObject, (object) => assert.deepEqual(entriesOf(object), entriesOf(object))))
  })

  test('says when the object changes its state by itself', () => {
    const due = (state: number) =>
      entriesOf(objectWith({ State: [state], 'Activation Date': [5], 'Deactivation Date': [9] }))
        .filter(({ field }) => field === dueField)
        .map(({ value }) => value)
    assert.deepEqual(due(State.PreActive), [5])
    assert.deepEqual(due(State.Active), [9])
    for (const state of [State.Deactivated, State.Compromised, State.Destroyed]) assert.deepEqual(due(state), [])
  })
})

describe('claimsOf', () => {
  const named = {
    Name: [
      { nameValue: 'a', nameType: 1 },
      { nameValue: 'b', nameType: 1 },
    ],
  }

  test('claims each Name, until the object is destroyed', () => {
    assert.equal(claimsOf(objectWith({ ...named, State: [State.Active] })).length, 2)
    assert.deepEqual(claimsOf(objectWith({ ...named, State: [State.Destroyed] })), [])
    assert.deepEqual(claimsOf(objectWith({ ...named, State: [State.DestroyedCompromised] })), [])
  })

  test('one value of two types is two Names', () => {
    const [uninterpreted] = claimsOf(objectWith({ Name: [{ nameValue: 'a', nameType: 1 }] }))
    const [uri] = claimsOf(objectWith({ Name: [{ nameValue: 'a', nameType: 2 }] }))
    assert.notEqual(uninterpreted?.value, uri?.value)
  })
})

describe('where an object is', () => {
  test('on-line, archived, destroyed', () => {
    assert.equal(storageStatus(objectWith({ State: [State.Active] })), 'online')
    assert.equal(storageStatus(objectWith({})), 'online')
    assert.equal(storageStatus(objectWith({ State: [State.Active], 'Archive Date': [1] })), 'archived')
    assert.equal(storageStatus(objectWith({ State: [State.Destroyed], 'Archive Date': [1] })), 'destroyed')
  })

  test('who names a state or date of destruction looks there too', () => {
    assert.ok(asksForDestroyed([{ name: 'State', values: [State.Destroyed] }]))
    assert.ok(asksForDestroyed([{ name: 'Destroy Date', values: [1] }]))
    assert.ok(!asksForDestroyed([{ name: 'State', values: [State.Active] }]))
    assert.ok(!asksForDestroyed([]))
  })
})

describe('dates', () => {
  const largest = Number.MAX_SAFE_INTEGER
  const dated = objectWith({ 'Activation Date': [5] })
  const undated = objectWith({})
  const asked = (object: ManagedObject, ...values: number[]) => matches(object, [{ name: 'Activation Date', values }])

  test('the largest date is no date at all', () => {
    assert.ok(asked(undated, largest))
    assert.ok(!asked(dated, largest))
    assert.ok(asked(dated, 5, largest))
    assert.ok(!asked(dated, 6, largest))
  })

  test('both ends are within', () => {
    for (const [values, expected] of [
      [[5], true],
      [[4], false],
      [[5, 9], true],
      [[1, 5], true],
      [[6, 9], false],
      [[1, 4], false],
    ] as const) {
      assert.equal(asked(dated, ...values), expected, values.join())
      assert.ok(!asked(undated, ...values))
    }
  })
})

test('filtersOf gathers the values of one name in the order given', () => {
  const given = (attributeName: string, attributeValue: unknown) => ({ attributeName, attributeValue })
  assert.deepEqual(filtersOf([given('b', 1), given('a', 2), given('b', 3)]), [
    { name: 'b', values: [1, 3] },
    { name: 'a', values: [2] },
  ])
})
