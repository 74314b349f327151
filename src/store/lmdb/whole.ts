/**
 * Whether a store's file has all its pages. What it is: a look at the file itself, before LMDB maps it: a page that is not there
 * would end the process without a word, and an empty file would be taken for a new store. What it is not: a look at what is in
 * the pages; what is behind the last commit's end does not matter.
 *
 * A file may be shorter than its last page says: pages that a transaction took and gave back were never written. So what is
 * missing at the end must be among the free pages. Numbers are little-endian; lengths are in bytes.
 *
 *   page 0 and 1   two meta pages, which take turns
 *     24  magic      48  page size      88  root of the free pages      144  number of the last page      152  the transaction's
 *   any other      head 24 (18 flags, 20 twice the number of nodes) | places of the nodes behind the head, 2 each | nodes
 *   node           4 length, or page below | 2 flags, or more of that number | 2 length of the key | key | value
 *   free pages     a tree of: key, the transaction's number; value, a count and so many entries of 8: a page, 0 for nothing, or
 *                  minus a number of pages with the first of them in the next entry. A long value has pages of its own.
 */

import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { StoreRefused } from '#store/store'

interface Meta {
  readonly pageBytes: number
  readonly freeRoot: bigint
  readonly lastPage: number
  readonly transaction: number
}

const metaBytes = 160
const headBytes = 24
const magic = 0xbe_ef_c0_de
const branchFlag = 1
const longValueFlag = 1
const noPage = 2n ** 64n - 1n
/** Far deeper than any tree of 64-bit numbers. */
const depthMax = 32

/**
 * A failure of the file in words for the operator: with what to do, where LMDB says that pages are not what they must be.
 * @param reason as LMDB or the file system gave it
 */
export function withAdvice(reason: string): string {
  return /MDB_(?:CORRUPTED|PAGE_NOTFOUND|INVALID|PANIC)/.test(reason)
    ? `${reason}: pages of the file are damaged. Keep the folder for a look, restore a backup into an empty one, and look at the disk`
    : reason
}

/** Refuses a file whose end is missing. @throws StoreRefused, errors of the file system */
export function assertWhole(path: string): void {
  if (!existsSync(path)) return
  const file = openSync(path, 'r')
  try {
    const first = metaAt(file, 0)
    const second = first === undefined ? undefined : metaAt(file, first.pageBytes)
    const newest =
      first !== undefined && second !== undefined && second.transaction > first.transaction ? second : first
    // Behind the meta pages, because a file that is written meanwhile grows before they tell of it.
    const { size } = fstatSync(file)
    const needed = newest === undefined ? metaBytes : (newest.lastPage + 1) * newest.pageBytes
    if (size >= needed || (newest !== undefined && isFreeFrom(new Pages(file, newest.pageBytes), newest, size))) return
    throw new StoreRefused(
      `${path} was cut off: ${needed - size} bytes are missing at its end. Nothing was touched: restore a backup`,
    )
  } finally {
    closeSync(file)
  }
}

/** A meta page; undefined where there is none, which LMDB itself refuses. */
function metaAt(file: number, at: number): Meta | undefined {
  const page = Buffer.alloc(metaBytes)
  if (readSync(file, page, 0, metaBytes, at) < metaBytes || page.readUInt32LE(24) !== magic) return undefined
  return {
    pageBytes: page.readUInt32LE(48),
    freeRoot: page.readBigUInt64LE(88),
    lastPage: Number(page.readBigUInt64LE(144)),
    transaction: Number(page.readBigUInt64LE(152)),
  }
}

/** Whether every page that is not wholly in the file is free. */
function isFreeFrom(pages: Pages, { pageBytes, freeRoot, lastPage }: Meta, size: number): boolean {
  const missing = new Set<number>()
  for (let page = Math.floor(size / pageBytes); page <= lastPage; page++) missing.add(page)
  if (freeRoot === noPage) return false
  try {
    for (const list of freeLists(pages, freeRoot, depthMax)) takeFree(list, missing)
  } catch (error) {
    // The list of free pages is itself not all there, or is none.
    if (error instanceof RangeError) return false
    throw error
  }
  return missing.size === 0
}

function takeFree(list: Buffer, missing: Set<number>): void {
  const count = Number(list.readBigInt64LE(0))
  for (let place = 1; place <= count; place++) {
    const entry = Number(list.readBigInt64LE(place * 8))
    if (entry >= 0) {
      missing.delete(entry)
      continue
    }
    place += 1
    const first = Number(list.readBigInt64LE(place * 8))
    for (const page of missing) if (page >= first && page < first - entry) missing.delete(page)
  }
}

/** The values of the tree of free pages. @throws RangeError where a page is not there or is none */
function* freeLists(pages: Pages, root: bigint, depthLeft: number): Iterable<Buffer> {
  if (depthLeft === 0) throw new RangeError('a tree without end')
  const page = pages.read(root, 1)
  const isBranch = (page.readUInt16LE(18) & branchFlag) !== 0
  const count = page.readUInt16LE(20) / 2
  for (let place = 0; place < count; place++) {
    const node = headBytes + page.readUInt16LE(headBytes + place * 2)
    const low = page.readUInt32LE(node)
    const flags = page.readUInt16LE(node + 4)
    if (isBranch) {
      yield* freeLists(pages, BigInt(low) + (BigInt(flags) << 32n), depthLeft - 1)
      continue
    }
    const value = node + 8 + page.readUInt16LE(node + 6)
    if ((flags & longValueFlag) === 0) yield page.subarray(value, value + low)
    else yield pages.read(page.readBigUInt64LE(value), pages.countFor(low)).subarray(headBytes, headBytes + low)
  }
}

/** Reads pages of a file. */
class Pages {
  readonly #file: number
  readonly #pageBytes: number

  constructor(file: number, pageBytes: number) {
    this.#file = file
    this.#pageBytes = pageBytes
  }

  /** How many pages a long value has. */
  countFor(bytes: number): number {
    return Math.ceil((headBytes + bytes) / this.#pageBytes)
  }

  /** @throws RangeError when a page is not in the file */
  read(first: bigint, count: number): Buffer {
    const at = Number(first) * this.#pageBytes
    const wanted = count * this.#pageBytes
    if (!Number.isSafeInteger(at) || at + wanted > fstatSync(this.#file).size) throw new RangeError('no such page')
    const bytes = Buffer.alloc(wanted)
    readSync(this.#file, bytes, 0, wanted, at)
    return bytes
  }
}
