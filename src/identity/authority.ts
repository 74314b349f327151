/**
 * A local certificate authority. What it is: making of a CA, of server certificates and of client certificates, written
 * with pkijs and signed by Node's own crypto (so that a key held elsewhere can sign the same bytes later). What it is not:
 * a reader of certificates (`certificates.ts`), nor their keeper (`bootstrap.ts`). Nothing of pkijs crosses its exports.
 */

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto'
import { promisify } from 'node:util'
import {
  Set as AsnSet,
  type AsnType,
  BitString,
  fromBER,
  IA5String,
  Integer,
  Null,
  ObjectIdentifier,
  OctetString,
  PrintableString,
  Sequence,
  Utf8String,
} from 'asn1js'
import {
  AlgorithmIdentifier,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  Extension,
  ExtKeyUsage,
  GeneralName,
  GeneralNames,
  PublicKeyInfo,
  RelativeDistinguishedNames,
  Time,
  TimeType,
} from 'pkijs'
import type { Entropy } from '#actor/entropy'
import { CertificateError, parseCertificate } from './certificates.ts'
import { type NameFieldLabel, type NameFields, nameFields } from './names.ts'

/** A certificate and the private key of its public key. The key is a secret: never logged. */
export interface CertificateWithKey {
  readonly certificate: Uint8Array
  /** PKCS#8 DER. */
  readonly privateKey: Uint8Array
}

/** From when until when, in seconds since 1970; both are whole. */
export interface Validity {
  readonly notBeforeSeconds: number
  readonly notAfterSeconds: number
}

const secondsPerDay = 86_400

/** A CA lives ten years: it is in clients' trust stores, where replacing it costs the most. */
export const authorityDays = 3_653
/** A server certificate is replaced by the server itself, at a start, so it may be short; some clients refuse over 825 days. */
export const serverCertificateDays = 730
/** A client certificate sits in arrays and libraries that nobody likes to touch. */
export const clientCertificateDays = 1_826
/** Certificates are valid a little before they are made: clients' clocks are late. */
const clockSkewSeconds = 3_600

const oid = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuthentication: '1.3.6.1.5.5.7.3.1',
  clientAuthentication: '1.3.6.1.5.5.7.3.2',
} as const

/** Bits of KeyUsage, the first bit of the string highest (RFC 5280 §4.2.1.3). */
const keyUsage = { digitalSignature: 0x80, keyEncipherment: 0x20, keyCertSign: 0x04, cRLSign: 0x02 } as const

/** A validity that starts `clockSkewSeconds` before now and ends `days` after now, not later than `notAfterMaxSeconds`. */
export function validityFrom(nowSeconds: number, days: number, notAfterMaxSeconds = Infinity): Validity {
  return {
    notBeforeSeconds: nowSeconds - clockSkewSeconds,
    notAfterSeconds: Math.min(nowSeconds + days * secondsPerDay, notAfterMaxSeconds),
  }
}

/**
 * A new certificate authority, self-signed with SHA-256, valid for ten years.
 * @param keyType EC P-256, or RSA with 3072 bits where those who verify may know no other.
 * @throws CertificateError when the subject cannot be written.
 */
export function createAuthority(
  subject: NameFields,
  nowSeconds: number,
  entropy: Entropy,
  keyType: 'ec' | 'rsa' = 'ec',
): CertificateWithKey {
  const keys =
    keyType === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 3072 })
  return createAuthorityOf(keys, subject, nowSeconds, entropy)
}

/** A key pair for an RSA authority, made beside this thread: it takes half a second. */
export const newRsaAuthorityKeys = (): Promise<KeyPair> => promisify(generateKeyPair)('rsa', { modulusLength: 3072 })

/** A private key and its public key, both as Node holds them. */
export interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/**
 * A new certificate authority with this key pair, self-signed with SHA-256.
 * @throws CertificateError when the subject cannot be written.
 */
export function createAuthorityOf(
  keys: KeyPair,
  subject: NameFields,
  nowSeconds: number,
  entropy: Entropy,
  days = authorityDays,
): CertificateWithKey {
  const certificate = blankCertificate(validityFrom(nowSeconds, days), keys.publicKey, entropy)
  certificate.subject = writeName(subject)
  certificate.issuer = certificate.subject
  certificate.extensions = [
    extension(oid.basicConstraints, true, new BasicConstraints({ cA: true, pathLenConstraint: 0 }).toSchema()),
    keyUsageExtension(keyUsage.keyCertSign | keyUsage.cRLSign),
    extension(oid.subjectKeyIdentifier, false, new OctetString({ valueHex: keyIdentifier(keys.publicKey) })),
  ]
  return { certificate: signed(certificate, keys.privateKey), privateKey: privateKeyDer(keys.privateKey) }
}

