/**
 * Account of a message: what the dispatcher tells, on its way, to those who audit, count and trace. What it is: the interface
 * between them. What it is not: any of the three (`accounting.ts`).
 *
 *     open ─▶ decided ── the changes become durable, at the same time as the account ──▶ settled ─▶ the answer leaves
 *       │        └─ decided again, when another client was faster: what was told before is withdrawn
 *       └─▶ refused
 */
import type { Later } from '#actor/later'
import type { AuditedAnswer } from '#audit/record'
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

/** Who sends a message, as lines of the trail tell. */
export type ToldSender = Pick<AuditedAnswer, 'user' | 'client' | 'certificate' | 'claimed' | 'address'>

/** A request that was answered before, by the same items: what was told of it is told again. */
export interface Repeated {
  /** Reads the request anew: it is not kept, for it would be many small objects. */
  request(): RequestMessage
  /** Ends of the lines about it (`audit/record.ts`), as they were told of this sender. */
  told: { readonly sender: ToldSender; readonly ends: readonly Uint8Array[] } | undefined
}

export interface Account {
  /** Who sent it is known. @throws AuditUnavailable, AuditFaulted where nothing may be done without a trace, and none can be left */
  begin(principal: Principal): void
  /**
   * Its items are decided and will be answered so, unless something comes between.
   * @param changes whether there is something to be made durable
   * @throws as `begin`, where there is, or where a key is given away
   */
  decided(items: readonly ResponseBatchItem[], changes: boolean): void
  /**
   * What it promises is durable. What must be waited for before the answer may leave, or undefined. Rejects with
   * AuditUnavailable when it may be refused instead, with AuditFaulted when changes were made and no answer would be true.
   */
  settled(items: readonly ResponseBatchItem[]): Later<void> | undefined
  /** It is answered with these failures, and nothing else has come of it. */
  refused(items: readonly ResponseBatchItem[]): void
}

export interface Accounts {
  /** @param request undefined: it could not be read */
  open(request: RequestMessage | undefined, version: Version, origin: Origin): Account
  /** The account of a request that will be answered as it was before, or refused. */
  openAgain(repeated: Repeated, version: Version, origin: Origin): Account
}
