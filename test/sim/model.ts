/**
 * What a key may be seen to do: a model of one object, and a check that a history of operations by many clients could have come
 * of one server that does one thing at a time (linearizability). What it is: pure functions of a history. What it is not: the
 * server's rules; the model is written from KMIP 1.4 §3.22 and §4 alone.
 */
import assert from 'node:assert/strict'

/** What clients ask of an object. */
export type Ask =
  | { readonly kind: 'get' | 'read' | 'activate' | 'revoke' | 'destroy' }
  /** `both` sets two attributes by two items of one message. */
  | { readonly kind: 'left' | 'right' | 'both'; readonly value: string }
  /** Sets both, and then fails in the same message, which undoes all. */
  | { readonly kind: 'undone'; readonly value: string }

/** An operation as its client saw it. */
export interface Call {
  readonly ask: Ask
  readonly session: number
  /** Place among the requests of its session, which are done in order. */
  readonly place: number
  readonly beganAt: number
  /** Undefined: no answer came, and it may have happened or not. */
  endedAt: number | undefined
  /** `done`, `refused`, or for a read what was seen. */
  seen: string | undefined
}

/** An object: its state, and two attributes. */
export interface Modelled {
  readonly state: 'PreActive' | 'Active' | 'Deactivated' | 'Destroyed'
  readonly left: string
  readonly right: string
}

export const firstModelled: Modelled = { state: 'PreActive', left: '0', right: '0' }

/** What an operation must be seen to do to an object in this state, and what it becomes. */
export const apply = (now: Modelled, ask: Ask): { readonly seen: string; readonly next: Modelled } => {
  const refused = { seen: 'refused', next: now }
  const done = (change: Partial<Modelled>) => ({ seen: 'done', next: { ...now, ...change } })
  const { state } = now
  switch (ask.kind) {
    case 'get':
      return state === 'Destroyed' ? refused : done({})
    case 'read':
      return { seen: `${state} ${now.left} ${now.right}`, next: now }
    case 'activate':
      return state === 'PreActive' ? done({ state: 'Active' }) : refused
    case 'revoke':
      return state === 'Active' ? done({ state: 'Deactivated' }) : refused
    case 'destroy':
      return state === 'PreActive' || state === 'Deactivated' ? done({ state: 'Destroyed' }) : refused
    case 'left':
      return done({ left: ask.value })
    case 'right':
      return done({ right: ask.value })
    case 'both':
      return done({ left: ask.value, right: ask.value })
    case 'undone':
      return refused
  }
}

const keyOf = ({ state, left, right }: Modelled): string => `${state} ${left} ${right}`

const precedes = (first: Call, second: Call): boolean => {
  if (first.endedAt === undefined) return false
  return first.endedAt < second.beganAt || (first.session === second.session && first.place < second.place)
}

const changesNothing = ({ kind }: Ask): boolean => kind === 'get' || kind === 'read' || kind === 'undone'

/** Calls that one history may have: each is a bit of a number. */
const callsMax = 31

/**
 * Whether some order of the calls, each once between its beginning and its end, explains all that was seen.
 * @throws AssertionError for a history that is too long
 */
export const isLinearizable = (history: readonly Call[]): boolean => {
  const calls = history.filter(({ ask, endedAt }) => endedAt !== undefined || !changesNothing(ask))
  assert(calls.length <= callsMax, 'a history is judged while it is short')
  const bits = (wanted: (call: Call) => boolean): number =>
    calls.reduce((sum, call, index) => (wanted(call) ? sum | (1 << index) : sum), 0)
  const answered = bits(({ endedAt }) => endedAt !== undefined)
  const before = calls.map((call) => bits((other) => other !== call && precedes(other, call)))
  const met = new Set<string>()
  const search = (now: Modelled, taken: number): boolean => {
    if ((taken & answered) === answered) return true
    const place = `${taken} ${keyOf(now)}`
    if (met.has(place)) return false
    met.add(place)
    return calls.some(({ ask, endedAt, seen }, index) => {
      const own = 1 << index
      if ((taken & own) !== 0 || ((before[index] ?? 0) & ~taken) !== 0) return false
      const step = apply(now, ask)
      return (endedAt === undefined || seen === step.seen) && search(step.next, taken | own)
    })
  }
  return search(firstModelled, 0)
}

/** A history for people. */
export const historyText = (calls: readonly Call[]): string =>
  calls
    .map(({ ask, session, place, beganAt, endedAt, seen }) => {
      const value = 'value' in ask ? ` ${ask.value}` : ''
      return `    ${beganAt}..${endedAt ?? '?'} session ${session}.${place} ${ask.kind}${value}: ${seen ?? 'no answer'}`
    })
    .join('\n')
