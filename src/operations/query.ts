/** Query: what the server can do, answered from the registry. KMIP 1.4 §4.25 */
import {
  ClientRegistrationMethod,
  DestroyAction,
  QueryFunction,
  RNGMode,
  ShreddingAlgorithm,
  UnwrapMode,
} from '#kmip/enums'
import { objectRows } from '#kmip/objects'
import { response } from '#kmip/payloads/query'
import { profilesOf } from '#kmip/profiles'
import { inVersion, type VersionRange } from '#kmip/row'
import type { CapabilityInformation, ExtensionInformation, ProfileInformation } from '#kmip/server-information'
import { Tag } from '#kmip/tags'
import { isEnumerationKnown, isStructureKnown } from '#objects/known-values'
import { serverRng } from '#objects/new-object'
import type { Codec } from '#ttlv/schema'
import { always, type Context, operation, type Policy } from './operation.ts'
import { serverOperations } from './server-requests.ts'

export const query = operation({
  name: 'Query',
  section: '4.25',
  reasons: [],
  repeatable: always,
  handle({ queryFunction }, context) {
    const asks = (wanted: number): boolean => queryFunction.includes(wanted)
    const { policy, objectTypes } = context.services
    const { assertions } = policy
    const has = (row: VersionRange): boolean => inVersion(row, context.version)
    /** What is told of one field: what its version knows of it. */
    const told = <T>(wanted: number, name: string, values: readonly T[]): readonly T[] =>
      asks(wanted) ? values.filter((value) => isKnown(name, value, context.version)) : []
    const information = asks(QueryFunction.QueryServerInformation)
    return {
      operation: asks(QueryFunction.QueryOperations) ? operationsOf(context) : [],
      objectType: asks(QueryFunction.QueryObjects)
        ? objectRows.filter((row) => has(row) && objectTypes.has(row.objectType)).map(({ objectType }) => objectType)
        : [],
      vendorIdentification: information ? policy.vendorIdentification : undefined,
      serverInformation: information ? { tag: Tag.ServerInformation, type: 1, value: [] } : undefined,
      applicationNamespace: [],
      extensionInformation: extensionsOf(policy, queryFunction),
      attestationType: told(QueryFunction.QueryAttestationTypes, 'attestationType', assertions.attestationType ?? []),
      rngParameters: told(QueryFunction.QueryRNGs, 'rngParameters', assertions.rngParameters ?? [serverRng]),
      profileInformation: told(QueryFunction.QueryProfiles, 'profileInformation', profileInformationOf(context)),
      validationInformation: told(
        QueryFunction.QueryValidations,
        'validationInformation',
        assertions.validationInformation ?? [],
      ),
      capabilityInformation: told(QueryFunction.QueryCapabilities, 'capabilityInformation', [capabilitiesOf(policy)]),
      // The first start makes a client with its certificate and registers it.
      clientRegistrationMethod: told(
        QueryFunction.QueryClientRegistrationMethods,
        'clientRegistrationMethod',
        assertions.clientRegistrationMethod ?? [ClientRegistrationMethod.ServerPreGenerated],
      ),
    }
  },
})

const isKnown = (name: string, value: unknown, version: number): boolean => {
  const field = response.fields[name]
  if (field?.codec === undefined) throw new TypeError(`Query's answer has no field ${name} of one form`)
  if (typeof value === 'number') return isEnumerationKnown(field.tag, value, version)
  return isStructureKnown(field.codec as Codec<unknown>, value, version)
}

/** Those that clients send, and those that the server sends: the latter are in every version (§5). */
const operationsOf = ({ services, version }: Context): readonly number[] => [
  ...services.operations.filter((row) => inVersion(row, version)).map(({ code }) => code),
  ...serverOperations,
]

/** The map stands above the list when both are asked. */
const extensionsOf = ({ assertions }: Policy, asked: readonly number[]): readonly ExtensionInformation[] => {
  const extensions = assertions.extensionInformation ?? []
  if (asked.includes(QueryFunction.QueryExtensionMap)) return extensions
  if (!asked.includes(QueryFunction.QueryExtensionList)) return []
  return extensions.map(({ extensionName }) => ({ extensionName }))
}

const profileInformationOf = ({ services, version }: Context): readonly ProfileInformation[] => {
  const { assertions, httpsServed } = services.policy
  const operations = new Set(services.operations.map(({ code }) => code))
  const own = () => profilesOf({ operations, https: httpsServed }, version).map((profileName) => ({ profileName }))
  return assertions.profileInformation ?? own()
}

const capabilitiesOf = (policy: Policy): CapabilityInformation => ({
  streamingCapability: policy.streaming === 'on',
  asynchronousCapability: policy.asynchronousOperations !== 'none',
  attestationCapability: false,
  batchUndoCapability: true,
  batchContinueCapability: true,
  unwrapMode: policy.wrapping.registeredWrapped === 'unwrap' ? UnwrapMode.Processed : UnwrapMode.NotProcessed,
  destroyAction: policy.hardDelete ? DestroyAction.Deleted : DestroyAction.KeyMaterialDeleted,
  shreddingAlgorithm: ShreddingAlgorithm.Unspecified,
  rngMode: RNGMode.SharedInstantiation,
  ...policy.assertions.capabilityInformation,
})
