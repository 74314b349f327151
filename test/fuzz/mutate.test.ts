/** The codec under broken messages: each is refused with a TtlvError, or gives a value that survives. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { RefusedPayload, readRequest } from '#kmip/message'
import { Tag } from '#kmip/tags'
import { vocabulary } from '#kmip/vocabulary'
import { Bindings, findCases, readCase } from '#test/conformance/subject'
import { BinaryReader, decodeItem, encodeItem } from '#ttlv/binary'
import { TtlvError } from '#ttlv/error'
import { Framer } from '#ttlv/framer'
import { textOfTree } from '#ttlv/text'
import { itemOfElement } from '#ttlv/xml'
import { mutations } from './mutate.ts'

const limits = { nestingDepthMax: 32, itemCountMax: 5000 }
const seeds = [1, 2, 3]
const perSeed = 1500

/** Every request of the project's own cases that needs no answer first. */
const corpus = findCases([fileURLToPath(new URL('../../conformance/cases', import.meta.url))]).flatMap((file) => {
  const request = readCase(file).exchanges[0]?.request
  return request === undefined ? [] : [encodeItem(itemOfElement(new Bindings(1_700_000_000).fill(request), vocabulary))]
})

interface Mutation {
  readonly bytes: Buffer
  /** With the seed it names the message again. */
  readonly index: number
}

const take = function* (seed: number): Generator<Mutation> {
  const messages = mutations(seed, corpus)
  for (let index = 0; index < perSeed; index += 1) yield { bytes: messages.next().value, index }
}

/** Runs what may refuse; anything but a TtlvError is a failure that names the message again. */
const refusable = <T>(seed: number, mutation: Mutation, run: () => T): T | undefined => {
  try {
    return run()
  } catch (error) {
    const place = `seed ${seed}, message ${mutation.index}: ${mutation.bytes.toString('hex')}`
    assert(error instanceof TtlvError, `${place}\n${error instanceof Error ? error.stack : String(error)}`)
    return undefined
  }
}

describe('mutations', () => {
  test('are the same for the same seed', () => {
    const hex = (seed: number): readonly string[] =>
      [...take(seed)].slice(0, 200).map(({ bytes }) => bytes.toString('hex'))
    assert.deepEqual(hex(7), hex(7))
    assert.notDeepEqual(hex(7), hex(8))
  })

  for (const seed of seeds) {
    test(`as trees, seed ${seed}`, () => {
      let refused = 0
      for (const mutation of take(seed)) {
        const item = refusable(seed, mutation, () => decodeItem(mutation.bytes, limits))
        if (item === undefined) refused += 1
        else {
          assert.deepEqual(encodeItem(decodeItem(encodeItem(item), limits)), encodeItem(item))
          assert(textOfTree(item, { vocabulary, redactedTags: new Set() }).length <= 4097)
        }
      }
      assert(refused > perSeed / 10 && refused < perSeed, `${refused} refused`)
    })

    test(`as requests, seed ${seed}: a faulty payload is refused alone`, () => {
      let partly = 0
      for (const mutation of take(seed)) {
        const request = refusable(seed, mutation, () => readRequest(new BinaryReader(mutation.bytes, limits)))
        if (request?.batchItem.some((item) => item.requestPayload instanceof RefusedPayload)) partly += 1
      }
      assert(partly > 0)
    })

    test(`as a stream, seed ${seed}: the framer gives whole messages or refuses`, () => {
      for (const mutation of take(seed)) {
        const framer = new Framer(Tag.RequestMessage, 65_536)
        for (let at = 0; at < mutation.bytes.length; at += 100) framer.push(mutation.bytes.subarray(at, at + 100))
        refusable(seed, mutation, () => {
          for (let message = framer.next(); message !== undefined; message = framer.next()) {
            assert.equal(message.readUInt32BE(4) + 8, message.length)
          }
        })
      }
    })
  }
})
