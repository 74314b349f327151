/**
 * Metrics as Prometheus reads them. What it is: the only file that knows the metrics library; the names with what they mean, as
 * rows, and the text that is made of them and of the process's own figures. What it is not: the counting (`meter.ts`), or the
 * port (`watch-port.ts`). docs/watching.md says what to look at.
 */
import { collectDefaultMetrics, type Metric, type MetricType, Registry } from 'prom-client'
import { type Sample, sample, sumOf } from './meter.ts'

/** What a name means. */
interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  /** Told before anything was counted: Prometheus sees no rise in a counter that is first seen at 1. */
  readonly fromZero?: true
}

/** Every metric of the server's own. Names end in their unit; totals only rise. */
export const metricRows: Readonly<Record<string, MetricRow>> = {
  kmipd_operations_total: {
    type: 'counter',
    help: 'Batch items answered, by operation and result (success, pending, undone, or a Result Reason).',
  },
  kmipd_request_duration_seconds: {
    type: 'histogram',
    help: 'From the first look at a message to its answer, by operation (Batch: several) and result.',
  },
  kmipd_sessions: { type: 'gauge', help: 'TCP connections on KMIP interfaces, handshakes among them.' },
  kmipd_sessions_max: { type: 'gauge', help: 'As many sessions as there may be.' },
  kmipd_sessions_opened_total: { type: 'counter', help: 'TLS sessions opened.' },
  kmipd_sessions_ended_total: { type: 'counter', help: 'TLS sessions ended, by reason.' },
  kmipd_sessions_refused_total: {
    type: 'counter',
    help: 'Connections closed at once, because as many were open as there may be.',
    fromZero: true,
  },
  kmipd_handshakes_refused_total: { type: 'counter', help: 'TLS handshakes refused.', fromZero: true },
  kmipd_clients_refused_total: { type: 'counter', help: 'Requests of clients that have no service, by reason.' },
  kmipd_credentials_refused_total: {
    type: 'counter',
    help: 'Requests refused for what they showed as credential, by reason.',
  },
  kmipd_administration_total: { type: 'counter', help: 'Commands of the administration, by outcome.' },
  kmipd_failures_total: {
    type: 'counter',
    help: 'Failures inside the server, each with a line in the log.',
    fromZero: true,
  },
  kmipd_store_bytes: { type: 'gauge', help: 'Size of the store on the disk.' },
  kmipd_store_records: { type: 'gauge', help: 'Records of the store, by table.' },
  kmipd_store_disk_free_bytes: { type: 'gauge', help: 'Free bytes of the disk that the store is on.' },
  kmipd_store_commits_waiting: { type: 'gauge', help: 'Commits that wait for the disk.' },
  kmipd_store_commit_bytes_waiting: { type: 'gauge', help: 'Bytes of the commits that wait for the disk.' },
  kmipd_store_transaction_commits: { type: 'histogram', help: 'Commits that shared one transaction, and so one sync.' },
  kmipd_crypto_jobs_total: { type: 'counter', help: 'Cryptographic jobs, by the place where they ran: here or pool.' },
  kmipd_crypto_jobs_waiting: { type: 'gauge', help: 'Jobs that the crypto workers have taken and not yet answered.' },
  kmipd_audit_characters_waiting: {
    type: 'gauge',
    help: 'Lines of the audit trail that are on their way, in characters.',
  },
  kmipd_audit_lines_total: { type: 'counter', help: 'Lines of the audit trail that are on the disk, since it began.' },
  kmipd_audit_failing: { type: 'gauge', help: '1 while the audit trail cannot be written.' },
  kmipd_front_loop_delay_seconds: {
    type: 'gauge',
    help: 'Delay of the event loop of a front that has a thread of its own, since the last reading, by front and quantile.',
  },
  kmipd_ready: { type: 'gauge', help: '1 while the server takes requests.' },
}

const zeros: readonly Sample[] = Object.entries(metricRows)
  .filter(([, { fromZero }]) => fromZero === true)
  .map(([name]) => sample(name, 0))

/** How the parts of a histogram are called. */
const histogramEnd = /_(?:bucket|sum|count)$/

/** The row's name that a sample belongs to. @throws TypeError for a sample without a row */
const rowNameOf = (name: string): string => {
  const found = Object.hasOwn(metricRows, name) ? name : name.replace(histogramEnd, '')
  if (!Object.hasOwn(metricRows, found)) throw new TypeError(`no row of the metrics is for ${name}`)
  return found
}

/** The text of all metrics. */
export class Metrics {
  readonly #process = new Registry()

  constructor() {
    // Memory, processor time, files, the event loop's delay, garbage collection.
    collectDefaultMetrics({ register: this.#process })
  }

  get contentType(): string {
    return this.#process.contentType
  }

  /** @param samples of all threads */
  async text(samples: readonly Sample[]): Promise<string> {
    const own = new Registry()
    const byName = Map.groupBy(sumOf([...zeros, ...samples]), ({ name }) => rowNameOf(name))
    for (const [name, values] of byName) own.registerMetric(metricOf(name, values))
    return `${await own.metrics()}${await this.#process.metrics()}`
  }
}

/** The samples of a name as the library wants to be asked for them. */
const metricOf = (name: string, samples: readonly Sample[]): Metric => {
  const { type, help } = metricRows[name] as MetricRow
  const values = samples.map(({ name: metricName, labels, value }) => ({ metricName, labels, value }))
  const metric = {
    name,
    help,
    get: async () => ({ name, help, type: type as unknown as MetricType, values, aggregator: 'sum' }),
  }
  return metric as unknown as Metric
}
