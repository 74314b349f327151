/**
 * Requests for certificates (PKCS#10, RFC 2986), as DER and as PEM. What it is: a bounded reader that gives plain values once
 * the request's signature is that of the key it names, and the writer of requests for keys that are made here. What it is
 * not: an issuer (`issuer.ts`). Nothing of pkijs crosses it.
 */
import { sign } from 'node:crypto'
import { BitString, Constructed, fromBER, Integer, Null, ObjectIdentifier, Sequence } from 'asn1js'
import { CertificationRequest, Extensions } from 'pkijs'
import { type KeyPair, writeName } from './authority.ts'
import { CertificateError } from './certificates.ts'
import type { NameFields } from './names.ts'

/** What a request asks for. The proof that its maker holds the private key has been checked. */
export interface ParsedRequest {
  /** DER of the name. */
  readonly subject: Uint8Array
  /** DER. */
  readonly subjectPublicKeyInfo: Uint8Array
  /** DER of the extension's value, when it asks for alternative names. */
  readonly subjectAlternativeName: Uint8Array | undefined
}

const requestBytesMax = 65_536
const extensionRequest = '1.2.840.113549.1.9.14'
const subjectAlternativeName = '2.5.29.17'
const pemPattern =
  /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END (?:NEW )?CERTIFICATE REQUEST-----/

/**
 * Reads a PKCS#10 request.
 * @throws CertificateError for anything that is not one whose signature its own key made; nothing else
 */
export async function parseCertificateRequest(bytes: Uint8Array, form: 'der' | 'pem'): Promise<ParsedRequest> {
  if (bytes.length > requestBytesMax) throw new CertificateError('the certificate request is too long')
  const der = form === 'der' ? bytes : derOfPem(bytes)
  try {
    const request = CertificationRequest.fromBER(Uint8Array.from(der))
    if (await request.verify()) return read(request)
  } catch (error) {
    // The decoder and the library report hostile bytes by errors of many kinds; the caller needs to know one.
    throw new CertificateError('not a certificate request of PKCS#10 that can be read', { cause: error })
  }
  throw new CertificateError('the signature of the certificate request is not that of its key')
}

/** sha256WithRSAEncryption (RFC 8017 A.2.4) */
const sha256WithRsa = '1.2.840.113549.1.1.11'

/**
 * A request for a certificate of this RSA key pair, DER, signed with SHA-256.
 *
 *     SEQUENCE { SEQUENCE { version 0, subject, subjectPublicKeyInfo, [0] attributes }, algorithm, signature }   RFC 2986 §4
 *
 * @throws CertificateError when the subject cannot be written.
 */
export function createCertificateRequest(subject: NameFields, keys: KeyPair): Uint8Array {
  const publicKey = Uint8Array.from(keys.publicKey.export({ format: 'der', type: 'spki' }))
  const information = new Sequence({
    value: [
      new Integer({ value: 0 }),
      writeName(subject).toSchema(),
      fromBER(publicKey).result,
      new Constructed({ idBlock: { tagClass: 3, tagNumber: 0 }, value: [] }),
    ],
  })
  const signature = sign('sha256', Buffer.from(information.toBER()), keys.privateKey)
  const algorithm = new Sequence({ value: [new ObjectIdentifier({ value: sha256WithRsa }), new Null()] })
  const bits = new BitString({ valueHex: Uint8Array.from(signature).buffer })
  return new Uint8Array(new Sequence({ value: [information, algorithm, bits] }).toBER())
}

/** A request as PEM, with 64 characters to a line and a final newline. */
export function certificateRequestToPem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`
}

function derOfPem(bytes: Uint8Array): Uint8Array {
  const [, body] = pemPattern.exec(Buffer.from(bytes).toString('latin1')) ?? []
  if (body === undefined) throw new CertificateError('no CERTIFICATE REQUEST block in the PEM text')
  return Buffer.from(body, 'base64')
}

function read(request: CertificationRequest): ParsedRequest {
  const attribute = request.attributes?.find(({ type }) => type === extensionRequest)
  const extensions = attribute === undefined ? [] : new Extensions({ schema: attribute.values[0] }).extensions
  const names = extensions.find(({ extnID }) => extnID === subjectAlternativeName)
  return {
    subject: new Uint8Array(request.subject.toSchema().toBER()),
    subjectPublicKeyInfo: new Uint8Array(request.subjectPublicKeyInfo.toSchema().toBER()),
    subjectAlternativeName: names === undefined ? undefined : Uint8Array.from(names.extnValue.valueBlock.valueHexView),
  }
}
