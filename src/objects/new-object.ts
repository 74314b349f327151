/**
 * What the server sets on a new object, and what it keeps in step afterwards (KMIP 1.4 §3, "When implicitly set"). What it
 * is: pure rules. What it is not: what a client gives (attributes.ts), key material, or the store.
 */

import type { Digest, RngParameters } from '#kmip/attribute-values'
import { attributeRow } from '#kmip/attributes'
import { CryptographicAlgorithm, DRBGAlgorithm, ResultReason, RNGAlgorithm, State } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { contradictionOfDates, settle } from './lifecycle.ts'
import { type AttributeInstance, type AttributeSet, type ManagedObject, valueOf, withValue } from './managed-object.ts'

/** The server's generator, as Random Number Generator (§3.44) and Query tell it: the library's CTR_DRBG over AES-256. */
export const serverRng: RngParameters = {
  rngAlgorithm: RNGAlgorithm.DRBG,
  cryptographicAlgorithm: CryptographicAlgorithm.AES,
  cryptographicLength: 256,
  drbgAlgorithm: DRBGAlgorithm.CTR,
}

export interface NewObject {
  readonly uniqueIdentifier: string
  readonly objectType: number
  readonly owner: string
  /** What the request and its templates give. */
  readonly attributes: AttributeSet
  /** What the object itself tells: algorithm, length, certificate fields. Stands above what the request gives. */
  readonly derived: Readonly<Record<string, unknown>>
  readonly value: unknown
  /** Absent where the server has no access to the material. */
  readonly digest: Digest | undefined
  /** Made by the server, or registered. */
  readonly generated: boolean
  /** Seconds since 1970. */
  readonly now: number
  readonly leaseTimeSeconds: number
  /** The generator of what is made here: the server's own, or what the deployment asserts in its place. */
  readonly rng: RngParameters
}

/**
 * The object with every attribute that the server sets.
 * @throws KmipError Invalid Field when its dates contradict one another, or another random number generator is asked for.
 */
export const newObject = (given: NewObject): ManagedObject => {
  const { now, objectType, generated, rng } = given
  if (generated) checkRng(first(given.attributes, 'Random Number Generator') as RngParameters | undefined, rng)
  const sensitive = first(given.attributes, 'Sensitive') ?? false
  const extractable = first(given.attributes, 'Extractable') ?? true
  const set: Readonly<Record<string, unknown>> = {
    ...given.derived,
    Digest: given.digest,
    'Lease Time': given.leaseTimeSeconds,
    State: State.PreActive,
    'Initial Date': now,
    'Last Change Date': now,
    Fresh: true,
    'Original Creation Date': generated ? now : undefined,
    'Random Number Generator': generated ? rng : undefined,
    Sensitive: sensitive,
    'Always Sensitive': sensitive,
    Extractable: extractable,
    'Never Extractable': !extractable,
  }
  const attributes: Record<string, readonly AttributeInstance[]> = { ...given.attributes }
  for (const [name, value] of Object.entries(set)) {
    const applies = attributeRow(name)?.objectTypes.has(objectType) ?? false
    if (value !== undefined && applies) attributes[name] = [{ index: 0, value }]
  }
  const { uniqueIdentifier, owner, value } = given
  return checkedDates(settle({ uniqueIdentifier, objectType, owner, attributes, value }, now))
}

const first = (attributes: AttributeSet, name: string): unknown => attributes[name]?.[0]?.value

/** §3.44: a request may name the generator by as much as it knows of it. @throws KmipError Invalid Field for another one. */
const checkRng = (asked: RngParameters | undefined, rng: RngParameters): void => {
  if (asked === undefined || asked.rngAlgorithm === RNGAlgorithm.Unspecified) return
  const has: Readonly<Record<string, unknown>> = { ...rng }
  if (Object.entries(asked).some(([field, value]) => value !== undefined && value !== has[field])) {
    throw new KmipError(ResultReason.InvalidField, 'The server has another Random Number Generator; see Query')
  }
}

/** @throws KmipError Invalid Field when the object's dates contradict one another (§3.25, §3.26), and did not do so before. */
const checkedDates = (object: ManagedObject, before?: ManagedObject): ManagedObject => {
  const contradiction = contradictionOfDates(object)
  // Revoke sets the Deactivation Date whatever the other dates are: no later change is to blame for that.
  if (contradiction === undefined || (before !== undefined && contradictionOfDates(before) === contradiction)) {
    return object
  }
  throw new KmipError(ResultReason.InvalidField, contradiction)
}

/**
 * The object after a client changed an attribute: what follows from it (§3.22: dates move the state; §3.49, §3.51: Always
 * Sensitive and Never Extractable are lost once and for all).
 * @throws KmipError Invalid Field when the change makes its dates contradict one another.
 */
export const afterChange = (object: ManagedObject, before: ManagedObject, now: number): ManagedObject => {
  let changed = checkedDates(settle(object, now), before)
  if (valueOf(changed, 'Sensitive') === false && valueOf(changed, 'Always Sensitive') === true) {
    changed = withValue(changed, 'Always Sensitive', false)
  }
  if (valueOf(changed, 'Extractable') === true && valueOf(changed, 'Never Extractable') === true) {
    changed = withValue(changed, 'Never Extractable', false)
  }
  return changed
}
