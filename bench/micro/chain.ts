/**
 * Times src/audit/chain.ts: what the auditor makes of the lines of some hundred Gets before it writes them. What it is not: the write, or
 * the lines' way to the auditor (gathered.ts).
 */
import { emptyChain, writeOf } from '#audit/chain'
import { GatheredLines } from '#audit/gathered'
import { bodyOf } from '#audit/record'
import { noClose, type Suite } from './suite.ts'
import { told } from './told.ts'

/** About as many as a busy front sends at once. */
const together = 128

/** A task: the lines of one message, numbered and hashed. */
export const open = (): Promise<Suite> => {
  const lines = new GatheredLines()
  for (let line = 0; line < together; line += 1) {
    lines.add(bodyOf({ event: 'operation', atMs: 1_780_000_000_000, request: String(line), ...told }))
  }
  const bodies = [lines.take()]
  const key = new Uint8Array(32).fill(1)
  let head = emptyChain
  const run = (): number => {
    const written = writeOf(head, bodies, key)
    head = written.head
    return written.bytes.length
  }
  return Promise.resolve({ tasks: [{ name: 'lines of a write', operations: together, run }], close: noClose })
}
