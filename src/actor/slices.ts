/**
 * Turns of a thread for long work. What it is: one queue a thread, of which one goes on in each turn of the event loop, so that
 * however many have much to do, all others wait for a slice of one of them and not for a slice of each; and rest for who took long in
 * one piece, while others are served who ask little. What it is not: a scheduler: what is short never comes here, and who
 * holds the thread is not interrupted. Work is time of the processor: who only held the thread need not rest.
 *
 *     nextSlice ─▶ waiting ─▶ first whose party need not rest ─▶ works, is timed ─▶ its party rests, as long as others ask little
 */
import { type Clock, monotonicMs, processorMs, systemClock } from './clock.ts'

/** About as much work as others may be made to wait for: who has worked so long, and has more to do, asks for another slice. */
const sliceMs = 0.2
/** What took so long in one piece is heavy: it could not be cut, or somebody would have. */
export const heavyMs = 0.5

/**
 * Begins a slice. Gives whether it is over, for whoever can stop there: to be asked after each small piece of the work.
 * @param clock of whoever works, which stands still in a simulation: there, what is done in a turn does not depend on the machine
 * @param ms how long it may be; what has not waited for a slice yet may end as an ordinary answer, before it is heavy
 */
export const sliceBegun = (clock: Clock, ms = sliceMs): (() => boolean) => {
  const endMs = clock.monotonicMs() + ms
  return () => clock.monotonicMs() >= endMs
}

/**
 * Who worked for a whole slice rests for four, so that those who ask little have most of the thread; what was heavy has one rest
 * the longer, in the square, up to twenty times: one in a hundred of the small requests may meet such a piece, not more.
 */
const restOf = (workedMs: number): number =>
  workedMs < sliceMs ? 0 : workedMs * Math.min(longestRest, restPerSlice * Math.max(1, workedMs / heavyMs))
const restPerSlice = 4
const longestRest = 20
/** How often it is looked whether somebody asks little, and how long nobody must have before who rests goes on. */
const watchMs = 1
const quietMs = 5
/** Parties that rest are remembered up to this number, so that nobody fills the memory with names. */
const restingMax = 10_000

interface Waiter {
  readonly party: string | undefined
  readonly beforeMs: number
  readonly resolve: () => void
}

const waiting = new Set<Waiter>()
/** Until when each party rests. */
const resting = new Map<string, number>()
let isDue = false
/** Small requests since the last look, and when there were some. */
let brief = 0
let briefSeenMs = 0

/** A request was answered that took no slice: who takes slices makes room for such. */
export const workedBriefly = (): void => {
  brief += 1
}

/**
 * Resolves when it is the caller's turn. First come, first served, but for those who rest.
 * @param party whose work it is: who shares a name rests together. Without it nobody rests: for much that is short
 * @param beforeMs what the work has cost the thread already, in pieces that are not seen here: reading a large message
 */
export const nextSlice = (party?: string, beforeMs = 0): Promise<void> =>
  new Promise((resolve) => {
    waiting.add({ party, beforeMs, resolve })
    if (!isDue) schedule(0)
  })

const schedule = (restMs: number): void => {
  isDue = true
  if (restMs > 0) systemClock.after(Math.min(restMs, watchMs), goOn)
  else setImmediate(goOn)
}

const goOn = (): void => {
  isDue = false
  const nowMs = monotonicMs()
  if (brief > 0) briefSeenMs = nowMs
  brief = 0
  // Nobody who asks little is there: resting would serve nobody.
  const isQuiet = nowMs - briefSeenMs >= quietMs
  let shortestMs = Number.POSITIVE_INFINITY
  for (const waiter of waiting) {
    const restMs = isQuiet || waiter.party === undefined ? 0 : (resting.get(waiter.party) ?? 0) - nowMs
    if (restMs <= 0) return work(waiter, nowMs)
    shortestMs = Math.min(shortestMs, restMs)
  }
  if (waiting.size > 0) schedule(shortestMs)
}

const work = (waiter: Waiter, beganMs: number): void => {
  const { party, beforeMs, resolve } = waiter
  waiting.delete(waiter)
  resolve()
  if (party !== undefined) {
    const processorBeganMs = processorMs()
    // Behind all that the caller does before it waits again: the queue of ticks comes after that of promises.
    queueMicrotask(() => process.nextTick(() => worked(party, beforeMs, beganMs, processorBeganMs)))
  }
  if (waiting.size > 0) schedule(0)
}

const worked = (party: string, beforeMs: number, beganMs: number, processorBeganMs: number): void => {
  const endedMs = monotonicMs()
  const heldMs = endedMs - beganMs
  // Whom the system kept from working, on a busy machine, has not worked: resting for that would leave processors idle.
  const isLong = beforeMs + heldMs >= sliceMs
  const restMs = isLong ? restOf(beforeMs + Math.min(heldMs, processorMs() - processorBeganMs)) : 0
  if (restMs === 0) resting.delete(party)
  else {
    if (resting.size >= restingMax) resting.clear()
    resting.set(party, endedMs + restMs)
  }
}
