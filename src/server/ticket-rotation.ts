/**
 * New ticket keys every so often: whoever learns those of one time opens no sessions of another. What it is: the timer, as a child of the
 * supervisor. What it is not: the keys, or who has them (`interfaces.ts`).
 */
import type { Child } from '#actor/actor'
import type { Clock } from '#actor/clock'

/**
 * Keeps rotating until it is stopped.
 * @param everyMs from the end of one rotation to the next
 * @param rotate gives all interfaces new keys
 */
export const ticketRotation = (clock: Clock, everyMs: number, rotate: () => Promise<void>): Child => ({
  name: 'rotation of ticket keys',
  start(failed) {
    let cancel = (): void => undefined
    let isStopped = false
    const wait = (): void => {
      // A rotation that was under way at the end must set no timer: it would keep the process alive.
      if (!isStopped) cancel = clock.after(everyMs, () => void rotate().then(wait, failed))
    }
    wait()
    return {
      stop: async () => {
        isStopped = true
        cancel()
      },
    }
  },
})
