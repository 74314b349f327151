/**
 * What is measured: one row a scenario. What it is not: how it is measured (generator.ts), how often (main.ts), or the
 * scripts of clients (profiles.ts).
 */
import { attribute, nameAttribute } from '#client/attribute'
import { encodeRequest } from '#client/client'
import type { RequestPayload } from '#client/operation-methods'
import type { Credential } from '#kmip/credential'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  DigitalSignatureAlgorithm,
  HashingAlgorithm,
  ObjectType,
  Operation,
  PaddingMethod,
  QueryFunction,
} from '#kmip/enums'
import type { PayloadName } from '#kmip/payloads/index'
import { majorOf, minorOf, type Version } from '#kmip/versions'

/** An object that was made before the measurement. */
export interface Preloaded {
  readonly uniqueIdentifier: string
  readonly name: string
}

/** Keys that operations compute with; made when a scenario asks for one, destroyed afterwards. */
export type KeyKind = 'aes' | 'hmac' | 'rsa' | 'p256'

/** What there is when requests are made. */
export interface Supplies {
  readonly objects: readonly Preloaded[]
  /** Identifiers of the keys that were asked for. */
  readonly keys: Readonly<Partial<Record<KeyKind, string>>>
  /** Bytes of data of one request. */
  readonly dataSize: number
}

/** One thing that is measured. */
export interface Scenario {
  readonly text: string
  readonly operation: PayloadName
  /** Whether the requests are about objects that must be there before. */
  readonly needsObjects: boolean
  /** Whether the first request about an object may change it, so that all are asked for once before anything is measured. */
  readonly changesAtFirst?: true
  readonly key?: KeyKind
  /** Whether the requests carry data, so that their size is a choice. */
  readonly hasData: boolean
  /** The requests' payloads: one for each object, or one alone. */
  readonly payloads: (supplies: Supplies) => readonly unknown[]
}

const alone = <Name extends PayloadName>(operation: Name, text: string, payload: RequestPayload<Name>): Scenario => ({
  text,
  operation,
  needsObjects: false,
  hasData: false,
  payloads: () => [payload],
})

const perObject = <Name extends PayloadName>(
  operation: Name,
  text: string,
  payload: (object: Preloaded) => RequestPayload<Name>,
): Scenario => ({
  text,
  operation,
  needsObjects: true,
  hasData: false,
  payloads: ({ objects }) => objects.map(payload),
})

const withKey = <Name extends PayloadName>(
  operation: Name,
  key: KeyKind,
  text: string,
  payload: (uniqueIdentifier: string, data: Uint8Array) => RequestPayload<Name>,
): Scenario => ({
  text,
  operation,
  key,
  needsObjects: false,
  hasData: true,
  payloads: ({ keys, dataSize }) => [payload(keys[key] ?? '', new Uint8Array(dataSize))],
})

/** The attributes of every AES-256 key that a measurement makes. */
export const keyAttributes = [
  attribute('Cryptographic Algorithm', CryptographicAlgorithm.AES),
  attribute('Cryptographic Length', 256),
  attribute('Cryptographic Usage Mask', CryptographicUsageMask.Encrypt | CryptographicUsageMask.Decrypt),
]

const signs = (
  key: 'rsa' | 'p256',
  text: string,
  cryptographicParameters: NonNullable<RequestPayload<'Sign'>['cryptographicParameters']>,
): Scenario =>
  withKey('Sign', key, text, (uniqueIdentifier, data) => ({ uniqueIdentifier, cryptographicParameters, data }))

