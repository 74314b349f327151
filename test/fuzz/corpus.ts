/**
 * Valid requests, one of each kind that the server knows, as the seeds of faulty ones. What it is: messages made with the
 * client's codec, in every version. What it is not: faulty (mutate.ts).
 */
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { attribute, customAttribute, nameAttribute } from '#client/attribute'
import { type Client, encodeRequest } from '#client/client'
import type { BatchRequest, Input, RequestPayload } from '#client/operation-methods'
import type { Attribute } from '#kmip/attribute'
import {
  BatchErrorContinuationOption,
  CertificateType,
  CredentialType,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  KeyFormatType,
  ObjectType,
  Operation,
  QueryFunction,
  RecommendedCurve,
  RevocationReasonCode,
  SecretDataType,
  WrappingMethod,
} from '#kmip/enums'
import type { RequestMessage } from '#kmip/message'
import { Tag } from '#kmip/tags'
import { majorOf, minorOf, supportedVersions, type Version, v1_4 } from '#kmip/versions'
import { ItemType } from '#ttlv/item'

/** Objects that the requests name: they exist when the fuzzing begins, until a request destroys them. */
export interface Targets {
  readonly symmetricKey: string
  readonly privateKey: string
  readonly publicKey: string
  readonly secretData: string
}

type Header = Partial<Input<RequestMessage['requestHeader']>>

/** Requests of every kind, in the newest version and in others. @param certificatePem any X.509 certificate */
export const makeCorpus = (targets: Targets, certificatePem: string): readonly Buffer[] => [
  ...inVersions([...creations(), ...registrations(certificatePem)]),
  ...batches(targets),
  ...makeQuietCorpus(targets),
]

/** Requests that make no objects: the store stays as large as it is. */
export const makeQuietCorpus = (targets: Targets): readonly Buffer[] =>
  inVersions([...questions(targets), ...attributes(targets), ...lives(targets)])

const inVersions = (requests: readonly BatchRequest[]): readonly Buffer[] => [
  ...requests.map((request) => message(v1_4, [request])),
  ...requests.map((request, index) => message(versionFor(index), [request])),
]

/** The objects that the corpus names, made anew. */
export const makeTargets = async (client: Client): Promise<Targets> => {
  const created = await client.create(createKey('AES', 256, []))
  const pair = await client.createKeyPair(ecPair())
  const secret = await client.register(secretDataRequest([]))
  return {
    symmetricKey: created.uniqueIdentifier,
    privateKey: pair.privateKeyUniqueIdentifier,
    publicKey: pair.publicKeyUniqueIdentifier,
    secretData: secret.uniqueIdentifier,
  }
}

const versionFor = (index: number): Version => supportedVersions[index % supportedVersions.length] ?? v1_4

const message = (version: Version, items: readonly BatchRequest[], header: Header = {}): Buffer =>
  encodeRequest({
    requestHeader: {
      protocolVersion: { protocolVersionMajor: majorOf(version), protocolVersionMinor: minorOf(version) },
      ...header,
      batchCount: items.length,
    },
    batchItem: items.map(({ operation, payload }, index) => ({
      operation: Operation[operation],
      ...(items.length > 1 ? { uniqueBatchItemId: Buffer.of(index) } : {}),
      requestPayload: payload ?? {},
    })),
  })

const mask = CryptographicUsageMask.Encrypt | CryptographicUsageMask.Decrypt

const createKey = (
  algorithm: keyof typeof CryptographicAlgorithm,
  bits: number,
  more: readonly Attribute[],
): RequestPayload<'Create'> => ({
  objectType: ObjectType.SymmetricKey,
  templateAttribute: {
    attribute: [
      attribute('Cryptographic Algorithm', CryptographicAlgorithm[algorithm]),
      attribute('Cryptographic Length', bits),
      attribute('Cryptographic Usage Mask', mask),
      ...more,
    ],
  },
})

const ecPair = (): RequestPayload<'CreateKeyPair'> => ({
  commonTemplateAttribute: {
    attribute: [
      attribute('Cryptographic Algorithm', CryptographicAlgorithm.ECDSA),
      attribute('Cryptographic Length', 256),
      attribute('Cryptographic Domain Parameters', { recommendedCurve: RecommendedCurve.P_256 }),
    ],
  },
  privateKeyTemplateAttribute: {
    attribute: [attribute('Cryptographic Usage Mask', CryptographicUsageMask.Sign)],
  },
  publicKeyTemplateAttribute: {
    attribute: [attribute('Cryptographic Usage Mask', CryptographicUsageMask.Verify)],
  },
})

