/**
 * The rules of attributes, as functions of values (KMIP 1.4 §3, §4.14 to §4.16): what a client may give, add, change and
 * delete. What it is: an interpreter of the rows of kmip/attributes.ts; no attribute is named here. What it is not: an
 * operation, or the store's business.
 */
import type { Attribute } from '#kmip/attribute'
import { type AttributeRow, attributeRow, type ClientRule, isServerCustomName } from '#kmip/attributes'
import { ResultReason, State } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { inVersion } from '#kmip/row'
import { weightOf } from '#ttlv/weight'
import { acceptedValue } from './accepted-values.ts'
import { sameValue } from './canonical.ts'
import { stateOf } from './lifecycle.ts'
import {
  type AttributeInstance,
  type AttributeSet,
  instancesOf,
  type ManagedObject,
  valueOf,
  withInstances,
} from './managed-object.ts'

/** Bounds on what one object may hold; each is a setting. */
export interface AttributeLimits {
  readonly instancesMax: number
  /** Instances of all attributes together. */
  readonly attributesPerObjectMax: number
  /** Bytes of their names and values. */
  readonly attributeBytesMax: number
}

/** A row that the request's version has. @throws KmipError `reason` when no attribute of this name is known there. */
const knownRow = (name: string, version: number, reason: number): AttributeRow => {
  const row = attributeRow(name)
  if (row === undefined || !inVersion(row, version)) {
    throw new KmipError(reason, `The attribute ${quoted(name)} is not known`)
  }
  return row
}

/** A name for a Result Message: bounded, so that an answer does not carry back whatever a client sent. */
const quoted = (name: string): string => (name.length > 64 ? `${name.slice(0, 64)}...` : name)

/**
 * The attributes of a new object from those that a request gives, in order of rising precedence: of a single-instance
 * attribute the last source's stands, of a multi-instance attribute the union (§4). Within one source a single-instance
 * attribute may stand once.
 * @throws KmipError Invalid Field for what is unknown, read-only or does not apply; Index Out of Bounds for too many instances.
 */
export const attributesFromRequest = (
  objectType: number,
  sources: readonly (readonly Attribute[])[],
  version: number,
  limits: AttributeLimits,
): AttributeSet => {
  const set: Record<string, AttributeInstance[]> = Object.create(null) as Record<string, AttributeInstance[]>
  let count = 0
  for (const source of sources) {
    const seen = new Set<string>()
    for (const { attributeName, attributeIndex, attributeValue } of source) {
      const row = knownRow(attributeName, version, ResultReason.InvalidField)
      checkGiven(row, attributeName, objectType)
      const single = !row.multiple
      if (single && (attributeIndex ?? 0) !== 0) {
        throw new KmipError(ResultReason.InvalidField, `${attributeName} has one instance, whose Attribute Index is 0`)
      }
      if (single && seen.has(attributeName))
        throw new KmipError(ResultReason.InvalidField, `${attributeName} is given more than once`)
      seen.add(attributeName)
      const instances = set[attributeName] ?? []
      set[attributeName] = instances
      if (single) count -= instances.splice(0).length
      else if (instances.some((instance) => sameValue(instance.value, attributeValue))) continue
      checkRoom(instances.length, limits)
      count += 1
      checkAttributeCount(count, limits)
      instances.push({ index: instances.length, value: acceptedValue(attributeName, attributeValue, undefined) })
    }
  }
  checkAttributeBytes(set, limits)
  return { ...set }
}

const checkGiven = (row: AttributeRow, name: string, objectType: number): void => {
  if ((!row.setByClient && !row.givenOnCreation) || isServerCustomName(name)) {
    throw new KmipError(ResultReason.InvalidField, `${quoted(name)} is set by the server`)
  }
  if (!row.objectTypes.has(objectType))
    throw new KmipError(ResultReason.InvalidField, `${name} does not apply to this Object Type`)
}

const checkRoom = (count: number, limits: AttributeLimits): void => {
  if (count >= limits.instancesMax) throw new KmipError(ResultReason.IndexOutOfBounds)
}

/** What one object holds is written and sealed whole with each change of it. @throws KmipError Invalid Field */
export const checkAttributeBytes = (set: AttributeSet, limits: AttributeLimits): void => {
  const bytes = Object.entries(set).reduce((sum, [name, instances]) => sum + name.length + weightOf(instances), 0)
  if (bytes > limits.attributeBytesMax) {
    throw new KmipError(
      ResultReason.InvalidField,
      `The attributes of an object may have ${limits.attributeBytesMax} bytes together`,
    )
  }
}

const countInstances = (set: AttributeSet): number =>
  Object.values(set).reduce((count, instances) => count + instances.length, 0)

const checkAttributeCount = (count: number, limits: AttributeLimits): void => {
  if (count > limits.attributesPerObjectMax) {
    throw new KmipError(
      ResultReason.IndexOutOfBounds,
      `An object may have ${limits.attributesPerObjectMax} attribute instances`,
    )
  }
}

/**
 * The same bounds where a request adds to what an object takes from another one; what is only taken over is not measured again.
 * @param added names of the attributes that the request gives
 * @throws KmipError Index Out of Bounds, Invalid Field
 */
export const checkAddedTo = (set: AttributeSet, added: readonly string[], limits: AttributeLimits): void => {
  if (added.length === 0) return
  if (added.some((name) => (set[name]?.length ?? 0) > limits.instancesMax)) {
    throw new KmipError(ResultReason.IndexOutOfBounds)
  }
  checkAttributeCount(countInstances(set), limits)
  checkAttributeBytes(set, limits)
}

/** An object as changed, with the instance that the response returns. */
export interface AttributeChange {
  readonly object: ManagedObject
  readonly name: string
  readonly instance: AttributeInstance
}

