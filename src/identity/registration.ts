/**
 * Registration of client certificates. What it is: binding a certificate to a user, undoing it, and finding the user name
 * in a certificate. What it is not: the trust in a certificate (that is the TLS listener's CA list), or the session's check
 * (`identify`).
 */

import type { Clock } from '#actor/clock'
import { type Entropy, uniqueIdentifier } from '#actor/entropy'
import type { Store, Stored } from '#store/store'
import { type DistinguishedName, nameField, parseCertificate } from './certificates.ts'
import {
  type CertificateUserField,
  type ClientRecord,
  clientTable,
  findClient,
  findUser,
  isNamePart,
  type UserName,
  userKey,
} from './principals.ts'
import { newRecord, removeRecord } from './records.ts'

export { newRecord } from './records.ts'

/** A registration that cannot be done; the text says why, for an administrator. */
export class RegistrationError extends Error {
  override readonly name = 'RegistrationError'
}

/** What a registration needs to know. */
export interface Registration {
  /** DER. */
  readonly certificate: Uint8Array
  /** The user that the client acts as; must exist, in the client's domain. */
  readonly user: UserName
  /** What administrators call the client; no other client of the domain has it. */
  readonly name: string
}

export interface RegistrationContext {
  readonly store: Store
  readonly clock: Clock
  readonly entropy: Entropy
}

/** The user name that a subject holds in this field, to be read by `parseUserName`; undefined when there is none. */
export function certificateUserName(subject: DistinguishedName, field: CertificateUserField): string | undefined {
  if (field !== 'E_ND') return nameField(subject, field)
  return nameField(subject, 'E')?.split('@')[0]
}

/** The record of a new client, not yet stored. For callers that store it together with other records. */
export function clientRecord(registration: Registration, context: Omit<RegistrationContext, 'store'>): ClientRecord {
  const { certificate, user, name } = registration
  if (!isNamePart(name)) throw new RegistrationError('a client name has 1 to 255 characters, without | and controls')
  const { notBeforeSeconds, notAfterSeconds } = parseCertificate(certificate)
  return {
    clientId: uniqueIdentifier(context.clock, context.entropy),
    domain: user.domain,
    name,
    userKey: userKey(user),
    status: 'active',
    certificate: Uint8Array.from(certificate),
    notBeforeSeconds,
    notAfterSeconds,
    createdSeconds: context.clock.nowSeconds(),
  }
}

/**
 * Registers a client certificate for a user. Resolves after the disk has it.
 * @throws RegistrationError when the user is missing, or the certificate or the name is registered already.
 * @throws CertificateError when the certificate cannot be read.
 * @throws StoreUnavailable
 */
export async function registerClient(
  registration: Registration,
  context: RegistrationContext,
): Promise<Stored<ClientRecord>> {
  const { store } = context
  const value = clientRecord(registration, context)
  const key = parseCertificate(registration.certificate).fingerprint
  const owner = findUser(store, registration.user)
  if (owner === undefined) throw new RegistrationError(`there is no user ${userKey(registration.user)}`)
  const result = await store.commit([newRecord(clientTable.name, key, value)])
  if (result.done) return { key, revision: findClient(store, key)?.revision ?? 1, value }
  throw new RegistrationError(
    findClient(store, key) === undefined
      ? `another client is called ${JSON.stringify(registration.name)}`
      : 'this certificate is registered already',
  )
}

/**
 * Removes a registration; sessions that are open are the connection actors' matter. Resolves after the disk has it.
 * @param fingerprint lower-case hexadecimal.
 * @returns false when there was none.
 * @throws StoreUnavailable
 */
export async function removeClient(fingerprint: string, store: Store): Promise<boolean> {
  return removeRecord(store, clientTable, fingerprint)
}
