/**
 * PKCS#12 containers: a private key with its certificates under a password (RFC 7292). What it is: `writeContainer` for Get and
 * Export, `openContainer` for Register and Import; what is made here opens with OpenSSL, Java and NSS. What it is not: the
 * password's protection (pkcs12-protection.ts), or which objects belong together (operations). KMIP 1.4 §4.11, §3.45.
 *
 *     PFX { version 3, data { AuthenticatedSafe }, MacData }
 *       encryptedData { certBag ... }                 the chain, the key's own certificate first
 *       data { pkcs8ShroudedKeyBag }                  the key; the same localKeyId as its certificate
 */

import { createHash, X509Certificate } from 'node:crypto'
import { type CryptographicAlgorithm, KeyFormatType, ObjectType } from '#kmip/enums'
import { readAsymmetricKey, unreadable, writeAsymmetricKey } from './asymmetric-key.ts'
import { type BerElement, childrenOf, octetsOf, primitiveOf, readBer, smallIntegerOf } from './ber.ts'
import { derElement, derInteger, tagInteger, tagObjectIdentifier, tagOctetString, tagSequence } from './der.ts'
import { KeyFormatError } from './errors.ts'
import type { KeyForm } from './key-format.ts'
import {
  ContainerPassword,
  checkMacData,
  decryptUnderPassword,
  encryptUnderPassword,
  macData,
} from './pkcs12-protection.ts'
import { bytesOf } from './transparent.ts'

/** A container to be made. */
export interface ContainerRequest {
  /** A Private Key in any format that can be given as PKCS#8. */
  readonly key: KeyForm
  /** DER: the key's own certificate first, then each one's issuer. May be empty. */
  readonly certificates: readonly Uint8Array[]
  readonly friendlyName: string
  readonly password: Uint8Array
  /** Of each of the three derivations from the password. */
  readonly iterations: number
}

/** A container to be opened. */
export interface OpenRequest {
  readonly container: Uint8Array
  readonly password: Uint8Array
  /** The name under which the key is; without it the first key is meant. */
  readonly friendlyName?: string | undefined
  /** Of all derivations together. */
  readonly iterationsMax: number
}

/** What a container holds under a name. */
export interface OpenedContainer {
  /** PrivateKeyInfo. */
  readonly privateKeyInfo: Uint8Array
  /** DER: the key's own certificate first, then the issuers that the container has. */
  readonly certificates: readonly Uint8Array[]
  readonly friendlyName?: string
}

/** Certificates of one container. */
export const containerCertificatesMax = 32

/** Object identifiers, as the hex of their content. */
const oidData = '2a864886f70d010701'
const oidEncryptedData = '2a864886f70d010706'
const oidKeyBag = '2a864886f70d010c0a0101'
const oidShroudedKeyBag = '2a864886f70d010c0a0102'
const oidCertificateBag = '2a864886f70d010c0a0103'
const oidSafeContentsBag = '2a864886f70d010c0a0106'
const oidX509Certificate = '2a864886f70d01091601'
const oidFriendlyName = '2a864886f70d010914'
const oidLocalKeyId = '2a864886f70d010915'

const tagSet = 0x31
const tagBmpString = 0x1e
const tagExplicit0 = 0xa0
const tagImplicit0 = 0x80

const malformed = (): KeyFormatError => new KeyFormatError('invalid', 'The container is not PKCS#12')

const sequence = (...parts: readonly Uint8Array[]): Uint8Array => derElement(tagSequence, ...parts)
const explicit0 = (...parts: readonly Uint8Array[]): Uint8Array => derElement(tagExplicit0, ...parts)
const octets = (content: Uint8Array): Uint8Array => derElement(tagOctetString, content)
const oid = (hex: string): Uint8Array => derElement(tagObjectIdentifier, Uint8Array.from(Buffer.from(hex, 'hex')))

/**
 * Makes a container. Throws KeyFormatError: `unsupported` for a key that cannot be looked into, `invalid` for a certificate
 * that is not the key's.
 */
export function writeContainer(request: ContainerRequest): Uint8Array {
  const { certificates, friendlyName, iterations } = request
  const [own] = certificates
  const privateKeyInfo = privateKeyInfoOf(request.key, own)
  const password = new ContainerPassword(request.password, 3 * iterations)
  const localKeyId = createHash('sha1')
    .update(own ?? privateKeyInfo)
    .digest()
  const attributes = bagAttributes(friendlyName, localKeyId)
  const { algorithm, ciphertext } = encryptUnderPassword(privateKeyInfo, password, iterations)
  privateKeyInfo.fill(0)
  const keyBag = sequence(oid(oidShroudedKeyBag), explicit0(sequence(algorithm, octets(ciphertext))), attributes)
  const certificateBags = certificates.map((certificate, index) => certificateBag(certificate, index, attributes))
  const safes = certificates.length === 0 ? [] : [encryptedSafe(sequence(...certificateBags), password, iterations)]
  const content = sequence(...safes, dataSafe(sequence(keyBag)))
  return sequence(derInteger(3n), dataSafe(content), macData(content, password, iterations))
}

