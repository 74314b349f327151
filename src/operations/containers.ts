/**
 * PKCS#12 containers of Private Keys (KMIP 1.4 §4.11, §3.45): which password and which certificates belong to a key, by its
 * Links. What it is: one way out for Get and Export, one way in for Register and Import. What it is not: the containers'
 * bytes (crypto/pkcs12.ts), or an operation.
 *
 * A key that came in a container is kept twice: in the clear as PKCS#8, with which the server computes, and as it came.
 */
import { containerCertificatesMax, type KeyForm, type OpenedContainer } from '#crypto/run'
import { CertificateType, KeyFormatType, LinkType, ObjectType, ResultReason, SecretDataType, State } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { KeyBlock } from '#kmip/key-block'
import type { CertificateValue, KeyObjectValue, SecretDataValue } from '#kmip/objects'
import { Tag } from '#kmip/tags'
import { isEnumerationKnown } from '#objects/known-values'
import { stateOf } from '#objects/lifecycle'
import type { Link } from '#objects/links'
import { type AttributeSet, instancesOf, type ManagedObject, valueOf } from '#objects/managed-object'
import { type Digested, given } from './creation.ts'
import { keyFormOf } from './key-use.ts'
import type { Context } from './operation.ts'

/** §3.45: the name of a key that has no PKCS#12 Friendly Name. */
const defaultFriendlyName = 'alias'

/** A Private Key as it is kept that came in a container. */
interface ContainedKey extends KeyObjectValue {
  readonly container: {
    readonly keyMaterial: Uint8Array
    /** DER, the key's own first. */
    readonly certificates: readonly Uint8Array[]
  }
}

const contained = (object: ManagedObject): ContainedKey['container'] | undefined =>
  (object.value as Partial<ContainedKey> | undefined)?.container

/** The Key Block of a container: algorithm and length are within (§2.1.3). */
const containerBlock = (keyMaterial: Uint8Array): KeyBlock => ({
  keyFormatType: KeyFormatType.PKCS_12,
  keyValue: { keyMaterial, attribute: [] },
  keyCompressionType: undefined,
  cryptographicAlgorithm: undefined,
  cryptographicLength: undefined,
  keyWrappingData: undefined,
})

/** The Key Block as it came, of a key that came in a container. */
export const registeredContainer = (object: ManagedObject): KeyBlock | undefined => {
  const container = contained(object)
  return container === undefined ? undefined : containerBlock(container.keyMaterial)
}

/** On the wire a container is a Byte String where the structure of other plain Key Values stands, as the published case has it. */
export const onTheWire = (keyBlock: KeyBlock): KeyBlock => {
  const { keyFormatType, keyValue, keyWrappingData } = keyBlock
  if (keyFormatType !== KeyFormatType.PKCS_12 || keyWrappingData !== undefined || keyValue === undefined)
    return keyBlock
  if (keyValue instanceof Uint8Array || !(keyValue.keyMaterial instanceof Uint8Array)) return keyBlock
  return { ...keyBlock, keyValue: keyValue.keyMaterial }
}

/**
 * The Key Block of a Private Key in a container made now: under the password of its PKCS#12 Password Link, with the
 * certificates that its Links lead to, or else those that it came with.
 * @throws KmipError Invalid Field for Links that are missing, several, or lead to what they should not (§11.4); Item Not
 * Found, Permission Denied, Object Archived for what they lead to; KeyFormatError
 */
export const writtenContainer = async (object: ManagedObject, key: KeyForm, context: Context): Promise<KeyBlock> => {
  const password = linkedPassword(linksOf(instancesOf(object, 'Link')), 'protect', context)
  const linked = linkedCertificates(object, context)
  const { container } = await context.services.crypto.run({
    kind: 'writeContainer',
    key,
    certificates: linked.length > 0 ? linked : (contained(object)?.certificates ?? []),
    friendlyName: valueOf<string>(object, 'PKCS#12 Friendly Name') ?? defaultFriendlyName,
    password,
    iterations: context.services.policy.computing.pkcs12Iterations,
  })
  return containerBlock(container)
}

/** A key taken out of its container. */
export interface TakenOut {
  /** The object as it is kept. */
  readonly value: ContainedKey
  /** The friendly name of the key, where it has one (§3.45). */
  readonly friendlyName: string | undefined
  /** §3.17: the digest is that of the container. */
  readonly digested: Digested
}

/**
 * The key of an object that came in a container; undefined for any other object.
 * @throws KmipError Invalid Field for a Password Link that is missing, one of several, or to something else (§11.4), Permission
 * Denied, Object Archived; KeyFormatError, KeyUseError for a container that does not open
 */
export const takenOut = async (
  objectType: number,
  value: object,
  attributes: AttributeSet,
  context: Context,
): Promise<TakenOut | undefined> => {
  const { keyBlock } = value as { readonly keyBlock?: KeyBlock }
  if (objectType !== ObjectType.PrivateKey || keyBlock?.keyFormatType !== KeyFormatType.PKCS_12) return undefined
  if (!isEnumerationKnown(Tag.KeyFormatType, KeyFormatType.PKCS_12, context.version)) return undefined
  const { keyValue, keyWrappingData, ...rest } = keyBlock
  const container = keyValue instanceof Uint8Array ? keyValue : keyValue?.keyMaterial
  if (keyWrappingData !== undefined || !(container instanceof Uint8Array)) return undefined
  const password = linkedPassword(linksOf(attributes['Link'] ?? []), 'open', context)
  const opened = await context.services.crypto.run({
    kind: 'openContainer',
    container,
    password,
    friendlyName: given<string>(attributes, 'PKCS#12 Friendly Name'),
    iterationsMax: context.services.policy.computing.deriveIterationsMax,
  })
  return {
    value: keptValue(rest, container, opened),
    friendlyName: given<string>(attributes, 'PKCS#12 Friendly Name') ?? opened.friendlyName,
    digested: { encodedMaterial: container, keyFormatType: KeyFormatType.PKCS_12 },
  }
}

