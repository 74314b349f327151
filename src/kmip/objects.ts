/**
 * Managed Objects on the wire (KMIP 1.4 §2.2): one row an object type, with its tag and its shape. What it is not: an
 * object as the server keeps it (objects/managed-object.ts).
 */
import { bigInteger, byteString, type Codec, type Infer, integer, many, one, optional, struct } from '#ttlv/schema'
import { attribute } from './attribute.ts'
import { ObjectType } from './enums.ts'
import { keyBlock } from './key-block.ts'
import { Tag } from './tags.ts'
import { v1_2 } from './versions.ts'
import { enumerated } from './vocabulary.ts'

/** §2.2.1 */
export const certificate = struct({
  certificateType: one(Tag.CertificateType, enumerated('CertificateType')),
  certificateValue: one(Tag.CertificateValue, byteString),
})
/** §2.2.2 to §2.2.4: Symmetric Key, Public Key, Private Key */
export const key = struct({ keyBlock: one(Tag.KeyBlock, keyBlock) })
/** §2.2.5 */
export const splitKey = struct({
  splitKeyParts: one(Tag.SplitKeyParts, integer),
  keyPartIdentifier: one(Tag.KeyPartIdentifier, integer),
  splitKeyThreshold: one(Tag.SplitKeyThreshold, integer),
  splitKeyMethod: one(Tag.SplitKeyMethod, enumerated('SplitKeyMethod')),
  primeFieldSize: optional(Tag.PrimeFieldSize, bigInteger),
  keyBlock: one(Tag.KeyBlock, keyBlock),
})
/** §2.2.6, deprecated */
export const template = struct({ attribute: many(Tag.Attribute, attribute) })
/** §2.2.7 */
export const secretData = struct({
  secretDataType: one(Tag.SecretDataType, enumerated('SecretDataType')),
  keyBlock: one(Tag.KeyBlock, keyBlock),
})
/** §2.2.8 */
export const opaqueObject = struct({
  opaqueDataType: one(Tag.OpaqueDataType, enumerated('OpaqueDataType')),
  opaqueDataValue: one(Tag.OpaqueDataValue, byteString),
})
/** §2.2.9 */
export const pgpKey = struct({ pgpKeyVersion: one(Tag.PGPKeyVersion, integer), keyBlock: one(Tag.KeyBlock, keyBlock) })

/** An object type: its number, its tag and its shape, and the first version that has it. */
export interface ObjectRow<T = unknown> {
  readonly objectType: number
  readonly tag: number
  readonly field: ObjectField
  readonly codec: Codec<T>
  readonly since: number
}

export type ObjectField =
  | 'certificate'
  | 'symmetricKey'
  | 'publicKey'
  | 'privateKey'
  | 'splitKey'
  | 'template'
  | 'secretData'
  | 'opaqueObject'
  | 'pgpKey'

const row = (objectType: number, tag: number, field: ObjectField, codec: Codec<unknown>, since = 0): ObjectRow => ({
  objectType,
  tag,
  field,
  codec,
  since,
})

/** Every object type of KMIP 1.4 (§9.1.3.2.12). */
export const objectRows: readonly ObjectRow[] = [
  row(ObjectType.Certificate, Tag.Certificate, 'certificate', certificate),
  row(ObjectType.SymmetricKey, Tag.SymmetricKey, 'symmetricKey', key),
  row(ObjectType.PublicKey, Tag.PublicKey, 'publicKey', key),
  row(ObjectType.PrivateKey, Tag.PrivateKey, 'privateKey', key),
  row(ObjectType.SplitKey, Tag.SplitKey, 'splitKey', splitKey),
  row(ObjectType.Template, Tag.Template, 'template', template),
  row(ObjectType.SecretData, Tag.SecretData, 'secretData', secretData),
  row(ObjectType.OpaqueObject, Tag.OpaqueObject, 'opaqueObject', opaqueObject),
  row(ObjectType.PGPKey, Tag.PGPKey, 'pgpKey', pgpKey, v1_2),
]

const byType = new Map(objectRows.map((entry) => [entry.objectType, entry]))

/** The row of an object type, or undefined. */
export const objectRow = (objectType: number): ObjectRow | undefined => byType.get(objectType)

/** The object fields of a payload (Register, Get, Import, Export): at most one of them is there. */
export const objectFields = {
  certificate: optional(Tag.Certificate, certificate),
  symmetricKey: optional(Tag.SymmetricKey, key),
  publicKey: optional(Tag.PublicKey, key),
  privateKey: optional(Tag.PrivateKey, key),
  splitKey: optional(Tag.SplitKey, splitKey),
  template: optional(Tag.Template, template),
  secretData: optional(Tag.SecretData, secretData),
  opaqueObject: optional(Tag.OpaqueObject, opaqueObject),
  pgpKey: optional(Tag.PGPKey, pgpKey, { since: v1_2 }),
}

export type CertificateValue = Infer<typeof certificate>
export type KeyObjectValue = Infer<typeof key>
export type SecretDataValue = Infer<typeof secretData>
export type OpaqueObjectValue = Infer<typeof opaqueObject>
export type TemplateValue = Infer<typeof template>
export type SplitKeyValue = Infer<typeof splitKey>
