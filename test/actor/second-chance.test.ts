/** Who goes when room is needed: what nobody asked for since the hand came by, no more than must, and nothing that is gone already. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Kept, SecondChance } from '#actor/second-chance'

interface Letter extends Kept {
  readonly name: string
}

const letter = (name: string, weight = 1): Letter => ({ name, weight, used: false, place: 0 })

/** A line in which there is room for no more than the letters of a word. */
const filled = (word: string) => {
  const line = new SecondChance<Letter>(word.length)
  const all = Array.from(word, (name) => letter(name))
  for (const each of all) line.add(each)
  const gone = (weight: number): string => {
    const names: string[] = []
    line.makeRoom(weight, (each) => {
      names.push(each.name)
      line.remove(each)
    })
    return names.join('')
  }
  return { line, all, gone }
}

test('what was not asked for goes in the order in which it came, as much as must', () => {
  const { line, gone } = filled('abc')
  assert.equal(gone(0), '')
  assert.equal(gone(1), 'a')
  assert.equal(line.hasRoom(1), true)
  assert.equal(line.hasRoom(2), false)
  assert.equal(gone(1), '')
  assert.equal(gone(3), 'bc')
})

test('what was asked for is passed over once', () => {
  const { line, all, gone } = filled('abc')
  const [a, , c] = all
  assert.ok(a && c)
  a.used = true
  c.used = true
  assert.equal(gone(1), 'b')
  line.add(letter('d'))
  assert.equal(gone(1), 'a')
  assert.equal(c.used, false)
  assert.equal(gone(2), 'd')
})

test('all were asked for: one goes all the same', () => {
  const { all, gone } = filled('abc')
  for (const each of all) each.used = true
  assert.equal(gone(1), 'a')
})

test('what weighs more takes the room of several, and what is too heavy leaves none', () => {
  const { line, gone } = filled('abcd')
  assert.equal(gone(2), 'ab')
  line.add(letter('E', 2))
  assert.equal(line.hasRoom(1), false)
  assert.equal(gone(1), 'c')
  assert.equal(gone(5), 'dE')
  assert.equal(gone(5), '')
})

test('what was removed is not given, and its place is taken again', () => {
  const { line, all, gone } = filled('abc')
  const [a, b] = all
  assert.ok(a && b)
  line.remove(a)
  line.remove(b)
  assert.equal(gone(3), 'c')
  const d = letter('d')
  line.add(d)
  assert.ok(d.place < 3)
  assert.equal(gone(3), 'd')
})
