/** Locate: identifiers of the objects that match, from the indexes. KMIP 1.4 §4.9 */

import { accessTerms, permits } from '#identity/permissions'
import { hasAttribute } from '#kmip/attributes'
import { ObjectGroupMember, ResultReason, StorageStatusMask } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { v1_3 } from '#kmip/versions'
import { type AttributeFilter, filtersOf } from '#objects/locate-filter'
import type { Context } from './operation.ts'
import { always, operation } from './operation.ts'
import type { FoundObjects, Scope } from './transaction.ts'

/** Clients exist that send the mask as an attribute of this name. */
const storageStatusName = 'Storage Status Mask'

const places: readonly (readonly [number, string])[] = [
  [StorageStatusMask.OnLineStorage, 'online'],
  [StorageStatusMask.ArchivalStorage, 'archived'],
  [StorageStatusMask.DestroyedStorage, 'destroyed'],
]

export const locate = operation({
  name: 'Locate',
  section: '4.9',
  reasons: ['InvalidField'],
  asynchronous: 'slow',
  repeatable: always,
  handle(request, context) {
    const { maximumItems, offsetItems, templateAttribute } = request
    if ((maximumItems ?? 0) < 0 || (offsetItems ?? 0) < 0) {
      throw new KmipError(ResultReason.InvalidField, 'Maximum Items and Offset Items are not negative')
    }
    const given = [...request.attribute, ...(templateAttribute?.attribute ?? [])]
    if (templateAttribute === undefined || templateAttribute.name.length === 0) return located(given, request, context)
    const named = context.templateAttributes(templateAttribute, ResultReason.InvalidField)
    return named.then((attributes) => located([...given, ...attributes.flat()], request, context))
  },
})

/** What a Locate asks for beside its filter. */
interface Asked {
  readonly maximumItems?: number | undefined
  readonly offsetItems?: number | undefined
  readonly storageStatusMask?: number | undefined
  readonly objectGroupMember?: number | undefined
}

interface Located {
  readonly locatedItems: number | undefined
  readonly uniqueIdentifier: readonly string[]
}

/** What is found of a filter. No promise where the indexes answer at once. */
const located = (
  given: Parameters<typeof filtersOf>[0],
  { maximumItems, offsetItems, storageStatusMask, objectGroupMember }: Asked,
  context: Context,
): Located | Promise<Located> => {
  const all = filtersOf(given)
  const mask =
    storageStatusMask ??
    (all.find(({ name }) => name === storageStatusName)?.values[0] as { readonly value: number } | undefined)?.value
  const filters = groupFilters(
    all.filter(({ name }) => name !== storageStatusName),
    objectGroupMember,
  )
  checkNames(filters, context)
  const scope = {
    claimant: context.principal.user,
    access: accessTerms(context.principal).map((value) => ({ field: 'access', equals: value })),
    storage: placesOf(mask),
    permits: (object: Parameters<typeof permits>[1]) => permits(context.principal, object, 'read'),
  }
  const limit = Math.min(maximumItems ?? Number.MAX_SAFE_INTEGER, context.services.policy.locateItemsMax)
  const isPage = maximumItems !== undefined || offsetItems !== undefined
  const first = isPage ? context.services.policy.locatePages : 'newest'
  const wantsDefault = objectGroupMember === ObjectGroupMember.GroupMemberDefault
  const found = wantsDefault
    ? defaultMember(filters, scope, context)
    : context.transaction.find(filters, scope, offsetItems ?? 0, limit, first)
  const isAsked = context.isAtLeast(v1_3) || offsetItems !== undefined
  const answer = ({ keys, total }: FoundObjects): Located => {
    context.idPlaceholder = keys.length === 1 ? keys[0] : undefined
    return { locatedItems: isAsked ? total : undefined, uniqueIdentifier: keys }
  }
  return found instanceof Promise ? found.then(answer) : answer(found)
}

/** §4.9: a filter that is not understood is an error, never "everything". */
const checkNames = (filters: readonly AttributeFilter[], context: Context): void => {
  for (const { name } of filters) {
    if (!hasAttribute(name, context.version))
      throw new KmipError(ResultReason.InvalidField, 'The filter has an attribute that is not known')
  }
}

/** Object Group Member (§4.9): fresh members only, or the default one of all members. */
const groupFilters = (filters: readonly AttributeFilter[], member: number | undefined): readonly AttributeFilter[] => {
  if (member === undefined) return filters
  if (!filters.some(({ name }) => name === 'Object Group')) {
    throw new KmipError(ResultReason.InvalidField, 'Object Group Member goes with an Object Group')
  }
  return member === ObjectGroupMember.GroupMemberFresh ? [...filters, { name: 'Fresh', values: [true] }] : filters
}

/**
 * The default member of a group, which is the server's to say: the first of those that nobody was given yet, so that each
 * client gets another one, and when all have been given, the first of all.
 */
const defaultMember = async (
  filters: readonly AttributeFilter[],
  scope: Scope,
  { transaction }: Context,
): Promise<FoundObjects> => {
  const fresh = [...filters, { name: 'Fresh', values: [true] }]
  for (const members of [fresh, filters]) {
    const { total } = await transaction.find(members, scope, 0, 1)
    // The newest come first: the first that was made is the last of them.
    if (total > 0) return { keys: (await transaction.find(members, scope, total - 1, 1)).keys, total: 1 }
  }
  return { keys: [], total: 0 }
}

/** Which places are searched; on-line alone when the request says nothing. */
const placesOf = (mask: number | undefined): readonly string[] => {
  if (mask === undefined) return ['online']
  return places.filter(([bit]) => (mask & bit) !== 0).map(([, place]) => place)
}
