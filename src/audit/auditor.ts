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

/** Runs the auditor until its owner closes it. The thread then ends by itself. @throws errors of the file system */
export const runAuditor = (
  owner: MessagePort,
  options: Omit<AuditFilesOptions, 'nowMs' | 'onFault'>,
  clock: Clock,
): void => {
  const files = new AuditFiles({ ...options, nowMs: () => clock.nowMs(), onFault: (error) => fail(error) })
  const ports = new Set<MessagePort>()
  const toOwner = (message: ToAuditOwner): void => owner.postMessage(message, [])
  const toAll = (message: ToAuditFront): void => {
    for (const port of ports) port.postMessage(message)
  }
  let fault: string | undefined
  let failing: string | undefined
  let unwritten = 0
  let cancelSync: Cancel | undefined
  let cancelTelling: Cancel | undefined

  const fail = (error: unknown): void => {
    fault ??= error instanceof Error ? error.message : String(error)
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
  const tryAgain = (): void => {
    clock.after(tryAgainMs, () => {
      if (fault !== undefined) return
      try {
        const time = new Date(clock.nowMs()).toISOString()
        files.append([Buffer.from(JSON.stringify({ time, event: 'trail resumed', reason: failing, unwritten }))])
        files.sync()
        failing = undefined
        unwritten = 0
        toAll({ kind: 'resumed' })
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
        files.append(batch.map(({ lines }) => lines.bytes))
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
        answer(batch, (through) => ({ kind: 'refused', through, reason: error.message }))
        return
      }
      answer(batch, (through) => ({ kind: 'written', through, synced: files.synced }))
      tellLater()
    },
    onEnd: (ending) => {
      if (ending.kind === 'failed') fail(ending.failure)
    },
  })

  const connect = (port: MessagePort): void => {
    ports.add(port)
    port.on('message', (lines: Lines) => {
      if (actor.send({ port, lines })) return
      const reason = fault ?? 'too many lines wait for the audit trail, or the server ends'
      port.postMessage({ kind: 'refused', through: lines.id, reason } satisfies ToAuditFront)
    })
    port.on('close', () => ports.delete(port))
  }

  const close = async (): Promise<void> => {
    await actor.stop()
    cancelSync?.()
    cancelTelling?.()
    let unended: unknown
    try {
      if (fault === undefined && failing === undefined) files.close()
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

/** Tells each front once, by its last message: they come in the order in which they were sent. */
const answer = (batch: readonly Waiting[], message: (through: number) => ToAuditFront): void => {
  const last = new Map<MessagePort, number>()
  for (const { port, lines } of batch) last.set(port, lines.id)
  for (const [port, through] of last) port.postMessage(message(through))
}
