/**
 * The store's interface: `read`, `find`, `commit`. What it is: three verbs over tables of records, each with a revision.
 * What it is not: a place that knows KMIP operations, callers, or LMDB; a backend implements `Store` (see `lmdb/`,
 * `memory.ts`) and a distributed one must be able to (compare revision, put, watch).
 *
 *   front ── read, find ──────────────▶ memory-mapped view, no waiting
 *   front ── commit(changes) ─────────▶ store actor ── one transaction, one fsync for all that wait ──▶ done | conflict
 */

/** A value that an index keeps: text, bytes, or a number (numbers can be asked for by range). */
export type IndexValue = string | number | Uint8Array

/** One index entry of a record. `field` names the index; entries are derived from the record by its table, never by callers. */
export interface IndexEntry {
  readonly field: string
  readonly value: IndexValue
  /**
   * Of a claim: an entry of the same record, not a number, that is claimed together with field and value, which may then be the same for
   * many. The store may keep both in one place, so that a new record changes one of its pages for them.
   */
  readonly beside?: IndexEntry
}

/** A kind of record: its name, the index entries of a value, and the entries that no two records may share. */
export interface Table<T> {
  readonly name: string
  /** All index entries of a value. Pure: the same value gives the same entries. */
  readonly index: (value: T) => readonly IndexEntry[]
  /** Entries of which at most one record of the table may hold each (for example a Name within its owner's domain). */
  readonly claims: (value: T) => readonly IndexEntry[]
}

/**
 * A record as read: its value and the revision that a change must name. Revisions start at 1 and rise by 1; 0 stands for "not
 * there". A record that was removed and is made again goes on where it ended, so that a revision is never met twice.
 */
export interface Stored<T> {
  readonly key: string
  readonly revision: number
  readonly value: T
}

/**
 * One term of a query: an index entry that must be there, or a range of numbers (both ends included). `claimed`: the entry is
 * one of the table's claims, so that one record at most has it, and it is found without a search; it is asked for with its `beside`.
 */
export type Term =
  | { readonly field: string; readonly equals: IndexValue; readonly claimed?: true; readonly beside?: IndexEntry }
  | { readonly field: string; readonly from?: number; readonly to?: number }

/** What `find` looks for. Every term of `all` must match and, when `any` is not empty, at least one term of `any`. */
export interface Query {
  readonly all: readonly Term[]
  readonly any: readonly Term[]
  /** Keys that are left out even when they match (the caller knows a newer state of them), unless `include` names them. */
  readonly exclude?: ReadonlySet<string>
  /** Keys that are counted and returned, in their place of the order, even when the index does not name them. */
  readonly include?: readonly string[]
  /** True: the keys come in descending order, and offset and limit count from the last key. */
  readonly descending?: boolean
  readonly offset: number
  /** At most this many keys are returned; `total` counts all that match. */
  readonly limit: number
}

/**
 * Keys in the store's order, and how many match in all. The order: first the keys that are canonical lower-case UUIDs, in the
 * order of their text (those made by the server ascend with time), then all others in the order of their UTF-8 bytes.
 */
export interface Found {
  readonly keys: readonly string[]
  readonly total: number
}

/**
 * A change of one record: `value: undefined` removes it. Refused as a conflict unless the record has `revision` now. A value
 * is made of strings, numbers, booleans, bigints, Uint8Array, null, undefined, arrays and plain objects. A commit names a
 * record once at most.
 */
export interface Change<T = unknown> {
  readonly table: string
  readonly key: string
  /** The revision that the sender has read; 0: the record must not exist. */
  readonly revision: number
  /** The value that the sender has read at `revision`; undefined when `revision` is 0. Old index entries are derived from it. */
  readonly previous: T | undefined
  readonly value: T | undefined
  /** The key was made for this record just now, so that none can have had it: it is not looked up. A conflict if one had. */
  readonly isNew?: boolean
}

/**
 * What became of a commit. `conflict`: nothing of it was applied, because `key` of `table` had another revision, or
 * because a claim of it is held by another record; the sender reads again and decides again.
 */
export type CommitResult =
  | { readonly done: true }
  | { readonly done: false; readonly table: string; readonly key: string }

/** A store that cannot serve now (disk full, writer away, shutting down), with what the operator should do. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}

/**
 * The writer has failed: what became of commits that it had taken is not known, nothing more is written, and the process
 * must end. Never answered as a failure of the request itself.
 */
export class StoreFaulted extends Error {
  override readonly name = 'StoreFaulted'
}

/** Files that are not opened: held by another server, of a newer version, sealed under other keys. Nothing was touched. */
export class StoreRefused extends Error {
  override readonly name = 'StoreRefused'
}

/** A record that fails its seal, its checksum or its decoding: changed behind the server's back. Never served. */
export class StoreDamaged extends Error {
  override readonly name = 'StoreDamaged'
}

export interface Store {
  /**
   * The record of `table` with this key as of now (the latest commit that has been answered to anybody), or undefined. The
   * value is the store's own and is not to be changed: others may be given the same.
   * @throws StoreDamaged when the record is not what the store wrote.
   */
  read<T>(table: Table<T>, key: string): Stored<T> | undefined

  /**
   * The revision that `read` would give, at an eighth of its cost: from the record's head, unopened. It is unchecked: who can write to the
   * file can have it be that of what was read and checked before, which is what putting the old record back would do to `read`.
   */
  revision<T>(table: Table<T>, key: string): number | undefined

  /**
   * A number that is another one whenever anybody has committed something: as long as it stands, so does everything that was
   * read after it was asked for.
   */
  committed(): bigint

  /** The least number that the index of a field has, as of now; infinity when it has none. */
  least<T>(table: Table<T>, field: string): number

  /** Has somebody told of records that were changed or removed, once that is durable: what is kept of them is to go. */
  onChanged(listener: (table: string, key: string) => void): void

  /** Keys that match, from indexes alone, as of now. */
  find<T>(table: Table<T>, query: Query): Found

  /** The same for a search that may be long: others have the thread in between, and what they change meanwhile may be seen. */
  findInTurns<T>(table: Table<T>, query: Query): Found | Promise<Found>

  /**
   * Applies all changes or none. Resolves `done` only after the disk has them.
   * @throws StoreUnavailable when nothing was applied for a reason that is not the sender's; StoreFaulted when that is not known.
   */
  commit(changes: readonly Change[]): Promise<CommitResult>

  /** Finishes what was taken, then releases the files. */
  close(): Promise<void>
}

/** Seals record bytes and hashes index terms, so that neither keys nor names lie in the file in clear. */
export interface Sealer {
  /** @param context what the bytes belong to (table, key, revision): opening with another context fails. */
  seal(context: Uint8Array, plaintext: Uint8Array): Uint8Array
  /** @throws when the bytes were not sealed for this context; the store then speaks of StoreDamaged. */
  open(context: Uint8Array, sealed: Uint8Array): Uint8Array
  /** Keyed hash of an index term, 16 bytes. */
  hash(term: Uint8Array): Uint8Array
}
