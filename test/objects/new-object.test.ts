/** What the server sets on a new object of each type, and what it keeps in step afterwards (KMIP 1.4 §3). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { attributeRow, attributeRows } from '#kmip/attributes'
import { HashingAlgorithm, ObjectType, ResultReason, RNGAlgorithm, State } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { valueOf, withValue } from '#objects/managed-object'
import { afterChange, type NewObject, newObject, serverRng } from '#objects/new-object'
import { keptObjectTypes } from '#operations/creation'

const now = 1000
const digest = { hashingAlgorithm: HashingAlgorithm.SHA_256, digestValue: new Uint8Array(32) }

const make = (given: Partial<NewObject> = {}) =>
  newObject({
    rng: serverRng,
    uniqueIdentifier: 'a',
    objectType: ObjectType.SymmetricKey,
    owner: 'local|a',
    attributes: {},
    derived: {},
    value: undefined,
    digest,
    generated: true,
    now,
    leaseTimeSeconds: 60,
    ...given,
  })

const withAttributes = (values: Readonly<Record<string, unknown>>) => ({
  attributes: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [{ index: 0, value }]])),
})

const ofKeys = ['Digest', 'Fresh', 'Lease Time', 'State']
const ofAll = ['Always Sensitive', 'Extractable', 'Initial Date', 'Last Change Date', 'Never Extractable', 'Sensitive']
const ofGenerated = ['Original Creation Date', 'Random Number Generator']
const sorted = (...names: readonly (readonly string[])[]) => names.flat().toSorted()

describe('a new object', () => {
  test('has what the server sets, by its type, made here or elsewhere', () => {
    for (const objectType of keptObjectTypes) {
      const isTemplate = objectType === ObjectType.Template
      const registered = make({ objectType, generated: false, digest: isTemplate ? undefined : digest })
      const expected = isTemplate ? ofAll : sorted(ofAll, ofKeys)
      assert.deepEqual(Object.keys(registered.attributes).toSorted(), expected, `type ${objectType}`)
      if (isTemplate) continue
      const generated = make({ objectType })
      assert.deepEqual(Object.keys(generated.attributes).toSorted(), sorted(ofAll, ofKeys, ofGenerated))
    }
  })

  test('has nothing that its row does not give to its type', () => {
    const derived = Object.fromEntries([...attributeRows.keys()].map((name) => [name, 1]))
    for (const objectType of keptObjectTypes) {
      for (const name of Object.keys(make({ objectType, derived, generated: false }).attributes)) {
        assert.ok(attributeRow(name)?.objectTypes.has(objectType), `${name} of ${objectType}`)
      }
    }
  })

  test('has the dates of now and the values that the specification names', () => {
    const object = make()
    for (const name of ['Initial Date', 'Last Change Date', 'Original Creation Date'])
      assert.equal(valueOf(object, name), now)
    assert.equal(valueOf(object, 'Fresh'), true)
    assert.equal(valueOf(object, 'State'), State.PreActive)
    assert.equal(valueOf(object, 'Lease Time'), 60)
    assert.deepEqual(valueOf(object, 'Random Number Generator'), serverRng)
  })

  test('has no digest where the material is not at hand', () => {
    assert.equal(valueOf(make({ digest: undefined }), 'Digest'), undefined)
  })

  test('takes from the request what the server does not know better', () => {
    const given = withAttributes({ 'Original Creation Date': 5, Fresh: false, 'Cryptographic Length': 1 })
    const registered = make({ ...given, derived: { 'Cryptographic Length': 128 }, generated: false })
    assert.equal(valueOf(registered, 'Original Creation Date'), 5)
    assert.equal(valueOf(registered, 'Cryptographic Length'), 128)
    assert.equal(valueOf(registered, 'Fresh'), true)
    assert.equal(valueOf(make(given), 'Original Creation Date'), now)
  })

  test('Sensitive and Extractable are as asked, and what was always so follows', () => {
    const told = (values: Readonly<Record<string, unknown>>) => {
      const object = make(withAttributes(values))
      return ['Sensitive', 'Always Sensitive', 'Extractable', 'Never Extractable'].map((name) => valueOf(object, name))
    }
    assert.deepEqual(told({}), [false, false, true, false])
    assert.deepEqual(told({ Sensitive: true, Extractable: false }), [true, true, false, true])
    assert.deepEqual(told({ Sensitive: false, Extractable: true }), [false, false, true, false])
  })

  test('is in the state that its dates give', () => {
    const state = (activation: number, deactivation?: number) =>
      valueOf(
        make(
          withAttributes({
            'Activation Date': activation,
            ...(deactivation === undefined ? {} : { 'Deactivation Date': deactivation }),
          }),
        ),
        'State',
      )
    assert.equal(state(now + 1), State.PreActive)
    assert.equal(state(now), State.Active)
    assert.equal(state(0, now), State.Deactivated)
    assert.equal(state(0, now + 1), State.Active)
  })

  const refused = (run: () => unknown) =>
    assert.throws(run, (error) => error instanceof KmipError && error.reason === ResultReason.InvalidField)

  test('with dates that contradict one another is none', () => {
    refused(() => make(withAttributes({ 'Activation Date': 10, 'Deactivation Date': 9 })))
  })

  test('made here takes the generator of here alone (§3.44)', () => {
    const rng = (value: unknown) => withAttributes({ 'Random Number Generator': value })
    refused(() => make(rng({ ...serverRng, cryptographicLength: 128 })))
    refused(() => make(rng({ rngAlgorithm: RNGAlgorithm.NRBG })))
    for (const asked of [
      serverRng,
      { rngAlgorithm: serverRng.rngAlgorithm },
      { rngAlgorithm: RNGAlgorithm.Unspecified },
    ]) {
      assert.deepEqual(valueOf(make(rng(asked)), 'Random Number Generator'), serverRng)
    }
    const elsewhere = { rngAlgorithm: RNGAlgorithm.NRBG }
    assert.deepEqual(valueOf(make({ ...rng(elsewhere), generated: false }), 'Random Number Generator'), elsewhere)
  })
})

describe('after a change', () => {
  test('dates move the state', () => {
    const before = make()
    const after = afterChange(withValue(before, 'Activation Date', now), before, now)
    assert.equal(valueOf(after, 'State'), State.Active)
  })

  test('what was once not sensitive, or once extractable, was not always', () => {
    const before = make(withAttributes({ Sensitive: true, Extractable: false }))
    const open = afterChange(withValue(withValue(before, 'Sensitive', false), 'Extractable', true), before, now)
    assert.equal(valueOf(open, 'Always Sensitive'), false)
    assert.equal(valueOf(open, 'Never Extractable'), false)
    const closed = afterChange(withValue(withValue(open, 'Sensitive', true), 'Extractable', false), open, now)
    assert.equal(valueOf(closed, 'Always Sensitive'), false)
    assert.equal(valueOf(closed, 'Never Extractable'), false)
    assert.equal(valueOf(afterChange(before, before, now), 'Always Sensitive'), true)
  })

  test('a contradiction that the change brings is refused, one that was there is not', () => {
    const before = make(withAttributes({ 'Activation Date': 10, 'Protect Stop Date': now + 10 }))
    const broken = withValue(before, 'Deactivation Date', now)
    assert.throws(() => afterChange(broken, before, now), KmipError)
    assert.equal(valueOf(afterChange(withValue(broken, 'Comment', 'a'), broken, now), 'Comment'), 'a')
  })
})
