/**
 * What the server promised: every object that a client was told of, and every change of it, kept outside the server, and the
 * comparison with what the server has after it was killed. What it is: the harness's memory. What it is not: the killing
 * (rounds.ts), or users and clients (administrator.ts).
 */
import { attribute, nameAttribute } from '#client/attribute'
import type { Client } from '#client/client'
import { KmipResponseError } from '#client/errors'
import type { Attribute } from '#kmip/attribute'
import { LinkType, ObjectType, ResultReason, State } from '#kmip/enums'

/** What was asked for and not answered: all of it may be there, or nothing. */
export interface Attempt {
  /** One commit: a key; a key pair; a key that is made and activated by one message; a key that replaces another. */
  readonly kind: 'key' | 'pair' | 'active key' | 'replacement'
  /** The Names of its objects, which no others have. */
  readonly names: readonly string[]
  /** The key that was to be replaced, which gives its Name up when it is. */
  readonly replaces?: string
}

/** What a client can see of an object. */
export interface Facts {
  readonly state: State
  /** By which Locate finds this object and no other; undefined: it has none, or gave it up. */
  readonly name?: string | undefined
  /** The custom attribute that the harness sets. */
  readonly mark?: string | undefined
  /** What may still be allocated, of an object with Usage Limits. */
  readonly left?: bigint | undefined
  /** The key that took its place; `somebody`: one whose identifier nobody was told. */
  readonly replacedBy?: string | undefined
}

/** An object whose creation was acknowledged. */
export interface Promised {
  readonly uniqueIdentifier: string
  /** Whether it can be re-keyed. */
  readonly isSymmetricKey: boolean
  /** The key that was registered; undefined for one that the server made. */
  readonly material: Buffer | undefined
  /** As it was last acknowledged. */
  facts: Facts
  /** As a change would make it that was asked for and not answered: it may be there or not. */
  asked: Facts | undefined
}

/** What is wrong with an object, or undefined. */
export type Verdict = string | undefined

/** The custom attribute that the harness sets. */
export const markName = 'x-mark'
/** See `Facts.replacedBy`. */
export const somebody = 'somebody'

/** A symmetric key that was just made. */
export const promisedObject = (uniqueIdentifier: string, facts: Facts, material?: Buffer): Promised => ({
  uniqueIdentifier,
  isSymmetricKey: true,
  material,
  facts,
  asked: undefined,
})

const isDestroyed = ({ state }: Facts): boolean => state === State.Destroyed || state === State.DestroyedCompromised

/**
 * Asks the server for a promised object: all that was acknowledged of it, by its identifier and by its name. What was not
 * answered is either there or not, and from then on stays so.
 * @throws what a client throws when it has no answer
 */
export const verify = async (client: Client, promised: Promised): Promise<Verdict> => {
  const { uniqueIdentifier, facts, asked } = promised
  try {
    const found = await factsOf(client, uniqueIdentifier)
    const seen = [facts, asked].find((each) => each !== undefined && isSame(each, found))
    if (seen === undefined) {
      const unanswered = asked === undefined ? '' : ` or, by a request without an answer, ${textOf(asked)}`
      return `it is ${textOf(found)} and was ${textOf(facts)}${unanswered}`
    }
    promised.facts = found
    promised.asked = undefined
    if (found.name !== undefined) {
      const named = await locate(client, found.name)
      if (named.join() !== uniqueIdentifier) return `its name finds ${named.length === 0 ? 'nothing' : named.join()}`
    }
  } catch (error) {
    if (!(error instanceof KmipResponseError)) throw error
    return `Get Attributes: ${error.reasonName}`
  }
  return verifyMaterial(client, promised)
}

const verifyMaterial = async (client: Client, { uniqueIdentifier, facts, material }: Promised): Promise<Verdict> => {
  try {
    const { symmetricKey, privateKey, publicKey, secretData } = await client.get({ uniqueIdentifier })
    if (isDestroyed(facts)) return 'it was destroyed, and its key is there again'
    const value = (symmetricKey ?? privateKey ?? publicKey ?? secretData)?.keyBlock.keyValue
    const found = value === undefined || value instanceof Uint8Array ? undefined : value.keyMaterial
    if (!(found instanceof Uint8Array)) return 'it has no key'
    return material === undefined || material.equals(found) ? undefined : 'it has another key'
  } catch (error) {
    if (!(error instanceof KmipResponseError)) throw error
    const isGone = error.reason === ResultReason.IllegalOperation && isDestroyed(facts)
    return isGone ? undefined : `Get: ${error.reasonName}`
  }
}

