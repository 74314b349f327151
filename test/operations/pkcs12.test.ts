/** PKCS#12 over operations: what Get and Export put into a container, what Register and Import take out (KMIP 1.4 §4.11, §3.45, §11.4). */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { RequestPayload } from '#client/operation-methods'
import {
  BlockCipherMode,
  CertificateType,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  EncodingOption,
  HashingAlgorithm,
  KeyCompressionType,
  KeyFormatType,
  LinkType,
  ObjectType,
  SecretDataType,
  WrappingMethod,
} from '#kmip/enums'
import type { KeyBlock } from '#kmip/key-block'
import { ec, pkcs8, plain, rsa } from '#test/crypto/keys'
import {
  archive,
  attributesOf,
  bob,
  type DispatcherUnderTest,
  openDispatcher,
  outcome,
  stored,
  succeed,
} from '#test/dispatcher'
import { testOutcomes } from '#test/outcome-table'
import { attributes, createKey, revocation, secretRequest } from '#test/sample-objects'

const directory = mkdtempSync(join(tmpdir(), 'kmipd-containers-'))
after(() => rmSync(directory, { recursive: true }))
const file = (name: string): string => join(directory, name)
const run = (...args: readonly string[]): string =>
  execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

const password = 'open sesame'
const pem = (name: string): Uint8Array => plain(new X509Certificate(readFileSync(file(name))).raw)

writeFileSync(file('key.pem'), rsa.privateKey.export({ format: 'pem', type: 'pkcs8' }))
writeFileSync(file('ca.key'), ec.privateKey.export({ format: 'pem', type: 'pkcs8' }))
run('req', '-x509', '-key', file('ca.key'), '-subj', '/CN=Root', '-days', '2', '-out', file('root.pem'))
run('req', '-new', '-key', file('key.pem'), '-subj', '/CN=Leaf', '-out', file('request.pem'))
const signing = ['-CA', file('root.pem'), '-CAkey', file('ca.key'), '-days', '1', '-out', file('leaf.pem')]
run('x509', '-req', '-in', file('request.pem'), ...signing)
const leaf = pem('leaf.pem')
const root = pem('root.pem')
const exporting = ['-inkey', file('key.pem'), '-in', file('leaf.pem'), '-certfile', file('root.pem')]
run('pkcs12', '-export', ...exporting, '-name', 'Theirs', '-passout', `pass:${password}`, '-out', file('in.p12'))
const container = plain(readFileSync(file('in.p12')))

/** What openssl finds: the key's PKCS#8, the certificates in order, the friendly names. */
const found = (bytes: Uint8Array, secret = password) => {
  writeFileSync(file('out.p12'), bytes)
  const text = run('pkcs12', '-in', file('out.p12'), '-passin', `pass:${secret}`, '-nodes')
  const [key = ''] = text.match(/-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/) ?? []
  return {
    key: plain(createPrivateKey(key).export({ format: 'der', type: 'pkcs8' })),
    certificates: [...text.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)].map(([each]) =>
      plain(new X509Certificate(each).raw),
    ),
    names: [...new Set([...text.matchAll(/friendlyName: (.+)/g)].map(([, name]) => name))],
  }
}

const link = (linkType: number, linkedObjectIdentifier: string) => ({ linkType, linkedObjectIdentifier })
const passwordLink = (identifier: string) => link(LinkType.PKCS_12PasswordLink, identifier)

const active = { 'Activation Date': 0 }
const registerPassword = async (under: DispatcherUnderTest, values: object = active, text = password) =>
  (await succeed(under, 'Register', secretRequest({ ...values }, text))).uniqueIdentifier

const registerCertificate = async (
  under: DispatcherUnderTest,
  certificateValue: Uint8Array,
  values: Readonly<Record<string, unknown>> = {},
): Promise<string> => {
  const certificate = { certificateType: CertificateType.X_509, certificateValue }
  const templateAttribute = { attribute: attributes(values) }
  const request = { objectType: ObjectType.Certificate, templateAttribute, certificate }
  return (await succeed(under, 'Register', request)).uniqueIdentifier
}

