/**
 * What real clients send, as scripts: each session goes through the steps in order, over and over. What it is: one row a kind
 * of appliance, its messages in the order in which such clients were seen to send them. What it is not: a test of what they
 * expect (test/interop), or their pauses: a session sends its next message when it is answered.
 */
import { attribute, customAttribute, nameAttribute } from '#client/attribute'
import type { BatchRequest, Input } from '#client/operation-methods'
import type { Attribute } from '#kmip/attribute'
import {
  CryptographicAlgorithm,
  CryptographicUsageMask,
  KeyFormatType,
  ObjectType,
  Operation,
  QueryFunction,
  RevocationReasonCode,
  SecretDataType,
} from '#kmip/enums'
import type { RequestMessage } from '#kmip/message'
import { type RequestFrame, requestHeader, type ScenarioName } from './index.ts'

/** One message of a script: of a scenario's requests in turn, or made of these items. */
export type ProfileStep =
  | { readonly name: string; readonly scenario: ScenarioName }
  | { readonly name: string; readonly items: readonly BatchRequest[] }

/** A kind of appliance. */
export interface Profile {
  readonly text: string
  readonly steps: readonly ProfileStep[]
}

const aes = (mask: number): Attribute[] => [
  attribute('Cryptographic Algorithm', CryptographicAlgorithm.AES),
  attribute('Cryptographic Length', 256),
  attribute('Cryptographic Usage Mask', mask),
]
const encrypts = CryptographicUsageMask.Encrypt | CryptographicUsageMask.Decrypt
const uniqueIdentifier = '{id}'
const named = nameAttribute('{name}')

const create = (attributes: readonly Attribute[]): BatchRequest => ({
  operation: 'Create',
  payload: { objectType: ObjectType.SymmetricKey, templateAttribute: { attribute: attributes } },
})
const locateNamed: BatchRequest = { operation: 'Locate', payload: { maximumItems: 1, attribute: [named] } }
const getAttributes = (...attributeName: readonly string[]): BatchRequest => ({
  operation: 'GetAttributes',
  payload: { uniqueIdentifier, attributeName },
})
const destroy: BatchRequest = { operation: 'Destroy', payload: { uniqueIdentifier } }
const revoke: BatchRequest = {
  operation: 'Revoke',
  payload: {
    uniqueIdentifier,
    revocationReason: { revocationReasonCode: RevocationReasonCode.CessationOfOperation },
  },
}
const activate: BatchRequest = { operation: 'Activate', payload: { uniqueIdentifier } }
const get: BatchRequest = { operation: 'Get', payload: { uniqueIdentifier } }
const query = (...queryFunction: readonly QueryFunction[]): BatchRequest => ({
  operation: 'Query',
  payload: { queryFunction },
})
/** The identifier that the item before gave, within one message: the ID Placeholder (KMIP 1.4 §4). */
const getPlaced: BatchRequest = { operation: 'Get', payload: {} }

const passphrase: BatchRequest = {
  operation: 'Register',
  payload: {
    objectType: ObjectType.SecretData,
    templateAttribute: {
      attribute: [
        attribute('Cryptographic Usage Mask', CryptographicUsageMask.Verify),
        attribute('Object Group', '{name}'),
        customAttribute('x-CustomAttribute1', 'array'),
        customAttribute('x-CustomAttribute2', 'drive'),
        named,
      ],
    },
    secretData: {
      secretDataType: SecretDataType.Password,
      keyBlock: { keyFormatType: KeyFormatType.Opaque, keyValue: { keyMaterial: new Uint8Array(32) } },
    },
  },
}

const step = (name: string, ...items: readonly BatchRequest[]): ProfileStep => ({ name, items })

/** Every profile, by the name that `--profile` takes. */
export const profiles = {
  'storage-array': {
    text: "self-encrypting drives: register a drive's password, find it by its group, look at it, fetch it, drop it",
    steps: [
      step('query', query(QueryFunction.QueryOperations, QueryFunction.QueryObjects)),
      step('locate-none', locateNamed),
      step('register', passphrase),
      step('locate-group', {
        operation: 'Locate',
        payload: { attribute: [attribute('Object Group', '{name}')] },
      }),
      step('get-attribute-1', getAttributes('x-CustomAttribute1')),
      step('get-attribute-2', getAttributes('x-CustomAttribute2')),
      step('get', get),
      step('destroy', destroy),
    ],
  },
  'tape-library': {
    text: 'a library that writes and reads cartridges: Create with Get, then Locate with Get, each as one message',
    steps: [
      step('query', query(QueryFunction.QueryOperations, QueryFunction.QueryObjects)),
      step(
        'create-get',
        create([
          ...aes(encrypts),
          attribute('Application Specific Information', {
            applicationNamespace: 'LIBRARY-LTO',
            applicationData: '{name}',
          }),
          customAttribute('x-Barcode', '{name}'),
          named,
        ]),
        getPlaced,
      ),
      step(
        'locate-get',
        {
          operation: 'Locate',
          payload: {
            attribute: [
              attribute('Application Specific Information', {
                applicationNamespace: 'LIBRARY-LTO',
                applicationData: '{name}',
              }),
            ],
          },
        },
        getPlaced,
      ),
      step('get-attributes', getAttributes()),
      step('destroy', destroy),
    ],
  },
  'boot-storm': {
    text: 'hosts of a hypervisor after a power cut: each asks for the versions and fetches its two keys',
    steps: [
      step('discover-versions', { operation: 'DiscoverVersions', payload: {} }),
      { name: 'get', scenario: 'get' },
      { name: 'get-host-key', scenario: 'get' },
    ],
  },
  hypervisor: {
    text: 'a hypervisor that makes a key: Create, Get Attributes, three attributes in one message, Get, Activate, and its end',
    steps: [
      step('discover-versions', { operation: 'DiscoverVersions', payload: {} }),
      step('create', create(aes(encrypts))),
      step('get-attributes', getAttributes('State', 'x-Product_Version')),
      step(
        'add-attributes',
        ...['x-Product_Version', 'x-Vendor', 'x-Product'].map(
          (name): BatchRequest => ({
            operation: 'AddAttribute',
            payload: { uniqueIdentifier, attribute: customAttribute(name, 'bench') },
          }),
        ),
      ),
      step('get', get),
      step('activate', activate),
      step('revoke', revoke),
      step('destroy', destroy),
    ],
  },
} as const satisfies Readonly<Record<string, Profile>>
export type ProfileName = keyof typeof profiles

/** The names, in the order of the table. */
export const profileNames = Object.keys(profiles) as readonly ProfileName[]

/** A row, with the optional parts of its type. */
export const profileOf = (name: ProfileName): Profile => profiles[name]

/** A script's own message, with its gaps. */
export const templateOf = (items: readonly BatchRequest[], frame: RequestFrame): Input<RequestMessage> => ({
  requestHeader: {
    ...requestHeader(frame, items.length),
    ...(items.length === 1 ? {} : { batchOrderOption: true }),
  },
  batchItem: items.map(({ operation, payload }, index) => ({
    operation: Operation[operation],
    ...(items.length === 1 ? {} : { uniqueBatchItemId: Uint8Array.of(index) }),
    requestPayload: payload ?? {},
  })),
})
