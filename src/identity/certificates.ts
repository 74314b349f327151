/**
 * Reading X.509 certificates. What it is: a strict, bounded reader of DER that gives plain values, and PEM to DER and
 * back; used for TLS peers, for registration and for KMIP's Certificate objects. What it is not: a path validator (TLS is),
 * nor the place where certificates are made (`authority.ts`).
 *
 *   Certificate ── TBSCertificate ── [0] version, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo,
 *              │                     [1] [2] unique identifiers, [3] extensions
 *              ├── signatureAlgorithm
 *              └── signatureValue
 */

import { createHash } from 'node:crypto'
import { type AsnType, fromBER, ObjectIdentifier } from 'asn1js'
import { escapeNameValue, labelOf, type NameFieldLabel } from './names.ts'

/** Bytes that are no certificate, or a request for one that cannot be made. The text names what is wrong, never a secret. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError'
}

/** One attribute of a distinguished name, in the order of the certificate. */
export interface NameAttribute {
  readonly oid: string
  /** The field's label when it has one (`CN`, `E`, ...). */
  readonly label: NameFieldLabel | undefined
  /** Its text; for a value that is no text, `#` and the hexadecimal DER (RFC 4514 §2.4). */
  readonly value: string
}

export interface DistinguishedName {
  /** The name exactly as the certificate has it. */
  readonly der: Uint8Array
  readonly attributes: readonly NameAttribute[]
  /** RFC 4514: the last attribute first, `CN=Client,OU=KMIP,O=ACME,C=US`. */
  readonly text: string
}

export interface AlternativeName {
  readonly kind: 'other' | 'email' | 'dns' | 'x400' | 'directory' | 'edi' | 'uri' | 'ip' | 'registered'
  /** Text for email, dns, uri and ip (`192.0.2.1`, `2001:db8:0:0:0:0:0:1`), RFC 4514 for directory, else hexadecimal DER. */
  readonly value: string
  /** The GeneralName as the certificate has it. */
  readonly der: Uint8Array
}

/** What a certificate says. Nothing here has been verified. */
export interface ParsedCertificate {
  readonly der: Uint8Array
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly fingerprint: string
  readonly serial: bigint
  /** The serial's bytes as lower-case hexadecimal, as the certificate has them. */
  readonly serialHex: string
  /** The serial as a DER INTEGER with tag and length (KMIP 1.4 §3.10 as the OASIS vectors write it). */
  readonly serialDer: Uint8Array
  readonly issuer: DistinguishedName
  readonly subject: DistinguishedName
  /** Seconds since 1970. */
  readonly notBeforeSeconds: number
  /** Seconds since 1970. */
  readonly notAfterSeconds: number
  readonly subjectPublicKeyInfo: Uint8Array
  readonly signatureAlgorithm: string
  readonly subjectAlternativeNames: readonly AlternativeName[]
  readonly issuerAlternativeNames: readonly AlternativeName[]
  /** Object identifiers of Extended Key Usage; empty when the extension is absent. */
  readonly extendedKeyUsage: readonly string[]
  readonly isAuthority: boolean
}

/** The largest certificate that is read, in bytes: post-quantum certificates with their chains' names stay far below. */
const derLengthMax = 65_536
const nestingDepthMax = 24
const nodesMax = 4_096

const extensionOid = {
  subjectAlternativeName: '2.5.29.17',
  issuerAlternativeName: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
} as const

const tag = { boolean: 1, integer: 2, octetString: 4, sequence: 16, set: 17, utcTime: 23, generalizedTime: 24 } as const

/**
 * Reads one certificate.
 * @throws CertificateError for anything that is not exactly one DER certificate, whatever the bytes; nothing else.
 */
export function parseCertificate(der: Uint8Array): ParsedCertificate {
  return withOneError(() => readCertificate(der))
}

/**
 * Reads one distinguished name: a certificate request's subject, say.
 * @throws CertificateError for anything that is not exactly one DER name; nothing else.
 */
export function parseName(der: Uint8Array): DistinguishedName {
  return withOneError(() => readName(decode(der)))
}

function withOneError<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof CertificateError) throw error
    // The decoder beneath reports hostile bytes by errors of many kinds; the caller needs to know one.
    throw new CertificateError('not an X.509 certificate: its DER cannot be decoded')
  }
}

/**
 * The certificates of a PEM text, in its order, as DER.
 * @throws CertificateError when there is none, or one whose base64 is damaged.
 */
export function certificatesFromPem(pem: string): Uint8Array[] {
  const found: Uint8Array[] = []
  for (const [, body = ''] of pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g)) {
    const base64 = body.replaceAll(/\s+/g, '')
    if (!/^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64)) {
      throw new CertificateError('a PEM certificate has characters that are no base64')
    }
    found.push(new Uint8Array(Buffer.from(base64, 'base64')))
  }
  if (found.length === 0) throw new CertificateError('no CERTIFICATE block in the PEM text')
  return found
}

