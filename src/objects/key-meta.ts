/**
 * Key meta: what of an object's attributes an administrator reads as JSON, with owner and permissions. What it is: one pure
 * function. What it is not: a KMIP form, or a decision who may read it.
 *
 *     {"kmip":{"custom":[{"type":"TextString","x-attribute1":"Value1"}],
 *              "app_specific_info":{"application_data":"data","application_namespace":"Test"},
 *              "fresh":true,"digest":[{…}]},
 *      "ownerId":"local|kmip","permissions":{}}
 */
import type { ApplicationSpecificInformation, Digest } from '#kmip/attribute-values'
import { isCustomName } from '#kmip/attributes'
import { enumerationNamed, enumerationValue, tagName } from '#kmip/vocabulary'
import { type Item, ItemType, itemTypeNames } from '#ttlv/item'
import { instancesOf, type ManagedObject, valueOf } from './managed-object.ts'

/** A value as JSON has it. */
export type JsonValue = string | number | boolean | readonly JsonValue[] | { readonly [name: string]: JsonValue }

interface ApplicationInfo {
  readonly application_data?: string
  readonly application_namespace: string
}

interface DigestMeta {
  readonly hashing_algorithm: string
  readonly digest_value?: string
  readonly key_format_type?: string
}

/** Members that an object has nothing for are not there. */
export interface KeyMeta {
  readonly kmip: {
    readonly custom?: readonly { readonly [name: string]: JsonValue }[]
    /** One instance as itself, several as a list. */
    readonly app_specific_info?: ApplicationInfo | readonly ApplicationInfo[]
    readonly fresh?: boolean
    readonly digest?: readonly DigestMeta[]
  }
  readonly ownerId: string
  readonly permissions: Readonly<Record<string, readonly string[]>>
}

/** The key meta of an object: custom attributes, Application Specific Information (§3.36), Fresh (§3.34) and Digest (§3.17). */
export const keyMetaOf = (object: ManagedObject): KeyMeta => {
  const custom = Object.entries(object.attributes)
    .filter(([name]) => isCustomName(name))
    .flatMap(([name, instances]) => instances.map(({ value }) => customMetaOf(name, value as Item)))
  const applications = instancesOf(object, 'Application Specific Information').map(({ value }) =>
    applicationMetaOf(value as ApplicationSpecificInformation),
  )
  const [application] = applications
  const fresh = valueOf<boolean>(object, 'Fresh')
  const digests = instancesOf(object, 'Digest').map(({ value }) => digestMetaOf(value as Digest))
  return {
    kmip: {
      ...(custom.length === 0 ? {} : { custom }),
      ...(application === undefined
        ? {}
        : { app_specific_info: applications.length === 1 ? application : applications }),
      ...(fresh === undefined ? {} : { fresh }),
      ...(digests.length === 0 ? {} : { digest: digests }),
    },
    ownerId: object.owner,
    permissions: object.permissions ?? {},
  }
}

const customMetaOf = (name: string, item: Item): { readonly [name: string]: JsonValue } => ({
  type: itemTypeNames[item.type] ?? '',
  [name]: jsonOf(item),
})

const applicationMetaOf = ({
  applicationData,
  applicationNamespace,
}: ApplicationSpecificInformation): ApplicationInfo => ({
  ...(applicationData === undefined ? {} : { application_data: applicationData }),
  application_namespace: applicationNamespace,
})

const nameIn = (enumeration: string, value: number): string =>
  enumerationValue(enumerationNamed(enumeration), value)?.name ?? String(value)

const digestMetaOf = ({ hashingAlgorithm, digestValue, keyFormatType }: Digest): DigestMeta => ({
  hashing_algorithm: nameIn('HashingAlgorithm', hashingAlgorithm),
  ...(digestValue === undefined ? {} : { digest_value: Buffer.from(digestValue).toString('hex') }),
  ...(keyFormatType === undefined ? {} : { key_format_type: nameIn('KeyFormatType', keyFormatType) }),
})

/** Numbers beyond what every JSON reader keeps exact are text; bytes are hexadecimal digits; dates are ISO 8601. */
const jsonOf = (item: Item): JsonValue => {
  switch (item.type) {
    case ItemType.Structure:
      return item.value.map((child) => ({
        tag: tagName(child.tag),
        type: itemTypeNames[child.type] ?? '',
        value: jsonOf(child),
      }))
    case ItemType.LongInteger:
    case ItemType.BigInteger:
      return Number.isSafeInteger(Number(item.value)) ? Number(item.value) : item.value.toString()
    case ItemType.ByteString:
      return Buffer.from(item.value).toString('hex')
    case ItemType.DateTime:
      return Math.abs(item.value) <= 8_640_000_000_000 ? new Date(item.value * 1000).toISOString() : item.value
    default:
      return item.value
  }
}
