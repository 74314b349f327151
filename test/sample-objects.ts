/**
 * Objects for tests, made through the dispatcher as clients make them. What it is: one short function an object type, and the
 * attributes that requests are made of. What it is not: objects behind the server's back (`place` in dispatcher.ts).
 */
import assert from 'node:assert/strict'
import { systemEntropy } from '#actor/entropy'
import { createAuthority, issueServerCertificate } from '#identity/authority'
import type { Principal } from '#identity/principals'
import type { Attribute } from '#kmip/attribute'
import {
  CertificateType,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  KeyFormatType,
  LinkType,
  NameType,
  ObjectType,
  OpaqueDataType,
  RecommendedCurve,
  RevocationReasonCode,
  SecretDataType,
} from '#kmip/enums'
import type { KeyBlock } from '#kmip/key-block'
import type { Version } from '#kmip/versions'
import { type DispatcherUnderTest, succeed } from '#test/dispatcher'

interface Options {
  readonly who?: Principal
  readonly version?: Version
}

/** Attributes of a request from names and values; a list of values where an attribute has several. */
export const attributes = (values: Readonly<Record<string, unknown>>): readonly Attribute[] =>
  Object.entries(values).flatMap(([attributeName, value]) =>
    (Array.isArray(value) ? value : [value]).map((attributeValue: unknown) => ({ attributeName, attributeValue })),
  )

/** An uninterpreted Name (§3.2). */
export const name = (nameValue: string) => ({ nameValue, nameType: NameType.UninterpretedTextString })

const { Encrypt, Decrypt, Sign, Verify } = CryptographicUsageMask

/** What a Create needs for an AES key. */
export const aes = {
  'Cryptographic Algorithm': CryptographicAlgorithm.AES,
  'Cryptographic Length': 128,
  'Cryptographic Usage Mask': Encrypt | Decrypt,
}

/** A Create of an AES key with more or other attributes. */
export const createRequest = (values: Readonly<Record<string, unknown>> = {}, templates: readonly string[] = []) => ({
  objectType: ObjectType.SymmetricKey,
  templateAttribute: { name: templates.map(name), attribute: attributes({ ...aes, ...values }) },
})

/** The identifier of a new AES key. */
export const createKey = async (
  under: DispatcherUnderTest,
  values: Readonly<Record<string, unknown>> = {},
  options: Options = {},
): Promise<string> => (await succeed(under, 'Create', createRequest(values), options)).uniqueIdentifier

/** A Create Key Pair on P-256. */
export const pairRequest = (
  own: { readonly common?: object; readonly private?: object; readonly public?: object } = {},
) => ({
  commonTemplateAttribute: {
    attribute: attributes({
      'Cryptographic Algorithm': CryptographicAlgorithm.ECDSA,
      'Cryptographic Domain Parameters': { recommendedCurve: RecommendedCurve.P_256 },
      ...own.common,
    }),
  },
  privateKeyTemplateAttribute: { attribute: attributes({ 'Cryptographic Usage Mask': Sign, ...own.private }) },
  publicKeyTemplateAttribute: { attribute: attributes({ 'Cryptographic Usage Mask': Verify, ...own.public }) },
})

/** The 16 bytes of the key that `keyRequest` registers. */
export const keyBytes = new Uint8Array(16).fill(7)

/** A Register of an AES key in the format Raw. */
export const keyRequest = (values: Readonly<Record<string, unknown>> = {}, keyMaterial: Uint8Array = keyBytes) => ({
  objectType: ObjectType.SymmetricKey,
  templateAttribute: { attribute: attributes({ 'Cryptographic Usage Mask': Encrypt, ...values }) },
  symmetricKey: {
    keyBlock: {
      keyFormatType: KeyFormatType.Raw,
      keyValue: { keyMaterial, attribute: [] },
      cryptographicAlgorithm: CryptographicAlgorithm.AES,
      cryptographicLength: keyMaterial.length * 8,
    },
  },
})

/** A Register of a password, as databases send it. */
export const secretRequest = (values: Readonly<Record<string, unknown>> = {}, text = 'open sesame') => ({
  objectType: ObjectType.SecretData,
  templateAttribute: { attribute: attributes(values) },
  secretData: {
    secretDataType: SecretDataType.Password,
    keyBlock: {
      keyFormatType: KeyFormatType.Opaque,
      keyValue: { keyMaterial: new Uint8Array(Buffer.from(text)), attribute: [] },
    },
  },
})

/** A Register of bytes of which nothing is known. */
export const opaqueRequest = (values: Readonly<Record<string, unknown>> = {}) => ({
  objectType: ObjectType.OpaqueObject,
  templateAttribute: { attribute: attributes(values) },
  // A vendor's type: the specification names none.
  opaqueObject: { opaqueDataType: 0x8000_0001 as OpaqueDataType, opaqueDataValue: Uint8Array.of(1, 2, 3) },
})

/** A Register of a Template: its own attributes (Name), and those that it gives to objects. */
export const templateRequest = (own: string, within: Readonly<Record<string, unknown>>) => ({
  objectType: ObjectType.Template,
  templateAttribute: { attribute: attributes({ Name: name(own) }) },
  template: { attribute: attributes(within) },
})

const issuedSeconds = 1_770_000_000
const authority = createAuthority({ O: 'Acme', CN: 'Test CA' }, issuedSeconds, systemEntropy)

/** A certificate for a server, of a P-256 key, signed with ECDSA and SHA-256, with an alternative name of its own. */
export const certificate = issueServerCertificate(authority, ['kms.example'], issuedSeconds, systemEntropy).certificate

/** A Register of the certificate. */
export const certificateRequest = (values: Readonly<Record<string, unknown>> = {}) => ({
  objectType: ObjectType.Certificate,
  templateAttribute: { attribute: attributes(values) },
  certificate: { certificateType: CertificateType.X_509, certificateValue: certificate },
})

/** A Revoke: key compromise, or cessation of operation. */
export const revocation = (uniqueIdentifier: string, compromised = false) => ({
  uniqueIdentifier,
  revocationReason: {
    revocationReasonCode: compromised ? RevocationReasonCode.KeyCompromise : RevocationReasonCode.CessationOfOperation,
  },
})

/** The bytes of a key that is not wrapped, in a format that is not transparent. */
export const materialOf = (object: { readonly keyBlock: KeyBlock } | undefined): Buffer => {
  const keyValue = object?.keyBlock.keyValue
  assert.ok(keyValue !== undefined && !(keyValue instanceof Uint8Array))
  assert.ok(keyValue.keyMaterial instanceof Uint8Array)
  return Buffer.from(keyValue.keyMaterial)
}

/** A Link to another object. */
export const parentLink = (linkedObjectIdentifier: string) => ({
  linkType: LinkType.ParentLink,
  linkedObjectIdentifier,
})