/**
 * A server certificate of this authority with a new key.
 * @param names DNS names and IP addresses for Subject Alternative Name; the first is the subject's common name too.
 * @param keyType `rsa` (2048 bits) is for clients that can only do RSA key exchange.
 * @param subject in place of the first name alone
 * @throws CertificateError when no name is given or one is neither a DNS name nor an address, or the subject cannot be written.
 */
export function issueServerCertificate(
  authority: CertificateWithKey,
  names: readonly string[],
  nowSeconds: number,
  entropy: Entropy,
  keyType: 'ec' | 'rsa' = 'ec',
  subject?: NameFields,
): CertificateWithKey {
  const [first] = names
  if (first === undefined) throw new CertificateError('a server certificate needs at least one name')
  const keys =
    keyType === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
  const usage = keyType === 'ec' ? keyUsage.digitalSignature : keyUsage.digitalSignature | keyUsage.keyEncipherment
  const alternatives = new GeneralNames({ names: names.map(writeAlternativeName) })
  const certificate = issue(authority, {
    subject: writeName(subject ?? { CN: first.length <= nameFields.CN.lengthMax ? first : 'kmipd' }),
    publicKey: keys.publicKey,
    days: serverCertificateDays,
    nowSeconds,
    entropy,
    extensions: [
      keyUsageExtension(usage),
      extension(oid.extendedKeyUsage, false, new ExtKeyUsage({ keyPurposes: [oid.serverAuthentication] }).toSchema()),
      extension(oid.subjectAlternativeName, false, alternatives.toSchema()),
    ],
  })
  return { certificate, privateKey: privateKeyDer(keys.privateKey) }
}

/**
 * A client certificate of this authority with a new EC P-256 key.
 * @throws CertificateError when the subject is empty or cannot be written.
 */
export function issueClientCertificate(
  authority: CertificateWithKey,
  subject: NameFields,
  nowSeconds: number,
  entropy: Entropy,
): CertificateWithKey {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certificate = issue(authority, {
    subject: writeName(subject),
    publicKey: keys.publicKey,
    days: clientCertificateDays,
    nowSeconds,
    entropy,
    extensions: [
      keyUsageExtension(keyUsage.digitalSignature),
      extension(oid.extendedKeyUsage, false, new ExtKeyUsage({ keyPurposes: [oid.clientAuthentication] }).toSchema()),
    ],
  })
  return { certificate, privateKey: privateKeyDer(keys.privateKey) }
}

/** What a certificate is asked for with: a name of fields or as its DER, and a key that others hold. */
export interface RequestedCertificate {
  readonly subject: NameFields | Uint8Array
  /** DER. */
  readonly subjectPublicKeyInfo: Uint8Array
  /** DER of the extension's value, when there are alternative names. */
  readonly subjectAlternativeName?: Uint8Array | undefined
}

/**
 * A certificate for a public key that others hold, for signatures and key encipherment of a client (or of a server): no
 * authority of its own.
 * @throws CertificateError when the subject cannot be written.
 */
export function issueRequestedCertificate(
  authority: CertificateWithKey,
  { subject, subjectPublicKeyInfo, subjectAlternativeName }: RequestedCertificate,
  nowSeconds: number,
  entropy: Entropy,
  days = clientCertificateDays,
  purpose: 'client' | 'server' = 'client',
): Uint8Array {
  const keyPurpose = purpose === 'client' ? oid.clientAuthentication : oid.serverAuthentication
  return issue(authority, {
    subject:
      subject instanceof Uint8Array
        ? new RelativeDistinguishedNames({ schema: fromBER(Uint8Array.from(subject)).result })
        : writeName(subject),
    publicKey: createPublicKey({ key: Buffer.from(subjectPublicKeyInfo), format: 'der', type: 'spki' }),
    days,
    nowSeconds,
    entropy,
    extensions: [
      keyUsageExtension(keyUsage.digitalSignature | keyUsage.keyEncipherment),
      extension(oid.extendedKeyUsage, false, new ExtKeyUsage({ keyPurposes: [keyPurpose] }).toSchema()),
      ...(subjectAlternativeName === undefined
        ? []
        : [new Extension({ extnID: oid.subjectAlternativeName, extnValue: buffer(subjectAlternativeName) })]),
    ],
  })
}

