/**
 * Opened records, kept within a bound. What it is: what was unsealed and unpacked once is given again as long as nothing was
 * committed since the file was looked at, or else as long as the file has the same revision of it: a record that has changed
 * is never given. What it is not: a view of the file, or the count of its commits.
 *
 * Unsealing and unpacking an object costs about 10 µs, reading its revision 1.5 µs, reading the count of commits 0.05 µs
 * (two cores, Node 26.10; bench/micro).
 */
import { type Kept, SecondChance } from '#actor/second-chance'
import { freezeAll } from '#store/freeze'
import type { Stored } from '#store/store'

interface Entry extends Kept {
  readonly table: string
  readonly stored: Stored<unknown>
  /** Commits that had been made when the file was last seen to have this revision. */
  seenAt: bigint
}

/**
 * The entry, the record's head and key, their places in the lists, and dates, which are shared with few. With what the value takes
 * (freeze.ts) an AES key with a Name weighs 1,646 bytes where 1,500 were measured; kinds from a user to an RSA pair came to 0.85
 * to 1.3 times what was measured (Node 26.10).
 */
const weightOfEntry = 384

/**
 * Records that nobody asked for lately go when the bound is passed. A hit writes nothing but a mark: a Map that is reordered at
 * every hit costs more than unsealing does (seen with 10,000 records: 13,700 instead of 44,000 answers/s).
 */
export class RecordCache {
  readonly #bytesMax: number
  readonly #tables = new Map<string, Map<string, Entry>>()
  readonly #chances: SecondChance<Entry>
  #count = 0n

  /** @param bytesMax estimate of the memory that it may take; 0: nothing is kept */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
    this.#chances = new SecondChance(bytesMax)
  }

  /** The record, if no commit was made since the file had it. */
  unchangedSince(table: string, key: string, commits: bigint): Stored<unknown> | undefined {
    const entry = this.#tables.get(table)?.get(key)
    if (entry === undefined || entry.seenAt !== commits) return undefined
    entry.used = true
    return entry.stored
  }

  /** The record's revision, if no commit was made since the file had it. The record itself gets no second chance for that. */
  revisionSince(table: string, key: string, commits: bigint): number | undefined {
    const entry = this.#tables.get(table)?.get(key)
    return entry?.seenAt === commits ? entry.stored.revision : undefined
  }

  /**
   * The record, if it was opened at this very revision.
   * @param commits made when the revision was read, or fewer
   */
  get(table: string, key: string, revision: number, commits: bigint): Stored<unknown> | undefined {
    const entry = this.#tables.get(table)?.get(key)
    if (entry === undefined) return undefined
    if (entry.stored.revision !== revision) {
      this.drop(table, key)
      return undefined
    }
    entry.seenAt = this.#sameCount(commits)
    entry.used = true
    return entry.stored
  }

  /** Keeps an opened record, which is unchangeable from then on; `commits` as for `get`. */
  put(table: string, stored: Stored<unknown>, commits: bigint): void {
    if (this.#bytesMax < weightOfEntry) return
    const weight = weightOfEntry + freezeAll(stored.value)
    if (weight > this.#bytesMax) return
    this.drop(table, stored.key)
    this.#chances.makeRoom(weight, (entry) => this.#forget(entry))
    const entry = { table, stored, weight, seenAt: this.#sameCount(commits), used: false, place: 0 }
    const entries = this.#tables.get(table) ?? new Map<string, Entry>()
    this.#tables.set(table, entries)
    entries.set(stored.key, entry)
    this.#chances.add(entry)
  }

  /** A count is an object of its own: the same for all entries that were seen at it. */
  #sameCount(commits: bigint): bigint {
    if (this.#count !== commits) this.#count = commits
    return this.#count
  }

  /** Forgets a record, with the key material in it. */
  drop(table: string, key: string): void {
    const entry = this.#tables.get(table)?.get(key)
    if (entry !== undefined) this.#forget(entry)
  }

  #forget(entry: Entry): void {
    this.#tables.get(entry.table)?.delete(entry.stored.key)
    this.#chances.remove(entry)
  }
}
