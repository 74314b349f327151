/**
 * Luck as a parameter. What it is: the one place where the machine's random numbers enter, and unique identifiers made
 * from a clock and luck. What it is not: key generation, which is crypto's.
 */

import { randomFillSync } from 'node:crypto'
import type { Clock } from './clock.ts'

export interface Entropy {
  /** `length` unpredictable bytes, in memory of their own. */
  bytes(length: number): Uint8Array
}

/** Asking the generator costs some 7 µs whatever the length (Node 26.10): it is asked for many bytes at a time. */
const poolBytes = 16 * 1024
/** What is longer is asked for by itself. */
const pooledBytesMax = 512
const pool = new Uint8Array(poolBytes)
let poolPlace = poolBytes

/** The machine's cryptographic random numbers. */
export const systemEntropy: Entropy = {
  bytes(length) {
    const bytes = new Uint8Array(length)
    if (length > pooledBytesMax) return randomFillSync(bytes)
    if (poolPlace + length > poolBytes) {
      randomFillSync(pool)
      poolPlace = 0
    }
    const end = poolPlace + length
    bytes.set(pool.subarray(poolPlace, end))
    // What was given away may become a key: no copy of it stays.
    pool.fill(0, poolPlace, end)
    poolPlace = end
    return bytes
  },
}

/** Where the identifiers of one clock have got to. */
interface Place {
  timeMs: number
  counter: number
}

const counterMax = 0xfff
const places = new WeakMap<Clock, Place>()

/**
 * A new unique identifier: UUID version 7 (RFC 9562 §5.7) as lower-case text, 48 bits of time, 12 of a counter, 62 of luck.
 *
 *   tttttttt-tttt-7ccc-vrrr-rrrrrrrrrrrr      t time in ms, c counter, v the variant and two random bits, r random
 *
 * Identifiers made with one clock in one thread ascend as text, also within a millisecond and after the clock has stepped
 * back: the counter then goes on from the latest time seen, and borrows the next millisecond when it is used up. Between
 * threads they ascend as far as the threads' clocks agree.
 */
export function uniqueIdentifier(clock: Clock, entropy: Entropy): string {
  const random = entropy.bytes(10)
  const place = places.get(clock) ?? { timeMs: -1, counter: 0 }
  places.set(clock, place)
  const nowMs = clock.nowMs()
  // A new millisecond starts at a random place of the counter's lower half: room to count, and less to guess.
  const start = (((random[8] ?? 0) << 8) | (random[9] ?? 0)) & (counterMax >> 1)
  if (nowMs > place.timeMs) {
    place.timeMs = nowMs
    place.counter = start
  } else if (place.counter < counterMax) {
    place.counter++
  } else {
    place.timeMs++
    place.counter = start
  }
  const time = place.timeMs.toString(16).padStart(12, '0')
  const counter = place.counter.toString(16).padStart(3, '0')
  const luck = Buffer.from(random.buffer, random.byteOffset, 8)
  luck[0] = ((luck[0] ?? 0) & 0x3f) | 0x80
  const tail = luck.toString('hex')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter}-${tail.slice(0, 4)}-${tail.slice(4)}`
}