/** A certificate as PEM, with 64 characters to a line and a final newline. */
export function certificateToPem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

/** SHA-256 of a certificate's DER, lower-case hexadecimal: the key under which clients are registered. */
export function certificateFingerprint(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex')
}

/** The first value of a field in a name, or undefined. Values that are no text are not given. */
export function nameField(name: DistinguishedName, label: NameFieldLabel): string | undefined {
  return name.attributes.find((attribute) => attribute.label === label && !attribute.value.startsWith('#'))?.value
}

function readCertificate(der: Uint8Array): ParsedCertificate {
  const certificate = decode(der)
  const [tbs, algorithm, signature] = children(certificate, tag.sequence, 'Certificate')
  if (tbs === undefined || algorithm === undefined || signature === undefined) throw malformed('Certificate')
  const fields = [...children(tbs, tag.sequence, 'TBSCertificate')]
  if (isContext(fields[0], 0)) fields.shift()
  const [serial, , issuer, validity, subject, publicKey, ...rest] = fields
  if (!serial || !issuer || !validity || !subject || !publicKey) throw malformed('TBSCertificate')
  if (!isUniversal(serial, tag.integer)) throw malformed('serialNumber')
  const [notBefore, notAfter] = children(validity, tag.sequence, 'validity')
  children(publicKey, tag.sequence, 'subjectPublicKeyInfo')
  const serialBytes = content(serial)
  if (serialBytes.length === 0) throw malformed('serialNumber')
  const serialHex = Buffer.from(serialBytes).toString('hex')
  const extensions = readExtensions(rest.find((field) => isContext(field, 3)))
  return {
    der: Uint8Array.from(der),
    fingerprint: certificateFingerprint(der),
    serial: BigInt.asIntN(serialBytes.length * 8, BigInt(`0x${serialHex}`)),
    serialHex,
    serialDer: raw(serial),
    issuer: readName(issuer),
    subject: readName(subject),
    notBeforeSeconds: readTime(notBefore),
    notAfterSeconds: readTime(notAfter),
    subjectPublicKeyInfo: raw(publicKey),
    signatureAlgorithm: readOid(children(algorithm, tag.sequence, 'signatureAlgorithm')[0]),
    subjectAlternativeNames: readAlternativeNames(extensions.get(extensionOid.subjectAlternativeName)),
    issuerAlternativeNames: readAlternativeNames(extensions.get(extensionOid.issuerAlternativeName)),
    extendedKeyUsage: readSequence(extensions.get(extensionOid.extendedKeyUsage), 'extKeyUsage').map(readOid),
    isAuthority: readIsAuthority(extensions.get(extensionOid.basicConstraints)),
  }
}

function readExtensions(field: AsnType | undefined): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>()
  if (field === undefined) return found
  const [list] = constructedChildren(field)
  for (const extension of children(list, tag.sequence, 'extensions')) {
    const parts = children(extension, tag.sequence, 'extension')
    const value = parts.at(-1)
    const oid = readOid(parts[0])
    if (!isUniversal(value, tag.octetString)) throw malformed('extension value')
    // Two extensions of one kind could be read one way here and another way by TLS (RFC 5280 §4.2 forbids them).
    if (found.has(oid)) throw new CertificateError(`the certificate has extension ${oid} twice`)
    found.set(oid, content(value))
  }
  return found
}

function readIsAuthority(value: Uint8Array | undefined): boolean {
  const [first] = readSequence(value, 'basicConstraints')
  return isUniversal(first, tag.boolean) && content(first)[0] !== 0
}

function readName(block: AsnType): DistinguishedName {
  const attributes: NameAttribute[] = []
  const relative: string[] = []
  for (const set of children(block, tag.sequence, 'name')) {
    const texts: string[] = []
    for (const pair of children(set, tag.set, 'relative distinguished name')) {
      const [type, value] = children(pair, tag.sequence, 'name attribute')
      if (value === undefined) throw malformed('name attribute')
      const oid = readOid(type)
      const label = labelOf(oid)
      const text = readText(value)
      attributes.push({ oid, label, value: text ?? hexOf(value) })
      texts.push(`${label ?? oid}=${text === undefined ? hexOf(value) : escapeNameValue(text)}`)
    }
    relative.push(texts.join('+'))
  }
  return { der: raw(block), attributes, text: relative.toReversed().join(',') }
}

/** The text of a string type, or undefined when the value is something else or is not well-formed. */
function readText(block: AsnType): string | undefined {
  if (block.idBlock.tagClass !== 1 || block.idBlock.isConstructed) return undefined
  const bytes = Buffer.from(content(block))
  switch (block.idBlock.tagNumber) {
    case 12: // UTF8String
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    case 18: // NumericString
    case 19: // PrintableString
    case 20: // TeletexString, in practice Latin-1
    case 22: // IA5String
    case 26: // VisibleString
      return bytes.toString('latin1')
    case 30: // BMPString
      return bytes.length % 2 === 0 ? bytes.swap16().toString('utf16le') : undefined
    default:
      return undefined
  }
}

