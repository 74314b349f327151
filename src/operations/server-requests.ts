/**
 * What a server sends of its own accord (KMIP 1.4 §5.1, §5.2): from changes of objects to Put and Notify. What it is: which
 * change is told to whom, and with what. What it is not: the sending (server/outgoing.ts).
 */
import { Operation, PutFunction } from '#kmip/enums'
import { objectRow } from '#kmip/objects'
import type { PayloadName } from '#kmip/payloads/index'
import { inVersion } from '#kmip/row'
import type { Version } from '#kmip/versions'
import { sameValue } from '#objects/canonical'
import { isAttributeKnown, isStructureKnown } from '#objects/known-values'
import { attributeNames, instancesOf, type ManagedObject, valueOf, wireAttribute } from '#objects/managed-object'

/** A change that is durable. */
export interface DurableChange {
  readonly previous: ManagedObject | undefined
  readonly value: ManagedObject | undefined
}

/** A request that the server makes of a client. */
export interface ServerRequest {
  /** Whose object it is about: who owns the objects of an address. */
  readonly owner: string
  readonly uniqueIdentifier: string
  readonly operation: number
  readonly name: PayloadName
  readonly payload: unknown
}

/** Operations that servers send; Query names them beside those that clients send. */
export const serverOperations: readonly number[] = [Operation.Notify, Operation.Put]

/** The request that tells of a change, in the form of a version; undefined when nothing can be told. */
export const serverRequestOf = ({ previous, value }: DurableChange, version: Version): ServerRequest | undefined => {
  if (value === undefined) return undefined
  return previous === undefined ? putOf(value, version) : notifyOf(previous, value, version)
}

/** A new object, unless it may not leave the server in the clear, or the version has no form for it. */
const putOf = (object: ManagedObject, version: Version): ServerRequest | undefined => {
  const row = objectRow(object.objectType)
  const mayLeave = valueOf(object, 'Sensitive') !== true && valueOf(object, 'Extractable') !== false
  if (row === undefined || object.value === undefined || !mayLeave) return undefined
  if (!inVersion(row, version) || !isStructureKnown(row.codec, object.value, version)) return undefined
  const attribute = attributeNames(object)
    .flatMap((name) => instancesOf(object, name).map((instance) => wireAttribute(name, instance)))
    .filter((each) => isAttributeKnown(each, version))
  const payload = {
    uniqueIdentifier: object.uniqueIdentifier,
    putFunction: PutFunction.New,
    [row.field]: object.value,
    attribute,
  }
  return {
    owner: object.owner,
    uniqueIdentifier: object.uniqueIdentifier,
    operation: Operation.Put,
    name: 'Put',
    payload,
  }
}

/** §5.1: it is told with every change, also when it has the same second as the one before. */
const alwaysTold = 'Last Change Date'

/** The instances that are there now and were not so before, and without a value those that are gone. */
const notifyOf = (before: ManagedObject, now: ManagedObject, version: Version): ServerRequest | undefined => {
  const names = new Set([...attributeNames(before), ...attributeNames(now)])
  const attribute = [...names].flatMap((name) => {
    const old = new Map(instancesOf(before, name).map(({ index, value }) => [index, value]))
    const current = instancesOf(now, name)
    const isTold = ({ index, value }: { readonly index: number; readonly value: unknown }): boolean =>
      name === alwaysTold || !old.has(index) || !sameValue(old.get(index), value)
    const changed = current.filter(isTold)
    const kept = new Set(current.map(({ index }) => index))
    const gone = [...old.keys()].filter((index) => !kept.has(index))
    return [
      ...changed.map((instance) => wireAttribute(name, instance)).filter((each) => isAttributeKnown(each, version)),
      ...gone.map((index) => ({ attributeName: name, attributeIndex: index === 0 ? undefined : index })),
    ]
  })
  if (attribute.length === 0) return undefined
  const payload = { uniqueIdentifier: now.uniqueIdentifier, attribute }
  return {
    owner: now.owner,
    uniqueIdentifier: now.uniqueIdentifier,
    operation: Operation.Notify,
    name: 'Notify',
    payload,
  }
}