/**
 * Add Attribute (§4.14), reasons in the order of §11.15.
 * @throws KmipError Permission Denied for read-only and inapplicable attributes, Illegal Operation for a single instance
 * that is there, Invalid Field for a given index, Index Out of Bounds when there is no room.
 */
export const addAttribute = (
  object: ManagedObject,
  given: Attribute,
  version: number,
  now: number,
  limits: AttributeLimits,
): AttributeChange => {
  const name = given.attributeName
  const row = knownRow(name, version, ResultReason.PermissionDenied)
  if (!row.setByClient || isServerCustomName(name))
    throw new KmipError(ResultReason.PermissionDenied, `${quoted(name)} is read-only`)
  if (!row.objectTypes.has(object.objectType)) {
    throw new KmipError(ResultReason.PermissionDenied, `${name} does not apply to this Object Type`)
  }
  const instances = instancesOf(object, name)
  if (instances.length > 0 && !row.multiple) {
    throw new KmipError(ResultReason.IllegalOperation, `${name} is there already; modify it instead`)
  }
  if (instances.some((instance) => sameValue(instance.value, given.attributeValue))) {
    throw new KmipError(ResultReason.IllegalOperation, `${quoted(name)} has an instance with this value already`)
  }
  if (given.attributeIndex !== undefined) {
    throw new KmipError(ResultReason.InvalidField, 'The server assigns the Attribute Index; leave it out')
  }
  checkRoom(instances.length, limits)
  checkAttributeCount(countInstances(object.attributes) + 1, limits)
  if (!allows(row.modifiableByClient, object, name, now) && isDated(row.modifiableByClient)) {
    throw new KmipError(ResultReason.PermissionDenied, `${name} cannot be set in this state`)
  }
  const instance = {
    index: instances.reduce((highest, { index }) => Math.max(highest, index), -1) + 1,
    value: acceptedValue(name, given.attributeValue, undefined),
  }
  const added = withInstances(object, name, [...instances, instance])
  checkAttributeBytes(added.attributes, limits)
  return { object: added, name, instance }
}

/**
 * Modify Attribute (§4.15), reasons in the order of §11.16.
 * @throws KmipError Invalid Field when the object has no such attribute, Item Not Found for another index, Permission
 * Denied when it is read-only, by its row or in the object's state, Invalid Field for more bytes than an object has room for.
 */
export const modifyAttribute = (
  object: ManagedObject,
  given: Attribute,
  version: number,
  now: number,
  limits: AttributeLimits,
): AttributeChange => {
  const name = given.attributeName
  const row = knownRow(name, version, ResultReason.InvalidField)
  const instances = instancesOf(object, name)
  if (instances.length === 0)
    throw new KmipError(ResultReason.InvalidField, `The object has no ${quoted(name)}; add it first`)
  const index = given.attributeIndex ?? 0
  const found = instances.find((instance) => instance.index === index)
  if (found === undefined)
    throw new KmipError(ResultReason.ItemNotFound, `${quoted(name)} has no instance with this index`)
  if (!allows(row.modifiableByClient, object, name, now))
    throw new KmipError(ResultReason.PermissionDenied, `${quoted(name)} cannot be modified`)
  const instance = { index, value: acceptedValue(name, given.attributeValue, found.value) }
  const changed = instances.map((other) => (other === found ? instance : other))
  const modified = withInstances(object, name, changed)
  checkAttributeBytes(modified.attributes, limits)
  return { object: modified, name, instance }
}

/**
 * Delete Attribute (§4.16), reasons in the order of §11.17.
 * @throws KmipError Permission Denied when it is read-only or required, Item Not Found when there is no such instance.
 */
export const deleteAttribute = (
  object: ManagedObject,
  name: string,
  index: number | undefined,
  version: number,
  now: number,
): AttributeChange => {
  const row = knownRow(name, version, ResultReason.ItemNotFound)
  if (!allows(row.deletableByClient, object, name, now))
    throw new KmipError(ResultReason.PermissionDenied, `${quoted(name)} cannot be deleted`)
  const instances = instancesOf(object, name)
  const instance = instances.find((other) => other.index === (index ?? 0))
  if (instance === undefined)
    throw new KmipError(ResultReason.ItemNotFound, `The object has no such instance of ${quoted(name)}`)
  return {
    object: withInstances(
      object,
      name,
      instances.filter((other) => other !== instance),
    ),
    name,
    instance,
  }
}

const isDated = (rule: ClientRule): boolean =>
  rule === 'preActive' || rule === 'preActiveOrActive' || rule === 'notReached'

/** Whether a row's rule lets a client change the attribute of this object now. */
const allows = (rule: ClientRule, object: ManagedObject, name: string, now: number): boolean => {
  const state = stateOf(object)
  const beforeUse = state === undefined || state === State.PreActive
  switch (rule) {
    case 'yes':
      return true
    case 'no':
      return false
    case 'preActive':
      return beforeUse
    case 'preActiveOrActive':
      return beforeUse || state === State.Active
    case 'notReached':
      return (beforeUse || state === State.Active) && (valueOf<number>(object, name) ?? Number.POSITIVE_INFINITY) > now
    case 'notAllocated':
      return isUntouched(valueOf(object, name))
    case 'clientCreated':
      return !isServerCustomName(name)
  }
}

/** §3.21: usage limits may be corrected until the count has changed by Get Usage Allocation. */
const isUntouched = (
  limits: { readonly usageLimitsTotal?: bigint; readonly usageLimitsCount?: bigint } | undefined,
): boolean => limits === undefined || limits.usageLimitsCount === limits.usageLimitsTotal
