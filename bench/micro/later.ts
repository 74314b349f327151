/**
 * Times src/actor/later.ts: answers that wait for one moment, as those of a turn wait for the audit trail, and the same with promises.
 * What it is not: the sessions that wait (bench/NOTES.md has a whole server).
 */
import { Later } from '#actor/later'
import { noClose, type Suite } from './suite.ts'

/** About as many as wait for one sync at 512 sessions. */
const together = 256

/** A task a way to wait. */
export const open = (): Promise<Suite> => {
  const answer = Buffer.from('answer')
  const later = (): number => {
    const written = new Later<void>()
    let bytes = 0
    const listener = {
      resolved: (given: Buffer): void => void (bytes += given.length),
      rejected: (): void => void (bytes -= 1),
    }
    for (let turn = 0; turn < together; turn += 1) written.map(() => answer).tell(listener)
    written.resolve()
    return bytes
  }
  const promises = async (): Promise<number> => {
    const written = Promise.withResolvers<void>()
    let bytes = 0
    const waits = Array.from({ length: together }, async () => {
      const given = await written.promise.then(() => answer)
      bytes += given.length
    })
    written.resolve()
    await Promise.all(waits)
    return bytes
  }
  return Promise.resolve({
    tasks: [
      { name: 'answers that come later', operations: together, run: later },
      { name: 'the same with promises', operations: together, run: promises },
    ],
    close: noClose,
  })
}
