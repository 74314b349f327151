/**
 * Times src/store/keys.ts: the index keys of an object, as a commit makes them, and those that a search asks for. What it is
 * not: the entries' way to the disk (front.ts).
 */
import { systemEntropy } from '#actor/entropy'
import { createKeyring, openKeyring } from '#crypto/seal'
import { objectTable } from '#operations/object-table'
import { encodeNumber, encodeRecordKey, IndexKeys } from '#store/keys'
import { objectPattern } from './objects.ts'
import { noClose, type Suite } from './suite.ts'

/** More objects than hashes are kept for, so that a name's hash is computed each time, as it is for a new object. */
const objectCount = 10_000

/** A task a kind of key. */
export const open = async (): Promise<Suite> => {
  const root = systemEntropy.bytes(32)
  const keyring = openKeyring(root, createKeyring(root, systemEntropy), systemEntropy)
  const keys = new IndexKeys(keyring, objectTable.name)
  const objectOf = await objectPattern()
  const objects = Array.from({ length: objectCount }, (_, index) => objectOf(index))
  const [first] = objects
  if (first === undefined) throw new TypeError('there are no objects')
  let at = 0
  const next = () => {
    at += 1
    return objects[at % objects.length] ?? first
  }
  const known = objectTable.claims(first)
  const claims = objects.map((object) => objectTable.claims(object))
  const claimSize = (entries: typeof known): number => entries.reduce((sum, entry) => sum + keys.claim(entry).length, 0)
  return {
    tasks: [
      { name: 'entries of an object', run: () => objectTable.index(next()).length },
      {
        name: 'index keys of a new object',
        run: () => {
          const object = next()
          let size = claimSize(objectTable.claims(object))
          for (const entry of objectTable.index(object)) size += keys.posting(entry).length
          return size
        },
      },
      { name: 'claim of a new Name', run: () => claimSize(claims[(at += 1) % claims.length] ?? known) },
      { name: 'claim of a Name whose hash is kept', run: () => claimSize(known) },
      { name: 'record key', run: () => encodeRecordKey(next().uniqueIdentifier).length },
      { name: 'number', run: () => encodeNumber((at += 1)).length },
    ],
    close: noClose,
  }
}
