/** Register: every reason of KMIP 1.4 §11.4, every object type, and what the server derives from the object (§4.3, §3). */
import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import type { RequestPayload } from '#client/operation-methods'
import {
  CertificateType,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  DigitalSignatureAlgorithm,
  HashingAlgorithm,
  KeyFormatType,
  KeyValueLocationType,
  ObjectType,
  State,
  WrappingMethod,
} from '#kmip/enums'
import {
  alice,
  attributesOf,
  type DispatcherUnderTest,
  item,
  openDispatcher,
  outcome,
  payloadOf,
  send,
  stored,
  succeed,
} from '#test/dispatcher'
import { templateRows, testOutcomes } from '#test/outcome-table'
import {
  attributes,
  certificate,
  certificateRequest,
  createKey,
  createRequest,
  keyBytes,
  keyRequest,
  name,
  opaqueRequest,
  pairRequest,
  secretRequest,
  templateRequest,
} from '#test/sample-objects'
import { type Item, ItemType } from '#ttlv/item'

const registering = (request: RequestPayload<'Register'>) => (under: DispatcherUnderTest) =>
  outcome(under, 'Register', request)

const text: Item = { tag: 0x42000b, type: ItemType.TextString, value: 'a' }

/** The key of `keyRequest` with another Key Block. */
const withKeyBlock = (changed: object): RequestPayload<'Register'> => {
  const request = keyRequest()
  return { ...request, symmetricKey: { keyBlock: { ...request.symmetricKey.keyBlock, ...changed } } }
}

/** A wrapped key: bytes in place of a structure. */
const wrapped = {
  keyValue: new Uint8Array(24).fill(9),
  keyWrappingData: { wrappingMethod: WrappingMethod.Encrypt, encryptionKeyInformation: { uniqueIdentifier: 'kek' } },
}

describe('Register: reasons', () => {
  testOutcomes([
    ['an Object Type that is not recognized', 'InvalidField', registering({ ...keyRequest(), objectType: 99 })],
    [
      'an Object Type that the server does not keep',
      'InvalidField',
      registering({ ...keyRequest(), objectType: ObjectType.PGPKey }),
    ],
    ['an object of another type', 'InvalidField', registering({ ...keyRequest(), objectType: ObjectType.PublicKey })],
    ['two objects', 'InvalidField', registering({ ...keyRequest(), secretData: secretRequest().secretData })],
    [
      'no object',
      'InvalidMessage',
      (under) => {
        const { objectType, templateAttribute } = keyRequest()
        return outcome(under, 'Register', { objectType, templateAttribute })
      },
    ],
    ...templateRows((under, template) => {
      const request = keyRequest()
      const templateAttribute = { ...request.templateAttribute, name: [name(template)] }
      return outcome(under, 'Register', { ...request, templateAttribute })
    }),
    ['an attribute that nobody knows', 'InvalidField', registering(keyRequest({ Colour: text }))],
    ['a read-only attribute', 'InvalidField', registering(keyRequest({ State: State.Active }))],
    [
      'Key Value Present, which the server sets',
      'InvalidField',
      registering(keyRequest({ 'Key Value Present': true })),
    ],
    ['an attribute of other Object Types', 'InvalidField', registering(secretRequest({ 'Process Start Date': 1 }))],
    [
      'another algorithm than that of the Key Block',
      'InvalidField',
      registering(keyRequest({ 'Cryptographic Algorithm': CryptographicAlgorithm.Twofish })),
    ],
    [
      'another length than that of the Key Block',
      'InvalidField',
      registering(keyRequest({ 'Cryptographic Length': 256 })),
    ],
    [
      'material that is not as long as the Key Block says',
      'InvalidField',
      registering(withKeyBlock({ cryptographicLength: 256 })),
    ],
    ['material that is no key of the algorithm', 'InvalidField', registering(keyRequest({}, new Uint8Array(17)))],
    ['bytes without Key Wrapping Data', 'InvalidField', registering(withKeyBlock({ keyValue: wrapped.keyValue }))],
    [
      'a certificate that is none',
      'InvalidField',
      registering({
        ...certificateRequest(),
        certificate: { certificateType: CertificateType.X_509, certificateValue: Uint8Array.of(0x30, 0) },
      }),
    ],
    [
      'another Certificate Length than that of the certificate',
      'InvalidField',
      registering(certificateRequest({ 'Certificate Length': 1 })),
    ],
    [
      'more bytes than the server keeps',
      'InvalidField',
      registering({
        ...opaqueRequest(),
        opaqueObject: { opaqueDataType: 0x8000_0001, opaqueDataValue: new Uint8Array(65_537) },
      }),
    ],
    ['a Template with a Name inside', 'InvalidField', registering(templateRequest('a', { Name: name('b') }))],
    [
      'the Name of another object',
      'InvalidField',
      async (under) => {
        await createKey(under, { Name: name('taken') })
        return outcome(under, 'Register', keyRequest({ Name: name('taken') }))
      },
    ],
    [
      'more instances than the server supports',
      'IndexOutOfBounds',
      registering(keyRequest({ 'Object Group': ['a', 'b', 'c', 'd', 'e'] })),
    ],
    [
      'Application Data left to the server',
      'ApplicationNamespaceNotSupported',
      registering(keyRequest({ 'Application Specific Information': { applicationNamespace: 'a' } })),
    ],
    // pkcs12.test.ts has the two rows of PKCS#12 and its password Link. A row speaks of Key Wrapping Specification, which
    // Register does not have.
    [
      'a symmetric key in PKCS#12',
      'KeyFormatTypeNotSupported',
      registering(withKeyBlock({ keyFormatType: KeyFormatType.PKCS_12 })),
    ],
    ['a key', 'Success', registering(keyRequest())],
    [
      'a key, with all that it tells said once more',
      'Success',
      registering(keyRequest({ 'Cryptographic Algorithm': CryptographicAlgorithm.AES, 'Cryptographic Length': 128 })),
    ],
    ['secret data', 'Success', registering(secretRequest())],
    [
      'secret data with a mask of 0 and with odd bits',
      'Success',
      async (under) => {
        await succeed(under, 'Register', secretRequest({ 'Cryptographic Usage Mask': 0 }))
        return outcome(under, 'Register', secretRequest({ 'Cryptographic Usage Mask': 0x4000_0001 }))
      },
    ],
    ['an Opaque Object', 'Success', registering(opaqueRequest())],
    ['a Template', 'Success', registering(templateRequest('a', { Comment: 'a' }))],
    ['a certificate', 'Success', registering(certificateRequest())],
    ['a wrapped key', 'Success', registering(withKeyBlock(wrapped))],
    ['a key whose value is elsewhere', 'Success', registering(withKeyBlock({ keyValue: undefined }))],
  ])
})

