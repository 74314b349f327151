/**
 * What a response may do otherwise than a test case prints it: one table, and nothing else is forgiven. Most rows are
 * the "Permitted Test Case Variations" of the KMIP Profiles 1.4; each row says why it stands here.
 * What it is not: the comparison (compare.ts).
 */
import { CryptographicAlgorithm, ObjectType, Operation, PaddingMethod, QueryFunction } from '#kmip/enums'
import { Tag } from '#kmip/tags'
import { type Item, ItemType } from '#ttlv/item'
import { childOf, childrenOf, type ObjectFacts } from './facts.ts'
import { type Pattern, patternChild } from './pattern.ts'

/** Where the comparison stands. */
export interface Place {
  /** Names from the message to the item. */
  readonly path: readonly string[]
  readonly tag: number
  readonly operation: number | undefined
  /** Name of the attribute that the item is or lies in. */
  readonly attribute: string | undefined
  /** The object that the batch item is about; undefined for one that this run did not make. */
  readonly object: ObjectFacts | undefined
  /** The object that wraps the key, where one does. */
  readonly wrapping: ObjectFacts | undefined
  /** The batch item of the request, as it was sent. */
  readonly request: Item | undefined
  /** The request gave an output of this case as its input, so that its answer is determined. */
  readonly inputWasOutput: boolean
  /** The structure that holds the item, as expected. */
  readonly parent: Pattern | undefined
  readonly expected: Pattern | undefined
  readonly actual: Item | undefined
  /** Seconds since 1970 at the start of the case. */
  readonly nowSeconds: number
}

export type VariationKind =
  /** Another value, of the same type unless the row says otherwise. */
  | 'value'
  /** An item more than printed. */
  | 'extra'
  /** A printed item that is not there. */
  | 'absent'
  /** Items of this tag in another order. */
  | 'unordered'

export interface Variation {
  readonly name: string
  readonly kinds: readonly VariationKind[]
  /** Where it applies, as the README prints it. */
  readonly where: string
  readonly reason: string
  /** Extra items may be several, each another one; without it there is one of the tag at most. */
  readonly repeats?: true
  permits(place: Place, kind: VariationKind): boolean
}

/** `$NOW` and dates that the server takes from its own clock may be this far apart. */
const clockDifferenceMaxSeconds = 300

const profiles = 'KMIP Profiles 1.4, permitted variations, variable items'
const responses = 'KMIP Profiles 1.4, permitted variations, responses'

/** Dates that the server may set, by attribute name. */
const serverDates: ReadonlySet<string> = new Set([
  'Activation Date',
  'Archive Date',
  'Compromise Date',
  'Compromise Occurrence Date',
  'Deactivation Date',
  'Destroy Date',
  'Initial Date',
  'Last Change Date',
  'Original Creation Date',
  'Process Start Date',
  'Protect Stop Date',
])
const outputTags: ReadonlySet<number> = new Set([
  Tag.Data,
  Tag.SignatureData,
  Tag.MACData,
  Tag.IVCounterNonce,
  Tag.AuthenticatedEncryptionTag,
])
const templateTags: ReadonlySet<number> = new Set([
  Tag.TemplateAttribute,
  Tag.CommonTemplateAttribute,
  Tag.PrivateKeyTemplateAttribute,
  Tag.PublicKeyTemplateAttribute,
])
const issuedAttributes: ReadonlySet<string> = new Set([
  'Certificate Identifier',
  'Certificate Issuer',
  'Certificate Length',
  'X.509 Certificate Identifier',
  'X.509 Certificate Issuer',
])
/** Lists of Query, and the functions that ask for them (KMIP 1.4 §4.25). */
const queryLists: ReadonlyMap<number, readonly QueryFunction[]> = new Map([
  [Tag.Operation, [QueryFunction.QueryOperations]],
  [Tag.ObjectType, [QueryFunction.QueryObjects]],
  [Tag.ApplicationNamespace, [QueryFunction.QueryApplicationNamespaces]],
  [Tag.ExtensionInformation, [QueryFunction.QueryExtensionList, QueryFunction.QueryExtensionMap]],
])

const sameType = (place: Place): boolean => place.expected?.type === place.actual?.type
const endsWith = (place: Place, ...names: readonly string[]): boolean =>
  names.every((name, index) => place.path[place.path.length - names.length + index] === name)
const isPayloadField = (place: Place): boolean => place.path.at(-2) === 'ResponsePayload'
/** An object that the run did not make was there before: nothing is known of its value. */
const isGenerated = (object: ObjectFacts | undefined): boolean => object?.generated ?? true

