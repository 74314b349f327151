/**
 * Payload shapes by operation: one line an operation. What it is: the table that message.ts and the client read. What it
 * is not: behaviour (operations/).
 */

import { Operation } from '#kmip/enums'
import type { Codec } from '#ttlv/schema'
import * as activate from './activate.ts'
import * as addAttribute from './add-attribute.ts'
import * as check from './check.ts'
import * as create from './create.ts'
import * as createKeyPair from './create-key-pair.ts'
import * as deleteAttribute from './delete-attribute.ts'
import * as destroy from './destroy.ts'
import * as discoverVersions from './discover-versions.ts'
import * as get from './get.ts'
import * as getAttributeList from './get-attribute-list.ts'
import * as getAttributes from './get-attributes.ts'
import * as locate from './locate.ts'
import * as modifyAttribute from './modify-attribute.ts'
import * as query from './query.ts'
import * as register from './register.ts'
import * as revoke from './revoke.ts'

/** Payload shapes, by the operation's name in XML (the client's methods carry the same names in camel case). */
export const payloads = {
  Activate: activate,
  AddAttribute: addAttribute,
  Check: check,
  Create: create,
  CreateKeyPair: createKeyPair,
  DeleteAttribute: deleteAttribute,
  Destroy: destroy,
  DiscoverVersions: discoverVersions,
  Get: get,
  GetAttributeList: getAttributeList,
  GetAttributes: getAttributes,
  Locate: locate,
  ModifyAttribute: modifyAttribute,
  Query: query,
  Register: register,
  Revoke: revoke,
} as const

/** Names of the operations whose payloads are declared. */
export type PayloadName = keyof typeof payloads

/** A payload's two shapes. */
export interface PayloadCodecs {
  readonly request: Codec<unknown>
  readonly response: Codec<unknown>
}

const byOperation = new Map<number, PayloadCodecs>(
  Object.entries(payloads).map(([name, codecs]) => [
    Operation[name as PayloadName],
    codecs as unknown as PayloadCodecs,
  ]),
)

/** The payload shapes of an operation, or undefined for one that is not declared. */
export const payloadCodecs = (operation: number): PayloadCodecs | undefined => byOperation.get(operation)
