/**
 * Key Block and what it holds (KMIP 1.4 §2.1.3 to §2.1.7): key values, wrapping data, transparent keys. What it is: shapes.
 * What it is not: key arithmetic or conversion (crypto/key-format.ts).
 */

import { BinaryWriter } from '#ttlv/binary'
import {
  bigInteger,
  byteString,
  bytesOr,
  type Choose,
  type Codec,
  type Infer,
  integer,
  many,
  one,
  optional,
  struct,
  textString,
} from '#ttlv/schema'
import { attribute } from './attribute.ts'
import { cryptographicParameters } from './attribute-values.ts'
import { KeyFormatType } from './enums.ts'
import { Tag } from './tags.ts'
import { newestVersion, v1_1 } from './versions.ts'
import { enumerated } from './vocabulary.ts'

const curve = one(Tag.RecommendedCurve, enumerated('RecommendedCurve'))

/** §2.1.7.1 */
export const transparentSymmetricKey = struct({ key: one(Tag.Key, byteString) })
/** §2.1.7.2 */
export const transparentDsaPrivateKey = struct({
  p: one(Tag.P, bigInteger),
  q: one(Tag.Q, bigInteger),
  g: one(Tag.G, bigInteger),
  x: one(Tag.X, bigInteger),
})
/** §2.1.7.3 */
export const transparentDsaPublicKey = struct({
  p: one(Tag.P, bigInteger),
  q: one(Tag.Q, bigInteger),
  g: one(Tag.G, bigInteger),
  y: one(Tag.Y, bigInteger),
})
/** §2.1.7.4 */
export const transparentRsaPrivateKey = struct({
  modulus: one(Tag.Modulus, bigInteger),
  privateExponent: optional(Tag.PrivateExponent, bigInteger),
  publicExponent: optional(Tag.PublicExponent, bigInteger),
  p: optional(Tag.P, bigInteger),
  q: optional(Tag.Q, bigInteger),
  primeExponentP: optional(Tag.PrimeExponentP, bigInteger),
  primeExponentQ: optional(Tag.PrimeExponentQ, bigInteger),
  crtCoefficient: optional(Tag.CRTCoefficient, bigInteger),
})
/** §2.1.7.5 */
export const transparentRsaPublicKey = struct({
  modulus: one(Tag.Modulus, bigInteger),
  publicExponent: one(Tag.PublicExponent, bigInteger),
})
/** §2.1.7.6 */
export const transparentDhPrivateKey = struct({
  p: one(Tag.P, bigInteger),
  q: optional(Tag.Q, bigInteger),
  g: one(Tag.G, bigInteger),
  j: optional(Tag.J, bigInteger),
  x: one(Tag.X, bigInteger),
})
/** §2.1.7.7 */
export const transparentDhPublicKey = struct({
  p: one(Tag.P, bigInteger),
  q: optional(Tag.Q, bigInteger),
  g: one(Tag.G, bigInteger),
  j: optional(Tag.J, bigInteger),
  y: one(Tag.Y, bigInteger),
})
/** §2.1.7.8, 10, 12, 14: ECDSA, ECDH, ECMQV and EC private keys */
export const transparentEcPrivateKey = struct({ recommendedCurve: curve, d: one(Tag.D, bigInteger) })
/** §2.1.7.9, 11, 13, 15: ECDSA, ECDH, ECMQV and EC public keys */
export const transparentEcPublicKey = struct({ recommendedCurve: curve, qString: one(Tag.QString, byteString) })

/** Key Material is a structure for these formats and a byte string for all others. */
const transparent: ReadonlyMap<number, Codec<unknown>> = new Map<number, Codec<unknown>>([
  [KeyFormatType.TransparentSymmetricKey, transparentSymmetricKey],
  [KeyFormatType.TransparentDSAPrivateKey, transparentDsaPrivateKey],
  [KeyFormatType.TransparentDSAPublicKey, transparentDsaPublicKey],
  [KeyFormatType.TransparentRSAPrivateKey, transparentRsaPrivateKey],
  [KeyFormatType.TransparentRSAPublicKey, transparentRsaPublicKey],
  [KeyFormatType.TransparentDHPrivateKey, transparentDhPrivateKey],
  [KeyFormatType.TransparentDHPublicKey, transparentDhPublicKey],
  [KeyFormatType.TransparentECDSAPrivateKey, transparentEcPrivateKey],
  [KeyFormatType.TransparentECDSAPublicKey, transparentEcPublicKey],
  [KeyFormatType.TransparentECDHPrivateKey, transparentEcPrivateKey],
  [KeyFormatType.TransparentECDHPublicKey, transparentEcPublicKey],
  [KeyFormatType.TransparentECMQVPrivateKey, transparentEcPrivateKey],
  [KeyFormatType.TransparentECMQVPublicKey, transparentEcPublicKey],
  [KeyFormatType.TransparentECPrivateKey, transparentEcPrivateKey],
  [KeyFormatType.TransparentECPublicKey, transparentEcPublicKey],
])

