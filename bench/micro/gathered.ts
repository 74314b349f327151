/**
 * Times src/audit/gathered.ts: the line of a Get, told the first time and told again, as they are gathered and taken. What it is not: the
 * auditor, or the account of a request (accounting.ts).
 */
import { GatheredLines } from '#audit/gathered'
import { bodyOf, endOf, startOf } from '#audit/record'
import { noClose, type Suite } from './suite.ts'
import { told } from './told.ts'

/** About as many as a busy front sends at once. */
const together = 64
const end = Buffer.from(endOf(told))

/** A task a way in which a line comes about. */
export const open = (): Promise<Suite> => {
  const lines = new GatheredLines()
  let atMs = 1_780_000_000_000
  const gathered = (add: (request: number) => void) => (): number => {
    atMs += 1
    for (let line = 0; line < together; line += 1) add(line)
    return lines.take().length
  }
  const first = (request: number): void =>
    lines.add(bodyOf({ event: 'operation', atMs, request: String(request), ...told }))
  const again = (request: number): void => lines.addParts(startOf('operation', atMs, ''), request, end)
  return Promise.resolve({
    tasks: [
      { name: 'a line told the first time', operations: together, run: gathered(first) },
      { name: 'a line told again', operations: together, run: gathered(again) },
    ],
    close: noClose,
  })
}
