/**
 * A store with the server's own CA and users, for tests of registration. What it is not: a server; nothing listens.
 */
import { SettableClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { adoptOwnAuthority, type IdentityContext } from '#identity/authorities'
import { createAuthority } from '#identity/authority'
import { certificateTable } from '#identity/bootstrap'
import { clientTable, rootDomain, type UserName, type UserRecord, userKey, userTable } from '#identity/principals'
import { newRecord } from '#identity/records'
import { registrationTables } from '#identity/registration-tables'
import { MemoryStore } from '#store/memory'

export const localUser = (user: string, domain = rootDomain): UserName => ({ domain, connection: 'local', user })

/** The record of a user without a password. */
export const userNamed = ({ domain, connection, user }: UserName, createdSeconds: number): UserRecord => ({
  id: `id of ${userKey({ domain, connection, user })}`,
  domain,
  connection,
  name: user,
  administrator: false,
  groups: [],
  createdSeconds,
  updatedSeconds: createdSeconds,
})

export interface Registry extends IdentityContext {
  readonly store: MemoryStore
  readonly clock: SettableClock
  /** Identifier of the server's own CA. */
  readonly authority: string
}

/** A store with the server's own CA and these users. */
export const registryWith = async (...users: readonly UserName[]): Promise<Registry> => {
  const clock = new SettableClock()
  const now = clock.nowSeconds()
  const store = new MemoryStore([userTable, clientTable, certificateTable, ...registrationTables])
  const own = { ...createAuthority({ CN: 'kmipd CA' }, now, systemEntropy), names: [] }
  await store.commit([
    newRecord(certificateTable.name, 'authority', own),
    ...users.map((user) => newRecord(userTable.name, userKey(user), userNamed(user, now))),
  ])
  return { store, clock, entropy: systemEntropy, authority: await adoptOwnAuthority(store, clock) }
}
