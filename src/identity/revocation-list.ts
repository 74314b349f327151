/**
 * Revocation lists (CRLs, RFC 5280 §5), as DER and as PEM. What it is: a bounded reader that gives plain values once the
 * list's signature is its authority's, and the writer of lists of local authorities. What it is not: what becomes of who is
 * on one (`revocation.ts`). Nothing of pkijs crosses it.
 */
import { createPublicKey, sign } from 'node:crypto'
import { BitString, Constructed, Enumerated, fromBER, Integer, OctetString, Sequence } from 'asn1js'
import { AuthorityKeyIdentifier, Certificate, CertificateRevocationList, Extension, type Time } from 'pkijs'
import {
  type CertificateWithKey,
  extension,
  keyIdentifier,
  privateKeyObject,
  signatureAlgorithmOf,
  writeTime,
} from './authority.ts'
import { CertificateError, parseCertificate } from './certificates.ts'

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

/** Of one list: some ten thousand certificates. A list is read at once, while others wait. */
export const listBytesMax = 1_048_576
const oid = { crlNumber: '2.5.29.20', reasonCode: '2.5.29.21', authorityKeyIdentifier: '2.5.29.35' } as const
const pemPattern = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/

/**
 * Reads a list of this authority.
 * @param bytes DER, or PEM
 * @param authority DER of its certificate
 * @throws CertificateError for anything that is not a whole list that the authority has signed; nothing else
 */
export async function parseRevocationList(bytes: Uint8Array, authority: Uint8Array): Promise<ParsedRevocationList> {
  const der = derOf(bytes)
  if (der.length > listBytesMax) throw new CertificateError(`a revocation list has at most ${listBytesMax} bytes`)
  let list: CertificateRevocationList
  let sound: boolean
  try {
    list = CertificateRevocationList.fromBER(Uint8Array.from(der))
    const issuerCertificate = Certificate.fromBER(Uint8Array.from(authority))
    sound = list.issuer.isEqual(issuerCertificate.subject) && (await list.verify({ issuerCertificate }))
  } catch (error) {
    // The decoder and the library report hostile bytes by errors of many kinds; the caller needs to know one.
    throw new CertificateError('not a revocation list that can be read', { cause: error })
  }
  if (!sound) throw new CertificateError('the revocation list is not issued and signed by this CA')
  // Deltas, and lists for a part of the certificates or of other issuers, say so by a critical extension (RFC 5280 §5.2).
  const critical = list.crlExtensions?.extensions.find((each) => each.critical)
  if (critical !== undefined)
    throw new CertificateError(
      `only whole lists of one CA are taken: this one has critical extension ${critical.extnID}`,
    )
  return {
    der,
    thisUpdateSeconds: secondsOf(list.thisUpdate),
    nextUpdateSeconds: list.nextUpdate && secondsOf(list.nextUpdate),
    serials: (list.revokedCertificates ?? []).map(({ userCertificate }) =>
      Buffer.from(userCertificate.valueBlock.valueHexView).toString('hex'),
    ),
  }
}

/**
 * A list of a local authority, DER. It is good until the authority's own end: the server makes a new one whenever something
 * changes, and nobody shall be locked out because nothing did.
 */
export function createRevocationList(
  authority: CertificateWithKey,
  revoked: readonly Revoked[],
  nowSeconds: number,
): Uint8Array {
  const { subject, notAfterSeconds, subjectPublicKeyInfo } = parseCertificate(authority.certificate)
  const publicKey = createPublicKey({ key: Buffer.from(subjectPublicKeyInfo), format: 'der', type: 'spki' })
  const key = privateKeyObject(authority)
  const algorithm = signatureAlgorithmOf(key)
  const identifier = new AuthorityKeyIdentifier({
    keyIdentifier: new OctetString({ valueHex: keyIdentifier(publicKey) }),
  })
  const extensions = [
    extension(oid.authorityKeyIdentifier, false, identifier.toSchema()),
    // Lists of one authority are numbered upwards; no two of them are made within a second that differ.
    extension(oid.crlNumber, false, new Integer({ value: nowSeconds })),
  ]
  const information = new Sequence({
    value: [
      new Integer({ value: 1 }),
      algorithm.toSchema(),
      fromBER(Uint8Array.from(subject.der)).result,
      writeTime(nowSeconds).toSchema(),
      writeTime(notAfterSeconds).toSchema(),
      // An empty list of certificates must be left out (RFC 5280 §5.1.2.6).
      ...(revoked.length === 0 ? [] : [new Sequence({ value: revoked.map(writeRevoked) })]),
      new Constructed({
        idBlock: { tagClass: 3, tagNumber: 0 },
        value: [new Sequence({ value: extensions.map((each) => each.toSchema()) })],
      }),
    ],
  })
  const signature = sign('sha256', Buffer.from(information.toBER()), key)
  const bits = new BitString({ valueHex: Uint8Array.from(signature).buffer })
  return new Uint8Array(new Sequence({ value: [information, algorithm.toSchema(), bits] }).toBER())
}

/** A list as PEM, with 64 characters to a line and a final newline. */
export function revocationListToPem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN X509 CRL-----\n${lines.join('\n')}\n-----END X509 CRL-----\n`
}

function writeRevoked({ serialHex, revokedSeconds, reason }: Revoked): Sequence {
  const serial = new Integer({ valueHex: Uint8Array.from(Buffer.from(serialHex, 'hex')).buffer })
  const entry = [serial, writeTime(revokedSeconds).toSchema()]
  if (reason === undefined) return new Sequence({ value: entry })
  const code = new Extension({ extnID: oid.reasonCode, extnValue: new Enumerated({ value: reason }).toBER() })
  return new Sequence({ value: [...entry, new Sequence({ value: [code.toSchema()] })] })
}

function derOf(bytes: Uint8Array): Uint8Array {
  // DER begins with the tag of a SEQUENCE, which no PEM text does.
  if (bytes[0] === 0x30) return Uint8Array.from(bytes)
  const [, body] = pemPattern.exec(Buffer.from(bytes).toString('latin1')) ?? []
  if (body === undefined) throw new CertificateError('no X509 CRL block in the PEM text')
  return new Uint8Array(Buffer.from(body, 'base64'))
}

function secondsOf({ value }: Time): number {
  return Math.floor(value.getTime() / 1000)
}
