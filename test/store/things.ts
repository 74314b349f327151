/**
 * Records as the tests of stores keep them: what is indexed and claimed is said by the record itself. What it is not: tests (`contract.ts`).
 */

import assert from 'node:assert/strict'
import type { Change, IndexEntry, Query, Store, Stored, Table, Term } from '#store/store'

/** A record as the tests keep it: what is indexed is told apart from what is not. */
export interface Thing {
  readonly entries: readonly IndexEntry[]
  readonly claims?: readonly IndexEntry[]
  readonly content?: unknown
}

export const things: Table<Thing> = {
  name: 'things',
  index: (thing) => thing.entries,
  claims: (thing) => thing.claims ?? [],
}

export const others: Table<Thing> = { ...things, name: 'others' }

export const tables = [things, others]

/** A well-formed key that sorts as its number does. */
export function uuid(n: number): string {
  return `01900000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`
}

export function create(key: string, value: Thing, table = things): Change<Thing> {
  return { table: table.name, key, revision: 0, previous: undefined, value }
}

export function change(stored: Stored<Thing>, value: Thing | undefined, table = things): Change<Thing> {
  return { table: table.name, key: stored.key, revision: stored.revision, previous: stored.value, value }
}

export function query(all: readonly Term[], more: Partial<Query> = {}): Query {
  return { all, any: [], offset: 0, limit: 1000, ...more }
}

export function present(store: Store, key: string, table = things): Stored<Thing> {
  const stored = store.read(table, key)
  assert(stored !== undefined, `${key} is there`)
  return stored
}

export const named = (name: string): IndexEntry => ({ field: 'name', value: name })
export const equals = (name: string): Term => ({ field: 'name', equals: name })
export const done = { done: true }
