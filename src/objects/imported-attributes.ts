/**
 * The attributes of an imported object (KMIP 1.4 §4.41): as they are given, also those that otherwise the server alone sets.
 * What it is: the rules that are left: known, applicable, within bounds, each index once. What it is not: an operation.
 */
import type { Attribute } from '#kmip/attribute'
import type { UsageLimits } from '#kmip/attribute-values'
import { attributeRow } from '#kmip/attributes'
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { inVersion } from '#kmip/row'
import { acceptedValue } from './accepted-values.ts'
import { type AttributeLimits, checkAttributeBytes } from './attributes.ts'
import { canonical } from './canonical.ts'
import type { AttributeInstance, AttributeSet } from './managed-object.ts'

/** Kept as fields of the object, not among its attributes. */
const fields = ['Unique Identifier', 'Object Type']

/**
 * @param identity what the request says that the object is, which its attributes must not contradict
 * @throws KmipError Invalid Field for what is unknown, does not apply, contradicts or stands twice; Index Out of Bounds for
 * too many instances; Application Namespace Not Supported
 */
export const importedAttributes = (
  identity: { readonly uniqueIdentifier: string; readonly objectType: number },
  given: readonly Attribute[],
  version: number,
  limits: AttributeLimits,
): AttributeSet => {
  const set = new Map<string, AttributeInstance[]>()
  for (const { attributeName: name, attributeIndex = 0, attributeValue } of given) {
    const row = attributeRow(name)
    if (row === undefined || !inVersion(row, version)) {
      throw new KmipError(ResultReason.InvalidField, 'An attribute is not known')
    }
    if (!row.objectTypes.has(identity.objectType)) {
      throw new KmipError(ResultReason.InvalidField, `${row.name} does not apply to this Object Type`)
    }
    const instances = set.get(name) ?? []
    if (instances.some(({ index }) => index === attributeIndex) || attributeIndex < 0) {
      throw new KmipError(ResultReason.InvalidField, `${row.name} is given twice with one Attribute Index`)
    }
    if (instances.length >= (row.multiple ? limits.instancesMax : 1)) throw new KmipError(ResultReason.IndexOutOfBounds)
    instances.push({ index: attributeIndex, value: importedValue(name, attributeValue) })
    set.set(name, instances)
  }
  const told: Readonly<Record<string, unknown>> = {
    'Unique Identifier': identity.uniqueIdentifier,
    'Object Type': identity.objectType,
  }
  for (const name of fields) {
    const [instance] = set.get(name) ?? []
    if (instance !== undefined && canonical(instance.value) !== canonical(told[name])) {
      throw new KmipError(ResultReason.InvalidField, `The ${name} is not that of the request`)
    }
    set.delete(name)
  }
  const attributes = [...set].map(
    ([name, instances]) => [name, instances.toSorted((a, b) => a.index - b.index)] as const,
  )
  if (attributes.reduce((count, [, instances]) => count + instances.length, 0) > limits.attributesPerObjectMax) {
    throw new KmipError(ResultReason.IndexOutOfBounds)
  }
  const imported = Object.fromEntries(attributes)
  checkAttributeBytes(imported, limits)
  return imported
}

/** The value as it is kept: a Usage Limits Count goes on where it stood. */
const importedValue = (name: string, value: unknown): unknown => {
  if (name !== 'Usage Limits') return acceptedValue(name, value, undefined)
  const counted = acceptedValue(name, value, undefined) as UsageLimits
  return { ...counted, usageLimitsCount: (value as UsageLimits).usageLimitsCount ?? counted.usageLimitsCount }
}