/** Every scenario, by the name that `--operation` and `--mix` take. */
export const scenarios = {
  'discover-versions': alone('DiscoverVersions', 'the smallest request that there is', {}),
  query: alone('Query', 'what the server can do: operations and object types', {
    queryFunction: [QueryFunction.QueryOperations, QueryFunction.QueryObjects],
  }),
  create: alone('Create', 'a new AES-256 key, durable when answered', {
    objectType: ObjectType.SymmetricKey,
    templateAttribute: { attribute: keyAttributes },
  }),
  // The first Get of an object clears Fresh (KMIP 1.4 §3.34), which is a change of its own.
  get: {
    ...perObject('Get', 'a key by its Unique Identifier, another each time', ({ uniqueIdentifier }) => ({
      uniqueIdentifier,
    })),
    changesAtFirst: true,
  },
  'get-attributes': perObject(
    'GetAttributes',
    'all attributes of a key, another each time',
    ({ uniqueIdentifier }) => ({
      uniqueIdentifier,
    }),
  ),
  locate: perObject('Locate', 'a key by its Name, another each time', ({ name }) => ({
    attribute: [nameAttribute(name)],
  })),
  'encrypt-cbc': withKey('Encrypt', 'aes', 'Encrypt with AES-256-CBC, a random IV', (uniqueIdentifier, data) => ({
    uniqueIdentifier,
    cryptographicParameters: {
      blockCipherMode: BlockCipherMode.CBC,
      paddingMethod: PaddingMethod.PKCS5,
      cryptographicAlgorithm: CryptographicAlgorithm.AES,
      randomIv: true,
    },
    data,
  })),
  'encrypt-gcm': withKey('Encrypt', 'aes', 'Encrypt with AES-256-GCM, a random IV', (uniqueIdentifier, data) => ({
    uniqueIdentifier,
    cryptographicParameters: {
      blockCipherMode: BlockCipherMode.GCM,
      cryptographicAlgorithm: CryptographicAlgorithm.AES,
      randomIv: true,
    },
    data,
  })),
  mac: withKey('MAC', 'hmac', 'MAC with HMAC-SHA-256', (uniqueIdentifier, data) => ({
    uniqueIdentifier,
    cryptographicParameters: { cryptographicAlgorithm: CryptographicAlgorithm.HMAC_SHA256 },
    data,
  })),
  hash: {
    text: 'Hash with SHA-256',
    operation: 'Hash',
    needsObjects: false,
    hasData: true,
    payloads: ({ dataSize }: Supplies) => [
      {
        cryptographicParameters: { hashingAlgorithm: HashingAlgorithm.SHA_256 },
        data: new Uint8Array(dataSize),
      } satisfies RequestPayload<'Hash'>,
    ],
  },
  sign: signs('rsa', 'Sign with RSA-2048', {
    digitalSignatureAlgorithm: DigitalSignatureAlgorithm.SHA_256WithRSAEncryption,
    paddingMethod: PaddingMethod.PKCS1V1_5,
  }),
  'sign-p256': signs('p256', 'Sign with ECDSA on P-256', {
    digitalSignatureAlgorithm: DigitalSignatureAlgorithm.ECDSAWithSHA256,
  }),
} as const satisfies Readonly<Record<string, Scenario>>
export type ScenarioName = keyof typeof scenarios

/** The names, in the order of the table. */
export const scenarioNames = Object.keys(scenarios) as readonly ScenarioName[]

/** A row, with the optional parts of its type. */
export const scenarioOf = (name: ScenarioName): Scenario => scenarios[name]

/** What every request carries beside its payload. */
export interface RequestFrame {
  readonly version: Version
  readonly credentials?: readonly Credential[]
}

/** The header that a request in this frame has (KMIP 1.4 §7.2). */
export const requestHeader = ({ version, credentials }: RequestFrame, batchCount: number) => ({
  protocolVersion: { protocolVersionMajor: majorOf(version), protocolVersionMinor: minorOf(version) },
  ...(credentials === undefined ? {} : { authentication: { credential: credentials } }),
  batchCount,
})

/**
 * The whole messages of a scenario.
 * @param batch items of each; a scenario about objects asks for so many of them in one message
 */
export const requestsOf = (
  scenario: Pick<Scenario, 'operation' | 'payloads'>,
  supplies: Supplies,
  frame: RequestFrame,
  batch: number,
): Uint8Array[] => {
  const payloads = scenario.payloads(supplies)
  const operation = Operation[scenario.operation]
  const messages = Math.ceil(payloads.length / batch)
  return Array.from({ length: messages }, (_, message) =>
    encodeRequest({
      requestHeader: requestHeader(frame, batch),
      batchItem: Array.from({ length: batch }, (_item, index) => ({
        operation,
        ...(batch === 1 ? {} : { uniqueBatchItemId: batchItemId(index) }),
        requestPayload: payloads[(message * batch + index) % payloads.length],
      })),
    }),
  )
}

const batchItemId = (index: number): Buffer => {
  const id = Buffer.alloc(4)
  id.writeUInt32BE(index)
  return id
}
