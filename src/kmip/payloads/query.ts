/** Query: payload shapes, request and response. KMIP 1.4 §4.25 */

import { rngParameters } from '#kmip/attribute-values'
import {
  capabilityInformation,
  extensionInformation,
  profileInformation,
  validationInformation,
} from '#kmip/server-information'
import { Tag } from '#kmip/tags'
import { v1_1, v1_2, v1_3 } from '#kmip/versions'
import { enumerated } from '#kmip/vocabulary'
import { anyItem, many, optional, struct, textString } from '#ttlv/schema'

export const request = struct({ queryFunction: many(Tag.QueryFunction, enumerated('QueryFunction')) })

export const response = struct({
  operation: many(Tag.Operation, enumerated('Operation')),
  objectType: many(Tag.ObjectType, enumerated('ObjectType')),
  vendorIdentification: optional(Tag.VendorIdentification, textString),
  serverInformation: optional(Tag.ServerInformation, anyItem),
  applicationNamespace: many(Tag.ApplicationNamespace, textString),
  extensionInformation: many(Tag.ExtensionInformation, extensionInformation, { since: v1_1 }),
  attestationType: many(Tag.AttestationType, enumerated('AttestationType'), { since: v1_2 }),
  rngParameters: many(Tag.RNGParameters, rngParameters, { since: v1_3 }),
  profileInformation: many(Tag.ProfileInformation, profileInformation, { since: v1_3 }),
  validationInformation: many(Tag.ValidationInformation, validationInformation, { since: v1_3 }),
  capabilityInformation: many(Tag.CapabilityInformation, capabilityInformation, { since: v1_3 }),
  clientRegistrationMethod: many(Tag.ClientRegistrationMethod, enumerated('ClientRegistrationMethod'), { since: v1_3 }),
})
