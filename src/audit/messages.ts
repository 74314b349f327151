/**
 * What those who are audited and the auditor say to each other. What it is: plain data that a message port can carry. What it
 * is not: anything secret; what stands in a message stands in the trail.
 *
 *   front ──── lines ──────────────▶ auditor     one message for all that a thread has to tell in a turn
 *   front ◀─── written, refused ──── auditor     of the front's messages up to a number; refused: from one on
 *   front ◀─── failing, resumed, fault ── auditor     to all of them; failing: also to one that comes later
 *
 *   owner ──── connect, close ─────▶ auditor     owner ◀─── ready, synced, unremoved, fault, closed ──── auditor
 */
import type { MessagePort } from 'node:worker_threads'
import type { AuditFilesOptions, TrailEnd } from './files.ts'
import type { VerifyOptions } from './verify.ts'

export interface Lines {
  readonly kind: 'lines'
  /** Numbers of a front rise by 1. */
  readonly id: number
  /** Bodies of lines, one a line, in UTF-8. */
  readonly bytes: Uint8Array
  /** Whether the disk must have them before they are answered. */
  readonly durable: boolean
}

export type ToAuditFront =
  | { readonly kind: 'written'; readonly through: number; readonly synced: TrailEnd }
  | { readonly kind: 'refused'; readonly from: number; readonly through: number; readonly reason: string }
  | { readonly kind: 'failing'; readonly reason: string }
  | { readonly kind: 'resumed' }
  | { readonly kind: 'fault'; readonly reason: string }

export type ToAuditor = { readonly kind: 'connect'; readonly port: MessagePort } | { readonly kind: 'close' }
export type ToAuditOwner =
  | { readonly kind: 'ready'; readonly synced: TrailEnd }
  | { readonly kind: 'synced'; readonly synced: TrailEnd }
  | { readonly kind: 'unremoved'; readonly file: string; readonly reason: string }
  | { readonly kind: 'fault'; readonly reason: string }
  | { readonly kind: 'closed'; readonly synced: TrailEnd }

/** What an audit thread is started with: to write the trail, or to look at all of it. */
export type AuditTask =
  | ({ readonly kind: 'write' } & Omit<AuditFilesOptions, 'nowMs' | 'onFault' | 'onUnremoved'>)
  | ({ readonly kind: 'verify' } & VerifyOptions)