/** A moment near the printed one where that is `$NOW`; any where an old date is printed. */
const isPlausibleDate = (place: Place): boolean => {
  if (place.actual?.type !== ItemType.DateTime) return false
  if (place.expected?.placeholder?.kind !== 'now') return true
  const printed = place.nowSeconds + place.expected.placeholder.offset
  return Math.abs(place.actual.value - printed) <= clockDifferenceMaxSeconds
}

/** Symmetric keys have the length that the request asked for, whoever made them. */
const hasKeyLength = (place: Place): boolean => {
  if (place.object?.objectType !== ObjectType.SymmetricKey || place.expected?.value?.type !== ItemType.ByteString)
    return true
  return place.actual?.type === ItemType.ByteString && place.actual.value.length === place.expected.value.value.length
}

/** Whether a Query asked for one of these. */
const queries = (place: Place, functions: readonly QueryFunction[]): boolean =>
  childrenOf(childOf(place.request, Tag.RequestPayload)).some(
    (item) => item.tag === Tag.QueryFunction && functions.some((wanted) => wanted === item.value),
  )

/** Key material in any form that there is (KMIP 1.4 §2.1.4), or a whole Key Value that is wrapped on both sides. */
const isKeyValue = (place: Place): boolean => {
  if (!place.path.includes('KeyBlock')) return false
  const type = place.actual?.type
  if (endsWith(place, 'KeyMaterial')) return type === ItemType.ByteString || type === ItemType.Structure
  return endsWith(place, 'KeyBlock', 'KeyValue') && sameType(place) && place.actual?.type === ItemType.ByteString
}

/** Outputs that differ from one time to the next with the same key and the same input. */
const isRandomOutput = (place: Place): boolean => {
  const { operation, object } = place
  if (operation === Operation.RNGRetrieve) return true
  const paddings = new Set(object?.paddings)
  const parameters = childOf(childOf(place.request, Tag.RequestPayload), Tag.CryptographicParameters)
  const padding = childOf(parameters, Tag.PaddingMethod)
  if (padding?.type === ItemType.Enumeration) paddings.add(padding.value)
  const algorithm = object?.algorithm
  if (operation === Operation.Sign) {
    const isElliptic = algorithm === CryptographicAlgorithm.ECDSA || algorithm === CryptographicAlgorithm.EC
    return isElliptic || algorithm === CryptographicAlgorithm.DSA || paddings.has(PaddingMethod.PSS)
  }
  if (operation !== Operation.Encrypt) return false
  const randomIv = childOf(parameters, Tag.RandomIV)
  return algorithm === CryptographicAlgorithm.RSA || (randomIv?.type === ItemType.Boolean && randomIv.value)
}

/** Names that a Get Attributes request asked for; none: it asked for all. */
const requestedNames = (place: Place): ReadonlySet<string> => {
  const names = childrenOf(childOf(place.request, Tag.RequestPayload)).filter((item) => item.tag === Tag.AttributeName)
  return new Set(names.flatMap((item) => (item.type === ItemType.TextString ? [item.value] : [])))
}

const nameOfAttribute = (pattern: Pattern): string | undefined => {
  const name = patternChild(pattern, Tag.AttributeName)?.value
  return name?.type === ItemType.TextString ? name.value : undefined
}

/** An attribute that is not printed at all; of those printed, only groups and digests may have more instances. */
const isFurtherAttribute = (place: Place): boolean => {
  const { attribute, parent } = place
  if (attribute === undefined || !isPayloadField(place)) return false
  const asked = requestedNames(place)
  if (asked.size > 0 && !asked.has(attribute)) return false
  const isPrinted = parent?.children.some((child) => nameOfAttribute(child) === attribute) ?? false
  return !isPrinted || attribute === 'Object Group' || attribute === 'Digest'
}