function privateKeyInfoOf(form: KeyForm, certificate: Uint8Array | undefined): Uint8Array {
  if (form.objectType !== ObjectType.PrivateKey) {
    throw new KeyFormatError('unsupported', 'Only a private key is given as PKCS#12')
  }
  const algorithm: CryptographicAlgorithm | undefined = form.cryptographicAlgorithm
  const key = readAsymmetricKey(form.keyFormatType, form.keyMaterial, 'private', algorithm)
  if (key === unreadable) throw new KeyFormatError('unsupported', 'The key can be given only as it was registered')
  if (certificate !== undefined && 'key' in key && key.family !== 'montgomery') {
    if (!new X509Certificate(certificate).checkPrivateKey(key.key)) {
      throw new KeyFormatError('invalid', 'The first certificate of the chain is not that of the private key')
    }
  }
  return bytesOf(writeAsymmetricKey(KeyFormatType.PKCS_8, key))
}

/** friendlyName and localKeyId. They stand in the order that DER wants of a SET. */
function bagAttributes(friendlyName: string, localKeyId: Uint8Array): Uint8Array {
  const name = derElement(tagBmpString, Buffer.from(friendlyName, 'utf16le').swap16())
  const attributes = [
    sequence(oid(oidFriendlyName), derElement(tagSet, name)),
    sequence(oid(oidLocalKeyId), derElement(tagSet, octets(localKeyId))),
  ]
  return derElement(tagSet, ...attributes.toSorted((left, right) => Buffer.compare(left, right)))
}

/** The key's own certificate has the key's attributes; the others have none. */
function certificateBag(certificate: Uint8Array, index: number, attributes: Uint8Array): Uint8Array {
  const bag = sequence(oid(oidX509Certificate), explicit0(octets(certificate)))
  return sequence(oid(oidCertificateBag), explicit0(bag), ...(index === 0 ? [attributes] : []))
}

/** ContentInfo of plain data. */
const dataSafe = (content: Uint8Array): Uint8Array => sequence(oid(oidData), explicit0(octets(content)))

function encryptedSafe(content: Uint8Array, password: ContainerPassword, iterations: number): Uint8Array {
  const { algorithm, ciphertext } = encryptUnderPassword(content, password, iterations)
  const encrypted = sequence(oid(oidData), algorithm, derElement(tagImplicit0, ciphertext))
  return sequence(oid(oidEncryptedData), explicit0(sequence(derInteger(0n), encrypted)))
}

/** A bag of a container, opened. */
interface Bag {
  readonly kind: 'key' | 'certificate'
  /** PrivateKeyInfo, or a certificate. */
  readonly der: Uint8Array
  readonly friendlyName: string | undefined
  /** In hex. */
  readonly localKeyId: string | undefined
}

/**
 * Opens a container. Throws KeyFormatError: `invalid` for bytes that are no container or have no such key, `unsupported` for a
 * protection that is not known or asks for too much; KeyUseError (`failed`) where the password does not open it.
 */
export function openContainer({ container, friendlyName, iterationsMax, ...request }: OpenRequest): OpenedContainer {
  const password = new ContainerPassword(request.password, iterationsMax)
  const [version, authSafe, mac] = childrenOf(readBer(container))
  if (smallIntegerOf(version) !== 3) throw malformed()
  const content = contentInfoOf(authSafe)
  // One that is signed in place of having a code, or has neither.
  if (content.type !== oidData || mac === undefined) {
    throw new KeyFormatError('unsupported', 'Only containers that a password protects are supported')
  }
  const safes = octetsOf(content.content)
  checkMacData(mac, safes, password)
  const bags = childrenOf(readBer(safes)).flatMap((safe) => bagsOfSafe(safe, password))
  const keys = bags.filter(({ kind }) => kind === 'key')
  const key = friendlyName === undefined ? keys[0] : keys.find((bag) => sameName(bag.friendlyName, friendlyName))
  if (key === undefined) throw new KeyFormatError('invalid', 'The container has no such private key')
  const certificates = chainOf(
    key,
    bags.filter(({ kind }) => kind === 'certificate'),
  )
  for (const other of keys) if (other !== key) other.der.fill(0)
  return {
    privateKeyInfo: key.der,
    certificates,
    ...(key.friendlyName === undefined ? {} : { friendlyName: key.friendlyName }),
  }
}

/** caseIgnoreMatch (KMIP 1.4 §3.45). */
const sameName = (left: string | undefined, right: string): boolean => left?.toLowerCase() === right.toLowerCase()

