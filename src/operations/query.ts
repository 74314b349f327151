/** Query: what the server can do, answered from the registry. KMIP 1.4 §4.25 */
import type { RngParameters } from '#kmip/attribute-values'
import {
  ClientRegistrationMethod,
  DestroyAction,
  QueryFunction,
  RNGAlgorithm,
  RNGMode,
  ShreddingAlgorithm,
  UnwrapMode,
} from '#kmip/enums'
import { objectRows } from '#kmip/objects'
import { profileNamed, profilesOf } from '#kmip/profiles'
import { inVersion, type VersionRange } from '#kmip/row'
import type { CapabilityInformation, ExtensionInformation } from '#kmip/server-information'
import { Tag } from '#kmip/tags'
import { serverRng } from '#objects/new-object'
import { type Context, operation, type Policy } from './operation.ts'
import { serverOperations } from './server-requests.ts'

export const query = operation({
  name: 'Query',
  section: '4.25',
  reasons: [],
  handle({ queryFunction }, context) {
    const asks = (wanted: number): boolean => queryFunction.includes(wanted)
    const { policy, objectTypes } = context.services
    const has = (row: VersionRange): boolean => inVersion(row, context.version)
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
      attestationType: [],
      rngParameters: asks(QueryFunction.QueryRNGs) ? [rngOf(policy)] : [],
      profileInformation: asks(QueryFunction.QueryProfiles) ? profileInformationOf(context) : [],
      validationInformation: [],
      capabilityInformation: asks(QueryFunction.QueryCapabilities) ? [capabilitiesOf(policy)] : [],
      // The first start makes a client with its certificate and registers it.
      clientRegistrationMethod: asks(QueryFunction.QueryClientRegistrationMethods)
        ? [ClientRegistrationMethod.ServerPreGenerated]
        : [],
    }
  },
})

/** Those that clients send, and those that the server sends: the latter are in every version (§5). */
const operationsOf = ({ services, version }: Context): readonly number[] => [
  ...services.operations.filter((row) => inVersion(row, version)).map(({ code }) => code),
  ...serverOperations,
]

/** The map stands above the list when both are asked. */
const extensionsOf = ({ extensions }: Policy, asked: readonly number[]): readonly ExtensionInformation[] => {
  if (asked.includes(QueryFunction.QueryExtensionMap)) return extensions
  if (!asked.includes(QueryFunction.QueryExtensionList)) return []
  return extensions.map(({ extensionName }) => ({ extensionName }))
}

const rngOf = ({ rngTold }: Policy): RngParameters => {
  if (rngTold === 'unspecified') return { rngAlgorithm: RNGAlgorithm.Unspecified }
  if (rngTold === 'full') return serverRng
  const { drbgAlgorithm: _untold, ...brief } = serverRng
  return brief
}

const profileInformationOf = ({ services, version }: Context): readonly { readonly profileName: number }[] => {
  const { profilesTold, httpsServed } = services.policy
  const operations = new Set(services.operations.map(({ code }) => code))
  const told = new Set(profilesTold.map(profileNamed))
  return profilesOf({ operations, https: httpsServed }, version)
    .filter((profileName) => told.size === 0 || told.has(profileName))
    .map((profileName) => ({ profileName }))
}

const capabilitiesOf = (policy: Policy): CapabilityInformation => ({
  streamingCapability: true,
  asynchronousCapability: policy.asynchronousOperations !== 'none',
  attestationCapability: false,
  batchUndoCapability: true,
  batchContinueCapability: true,
  unwrapMode: UnwrapMode.NotProcessed,
  destroyAction: policy.hardDelete ? DestroyAction.Deleted : DestroyAction.KeyMaterialDeleted,
  shreddingAlgorithm: ShreddingAlgorithm.Unspecified,
  rngMode: RNGMode.SharedInstantiation,
})
