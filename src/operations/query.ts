/** Query: what the server can do, answered from the registry. KMIP 1.4 §4.25 */
import { DestroyAction, QueryFunction, RNGMode, ShreddingAlgorithm, UnwrapMode } from '#kmip/enums'
import { objectRows } from '#kmip/objects'
import { Tag } from '#kmip/tags'
import { serverRng } from '#objects/new-object'
import { operation } from './operation.ts'

export const query = operation({
  name: 'Query',
  section: '4.25',
  reasons: [],
  handle({ queryFunction }, context) {
    const asks = (wanted: number): boolean => queryFunction.includes(wanted)
    const { operations, policy, objectTypes } = context.services
    const inVersion = (row: { readonly since: number; readonly until?: number }): boolean =>
      context.version >= row.since && context.version < (row.until ?? Number.MAX_SAFE_INTEGER)
    const information = asks(QueryFunction.QueryServerInformation)
    return {
      operation: asks(QueryFunction.QueryOperations) ? operations.filter(inVersion).map(({ code }) => code) : [],
      objectType: asks(QueryFunction.QueryObjects)
        ? objectRows
            .filter((row) => inVersion(row) && objectTypes.has(row.objectType))
            .map(({ objectType }) => objectType)
        : [],
      vendorIdentification: information ? policy.vendorIdentification : undefined,
      serverInformation: information ? { tag: Tag.ServerInformation, type: 1, value: [] } : undefined,
      applicationNamespace: [],
      extensionInformation: [],
      attestationType: [],
      rngParameters: asks(QueryFunction.QueryRNGs) ? [serverRng] : [],
      profileInformation: [],
      validationInformation: [],
      capabilityInformation: asks(QueryFunction.QueryCapabilities)
        ? [
            {
              streamingCapability: false,
              asynchronousCapability: false,
              attestationCapability: false,
              batchUndoCapability: true,
              batchContinueCapability: true,
              unwrapMode: UnwrapMode.NotProcessed,
              destroyAction: policy.hardDelete ? DestroyAction.Deleted : DestroyAction.KeyMaterialDeleted,
              shreddingAlgorithm: ShreddingAlgorithm.Unspecified,
              rngMode: RNGMode.SharedInstantiation,
            },
          ]
        : [],
      clientRegistrationMethod: [],
    }
  },
})
