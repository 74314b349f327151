/**
 * What Locate asks for, as index terms and as a test of one object (KMIP 1.4 §4.9). What it is: the matching rules of the
 * specification and the index entries that answer them. What it is not: the search itself (store/), or access.
 *
 *     filter ──▶ terms, answered by indexes alone, and a rest that candidates are tested for
 *     object ──▶ entries, one or more for every attribute whose row is indexed
 */

import type { attributeFilter } from '#kmip/attribute'
import type { Name } from '#kmip/attribute-values'
import { attributeRow, type IndexKind } from '#kmip/attributes'
import { State } from '#kmip/enums'
import type { Infer } from '#ttlv/schema'
import { canonical } from './canonical.ts'
import { isDestroyed, nextTransition } from './lifecycle.ts'
import { type AttributeInstance, instancesOf, type ManagedObject, valueOf } from './managed-object.ts'

/** An index entry: the same shape as the store's. */
export interface Entry {
  readonly field: string
  readonly value: string | number
  readonly beside?: Entry
}

/** A term of a query: the same shape as the store's. */
export type FilterTerm =
  | { readonly field: string; readonly equals: string | number; readonly claimed?: true; readonly beside?: Entry }
  | { readonly field: string; readonly from?: number; readonly to?: number }

/** One attribute of the filter: its name and the values that are asked for (two of a date make a range). */
export interface AttributeFilter {
  readonly name: string
  readonly values: readonly unknown[]
}

/** Parts of structured values that are found without the whole. */
const indexedParts: Readonly<Record<string, readonly string[]>> = {
  Name: ['nameValue'],
  'Alternative Name': ['alternativeNameValue'],
  Link: ['linkedObjectIdentifier', 'linkType'],
  'Application Specific Information': ['applicationNamespace', 'applicationData'],
  'X.509 Certificate Identifier': ['issuerDistinguishedName', 'certificateSerialNumber'],
  'X.509 Certificate Subject': ['subjectDistinguishedName'],
  'X.509 Certificate Issuer': ['issuerDistinguishedName'],
  'Certificate Identifier': ['issuer', 'serialNumber'],
  'Certificate Subject': ['certificateSubjectDistinguishedName'],
  'Certificate Issuer': ['certificateIssuerDistinguishedName'],
}

/**
 * Attributes whose whole is in no index, because nearly every one is different and each such entry has a page of the disk to
 * itself: a part finds them as well. A Name is found by its claim, and where that does not do, by its value.
 */
const foundByParts: ReadonlySet<string> = new Set(['Name'])

/** Index field of the time at which the object changes its state by itself: what is due is looked at anew by Locate. */
export const dueField = 'due'
/** Index field of where an object is: `online`, `archived` or `destroyed` (Storage Status Mask, §9.1.3.3.2). */
export const storageField = 'storage'

export type StorageStatus = 'online' | 'archived' | 'destroyed'

/** Where an object is. An object whose material is gone is no longer on-line, so that Locate does not offer it for use. */
export const storageStatus = (object: ManagedObject): StorageStatus => {
  if (isDestroyed(object)) return 'destroyed'
  return valueOf(object, 'Archive Date') === undefined ? 'online' : 'archived'
}

const indexKind = (name: string): IndexKind => attributeRow(name)?.index ?? 'none'

/** Every index entry of an object. Pure: the store derives old and new entries from old and new objects. */
export const entriesOf = (object: ManagedObject): readonly Entry[] => {
  const entries: Entry[] = [
    { field: storageField, value: storageStatus(object) },
    { field: 'Object Type', value: canonical(object.objectType) },
  ]
  const due = nextTransition(object)
  if (due !== undefined) entries.push({ field: dueField, value: due })
  for (const name of Object.keys(object.attributes)) addEntries(entries, name, instancesOf(object, name))
  return entries
}

