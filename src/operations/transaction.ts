/**
 * What one request message reads and changes: a snapshot with changes on top, given to the store as one commit. What it
 * is: so that a failed item drops its own changes and Undo drops all, and so that an item sees what those before it did.
 * What it is not: durable; `commit` is, and only after it a success may leave.
 */

import type { Clock } from '#actor/clock'
import { nextSlice, sliceBegun } from '#actor/slices'
import { nextTransition, settle } from '#objects/lifecycle'
import {
  type AttributeFilter,
  asksForDestroyed,
  dueField,
  type Entry,
  type FilterTerm,
  isSameClaim,
  matches,
  type Plan,
  planOf,
  storageField,
  storageStatus,
  termOfClaim,
} from '#objects/locate-filter'
import type { ManagedObject } from '#objects/managed-object'
import {
  type Change,
  type CommitResult,
  type Store,
  StoreDamaged,
  type Stored,
  StoreUnavailable,
  type Table,
} from '#store/store'

interface Draft {
  readonly revision: number
  readonly previous: ManagedObject | undefined
  readonly value: ManagedObject | undefined
  /** Whether its identifier was made in this message. */
  readonly isNew: boolean
  /** Whether the answer may leave without it when the store cannot write now. */
  readonly dispensable: boolean
}

/** Which objects a search sees: everything that holds one of these access terms, and is kept in one of these places. */
export interface Scope {
  /** The owner of what the caller makes: Names are looked for in its domain. */
  readonly claimant: string
  readonly access: readonly FilterTerm[]
  readonly storage: readonly string[]
  /** The same decision for an object that the index does not know yet. */
  readonly permits: (object: ManagedObject) => boolean
}

/** Identifiers of what was found, as far as they were asked for, and how many there are in all. */
export interface FoundObjects {
  readonly keys: readonly string[]
  readonly total: number
}

export class Transaction {
  readonly #store: Store
  readonly #table: Table<ManagedObject>
  readonly #clock: Clock
  /** Seconds since 1970. */
  readonly now: number
  readonly #drafts = new Map<string, Draft>()
  /** What each change replaced, newest last: how to come back to a savepoint. */
  readonly #replaced: { readonly key: string; readonly draft: Draft | undefined }[] = []
  /** What was read first of each object: changes are decided from it, so it is the revision that they expect. */
  readonly #reads = new Map<string, Stored<ManagedObject> | undefined>()
  #hasSearched = false

  /** @param clock its second is the time of the whole message */
  constructor(store: Store, table: Table<ManagedObject>, clock: Clock) {
    this.#store = store
    this.#table = table
    this.#clock = clock
    this.now = clock.nowSeconds()
  }

  /** Whether indexes were asked: what was found then depends on more than on the objects that were read. */
  get hasSearched(): boolean {
    return this.#hasSearched
  }

  /** Objects that were read, with their revisions; 0: it was not there. */
  reads(): readonly { readonly key: string; readonly revision: number }[] {
    return [...this.#reads].map(([key, stored]) => ({ key, revision: stored?.revision ?? 0 }))
  }

  /** The first date at which an object that was read has another state; infinity when there is none. */
  nextDue(): number {
    let due = Infinity
    for (const stored of this.#reads.values()) {
      if (stored !== undefined) due = Math.min(due, nextTransition(stored.value) ?? Infinity)
    }
    return due
  }

  /** The object in its state of now, with this message's changes; undefined when there is none. */
  read(uniqueIdentifier: string): ManagedObject | undefined {
    const draft = this.#drafts.get(uniqueIdentifier)
    if (draft !== undefined) return draft.value
    const stored = this.#firstRead(uniqueIdentifier)
    return stored === undefined ? undefined : settle(stored.value, this.now)
  }

  #firstRead(uniqueIdentifier: string): Stored<ManagedObject> | undefined {
    if (this.#reads.has(uniqueIdentifier)) return this.#reads.get(uniqueIdentifier)
    const stored = this.#store.read(this.#table, uniqueIdentifier)
    this.#reads.set(uniqueIdentifier, stored)
    return stored
  }

  /** An object that is only looked at: nothing of it is kept. */
  #peek(uniqueIdentifier: string): ManagedObject | undefined {
    const stored = this.#store.read(this.#table, uniqueIdentifier)
    return stored === undefined ? undefined : settle(stored.value, this.now)
  }

