/**
 * Revocation: certificates that are good no longer before their time is over. What it is: revocation lists (CRLs, RFC 5280 §5)
 * of external authorities, which an administrator brings; revocation of certificates that a local authority issued, and the
 * list that it signs; and the mark that both leave on registered clients, which the session's check reads. What it is not:
 * the fetching of lists.
 */
import type { Table } from '#store/store'

/** The revocation list of an authority, as it was brought. Key of its record: the authority's identifier. */
export interface RevocationRecord {
  readonly domain: string
  /** DER. */
  readonly list: Uint8Array
  /** Seconds since 1970. */
  readonly thisUpdateSeconds: number
  /** Seconds since 1970; undefined: the list does not say when the next one comes. */
  readonly nextUpdateSeconds: number | undefined
  /** How many certificates it revokes. */
  readonly revokedCount: number
  /** Seconds since 1970. */
  readonly createdSeconds: number
  /** Seconds since 1970. */
  readonly updatedSeconds: number
}

export const revocationTable: Table<RevocationRecord> = {
  name: 'revocation-list',
  index: ({ domain }) => [{ field: 'domain', value: domain }],
  claims: () => [],
}
