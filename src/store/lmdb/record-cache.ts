/**
 * Opened records, kept within a bound. What it is: what was unsealed and unpacked once is given again as long as the file has
 * the same revision of it, which is looked at on every read: a record that has changed is never given. What it is not: a view
 * of the file; without the file's word nothing of it is used.
 *
 * Unsealing and unpacking an object costs about 12 µs, reading its revision 1.5 µs (two cores, Node 26.10; bench/micro).
 */
import type { Stored } from '#store/store'

interface Entry {
  readonly stored: Stored<unknown>
  readonly weight: number
  /** Asked for since it was last passed over: it gets a second chance. */
  used: boolean
}

/** An opened record takes some times the bytes of its sealed form, and this much for its own sake. */
const weightPerByte = 4
const weightPerRecord = 512

/**
 * Records that nobody asked for lately go when the bound is passed. A hit writes nothing but a mark: a Map that is reordered at
 * every hit costs more than unsealing does (seen with 10,000 records: 13,700 instead of 44,000 answers/s).
 */
export class RecordCache {
  readonly #bytesMax: number
  readonly #entries = new Map<string, Entry>()
  /** Goes round over the entries, taking marks away and entries that have none: the clock's hand. */
  #hand = this.#entries.entries()
  #weight = 0

  /** @param bytesMax estimate of the memory that it may take; 0: nothing is kept */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** The record, if it was opened at this very revision. */
  get(table: string, key: string, revision: number): Stored<unknown> | undefined {
    const id = idOf(table, key)
    const entry = this.#entries.get(id)
    if (entry === undefined) return undefined
    if (entry.stored.revision !== revision) {
      this.drop(table, key)
      return undefined
    }
    entry.used = true
    return entry.stored
  }

  /** Keeps an opened record; `bytes` is the size of its sealed form. */
  put(table: string, stored: Stored<unknown>, bytes: number): void {
    const weight = bytes * weightPerByte + weightPerRecord
    if (weight > this.#bytesMax) return
    this.drop(table, stored.key)
    freeze(stored.value)
    this.#entries.set(idOf(table, stored.key), { stored, weight, used: false })
    this.#weight += weight
    while (this.#weight > this.#bytesMax) this.#evict()
  }

  /** Moves the hand by one entry. */
  #evict(): void {
    const next = this.#hand.next()
    if (next.done === true) {
      this.#hand = this.#entries.entries()
      return
    }
    const [id, entry] = next.value
    if (entry.used) {
      entry.used = false
      return
    }
    this.#entries.delete(id)
    this.#weight -= entry.weight
  }

  /** Forgets a record, with the key material in it. */
  drop(table: string, key: string): void {
    const id = idOf(table, key)
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#entries.delete(id)
    this.#weight -= entry.weight
  }
}

/** Makes structures and lists unchangeable, since several readers are given the same; the bytes of a byte string cannot be. */
const freeze = (value: unknown): void => {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const part of Object.values(value)) freeze(part)
}

const idOf = (table: string, key: string): string => `${table}\0${key}`
