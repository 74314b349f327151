/**
 * The auditor: the actor that writes the trail. What it is: it takes all lines that wait, from every thread, writes them with
 * one write, brings them to the disk with one sync when one of them must be there, and then answers all. What it is not: the
 * files (`files.ts`), or the thread (`workers/audit.ts`).
 *
 * While the disk is waited for, the ports fill; what they hold is the next batch. Lines that nobody waits for are brought to
 * the disk a moment later.
 */
import type { MessagePort } from 'node:worker_threads'
import { Actor } from '#actor/actor'
import type { Cancel, Clock } from '#actor/clock'
import { errorText } from '#actor/error-text'
import { linesIn } from './chain.ts'
import { AuditFiles, type AuditFilesOptions, AuditUnavailable } from './files.ts'
import type { Lines, ToAuditFront, ToAuditOwner, ToAuditor } from './messages.ts'

interface Waiting {
  readonly port: MessagePort
  readonly lines: Lines
}

/** Messages that may wait; each front bounds its bytes. */
const waitingMax = 65_536
/** Messages that are written at once. */
const batchMax = 1_024
/** How long the disk may lack a line that nobody waits for. */
const syncWithinMs = 1_000
/** How often the owner is told how far the trail has come. */
const tellEveryMs = 1_000
/** How often a disk that was full is tried. */
const tryAgainMs = 1_000
const overloaded = 'too many lines wait for the audit trail'
const stopping = 'the server is shutting down'

/** Runs the auditor until its owner closes it. The thread then ends by itself. @throws errors of the file system */
export const runAuditor = (
  owner: MessagePort,
  options: Omit<AuditFilesOptions, 'nowMs' | 'onFault' | 'onUnremoved'>,
  clock: Clock,
): void => {
  const files = new AuditFiles({
    ...options,
    nowMs: () => clock.nowMs(),
    onFault: (error) => fail(error),
    onUnremoved: (file, reason) => toOwner({ kind: 'unremoved', file, reason }),
  })
  const ports = new Set<MessagePort>()
  const toOwner = (message: ToAuditOwner): void => owner.postMessage(message, [])
  const toAll = (message: ToAuditFront): void => {
    for (const port of ports) port.postMessage(message)
  }
  let fault: string | undefined
  let failing: string | undefined
  /** Lines that were refused since the trail last told how many it lacks. */
  let unwritten = 0
  let isClosing = false
  let cancelSync: Cancel | undefined
  let cancelTelling: Cancel | undefined
  let cancelTrying: Cancel | undefined

  const fail = (error: unknown): void => {
    fault ??= errorText(error)
    toAll({ kind: 'fault', reason: fault })
    toOwner({ kind: 'fault', reason: fault })
  }
  const syncLater = (): void => {
    cancelSync ??= clock.after(syncWithinMs, () => {
      cancelSync = undefined
      try {
        if (fault === undefined) files.sync()
      } catch (error) {
        fail(error)
      }
    })
  }
  const tellLater = (): void => {
    cancelTelling ??= clock.after(tellEveryMs, () => {
      cancelTelling = undefined
      toOwner({ kind: 'synced', synced: files.synced })
    })
  }
  /** What the trail says of lines that it lacks, before others follow. */
  const lacking = (): readonly Uint8Array[] => {
    if (unwritten === 0 && failing === undefined) return []
    const time = new Date(clock.nowMs()).toISOString()
    const reason = failing ?? overloaded
    return [Buffer.from(JSON.stringify({ time, event: 'trail resumed', reason, unwritten }))]
  }
  const append = (bodies: readonly Uint8Array[]): void => {
    files.append([...lacking(), ...bodies])
    unwritten = 0
  }
  /** @throws AuditUnavailable, AuditFaulted */
  const resume = (): void => {
    append([])
    files.sync()
    failing = undefined
    toAll({ kind: 'resumed' })
  }
  const tryAgain = (): void => {
    cancelTrying = clock.after(tryAgainMs, () => {
      if (fault !== undefined) return
      try {
        resume()
      } catch (error) {
        if (error instanceof AuditUnavailable) tryAgain()
        else fail(error)
      }
    })
  }

  const actor = new Actor<Waiting>({
    name: 'auditor',
    capacity: waitingMax,
    batchMax,
    handle(batch) {
      try {
        // Once it could not be written, nothing is until that is told in it.
        if (failing !== undefined) throw new AuditUnavailable(failing)
        append(batch.map(({ lines }) => lines.bytes))
        if (batch.some(({ lines }) => lines.durable)) files.sync()
        else syncLater()
      } catch (error) {
        if (!(error instanceof AuditUnavailable)) throw error
        for (const { lines } of batch) unwritten += linesIn(lines.bytes)
        if (failing === undefined) {
          toAll({ kind: 'failing', reason: error.message })
          tryAgain()
        }
        failing = error.message
        answer(batch, (from, through) => ({ kind: 'refused', from, through, reason: error.message }))
        return
      }
      answer(batch, (_from, through) => ({ kind: 'written', through, synced: files.synced }))
      tellLater()
    },
    onEnd: (ending) => {
      if (ending.kind === 'failed') fail(ending.failure)
    },
  })

  const connect = (port: MessagePort): void => {
    ports.add(port)
    if (failing !== undefined) port.postMessage({ kind: 'failing', reason: failing } satisfies ToAuditFront)
    port.on('message', (lines: Lines) => {
      if (actor.send({ port, lines })) return
      unwritten += linesIn(lines.bytes)
      const { id } = lines
      const reason = fault ?? (isClosing ? stopping : overloaded)
      // Of this message alone: those before it wait, and are answered when they are written.
      port.postMessage({ kind: 'refused', from: id, through: id, reason } satisfies ToAuditFront)
    })
    port.on('close', () => ports.delete(port))
  }

  const close = async (): Promise<void> => {
    isClosing = true
    await actor.stop()
    cancelSync?.()
    cancelTelling?.()
    // Whoever opens the trail next is its only writer.
    cancelTrying?.()
    let unended: unknown
    try {
      if (fault === undefined) {
        if (unwritten > 0 || failing !== undefined) resume()
        files.close()
      }
    } catch (error) {
      unended = error
    }
    for (const port of ports) port.close()
    if (unended === undefined) toOwner({ kind: 'closed', synced: files.synced })
    else fail(unended)
    owner.close()
  }

  owner.on('message', (message: ToAuditor) => {
    if (message.kind === 'connect') connect(message.port)
    else void close()
  })
  toOwner({ kind: 'ready', synced: files.synced })
}

/** Tells each front once, by its first and last message: they come in the order in which they were sent. */
const answer = (batch: readonly Waiting[], message: (from: number, through: number) => ToAuditFront): void => {
  const answered = new Map<MessagePort, { readonly from: number; readonly through: number }>()
  for (const { port, lines } of batch) {
    answered.set(port, { from: answered.get(port)?.from ?? lines.id, through: lines.id })
  }
  for (const [port, { from, through }] of answered) port.postMessage(message(from, through))
}
