/**
 * The one place that decides who may do what to an object. What it is: pure functions of a principal and an object; every
 * operation passes through `permits`, and Locate through `accessTerms`, which must agree. What it is not: a lookup of users,
 * or of objects. What is not allowed here is refused.
 *
 * The rules: an object's owner may do all; all may do all to an object of `global`; a permission may be granted to others
 * by name, user or group, on the object. Domains are walls: nothing crosses them. An administrator administers the server; that opens no
 * object, so that who runs the server and who uses the keys can be two people.
 */

import { globalOwner, type Permission, type Principal, rootDomain } from './principals.ts'

/** What of an object decides about access to it. */
export interface Guarded {
  /** `local|kmip`, or `global`; in another domain than root with the domain in front (`ownerOf`). */
  readonly owner: string
  /** By permission, the names to which it is granted. */
  readonly permissions?: Readonly<Partial<Record<Permission, readonly string[]>>>
}

/** The name of the index field that `accessEntries` fill and `accessTerms` ask for. */
export const accessField = 'access'

/** Whether the principal may do this to the object. */
export function permits(principal: Principal, object: Guarded, permission: Permission): boolean {
  if (object.owner === principal.user || object.owner === globalOf(principal.domain)) return true
  const { permissions } = object
  if (permissions === undefined || !Object.hasOwn(permissions, permission)) return false
  const names = accessTerms(principal)
  return permissions[permission]?.some((name) => names.includes(name)) ?? false
}

/**
 * The values of the index field `access` of which an object needs one for the principal to see it. Never empty. They are
 * the principal's names: its user's, everybody's of its domain, and its groups'.
 */
export function accessTerms(principal: Principal): readonly [string, ...string[]] {
  const { domain, user, groups } = principal
  return [user, globalOf(domain), ...groups.map((group) => groupName(domain, group))]
}

/** The values of the index field `access` of an object: its owner, and everybody who may read it, and so see that it is there. */
export function accessEntries({ owner, permissions }: Guarded): string[] {
  return [...new Set([owner, ...(permissions?.read ?? [])])]
}

/** The owner of nobody's objects in a domain: `global`, or `domain||global` outside the root domain. */
export function globalOf(domain: string): string {
  return domain === rootDomain ? globalOwner : `${domain}||${globalOwner}`
}

/**
 * A group as one to whom something is granted: `group:staff`, or `domain||group:staff` outside the root domain. No user's
 * name is like it: those have a `|` that is not doubled, and names of groups have none.
 */
export function groupName(domain: string, group: string): string {
  return domain === rootDomain ? `group:${group}` : `${domain}||group:${group}`
}

/** The owner of what the principal makes. */
export function ownerOf(principal: Principal): string {
  return principal.user
}
