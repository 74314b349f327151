/**
 * Whether a key may be used now, and what is left of its Usage Limits (KMIP 1.4 §3.19, §3.21, §3.22, §3.25, §3.26). What it
 * is: pure rules, one row a use. What it is not: who may use it (identity/permissions.ts), or the cryptography.
 */
import type { UsageLimits } from '#kmip/attribute-values'
import { CryptographicUsageMask, ResultReason, State, UsageLimitsUnit } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { stateOf } from './lifecycle.ts'
import { type ManagedObject, valueOf, withValue } from './managed-object.ts'

/** What a key is used for. */
export type Use = 'encrypt' | 'decrypt' | 'sign' | 'verify' | 'macGenerate' | 'macVerify' | 'derive' | 'wrap' | 'unwrap'

/** A use: its bit of the Cryptographic Usage Mask, and whether it applies protection or processes what is protected. */
interface UseRow {
  readonly bit: number
  readonly protects: boolean
  readonly text: string
}

const rows: Readonly<Record<Use, UseRow>> = {
  encrypt: { bit: CryptographicUsageMask.Encrypt, protects: true, text: 'encryption' },
  decrypt: { bit: CryptographicUsageMask.Decrypt, protects: false, text: 'decryption' },
  sign: { bit: CryptographicUsageMask.Sign, protects: true, text: 'signing' },
  verify: { bit: CryptographicUsageMask.Verify, protects: false, text: 'verifying signatures' },
  macGenerate: { bit: CryptographicUsageMask.MACGenerate, protects: true, text: 'making MACs' },
  macVerify: { bit: CryptographicUsageMask.MACVerify, protects: false, text: 'verifying MACs' },
  wrap: { bit: CryptographicUsageMask.WrapKey, protects: true, text: 'wrapping keys' },
  unwrap: { bit: CryptographicUsageMask.UnwrapKey, protects: false, text: 'unwrapping keys' },
  derive: { bit: CryptographicUsageMask.DeriveKey, protects: true, text: 'derivation' },
}

/** §3.22: protection is applied with Active objects alone; what is protected is processed also afterwards. */
const processingStates: ReadonlySet<number | undefined> = new Set([State.Active, State.Deactivated, State.Compromised])

/**
 * Why an object may not be used so now, as text for the client; undefined when it may.
 * @param now seconds since 1970
 */
export const objectionToUse = (object: ManagedObject, use: Use, now: number): string | undefined => {
  const { bit, protects, text } = rows[use]
  const mask = valueOf<number>(object, 'Cryptographic Usage Mask') ?? 0
  if ((mask & bit) === 0) return `The Cryptographic Usage Mask of the object does not allow ${text}`
  const state = stateOf(object)
  if (protects && state !== State.Active) return 'The object is not in the Active state'
  if (!processingStates.has(state)) return 'The object has not been activated, or is destroyed'
  const stop = valueOf<number>(object, 'Protect Stop Date')
  if (protects && stop !== undefined && now >= stop) return 'The Protect Stop Date of the object has been reached'
  const start = valueOf<number>(object, 'Process Start Date')
  if (!protects && start !== undefined && now < start) {
    return 'The Process Start Date of the object has not been reached'
  }
  return undefined
}

/** What is protected: so many bytes, and so many objects (the parts of a stream after the first are of the same object). */
export interface Amount {
  readonly bytes: number
  readonly objects: number
}

/**
 * The object after an amount was protected with it, or the same object where nothing limits that (§3.21; processing is never
 * limited).
 * @throws KmipError Permission Denied when less is left than is needed (§4.29)
 */
export const allocated = (object: ManagedObject, use: Use, { bytes, objects }: Amount): ManagedObject => {
  const limits = limitsOf(object, use)
  if (limits === undefined) return object
  const needed = BigInt(limits.usageLimitsUnit === UsageLimitsUnit.Byte ? bytes : objects)
  if (needed === 0n) return object
  const left = limits.usageLimitsCount ?? limits.usageLimitsTotal ?? 0n
  if (needed > left) throw new KmipError(ResultReason.PermissionDenied, 'The Usage Limits of the object are used up')
  return withValue(object, 'Usage Limits', { ...limits, usageLimitsCount: left - needed })
}

/** Whether each use counts: Usage Limits hold for it (§3.21). */
export const isLimited = (object: ManagedObject, use: Use): boolean => limitsOf(object, use) !== undefined

const limitsOf = (object: ManagedObject, use: Use): UsageLimits | undefined =>
  rows[use].protects ? valueOf<UsageLimits>(object, 'Usage Limits') : undefined

/** Until when an object that may be used so now may be used, as far as no change of its State says otherwise (§3.26). */
export const usableUntil = (object: ManagedObject, use: Use): number =>
  (rows[use].protects ? valueOf<number>(object, 'Protect Stop Date') : undefined) ?? Number.POSITIVE_INFINITY