const keyRequest = (
  values: Readonly<Record<string, unknown>>,
  keyBlock: Partial<KeyBlock> = {},
): RequestPayload<'Register'> => ({
  objectType: ObjectType.PrivateKey,
  templateAttribute: { attribute: attributes({ 'Cryptographic Usage Mask': CryptographicUsageMask.Sign, ...values }) },
  privateKey: {
    keyBlock: {
      keyFormatType: KeyFormatType.PKCS_8,
      keyValue: { keyMaterial: pkcs8(rsa.privateKey), attribute: [] },
      cryptographicAlgorithm: CryptographicAlgorithm.RSA,
      cryptographicLength: 1024,
      ...keyBlock,
    },
  },
})

const registerKey = async (under: DispatcherUnderTest, values: Readonly<Record<string, unknown>>): Promise<string> =>
  (await succeed(under, 'Register', keyRequest(values))).uniqueIdentifier

const asContainer = { keyFormatType: KeyFormatType.PKCS_12 }

const containerOf = async (
  under: DispatcherUnderTest,
  uniqueIdentifier: string,
  form: object = asContainer,
): Promise<Uint8Array> => {
  const { privateKey } = await succeed(under, 'Get', { uniqueIdentifier, ...form })
  const { keyFormatType, keyValue, ...rest } = privateKey?.keyBlock ?? {}
  assert.equal(keyFormatType, KeyFormatType.PKCS_12)
  assert.ok(keyValue instanceof Uint8Array, 'a Byte String, as the published case has it')
  assert.deepEqual(
    Object.values(rest).filter((value) => value !== undefined),
    [],
    'algorithm and length are within',
  )
  return keyValue
}

