/**
 * What commands stand on. What it is: the type of what serve.ts hands to the administration interface. Rooms that the
 * administration must not know (listeners, the process's log) are ports here: an interface that serve.ts fills. What it is
 * not: the parts themselves.
 */
import type { Clock } from '#actor/clock'
import type { Entropy } from '#actor/entropy'
import type { BearerTokens } from '#identity/bearer-tokens'
import type { InterfaceActors } from '#identity/interfaces'
import type { Licence } from '#identity/licence'
import type { Login } from '#identity/login'
import type { KnowsUser } from '#identity/profiles'
import type { ManagedObject } from '#objects/managed-object'
import type { Store } from '#store/store'

/** Levels of the log, as they are told and as they may be said too. */
export const logLevels = { ERR: 'error', INF: 'info', DBG: 'debug' } as const

/** The log of the process. */
export interface LogControl {
  level(): keyof typeof logLevels
  setLevel(level: keyof typeof logLevels): void
  /** What is kept of it, the newest line last. */
  read(): Promise<string>
}

export interface AdminServices {
  readonly store: Store
  readonly clock: Clock
  readonly entropy: Entropy
  readonly login: Login
  /** Whether clients can be registered for a user: of the store, or of a connection's directory. */
  readonly knowsUser: KnowsUser
  readonly bearerTokens: BearerTokens
  /** The interfaces that run. */
  readonly interfaces: InterfaceActors
  readonly licence: Licence
  readonly logs: LogControl
  /** Told of changes of objects once they are durable: clients may have to hear of them. */
  readonly objectsChanged: (
    changes: readonly { readonly previous: ManagedObject | undefined; readonly value: ManagedObject | undefined }[],
  ) => void
}