const creations = (): readonly BatchRequest[] => [
  { operation: 'Create', payload: createKey('AES', 256, [nameAttribute('disk'), customAttribute('x-shelf', 'upper')]) },
  {
    operation: 'Create',
    payload: createKey('AES', 128, [
      attribute('Activation Date', 1_700_000_000),
      attribute('Object Group', 'group'),
      attribute('Contact Information', 'somebody'),
      attribute('Application Specific Information', {
        applicationNamespace: 'LIBRARY-LTO',
        applicationData: 'tape',
      }),
      customAttribute('x-number', { tag: Tag.AttributeValue, type: ItemType.Integer, value: 7 }),
    ]),
  },
  { operation: 'CreateKeyPair', payload: ecPair() },
]

const secretDataRequest = (more: readonly Attribute[]): RequestPayload<'Register'> => ({
  objectType: ObjectType.SecretData,
  templateAttribute: { attribute: [attribute('Cryptographic Usage Mask', mask), ...more] },
  secretData: {
    secretDataType: SecretDataType.Password,
    keyBlock: {
      keyFormatType: KeyFormatType.Opaque,
      keyValue: { keyMaterial: Buffer.from('pass word'), attribute: [] },
    },
  },
})

const keyBlock = (keyFormatType: number, keyMaterial: unknown, algorithm: number, bits: number) => ({
  keyBlock: {
    keyFormatType,
    keyValue: { keyMaterial, attribute: [] },
    cryptographicAlgorithm: algorithm,
    cryptographicLength: bits,
  },
})

const registrations = (certificatePem: string): readonly BatchRequest[] => {
  const { RSA, AES, ECDSA } = CryptographicAlgorithm
  const rsa = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'pkcs1', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  })
  const ec = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'sec1', format: 'der' },
  })
  const template = { attribute: [attribute('Cryptographic Usage Mask', mask)] }
  const one = (objectType: number, object: Partial<RequestPayload<'Register'>>): BatchRequest => ({
    operation: 'Register',
    payload: { objectType, templateAttribute: template, ...object },
  })
  return [
    one(ObjectType.SymmetricKey, { symmetricKey: keyBlock(KeyFormatType.Raw, Buffer.alloc(16, 1), AES, 128) }),
    one(ObjectType.SymmetricKey, {
      symmetricKey: keyBlock(KeyFormatType.TransparentSymmetricKey, { key: Buffer.alloc(32, 2) }, AES, 256),
    }),
    one(ObjectType.PublicKey, { publicKey: keyBlock(KeyFormatType.PKCS_1, rsa.publicKey, RSA, 2048) }),
    one(ObjectType.PrivateKey, { privateKey: keyBlock(KeyFormatType.PKCS_8, rsa.privateKey, RSA, 2048) }),
    one(ObjectType.PublicKey, { publicKey: keyBlock(KeyFormatType.X_509, ec.publicKey, ECDSA, 256) }),
    one(ObjectType.PrivateKey, { privateKey: keyBlock(KeyFormatType.ECPrivateKey, ec.privateKey, ECDSA, 256) }),
    one(ObjectType.PublicKey, {
      publicKey: keyBlock(
        KeyFormatType.TransparentRSAPublicKey,
        { modulus: (1n << 2047n) + 1n, publicExponent: 65_537n },
        RSA,
        2048,
      ),
    }),
    one(ObjectType.OpaqueObject, {
      opaqueObject: { opaqueDataType: 0x8000_0000, opaqueDataValue: Buffer.from('opaque') },
    }),
    one(ObjectType.Certificate, {
      certificate: {
        certificateType: CertificateType.X_509,
        certificateValue: new X509Certificate(certificatePem).raw,
      },
    }),
    one(ObjectType.Template, { template: { attribute: [attribute('Cryptographic Length', 256)] } }),
    { operation: 'Register', payload: secretDataRequest([attribute('Object Group', 'group')]) },
  ]
}

