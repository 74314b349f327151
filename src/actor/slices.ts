/**
 * Turns of a thread for long work. What it is: one queue a thread, of which one goes on in each turn of the event loop, so that
 * however many have much to do, all others wait for a slice of one of them and not for a slice of each. What it is not: a
 * scheduler: what is short never comes here, and who holds the thread is not interrupted.
 */

/** About as much work as others may be made to wait for: who has worked so long, and has more to do, asks for another slice. */
export const sliceMs = 2

const waiting = new Set<() => void>()
let isDue = false

/** Resolves when it is the caller's turn. First come, first served. */
export const nextSlice = (): Promise<void> =>
  new Promise((resolve) => {
    waiting.add(resolve)
    schedule()
  })

const schedule = (): void => {
  if (isDue) return
  isDue = true
  setImmediate(() => {
    isDue = false
    const [next] = waiting
    if (next === undefined) return
    waiting.delete(next)
    if (waiting.size > 0) schedule()
    next()
  })
}
