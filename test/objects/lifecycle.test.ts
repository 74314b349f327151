/** The life-cycle: every state against every event and every date at its edge (KMIP 1.4 §3.22, Figure 1; §11.20 to §11.22). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ObjectType, ResultReason, State } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import {
  contradictionOfDates,
  isDestroyed,
  type LifecycleEvent,
  nextState,
  nextTransition,
  settle,
  stateOf,
  transitions,
} from '#objects/lifecycle'
import { type ManagedObject, valueOf, withValue } from '#objects/managed-object'

const { PreActive, Active, Deactivated, Compromised, Destroyed, DestroyedCompromised } = State
const { PermissionDenied, IllegalOperation } = ResultReason

const objectWith = (values: Readonly<Record<string, number | undefined>>): ManagedObject => ({
  uniqueIdentifier: 'a',
  objectType: ObjectType.SymmetricKey,
  owner: 'local|a',
  attributes: Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, [{ index: 0, value }]]])),
  ),
  value: undefined,
})

/** The transitions of §3.22 by their numbers, as the specification describes them; 1 is the creation. */
const permitted: readonly (readonly [number: number, from: number, event: LifecycleEvent, to: number])[] = [
  [2, PreActive, 'destroy', Destroyed],
  [3, PreActive, 'compromise', Compromised],
  [4, PreActive, 'activate', Active],
  [5, Active, 'compromise', Compromised],
  [6, Active, 'deactivate', Deactivated],
  [7, Deactivated, 'destroy', Destroyed],
  [8, Deactivated, 'compromise', Compromised],
  [9, Compromised, 'destroy', DestroyedCompromised],
  [10, Destroyed, 'compromise', DestroyedCompromised],
]

/** Reasons for what is not permitted: §11.20 "not in Pre-Active state", §11.22 "not in Pre-Active, ...", §11.21 names none. */
const refusal: Readonly<Record<LifecycleEvent, number>> = {
  activate: PermissionDenied,
  destroy: PermissionDenied,
  deactivate: IllegalOperation,
  compromise: IllegalOperation,
}

const events = Object.keys(refusal) as readonly LifecycleEvent[]

describe('the states', () => {
  for (const [stateName, state] of Object.entries(State)) {
    for (const event of events) {
      const row = permitted.find(([, from, each]) => from === state && each === event)
      test(`${stateName}, ${event}: ${row === undefined ? 'refused' : `transition ${row[0]}`}`, () => {
        const object = objectWith({ State: state })
        if (row !== undefined) {
          assert.equal(nextState(object, event), row[3])
          return
        }
        assert.throws(
          () => nextState(object, event),
          (error) => error instanceof KmipError && error.reason === refusal[event],
        )
      })
    }
  }

  test('the table has a row for every state and nothing else', () => {
    assert.deepEqual(
      Object.keys(transitions).map(Number),
      Object.values(State).toSorted((left, right) => left - right),
    )
  })

  test('what has no state, a Template, goes nowhere: it is an Illegal Operation', () => {
    for (const event of events) {
      assert.throws(
        () => nextState(objectWith({}), event),
        (error) => error instanceof KmipError && error.reason === IllegalOperation,
      )
    }
  })

  test('destroyed are the two states that are called so', () => {
    const destroyed = Object.values(State).filter((state) => isDestroyed(objectWith({ State: state })))
    assert.deepEqual(destroyed, [Destroyed, DestroyedCompromised])
    assert.ok(!isDestroyed(objectWith({})))
  })
})

describe('dates that are reached', () => {
  const dated = (state: number, activation?: number, deactivation?: number) =>
    objectWith({ State: state, 'Activation Date': activation, 'Deactivation Date': deactivation })

  const rows = [
    ['a second before activation', dated(PreActive, 100), 99, PreActive],
    ['at activation', dated(PreActive, 100), 100, Active],
    ['after activation', dated(PreActive, 100), 101, Active],
    ['a second before deactivation', dated(Active, 50, 100), 99, Active],
    ['at deactivation', dated(Active, 50, 100), 100, Deactivated],
    ['both dates in one go', dated(PreActive, 50, 100), 100, Deactivated],
    ['both dates on one second', dated(PreActive, 100, 100), 100, Deactivated],
    ['between the two dates', dated(PreActive, 50, 100), 70, Active],
    ['deactivation alone does not end what never began', dated(PreActive, undefined, 100), 200, PreActive],
    ['no dates', dated(Active), Number.MAX_SAFE_INTEGER, Active],
    ['compromised stays', dated(Compromised, 50, 100), 200, Compromised],
    ['destroyed stays', dated(Destroyed, 50, 100), 200, Destroyed],
  ] as const
  for (const [given, object, now, expected] of rows) {
    test(given, () => {
      const settled = settle(object, now)
      assert.equal(stateOf(settled), expected)
      assert.equal(settle(settled, now), settled, 'settled once is settled')
      if (expected === stateOf(object)) assert.equal(settled, object, 'the same object when nothing changed')
    })
  }

  test('a date that is reached is that of the last change (§3.38), unless there was a later one', () => {
    const changed = (lastChange: number, now: number) =>
      valueOf(settle(withValue(dated(PreActive, 50, 100), 'Last Change Date', lastChange), now), 'Last Change Date')
    assert.equal(changed(10, 49), 10)
    assert.equal(changed(10, 70), 50)
    assert.equal(changed(10, 170), 100)
    assert.equal(changed(60, 70), 60)
  })

  test('the next transition: of Pre-Active the Activation Date, of Active the Deactivation Date', () => {
    assert.equal(nextTransition(dated(PreActive, 50, 100)), 50)
    assert.equal(nextTransition(dated(PreActive, undefined, 100)), undefined)
    assert.equal(nextTransition(dated(Active, 50, 100)), 100)
    assert.equal(nextTransition(dated(Active, 50)), undefined)
    for (const state of [Deactivated, Compromised, Destroyed, DestroyedCompromised]) {
      assert.equal(nextTransition(dated(state, 50, 100)), undefined)
    }
    assert.equal(nextTransition(objectWith({ 'Activation Date': 5 })), undefined)
  })
})

describe('dates against one another (§3.25, §3.26)', () => {
  const dates = (activation?: number, start?: number, stop?: number, deactivation?: number) =>
    contradictionOfDates(
      objectWith({
        'Activation Date': activation,
        'Process Start Date': start,
        'Protect Stop Date': stop,
        'Deactivation Date': deactivation,
      }),
    )

  test('equal dates are in order, and so are absent ones', () => {
    assert.equal(dates(1, 1, 1, 1), undefined)
    assert.equal(dates(1, 2, 3, 4), undefined)
    // Nothing says that protection stops before processing starts, or the other way round.
    assert.equal(dates(1, 3, 2, 4), undefined)
    assert.equal(dates(), undefined)
    assert.equal(dates(undefined, 5, 2), undefined)
  })

  test('each contradiction is named', () => {
    assert.match(dates(2, undefined, undefined, 1) ?? '', /Deactivation Date precedes/)
    assert.match(dates(2, 1) ?? '', /Process Start Date precedes/)
    assert.match(dates(undefined, 2, undefined, 1) ?? '', /Process Start Date follows/)
    assert.match(dates(2, undefined, 1) ?? '', /Protect Stop Date precedes/)
    assert.match(dates(undefined, undefined, 2, 1) ?? '', /Protect Stop Date follows/)
  })
})
