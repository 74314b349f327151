/**
 * Who goes when room is needed. What it is: a list of what is kept, and a hand that goes round over it: what was asked for since
 * it last came by gets a second chance, what was not goes; and the bound of what all may weigh. What it is not: where things are found.
 *
 * Each stands at a place of its own, and the hand is a number. An iterator of a Set in the hand's place keeps all that was
 * removed from the Set since it last moved: a server whose room was never taken would grow for ever, with the keys in it.
 */

import assert from 'node:assert/strict'

/** What is kept, with what is noted of it here. */
export interface Kept {
  /** Bytes, say. It stays as it is. */
  readonly weight: number
  /** Asked for since the hand came by. */
  used: boolean
  /** Where it stands. */
  place: number
}

export class SecondChance<Each extends Kept> {
  readonly #places: (Each | undefined)[] = []
  readonly #free: number[] = []
  readonly #weightMax: number
  #weight = 0
  #hand = 0

  /** @param weightMax what all may weigh together */
  constructor(weightMax: number) {
    this.#weightMax = weightMax
  }

  /** Whether there is room beside all that is here. */
  hasRoom(weight: number): boolean {
    return this.#weight + weight <= this.#weightMax
  }

  /** Has things go until there is room. @param forget is to remove what it is given */
  makeRoom(weight: number, forget: (each: Each) => void): void {
    while (!this.hasRoom(weight)) {
      const each = this.#next()
      if (each === undefined) return
      forget(each)
    }
  }

  /** Has a thing stand in line. */
  add(each: Each): void {
    each.place = this.#free.pop() ?? this.#places.length
    this.#places[each.place] = each
    this.#weight += each.weight
  }

  /** Lets a thing go that stands here. */
  remove(each: Each): void {
    assert(this.#places[each.place] === each, 'a thing is removed once')
    this.#places[each.place] = undefined
    this.#free.push(each.place)
    this.#weight -= each.weight
  }

  /** The next that was not asked for since the hand came by it; it stands until it is removed. Undefined: nothing is here. */
  #next(): Each | undefined {
    for (let left = 2 * this.#places.length; left > 0; left -= 1) {
      if (this.#hand >= this.#places.length) this.#hand = 0
      const each = this.#places[this.#hand]
      this.#hand += 1
      if (each === undefined) continue
      if (!each.used) return each
      each.used = false
    }
    return undefined
  }
}
