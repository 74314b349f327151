/**
 * Those who keep account of the server: audit trail, metrics, traces. What it is: their composition from the settings, for
 * serve.ts: started before anything is served, ended after everything else but the store. What it is not: any of them
 * (`audit/`, `server/accounting.ts`, `server/metrics.ts`, `server/tracing.ts`).
 */
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Child } from '#actor/actor'
import { monotonicMs, systemClock } from '#actor/clock'
import type { AuditControl } from '#admin/services'
import { auditKeyBytes } from '#audit/chain'
import { type Audit, openAudit } from '#audit/open'
import { bodyOf } from '#audit/record'
import { AdministrationError } from '#identity/administration-error'
import { operations } from '#operations/index'
import { Accounting } from '#server/accounting'
import { countedLog } from '#server/counted-log'
import type { serverLog } from '#server/log'
import { Meter, type Sample, sample } from '#server/meter'
import { Metrics } from '#server/metrics'
import type { OutgoingAudit } from '#server/outgoing'
import type { Tracing } from '#server/tracing'
import { startWatchPort, type WatchPort } from '#server/watch-port'
import { commitSteps } from '#store/lmdb/messages'
import type { LmdbStore } from '#store/lmdb/open'
import type { Sealer } from '#store/store'
import type { Settings } from './config.ts'
import { auditSamples, startTraces } from './front-parts.ts'

export interface WatchingParts {
  readonly settings: Settings
  readonly store: LmdbStore
  /** Its hashes stay the same as long as the store lives. */
  readonly sealer: Sealer
  readonly logger: Logger
  /** What the disk has of the audit trail is not known: the process must end. */
  readonly onFailure: (reason: string) => void
}

type ServerLog = ReturnType<typeof serverLog>

/** What threads count, here or elsewhere. */
export type Source = () => readonly Sample[] | Promise<readonly Sample[]>

/** Starts them. Rejects with why the audit trail or the port cannot be had. */
export const startWatching = async (parts: WatchingParts): Promise<Watching> => {
  const { settings, store, sealer, logger, onFailure } = parts
  const { audit: mode } = settings
  const audit =
    mode === 'off'
      ? undefined
      : await openAudit({
          directory: join(settings.dataDirectory, 'audit'),
          key: auditKeyOf(sealer),
          mode,
          fileBytesMax: settings.auditFileBytesMax,
          filesMax: settings.auditFilesMax,
          store,
          clock: systemClock,
          onFault: onFailure,
          onUnremoved: (file, reason) =>
            logger.warn({ audit: { file, reason } }, `A file of the audit trail cannot be removed: ${reason}`),
        })
  let watching: Watching | undefined
  try {
    watching = new Watching(parts, audit, await startTraces(settings, logger))
    await watching.listen()
  } catch (error) {
    await (watching?.stop() ?? audit?.close())
    throw error
  }
  return watching
}

/** A key of the audit trail's own, which comes back with the keyring. */
const auditKeyOf = (sealer: Sealer): Uint8Array => {
  const halves = ['audit trail 1', 'audit trail 2'].map((term) => sealer.hash(Buffer.from(term, 'latin1')))
  return new Uint8Array(Buffer.concat(halves)).subarray(0, auditKeyBytes)
}

export class Watching {
  readonly meter = new Meter()
  readonly accounts: Accounting
  readonly audit: Audit | undefined
  readonly #parts: WatchingParts
  readonly #tracing: Tracing | undefined
  readonly #sources: Source[] = []
  #metrics: Metrics | undefined
  #port: WatchPort | undefined
  #unready: string | undefined = 'starting'