const factsOf = async (client: Client, uniqueIdentifier: string): Promise<Facts> => {
  const attributeName = ['State', 'Name', markName, 'Usage Limits', 'Link']
  const { attribute: values } = await client.getAttributes({ uniqueIdentifier, attributeName })
  const state = valueOf<State>(values, 'State') ?? State.PreActive
  const links = valuesOf<{ readonly linkType: number; readonly linkedObjectIdentifier: string }>(values, 'Link')
  const found: Facts = {
    state,
    name: valueOf<{ readonly nameValue: string }>(values, 'Name')?.nameValue,
    mark: valueOf<{ readonly value: string }>(values, markName)?.value,
    left: valueOf<{ readonly usageLimitsCount: bigint }>(values, 'Usage Limits')?.usageLimitsCount,
    replacedBy: links.find(({ linkType }) => linkType === LinkType.ReplacementObjectLink)?.linkedObjectIdentifier,
  }
  // One that is destroyed gives its Name up.
  return isDestroyed(found) ? { ...found, name: undefined } : found
}

const valuesOf = <T>(values: readonly Attribute[], name: string): readonly T[] =>
  values.filter(({ attributeName }) => attributeName === name).map(({ attributeValue }) => attributeValue as T)

const valueOf = <T>(values: readonly Attribute[], name: string): T | undefined => valuesOf<T>(values, name)[0]

const isSame = (promised: Facts, found: Facts): boolean =>
  promised.state === found.state &&
  (isDestroyed(found) || promised.name === found.name) &&
  promised.mark === found.mark &&
  promised.left === found.left &&
  (promised.replacedBy === somebody ? found.replacedBy !== undefined : promised.replacedBy === found.replacedBy)

const textOf = ({ state, name, mark, left, replacedBy }: Facts): string =>
  JSON.stringify({ state, name, mark, left: left === undefined ? undefined : String(left), replacedBy })

/** Looks for an attempt's objects: there must be all of them and whole, or none. */
export const verifyAttempt = async (client: Client, attempt: Attempt): Promise<Verdict> => {
  const { kind, names, replaces } = attempt
  const found = (await Promise.all(names.map((name) => locate(client, name)))).flat()
  if (replaces !== undefined) return verifyReplacement(client, found, replaces)
  if (found.length === 0) return undefined
  if (found.length !== names.length) return `${found.length} of ${names.length} objects of one request are there`
  const state = kind === 'active key' ? State.Active : State.PreActive
  for (const uniqueIdentifier of found) {
    const { state: foundState } = await factsOf(client, uniqueIdentifier)
    if (foundState !== state) return `its state is ${foundState} and must be ${state}`
    const verdict = await verifyMaterial(client, promisedObject(uniqueIdentifier, { state }))
    if (verdict !== undefined) return verdict
  }
  return kind === 'pair' ? verifyPair(client, found) : undefined
}

/** A Name that one of two keys has: the old one, or the new one, which must be linked with the old one. */
const verifyReplacement = async (client: Client, found: readonly string[], replaced: string): Promise<Verdict> => {
  const [holder] = found
  if (holder === undefined || found.length > 1) return `${found.length} keys have the name of one that was re-keyed`
  const { replacedBy } = await factsOf(client, replaced)
  if (holder === replaced) return replacedBy === undefined ? undefined : 'it is replaced and has its name still'
  if (replacedBy !== holder) return 'another key has its name, and is not its replacement'
  const linked = await linkedFrom(client, LinkType.ReplacedObjectLink, replaced)
  if (linked.join() !== holder) return 'its replacement is not linked with it'
  return verifyMaterial(client, promisedObject(holder, { state: State.PreActive }))
}

const verifyPair = async (client: Client, found: readonly string[]): Promise<Verdict> => {
  for (const uniqueIdentifier of found) {
    const names = ['Object Type', 'Link']
    const { attribute: values } = await client.getAttributes({ uniqueIdentifier, attributeName: names })
    const isPrivate = values.some(({ attributeValue }) => attributeValue === ObjectType.PrivateKey)
    const linkType = isPrivate ? LinkType.PublicKeyLink : LinkType.PrivateKeyLink
    const other = found.find((each) => each !== uniqueIdentifier) ?? ''
    const linked = await linkedFrom(client, linkType, other)
    if (linked.join() !== uniqueIdentifier) return 'a key of a pair is not linked with the other'
  }
  return undefined
}

const linkedFrom = async (
  client: Client,
  linkType: LinkType,
  linkedObjectIdentifier: string,
): Promise<readonly string[]> => {
  const link = attribute('Link', { linkType, linkedObjectIdentifier })
  return (await client.locate({ attribute: [link] })).uniqueIdentifier
}

const locate = async (client: Client, name: string): Promise<readonly string[]> =>
  (await client.locate({ attribute: [nameAttribute(name)] })).uniqueIdentifier
