/**
 * Who says to be whom in a request that proves it not. What it is: the registered client of a certificate, and the user whom a
 * credential names, for the trail of who tried. What it is not: a proof, or a decision (`session-identity.ts`).
 */
import { CredentialType } from '#kmip/enums'
import type { Store } from '#store/store'
import type { PresentedCredential } from './login.ts'
import { findClient, findUser, ownerName, parseUserName } from './principals.ts'

export interface Claimant {
  /** Identifier of the registered client, whatever its status. */
  readonly client?: string
  /** Full name of the user whom a credential names. Only one who is there: what else was typed may be a password in the wrong place. */
  readonly claimed?: string
}

/** @param fingerprint of the peer's certificate */
export function claimantOf(
  store: Store,
  fingerprint: string | undefined,
  credentials: readonly PresentedCredential[],
): Claimant {
  try {
    return readClaimant(store, fingerprint, credentials)
  } catch {
    // A record that cannot be read is why the request is refused, and is told there: the line is written without it.
    return {}
  }
}

function readClaimant(
  store: Store,
  fingerprint: string | undefined,
  credentials: readonly PresentedCredential[],
): Claimant {
  const client = fingerprint === undefined ? undefined : findClient(store, fingerprint)?.value
  // Nobody's certificate is refused before its credentials are looked at.
  if (client === undefined) return {}
  const [claimed] = credentials.flatMap((credential) => userNamedBy(store, credential, client.domain))
  return { client: client.clientId, ...(claimed === undefined ? {} : { claimed }) }
}

function userNamedBy(store: Store, credential: PresentedCredential, domain: string): readonly string[] {
  const { credentialType, credentialValue: value } = credential
  const { username }: { username?: unknown } = typeof value === 'object' && value !== null ? value : {}
  if (credentialType !== CredentialType.UsernameAndPassword || typeof username !== 'string') return []
  const name = parseUserName(username, domain)
  return name === undefined || findUser(store, name) === undefined ? [] : [ownerName(name)]
}
