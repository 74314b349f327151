/**
 * Payload shapes by operation: one line an operation. What it is: the table that message.ts and the client read. What it
 * is not: behaviour (operations/).
 */

import { Operation } from '#kmip/enums'
import type { Codec } from '#ttlv/schema'
import * as activate from './activate.ts'
import * as addAttribute from './add-attribute.ts'
import * as archive from './archive.ts'
import * as cancel from './cancel.ts'
import * as certify from './certify.ts'
import * as check from './check.ts'
import * as create from './create.ts'
import * as createKeyPair from './create-key-pair.ts'
import * as createSplitKey from './create-split-key.ts'
import * as decrypt from './decrypt.ts'
import * as deleteAttribute from './delete-attribute.ts'
import * as deriveKey from './derive-key.ts'
import * as destroy from './destroy.ts'
import * as discoverVersions from './discover-versions.ts'
import * as encrypt from './encrypt.ts'
import * as exportObject from './export.ts'
import * as get from './get.ts'
import * as getAttributeList from './get-attribute-list.ts'
import * as getAttributes from './get-attributes.ts'
import * as getUsageAllocation from './get-usage-allocation.ts'
import * as hash from './hash.ts'
import * as importObject from './import.ts'
import * as joinSplitKey from './join-split-key.ts'
import * as locate from './locate.ts'
import * as mac from './mac.ts'
import * as macVerify from './mac-verify.ts'
import * as modifyAttribute from './modify-attribute.ts'
import * as notify from './notify.ts'
import * as obtainLease from './obtain-lease.ts'
import * as poll from './poll.ts'
import * as put from './put.ts'
import * as query from './query.ts'
import * as reCertify from './re-certify.ts'
import * as reKey from './re-key.ts'
import * as reKeyKeyPair from './re-key-key-pair.ts'
import * as recover from './recover.ts'
import * as register from './register.ts'
import * as revoke from './revoke.ts'
import * as rngRetrieve from './rng-retrieve.ts'
import * as rngSeed from './rng-seed.ts'
import * as sign from './sign.ts'
import * as signatureVerify from './signature-verify.ts'
import * as validate from './validate.ts'

/** Payload shapes, by the operation's name in XML (the client's methods carry the same names in camel case). */
export const payloads = {
  Activate: activate,
  AddAttribute: addAttribute,
  Archive: archive,
  Cancel: cancel,
  Certify: certify,
  Check: check,
  Create: create,
  CreateKeyPair: createKeyPair,
  CreateSplitKey: createSplitKey,
  Decrypt: decrypt,
  DeleteAttribute: deleteAttribute,
  DeriveKey: deriveKey,
  Destroy: destroy,
  DiscoverVersions: discoverVersions,
  Encrypt: encrypt,
  Export: exportObject,
  Get: get,
  GetAttributeList: getAttributeList,
  GetAttributes: getAttributes,
  GetUsageAllocation: getUsageAllocation,
  Hash: hash,
  Import: importObject,
  JoinSplitKey: joinSplitKey,
  Locate: locate,
  MAC: mac,
  MACVerify: macVerify,
  ModifyAttribute: modifyAttribute,
  Notify: notify,
  ObtainLease: obtainLease,
  Poll: poll,
  Put: put,
  Query: query,
  ReCertify: reCertify,
  Recover: recover,
  Register: register,
  ReKey: reKey,
  ReKeyKeyPair: reKeyKeyPair,
  Revoke: revoke,
  RNGRetrieve: rngRetrieve,
  RNGSeed: rngSeed,
  Sign: sign,
  SignatureVerify: signatureVerify,
  Validate: validate,
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