const keptValue = (
  keyBlock: Omit<KeyBlock, 'keyValue' | 'keyWrappingData'>,
  keyMaterial: Uint8Array,
  { privateKeyInfo, certificates }: OpenedContainer,
): ContainedKey => ({
  keyBlock: {
    ...keyBlock,
    keyFormatType: KeyFormatType.PKCS_8,
    keyValue: { keyMaterial: privateKeyInfo, attribute: [] },
    keyWrappingData: undefined,
  },
  container: { keyMaterial, certificates },
})

const linksOf = (instances: readonly { readonly value: unknown }[]): readonly Link[] =>
  instances.map(({ value }) => value as Link)

/** §3.22: a password protects while it is Active; what it protects is opened also afterwards. */
const statesOfUse: Readonly<Record<'protect' | 'open', ReadonlySet<number | undefined>>> = {
  protect: new Set([State.Active]),
  open: new Set([State.Active, State.Deactivated, State.Compromised]),
}

/** The bytes of the password that Links lead to. @throws KmipError Invalid Field, Permission Denied, Object Archived */
const linkedPassword = (links: readonly Link[], use: 'protect' | 'open', context: Context): Uint8Array => {
  const [identifier, ...others] = targetsOf(links, LinkType.PKCS_12PasswordLink)
  if (identifier === undefined || others.length > 0) {
    throw new KmipError(ResultReason.InvalidField, 'PKCS#12 needs one PKCS#12 Password Link on the Private Key')
  }
  const isThere = context.transaction.read(identifier) !== undefined
  const secret = isThere ? context.object(identifier, 'wrap') : undefined
  const type = (secret?.value as Partial<SecretDataValue> | undefined)?.secretDataType
  if (secret?.objectType !== ObjectType.SecretData || type !== SecretDataType.Password) {
    throw new KmipError(ResultReason.InvalidField, 'The PKCS#12 Password Link does not lead to a password')
  }
  if (!statesOfUse[use].has(stateOf(secret))) {
    throw new KmipError(ResultReason.PermissionDenied, 'The password is not in the Active state')
  }
  const { keyMaterial } = keyFormOf(secret)
  if (keyMaterial instanceof Uint8Array) return keyMaterial
  const { key } = keyMaterial
  if (key === undefined) throw new KmipError(ResultReason.InvalidField, 'The password is not bytes')
  return key
}

const targetsOf = (links: readonly Link[], linkType: number): readonly string[] => [
  ...new Set(links.filter((link) => link.linkType === linkType).map((link) => link.linkedObjectIdentifier)),
]

/** Where an object's Links of the first of these types lead that it has. @throws KmipError Invalid Field for several */
const nextOf = (object: ManagedObject, linkTypes: readonly number[]): string | undefined => {
  const links = linksOf(instancesOf(object, 'Link'))
  const [next, ...others] = linkTypes.map((type) => targetsOf(links, type)).find(({ length }) => length > 0) ?? []
  if (others.length > 0) {
    throw new KmipError(ResultReason.InvalidField, 'There is more than one certificate chain (§4.11)')
  }
  return next
}

/** The published case chains with the one, the text of §4.11 with the other. */
const certificateLinks = [LinkType.PKCS_12CertificateLink, LinkType.CertificateLink]

/**
 * The certificates of a Private Key, its own first: by its PKCS#12 Certificate Link, or that or the Certificate Link of its
 * Public Key, then each one's (§4.11).
 * @throws KmipError Invalid Field for a chain that is not one of X.509 certificates; Item Not Found, Permission Denied, Object Archived
 */
const linkedCertificates = (object: ManagedObject, context: Context): readonly Uint8Array[] => {
  const certificates = new Map<string, Uint8Array>()
  let next = firstCertificate(object, context)
  // A root may lead to itself.
  while (next !== undefined && !certificates.has(next)) {
    const certificate = context.object(next, 'export')
    const { certificateType, certificateValue } = (certificate.value ?? {}) as Partial<CertificateValue>
    const isX509 = certificate.objectType === ObjectType.Certificate && certificateType === CertificateType.X_509
    if (!isX509 || certificateValue === undefined) {
      throw new KmipError(ResultReason.InvalidField, 'The certificate chain leads to what is no X.509 certificate')
    }
    if (certificates.size === containerCertificatesMax) {
      throw new KmipError(ResultReason.InvalidField, `A chain may have ${containerCertificatesMax} certificates`)
    }
    certificates.set(next, certificateValue)
    next = nextOf(certificate, certificateLinks)
  }
  return [...certificates.values()]
}

const firstCertificate = (object: ManagedObject, context: Context): string | undefined => {
  const own = nextOf(object, [LinkType.PKCS_12CertificateLink])
  if (own !== undefined) return own
  const publicKey = nextOf(object, [LinkType.PublicKeyLink])
  return publicKey === undefined ? undefined : nextOf(context.object(publicKey, 'read'), certificateLinks)
}
