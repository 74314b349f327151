/** Who goes when room is needed: what nobody asked for since the hand came by, and nothing that is gone already. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Kept, SecondChance } from '#actor/second-chance'

interface Letter extends Kept {
  readonly name: string
}

const letters = (names: string) => Array.from(names, (name): Letter => ({ name, used: false, place: 0 }))

const filled = (names: string) => {
  const line = new SecondChance<Letter>()
  const all = letters(names)
  for (const each of all) line.add(each)
  return { line, all }
}

test('what was not asked for goes in the order in which it came', () => {
  const { line } = filled('abc')
  assert.deepEqual([line.next()?.name, line.next()?.name, line.next()?.name], ['a', 'b', 'c'])
})

test('what was asked for is passed over once', () => {
  const { line, all } = filled('abc')
  const [a, , c] = all
  assert.ok(a && c)
  a.used = true
  c.used = true
  assert.equal(line.next()?.name, 'b')
  assert.equal(line.next()?.name, 'a')
  assert.equal(c.used, false)
})

test('all were asked for: one goes all the same', () => {
  const { line, all } = filled('abc')
  for (const each of all) each.used = true
  assert.equal(line.next()?.name, 'a')
})

test('what was removed is not given, and its place is taken again', () => {
  const { line, all } = filled('abc')
  const [a, b, c] = all
  assert.ok(a && b && c)
  line.remove(a)
  line.remove(b)
  assert.equal(line.next(), c)
  const [d] = letters('d')
  assert.ok(d)
  line.add(d)
  assert.ok(d.place < 3)
  assert.deepEqual(new Set([line.next(), line.next()]), new Set([c, d]))
  line.remove(c)
  line.remove(d)
  assert.equal(line.next(), undefined)
})
