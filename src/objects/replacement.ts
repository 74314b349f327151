/**
 * What a replacement takes from the object that it replaces (KMIP 1.4 §4.4, §4.5, §4.8: Re-key, Re-key Key Pair,
 * Re-certify). What it is: rules of values. What it is not: new material, or the store.
 */
import type { UsageLimits } from '#kmip/attribute-values'
import { attributeRow } from '#kmip/attributes'
import { LinkType, ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { type AttributeLimits, checkAddedTo } from './attributes.ts'
import { sameValue } from './canonical.ts'
import {
  type AttributeInstance,
  type AttributeSet,
  instancesOf,
  type ManagedObject,
  valueOf,
  withInstances,
} from './managed-object.ts'

/** A Link's value (§3.35). */
export interface LinkValue {
  readonly linkType: number
  readonly linkedObjectIdentifier: string
}

/** Tables 173, 177, 187: never copied; the server sets them anew, or they tell of the life of the existing object alone. */
const ownLife: ReadonlySet<string> = new Set([
  'State',
  'Initial Date',
  'Destroy Date',
  'Compromise Occurrence Date',
  'Compromise Date',
  'Revocation Reason',
  'Archive Date',
  'Digest',
  'Link',
  'Last Change Date',
  'Lease Time',
  'Fresh',
  'Original Creation Date',
  'Random Number Generator',
  'Always Sensitive',
  'Never Extractable',
  'Key Value Present',
  'Key Value Location',
])

/** Dates that an Offset moves, and that a request does not give beside an Offset. */
const dates = ['Activation Date', 'Process Start Date', 'Protect Stop Date', 'Deactivation Date'] as const

/**
 * The attributes of a replacement: those of the existing object, above them what the request gives (single-instance
 * attributes replaced, of others the union), the dates moved by the Offset (Tables 172, 176, 186).
 * @param offsetSeconds from the replacement's Initial Date, which is `now` (seconds since 1970), to its Activation Date
 * @throws KmipError Invalid Message for an Offset beside a date; Illegal Operation for one that has no Activation Date to start from;
 * Index Out of Bounds and Invalid Field where the request gives more than there is room for
 */
export const replacementAttributes = (
  existing: ManagedObject,
  given: AttributeSet,
  offsetSeconds: number | undefined,
  now: number,
  limits: AttributeLimits,
): AttributeSet => {
  if (offsetSeconds !== undefined && dates.some((name) => given[name] !== undefined)) {
    throw new KmipError(ResultReason.InvalidMessage, 'An Offset and a date of the replacement do not go together')
  }
  const attributes: Record<string, readonly AttributeInstance[]> = {}
  for (const [name, instances] of Object.entries(existing.attributes)) {
    // Indices start with 0 (§2.1.1), also where the first instance of the existing object was deleted.
    if (!ownLife.has(name)) attributes[name] = united([], instances)
  }
  for (const [name, instances] of Object.entries(given)) {
    const before = attributeRow(name)?.multiple === true ? (attributes[name] ?? []) : []
    attributes[name] = united(before, instances)
  }
  checkAddedTo(attributes, Object.keys(given), limits)
  const usage = attributes['Usage Limits']?.[0]?.value as UsageLimits | undefined
  if (usage !== undefined) {
    attributes['Usage Limits'] = [{ index: 0, value: { ...usage, usageLimitsCount: usage.usageLimitsTotal } }]
  }
  return offsetSeconds === undefined ? attributes : moved(existing, attributes, now + offsetSeconds)
}

const united = (
  before: readonly AttributeInstance[],
  added: readonly AttributeInstance[],
): readonly AttributeInstance[] => {
  const all = [...before]
  for (const { value } of added) {
    if (all.some((instance) => sameValue(instance.value, value))) continue
    all.push({ index: all.reduce((highest, { index }) => Math.max(highest, index), -1) + 1, value })
  }
  return all
}

const moved = (existing: ManagedObject, attributes: AttributeSet, activation: number): AttributeSet => {
  const before = valueOf<number>(existing, 'Activation Date')
  const later = dates.filter((name) => name !== 'Activation Date' && attributes[name] !== undefined)
  if (before === undefined && later.length > 0) {
    throw new KmipError(ResultReason.IllegalOperation, 'An Offset needs the Activation Date of the existing object')
  }
  const shift = activation - (before ?? activation)
  const shifted = later.map((name) => [
    name,
    [{ index: 0, value: (valueOf<number>(existing, name) ?? activation) + shift }],
  ])
  return {
    ...attributes,
    ...(Object.fromEntries(shifted) as AttributeSet),
    'Activation Date': [{ index: 0, value: activation }],
  }
}

/**
 * The existing object after its replacement: the Names have gone over, and a Link tells of the replacement. There is only one such
 * (§3.35): a later one takes its place.
 */
export const replaced = (existing: ManagedObject, replacement: string): ManagedObject => {
  const before = linkedObject(existing, LinkType.ReplacementObjectLink) ?? replacement
  return withLinkMoved(withInstances(existing, 'Name', []), before, {
    linkType: LinkType.ReplacementObjectLink,
    linkedObjectIdentifier: replacement,
  })
}

/** The object with a Link behind those that it has; one that it has already is not added twice. */
export const withLink = (object: ManagedObject, link: LinkValue): ManagedObject =>
  withInstances(object, 'Link', united(instancesOf(object, 'Link'), [{ index: 0, value: link }]))

/** The object with its Link to `from` pointing elsewhere, its index kept; added where there is none. */
export const withLinkMoved = (object: ManagedObject, from: string, link: LinkValue): ManagedObject => {
  const links = instancesOf(object, 'Link')
  const isMoved = ({ linkType, linkedObjectIdentifier }: LinkValue): boolean =>
    linkType === link.linkType && linkedObjectIdentifier === from
  const found = links.find(({ value }) => isMoved(value as LinkValue))
  if (found === undefined) return withLink(object, link)
  return withInstances(
    object,
    'Link',
    links.map((other) => (other === found ? { index: found.index, value: link } : other)),
  )
}

/** The object that a Link of this type points to, the first of several; undefined where there is none. */
export const linkedObject = (object: ManagedObject, linkType: number): string | undefined =>
  instancesOf(object, 'Link')
    .map(({ value }) => value as LinkValue)
    .find((link) => link.linkType === linkType)?.linkedObjectIdentifier

/** The attributes of a new object with Links behind those that the request gave. */
export const withLinks = (attributes: AttributeSet, links: readonly LinkValue[]): AttributeSet => ({
  ...attributes,
  Link: united(
    attributes['Link'] ?? [],
    links.map((value, index) => ({ index, value })),
  ),
})