interface Issue {
  readonly subject: RelativeDistinguishedNames
  readonly publicKey: KeyObject
  readonly days: number
  readonly nowSeconds: number
  readonly entropy: Entropy
  readonly extensions: readonly Extension[]
}

function issue(authority: CertificateWithKey, request: Issue): Uint8Array {
  const { issuer, notAfterSeconds, subjectPublicKeyInfo } = readAuthority(authority)
  const validity = validityFrom(request.nowSeconds, request.days, notAfterSeconds)
  const certificate = blankCertificate(validity, request.publicKey, request.entropy)
  certificate.subject = request.subject
  certificate.issuer = issuer
  const authorityKey = createPublicKey({ key: Buffer.from(subjectPublicKeyInfo), format: 'der', type: 'spki' })
  const identifier = new AuthorityKeyIdentifier({
    keyIdentifier: new OctetString({ valueHex: keyIdentifier(authorityKey) }),
  })
  certificate.extensions = [
    extension(oid.basicConstraints, true, new BasicConstraints({ cA: false }).toSchema()),
    ...request.extensions,
    extension(oid.subjectKeyIdentifier, false, new OctetString({ valueHex: keyIdentifier(request.publicKey) })),
    extension(oid.authorityKeyIdentifier, false, identifier.toSchema()),
  ]
  return signed(certificate, privateKeyObject(authority))
}

/** The authority's name as pkijs holds it, byte for byte as its certificate has it: path building compares bytes. */
function readAuthority(authority: CertificateWithKey) {
  const { subject, notAfterSeconds, subjectPublicKeyInfo } = parseCertificate(authority.certificate)
  const issuer = new RelativeDistinguishedNames({ schema: fromBER(Uint8Array.from(subject.der)).result })
  return { issuer, notAfterSeconds, subjectPublicKeyInfo }
}

function blankCertificate(validity: Validity, publicKey: KeyObject, entropy: Entropy): Certificate {
  const certificate = new Certificate()
  certificate.version = 2
  certificate.serialNumber = new Integer({ valueHex: newSerial(entropy) })
  certificate.notBefore = writeTime(validity.notBeforeSeconds)
  certificate.notAfter = writeTime(validity.notAfterSeconds)
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  certificate.subjectPublicKeyInfo = new PublicKeyInfo({ schema: fromBER(Uint8Array.from(spki)).result })
  return certificate
}

/** Signs with SHA-256, by ECDSA or by RSA with PKCS#1 v1.5: the kinds of CA keys that are made here. */
function signed(certificate: Certificate, key: KeyObject): Uint8Array {
  certificate.signature = signatureAlgorithmOf(key)
  certificate.signatureAlgorithm = certificate.signature
  const tbs = certificate.encodeTBS()
  const signature = sign('sha256', Buffer.from(tbs.toBER()), key)
  certificate.signatureValue = new BitString({ valueHex: buffer(signature) })
  return new Uint8Array(certificate.toSchema(true).toBER())
}

/** The algorithm by which a CA's key signs here, with SHA-256. */
export function signatureAlgorithmOf(key: KeyObject): AlgorithmIdentifier {
  return key.asymmetricKeyType === 'rsa'
    ? new AlgorithmIdentifier({ algorithmId: oid.sha256WithRsa, algorithmParams: new Null() })
    : new AlgorithmIdentifier({ algorithmId: oid.ecdsaWithSha256 })
}

/** A positive serial of 16 bytes: the top bit clear, the next one set so that the length is fixed; 126 random bits. */
function newSerial(entropy: Entropy): ArrayBuffer {
  const bytes = entropy.bytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return buffer(bytes)
}

/** UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280 §4.1.2.5). */
export function writeTime(seconds: number): Time {
  const value = new Date(seconds * 1000)
  return new Time({ type: value.getUTCFullYear() < 2050 ? TimeType.UTCTime : TimeType.GeneralizedTime, value })
}