export const variations: readonly Variation[] = [
  {
    name: 'time stamp',
    kinds: ['value'],
    where: 'ResponseHeader.TimeStamp',
    reason: `${profiles}: the moment of the answer; near $NOW where that is printed`,
    permits: (place) => endsWith(place, 'ResponseHeader', 'TimeStamp') && isPlausibleDate(place),
  },
  {
    name: 'correlation value of the server',
    kinds: ['value', 'extra', 'absent'],
    where: 'ServerCorrelationValue of the header; the value of AsynchronousCorrelationValue',
    reason: 'made by the server, which need not send the first (KMIP 1.4 §6.19, §6.8)',
    permits(place, kind) {
      if (endsWith(place, 'ResponseHeader', 'ServerCorrelationValue')) return kind !== 'value' || sameType(place)
      return kind === 'value' && place.path.at(-1) === 'AsynchronousCorrelationValue' && sameType(place)
    },
  },
  {
    name: 'server date',
    kinds: ['value'],
    where: 'date attributes, and Last Change Date in Obtain Lease, that no request set',
    reason: `${profiles}: taken from the server's clock; a date that a request set must come back`,
    permits(place) {
      const isField = place.attribute === undefined && endsWith(place, 'ResponsePayload', 'LastChangeDate')
      const isAttribute =
        place.attribute !== undefined &&
        place.path.at(-1) === 'AttributeValue' &&
        serverDates.has(place.attribute) &&
        place.object?.dates.has(place.attribute) !== true
      return (isField || isAttribute) && isPlausibleDate(place)
    },
  },
  {
    name: 'generated key value',
    kinds: ['value'],
    where: 'KeyMaterial and wrapped KeyValue of objects that the server generated, or wrapped under such a key',
    reason: `${profiles}: random; symmetric keys keep the printed length, registered keys must be equal`,
    permits: (place) =>
      isKeyValue(place) && (isGenerated(place.object) || (place.wrapping?.generated ?? false)) && hasKeyLength(place),
  },
  {
    name: 'issued certificate',
    kinds: ['value'],
    where: 'CertificateValue, and the issuer and serial number attributes, of certificates that the server issued',
    reason: `${profiles}: the issuer's name, key and serial numbers are the server's`,
    permits: (place) =>
      isGenerated(place.object) &&
      sameType(place) &&
      (endsWith(place, 'Certificate', 'CertificateValue') ||
        (place.attribute !== undefined && issuedAttributes.has(place.attribute) && endsWith(place, 'AttributeValue'))),
  },
  {
    name: 'generated key format',
    kinds: ['value'],
    where: 'KeyFormatType of objects that the server generated, where the request names none',
    reason: `${profiles}: the server selects the format of what it creates`,
    permits(place) {
      const asked = childOf(childOf(place.request, Tag.RequestPayload), Tag.KeyFormatType)
      const isBlock = endsWith(place, 'KeyBlock', 'KeyFormatType') && asked === undefined
      const isDigest = place.attribute === 'Digest' && endsWith(place, 'AttributeValue', 'KeyFormatType')
      return (isBlock || isDigest) && isGenerated(place.object) && sameType(place)
    },
  },
  {
    name: 'digest of a generated object',
    kinds: ['value'],
    where: 'DigestValue of objects that the server generated',
    reason: `${profiles}: follows the key material; that of registered objects must be equal`,
    permits: (place) =>
      place.attribute === 'Digest' && endsWith(place, 'DigestValue') && isGenerated(place.object) && sameType(place),
  },
  {
    name: 'digest algorithm',
    kinds: ['value'],
    where: 'HashingAlgorithm of a Digest of objects that the server generated',
    reason: `${profiles}: selected by the server`,
    permits: (place) =>
      place.attribute === 'Digest' &&
      endsWith(place, 'HashingAlgorithm') &&
      isGenerated(place.object) &&
      sameType(place),
  },
  {
    name: 'output of a generated key',
    kinds: ['value'],
    where:
      'Data, SignatureData, MACData, IVCounterNonce, AuthenticatedEncryptionTag under a key that the server generated',
    reason: `${profiles}: follows the key; what is computed from an output of the same case must be equal`,
    permits: (place) =>
      isPayloadField(place) &&
      outputTags.has(place.tag) &&
      isGenerated(place.object) &&
      !place.inputWasOutput &&
      sameType(place),
  },
  {
    name: 'random output',
    kinds: ['value'],
    where: 'the same fields of RNG Retrieve, of Sign with PSS or elliptic curves, of Encrypt with RSA or a random IV',
    reason: `${profiles}: differs each time`,
    permits: (place) => isPayloadField(place) && outputTags.has(place.tag) && isRandomOutput(place) && sameType(place),
  },
  {
    name: 'random number generator',
    kinds: ['value'],
    where: 'Random Number Generator of objects that the server generated',
    reason: "describes the server's own generator; one that a request gave must come back",
    permits: (place) =>
      place.attribute === 'Random Number Generator' &&
      endsWith(place, 'AttributeValue') &&
      isGenerated(place.object) &&
      sameType(place),
  },
  {
    name: 'further attributes',
    kinds: ['extra'],
    where: 'Attribute in Get Attributes, AttributeName in Get Attribute List',
    reason: `${profiles}: more than printed, but none that the request did not ask for; missing ones are failures`,
    repeats: true,
    permits(place) {
      if (place.operation === Operation.GetAttributes) return place.tag === Tag.Attribute && isFurtherAttribute(place)
      return place.operation === Operation.GetAttributeList && endsWith(place, 'ResponsePayload', 'AttributeName')
    },
  },
  {
    name: 'attributes of a pushed object',
    kinds: ['extra'],
    where: 'Attribute in Put',
    reason:
      'the server may send attributes with the object, which ones is its choice (KMIP 1.4 §5.2); printed ones must be there',
    repeats: true,
    permits: (place) => place.operation === Operation.Put && endsWith(place, 'RequestPayload', 'Attribute'),
  },
  {
    name: 'object group of the server',
    kinds: ['absent'],
    where: 'Object Group in Get Attributes and Get Attribute List, of an object that no request put into one',
    reason: `${responses}: groups that no request named may or may not be returned`,
    permits(place) {
      if (place.object === undefined || place.object.given.has('Object Group')) return false
      if (place.operation === Operation.GetAttributes)
        return place.tag === Tag.Attribute && place.attribute === 'Object Group'
      const isName =
        place.operation === Operation.GetAttributeList && endsWith(place, 'ResponsePayload', 'AttributeName')
      const value = place.expected?.value
      return isName && value?.type === ItemType.TextString && value.value.replace(/\s+/g, ' ') === 'Object Group'
    },
  },
  {
    name: 'order of attributes',
    kinds: ['unordered'],
    where: 'Attribute, and AttributeName of Get Attribute List',
    reason: 'the specification gives attributes no order',
    permits: (place) => place.tag === Tag.Attribute || endsWith(place, 'ResponsePayload', 'AttributeName'),
  },
  {
    name: 'attribute index 0',
    kinds: ['extra', 'absent'],
    where: 'AttributeIndex 0',
    reason: `${responses}: the index of the first instance may be left out`,
    permits(place) {
      const value = place.actual?.value ?? place.expected?.value?.value
      return endsWith(place, 'Attribute', 'AttributeIndex') && value === 0
    },
  },
  {
    name: 'result message',
    kinds: ['value', 'extra', 'absent'],
    where: 'ResultMessage',
    reason: `${responses}: the text is the server's`,
    permits: (place) =>
      endsWith(place, 'BatchItem', 'ResultMessage') &&
      (place.actual?.type ?? ItemType.TextString) === ItemType.TextString,
  },
  {
    name: 'template attribute',
    kinds: ['extra', 'absent'],
    where: 'TemplateAttribute and its kin in responses',
    reason: `${responses}: optional in the specification`,
    permits: (place) => isPayloadField(place) && templateTags.has(place.tag),
  },
  {
    name: 'message extension',
    kinds: ['extra'],
    where: 'MessageExtension that is not critical',
    reason: `${responses}: a vendor's own`,
    permits(place) {
      const critical = childOf(place.actual, Tag.CriticalityIndicator)
      return endsWith(place, 'BatchItem', 'MessageExtension') && critical?.value === false
    },
  },
  {
    name: 'located items',
    kinds: ['extra', 'absent'],
    where: 'LocatedItems of Locate',
    reason: 'optional in the specification (KMIP 1.4 §4.9); where it is printed and there it must be equal',
    permits: (place) => place.operation === Operation.Locate && endsWith(place, 'ResponsePayload', 'LocatedItems'),
  },
  {
    name: 'query lists',
    kinds: ['extra', 'unordered'],
    where: 'Operation, ObjectType, ApplicationNamespace, ExtensionInformation of Query',
    reason: `${profiles}: more than printed, but none that the request did not ask for; missing ones are failures`,
    repeats: true,
    permits(place, kind) {
      const functions = queryLists.get(place.tag)
      if (place.operation !== Operation.Query || !isPayloadField(place) || functions === undefined) return false
      return kind === 'unordered' || queries(place, functions)
    },
  },
  {
    name: 'vendor',
    kinds: ['value', 'extra', 'absent'],
    where: 'VendorIdentification and ServerInformation of Query',
    reason: `${responses}: each vendor's own`,
    permits(place, kind) {
      if (place.operation !== Operation.Query) return false
      if (endsWith(place, 'ResponsePayload', 'VendorIdentification')) {
        if (kind === 'extra') return queries(place, [QueryFunction.QueryServerInformation])
        return kind === 'absent' || sameType(place)
      }
      return kind === 'value' && endsWith(place, 'ResponsePayload', 'ServerInformation') && sameType(place)
    },
  },
  {
    name: 'further versions',
    kinds: ['extra'],
    where: 'ProtocolVersion of Discover Versions, where the request listed none',
    reason: `${responses}: the server supports more than the case knows`,
    repeats: true,
    permits: (place) =>
      place.operation === Operation.DiscoverVersions &&
      endsWith(place, 'ResponsePayload', 'ProtocolVersion') &&
      childrenOf(childOf(place.request, Tag.RequestPayload)).length === 0,
  },
]

/** The row that permits what is found at a place, or undefined. */
export const variationFor = (place: Place, kind: VariationKind): Variation | undefined =>
  variations.find((row) => row.kinds.includes(kind) && row.permits(place, kind))