const addEntries = (entries: Entry[], name: string, instances: readonly AttributeInstance[]): void => {
  const kind = indexKind(name)
  if (kind === 'none') return
  const parts = indexedParts[name]
  const whole = !foundByParts.has(name)
  for (const { value } of instances) {
    if (whole) entries.push({ field: name, value: kind === 'range' ? (value as number) : canonicalValue(value) })
    if (parts === undefined) continue
    for (const part of parts) {
      const content = (value as Readonly<Record<string, unknown>>)[part]
      if (content !== undefined) entries.push({ field: `${name}.${part}`, value: canonicalValue(content) })
    }
  }
}

/** The entry that no other object of the domain may hold: Names are unique (§3.2), and free again when the object is destroyed. */
export const claimsOf = (object: ManagedObject): readonly Entry[] =>
  isDestroyed(object) ? [] : instancesOf(object, 'Name').map(({ value }) => nameClaim(object.owner, value as Name))

/**
 * The claim of a Name: its value's entry, which destroyed objects keep, claimed for a domain and a type of Names. Beside that entry, since
 * nearly every Name is a place of its own in the index.
 */
const nameClaim = (owner: string, { nameValue, nameType }: Name): Entry => {
  // `domain|connection|user` outside the root domain: domains have their Names to themselves.
  const [domain, ...user] = owner.split('|')
  const place = user.length === 2 ? `${domain}|` : ''
  const beside = { field: 'Name.nameValue', value: canonicalValue(nameValue) }
  return { field: 'claimed Name', value: `${place}${nameType}`, beside }
}

/** Whether two claims are the same. */
export const isSameClaim = (a: Entry, b: Entry): boolean =>
  a.field === b.field &&
  a.value === b.value &&
  a.beside?.field === b.beside?.field &&
  a.beside?.value === b.beside?.value

/** The term that finds the holder of a claim. */
export const termOfClaim = ({ field, value: equals, beside }: Entry): FilterTerm =>
  beside === undefined ? { field, equals, claimed: true } : { field, equals, claimed: true, beside }

/** A custom attribute's item without its tag, which says where it stood and not what it is; anything else as it is. */
const canonicalValue = (value: unknown): string => {
  if (typeof value === 'object' && value !== null && 'tag' in value && 'type' in value && 'value' in value) {
    return canonical({ type: value.type, value: value.value })
  }
  return canonical(value)
}

/** The attributes of a request, gathered by name in the order in which they came. */
export const filtersOf = (attributes: readonly Infer<typeof attributeFilter>[]): readonly AttributeFilter[] => {
  const byName = new Map<string, unknown[]>()
  for (const { attributeName, attributeValue } of attributes) {
    byName.set(attributeName, [...(byName.get(attributeName) ?? []), attributeValue])
  }
  return [...byName].map(([name, values]) => ({ name, values }))
}

/** How a filter is answered: terms for the indexes, and the filters that candidates must be tested for as well. */
export interface Plan {
  readonly terms: readonly FilterTerm[]
  readonly rest: readonly AttributeFilter[]
}

/** A Date-Time at its largest possible value is the same as none at all (§4.9). */
const undefinedDate = Number.MAX_SAFE_INTEGER

/**
 * The plan of a filter.
 * @param claimant in whose domain Names are looked up by their claims; undefined where destroyed objects are looked for too,
 *   which keep their Names without a claim
 */
export const planOf = (filters: readonly AttributeFilter[], claimant?: string): Plan => {
  const terms: FilterTerm[] = []
  const rest: AttributeFilter[] = []
  for (const filter of filters) {
    const kind = indexKind(filter.name)
    if (kind === 'none' || filter.name === 'Unique Identifier') rest.push(filter)
    else if (kind === 'range') addDateTerm(filter, terms, rest)
    else for (const value of filter.values) addEqualityTerm(filter.name, value, claimant, terms, rest)
  }
  return { terms, rest }
}

const addDateTerm = (filter: AttributeFilter, terms: FilterTerm[], rest: AttributeFilter[]): void => {
  const dates = filter.values as readonly number[]
  if (dates.length > 2 || dates.includes(undefinedDate)) rest.push(filter)
  else terms.push({ field: filter.name, from: Math.min(...dates), to: Math.max(...dates) })
}