const questions = ({ symmetricKey, privateKey, publicKey, secretData }: Targets): readonly BatchRequest[] => [
  { operation: 'Get', payload: { uniqueIdentifier: symmetricKey } },
  {
    operation: 'Get',
    payload: { uniqueIdentifier: symmetricKey, keyFormatType: KeyFormatType.TransparentSymmetricKey },
  },
  { operation: 'Get', payload: { uniqueIdentifier: privateKey, keyFormatType: KeyFormatType.PKCS_8 } },
  { operation: 'Get', payload: { uniqueIdentifier: publicKey, keyFormatType: KeyFormatType.X_509 } },
  { operation: 'Get', payload: { uniqueIdentifier: secretData } },
  {
    operation: 'Get',
    payload: {
      uniqueIdentifier: symmetricKey,
      keyWrappingSpecification: {
        wrappingMethod: WrappingMethod.Encrypt,
        encryptionKeyInformation: { uniqueIdentifier: symmetricKey },
      },
    },
  },
  { operation: 'GetAttributes', payload: { uniqueIdentifier: symmetricKey, attributeName: ['Name', 'State', 'x-y'] } },
  { operation: 'GetAttributes', payload: { uniqueIdentifier: privateKey } },
  { operation: 'GetAttributeList', payload: { uniqueIdentifier: symmetricKey } },
  { operation: 'Locate', payload: { maximumItems: 3, attribute: [nameAttribute('disk')] } },
  {
    operation: 'Locate',
    payload: {
      maximumItems: 5,
      offsetItems: 1,
      attribute: [
        attribute('Object Type', ObjectType.SymmetricKey),
        attribute('Cryptographic Length', 256),
        attribute('Initial Date', 1_600_000_000),
        attribute('Initial Date', 2_000_000_000),
        customAttribute('x-shelf', 'upper'),
      ],
    },
  },
  {
    operation: 'Check',
    payload: { uniqueIdentifier: symmetricKey, cryptographicUsageMask: CryptographicUsageMask.Encrypt },
  },
  {
    operation: 'Query',
    payload: {
      queryFunction: [
        QueryFunction.QueryOperations,
        QueryFunction.QueryObjects,
        QueryFunction.QueryServerInformation,
        QueryFunction.QueryProfiles,
        QueryFunction.QueryCapabilities,
      ],
    },
  },
  {
    operation: 'DiscoverVersions',
    payload: { protocolVersion: [{ protocolVersionMajor: 1, protocolVersionMinor: 2 }] },
  },
]

const attributes = ({ symmetricKey: uniqueIdentifier }: Targets): readonly BatchRequest[] => [
  { operation: 'AddAttribute', payload: { uniqueIdentifier, attribute: customAttribute('x-y', 'there') } },
  { operation: 'AddAttribute', payload: { uniqueIdentifier, attribute: nameAttribute('another') } },
  { operation: 'ModifyAttribute', payload: { uniqueIdentifier, attribute: customAttribute('x-y', 'here', 0) } },
  { operation: 'DeleteAttribute', payload: { uniqueIdentifier, attributeName: 'x-y', attributeIndex: 0 } },
]

const lives = ({ secretData: uniqueIdentifier }: Targets): readonly BatchRequest[] => [
  { operation: 'Activate', payload: { uniqueIdentifier } },
  {
    operation: 'Revoke',
    payload: {
      uniqueIdentifier,
      revocationReason: { revocationReasonCode: RevocationReasonCode.KeyCompromise, revocationMessage: 'lost' },
      compromiseOccurrenceDate: 1_700_000_000,
    },
  },
  { operation: 'Destroy', payload: { uniqueIdentifier } },
]

/** Several items in a message: the ID Placeholder, each continuation option, a credential. */
const batches = (targets: Targets): readonly Buffer[] => {
  const chain: readonly BatchRequest[] = [
    { operation: 'Create', payload: createKey('AES', 256, []) },
    { operation: 'Activate' },
    { operation: 'Get' },
    {
      operation: 'Revoke',
      payload: { revocationReason: { revocationReasonCode: RevocationReasonCode.CessationOfOperation } },
    },
    { operation: 'Destroy' },
  ]
  const failing: readonly BatchRequest[] = [
    { operation: 'Create', payload: createKey('AES', 256, []) },
    { operation: 'Get', payload: { uniqueIdentifier: 'nowhere' } },
    { operation: 'GetAttributeList', payload: { uniqueIdentifier: targets.symmetricKey } },
  ]
  const options = Object.values(BatchErrorContinuationOption)
  return [
    message(v1_4, chain, { batchOrderOption: true }),
    ...options.map((option, index) =>
      message(versionFor(index), failing, { batchErrorContinuationOption: option, maximumResponseSize: 4096 }),
    ),
    message(v1_4, failing.slice(2), {
      clientCorrelationValue: 'fuzz',
      timeStamp: 1_700_000_000,
      authentication: {
        credential: [
          {
            credentialType: CredentialType.UsernameAndPassword,
            credentialValue: { username: 'kmip', password: 'not the password' },
          },
        ],
      },
    }),
  ]
}
