/**
 * A self-signed certificate for the echo server, made anew for each measurement. What it is not: a certificate that
 * anything else should trust, or the project's authority.
 */
import { Integer, PrintableString } from 'asn1js'
import { AttributeTypeAndValue, BasicConstraints, Certificate, Extension, GeneralName, GeneralNames } from 'pkijs'

/** PEM texts. */
export interface EchoIdentity {
  readonly cert: string
  readonly key: string
}

const commonName = '2.5.4.3'
const subjectAltName = '2.5.29.17'
const basicConstraints = '2.5.29.19'

/** Makes a P-256 key and its certificate for `localhost`. */
export const makeEchoIdentity = async (): Promise<EchoIdentity> => {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const certificate = new Certificate({ version: 2, serialNumber: new Integer({ value: 1 }) })
  for (const name of [certificate.issuer, certificate.subject]) {
    name.typesAndValues.push(
      new AttributeTypeAndValue({ type: commonName, value: new PrintableString({ value: 'localhost' }) }),
    )
  }
  // Wide enough for any clock; the key is gone when the measurement ends.
  certificate.notBefore.value = new Date('2020-01-01T00:00:00Z')
  certificate.notAfter.value = new Date('2049-01-01T00:00:00Z')
  const names = new GeneralNames({ names: [new GeneralName({ type: 2, value: 'localhost' })] })
  certificate.extensions = [
    new Extension({
      extnID: basicConstraints,
      critical: true,
      extnValue: new BasicConstraints({ cA: true }).toSchema().toBER(),
    }),
    new Extension({ extnID: subjectAltName, extnValue: names.toSchema().toBER() }),
  ]
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey)
  await certificate.sign(keys.privateKey, 'SHA-256')
  return {
    cert: pem('CERTIFICATE', certificate.toSchema(true).toBER()),
    key: pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', keys.privateKey)),
  }
}

/** Bytes as PEM text. */
export const pem = (label: string, bytes: ArrayBuffer): string => {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
