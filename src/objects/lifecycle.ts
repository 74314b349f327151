/**
 * States of a cryptographic object and what moves it between them (KMIP 1.4 §3.22, Figure 1). What it is: a table and
 * functions of values. What it is not: an operation or a clock; `now` is seconds since 1970, given by the caller.
 */
import { ResultReason, State } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { type ManagedObject, valueOf, withValue } from './managed-object.ts'

/** What can happen to an object: Activate, Revoke without and with compromise, Destroy. */
export type LifecycleEvent = 'activate' | 'deactivate' | 'compromise' | 'destroy'

type Cell = { readonly to: number } | { readonly reason: number }
const to = (state: number): Cell => ({ to: state })
const denied: Cell = { reason: ResultReason.PermissionDenied }
const illegal: Cell = { reason: ResultReason.IllegalOperation }

/**
 * [state][event] -> next state, or the reason why not. "Only the transitions described above are permitted" (§3.22);
 * reasons of Activate and Destroy are those of §11.20 and §11.22, for Revoke the specification names none.
 */
export const transitions: Readonly<Record<number, Readonly<Record<LifecycleEvent, Cell>>>> = {
  [State.PreActive]: {
    activate: to(State.Active),
    deactivate: illegal,
    compromise: to(State.Compromised),
    destroy: to(State.Destroyed),
  },
  [State.Active]: {
    activate: denied,
    deactivate: to(State.Deactivated),
    compromise: to(State.Compromised),
    destroy: denied,
  },
  [State.Deactivated]: {
    activate: denied,
    deactivate: illegal,
    compromise: to(State.Compromised),
    destroy: to(State.Destroyed),
  },
  [State.Compromised]: {
    activate: denied,
    deactivate: illegal,
    compromise: illegal,
    destroy: to(State.DestroyedCompromised),
  },
  [State.Destroyed]: {
    activate: denied,
    deactivate: illegal,
    compromise: to(State.DestroyedCompromised),
    destroy: denied,
  },
  [State.DestroyedCompromised]: { activate: denied, deactivate: illegal, compromise: illegal, destroy: denied },
}

/** The state that is recorded; Templates have none. */
export const stateOf = (object: ManagedObject): number | undefined => valueOf<number>(object, 'State')

/** When the object changes its state by a date alone (seconds since 1970), or undefined (§3.22, transitions 4 and 6). */
export const nextTransition = (object: ManagedObject): number | undefined => {
  const state = stateOf(object)
  if (state === State.PreActive) return valueOf<number>(object, 'Activation Date')
  if (state === State.Active) return valueOf<number>(object, 'Deactivation Date')
  return undefined
}

/**
 * The object in the state that it has now: dates that have been reached take effect, and are changes of it (§3.38). Gives the same object when nothing
 * changed.
 */
export const settle = (object: ManagedObject, now: number): ManagedObject => {
  let settled = object
  for (let next = nextTransition(settled); next !== undefined && next <= now; next = nextTransition(settled)) {
    const changed = Math.max(next, valueOf<number>(settled, 'Last Change Date') ?? next)
    settled = withValue(settled, 'State', stateOf(settled) === State.PreActive ? State.Active : State.Deactivated)
    settled = withValue(settled, 'Last Change Date', changed)
  }
  return settled
}

/** The state that a date or an operation gives, without the attributes that go with it. @throws KmipError as the table says. */
export const nextState = (object: ManagedObject, event: LifecycleEvent): number => {
  const state = stateOf(object)
  const cell = state === undefined ? illegal : (transitions[state]?.[event] ?? illegal)
  if ('to' in cell) return cell.to
  throw new KmipError(cell.reason, refusalText[event])
}

const refusalText: Readonly<Record<LifecycleEvent, string>> = {
  activate: 'Only an object in the Pre-Active state can be activated',
  deactivate: 'Only an object in the Active state can be revoked for this reason',
  compromise: 'The object is compromised already',
  destroy: 'Only an object in the Pre-Active, Deactivated or Compromised state can be destroyed; revoke it first',
}

/** Whether an object's material is gone for good. */
export const isDestroyed = (object: ManagedObject): boolean => {
  const state = stateOf(object)
  return state === State.Destroyed || state === State.DestroyedCompromised
}

/** Dates that contradict one another, as text, or undefined (§3.25, §3.26: neither precedes Activation, none follows Deactivation). */
export const contradictionOfDates = (object: ManagedObject): string | undefined => {
  const activation = valueOf<number>(object, 'Activation Date')
  const deactivation = valueOf<number>(object, 'Deactivation Date')
  if (activation !== undefined && deactivation !== undefined && deactivation < activation) {
    return 'The Deactivation Date precedes the Activation Date'
  }
  for (const name of ['Process Start Date', 'Protect Stop Date']) {
    const date = valueOf<number>(object, name)
    if (date === undefined) continue
    if (activation !== undefined && date < activation) return `The ${name} precedes the Activation Date`
    if (deactivation !== undefined && date > deactivation) return `The ${name} follows the Deactivation Date`
  }
  return undefined
}