describe('Get as PKCS#12', () => {
  test('gives the key alone under the linked password, named alias', async () => {
    const under = openDispatcher()
    const key = await registerKey(under, { Link: passwordLink(await registerPassword(under)) })
    assert.deepEqual(found(await containerOf(under, key)), {
      key: pkcs8(rsa.privateKey),
      certificates: [],
      names: ['alias'],
    })
  })

  test('follows PKCS#12 Certificate Links, as the published case does, and takes the friendly name', async () => {
    const under = openDispatcher()
    const ca = await registerCertificate(under, root)
    const own = await registerCertificate(under, leaf, { Link: link(LinkType.PKCS_12CertificateLink, ca) })
    const key = await registerKey(under, {
      'PKCS#12 Friendly Name': 'ours',
      Link: [passwordLink(await registerPassword(under)), link(LinkType.PKCS_12CertificateLink, own)],
    })
    assert.deepEqual(found(await containerOf(under, key)), {
      key: pkcs8(rsa.privateKey),
      certificates: [leaf, root],
      names: ['ours'],
    })
    const exported = await succeed(under, 'Export', { uniqueIdentifier: key, ...asContainer })
    const { keyValue } = exported.privateKey?.keyBlock ?? {}
    assert.ok(keyValue instanceof Uint8Array)
    assert.deepEqual(found(keyValue).certificates, [leaf, root])
  })

  test('follows Public Key Link and Certificate Links, as the text does, up to a root that leads to itself', async () => {
    const under = openDispatcher()
    const ca = await registerCertificate(under, root)
    const attribute = { attributeName: 'Link', attributeValue: link(LinkType.CertificateLink, ca) }
    await succeed(under, 'AddAttribute', { uniqueIdentifier: ca, attribute })
    const own = await registerCertificate(under, leaf, { Link: link(LinkType.CertificateLink, ca) })
    const publicKey = await succeed(under, 'Register', {
      objectType: ObjectType.PublicKey,
      templateAttribute: {
        attribute: attributes({
          'Cryptographic Usage Mask': CryptographicUsageMask.Verify,
          Link: link(LinkType.CertificateLink, own),
        }),
      },
      publicKey: {
        keyBlock: {
          keyFormatType: KeyFormatType.X_509,
          keyValue: { keyMaterial: plain(rsa.publicKey.export({ format: 'der', type: 'spki' })), attribute: [] },
          cryptographicAlgorithm: CryptographicAlgorithm.RSA,
          cryptographicLength: 1024,
        },
      },
    })
    const key = await registerKey(under, {
      Link: [passwordLink(await registerPassword(under)), link(LinkType.PublicKeyLink, publicKey.uniqueIdentifier)],
    })
    assert.deepEqual(found(await containerOf(under, key)).certificates, [leaf, root])
  })

  test('gives a pair that the server made, of its certificate', async () => {
    const under = openDispatcher()
    const { privateKeyUniqueIdentifier } = await succeed(under, 'CreateKeyPair', {
      commonTemplateAttribute: {
        attribute: attributes({
          'Cryptographic Algorithm': CryptographicAlgorithm.RSA,
          'Cryptographic Length': 2048,
        }),
      },
      privateKeyTemplateAttribute: {
        attribute: attributes({
          'Cryptographic Usage Mask': CryptographicUsageMask.Sign,
          Link: passwordLink(await registerPassword(under)),
        }),
      },
      publicKeyTemplateAttribute: {
        attribute: attributes({ 'Cryptographic Usage Mask': CryptographicUsageMask.Verify }),
      },
    })
    const form = { uniqueIdentifier: privateKeyUniqueIdentifier, keyFormatType: KeyFormatType.PKCS_8 }
    const { privateKey } = await succeed(under, 'Get', form)
    const { keyValue } = privateKey?.keyBlock ?? {}
    assert.ok(keyValue !== undefined && !(keyValue instanceof Uint8Array))
    const { key } = found(await containerOf(under, privateKeyUniqueIdentifier))
    assert.deepEqual(Buffer.from(key), keyValue.keyMaterial)
  })

  test('wraps the container, which a sensitive key may leave in', async () => {
    const under = openDispatcher({
      policy: { wrapping: { wrappingAllowed: 'all', unwrapMask: 'unwrap', registeredWrapped: 'keep' } },
    })
    const parameters = {
      blockCipherMode: BlockCipherMode.AESKeyWrapPadding,
      cryptographicAlgorithm: CryptographicAlgorithm.AES,
    }
    const wrappingKey = await createKey(under, {
      'Cryptographic Length': 256,
      'Cryptographic Usage Mask': CryptographicUsageMask.WrapKey | CryptographicUsageMask.UnwrapKey,
      'Cryptographic Parameters': parameters,
      ...active,
    })
    const key = await registerKey(under, { Sensitive: true, Link: passwordLink(await registerPassword(under)) })
    assert.equal(await outcome(under, 'Get', { uniqueIdentifier: key, ...asContainer }), 'Sensitive')
    const keyWrappingSpecification = {
      wrappingMethod: WrappingMethod.Encrypt,
      encryptionKeyInformation: { uniqueIdentifier: wrappingKey, cryptographicParameters: parameters },
      attributeName: [],
      encodingOption: EncodingOption.NoEncoding,
    }
    const form = { uniqueIdentifier: key, ...asContainer, keyWrappingSpecification }
    const { privateKey } = await succeed(under, 'Get', form)
    assert.ok(privateKey?.keyBlock.keyValue instanceof Uint8Array)
    assert.ok(privateKey.keyBlock.keyWrappingData)
    const back = await succeed(under, 'Register', {
      objectType: ObjectType.PrivateKey,
      templateAttribute: { attribute: attributes({ 'Cryptographic Usage Mask': CryptographicUsageMask.Sign }) },
      privateKey,
    })
    const { uniqueIdentifier } = back
    const asWrapped = await succeed(under, 'Get', { uniqueIdentifier })
    assert.deepEqual(asWrapped.privateKey?.keyBlock.keyValue, privateKey.keyBlock.keyValue)
    const notWrapped = await containerOf(under, uniqueIdentifier, { keyWrapType: 1 })
    assert.deepEqual(found(notWrapped).key, pkcs8(rsa.privateKey))
  })
})