  /** Use `startWatching`. */
  constructor(parts: WatchingParts, audit: Audit | undefined, tracing: Tracing | undefined) {
    this.#parts = parts
    this.audit = audit
    this.#tracing = tracing
    this.accounts = new Accounting({
      audit: audit?.front,
      meter: this.meter,
      trace: tracing?.trace,
      operations,
      store: parts.store,
      nowMs: () => systemClock.nowMs(),
      monotonicMs,
    })
    this.#sources.push(
      () => this.meter.samples(),
      () => storeSamples(parts.store),
      () => this.#own(),
    )
  }

  /** The port of those who watch; undefined when there is none. */
  get port(): number | undefined {
    return this.#port?.port
  }

  /** More numbers, asked for whenever somebody looks. */
  watch(source: Source): void {
    this.#sources.push(source)
  }

  /** The server takes requests from now on. */
  serving(): void {
    this.#unready = undefined
  }

  /** The server takes no more requests. */
  stopping(): void {
    this.#unready = 'stopping'
  }

  /** For a supervisor: it is running already. */
  child(): Child {
    return { name: 'audit trail and metrics', start: () => ({ stop: () => this.stop() }) }
  }

  /** The check of the trail, for administrators. */
  get control(): AuditControl {
    return {
      verify: async () => {
        if (this.audit === undefined) {
          throw new AdministrationError('conflict', 'There is no audit trail', 'Set audit to relaxed or durable.')
        }
        return this.audit.verify()
      },
    }
  }

  /** A log whose events are counted, and whose commands are audited. */
  counted(log: ServerLog): ServerLog {
    const { meter } = this
    const counted = countedLog(log, meter)
    return {
      ...counted,
      commandEnded: (event) => {
        meter.event('kmipd_administration_total', { outcome: event.outcome })
        void log.commandEnded(event)
        return this.#audited(event)
      },
    }
  }

  /** For `startWatching`. */
  async listen(): Promise<void> {
    const { settings, logger } = this.#parts
    if (settings.metricsPort === 0) return
    const metrics = new Metrics()
    this.#metrics = metrics
    const { metricsHost: host, metricsPort: port } = settings
    this.#port = await startWatchPort({
      host,
      port,
      contentType: metrics.contentType,
      metrics: () => this.text(),
      unready: () => this.#reasons(),
      failed: (reason) => logger.error({ metrics: { reason: String(reason) } }, 'The port of the metrics has failed'),
    })
    logger.info({ listening: { interface: 'metrics', host, port } }, `Metrics are on port ${port}`)
  }

  /** The metrics of now. */
  async text(): Promise<string> {
    const samples = await Promise.all(this.#sources.map(async (source) => source()))
    return (this.#metrics ??= new Metrics()).text(samples.flat())
  }

  async stop(): Promise<void> {
    this.stopping()
    await this.#port?.stop()
    await this.#tracing?.stop()
    await this.audit?.close()
  }

  #reasons(): readonly string[] {
    const failing = this.#parts.settings.audit === 'durable' ? this.audit?.front.failing : undefined
    return [this.#unready, failing].filter((reason) => reason !== undefined)
  }

  #audited(event: Parameters<ServerLog['commandEnded']>[0]): Promise<void> | void {
    const { command: operation, by: user, domain, address, outcome, objects, changes } = event
    const isDone = outcome === 'done'
    const body = bodyOf({
      event: 'administration',
      atMs: systemClock.nowMs(),
      user,
      domain,
      address,
      operation,
      objects,
      result: isDone ? 'success' : 'failed',
      reason: isDone ? undefined : outcome,
    })
    return this.audit?.front.record([body], isDone && changes)?.promise()
  }

  /** For requests that the server sends to clients; undefined where nothing is audited. */
  get outgoingAudit(): OutgoingAudit | undefined {
    const front = this.audit?.front
    if (front === undefined) return undefined
    return {
      newRequest: () => front.nameOf(front.newRequest()),
      record: ({ object, ...told }, durable) =>
        front
          .record([bodyOf({ event: 'operation', atMs: systemClock.nowMs(), objects: [object], ...told })], durable)
          ?.promise(),
    }
  }

  #own(): readonly Sample[] {
    const front = this.audit?.front
    const samples = [sample('kmipd_ready', this.#reasons().length === 0 ? 1 : 0)]
    if (this.audit === undefined || front === undefined) return samples
    return [
      ...samples,
      sample('kmipd_audit_lines_total', this.audit.synced?.sequence ?? 0),
      ...auditSamples(front),
      sample('kmipd_audit_failing', front.failing === undefined ? 0 : 1),
    ]
  }
}

const storeSamples = (store: LmdbStore): readonly Sample[] => {
  const state = store.statistics()
  const samples = [
    sample('kmipd_store_bytes', state.bytes),
    sample('kmipd_store_disk_free_bytes', state.freeBytes),
    sample('kmipd_store_commits_waiting', state.commitsWaiting),
    sample('kmipd_store_commit_bytes_waiting', state.commitBytesWaiting),
  ]
  for (const [table, records] of Object.entries(state.records)) {
    samples.push(sample('kmipd_store_records', records, { table }))
  }
  let transactions = 0
  for (const [step, count] of state.transactions.entries()) {
    transactions += count
    const le = String(commitSteps[step] ?? '+Inf')
    samples.push(sample('kmipd_store_transaction_commits_bucket', transactions, { le }))
  }
  samples.push(sample('kmipd_store_transaction_commits_sum', state.commits))
  samples.push(sample('kmipd_store_transaction_commits_count', transactions))
  return samples
}
