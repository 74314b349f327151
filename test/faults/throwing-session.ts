/**
 * The session with a failure in it: a message that holds the marker makes its responder throw what nobody foresaw. What it is: a
 * wrapper of the real one. What it is not: a message that is refused.
 */
import type { Soon } from '#actor/later'
import type { Answer } from '#server/connection'
import type { Encoding } from '#server/encodings'
import { PeerSession as RealSession } from '#server/session'

const marker = Buffer.from(process.env['FAULT_ANSWERS'] ?? '')

/** As the real one. */
export class PeerSession extends RealSession {
  override answer(message: Uint8Array, encoding: Encoding): Soon<Answer> {
    if (Buffer.from(message).includes(marker)) throw new TypeError('simulated')
    return super.answer(message, encoding)
  }
}
