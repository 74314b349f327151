/**
 * What becomes of a value that a client gives, where the specification says more than "as it is". What it is: one row an
 * attribute. What it is not: the rules of who may set it (attributes.ts).
 */
import type { ApplicationSpecificInformation, UsageLimits } from '#kmip/attribute-values'
import { isCustomName } from '#kmip/attributes'
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { type Item, ItemType } from '#ttlv/item'

type Accept = (value: unknown, previous: unknown) => unknown

/** §3.21: the Count is the server's own; a change of Total or Unit leaves the other as it is, and starts the Count anew. */
const acceptUsageLimits: Accept = (value, previous) => {
  const given = value as UsageLimits
  const before = previous as UsageLimits | undefined
  const total = given.usageLimitsTotal ?? before?.usageLimitsTotal
  const unit = given.usageLimitsUnit ?? before?.usageLimitsUnit
  if (total === undefined || unit === undefined) {
    throw new KmipError(ResultReason.InvalidField, 'Usage Limits need a Usage Limits Total and a Usage Limits Unit')
  }
  if (total < 0n) throw new KmipError(ResultReason.InvalidField, 'The Usage Limits Total is negative')
  return { usageLimitsTotal: total, usageLimitsCount: total, usageLimitsUnit: unit }
}

/** §3.36: the server makes Application Data for the namespaces that Query names; it names none. */
const acceptApplicationSpecificInformation: Accept = (value) => {
  if ((value as ApplicationSpecificInformation).applicationData === undefined) {
    throw new KmipError(
      ResultReason.ApplicationNamespaceNotSupported,
      'The server makes no Application Data for this namespace; give it',
    )
  }
  return value
}

/** §3.39: a custom attribute that is a structure holds no structures. Its name is a part of keys, which NUL ends. */
const acceptCustom = (name: string, value: unknown): unknown => {
  if (name.includes('\0')) throw new KmipError(ResultReason.InvalidField, 'The name of a custom attribute holds a NUL')
  const item = value as Item
  if (item.type === ItemType.Structure && item.value.some((child) => child.type === ItemType.Structure)) {
    throw new KmipError(ResultReason.InvalidField, 'A custom attribute may be a structure, but not one of structures')
  }
  return value
}

const rows: ReadonlyMap<string, Accept> = new Map([
  ['Usage Limits', acceptUsageLimits],
  ['Application Specific Information', acceptApplicationSpecificInformation],
])

/** The value as it is kept. @param previous the instance's value that it replaces, if any. @throws KmipError when it cannot be. */
export const acceptedValue = (name: string, value: unknown, previous: unknown): unknown => {
  if (isCustomName(name)) return acceptCustom(name, value)
  return rows.get(name)?.(value, previous) ?? value
}
