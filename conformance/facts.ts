/**
 * What the run knows of the objects that it made: which of them the server generated, and the dates that requests set.
 * What it is: learned from requests and their answers, by Unique Identifier, across the cases of a run. What it is not:
 * a rule (variations.ts).
 */
import { type CryptographicAlgorithm, Operation, ResultStatus } from '#kmip/enums'
import { Tag } from '#kmip/tags'
import { type Item, ItemType } from '#ttlv/item'

export interface ObjectFacts {
  /** The server chose the value: key material, a certificate, a derivation of such a key. */
  generated: boolean
  /** The server chose the date-time of no attribute named here: the newest value that a request gave. */
  readonly dates: Map<string, number>
  objectType: number | undefined
  algorithm: CryptographicAlgorithm | undefined
  /** Padding methods of its Cryptographic Parameters. */
  readonly paddings: Set<number>
  /** Names of the attributes that requests gave it. */
  readonly given: Set<string>
}

const generating: ReadonlySet<number> = new Set([
  Operation.Create,
  Operation.CreateKeyPair,
  Operation.CreateSplitKey,
  Operation.ReKey,
  Operation.ReKeyKeyPair,
  Operation.Certify,
  Operation.ReCertify,
])
const making: ReadonlySet<number> = new Set([
  ...generating,
  Operation.Register,
  Operation.DeriveKey,
  Operation.JoinSplitKey,
])
const identifierTags: readonly number[] = [
  Tag.UniqueIdentifier,
  Tag.PrivateKeyUniqueIdentifier,
  Tag.PublicKeyUniqueIdentifier,
]
/** Dates that an operation sets, whatever a request had asked for before. */
const datesSetBy: ReadonlyMap<number, readonly string[]> = new Map([
  [Operation.Activate, ['Activation Date']],
  [Operation.Revoke, ['Deactivation Date', 'Compromise Date', 'Compromise Occurrence Date']],
  [Operation.Destroy, ['Destroy Date']],
  [Operation.Archive, ['Archive Date']],
])

/** The items of a structure; none for a value. */
export const childrenOf = (item: Item | undefined): readonly Item[] =>
  item?.type === ItemType.Structure ? item.value : []

/** The first child with a tag. */
export const childOf = (item: Item | undefined, tag: number): Item | undefined =>
  childrenOf(item).find((child) => child.tag === tag)

/** The value of a text or number child, or undefined. */
const textOf = (item: Item | undefined): string | undefined =>
  item?.type === ItemType.TextString ? item.value : undefined
const numberOf = (item: Item | undefined): number | undefined =>
  item?.type === ItemType.Enumeration || item?.type === ItemType.Integer ? item.value : undefined

/** The operation of a batch item. */
export const operationOf = (batchItem: Item | undefined): number | undefined =>
  numberOf(childOf(batchItem, Tag.Operation))

/** Every item of a tree, the outermost first. */
export const walk = function* (item: Item): Generator<Item> {
  yield item
  for (const child of childrenOf(item)) yield* walk(child)
}

export class FactBook {
  readonly #objects = new Map<string, ObjectFacts>()

  of(uniqueIdentifier: string | undefined): ObjectFacts | undefined {
    return uniqueIdentifier === undefined ? undefined : this.#objects.get(uniqueIdentifier)
  }

  /** The object that an answered batch item is about. */
  ofAnswer(requestItem: Item | undefined, responseItem: Item | undefined): ObjectFacts | undefined {
    const payload = childOf(responseItem, Tag.ResponsePayload) ?? childOf(requestItem, Tag.RequestPayload)
    return this.of(textOf(childOf(payload, Tag.UniqueIdentifier)))
  }

  /** Takes in one batch item and its answer. */
  learn(requestItem: Item, responseItem: Item): void {
    if (numberOf(childOf(responseItem, Tag.ResultStatus)) !== ResultStatus.Success) return
    const operation = operationOf(requestItem)
    const request = childOf(requestItem, Tag.RequestPayload)
    const response = childOf(responseItem, Tag.ResponsePayload)
    if (operation === undefined || request === undefined) return
    if (making.has(operation)) {
      this.#learnMade(operation, request, response)
      return
    }
    const object = this.of(textOf(childOf(response, Tag.UniqueIdentifier)))
    if (object === undefined) return
    for (const name of datesSetBy.get(operation) ?? []) object.dates.delete(name)
    if (operation === Operation.Revoke) {
      const occurrence = childOf(request, Tag.CompromiseOccurrenceDate)
      if (occurrence?.type === ItemType.DateTime) object.dates.set('Compromise Occurrence Date', occurrence.value)
    }
    if (operation === Operation.AddAttribute || operation === Operation.ModifyAttribute)
      learnAttributes(object, request)
    if (operation === Operation.DeleteAttribute) {
      object.dates.delete(textOf(childOf(request, Tag.AttributeName)) ?? '')
    }
  }

  #learnMade(operation: number, request: Item, response: Item | undefined): void {
    const bases = [...walk(request)].filter((item) => item.tag === Tag.UniqueIdentifier)
    const fromGenerated = bases.some((base) => this.of(textOf(base))?.generated ?? true)
    for (const tag of identifierTags) {
      const identifier = textOf(childOf(response, tag))
      if (identifier === undefined) continue
      const object: ObjectFacts = {
        generated: generating.has(operation) || (operation !== Operation.Register && fromGenerated),
        dates: new Map(),
        objectType: numberOf(childOf(response, Tag.ObjectType)) ?? numberOf(childOf(request, Tag.ObjectType)),
        algorithm: undefined,
        paddings: new Set(),
        given: new Set(),
      }
      learnAttributes(object, request)
      this.#objects.set(identifier, object)
    }
  }
}

/** Takes in the attributes that a request carries, and the algorithm that its key block names. */
const learnAttributes = (object: ObjectFacts, request: Item): void => {
  for (const item of walk(request)) {
    if (item.tag === Tag.CryptographicAlgorithm && item.type === ItemType.Enumeration) {
      object.algorithm = item.value as CryptographicAlgorithm
    }
    if (item.tag === Tag.PaddingMethod && item.type === ItemType.Enumeration) object.paddings.add(item.value)
    if (item.tag !== Tag.Attribute) continue
    const name = textOf(childOf(item, Tag.AttributeName))?.replace(/\s+/g, ' ')
    const value = childOf(item, Tag.AttributeValue)
    if (name === undefined || value === undefined) continue
    object.given.add(name)
    if (value.type === ItemType.DateTime) object.dates.set(name, value.value)
    if (name === 'Cryptographic Algorithm' && value.type === ItemType.Enumeration) {
      object.algorithm = value.value as CryptographicAlgorithm
    }
  }
}
