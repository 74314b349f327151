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

/** What a backup says of itself. */
export interface BackupManifest {
  readonly takenAt: string
  readonly transaction: number
  readonly schema: number
  readonly rootKey: string
  readonly objects: number
  readonly records: Record<string, number>
  readonly storeSha256: string
}

/** What a look through a store has found. */
export interface StoreHealth {
  readonly schema: number
  readonly transaction: number
  readonly objects: number
  readonly records: Record<string, number>
  /** What is wrong, the first of it. */
  readonly faults: readonly string[]
  readonly faultsTotal: number
}

/** How it stands with the root key. */
export interface RootKeyState {
  readonly source: 'file' | 'key' | 'passphrase'
  readonly from: string
  readonly rootKey: string
  readonly next: string | undefined
}

/** A root key in hexadecimal digits, a passphrase, or neither. */
export interface NextRootKey {
  readonly key: string | undefined
  readonly passphrase: string | undefined
}

/** The data of the server as operators see it. All of it throws AdministrationError. */
export interface Upkeep {
  /** @param path of the file; a name of its own when it is not given */
  backup(path: string | undefined): Promise<BackupManifest & { readonly path: string; readonly bytes: number }>
  verify(
    path: string,
    root: NextRootKey,
  ): Promise<{ readonly manifest: BackupManifest; readonly faults: readonly string[] }>
  check(): Promise<StoreHealth>
  rootKey(): RootKeyState
  rotateRootKey(next: NextRootKey): Promise<RootKeyState>
  finishRootKey(): Promise<RootKeyState>
}

/** What a look through the audit trail has found. */
export interface AuditState {
  readonly intact: boolean
  readonly files: number
  readonly lines: number
  readonly first: number
  readonly last: number
  readonly mended: number
  readonly breaks: readonly { readonly file: string; readonly what: string }[]
}

/** The audit trail. */
export interface AuditControl {
  /** @throws AdministrationError when there is none */
  verify(): Promise<AuditState>
}

export interface AdminServices {
  readonly upkeep: Upkeep
  readonly audit: AuditControl
  readonly store: Store
  readonly clock: Clock
  readonly entropy: Entropy
  readonly passwordLengthMin: number
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
