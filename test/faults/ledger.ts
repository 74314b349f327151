/**
 * What the server promised: every object that a client was told of, kept outside the server, and the comparison with what
 * the server has after it was killed. What it is: the harness's memory. What it is not: the killing (rounds.ts).
 */
import type { Client } from '#client/client'
import { KmipResponseError } from '#client/errors'
import { ResultReason, State } from '#kmip/enums'

/** An object whose creation was acknowledged. */
export interface Promised {
  readonly uniqueIdentifier: string
  /** The key that was registered; undefined for one that the server made. */
  readonly material: Buffer | undefined
  /** The newest state that was acknowledged. */
  state: State
  /** A change of state was asked for and not answered: it may have happened or not. */
  uncertain: boolean
}

/** What is wrong with an object, or undefined. */
export type Verdict = string | undefined

/** Asks the server for a promised object, its key and its state. @throws what a client throws when it has no answer */
export const verify = async (client: Client, promised: Promised): Promise<Verdict> => {
  const { uniqueIdentifier, material, state, uncertain } = promised
  try {
    const { symmetricKey } = await client.get({ uniqueIdentifier })
    if (state === State.Destroyed) return 'it was destroyed, and its key is there again'
    const value = symmetricKey?.keyBlock.keyValue
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
