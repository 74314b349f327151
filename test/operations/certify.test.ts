/**
 * Certify, Re-certify and Validate: the reasons of KMIP 1.4 §11.8, §11.9 and §11.25; requests made by the openssl command,
 * certificates checked by it.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import {
  CertificateRequestType,
  CertificateType,
  KeyFormatType,
  LinkType,
  ObjectType,
  ValidityIndicator,
} from '#kmip/enums'
import { attributesOf, bob, type DispatcherUnderTest, openDispatcher, outcome, succeed } from '#test/dispatcher'
import { objectRows, testOutcomes } from '#test/outcome-table'
import {
  attributes,
  certificate,
  certificateRequest,
  createKey,
  name,
  pairRequest,
  parentLink,
  revocation,
} from '#test/sample-objects'

const folder = mkdtempSync(join(tmpdir(), 'certify-'))
after(() => rmSync(folder, { recursive: true }))
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const requestFor = (key: KeyObject, form: 'DER' | 'PEM'): Uint8Array => {
  const path = join(folder, 'key.pem')
  writeFileSync(path, key.export({ format: 'pem', type: 'pkcs8' }))
  const options = ['-subj', '/C=US/O=ACME/CN=Client', '-addext', 'subjectAltName=DNS:a.example']
  return execFileSync('openssl', ['req', '-new', '-key', path, '-outform', form, ...options])
}
const der = requestFor(privateKey, 'DER')
const pem = requestFor(privateKey, 'PEM')

const registerKey = async (under: DispatcherUnderTest): Promise<string> =>
  (
    await succeed(under, 'Register', {
      objectType: ObjectType.PublicKey,
      templateAttribute: { attribute: attributes({ 'Cryptographic Usage Mask': 2 }) },
      publicKey: {
        keyBlock: {
          keyFormatType: KeyFormatType.X_509,
          keyValue: {
            keyMaterial: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })),
            attribute: [],
          },
        },
      },
    })
  ).uniqueIdentifier

/** Application Data is left to the server, which knows no namespace. */
const namespace = attributes({ 'Application Specific Information': { applicationNamespace: 'ssl' } })

const pkcs10 = { certificateRequestType: CertificateRequestType.PKCS_10, certificateRequest: der }

const certified = async (under: DispatcherUnderTest, more: object = pkcs10) => {
  const key = await registerKey(under)
  const { uniqueIdentifier } = await succeed(under, 'Certify', { uniqueIdentifier: key, ...more })
  const given = await succeed(under, 'Get', { uniqueIdentifier })
  assert.ok(given.certificate)
  return { key, uniqueIdentifier, value: given.certificate.certificateValue }
}

const certifying = (more: object) => async (under: DispatcherUnderTest) =>
  outcome(under, 'Certify', { uniqueIdentifier: await registerKey(under), ...more })

describe('Certify: reasons', () => {
  testOutcomes([
    ...objectRows('Certify', (uniqueIdentifier) => ({ uniqueIdentifier })),
    [
      'a symmetric key',
      'PermissionDenied',
      async (under) => outcome(under, 'Certify', { uniqueIdentifier: await createKey(under) }),
    ],
    ['a type without a request', 'InvalidMessage', certifying({ certificateRequestType: 2 })],
    ['CRMF', 'FeatureNotSupported', certifying({ ...pkcs10, certificateRequestType: CertificateRequestType.CRMF })],
    ['bytes that are no request', 'InvalidField', certifying({ ...pkcs10, certificateRequest: Uint8Array.of(1, 2) })],
    [
      'a request that somebody changed',
      'InvalidField',
      certifying({
        ...pkcs10,
        certificateRequest: der.map((byte, index) => (index === der.length - 9 ? byte ^ 1 : byte)),
      }),
    ],
    [
      'a request for another key',
      'InvalidField',
      certifying({
        ...pkcs10,
        certificateRequest: requestFor(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'DER'),
      }),
    ],
    [
      'Application Data that the server would have to make',
      'ApplicationNamespaceNotSupported',
      certifying({ ...pkcs10, templateAttribute: { attribute: namespace } }),
    ],
    [
      'a key that is withdrawn',
      'Success',
      async (under) => {
        const uniqueIdentifier = await registerKey(under)
        await succeed(under, 'Revoke', revocation(uniqueIdentifier, true))
        return outcome(under, 'Certify', { uniqueIdentifier, ...pkcs10 })
      },
    ],
    ['PEM', 'Success', certifying({ certificateRequestType: CertificateRequestType.PEM, certificateRequest: pem })],
    ['no request', 'Success', certifying({})],
  ])
})