const getting =
  (
    prepare: (under: DispatcherUnderTest) => Promise<Readonly<Record<string, unknown>>>,
    more: object = {},
    version = 104,
  ) =>
  async (under: DispatcherUnderTest): Promise<string> => {
    const uniqueIdentifier = await registerKey(under, await prepare(under))
    return outcome(under, 'Get', { uniqueIdentifier, ...asContainer, ...more }, { version })
  }

/** The Links of a key with a good password, and one more. */
const withLink =
  (linkType: number, target: (under: DispatcherUnderTest) => Promise<string>) =>
  async (under: DispatcherUnderTest) => ({
    Link: [passwordLink(await registerPassword(under)), link(linkType, await target(under))],
  })

const secretOfType = async (under: DispatcherUnderTest, secretDataType: SecretDataType): Promise<string> => {
  const request = secretRequest(active)
  const other = { ...request, secretData: { ...request.secretData, secretDataType } }
  return (await succeed(under, 'Register', other)).uniqueIdentifier
}

describe('Get as PKCS#12: reasons', () => {
  testOutcomes([
    ['without a PKCS#12 Password Link', 'InvalidField', getting(async () => ({}))],
    [
      'with two PKCS#12 Password Links',
      'InvalidField',
      getting(async (under) => ({
        Link: [passwordLink(await registerPassword(under)), passwordLink(await registerPassword(under))],
      })),
    ],
    ['a password that is nowhere', 'InvalidField', getting(async () => ({ Link: passwordLink('nobody') }))],
    [
      'a password that is no Secret Data',
      'InvalidField',
      getting(async (under) => ({ Link: passwordLink(await createKey(under, active)) })),
    ],
    [
      'Secret Data that is no password',
      'InvalidField',
      getting(async (under) => ({ Link: passwordLink(await secretOfType(under, SecretDataType.Seed)) })),
    ],
    [
      'the password of another user',
      'PermissionDenied',
      getting(async (under) => {
        const { uniqueIdentifier } = await succeed(under, 'Register', secretRequest(active), { who: bob })
        return { Link: passwordLink(uniqueIdentifier) }
      }),
    ],
    [
      'a password that is not active yet',
      'PermissionDenied',
      getting(async (under) => ({ Link: passwordLink(await registerPassword(under, {})) })),
    ],
    [
      'a password that is revoked',
      'PermissionDenied',
      getting(async (under) => {
        const identifier = await registerPassword(under)
        await succeed(under, 'Revoke', revocation(identifier))
        return { Link: passwordLink(identifier) }
      }),
    ],
    [
      'an archived password',
      'ObjectArchived',
      getting(async (under) => {
        const identifier = await registerPassword(under)
        await archive(under, identifier)
        return { Link: passwordLink(identifier) }
      }),
    ],
    [
      'a certificate that is nowhere',
      'ItemNotFound',
      getting(withLink(LinkType.PKCS_12CertificateLink, async () => 'nobody')),
    ],
    [
      'a certificate that is none',
      'InvalidField',
      getting(withLink(LinkType.PKCS_12CertificateLink, (under) => createKey(under))),
    ],
    [
      'the certificate of another key',
      'InvalidField',
      getting(withLink(LinkType.PKCS_12CertificateLink, (under) => registerCertificate(under, root))),
    ],
    [
      'two chains',
      'InvalidField',
      getting(async (under) => ({
        Link: [
          passwordLink(await registerPassword(under)),
          link(LinkType.PKCS_12CertificateLink, await registerCertificate(under, leaf)),
          link(LinkType.PKCS_12CertificateLink, await registerCertificate(under, root)),
        ],
      })),
    ],
    [
      'a compressed point',
      'KeyCompressionTypeNotSupported',
      getting(async (under) => ({ Link: passwordLink(await registerPassword(under)) }), {
        keyCompressionType: KeyCompressionType.ECPublicKeyTypeX9_62CompressedPrime,
      }),
    ],
    [
      'a symmetric key',
      'KeyFormatTypeNotSupported',
      async (under) => outcome(under, 'Get', { uniqueIdentifier: await createKey(under), ...asContainer }),
    ],
    [
      'a key that is not extractable',
      'NotExtractable',
      getting(async (under) => ({
        Extractable: false,
        Link: passwordLink(await registerPassword(under)),
      })),
    ],
    [
      'a key with all that is needed',
      'Success',
      getting(async (under) => ({ Link: passwordLink(await registerPassword(under)) })),
    ],
  ])
})

