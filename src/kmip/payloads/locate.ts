/** Locate: payload shapes, request and response. KMIP 1.4 §4.9 */

import { attributeFilter, templateAttributeFilter } from '#kmip/attribute'
import { Tag } from '#kmip/tags'
import { v1_1, v1_3 } from '#kmip/versions'
import { enumerated } from '#kmip/vocabulary'
import { integer, many, optional, struct, textString } from '#ttlv/schema'

/**
 * Offset Items came with 1.3, but clients page with it in 1.0 too. The filter stands in Attributes; clients that put it
 * into a Template-Attribute are understood as well.
 */
export const request = struct({
  maximumItems: optional(Tag.MaximumItems, integer),
  offsetItems: optional(Tag.OffsetItems, integer, { since: v1_3, lenient: true }),
  storageStatusMask: optional(Tag.StorageStatusMask, integer),
  objectGroupMember: optional(Tag.ObjectGroupMember, enumerated('ObjectGroupMember'), { since: v1_1 }),
  attribute: many(Tag.Attribute, attributeFilter),
  templateAttribute: optional(Tag.TemplateAttribute, templateAttributeFilter),
})

/** Located Items came with 1.3 too; who pages with Offset Items before that is told it as well. */
export const response = struct({
  locatedItems: optional(Tag.LocatedItems, integer),
  uniqueIdentifier: many(Tag.UniqueIdentifier, textString),
})