/** Type and content of a ContentInfo; the content is what `[0] EXPLICIT` holds. */
function contentInfoOf(element: BerElement | undefined): {
  readonly type: string
  readonly content: BerElement | undefined
} {
  const [type, content] = childrenOf(element)
  return { type: oidOf(type), content: childrenOf(content, tagExplicit0)[0] }
}

const oidOf = (element: BerElement | undefined): string =>
  Buffer.from(primitiveOf(element, tagObjectIdentifier)).toString('hex')

function bagsOfSafe(safe: BerElement, password: ContainerPassword): Bag[] {
  const { type, content } = contentInfoOf(safe)
  if (type === oidData) return bagsOf(readBer(octetsOf(content)), password, 0)
  if (type !== oidEncryptedData) {
    throw new KeyFormatError('unsupported', 'Only containers that a password protects are supported')
  }
  const [version, encrypted] = childrenOf(content)
  primitiveOf(version, tagInteger)
  const [, algorithm, ciphertext] = childrenOf(encrypted)
  const safeContents = decryptUnderPassword(algorithm, octetsOf(ciphertext, tagImplicit0), password)
  const bags = bagsOf(readBer(safeContents), password, 0)
  safeContents.fill(0)
  return bags
}

/** SafeContentsBags within one another. */
const nestingMax = 4

function bagsOf(safeContents: BerElement, password: ContainerPassword, depth: number): Bag[] {
  if (depth > nestingMax) throw malformed()
  return childrenOf(safeContents).flatMap((safeBag): Bag[] => {
    const [type, wrapped, attributes] = childrenOf(safeBag)
    const [value] = childrenOf(wrapped, tagExplicit0)
    if (value === undefined) throw malformed()
    const kind = oidOf(type)
    if (kind === oidSafeContentsBag) return bagsOf(value, password, depth + 1)
    const named = attributesOf(attributes)
    if (kind === oidShroudedKeyBag) {
      const [algorithm, ciphertext] = childrenOf(value)
      return [{ kind: 'key', der: decryptUnderPassword(algorithm, octetsOf(ciphertext), password), ...named }]
    }
    if (kind === oidKeyBag) return [{ kind: 'key', der: rewritten(value), ...named }]
    if (kind !== oidCertificateBag) return []
    const [certificateType, certificate] = childrenOf(value)
    if (oidOf(certificateType) !== oidX509Certificate) return []
    return [{ kind: 'certificate', der: octetsOf(childrenOf(certificate, tagExplicit0)[0]).slice(), ...named }]
  })
}

/** An element as DER, as far as the structure of a key needs it. */
const rewritten = ({ tag, content, children }: BerElement): Uint8Array =>
  children.length === 0 ? derElement(tag, content) : derElement(tag, ...children.map(rewritten))

function attributesOf(set: BerElement | undefined): Pick<Bag, 'friendlyName' | 'localKeyId'> {
  const values = new Map<string, BerElement | undefined>()
  for (const attribute of set === undefined ? [] : childrenOf(set, tagSet)) {
    const [type, own] = childrenOf(attribute)
    values.set(oidOf(type), childrenOf(own, tagSet)[0])
  }
  const name = values.get(oidFriendlyName)
  const id = values.get(oidLocalKeyId)
  return {
    friendlyName: name === undefined ? undefined : bmpText(primitiveOf(name, tagBmpString)),
    localKeyId: id === undefined ? undefined : Buffer.from(octetsOf(id)).toString('hex'),
  }
}

function bmpText(content: Uint8Array): string {
  if (content.length % 2 !== 0) throw malformed()
  return Buffer.from(content).swap16().toString('utf16le')
}

/** The key's own certificate, found by the identifier that both have, and its issuers as far as they are there. */
function chainOf(key: Bag, bags: readonly Bag[]): readonly Uint8Array[] {
  if (bags.length > containerCertificatesMax) {
    throw new KeyFormatError('unsupported', `A container may have ${containerCertificatesMax} certificates`)
  }
  const own =
    bags.find(({ localKeyId }) => localKeyId !== undefined && localKeyId === key.localKeyId) ??
    bags.find(({ friendlyName }) => friendlyName !== undefined && friendlyName === key.friendlyName)
  if (own === undefined) return []
  const others = new Map(bags.filter((bag) => bag !== own).map(({ der }) => [der, certificateOf(der)]))
  const chain = [own.der]
  for (let last = certificateOf(own.der); ; ) {
    const issuer = [...others].find(([, candidate]) => last.checkIssued(candidate))
    if (issuer === undefined) return chain
    const [der, certificate] = issuer
    others.delete(der)
    chain.push(der)
    last = certificate
  }
}

function certificateOf(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der)
  } catch {
    // The library's text is of no use to a peer.
    throw new KeyFormatError('invalid', 'The container has a certificate that cannot be read')
  }
}
