/**
 * How records look in answers of the administration: the members that every resource has, and pages of lists. What it is:
 * pure functions. What it is not: the members of one kind of resource, which its command file names.
 *
 *     uri          kmipd:<domain>:<service>:<kind>:<id>
 *     account      kmipd:<domain>:admin:accounts:<domain>
 *     application  kmipd:kmipd:admin:apps:kmipd
 *     devAccount   kmipd:kmipd:admin:accounts:kmipd
 */
import * as Type from 'typebox'
import { AdministrationError } from '#identity/administration-error'
import type { Query, Store, Stored, Table, Term } from '#store/store'

/** When something was made and changed, in seconds since 1970. */
export interface Dated {
  readonly createdSeconds: number
  readonly updatedSeconds?: number
}

/** Schema of `stampsOf`. */
export const stampFields = {
  createdAt: Type.String({ format: 'date-time' }),
  updatedAt: Type.String({ format: 'date-time' }),
}

/** Schema of `resourceOf`: spread into a resource's schema. */
export const resourceFields = {
  id: Type.String(),
  uri: Type.String(),
  account: Type.String(),
  application: Type.String(),
  devAccount: Type.String(),
  ...stampFields,
}

/** A time in answers; seconds since 1970. */
export const timeText = (seconds: number): string => new Date(seconds * 1000).toISOString()

/** The time that stands for none, as the reference writes it. */
export const noTime = '0001-01-01T00:00:00Z'

/** A time that an administrator gives, in seconds since 1970. @throws AdministrationError `invalid` */
export const secondsOf = (name: string, text: string): number => {
  const milliseconds = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN
  if (Number.isNaN(milliseconds))
    throw new AdministrationError('invalid', `${name} is a time such as 2027-01-31T00:00:00Z`)
  return Math.floor(milliseconds / 1000)
}

/** The address of a resource within the server. */
export const uriOf = (domain: string, service: string, kind: string, id: string): string =>
  `kmipd:${domain}:${service}:${kind}:${id}`

/** `createdAt` and `updatedAt`. */
export const stampsOf = ({ createdSeconds, updatedSeconds }: Dated): { createdAt: string; updatedAt: string } => ({
  createdAt: timeText(createdSeconds),
  updatedAt: timeText(updatedSeconds ?? createdSeconds),
})

/**
 * The members that every resource has.
 * @param service what it belongs to: `admin`, `clientmgmt`, `kmip`, `ca`
 * @param kind of resource: `tokens`, `users`
 * @param named what stands at the end of its `uri` when that is not its identifier
 */
export const resourceOf = (
  domain: string,
  service: string,
  kind: string,
  id: string,
  dated: Dated,
  named: string = id,
) => ({
  id,
  uri: uriOf(domain, service, kind, named),
  account: uriOf(domain, 'admin', 'accounts', domain),
  application: uriOf('kmipd', 'admin', 'apps', 'kmipd'),
  devAccount: uriOf('kmipd', 'admin', 'accounts', 'kmipd'),
  ...stampsOf(dated),
})

/** A page of a list. */
export interface Page<R> {
  readonly skip: number
  readonly limit: number
  readonly total: number
  readonly resources: R[]
}

/** The records of a table that an index finds, a page of them as resources. */
export const pageOfTable = <T, R>(
  store: Store,
  table: Table<T>,
  all: readonly Term[],
  { skip, limit }: { readonly skip: number; readonly limit: number },
  resource: (stored: Stored<T>) => R,
): Page<R> => {
  const query: Query = { all, any: [], offset: skip, limit }
  const { keys, total } = store.find(table, query)
  const found = keys.map((key) => store.read(table, key)).filter((stored) => stored !== undefined)
  return { skip, limit, total, resources: found.map(resource) }
}

/** A page of a list that is whole in memory. */
export const pageOfList = <T, R>(
  list: readonly T[],
  { skip, limit }: { readonly skip: number; readonly limit: number },
  resource: (entry: T) => R,
): Page<R> => ({ skip, limit, total: list.length, resources: list.slice(skip, skip + limit).map(resource) })
