/**
 * What is told while a measurement runs: one line at a terminal, with the rate; into a file a line now and then. What it is not:
 * the counting (generator-thread.ts).
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { progressOn } from '#bench/options'

const told = (isTTY: boolean) => {
  const texts: string[] = []
  let atMs = 0
  const progress = progressOn({ isTTY, write: (text) => texts.push(text) }, () => atMs)
  return {
    texts,
    progress,
    tick: (what: string, completed: number, failed: number): void => {
      atMs += 1000
      progress.tick(what, completed, failed)
    },
  }
}

test('at a terminal one line is written over, with the rate since the last time', () => {
  const { texts, progress, tick } = told(true)
  progress.say('making 5 objects')
  tick('get', 100, 0)
  tick('get', 350, 50)
  // Another measurement counts from nothing.
  tick('echo', 10, 0)
  const over = '\r\x1b[K'
  assert.deepEqual(texts, [
    `${over}making 5 objects\n`,
    `${over}get: 100 answered, 0 not\r`,
    `${over}get: 350 answered, 50 not, 300/s\r`,
    `${over}echo: 10 answered, 0 not\r`,
  ])
})

test('into a file a line in ten seconds, without anything that moves a cursor', () => {
  const { texts, progress, tick } = told(false)
  progress.say('making 5 objects')
  for (let second = 1; second <= 20; second += 1) tick('get', second * 100, 0)
  assert.deepEqual(texts, [
    'making 5 objects\n',
    'get: 1000 answered, 0 not, 100/s\n',
    'get: 2000 answered, 0 not, 100/s\n',
  ])
})
