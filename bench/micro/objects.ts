/**
 * Managed Objects for the suites of the store: a key as a server made it, with other identifiers and Names. What it is not: the
 * making of one (dispatch.ts).
 */
import type { ManagedObject } from '#objects/managed-object'
import { objectTable } from '#operations/object-table'
import { openServerParts } from './server-parts.ts'

/** Gives the object of a number: always the same, and another one for each number. */
export type ObjectOf = (number: number) => ManagedObject

/** Identifiers that ascend with the number, as those of a server do with time. */
const identifierOf = (number: number): string => `01a20b3c-7bff-7000-8000-${number.toString(16).padStart(12, '0')}`

const makePattern = async (): Promise<ObjectOf> => {
  const parts = await openServerParts(['--audit', 'off'])
  try {
    const [made] = await parts.makeKeys(1)
    const pattern = made && parts.store.read(objectTable, made.uniqueIdentifier)?.value
    if (pattern === undefined) throw new Error('the server made no key')
    const name = pattern.attributes['Name']?.[0]?.value as object
    return (number) => ({
      ...pattern,
      uniqueIdentifier: identifierOf(number),
      attributes: {
        ...pattern.attributes,
        Name: [{ index: 0, value: { ...name, nameValue: `volume ${number}` } }],
        'Initial Date': [{ index: 0, value: 1_700_000_000 + number }],
      },
    })
  } finally {
    await parts.close()
  }
}

let pattern: Promise<ObjectOf> | undefined

/** Has a server make one key with a Name, once, and takes it as the pattern. @throws Error when it is not in the store */
export const objectPattern = (): Promise<ObjectOf> => (pattern ??= makePattern())
