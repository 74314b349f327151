/** Query: what the server can do, answered from the registry. KMIP 1.4 §4.25 */
import { DestroyAction, QueryFunction, RNGMode, ShreddingAlgorithm, UnwrapMode } from '#kmip/enums'
import { objectRows } from '#kmip/objects'
import { inVersion, type VersionRange } from '#kmip/row'
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
    const has = (row: VersionRange): boolean => inVersion(row, context.version)
    const information = asks(QueryFunction.QueryServerInformation)
    return {
      operation: asks(QueryFunction.QueryOperations) ? operations.filter(has).map(({ code }) => code) : [],
      objectType: asks(QueryFunction.QueryObjects)
        ? objectRows.filter((row) => has(row) && objectTypes.has(row.objectType)).map(({ objectType }) => objectType)
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
