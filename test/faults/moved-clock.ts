/**
 * A machine's clock that is set while a process runs. What it is: the date of this thread, moved by what a file says at the
 * moment. What it is not: a change of timers or of the monotonic clock, which setting a clock does not touch either; or of
 * what OpenSSL takes for the date.
 */
import { readFileSync } from 'node:fs'

/** The file is looked at so often, at most. */
const lookEveryMs = 5

/** @param path of a file that says by how many milliseconds the clock is ahead */
export const moveClock = (path: string): void => {
  const RealDate = Date
  let aheadMs = 0
  let lookedAtMs = Number.NEGATIVE_INFINITY
  const nowMs = (): number => {
    if (performance.now() - lookedAtMs > lookEveryMs) {
      lookedAtMs = performance.now()
      aheadMs = Number(readFileSync(path, 'utf8'))
    }
    return RealDate.now() + aheadMs
  }
  const MovedDate = new Proxy(RealDate, {
    construct: (target, given, newTarget) =>
      Reflect.construct(target, given.length === 0 ? [nowMs()] : given, newTarget) as object,
    get: (target, name, receiver) => (name === 'now' ? nowMs : Reflect.get(target, name, receiver)),
  })
  Object.assign(globalThis, { Date: MovedDate })
}