const alternativeKinds: readonly AlternativeName['kind'][] = [
  'other',
  'email',
  'dns',
  'x400',
  'directory',
  'edi',
  'uri',
  'ip',
  'registered',
]

function readAlternativeNames(value: Uint8Array | undefined): AlternativeName[] {
  return readSequence(value, 'alternative names').map((name) => {
    const kind = name.idBlock.tagClass === 3 ? alternativeKinds[name.idBlock.tagNumber] : undefined
    if (kind === undefined) throw malformed('alternative name')
    return { kind, value: alternativeText(kind, name), der: raw(name) }
  })
}

function alternativeText(kind: AlternativeName['kind'], name: AsnType): string {
  if (kind === 'email' || kind === 'dns' || kind === 'uri') return Buffer.from(content(name)).toString('latin1')
  if (kind === 'ip') return addressText(content(name)) ?? hexOf(name)
  const [inner] = kind === 'directory' ? constructedChildren(name) : []
  return inner === undefined ? hexOf(name) : readName(inner).text
}

function addressText(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) return undefined
  const groups = Array.from({ length: 8 }, (_, at) => ((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0))
  return groups.map((group) => group.toString(16)).join(':')
}

/** RFC 5280 §4.1.2.5: UTCTime and GeneralizedTime with seconds and `Z`, and no other form of them. */
function readTime(block: AsnType | undefined): number {
  if (!isUniversal(block, tag.utcTime) && !isUniversal(block, tag.generalizedTime)) throw malformed('validity')
  const text = Buffer.from(content(block)).toString('latin1')
  const short = block.idBlock.tagNumber === tag.utcTime
  const found = (short ? /^(\d\d)(\d{10})Z$/ : /^(\d{4})(\d{10})Z$/).exec(text)
  if (!found) throw malformed('validity')
  const [, yearText = '', rest = ''] = found
  const year = short ? Number(yearText) + (Number(yearText) < 50 ? 2000 : 1900) : Number(yearText)
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = (rest.match(/\d\d/g) ?? []).map(Number)
  const iso = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}.000Z`
  const time = new Date(iso)
  // A day that the month has not would silently become one of the next month.
  if (Number.isNaN(time.getTime()) || time.toISOString() !== iso) throw malformed('validity')
  return time.getTime() / 1000
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

function readOid(block: AsnType | undefined): string {
  if (!(block instanceof ObjectIdentifier)) throw malformed('object identifier')
  return block.getValue()
}

function readSequence(value: Uint8Array | undefined, what: string): readonly AsnType[] {
  return value === undefined ? [] : children(decode(value), tag.sequence, what)
}

/** Decodes one item that fills the bytes to their end. */
function decode(bytes: Uint8Array): AsnType {
  if (bytes.length > derLengthMax) throw new CertificateError(`a certificate has at most ${derLengthMax} bytes`)
  const { offset, result } = fromBER(bytes, {
    maxDepth: nestingDepthMax,
    maxNodes: nodesMax,
    maxContentLength: derLengthMax,
    parseEmbedded: false,
    copyInput: true,
  })
  if (offset === -1) throw new CertificateError('not an X.509 certificate: its DER cannot be decoded')
  if (offset !== bytes.length) throw new CertificateError('bytes follow the end of the certificate')
  return result
}

function children(block: AsnType | undefined, tagNumber: number, what: string): readonly AsnType[] {
  if (!isUniversal(block, tagNumber)) throw malformed(what)
  return constructedChildren(block)
}

function constructedChildren(block: AsnType): readonly AsnType[] {
  const inner: unknown = 'value' in block.valueBlock ? block.valueBlock.value : undefined
  // Indefinite lengths are BER: a second spelling of the same certificate, with another fingerprint.
  if (!block.idBlock.isConstructed || block.lenBlock.isIndefiniteForm || !Array.isArray(inner))
    throw malformed('structure')
  return inner as AsnType[]
}

function isUniversal(block: AsnType | undefined, tagNumber: number): block is AsnType {
  return block !== undefined && block.idBlock.tagClass === 1 && block.idBlock.tagNumber === tagNumber
}

function isContext(block: AsnType | undefined, tagNumber: number): block is AsnType {
  return block !== undefined && block.idBlock.tagClass === 3 && block.idBlock.tagNumber === tagNumber
}

function raw(block: AsnType): Uint8Array {
  return Uint8Array.from(block.valueBeforeDecodeView)
}

function content(block: AsnType): Uint8Array {
  const whole = block.valueBeforeDecodeView
  return Uint8Array.from(whole.subarray(whole.length - block.lenBlock.length))
}

function hexOf(block: AsnType): string {
  return `#${Buffer.from(block.valueBeforeDecodeView).toString('hex')}`
}

function malformed(what: string): CertificateError {
  return new CertificateError(`not an X.509 certificate: its ${what} is malformed`)
}
