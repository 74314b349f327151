/**
 * What a server sends of its own accord (KMIP 1.4 §5): what it asks of a client, and from changes of objects Put and Notify. What
 * it is: which change is told to whom, and with what. What it is not: the sending (server/outgoing.ts).
 */
import { LinkType, Operation, PutFunction, QueryFunction } from '#kmip/enums'
import { objectRow } from '#kmip/objects'
import type { PayloadName } from '#kmip/payloads/index'
import type { response as queryResponse } from '#kmip/payloads/query'
import { inVersion } from '#kmip/row'
import { Tag } from '#kmip/tags'
import { supportedVersions, type Version, versionOf } from '#kmip/versions'
import { sameValue } from '#objects/canonical'
import { isAttributeKnown, isEnumerationKnown, isStructureKnown } from '#objects/known-values'
import { attributeNames, instancesOf, type ManagedObject, valueOf, wireAttribute } from '#objects/managed-object'
import { linkedObject } from '#objects/replacement'
import type { Infer } from '#ttlv/schema'

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
  readonly objectType: number
  readonly operation: number
  readonly name: PayloadName
  readonly payload: unknown
}

/** Operations that servers send; Query names them beside those that clients send. */
export const serverOperations: readonly number[] = [Operation.Notify, Operation.Put]

/** What is asked of a client before it is sent anything: an operation, and its payload. */
export type Question = Pick<ServerRequest, 'operation' | 'name' | 'payload'>

/** What a client has told of itself (§5.3, §5.4). Empty lists: it said nothing of that. */
export interface ClientKnowledge {
  /** To speak with it: its own choice, `none` when the server has none of its choice, undefined when it named none. */
  readonly version: Version | 'none' | undefined
  readonly operations: readonly number[]
  readonly objectTypes: readonly number[]
}

/** §5.4, for a version that has it: 1.0 has not, and who speaks 1.0 is spoken to so. */
export const versionsQuestion = (version: Version): Question | undefined => {
  const operation = Operation.DiscoverVersions
  if (!isEnumerationKnown(Tag.Operation, operation, version)) return undefined
  return { operation, name: 'DiscoverVersions', payload: { protocolVersion: [] } }
}

/** §5.3, with those of the functions (by their names) that a version has. */
export const capabilitiesQuestion = (functions: readonly string[], version: Version): Question | undefined => {
  const queryFunction = Object.entries(QueryFunction)
    .filter(([name, value]) => functions.includes(name) && isEnumerationKnown(Tag.QueryFunction, value, version))
    .map(([, value]) => value)
    .toSorted((left, right) => functions.indexOf(nameOfFunction(left)) - functions.indexOf(nameOfFunction(right)))
  return queryFunction.length === 0
    ? undefined
    : { operation: Operation.Query, name: 'Query', payload: { queryFunction } }
}

const nameOfFunction = (value: number): string =>
  Object.entries(QueryFunction).find(([, each]) => each === value)?.[0] ?? ''

/**
 * The version to speak with a client that lists its own, the ones that it likes most first; undefined when it lists none, `none`
 * when the server has none of them.
 */
export const versionToSpeak = (
  listed: readonly { readonly protocolVersionMajor: number; readonly protocolVersionMinor: number }[],
): Version | 'none' | undefined => {
  if (listed.length === 0) return undefined
  const found = listed
    .map(({ protocolVersionMajor, protocolVersionMinor }) => versionOf(protocolVersionMajor, protocolVersionMinor))
    .find((version) => supportedVersions.includes(version))
  return found ?? 'none'
}

/** What of a client's answer to Query decides what it is sent. */
export type ClientCapabilities = Partial<Infer<typeof queryResponse>>

/** Why a client that has told this of itself is not sent a request; undefined when it is. */
export const objectionOf = (client: ClientKnowledge, request: ServerRequest): string | undefined => {
  const { operations, objectTypes } = client
  if (operations.length > 0 && !operations.includes(request.operation)) return `the client has no ${request.name}`
  const isPut = request.operation === Operation.Put
  if (isPut && objectTypes.length > 0 && !objectTypes.includes(request.objectType)) {
    return 'the client has no objects of this type'
  }
  return undefined
}

/** The request that tells of a change, in the form of a version; undefined when nothing can be told. */
export const serverRequestOf = ({ previous, value }: DurableChange, version: Version): ServerRequest | undefined => {
  if (value === undefined) return undefined
  return previous === undefined ? putOf(value, version) : notifyOf(previous, value, version)
}

/** A new object, or one that replaces another, unless it may not leave the server in the clear, or the version has no form for it. */
const putOf = (object: ManagedObject, version: Version): ServerRequest | undefined => {
  const row = objectRow(object.objectType)
  const mayLeave = valueOf(object, 'Sensitive') !== true && valueOf(object, 'Extractable') !== false
  if (row === undefined || object.value === undefined || !mayLeave) return undefined
  if (!inVersion(row, version) || !isStructureKnown(row.codec, object.value, version)) return undefined
  const attribute = attributeNames(object)
    .flatMap((name) => instancesOf(object, name).map((instance) => wireAttribute(name, instance)))
    .filter((each) => isAttributeKnown(each, version))
  const replacedUniqueIdentifier = linkedObject(object, LinkType.ReplacedObjectLink)
  const payload = {
    uniqueIdentifier: object.uniqueIdentifier,
    putFunction: replacedUniqueIdentifier === undefined ? PutFunction.New : PutFunction.Replace,
    replacedUniqueIdentifier,
    [row.field]: object.value,
    attribute,
  }
  return {
    owner: object.owner,
    uniqueIdentifier: object.uniqueIdentifier,
    objectType: object.objectType,
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
    objectType: now.objectType,
    operation: Operation.Notify,
    name: 'Notify',
    payload,
  }
}