const recertifying = (more: object) => async (under: DispatcherUnderTest) =>
  outcome(under, 'ReCertify', { uniqueIdentifier: (await certified(under)).uniqueIdentifier, ...more })

describe('Re-certify: reasons', () => {
  testOutcomes([
    ...objectRows('ReCertify', (uniqueIdentifier) => ({ uniqueIdentifier })),
    [
      'a key',
      'PermissionDenied',
      async (under) => outcome(under, 'ReCertify', { uniqueIdentifier: await createKey(under) }),
    ],
    [
      'a certificate without a Link to its key',
      'PermissionDenied',
      async (under) => {
        const { uniqueIdentifier } = await succeed(under, 'Register', certificateRequest())
        return outcome(under, 'ReCertify', { uniqueIdentifier })
      },
    ],
    ['a type without a request', 'InvalidMessage', recertifying({ certificateRequestType: 2 })],
    ['bytes that are no request', 'InvalidField', recertifying({ ...pkcs10, certificateRequest: Uint8Array.of(1, 2) })],
    [
      'a request for another key',
      'InvalidField',
      recertifying({
        ...pkcs10,
        certificateRequest: requestFor(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'DER'),
      }),
    ],
    [
      'an Offset beside a date',
      'InvalidMessage',
      recertifying({ offset: 1, templateAttribute: { attribute: attributes({ 'Activation Date': 5 }) } }),
    ],
    [
      'Application Data that the server would have to make',
      'ApplicationNamespaceNotSupported',
      recertifying({ templateAttribute: { attribute: namespace } }),
    ],
    [
      'the key of the certificate is archived',
      'ObjectArchived',
      async (under) => {
        const { key, uniqueIdentifier } = await certified(under)
        await succeed(under, 'Archive', { uniqueIdentifier: key })
        return outcome(under, 'ReCertify', { uniqueIdentifier })
      },
    ],
    ['a request', 'Success', recertifying(pkcs10)],
    ['no request', 'Success', recertifying({})],
  ])
})

describe('certificates', () => {
  test('have the subject, the key and the names of the request, and are no authority', async () => {
    const under = openDispatcher()
    const { value } = await certified(under)
    const made = new X509Certificate(Buffer.from(value))
    assert.deepEqual([made.subject, made.subjectAltName, made.ca], ['C=US\nO=ACME\nCN=Client', 'DNS:a.example', false])
    assert.ok(made.publicKey.equals(publicKey))
  })

  test('link to their key and back; the next one takes Names and the Link over', async () => {
    const under = openDispatcher()
    const { privateKeyUniqueIdentifier, publicKeyUniqueIdentifier: key } = await succeed(
      under,
      'CreateKeyPair',
      pairRequest(),
    )
    const templateAttribute = { attribute: attributes({ Name: name('first') }) }
    const { uniqueIdentifier } = await succeed(under, 'Certify', { uniqueIdentifier: key, templateAttribute })
    const next = await succeed(under, 'ReCertify', { uniqueIdentifier })
    const link = (linkType: number, linkedObjectIdentifier: string) => ({ linkType, linkedObjectIdentifier })
    assert.deepEqual((await attributesOf(under, key))['Link'], [
      link(LinkType.PrivateKeyLink, privateKeyUniqueIdentifier),
      link(LinkType.CertificateLink, next.uniqueIdentifier),
    ])
    const [old, renewed] = [
      await attributesOf(under, uniqueIdentifier),
      await attributesOf(under, next.uniqueIdentifier),
    ]
    assert.deepEqual([old['Name'], renewed['Name']], [undefined, [name('first')]])
    assert.deepEqual(renewed['X.509 Certificate Subject'], old['X.509 Certificate Subject'])
    assert.notDeepEqual(renewed['X.509 Certificate Identifier'], old['X.509 Certificate Identifier'])
  })

  test('have the Links of the request beside those of the server', async () => {
    const under = openDispatcher()
    const { publicKeyUniqueIdentifier: key } = await succeed(under, 'CreateKeyPair', pairRequest())
    const templateAttribute = { attribute: attributes({ Link: parentLink('parent') }) }
    const { uniqueIdentifier } = await succeed(under, 'Certify', { uniqueIdentifier: key, templateAttribute })
    const next = await succeed(under, 'ReCertify', { uniqueIdentifier, templateAttribute })
    const link = (linkType: number, linkedObjectIdentifier: string) => ({ linkType, linkedObjectIdentifier })
    assert.deepEqual((await attributesOf(under, uniqueIdentifier))['Link'], [
      parentLink('parent'),
      link(LinkType.PublicKeyLink, key),
      link(LinkType.ReplacementObjectLink, next.uniqueIdentifier),
    ])
    assert.deepEqual((await attributesOf(under, next.uniqueIdentifier))['Link'], [
      parentLink('parent'),
      link(LinkType.ReplacedObjectLink, uniqueIdentifier),
      link(LinkType.PublicKeyLink, key),
    ])
  })
})