/** A Register of the container of openssl's. */
const containerRequest = (values: Readonly<Record<string, unknown>>, keyValue: KeyBlock['keyValue'] = container) =>
  keyRequest(values, {
    keyFormatType: KeyFormatType.PKCS_12,
    keyValue,
    cryptographicAlgorithm: undefined,
    cryptographicLength: undefined,
  })

const registerContainer = async (under: DispatcherUnderTest, values: object = {}): Promise<string> => {
  const Link = passwordLink(await registerPassword(under))
  return (await succeed(under, 'Register', containerRequest({ Link, ...active, ...values }))).uniqueIdentifier
}

describe('Register of PKCS#12', () => {
  test('tells algorithm, length, friendly name and the digest of the container', async () => {
    const under = openDispatcher()
    const known = await attributesOf(under, await registerContainer(under))
    assert.deepEqual(known['Cryptographic Algorithm'], [CryptographicAlgorithm.RSA])
    assert.deepEqual(known['Cryptographic Length'], [1024])
    assert.deepEqual(known['PKCS#12 Friendly Name'], ['Theirs'])
    assert.deepEqual(known['Digest'], [
      {
        hashingAlgorithm: HashingAlgorithm.SHA_256,
        digestValue: createHash('sha256').update(container).digest(),
        keyFormatType: KeyFormatType.PKCS_12,
      },
    ])
  })

  test('gives the container back as it came, byte for byte, also of a structure, and when the password is gone', async () => {
    const under = openDispatcher()
    const identifier = await registerPassword(under)
    const structure = { keyMaterial: container, attribute: [] }
    const request = containerRequest({ Link: passwordLink(identifier) }, structure)
    const { uniqueIdentifier } = await succeed(under, 'Register', request)
    await succeed(under, 'Revoke', revocation(identifier, true))
    await succeed(under, 'Destroy', { uniqueIdentifier: identifier })
    assert.deepEqual(plain(await containerOf(under, uniqueIdentifier, {})), container)
  })

  test('gives the key in other formats, and computes with it', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await registerContainer(under)
    for (const [keyFormatType, type] of [
      [KeyFormatType.PKCS_1, 'pkcs1'],
      [KeyFormatType.PKCS_8, 'pkcs8'],
    ] as const) {
      const { privateKey } = await succeed(under, 'Get', { uniqueIdentifier, keyFormatType })
      const keyValue = privateKey?.keyBlock.keyValue
      assert.ok(keyValue !== undefined && !(keyValue instanceof Uint8Array))
      assert.deepEqual(keyValue.keyMaterial, rsa.privateKey.export({ format: 'der', type }))
    }
    const cryptographicParameters = { hashingAlgorithm: HashingAlgorithm.SHA_256 }
    const data = Uint8Array.of(1, 2, 3)
    assert.equal(await outcome(under, 'Sign', { uniqueIdentifier, cryptographicParameters, data }), 'Success')
  })

  test('makes a container anew where one is asked for: the certificates that came, under the password of now', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await registerContainer(under, { 'PKCS#12 Friendly Name': 'THEIRS' })
    const bytes = await containerOf(under, uniqueIdentifier)
    assert.notDeepEqual(plain(bytes), container)
    assert.deepEqual(found(bytes), { key: pkcs8(rsa.privateKey), certificates: [leaf, root], names: ['THEIRS'] })
  })

  test('is Import, too', async () => {
    const under = openDispatcher()
    const Link = passwordLink(await registerPassword(under))
    const { privateKey, objectType, templateAttribute } = containerRequest({ Link })
    const { attribute = [] } = templateAttribute ?? {}
    await succeed(under, 'Import', { uniqueIdentifier: 'theirs', objectType, attribute: [...attribute], privateKey })
    assert.deepEqual(plain(await containerOf(under, 'theirs', {})), container)
    assert.deepEqual((await attributesOf(under, 'theirs'))['PKCS#12 Friendly Name'], ['Theirs'])
  })

  test('keeps nothing of it once it is destroyed', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await registerContainer(under)
    await succeed(under, 'Revoke', revocation(uniqueIdentifier, true))
    await succeed(under, 'Destroy', { uniqueIdentifier })
    assert.equal(stored(under, uniqueIdentifier)?.value, undefined)
  })
})

