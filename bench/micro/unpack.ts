/**
 * Times src/store/unpack.ts: a key from its packed bytes, beside msgpackr's own reader. What it is not: the seal, or the way from
 * the disk (front.ts).
 */

import { Packr } from 'msgpackr'
import type { ManagedObject } from '#objects/managed-object'
import { packValue } from '#store/records'
import { unpackPlain } from '#store/unpack'
import { objectPattern } from './objects.ts'
import { noClose, type Suite } from './suite.ts'

const objectCount = 1_000

/** A task a reader. */
export const open = async (): Promise<Suite> => {
  const objectOf = await objectPattern()
  const all = Array.from({ length: objectCount }, (_, index) => {
    const object = objectOf(index)
    return { key: object.uniqueIdentifier, bytes: Buffer.from(packValue(object)) }
  })
  const [first] = all
  if (first === undefined) throw new TypeError('there are no objects')
  const msgpackr = new Packr({ useRecords: false, moreTypes: true, copyBuffers: true })
  let at = 0
  const next = (): typeof first => {
    at += 1
    return all[at % all.length] ?? first
  }
  return {
    tasks: [
      {
        name: 'a key',
        run: () => {
          const { key, bytes } = next()
          return (unpackPlain(bytes, key) as ManagedObject).objectType
        },
      },
      { name: 'a key, by msgpackr', run: () => (msgpackr.unpack(next().bytes) as ManagedObject).objectType },
    ],
    close: noClose,
  }
}
