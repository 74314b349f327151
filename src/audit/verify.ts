/**
 * The check of a whole audit trail. What it is: every line of every file against its hash, its MAC, its place, and what the
 * store knows of where the trail has been. What it is not: a change of anything, or a thread of its own (`open.ts` gives it one).
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { emptyChain, type Head, type ReadWrite, writesIn } from './chain.ts'
import { fileName, filesOf, type TrailEnd } from './files.ts'
import { begunEvent, type Placed, walk } from './walk.ts'

export interface VerifyOptions {
  readonly directory: string
  readonly key: Uint8Array
  /** How far the trail must reach, as its writer knows: what lies behind is not looked at. Undefined: nobody writes. */
  readonly through: TrailEnd | undefined
  /** Where the trail was when the store last noted it. */
  readonly anchor: Head | undefined
}

/** Something that is not as it was written. */
export interface Break {
  readonly file: string
  readonly what: string
}

/** What a check has found. */
export interface Verified {
  readonly intact: boolean
  readonly files: number
  readonly lines: number
  /** Numbers of the first and the last line. */
  readonly first: number
  readonly last: number
  /** Ends that a crash has left, and that the next start has marked: no answer was given for what they may have told. */
  readonly mended: number
  /** The first ones, when there are many. */
  readonly breaks: readonly Break[]
}

const breaksMax = 100
const newline = 0x0a

/** Looks at every line. @throws errors of the file system, but for files that have gone by rotation meanwhile */
export const verifyTrail = (options: VerifyOptions): Verified => {
  const { directory, through } = options
  const check = new Check(options)
  for (const file of filesOf(directory)) {
    if (through !== undefined && file > through.file) break
    const content = contentOf(join(directory, fileName(file)))
    if (content !== undefined) check.file(file, content)
  }
  return check.result()
}

const contentOf = (path: string): Buffer | undefined => {
  try {
    return readFileSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

class Check {
  readonly #options: VerifyOptions
  readonly #breaks: Break[] = []
  #files = 0
  #firstFile = 0
  #lastFile = 0
  #lines = 0
  #first = 0
  #mended = 0
  #removedThrough = 0
  #head: Head | undefined
  #vouchedFor = true
  /** Whether the first line of a file is still to come. */
  #awaitsBegin = false

  constructor(options: VerifyOptions) {
    this.#options = options
  }

  file(file: number, whole: Buffer): void {
    const { key, through } = this.#options
    if (this.#files > 0 && file !== this.#lastFile + 1) {
      this.#broken(file, `files ${this.#lastFile + 1} to ${file - 1} are missing`)
    }
    if (this.#files === 0) this.#firstFile = file
    this.#files += 1
    this.#lastFile = file
    const content = file === through?.file ? whole.subarray(0, through.bytes) : whole
    if (file === through?.file && whole.length < through.bytes) {
      this.#broken(file, `${through.bytes - whole.length} bytes are missing at its end`)
    }
    this.#awaitsBegin = true
    for (const step of walk(content, key, this.#head ?? (file === 1 ? emptyChain : undefined))) this.#step(file, step)
    if (content.length > 0 && content.at(-1) !== newline) this.#broken(file, 'its last line has no end')
  }

  result(): Verified {
    const { through, anchor } = this.#options
    const head = this.#head ?? emptyChain
    if (this.#firstFile > this.#removedThrough + 1) {
      this.#broken(this.#firstFile, `files 1 to ${this.#firstFile - 1} are missing, and not by rotation`)
    }
    if (!this.#vouchedFor) this.#broken(this.#lastFile, 'its last lines have no MAC behind them')
    const known = through ?? anchor
    if (known !== undefined && head.sequence < known.sequence) {
      this.#broken(this.#lastFile, `lines ${head.sequence + 1} to ${known.sequence} are missing at the end`)
    }
    if (through !== undefined && head.sequence === through.sequence && head.hash !== through.hash) {
      this.#broken(this.#lastFile, `line ${head.sequence} is another than was written`)
    }
    return {
      intact: this.#breaks.length === 0,
      files: this.#files,
      lines: this.#lines,
      first: this.#first,
      last: head.sequence,
      mended: this.#mended,
      breaks: this.#breaks.slice(0, breaksMax),
    }
  }

  #step(file: number, step: Placed): void {
    if (step.kind === 'break') this.#tellBreak(file, step)
    if (step.kind === 'mended') {
      if (step.torn.length > 0) this.#mended += 1
      if (hasVouchedWrite(step.torn, this.#options.key)) {
        this.#broken(file, `whole lines behind line ${this.#head?.sequence ?? 0} were found broken at a start`)
      }
      const { lostLines } = step.mended
      const last = step.write.first - 1
      if (lostLines > 0) this.#broken(file, `lines ${last - lostLines + 1} to ${last} were gone at a start`)
    }
    if (step.write === undefined) return
    const { first, head, bodies, mac } = step.write
    // What mends may stand before it.
    const begin = bodies[step.kind === 'mended' ? 1 : 0]
    if (this.#awaitsBegin && begin !== undefined) {
      this.#awaitsBegin = false
      if (begin['event'] !== begunEvent || begin['file'] !== file) this.#broken(file, 'its first line is missing')
    }
    const { anchor } = this.#options
    if (anchor !== undefined && head.sequence === anchor.sequence && head.hash !== anchor.hash) {
      this.#broken(file, `line ${head.sequence} is another than the store has noted`)
    }
    this.#lines += bodies.length
    if (this.#first === 0) this.#first = first
    this.#head = head
    this.#vouchedFor = mac === 'right'
    for (const { removedThrough } of bodies) {
      if (typeof removedThrough === 'number') this.#removedThrough = Math.max(this.#removedThrough, removedThrough)
    }
  }

  #tellBreak(file: number, { at, behind, write }: Placed & { readonly kind: 'break' }): void {
    const expected = behind.sequence + 1
    if (write === undefined)
      this.#broken(file, `at byte ${at}, where line ${expected} should be, is no line of the chain`)
    else if (write.mac === 'wrong')
      this.#broken(file, `line ${write.head.sequence}, behind byte ${at}, has a wrong MAC`)
    else if (write.first !== expected) {
      this.#broken(file, `${namesOf(write)} at byte ${at}, where line ${expected} should be`)
    } else if (!write.whole)
      this.#broken(file, `of ${namesOf(write)} at byte ${at} one is gone, was changed, or is too much`)
    else this.#broken(file, `${namesOf(write)} at byte ${at} does not follow the line before: one of them was changed`)
  }

  #broken(file: number, what: string): void {
    this.#breaks.push({ file: fileName(file), what })
  }
}

/** Lines that were written at once are told by their numbers. */
const namesOf = ({ first, head }: ReadWrite): string =>
  first === head.sequence ? `line ${first}` : `lines ${first} to ${head.sequence}`

/** Whether bytes that were cut out of the chain hold lines that were written whole: no crash does that. */
const hasVouchedWrite = (torn: Uint8Array, key: Uint8Array): boolean => {
  for (const { write } of writesIn(Buffer.from(torn), key)) if (write.whole && write.mac === 'right') return true
  return false
}