const registered = async (under: DispatcherUnderTest, request: RequestPayload<'Register'>) => {
  const answer = await succeed(under, 'Register', request)
  assert.deepEqual(answer, { uniqueIdentifier: answer.uniqueIdentifier, templateAttribute: undefined })
  return { uniqueIdentifier: answer.uniqueIdentifier, has: await attributesOf(under, answer.uniqueIdentifier) }
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

describe('Register', () => {
  test('a key: algorithm, length and digest are read from it', async () => {
    const under = openDispatcher()
    const { has } = await registered(under, keyRequest())
    assert.deepEqual(has['Cryptographic Algorithm'], [CryptographicAlgorithm.AES])
    assert.deepEqual(has['Cryptographic Length'], [128])
    assert.deepEqual(has['Digest'], [
      {
        hashingAlgorithm: HashingAlgorithm.SHA_256,
        digestValue: sha256(keyBytes),
        keyFormatType: KeyFormatType.Raw,
      },
    ])
    assert.deepEqual(has['Initial Date'], [under.clock.nowSeconds()])
    assert.deepEqual(has['Fresh'], [true])
    // §3.43, §3.44: of what was made elsewhere the server does not know when and how.
    assert.equal(has['Original Creation Date'], undefined)
    assert.equal(has['Random Number Generator'], undefined)
  })

  test('a key whose algorithm stands in the request alone', async () => {
    const under = openDispatcher()
    const said = { 'Cryptographic Algorithm': CryptographicAlgorithm.AES, 'Cryptographic Length': 128 }
    const request = keyRequest(said)
    const keyBlock = { keyFormatType: KeyFormatType.Raw, keyValue: { keyMaterial: keyBytes, attribute: [] } }
    const { uniqueIdentifier, has } = await registered(under, { ...request, symmetricKey: { keyBlock } })
    assert.deepEqual(has['Cryptographic Algorithm'], [CryptographicAlgorithm.AES])
    const { symmetricKey } = await succeed(under, 'Get', { uniqueIdentifier })
    assert.equal(symmetricKey?.keyBlock.cryptographicAlgorithm, CryptographicAlgorithm.AES)
    assert.equal(symmetricKey?.keyBlock.cryptographicLength, 128)
  })

  test('the dates and the generator of a key made elsewhere are the client’s to tell', async () => {
    const under = openDispatcher()
    const elsewhere = { 'Original Creation Date': 1000, 'Random Number Generator': { rngAlgorithm: 1 } }
    const { has } = await registered(under, keyRequest(elsewhere))
    assert.deepEqual(has['Original Creation Date'], [1000])
    const [generator] = has['Random Number Generator'] as readonly { readonly rngAlgorithm: number }[]
    assert.equal(generator?.rngAlgorithm, 1)
  })

  test('both halves of a pair', async () => {
    const under = openDispatcher()
    const pair = await succeed(under, 'CreateKeyPair', pairRequest())
    const mask = { attribute: attributes({ 'Cryptographic Usage Mask': CryptographicUsageMask.Sign }) }
    for (const uniqueIdentifier of [pair.privateKeyUniqueIdentifier, pair.publicKeyUniqueIdentifier]) {
      const { objectType, privateKey, publicKey } = await succeed(under, 'Get', { uniqueIdentifier })
      const request = { objectType, templateAttribute: mask, privateKey, publicKey }
      const { has } = await registered(under, request)
      assert.deepEqual(has['Object Type'], [objectType])
      assert.deepEqual(has['Cryptographic Length'], [256])
      assert.equal(has['Link'], undefined)
    }
  })

  test('a certificate: everything that §3.8 to §3.17 want is read from it', async () => {
    const under = openDispatcher()
    const { has } = await registered(under, certificateRequest())
    const x509 = new X509Certificate(certificate)
    assert.deepEqual(has['Certificate Type'], [CertificateType.X_509])
    assert.deepEqual(has['Certificate Length'], [certificate.length])
    assert.deepEqual(has['Cryptographic Length'], [256])
    assert.deepEqual(has['Digital Signature Algorithm'], [DigitalSignatureAlgorithm.ECDSAWithSHA256])
    assert.deepEqual(has['Digest'], [
      { hashingAlgorithm: HashingAlgorithm.SHA_256, digestValue: sha256(certificate), keyFormatType: undefined },
    ])
    // §3.19: always has a value.
    assert.deepEqual(has['Cryptographic Usage Mask'], [0])
    const whole = Buffer.from(certificate)
    const [identifier] = has['X.509 Certificate Identifier'] as readonly {
      issuerDistinguishedName: Uint8Array
      certificateSerialNumber: Uint8Array
    }[]
    assert.ok(identifier)
    assert.ok(whole.includes(identifier.issuerDistinguishedName))
    const serial = Buffer.from(identifier.certificateSerialNumber).toString('hex')
    assert.ok(serial.endsWith(x509.serialNumber.toLowerCase()), serial)
    const [subject] = has['X.509 Certificate Subject'] as readonly {
      subjectDistinguishedName: Uint8Array
      subjectAlternativeName: readonly Uint8Array[]
    }[]
    assert.ok(subject && whole.includes(subject.subjectDistinguishedName))
    assert.ok(Buffer.from(subject.subjectAlternativeName[0] ?? []).includes('kms.example'))
    const [issuer] = has['X.509 Certificate Issuer'] as readonly { issuerDistinguishedName: Uint8Array }[]
    assert.deepEqual(issuer?.issuerDistinguishedName, identifier.issuerDistinguishedName)
    assert.deepEqual(has['Certificate Issuer'], [
      { certificateIssuerDistinguishedName: 'CN=Test CA,O=Acme', certificateIssuerAlternativeName: [] },
    ])
    const [old] = has['Certificate Identifier'] as readonly { issuer: string; serialNumber: string }[]
    assert.deepEqual(old, { issuer: 'CN=Test CA,O=Acme', serialNumber: x509.serialNumber.toLowerCase() })
  })

  test('secret data and opaque bytes: digests of what is in them', async () => {
    const under = openDispatcher()
    const secret = await registered(under, secretRequest({}, 'open sesame'))
    const digest = { hashingAlgorithm: HashingAlgorithm.SHA_256, keyFormatType: KeyFormatType.Opaque }
    assert.deepEqual(secret.has['Digest'], [{ ...digest, digestValue: sha256(Buffer.from('open sesame')) }])
    assert.equal(secret.has['Cryptographic Algorithm'], undefined)
    const opaque = await registered(under, opaqueRequest())
    assert.deepEqual(opaque.has['Digest'], [
      { ...digest, keyFormatType: undefined, digestValue: sha256(Uint8Array.of(1, 2, 3)) },
    ])
    assert.deepEqual(opaque.has['State'], [State.PreActive])
  })

  test('a key whose value is elsewhere: Key Value Present is false, and there is no digest', async () => {
    const under = openDispatcher()
    const location = {
      keyValueLocationValue: 'safe 3',
      keyValueLocationType: KeyValueLocationType.UninterpretedTextString,
    }
    const request = withKeyBlock({ keyValue: undefined })
    const { attribute } = request.templateAttribute
    const templateAttribute = {
      attribute: [...(attribute ?? []), { attributeName: 'Key Value Location', attributeValue: location }],
    }
    const { uniqueIdentifier, has } = await registered(under, { ...request, templateAttribute })
    assert.deepEqual(has['Key Value Present'], [false])
    assert.deepEqual(has['Key Value Location'], [location])
    assert.equal(has['Digest'], undefined)
    // The published cases TC-MDO-1 and TC-MDO-3 have the Key Block without its value, where §11.12 could be read otherwise.
    const { symmetricKey } = await succeed(under, 'Get', { uniqueIdentifier })
    assert.equal(symmetricKey?.keyBlock.cryptographicLength, 128)
    assert.equal(symmetricKey?.keyBlock.keyValue, undefined)
  })

  test('a wrapped key is kept as it is and given as it is', async () => {
    const under = openDispatcher()
    const { uniqueIdentifier, has } = await registered(under, withKeyBlock(wrapped))
    assert.equal(has['Digest'], undefined)
    const { symmetricKey } = await succeed(under, 'Get', { uniqueIdentifier })
    assert.deepEqual(symmetricKey?.keyBlock.keyValue, Buffer.from(wrapped.keyValue))
    assert.equal(symmetricKey?.keyBlock.keyWrappingData?.encryptionKeyInformation?.uniqueIdentifier, 'kek')
  })

  test('a Template has its own Name and the attributes that it gives, and neither state nor digest', async () => {
    const under = openDispatcher()
    const { uniqueIdentifier, has } = await registered(
      under,
      templateRequest('a', { Comment: 'c', 'Object Group': ['g', 'h'] }),
    )
    assert.deepEqual(has['Name'], [name('a')])
    assert.deepEqual(has['Comment'], ['c'])
    for (const absent of ['State', 'Digest', 'Lease Time', 'Fresh']) assert.equal(has[absent], undefined, absent)
    assert.deepEqual(has['Initial Date'], [under.clock.nowSeconds()])
    const { template } = await succeed(under, 'Get', { uniqueIdentifier })
    const given = (template?.attribute ?? []).map(({ attributeName, attributeValue }) => [
      attributeName,
      attributeValue,
    ])
    assert.deepEqual(given, [
      ['Comment', 'c'],
      ['Object Group', 'g'],
      ['Object Group', 'h'],
    ])
  })

  test('the union of what a Template gives and what it has itself is what objects take', async () => {
    const under = openDispatcher()
    const request = templateRequest('a', { 'Object Group': 'given' })
    const { attribute } = request.templateAttribute
    const own = attributes({ 'Object Group': 'own' })
    await registered(under, { ...request, templateAttribute: { attribute: [...attribute, ...own] } })
    const { uniqueIdentifier } = await succeed(under, 'Create', createRequest({}, ['a']))
    assert.ok((await attributesOf(under, uniqueIdentifier))['Object Group']?.includes('given'))
  })

  test('the object belongs to who registers it, and is the ID Placeholder of what follows', async () => {
    const under = openDispatcher()
    const answer = await send(under, alice, 100, [item('Register', keyRequest()), item('Get', {})])
    const { uniqueIdentifier } = payloadOf(answer, 0, 'Register')
    assert.equal(payloadOf(answer, 1, 'Get').uniqueIdentifier, uniqueIdentifier)
    assert.equal(stored(under, uniqueIdentifier).owner, 'local|alice')
  })
})