const addEqualityTerm = (
  name: string,
  value: unknown,
  claimant: string | undefined,
  terms: FilterTerm[],
  rest: AttributeFilter[],
): void => {
  const given = givenParts(value)
  const parts = indexedParts[name] ?? []
  const isAll = given === undefined || isWhole(name, given)
  if (isAll && name === 'Name' && claimant !== undefined) {
    terms.push(termOfClaim(nameClaim(claimant, value as Name)))
    return
  }
  if (given === undefined || (isAll && !foundByParts.has(name))) {
    terms.push({ field: name, equals: canonicalValue(value) })
    return
  }
  const indexed = given.filter(([part]) => parts.includes(part))
  for (const [part, content] of indexed) terms.push({ field: `${name}.${part}`, equals: canonicalValue(content) })
  // Two parts may stand in two instances of the attribute: only the object itself tells.
  if (given.length !== 1 || indexed.length !== 1) rest.push({ name, values: [value] })
}

const givenParts = (value: unknown): readonly (readonly [string, unknown])[] | undefined => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || 'tag' in value) return undefined
  return Object.entries(value).filter(
    ([, content]) => content !== undefined && !(Array.isArray(content) && content.length === 0),
  )
}

/** Whether all fields of a structure that it must have are given, so that equality of the whole is what is asked for. */
const isWhole = (name: string, given: readonly (readonly [string, unknown])[]): boolean => {
  const codec = attributeRow(name)?.codec
  if (codec === undefined || !('fields' in codec)) return true
  const fields = Object.entries(codec.fields as Readonly<Record<string, { readonly kind: string }>>)
  return fields.every(([key]) => given.some(([part]) => part === key))
}

/** Whether an object matches every filter: the whole rule, without any index. */
export const matches = (object: ManagedObject, filters: readonly AttributeFilter[]): boolean =>
  filters.every((filter) => matchesOne(object, filter))

const matchesOne = (object: ManagedObject, { name, values }: AttributeFilter): boolean => {
  const instances = instancesOf(object, name).map((instance) => instance.value)
  if (indexKind(name) === 'range') return matchesDate(instances as readonly number[], values as readonly number[])
  return values.every((value) => (special[name] ?? matchesValue)(instances, value))
}

const matchesDate = (instances: readonly number[], dates: readonly number[]): boolean => {
  const date = instances[0]
  const bounds = dates.filter((bound) => bound !== undefinedDate)
  if (bounds.length === 0) return date === undefined
  if (date === undefined) return bounds.length < dates.length && dates.length === 2
  const from = Math.min(...bounds)
  const to = bounds.length < dates.length ? undefinedDate : Math.max(...bounds)
  return date >= from && date <= to
}

/** Every part that is given must be the same in one instance. */
const matchesValue = (instances: readonly unknown[], wanted: unknown): boolean => {
  const given = givenParts(wanted)
  if (given === undefined) return instances.some((instance) => canonicalValue(instance) === canonicalValue(wanted))
  return instances.some((instance) =>
    given.every(
      ([part, content]) => canonical((instance as Readonly<Record<string, unknown>>)[part]) === canonical(content),
    ),
  )
}

type Match = (instances: readonly unknown[], wanted: unknown) => boolean

/** Attributes with a rule of their own in §4.9. */
const special: Readonly<Record<string, Match>> = {
  'Cryptographic Usage Mask': (instances, wanted) =>
    instances.some((mask) => (Number(mask) & Number(wanted)) === Number(wanted)),
  'Usage Limits': (instances, wanted) =>
    instances.some((instance) => {
      const has = instance as Readonly<Record<string, bigint | number | undefined>>
      return (givenParts(wanted) ?? []).every(([part, content]) =>
        part === 'usageLimitsUnit' ? has[part] === content : (has[part] ?? -1n) >= (content as bigint),
      )
    }),
}

/** Whether a filter asks for destroyed objects by name: then they are looked for, on-line or not. */
export const asksForDestroyed = (filters: readonly AttributeFilter[]): boolean =>
  filters.some(
    ({ name, values }) =>
      name === 'Destroy Date' ||
      (name === 'State' && values.some((value) => value === State.Destroyed || value === State.DestroyedCompromised)),
  )