/** The codec of Key Material in a format: a structure for the transparent ones. */
export const keyMaterialCodec = (keyFormatType: number): Codec<unknown> => transparent.get(keyFormatType) ?? byteString

/** Key Material as encoded, which digests are made of (§3.17): the bytes themselves, or the TTLV of a structure. */
export const encodedKeyMaterial = (keyFormatType: number, keyMaterial: unknown): Uint8Array => {
  if (keyMaterial instanceof Uint8Array) return keyMaterial
  const writer = new BinaryWriter(newestVersion)
  keyMaterialCodec(keyFormatType).write(writer, Tag.KeyMaterial, keyMaterial)
  return writer.bytes()
}

/** A plain Key Value: material, and attributes that travel with it (§2.1.4). */
export interface KeyValue {
  readonly keyMaterial: unknown
  readonly attribute: readonly Infer<typeof attribute>[]
}

const keyValueCodecs = new Map<Codec<unknown>, Codec<KeyValue>>()

/** The codec of a plain Key Value in a format: one for all formats whose material is read alike. */
export const keyValueCodec = (keyFormatType: number): Codec<KeyValue> => {
  const material = keyMaterialCodec(keyFormatType)
  const known =
    keyValueCodecs.get(material) ??
    struct({ keyMaterial: one(Tag.KeyMaterial, material), attribute: many(Tag.Attribute, attribute) })
  keyValueCodecs.set(material, known)
  return known
}

/** A Key Value is a structure, or the bytes of a wrapped one. */
const keyValue: Choose<KeyValue | Uint8Array> = (parent) => bytesOr(keyValueCodec(Number(parent['keyFormatType'])))

/** §2.1.5, Tables 10 and 11 */
export const wrappingKeyInformation = struct({
  uniqueIdentifier: one(Tag.UniqueIdentifier, textString),
  cryptographicParameters: optional(Tag.CryptographicParameters, cryptographicParameters),
})
export type WrappingKeyInformation = Infer<typeof wrappingKeyInformation>

/** §2.1.5 */
export const keyWrappingData = struct({
  wrappingMethod: one(Tag.WrappingMethod, enumerated('WrappingMethod')),
  encryptionKeyInformation: optional(Tag.EncryptionKeyInformation, wrappingKeyInformation),
  macSignatureKeyInformation: optional(Tag.MACSignatureKeyInformation, wrappingKeyInformation),
  macSignature: optional(Tag.MACSignature, byteString),
  ivCounterNonce: optional(Tag.IVCounterNonce, byteString),
  encodingOption: optional(Tag.EncodingOption, enumerated('EncodingOption'), { since: v1_1 }),
})
export type KeyWrappingData = Infer<typeof keyWrappingData>

/** §2.1.6 */
export const keyWrappingSpecification = struct({
  wrappingMethod: one(Tag.WrappingMethod, enumerated('WrappingMethod')),
  encryptionKeyInformation: optional(Tag.EncryptionKeyInformation, wrappingKeyInformation),
  macSignatureKeyInformation: optional(Tag.MACSignatureKeyInformation, wrappingKeyInformation),
  attributeName: many(Tag.AttributeName, textString),
  encodingOption: optional(Tag.EncodingOption, enumerated('EncodingOption'), { since: v1_1 }),
})
export type KeyWrappingSpecification = Infer<typeof keyWrappingSpecification>

/** §2.1.3 */
export const keyBlock = struct({
  keyFormatType: one(Tag.KeyFormatType, enumerated('KeyFormatType')),
  keyCompressionType: optional(Tag.KeyCompressionType, enumerated('KeyCompressionType')),
  keyValue: optional(Tag.KeyValue, keyValue),
  cryptographicAlgorithm: optional(Tag.CryptographicAlgorithm, enumerated('CryptographicAlgorithm')),
  cryptographicLength: optional(Tag.CryptographicLength, integer),
  keyWrappingData: optional(Tag.KeyWrappingData, keyWrappingData),
})
export type KeyBlock = Infer<typeof keyBlock>
