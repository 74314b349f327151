/**
 * Revocation lists (CRLs, RFC 5280 §5), as DER and as PEM. What it is: a bounded reader that gives plain values once the
 * list's signature is its authority's, and the writer of lists of local authorities. What it is not: what becomes of who is
 * on one (`revocation.ts`). Nothing of pkijs crosses it.
 */
import { constants, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { OctetString } from 'asn1js'
import { AuthorityKeyIdentifier } from 'pkijs'
import {
  type CertificateWithKey,
  extension,
  keyIdentifier,
  privateKeyObject,
  signatureAlgorithmOf,
} from './authority.ts'
import { CertificateError, parseCertificate } from './certificates.ts'
import { DerCursor, type DerItem, derItem, derSeconds, derTag, derTime } from './der.ts'

/** What a list says. Its signature has been checked. */
export interface ParsedRevocationList {
  readonly der: Uint8Array
  /** Seconds since 1970. */
  readonly thisUpdateSeconds: number
  /** Seconds since 1970. */
  readonly nextUpdateSeconds: number | undefined
  /** Serial numbers as certificates have them, lower-case hexadecimal. */
  readonly serials: readonly string[]
}

/** A certificate that a list names. */
export interface Revoked {
  readonly serialHex: string
  readonly revokedSeconds: number
  /** Code of RFC 5280 §5.3.1. */
  readonly reason: number | undefined
}

/** Of one list: some thirty thousand certificates. A list is read at once, while others wait: about a millisecond a thousand. */
export const listBytesMax = 1_048_576
const oid = { authorityKeyIdentifier: '2.5.29.35' } as const
/** DER of object identifiers: RFC 5280 §5.2.3 and §5.3.1. */
const crlNumber = Uint8Array.of(0x55, 0x1d, 0x14)
const reasonCode = Uint8Array.of(0x55, 0x1d, 0x15)
const pemPattern = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/

interface SignatureRow {
  /** Undefined: the key's own (EdDSA), or what the parameters say (PSS). */
  readonly hash: string | undefined
  readonly isPss?: true
}

/** Algorithms of signatures, by their object identifier in hexadecimal DER. None with MD5 or SHA-1, which can be forged. */
const signatureRows: ReadonlyMap<string, SignatureRow> = new Map(
  Object.entries({
    '2a864886f70d01010b': { hash: 'sha256' },
    '2a864886f70d01010c': { hash: 'sha384' },
    '2a864886f70d01010d': { hash: 'sha512' },
    '2a864886f70d01010a': { hash: undefined, isPss: true },
    '2a8648ce3d040302': { hash: 'sha256' },
    '2a8648ce3d040303': { hash: 'sha384' },
    '2a8648ce3d040304': { hash: 'sha512' },
    '2b6570': { hash: undefined },
    '2b6571': { hash: undefined },
  }),
)
/** Hashes of RSASSA-PSS-params (RFC 8017 A.2.3), by their object identifier in hexadecimal DER. */
const hashes: ReadonlyMap<string, string> = new Map([
  ['608648016503040201', 'sha256'],
  ['608648016503040202', 'sha384'],
  ['608648016503040203', 'sha512'],
])

/**
 * Reads a list of this authority.
 *
 *     SEQUENCE { SEQUENCE { version, algorithm, issuer, thisUpdate, nextUpdate, SEQUENCE OF revoked, [0] extensions },
 *                algorithm, signature }                                                                     RFC 5280 §5.1
 *
 * @param bytes DER, or PEM
 * @param authority DER of its certificate
 * @throws CertificateError for anything that is not a whole list that the authority has signed; nothing else
 */
export function parseRevocationList(bytes: Uint8Array, authority: Uint8Array): ParsedRevocationList {
  const der = derOf(bytes)
  if (der.length > listBytesMax) throw new CertificateError(`a revocation list has at most ${listBytesMax} bytes`)
  const { subject, subjectPublicKeyInfo } = parseCertificate(authority)
  const file = new DerCursor(der)
  const outer = file.enter(derTag.sequence)
  file.end()
  const information = outer.take(derTag.sequence)
  const algorithm = outer.take(derTag.sequence)
  const signature = outer.take(derTag.bitString)
  outer.end()
  const inner = new DerCursor(information.content)
  if (inner.isAt(derTag.integer)) inner.next()
  const sameAlgorithm = Buffer.compare(inner.take(derTag.sequence).whole, algorithm.whole) === 0
  const issuer = inner.take(derTag.sequence).whole
  const key = createPublicKey({ key: Buffer.from(subjectPublicKeyInfo), format: 'der', type: 'spki' })
  if (Buffer.compare(issuer, subject.der) !== 0 || !sameAlgorithm || !isSigned(information, algorithm, signature, key))
    throw new CertificateError('the revocation list is not issued and signed by this CA')
  const thisUpdateSeconds = derSeconds(inner.next())
  const hasNext = inner.isAt(derTag.utcTime) || inner.isAt(derTag.generalizedTime)
  const nextUpdateSeconds = hasNext ? derSeconds(inner.next()) : undefined
  const serials = inner.isAt(derTag.sequence) ? readRevoked(inner.enter(derTag.sequence)) : []
  if (inner.isAt(derTag.context0)) assertWhole(inner.enter(derTag.context0))
  inner.end()
  return { der, thisUpdateSeconds, nextUpdateSeconds, serials }
}

function readRevoked(entries: DerCursor): string[] {
  const serials: string[] = []
  while (!entries.isAtEnd) {
    const entry = entries.enter(derTag.sequence)
    serials.push(Buffer.from(entry.take(derTag.integer).content).toString('hex'))
    derSeconds(entry.next())
    if (!entry.isAtEnd) assertNoneCritical(entry.enter(derTag.sequence))
    entry.end()
  }
  return serials
}

/** Deltas, and lists for a part of the certificates or of other issuers, say so by a critical extension (RFC 5280 §5.2). */
function assertWhole(explicit: DerCursor): void {
  assertNoneCritical(explicit.enter(derTag.sequence))
  explicit.end()
}

function assertNoneCritical(extensions: DerCursor): void {
  while (!extensions.isAtEnd) {
    const one = extensions.enter(derTag.sequence)
    one.take(derTag.objectIdentifier)
    if (one.isAt(derTag.boolean) && one.next().content[0] !== 0)
      throw new CertificateError('only whole lists of one CA are taken: this one has a critical extension')
    one.take(derTag.octetString)
    one.end()
  }
}

function isSigned(information: DerItem, algorithm: DerItem, signature: DerItem, key: KeyObject): boolean {
  const parts = new DerCursor(algorithm.content)
  const row = signatureRows.get(hexOf(parts.take(derTag.objectIdentifier).content))
  // The first byte of a BIT STRING counts the bits that are not used.
  if (row === undefined || signature.content[0] !== 0)
    throw new CertificateError('the signature of the list is of no known kind')
  const hash = row.isPss === true ? hashOfPss(parts) : row.hash
  const padding = row.isPss === true ? { padding: constants.RSA_PKCS1_PSS_PADDING } : {}
  try {
    return verify(hash, information.whole, { key, ...padding }, signature.content.subarray(1))
  } catch (error) {
    // A key of another kind than the algorithm says, for instance.
    throw new CertificateError('the signature of the list cannot be verified with the key of this CA', { cause: error })
  }
}

/** The hash of RSASSA-PSS-params; its default, SHA-1, is not taken. @throws CertificateError */
function hashOfPss(algorithm: DerCursor): string {
  const parameters = algorithm.enter(derTag.sequence)
  const identifier = parameters.enter(derTag.context0).enter(derTag.sequence).take(derTag.objectIdentifier)
  const hash = hashes.get(hexOf(identifier.content))
  if (hash === undefined) throw new CertificateError('the signature of the list is of no known kind')
  return hash
}

/**
 * A list of a local authority, DER. It is good until the authority's own end: the server makes a new one whenever it is asked,
 * and nobody shall be locked out because nothing has changed.
 */
export function createRevocationList(
  authority: CertificateWithKey,
  revoked: readonly Revoked[],
  nowSeconds: number,
): Uint8Array {
  const { subject, notAfterSeconds, subjectPublicKeyInfo } = parseCertificate(authority.certificate)
  const publicKey = createPublicKey({ key: Buffer.from(subjectPublicKeyInfo), format: 'der', type: 'spki' })
  const key = privateKeyObject(authority)
  const algorithm = new Uint8Array(signatureAlgorithmOf(key).toSchema().toBER())
  const identifier = new AuthorityKeyIdentifier({
    keyIdentifier: new OctetString({ valueHex: keyIdentifier(publicKey) }),
  })
  const identified = extension(oid.authorityKeyIdentifier, false, identifier.toSchema()).toSchema().toBER()
  // Lists of one authority are numbered upwards: by the second in which they are made.
  const numbered = writeExtension(crlNumber, derItem(derTag.integer, positive(nowSeconds)))
  const information = derItem(
    derTag.sequence,
    derItem(derTag.integer, Uint8Array.of(1)),
    algorithm,
    subject.der,
    derTime(nowSeconds),
    derTime(notAfterSeconds),
    // An empty list of certificates must be left out (RFC 5280 §5.1.2.6).
    ...(revoked.length === 0 ? [] : [derItem(derTag.sequence, ...revoked.map(writeRevoked))]),
    derItem(derTag.context0, derItem(derTag.sequence, new Uint8Array(identified), numbered)),
  )
  const signature = derItem(derTag.bitString, Uint8Array.of(0), sign('sha256', information, key))
  return derItem(derTag.sequence, information, algorithm, signature)
}

/** A list as PEM, with 64 characters to a line and a final newline. */
export function revocationListToPem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN X509 CRL-----\n${lines.join('\n')}\n-----END X509 CRL-----\n`
}

function writeRevoked({ serialHex, revokedSeconds, reason }: Revoked): Uint8Array {
  const serial = derItem(derTag.integer, Buffer.from(serialHex, 'hex'))
  if (reason === undefined) return derItem(derTag.sequence, serial, derTime(revokedSeconds))
  const code = writeExtension(reasonCode, derItem(derTag.enumerated, Uint8Array.of(reason)))
  return derItem(derTag.sequence, serial, derTime(revokedSeconds), derItem(derTag.sequence, code))
}

function writeExtension(identifier: Uint8Array, value: Uint8Array): Uint8Array {
  return derItem(derTag.sequence, derItem(derTag.objectIdentifier, identifier), derItem(derTag.octetString, value))
}

/** A positive number as the bytes of an INTEGER: as few as can be, the first of them below 80. */
function positive(value: number): Uint8Array {
  const hex = value.toString(16)
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
  return (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Uint8Array.of(0), bytes])
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function derOf(bytes: Uint8Array): Uint8Array {
  // DER begins with the tag of a SEQUENCE, which no PEM text does.
  if (bytes[0] === 0x30) return Uint8Array.from(bytes)
  const [, body] = pemPattern.exec(Buffer.from(bytes).toString('latin1')) ?? []
  if (body === undefined) throw new CertificateError('no X509 CRL block in the PEM text')
  return new Uint8Array(Buffer.from(body, 'base64'))
}
