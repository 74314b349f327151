/**
 * A mailbox: a first-in-first-out queue that cannot be built without a capacity. What it is: where an actor's messages
 * wait. What it is not: a place where a message is lost silently; the sender is told when there is no room.
 */

import assert from 'node:assert/strict'

/** Bounded queue. `offer` at the end, `take` at the front. */
export class Mailbox<M> {
  readonly capacity: number
  #messages: M[] = []
  /** Messages before this place have been taken; the array is cut when they are many, so that taking one costs O(1). */
  #first = 0

  /** @param capacity how many messages may wait: a whole number of at least 1. */
  constructor(capacity: number) {
    assert(Number.isSafeInteger(capacity) && capacity >= 1, 'a mailbox needs a capacity of at least 1')
    this.capacity = capacity
  }

  /** How many messages wait. */
  get size(): number {
    return this.#messages.length - this.#first
  }

  /** Puts a message at the end. Gives false, and keeps nothing, when there is no room. */
  offer(message: M): boolean {
    if (this.size >= this.capacity) return false
    this.#messages.push(message)
    return true
  }

  /** Takes up to `atMost` messages, the longest waiting first; all of them when `atMost` is not given. */
  take(atMost: number = this.capacity): M[] {
    const end = Math.min(this.#first + atMost, this.#messages.length)
    if (this.#first === 0 && end === this.#messages.length) {
      const all = this.#messages
      this.#messages = []
      return all
    }
    const taken = this.#messages.slice(this.#first, end)
    this.#first = end
    if (this.#first * 2 >= this.#messages.length) {
      this.#messages = this.#messages.slice(this.#first)
      this.#first = 0
    }
    return taken
  }
}
