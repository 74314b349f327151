/**
 * Turns at contended objects. What it is: a queue for each object that a commit lost, so that those who decide anew do it one
 * after the other and everyone comes to an end. What it is not: the guard of an object, which is the revision that a commit
 * expects: who has not lost anything takes no turn, and other threads know nothing of these.
 */

interface Queue {
  /** Resolves when the last of the queue has given its turn back. */
  last: Promise<void>
  length: number
}

export class Turns {
  readonly #queues = new Map<string, Queue>()

  /** Whether somebody has, or waits for, a turn at this object. */
  isTaken(key: string): boolean {
    return this.#queues.has(key)
  }

  /** Whether nobody has any turn: what holds nearly always. */
  get isIdle(): boolean {
    return this.#queues.size === 0
  }

  /**
   * Waits for those who came before. Who has a turn takes no second one before it is given back: so nobody waits in a circle.
   * @returns gives the turn back, once
   */
  async take(key: string): Promise<() => void> {
    const queue = this.#queues.get(key) ?? { last: Promise.resolve(), length: 0 }
    this.#queues.set(key, queue)
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = queue.last
    queue.last = promise
    queue.length += 1
    await before
    return () => {
      queue.length -= 1
      if (queue.length === 0) this.#queues.delete(key)
      resolve()
    }
  }
}
