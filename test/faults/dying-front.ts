/**
 * The session with death in it: a message that holds the marker ends the thread that it came to, as an error that nobody foresaw
 * does. What it is: a wrapper of the real one. What it is not: an error that a session answers for (throwing-session.ts).
 */
import type { Soon } from '#actor/later'
import type { Answer } from '#server/connection'
import type { Encoding } from '#server/encodings'
import { PeerSession as RealSession } from '#server/session'

const marker = Buffer.from(process.env['FAULT_FRONT'] ?? '')

/** As the real one. */
export class PeerSession extends RealSession {
  override answer(message: Uint8Array, encoding: Encoding): Soon<Answer> {
    if (!Buffer.from(message).includes(marker)) return super.answer(message, encoding)
    setImmediate(() => {
      throw new TypeError('simulated')
    })
    return new Promise(() => undefined)
  }
}
