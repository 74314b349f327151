/**
 * The audit trail as somebody else reads it: its lines, file by file, and whether what was acknowledged is told in them. What it
 * is: a reader that goes on where it was. What it is not: the check of the chain, which is `kmipctl audit verify`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the harness reads of a line. */
interface Told {
  readonly event: string
  readonly request?: string
  readonly operation?: string
  readonly result?: string
  readonly objects?: readonly string[]
}

/** Reads what was written since it was last asked. */
export class TrailReader {
  readonly #directory: string
  #file = ''
  #bytes = 0

  /** @param directory the server's data directory */
  constructor(directory: string) {
    this.#directory = join(directory, 'audit')
  }

  /** How often each success is told: operation and first object. What was withdrawn is not counted. */
  next(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    const add = (what: string, count: number): void => void counts.set(what, (counts.get(what) ?? 0) + count)
    /** Of requests since the server started: names are given anew then. */
    const requests = new Map<string, string[]>()
    for (const { event, request, operation, result, objects } of this.#lines()) {
      if (event === 'server started') requests.clear()
      if (event === 'withdrawn' && request !== undefined) {
        for (const what of requests.get(request) ?? []) add(what, -1)
        requests.delete(request)
      }
      if (result !== 'success') continue
      const what = `${operation} ${objects?.[0] ?? ''}`
      add(what, 1)
      if (request === undefined) continue
      const known = requests.get(request)
      if (known === undefined) requests.set(request, [what])
      else known.push(what)
    }
    return counts
  }

  *#lines(): Generator<Told> {
    const files = readdirSync(this.#directory)
      .filter((name) => name.endsWith('.jsonl') && name >= this.#file)
      .toSorted()
    for (const file of files) {
      if (file !== this.#file) this.#bytes = 0
      this.#file = file
      const content = readFileSync(join(this.#directory, file))
      const end = content.lastIndexOf(0x0a) + 1
      const text = content.toString('utf8', this.#bytes, end)
      this.#bytes = end
      for (const line of text.split('\n')) {
        const told = parsed(line)
        if (told !== undefined) yield told
      }
    }
  }
}

/** A line that a death has cut off is none. */
const parsed = (line: string): Told | undefined => {
  if (!line.startsWith('{"sequence":')) return undefined
  try {
    return JSON.parse(line) as Told
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
