/**
 * What is kept of certificate authorities: the records. What it is: the tables of authorities, of the certificates that local
 * ones have issued, and of revocation lists. What it is not: what is done with them (`authorities.ts`, `revocation.ts`).
 *
 *   authority/<id>                   id: a UUID made of the certificate's SHA-256, so that one certificate is one authority
 *   issued-certificate/<fingerprint> what it is for, and since when it is revoked
 *   revocation-list/<id>             of an external authority
 */
import { createHash } from 'node:crypto'
import type { Table } from '#store/store'
import { parseCertificate } from './certificates.ts'

/** An authority. Key of its record: `authorityId` of its certificate. */
export interface AuthorityRecord {
  readonly kind: 'local' | 'external'
  /** Whose it is. What it vouches for belongs to users of this domain, and, of the root domain's, to those of any. */
  readonly domain: string
  /** What administrators call it; one of its kind and domain has it. */
  readonly name: string
  /** DER. */
  readonly certificate: Uint8Array
  /** PKCS#8 DER, of local ones. A secret. */
  readonly privateKey?: Uint8Array
  /** The one that signed the server's own certificate and the first client's: it cannot be removed. */
  readonly builtIn: boolean
  /** Seconds since 1970. */
  readonly createdSeconds: number
  /** Seconds since 1970. */
  readonly updatedSeconds: number
}

/** A certificate that a local authority has issued. Key of its record: the certificate's fingerprint. */
export interface IssuedRecord {
  readonly authorityId: string
  readonly domain: string
  readonly certificate: Uint8Array
  readonly serialHex: string
  readonly purpose: 'client' | 'server'
  /** Seconds since 1970. */
  readonly createdSeconds: number
  /** Seconds since 1970; absent: not revoked. */
  readonly revokedSeconds?: number
  /** Reason code of RFC 5280 §5.3.1. */
  readonly revocationReason?: number
}

export const authorityTable: Table<AuthorityRecord> = {
  name: 'authority',
  index: ({ kind, domain, name, certificate }) => [
    { field: 'domain', value: domain },
    { field: 'kind', value: kind },
    { field: 'name', value: name },
    { field: 'subject', value: nameDigest(parseCertificate(certificate).subject.der) },
  ],
  claims: ({ kind, domain, name }) => [{ field: 'name', value: `${kind}|${domain}|${name}` }],
}

export const issuedTable: Table<IssuedRecord> = {
  name: 'issued-certificate',
  index: ({ authorityId, domain, serialHex, purpose, revokedSeconds }) => [
    { field: 'authority', value: authorityId },
    { field: 'domain', value: domain },
    { field: 'serial', value: serialHex },
    { field: 'purpose', value: purpose },
    ...(revokedSeconds === undefined ? [] : [{ field: 'revoked', value: authorityId }]),
  ],
  claims: ({ authorityId, serialHex }) => [{ field: 'serial', value: `${authorityId}|${serialHex}` }],
}

/** The revocation list of an external authority, as it was brought. Key of its record: the authority's identifier. */
export interface RevocationRecord {
  readonly domain: string
  /** DER. */
  readonly list: Uint8Array
  /** Seconds since 1970. */
  readonly thisUpdateSeconds: number
  /** Seconds since 1970; undefined: the list does not say when the next one comes. */
  readonly nextUpdateSeconds: number | undefined
  /** Serial numbers of the certificates that it revokes, lower-case hexadecimal. */
  readonly serials: readonly string[]
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

/** What stands for a distinguished name in an index: names may be longer than a key. */
export function nameDigest(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex')
}