  #peekWhole(uniqueIdentifier: string): ManagedObject | 'damaged' | undefined {
    try {
      return this.#peek(uniqueIdentifier)
    } catch (error) {
      if (error instanceof StoreDamaged) return 'damaged'
      throw error
    }
  }

  /** Notes the object's new form; its place in the store is looked up once. */
  put(object: ManagedObject): void {
    this.#draft(object.uniqueIdentifier, object, false)
  }

  /** The same for an object whose identifier was made for it just now, so that the store need not be asked. */
  add(object: ManagedObject): void {
    const { uniqueIdentifier } = object
    this.#reads.set(uniqueIdentifier, undefined)
    this.#draft(uniqueIdentifier, object, false, true)
  }

  /** The same as `put` for what an answer need not wait for: it is left out when the store cannot write now, and nothing else waits. */
  note(object: ManagedObject): void {
    this.#draft(object.uniqueIdentifier, object, true)
  }

  /** Notes that the object goes, with all that is known of it. */
  remove(uniqueIdentifier: string): void {
    this.#draft(uniqueIdentifier, undefined, false)
  }

  #draft(uniqueIdentifier: string, value: ManagedObject | undefined, dispensable: boolean, isNew = false): void {
    const draft = this.#drafts.get(uniqueIdentifier)
    const stored = draft === undefined ? this.#firstRead(uniqueIdentifier) : undefined
    this.#replaced.push({ key: uniqueIdentifier, draft })
    this.#drafts.set(uniqueIdentifier, {
      revision: draft?.revision ?? stored?.revision ?? 0,
      previous: draft === undefined ? stored?.value : draft.previous,
      value,
      isNew: draft?.isNew ?? isNew,
      dispensable: dispensable && draft?.dispensable !== false,
    })
  }

  /** The changes so far, to come back to. */
  savepoint(): number {
    return this.#replaced.length
  }

  /** Drops what was noted since the savepoint. */
  rollback(savepoint: number): void {
    for (const { key, draft } of this.#replaced.splice(savepoint).toReversed()) {
      if (draft === undefined) this.#drafts.delete(key)
      else this.#drafts.set(key, draft)
    }
  }

  /** Whether there is anything to commit. */
  get isDirty(): boolean {
    return this.#drafts.size > 0
  }

  /** What was noted, with what was there before: for those who are told once it is durable. */
  changes(): readonly { readonly previous: ManagedObject | undefined; readonly value: ManagedObject | undefined }[] {
    return [...this.#drafts.values()].map(({ previous, value }) => ({ previous, value }))
  }

  /**
   * Gives all changes to the store at once.
   * @throws StoreUnavailable when the store cannot write now, unless nothing but notes was to be written: they are dropped
   */
  async commit(): Promise<CommitResult> {
    try {
      return await this.#store.commit(this.#storeChanges())
    } catch (error) {
      const drafts = [...this.#drafts.values()]
      if (!(error instanceof StoreUnavailable) || drafts.some(({ dispensable }) => !dispensable)) throw error
      this.#drafts.clear()
      return { done: true }
    }
  }

  #storeChanges(): readonly Change<ManagedObject>[] {
    const changes: Change<ManagedObject>[] = []
    for (const [key, { revision, previous, value, isNew }] of this.#drafts) {
      if (value === undefined && revision === 0) continue
      changes.push({ table: this.#table.name, key, revision, previous, value, isNew })
    }
    return changes
  }

  /** Whether a claim is held by another object than `except`. */
  isClaimed(claim: Entry, except: string | undefined, claims: (object: ManagedObject) => readonly Entry[]): boolean {
    this.#hasSearched = true
    for (const [key, { value }] of this.#drafts) {
      if (key === except || value === undefined) continue
      if (claims(value).some((held) => isSameClaim(held, claim))) return true
    }
    const exclude = new Set(this.#drafts.keys())
    if (except !== undefined) exclude.add(except)
    const query = { all: [termOfClaim(claim)], any: [], exclude, offset: 0, limit: 1 }
    return this.#store.find(this.#table, query).total > 0
  }

  /**
   * Identifiers of the objects that match, the newest first or the oldest, and how many there are in all. KMIP 1.4 §4.9 names no order; 2.1
   * (§6.1.28) has the most recently created object first, and so have the test cases of 1.3 and 1.4.
   * Indexes answer; what they cannot know (objects of this message, objects whose date has just come, attributes that are
   * not indexed) is tested object by object, in turns. No promise where the indexes answer at once.
   */
  find(
    filters: readonly AttributeFilter[],
    scope: Scope,
    offset: number,
    limit: number,
    first: 'newest' | 'oldest' = 'newest',
  ): FoundObjects | Promise<FoundObjects> {
    this.#hasSearched = true
    const storage = asksForDestroyed(filters) ? [...scope.storage, 'destroyed'] : scope.storage
    const plan = planOf(filters, storage.includes('destroyed') ? undefined : scope.claimant)
    const suits = (object: ManagedObject): boolean =>
      scope.permits(object) && storage.includes(storageStatus(object)) && matches(object, filters)
    const { exclude, include } = this.#newer(suits)
    const base = { any: scope.access, exclude, include, descending: first === 'newest' }
    const places: readonly FilterTerm[][] = storage.map((place) => [{ field: storageField, equals: place }])
    const single = places.length === 1 ? places[0] : undefined
    if (single !== undefined && plan.rest.length === 0) {
      return this.#store.findInTurns(this.#table, { ...base, all: [...plan.terms, ...single], offset, limit })
    }
    return this.#findByTest(plan, base, storage, suits, offset, limit)
  }

  /** Objects of which more is known than the index says: changed here, or due to change their state by a date. */
  #newer(suits: (object: ManagedObject) => boolean): {
    readonly exclude: ReadonlySet<string>
    readonly include: readonly string[]
  } {
    const exclude = new Set(this.#drafts.keys())
    const include: string[] = []
    for (const [key, { value }] of this.#drafts) {
      if (value !== undefined && suits(value)) include.push(key)
    }
    const due = this.#store.find(this.#table, {
      all: [{ field: dueField, to: this.now }],
      any: [],
      exclude,
      offset: 0,
      limit: Number.MAX_SAFE_INTEGER,
    })
    for (const key of due.keys) {
      const object = this.#peekWhole(key)
      // What does not open is what the index says of it: a search for others must not fail for it.
      if (object === 'damaged') continue
      exclude.add(key)
      if (object !== undefined && suits(object)) include.push(key)
    }
    return { exclude, include }
  }

  async #findByTest(
    plan: Plan,
    base: {
      readonly any: readonly FilterTerm[]
      readonly exclude: ReadonlySet<string>
      readonly include: readonly string[]
      readonly descending: boolean
    },
    storage: readonly string[],
    suits: (object: ManagedObject) => boolean,
    offset: number,
    limit: number,
  ): Promise<FoundObjects> {
    const place: readonly FilterTerm[] = storage.length === 1 ? [{ field: storageField, equals: storage[0] ?? '' }] : []
    const all = [...plan.terms, ...place]
    const candidates = await this.#store.findInTurns(this.#table, {
      ...base,
      all,
      offset: 0,
      limit: Number.MAX_SAFE_INTEGER,
    })
    const included = new Set(base.include)
    const keys: string[] = []
    let isOver = sliceBegun(this.#clock)
    for (const key of candidates.keys) {
      const object = included.has(key) ? undefined : this.#peek(key)
      if (included.has(key) || (object !== undefined && suits(object))) keys.push(key)
      if (!isOver()) continue
      await nextSlice('searches')
      isOver = sliceBegun(this.#clock)
    }
    return { keys: keys.slice(offset, offset + limit), total: keys.length }
  }
}
