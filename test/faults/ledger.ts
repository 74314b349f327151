/**
 * What the server promised: every object that a client was told of, kept outside the server, and the comparison with what
 * the server has after it was killed. What it is: the harness's memory. What it is not: the killing (rounds.ts).
 */
import { attribute, nameAttribute } from '#client/attribute'
import type { Client } from '#client/client'
import { KmipResponseError } from '#client/errors'
import { LinkType, ObjectType, ResultReason, State } from '#kmip/enums'

/** What was asked for and not answered: all of it may be there, or nothing. */
export interface Attempt {
  /** One commit: a key; a key pair; a key that is made and activated by one message. */
  readonly kind: 'key' | 'pair' | 'active key'
  /** The Names of its objects, which no others have. */
  readonly names: readonly string[]
}

/** An object whose creation was acknowledged. */
export interface Promised {
  readonly uniqueIdentifier: string
  /** By which Locate finds this object and no other; undefined: it has none. */
  readonly name?: string
  /** The key that was registered; undefined for one that the server made. */
  readonly material: Buffer | undefined
  /** The newest state that was acknowledged. */
  state: State
  /** A change of state was asked for and not answered: it may have happened or not. */
  uncertain: boolean
}

/** What is wrong with an object, or undefined. */
export type Verdict = string | undefined

/** Asks the server for a promised object: by its name, its key and its state. @throws what a client throws when it has no answer */
export const verify = async (client: Client, promised: Promised): Promise<Verdict> => {
  const { uniqueIdentifier, name, material, state, uncertain } = promised
  // One that is destroyed gives its name up.
  if (name !== undefined && state !== State.Destroyed && !uncertain) {
    const found = await locate(client, name)
    if (found.join() !== uniqueIdentifier) return `its name finds ${found.length === 0 ? 'nothing' : found.join()}`
  }
  try {
    const { symmetricKey, privateKey, publicKey } = await client.get({ uniqueIdentifier })
    if (state === State.Destroyed) return 'it was destroyed, and its key is there again'
    const value = (symmetricKey ?? privateKey ?? publicKey)?.keyBlock.keyValue
    const found = value === undefined || value instanceof Uint8Array ? undefined : value.keyMaterial
    if (!(found instanceof Uint8Array)) return 'it has no key'
    if (material !== undefined && !material.equals(found)) return 'it has another key'
  } catch (error) {
    if (!(error instanceof KmipResponseError)) throw error
    const destroyed = error.reason === ResultReason.IllegalOperation
    const mayBe = state === State.Destroyed || (uncertain && state === State.PreActive)
    return destroyed && mayBe ? undefined : `Get: ${error.reasonName}`
  }
  return uncertain ? undefined : verifyState(client, promised)
}

const verifyState = async (client: Client, { uniqueIdentifier, state }: Promised): Promise<Verdict> => {
  const { attribute } = await client.getAttributes({ uniqueIdentifier, attributeName: ['State'] })
  const found = attribute[0]?.attributeValue
  return found === state ? undefined : `its state is ${String(found)} and was ${state}`
}

/** Looks for an attempt's objects: there must be all of them and whole, or none. */
export const verifyAttempt = async (client: Client, { kind, names }: Attempt): Promise<Verdict> => {
  const found = (await Promise.all(names.map((name) => locate(client, name)))).flat()
  if (found.length === 0) return undefined
  if (found.length !== names.length) return `${found.length} of ${names.length} objects of one request are there`
  const state = kind === 'active key' ? State.Active : State.PreActive
  for (const uniqueIdentifier of found) {
    const verdict = await verify(client, { uniqueIdentifier, material: undefined, state, uncertain: false })
    if (verdict !== undefined) return verdict
  }
  return kind === 'pair' ? verifyPair(client, found) : undefined
}

const verifyPair = async (client: Client, found: readonly string[]): Promise<Verdict> => {
  for (const uniqueIdentifier of found) {
    const names = ['Object Type', 'Link']
    const { attribute: values } = await client.getAttributes({ uniqueIdentifier, attributeName: names })
    const isPrivate = values.some(({ attributeValue }) => attributeValue === ObjectType.PrivateKey)
    const linkType = isPrivate ? LinkType.PublicKeyLink : LinkType.PrivateKeyLink
    const linkedObjectIdentifier = found.find((other) => other !== uniqueIdentifier) ?? ''
    const link = attribute('Link', { linkType, linkedObjectIdentifier })
    const linked = (await client.locate({ attribute: [link] })).uniqueIdentifier
    if (linked.join() !== uniqueIdentifier) return 'a key of a pair is not linked with the other'
  }
  return undefined
}

const locate = async (client: Client, name: string): Promise<readonly string[]> =>
  (await client.locate({ attribute: [nameAttribute(name)] })).uniqueIdentifier
