/**
 * What is measured: one row a scenario. What it is not: how it is measured (generator.ts) or how often (main.ts).
 */
import { attribute, nameAttribute } from '#client/attribute'
import { encodeRequest } from '#client/client'
import type { RequestPayload } from '#client/operation-methods'
import { CryptographicAlgorithm, CryptographicUsageMask, ObjectType, Operation, QueryFunction } from '#kmip/enums'
import type { PayloadName } from '#kmip/payloads/index'
import { majorOf, minorOf, type Version } from '#kmip/versions'

/** An object that was made before the measurement. */
export interface Preloaded {
  readonly uniqueIdentifier: string
  readonly name: string
}

/** One thing that is measured. */
export interface Scenario {
  readonly text: string
  readonly operation: PayloadName
  /** Whether the requests are about objects that must be there before. */
  readonly needsObjects: boolean
  /** The requests' payloads: one for each object, or one alone. */
  readonly payloads: (objects: readonly Preloaded[]) => readonly unknown[]
}

const alone = <Name extends PayloadName>(operation: Name, text: string, payload: RequestPayload<Name>): Scenario => ({
  text,
  operation,
  needsObjects: false,
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
  payloads: (objects) => objects.map(payload),
})

/** The attributes of every AES-256 key that a measurement makes. */
export const keyAttributes = [
  attribute('Cryptographic Algorithm', CryptographicAlgorithm.AES),
  attribute('Cryptographic Length', 256),
  attribute('Cryptographic Usage Mask', CryptographicUsageMask.Encrypt | CryptographicUsageMask.Decrypt),
]

/** Every scenario, by the name that `--operation` takes. */
export const scenarios = {
  'discover-versions': alone('DiscoverVersions', 'the smallest request that there is', {}),
  query: alone('Query', 'what the server can do: operations and object types', {
    queryFunction: [QueryFunction.QueryOperations, QueryFunction.QueryObjects],
  }),
  create: alone('Create', 'a new AES-256 key, durable when answered', {
    objectType: ObjectType.SymmetricKey,
    templateAttribute: { attribute: keyAttributes },
  }),
  get: perObject('Get', 'a key by its Unique Identifier, another each time', ({ uniqueIdentifier }) => ({
    uniqueIdentifier,
  })),
  locate: perObject('Locate', 'a key by its Name, another each time', ({ name }) => ({
    attribute: [nameAttribute(name)],
  })),
} as const satisfies Readonly<Record<string, Scenario>>
export type ScenarioName = keyof typeof scenarios

/** The names, in the order of the table. */
export const scenarioNames = Object.keys(scenarios) as readonly ScenarioName[]

/** The whole messages of a scenario. */
export const requestsOf = (scenario: Scenario, objects: readonly Preloaded[], version: Version): Uint8Array[] =>
  scenario.payloads(objects).map((requestPayload) =>
    encodeRequest({
      requestHeader: {
        protocolVersion: { protocolVersionMajor: majorOf(version), protocolVersionMinor: minorOf(version) },
        batchCount: 1,
      },
      batchItem: [{ operation: Operation[scenario.operation], requestPayload }],
    }),
  )