/** A name of these fields. @throws CertificateError when one cannot be written, or there is none. */
export function writeName(fields: NameFields): RelativeDistinguishedNames {
  const sets: AsnSet[] = []
  for (const label of Object.keys(nameFields) as NameFieldLabel[]) {
    const value = fields[label]
    if (value === undefined) continue
    const type = new ObjectIdentifier({ value: nameFields[label].oid })
    sets.push(new AsnSet({ value: [new Sequence({ value: [type, writeNameValue(label, value)] })] }))
  }
  if (sets.length === 0) throw new CertificateError('a subject needs at least one field')
  // pkijs would write all fields into one set, as one relative name; from DER it keeps the sets that it is given.
  return new RelativeDistinguishedNames({ schema: fromBER(new Sequence({ value: sets }).toBER()).result })
}

function writeNameValue(label: NameFieldLabel, value: string): Utf8String | PrintableString | IA5String {
  const { text, lengthMax } = nameFields[label]
  const { length } = Array.from(value)
  if (length === 0 || length > lengthMax || !value.isWellFormed()) {
    throw new CertificateError(`subject field ${label}: text of 1 to ${lengthMax} characters is needed`)
  }
  if (text === 'utf8') return new Utf8String({ value })
  if (text === 'ia5') {
    if (!/^[\x20-\x7e]+$/.test(value)) throw new CertificateError(`subject field ${label}: only ASCII is allowed`)
    return new IA5String({ value })
  }
  if (!/^[A-Za-z0-9 '()+,./:=?-]+$/.test(value)) {
    throw new CertificateError(`subject field ${label}: only letters, digits, space and '()+,-./:=? are allowed`)
  }
  return new PrintableString({ value })
}

function writeAlternativeName(name: string): GeneralName {
  const address = addressBytes(name)
  if (address !== undefined) return new GeneralName({ type: 7, value: new OctetString({ valueHex: buffer(address) }) })
  if (!isDnsName(name)) throw new CertificateError(`${JSON.stringify(name)} is neither a DNS name nor an IP address`)
  return new GeneralName({ type: 2, value: name })
}

/** Whether a text can be a DNS name in a certificate: labels of letters, digits, `-` and `_`, at most 253 characters. */
export function isDnsName(name: string): boolean {
  return (
    name.length <= 253 &&
    /^(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(
      name,
    )
  )
}

/** The bytes of an IPv4 or IPv6 address (no zone), 4 or 16; undefined for any other text. */
export function addressBytes(text: string): Uint8Array | undefined {
  const dotted = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (dotted) {
    const parts = dotted.slice(1).map(Number)
    return parts.every((part) => part <= 255) ? Uint8Array.from(parts) : undefined
  }
  if (!/^[0-9A-Fa-f.]*:[0-9A-Fa-f:.]+$/.test(text) || !URL.canParse(`http://[${text}]/`)) return undefined
  // The URL parser is a full IPv6 reader and gives the canonical text, in which at most one `::` is left to fill.
  const canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after]
  return Uint8Array.from(
    groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]),
  )
}

/** An extension of a certificate or of a revocation list. */
export function extension(extnID: string, critical: boolean, value: AsnType): Extension {
  return new Extension({ extnID, critical, extnValue: value.toBER() })
}

function keyUsageExtension(bits: number): Extension {
  const unusedBits = bits === 0 ? 0 : 31 - Math.clz32(bits & -bits)
  return extension(oid.keyUsage, true, new BitString({ valueHex: buffer(Uint8Array.of(bits)), unusedBits }))
}

/** RFC 7093 §2, method 1: the first 160 bits of SHA-256 of the public key's bits. */
export function keyIdentifier(publicKey: KeyObject): ArrayBuffer {
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const info = new PublicKeyInfo({ schema: fromBER(Uint8Array.from(spki)).result })
  const digest = createHash('sha256').update(info.subjectPublicKey.valueBlock.valueHexView).digest()
  return buffer(digest.subarray(0, 20))
}

/** The private key of a pair as a key object of Node. */
export function privateKeyObject({ privateKey }: CertificateWithKey): KeyObject {
  return createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' })
}

/** The private key of a pair as PKCS#8 PEM, in clear: for the TLS listener, and for a client's key file. */
export function privateKeyPem(pair: CertificateWithKey): string {
  return privateKeyObject(pair).export({ format: 'pem', type: 'pkcs8' })
}

function privateKeyDer(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: 'der', type: 'pkcs8' }))
}

/** Bytes as an ArrayBuffer of their own, which is what the ASN.1 writers take. */
function buffer(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer
}
