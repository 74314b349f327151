/**
 * The auditor's files with a death in them: at a point of the way of lines (death.ts), in the midst of a write too. What it is: a
 * wrapper of the real ones, in the auditor's thread. What it is not: a change of what is written.
 */
import fs, { existsSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { AuditFiles as RealAuditFiles } from '#audit/files'
import { type ArmedDeath, die } from './death.ts'

export { AuditUnavailable } from '#audit/files'

const death = JSON.parse(process.env['FAULT_AUDITOR'] ?? '') as ArmedDeath
const { point, transaction, armedBy } = death
let batches = 0
let tears = false

const dieAt = (at: typeof point): void => {
  if (point === at && batches === transaction) die(death)
}

const real = fs.writeSync
/** The half of a write, and then nothing more. */
const tornWrite = (
  file: number,
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
  place?: number,
): number => {
  if (!tears) return real(file, bytes, offset, length, place)
  real(file, bytes, offset, Math.ceil(length / 2), place)
  die(death)
  return 0
}
Object.assign(fs, { writeSync: tornWrite })
syncBuiltinESMExports()

/** As the real ones; batches of lines pass the points. */
export class AuditFiles extends RealAuditFiles {
  override append(bodies: readonly Uint8Array[]): void {
    if (batches > 0 || existsSync(armedBy)) batches += 1
    dieAt('lines taken')
    tears = point === 'lines torn' && batches === transaction
    super.append(bodies)
    dieAt('lines written')
  }

  override sync(): void {
    tears = point === 'journal torn' && batches === transaction
    super.sync()
    dieAt('lines synced')
  }
}
