/**
 * The store in memory. What it is: the whole of the interface with its real semantics (revisions, claims, order, values that
 * are copies), for tests of what stands on a store and as the plain model that other backends are compared with. What it is
 * not: durable, or quick on many records: `find` looks at every record.
 */

import assert from 'node:assert/strict'
import { encodeRecordKey, entryOf, entryText, isRecordKey } from './keys.ts'
import { changeOfEntries, checkEntries, packValue, unpackValue } from './records.ts'
import {
  type Change,
  type CommitResult,
  type Found,
  type IndexEntry,
  type Query,
  type Store,
  type Stored,
  StoreUnavailable,
  type Table,
  type Term,
} from './store.ts'

interface Row {
  readonly revision: number
  readonly bytes: Uint8Array
  readonly entries: readonly IndexEntry[]
  readonly claims: readonly IndexEntry[]
}

/** The rows of a table; who holds each claim; the last revision of each removed record. */
interface Rows {
  readonly table: Table<never>
  readonly live: Map<string, Row>
  readonly claims: Map<string, string>
  readonly gone: Map<string, number>
}

/** A store that forgets everything when the process ends. */
export class MemoryStore implements Store {
  readonly #tables: ReadonlyMap<string, Rows>
  #closed = false
  #committed = 0n
  readonly #listeners: ((table: string, key: string) => void)[] = []

  /** @param tables every table that will be used. */
  constructor(tables: readonly Table<never>[]) {
    this.#tables = new Map(
      tables.map((table) => [table.name, { table, live: new Map(), claims: new Map(), gone: new Map() }]),
    )
  }

  read<T>(table: Table<T>, key: string): Stored<T> | undefined {
    const row = this.#rows(table.name).live.get(key)
    return row && { key, revision: row.revision, value: unpackValue(row.bytes) as T }
  }

  revision<T>(table: Table<T>, key: string): number | undefined {
    return this.#rows(table.name).live.get(key)?.revision
  }

  committed(): bigint {
    return this.#committed
  }

  least<T>(table: Table<T>, field: string): number {
    let least = Infinity
    for (const { entries } of this.#rows(table.name).live.values()) {
      for (const entry of entries)
        if (entry.field === field && typeof entry.value === 'number') least = Math.min(least, entry.value)
    }
    return least
  }

  onChanged(listener: (table: string, key: string) => void): void {
    this.#listeners.push(listener)
  }

  find<T>(table: Table<T>, query: Query): Found {
    const { live } = this.#rows(table.name)
    const matching = new Set(query.include)
    for (const [key, { entries, claims }] of live) {
      const has = (term: Term) =>
        ('equals' in term && term.claimed === true ? claims : entries).some((entry) => satisfies(entry, term))
      const wanted = query.all.every(has) && (query.any.length === 0 || query.any.some(has))
      if (wanted && !query.exclude?.has(key)) matching.add(key)
    }
    const keys = [...matching].map((key) => ({ key, bytes: encodeRecordKey(key) }))
    keys.sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    if (query.descending === true) keys.reverse()
    const page = keys.slice(query.offset, query.offset + query.limit)
    return { keys: page.map(({ key }) => key), total: keys.length }
  }

  async findInTurns<T>(table: Table<T>, query: Query): Promise<Found> {
    return this.find(table, query)
  }

  async commit(changes: readonly Change[]): Promise<CommitResult> {
    if (this.#closed) throw new StoreUnavailable('the store is closed')
    const named = new Set(changes.map(({ table, key }) => `${table}\0${key}`))
    assert(named.size === changes.length, 'a commit names each record once')
    const planned = changes.map((change) => this.#plan(change))
    return this.#conflict(planned) ?? this.#apply(planned)
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #rows(table: string): Rows {
    if (this.#closed) throw new StoreUnavailable('the store is closed')
    const rows = this.#tables.get(table)
    assert(rows !== undefined, `the store was not opened with a table ${table}`)
    return rows
  }

  /** Packs at once, so that what the sender does to the value later does not reach the store. */
  #plan(change: Change): { rows: Rows; change: Change; row: Row | undefined } {
    const { key, revision, previous, value } = change
    assert(isRecordKey(key), 'a record key is well-formed text without NUL, and not too long')
    assert(
      (revision === 0) === (previous === undefined),
      'a change names what it has read: revision and previous value',
    )
    assert(revision !== 0 || value !== undefined, 'only what is there can be removed')
    const rows = this.#rows(change.table)
    if (value === undefined) return { rows, change, row: undefined }
    const entries = checkEntries(rows.table.index(value as never))
    const claims = checkEntries(rows.table.claims(value as never))
    const last = revision === 0 ? (rows.gone.get(key) ?? 0) : revision
    return { rows, change, row: { revision: last + 1, bytes: Uint8Array.from(packValue(value)), entries, claims } }
  }

  #conflict(planned: readonly { rows: Rows; change: Change; row: Row | undefined }[]): CommitResult | undefined {
    const released = new Set<string>()
    const taken = new Map<string, string>()
    const conflict = ({ table, key }: Change): CommitResult => ({ done: false, table, key })
    for (const { rows, change } of planned) {
      const now = rows.live.get(change.key)
      if ((now?.revision ?? 0) !== change.revision) return conflict(change)
      if (change.isNew === true && rows.gone.has(change.key)) return conflict(change)
      if (now === undefined) continue
      assertPrevious(rows.table, now, change)
      for (const claim of now.claims) released.add(`${change.table}\0${entryText(claim)}`)
    }
    for (const { rows, change, row } of planned) {
      for (const claim of row?.claims ?? []) {
        const name = `${change.table}\0${entryText(claim)}`
        const holder = taken.get(name) ?? (released.has(name) ? undefined : rows.claims.get(entryText(claim)))
        if (holder !== undefined && holder !== change.key) return conflict(change)
        taken.set(name, change.key)
      }
    }
    return undefined
  }

  #apply(planned: readonly { rows: Rows; change: Change; row: Row | undefined }[]): CommitResult {
    this.#committed += 1n
    for (const { change } of planned) for (const tell of this.#listeners) tell(change.table, change.key)
    for (const { rows, change } of planned)
      for (const claim of rows.live.get(change.key)?.claims ?? []) rows.claims.delete(entryText(claim))
    for (const { rows, change, row } of planned) {
      if (row === undefined) {
        rows.live.delete(change.key)
        rows.gone.set(change.key, change.revision)
        continue
      }
      rows.gone.delete(change.key)
      rows.live.set(change.key, row)
      for (const claim of row.claims) rows.claims.set(entryText(claim), change.key)
    }
    return { done: true }
  }
}

/**
 * A sender whose `previous` is not what it has read would leave wrong index entries behind in a backend that derives them
 * from it; here it is found out.
 */
function assertPrevious(table: Table<never>, now: Row, change: Change): void {
  for (const [before, stored] of [
    [table.index(change.previous as never), now.entries],
    [table.claims(change.previous as never), now.claims],
  ] as const) {
    const { gone, come } = changeOfEntries(before, stored)
    assert(gone.length + come.length === 0, `the previous value of ${change.key} is not the one that is stored`)
  }
}

function satisfies(entry: IndexEntry, term: Term): boolean {
  if (entry.field !== term.field) return false
  if ('equals' in term) return entryText(entry) === entryText(entryOf(term))
  if (typeof entry.value !== 'number') return false
  return entry.value >= (term.from ?? -Infinity) && entry.value <= (term.to ?? Infinity)
}
