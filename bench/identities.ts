/**
 * An authority, and certificates of a server and a client that it signed, made anew for a server that is started to be
 * measured and brings none. What it is not: certificates that anything else should trust.
 */
import { Integer, OctetString, PrintableString } from 'asn1js'
import {
  AttributeTypeAndValue,
  BasicConstraints,
  Certificate,
  Extension,
  ExtKeyUsage,
  GeneralName,
  GeneralNames,
} from 'pkijs'

/** PEM texts. */
export interface Identities {
  readonly ca: string
  readonly server: { readonly cert: string; readonly key: string }
  readonly client: { readonly cert: string; readonly key: string }
}

const pem = (label: string, bytes: ArrayBuffer): string => {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

const commonName = '2.5.4.3'
const subjectAltName = '2.5.29.17'
const basicConstraints = '2.5.29.19'
const extendedKeyUsage = '2.5.29.37'
const serverAuth = '1.3.6.1.5.5.7.3.1'
const clientAuth = '1.3.6.1.5.5.7.3.2'

interface Subject {
  readonly name: string
  readonly serial: number
  readonly extensions: readonly Extension[]
}

const nameOf = (text: string): AttributeTypeAndValue =>
  new AttributeTypeAndValue({ type: commonName, value: new PrintableString({ value: text }) })

const certificateOf = async (
  { name, serial, extensions }: Subject,
  issuer: string,
  publicKey: CryptoKey,
  signingKey: CryptoKey,
): Promise<string> => {
  const certificate = new Certificate({ version: 2, serialNumber: new Integer({ value: serial }) })
  certificate.issuer.typesAndValues.push(nameOf(issuer))
  certificate.subject.typesAndValues.push(nameOf(name))
  certificate.notBefore.value = new Date('2020-01-01T00:00:00Z')
  certificate.notAfter.value = new Date('2049-01-01T00:00:00Z')
  certificate.extensions = [...extensions]
  await certificate.subjectPublicKeyInfo.importKey(publicKey)
  await certificate.sign(signingKey, 'SHA-256')
  return pem('CERTIFICATE', certificate.toSchema(true).toBER())
}

const newKeys = () => crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])

type KeyPair = Awaited<ReturnType<typeof newKeys>>

const keyText = async ({ privateKey }: KeyPair): Promise<string> =>
  pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', privateKey))

const usage = (purpose: string): Extension =>
  new Extension({ extnID: extendedKeyUsage, extnValue: new ExtKeyUsage({ keyPurposes: [purpose] }).toSchema().toBER() })

/** Makes them, with P-256 keys; the server's is for localhost and 127.0.0.1. */
export const makeIdentities = async (): Promise<Identities> => {
  const authority = 'kmip-bench authority'
  const [authorityKeys, serverKeys, clientKeys] = await Promise.all([newKeys(), newKeys(), newKeys()])
  const isAuthority = new Extension({
    extnID: basicConstraints,
    critical: true,
    extnValue: new BasicConstraints({ cA: true }).toSchema().toBER(),
  })
  const names = new GeneralNames({
    names: [
      new GeneralName({ type: 2, value: 'localhost' }),
      new GeneralName({ type: 7, value: new OctetString({ valueHex: Uint8Array.of(127, 0, 0, 1).buffer }) }),
    ],
  })
  const isLocal = new Extension({ extnID: subjectAltName, extnValue: names.toSchema().toBER() })
  const signed = (subject: Subject, keys: KeyPair): Promise<string> =>
    certificateOf(subject, authority, keys.publicKey, authorityKeys.privateKey)
  return {
    ca: await signed({ name: authority, serial: 1, extensions: [isAuthority] }, authorityKeys),
    server: {
      cert: await signed({ name: 'localhost', serial: 2, extensions: [usage(serverAuth), isLocal] }, serverKeys),
      key: await keyText(serverKeys),
    },
    client: {
      cert: await signed({ name: 'bench', serial: 3, extensions: [usage(clientAuth)] }, clientKeys),
      key: await keyText(clientKeys),
    },
  }
}
