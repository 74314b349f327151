/**
 * Credentials (KMIP 1.4 §2.1.2) and the header's Authentication (§6.6): shapes. What it is not: their verification
 * (identity/login.ts).
 */
import {
  anyItem,
  byteString,
  type Choose,
  type Codec,
  type Infer,
  many,
  one,
  optional,
  struct,
  textString,
} from '#ttlv/schema'
import { CredentialType } from './enums.ts'
import { Tag } from './tags.ts'
import { enumerated } from './vocabulary.ts'

/** Table 4 */
export const usernameAndPassword = struct({
  username: one(Tag.Username, textString),
  password: optional(Tag.Password, textString),
})
/** Table 5 */
export const device = struct({
  deviceSerialNumber: optional(Tag.DeviceSerialNumber, textString),
  password: optional(Tag.Password, textString),
  deviceIdentifier: optional(Tag.DeviceIdentifier, textString),
  networkIdentifier: optional(Tag.NetworkIdentifier, textString),
  machineIdentifier: optional(Tag.MachineIdentifier, textString),
  mediaIdentifier: optional(Tag.MediaIdentifier, textString),
})
/** §2.1.14 */
export const nonce = struct({ nonceId: one(Tag.NonceID, byteString), nonceValue: one(Tag.NonceValue, byteString) })
/** Table 6 */
export const attestation = struct({
  nonce: one(Tag.Nonce, nonce),
  attestationType: one(Tag.AttestationType, enumerated('AttestationType')),
  attestationMeasurement: optional(Tag.AttestationMeasurement, byteString),
  attestationAssertion: optional(Tag.AttestationAssertion, byteString),
})

const credentialValues: ReadonlyMap<number, Codec<unknown>> = new Map<number, Codec<unknown>>([
  [CredentialType.UsernameAndPassword, usernameAndPassword],
  [CredentialType.Device, device],
  [CredentialType.Attestation, attestation],
])

/** Credential Value by Credential Type; any item for a vendor's type. */
const credentialValue: Choose<unknown> = (parent) => credentialValues.get(Number(parent['credentialType'])) ?? anyItem

/** §2.1.2 */
export const credential = struct({
  credentialType: one(Tag.CredentialType, enumerated('CredentialType')),
  credentialValue: one(Tag.CredentialValue, credentialValue),
})
export type Credential = Infer<typeof credential>

/** §6.6; more than one Credential since 1.2. */
export const authentication = struct({ credential: many(Tag.Credential, credential) })
export type Authentication = Infer<typeof authentication>