const registering =
  (prepare: (under: DispatcherUnderTest) => Promise<RequestPayload<'Register'>>, version = 104) =>
  async (under: DispatcherUnderTest): Promise<string> =>
    outcome(under, 'Register', await prepare(under), { version })

const linkedTo = async (under: DispatcherUnderTest, text = password, values: object = active) => ({
  Link: passwordLink(await registerPassword(under, values, text)),
})

describe('Register of PKCS#12: reasons', () => {
  testOutcomes([
    ['without a PKCS#12 Password Link', 'InvalidField', registering(async () => containerRequest({}))],
    [
      'with two PKCS#12 Password Links',
      'InvalidField',
      registering(async (under) => {
        const links = [await linkedTo(under), await linkedTo(under)]
        return containerRequest({ Link: links.map(({ Link }) => Link) })
      }),
    ],
    [
      'a password that is nowhere',
      'InvalidField',
      registering(async () => containerRequest({ Link: passwordLink('nobody') })),
    ],
    [
      'Secret Data that is no password',
      'InvalidField',
      registering(async (under) =>
        containerRequest({ Link: passwordLink(await secretOfType(under, SecretDataType.Seed)) }),
      ),
    ],
    [
      'a password that is not active yet',
      'PermissionDenied',
      registering(async (under) => containerRequest(await linkedTo(under, password, {}))),
    ],
    [
      'another password',
      'CryptographicFailure',
      registering(async (under) => containerRequest(await linkedTo(under, 'another'))),
    ],
    [
      'bytes that are no container',
      'InvalidField',
      registering(async (under) => containerRequest(await linkedTo(under), Uint8Array.of(0x30, 0))),
    ],
    [
      'a friendly name that is not within',
      'InvalidField',
      registering(async (under) => containerRequest({ ...(await linkedTo(under)), 'PKCS#12 Friendly Name': 'other' })),
    ],
    [
      'another algorithm than that of the key within',
      'InvalidField',
      registering(async (under) =>
        containerRequest({ ...(await linkedTo(under)), 'Cryptographic Algorithm': CryptographicAlgorithm.ECDSA }),
      ),
    ],
    [
      'a symmetric key',
      'KeyFormatTypeNotSupported',
      registering(async () => {
        const keyBlock = {
          keyFormatType: KeyFormatType.PKCS_12,
          keyValue: { keyMaterial: container, attribute: [] },
        }
        const templateAttribute = { attribute: attributes({ 'Cryptographic Usage Mask': 4 }) }
        return { objectType: ObjectType.SymmetricKey, templateAttribute, symmetricKey: { keyBlock } }
      }),
    ],
    ['a container', 'Success', registering(async (under) => containerRequest(await linkedTo(under)))],
  ])

  test('before 1.4, which has no such format, nothing is registered or given so', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await registerContainer(under)
    const request = containerRequest({})
    assert.notEqual(await outcome(under, 'Register', request, { version: 103 }), 'Success')
    assert.equal(await outcome(under, 'Get', { uniqueIdentifier }, { version: 103 }), 'KeyFormatTypeNotSupported')
    const asPkcs8 = { uniqueIdentifier, keyFormatType: KeyFormatType.PKCS_8 }
    assert.equal(await outcome(under, 'Get', asPkcs8, { version: 103 }), 'Success')
  })
})
