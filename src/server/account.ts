/**
 * Account of a message: what the dispatcher tells, on its way, to those who audit, count and trace. What it is: the interface
 * between them. What it is not: any of the three (`accounting.ts`).
 *
 *     open ─▶ decided ── the changes become durable, at the same time as the account ──▶ settled ─▶ the answer leaves
 *       │        └─ decided again, when another client was faster: what was told before is withdrawn
 *       └─▶ refused
 */
import type { Principal } from '#identity/principals'
import type { RequestMessage, ResponseBatchItem } from '#kmip/message'
import type { Version } from '#kmip/versions'

/** Where a message came from. */
export interface Origin {
  readonly address: string
  /** Of the peer's certificate. */
  readonly fingerprint?: string | undefined
}

/** The server itself. */
export const ownOrigin: Origin = { address: 'server' }

export interface Account {
  /** Who sent it is known. @throws AuditUnavailable, AuditFaulted where nothing may be done without a trace, and none can be left */
  begin(principal: Principal): void
  /**
   * Its items are decided and will be answered so, unless something comes between.
   * @param changes whether there is something to be made durable
   * @param again whether the same items were decided before, for the same request
   */
  decided(items: readonly ResponseBatchItem[], changes: boolean, again?: boolean): void
  /**
   * What it promises is durable. What must be waited for before the answer may leave, or undefined. Rejects with
   * AuditUnavailable when it may be refused instead, with AuditFaulted when changes were made and no answer would be true.
   */
  settled(items: readonly ResponseBatchItem[]): Promise<void> | undefined
  /** It is answered with these failures, and nothing else has come of it. */
  refused(items: readonly ResponseBatchItem[]): void
}

export interface Accounts {
  /** @param request undefined: it could not be read */
  open(request: RequestMessage | undefined, version: Version, origin: Origin): Account
}
