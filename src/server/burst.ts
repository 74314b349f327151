/**
 * Answers of one turn of the loop, written one after the other at its end. What it is: each answer is still one write of its
 * own, in order; but peers are woken when all who asked are answered, and not between one answer and the next. What it is
 * not: a buffer for slow peers: what a socket does not take at once, or is large, is written as it comes.
 *
 * Waking a peer that sleeps costs the sender some 5 µs of the system's time, as much as the answer itself; a peer that was
 * woken finds more to do. Seen with 16 sessions on two cores: 47,000 instead of 36,000 answers/s (bench/NOTES.md).
 */
import type { Writable } from 'node:stream'

/** Copying many small answers costs nothing; a large one has waited long enough. */
const smallAnswerBytes = 4_096
/** Answers that wait for the end of the turn, of all sessions together. */
const answersMax = 512

const waiting: { readonly socket: Writable; readonly answer: Buffer }[] = []

/**
 * Writes an answer at the end of this turn, or now.
 * @returns false: the peer reads too slowly, `drain` will be told
 */
export const writeInBurst = (socket: Writable, answer: Buffer): boolean => {
  if (socket.writableLength > 0 || answer.length > smallAnswerBytes || waiting.length >= answersMax) {
    flushBurst()
    return socket.write(answer)
  }
  if (waiting.length === 0) setImmediate(flushBurst)
  waiting.push({ socket, answer })
  return true
}

/** Writes what waits: before anything that must come after it. */
export const flushBurst = (): void => {
  for (const { socket, answer } of waiting.splice(0)) {
    if (!socket.destroyed) socket.write(answer)
  }
}