describe('Validate', () => {
  const x509 = (certificateValue: Uint8Array) => ({ certificateType: CertificateType.X_509, certificateValue })

  testOutcomes([
    [
      'no certificate',
      'InvalidMessage',
      (under) => outcome(under, 'Validate', { certificate: [], uniqueIdentifier: [] }),
    ],
    [
      'certificates that are not one chain',
      'InvalidMessage',
      async (under) => {
        const { value } = await certified(under)
        return outcome(under, 'Validate', { certificate: [x509(value), x509(certificate)], uniqueIdentifier: [] })
      },
    ],
    [
      'an object that is no certificate',
      'InvalidMessage',
      async (under) => outcome(under, 'Validate', { certificate: [], uniqueIdentifier: [await createKey(under)] }),
    ],
    [
      'an object that does not exist',
      'ItemNotFound',
      (under) => outcome(under, 'Validate', { certificate: [], uniqueIdentifier: ['nobody'] }),
    ],
    [
      'the certificate of another user',
      'PermissionDenied',
      async (under) => {
        const { uniqueIdentifier } = await succeed(under, 'Register', certificateRequest(), { who: bob })
        return outcome(under, 'Validate', { certificate: [], uniqueIdentifier: [uniqueIdentifier] })
      },
    ],
    [
      'an archived certificate',
      'ObjectArchived',
      async (under) => {
        const { uniqueIdentifier } = await certified(under)
        await succeed(under, 'Archive', { uniqueIdentifier })
        return outcome(under, 'Validate', { certificate: [], uniqueIdentifier: [uniqueIdentifier] })
      },
    ],
    [
      'a certificate',
      'Success',
      async (under) =>
        outcome(under, 'Validate', { certificate: [], uniqueIdentifier: [(await certified(under)).uniqueIdentifier] }),
    ],
  ])

  test('valid in its time, invalid outside of it and when withdrawn, unknown from elsewhere', async () => {
    const under = openDispatcher()
    const { uniqueIdentifier, value } = await certified(under)
    const verdict = async (request: object) =>
      (await succeed(under, 'Validate', { certificate: [], uniqueIdentifier: [], ...request })).validityIndicator
    assert.equal(await verdict({ certificate: [x509(value)] }), ValidityIndicator.Valid)
    assert.equal(await verdict({ certificate: [x509(value)], validityDate: 5 }), ValidityIndicator.Invalid)
    const forged = value.map((byte, index) => (index === value.length - 1 ? byte ^ 1 : byte))
    assert.equal(await verdict({ certificate: [x509(forged)] }), ValidityIndicator.Invalid)
    assert.equal(
      await verdict({ certificate: [x509(certificate)], validityDate: 1_770_000_001 }),
      ValidityIndicator.Unknown,
    )
    assert.equal(await verdict({ uniqueIdentifier: [uniqueIdentifier] }), ValidityIndicator.Valid)
    await succeed(under, 'Revoke', revocation(uniqueIdentifier, true))
    assert.equal(await verdict({ uniqueIdentifier: [uniqueIdentifier] }), ValidityIndicator.Invalid)
  })
})
