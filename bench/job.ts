/**
 * What the processes of a measurement tell each other: plain data that crosses processes and threads. What it is not:
 * anything that runs.
 */

/** A server to measure, and how to reach it. PEM texts. */
export interface Target {
  readonly host: string
  readonly port: number
  readonly ca: string
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
}

/** One measurement: so many sessions, each of which asks again as soon as it is answered. */
export interface Job {
  readonly target: Target
  /** TLS sessions, over all threads. */
  readonly connections: number
  /** Requests in flight on each session. */
  readonly pipeline: number
  readonly warmupMs: number
  readonly durationMs: number
  /** No answer for so long is an error. */
  readonly timeoutMs: number
  /** Whole messages, sent in turn; each session starts at another place. */
  readonly requests: readonly Uint8Array[]
}

/** Latencies in nanoseconds. */
export interface Latency {
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** What a job gave. */
export interface Measured {
  /** Requests that were answered with success within the time. */
  readonly completed: number
  /** Requests that were not, by Result Reason or by the name of the client's error. */
  readonly errors: Readonly<Record<string, number>>
  /** The time that was measured, which is the job's or a little more. */
  readonly elapsedMs: number
  /** Of the successes. */
  readonly latency: Latency
}

/** What the generator process is told, and answers. */
export type GeneratorAnswer = { readonly measured: Measured } | { readonly failure: string }

/** What the echo process is told first. */
export interface EchoSettings {
  /** The answer to every request, whole. */
  readonly response: Uint8Array
  /** As the measured server's sessions have it, so that both pay for the same cipher. */
  readonly protocol: 'TLSv1.2' | 'TLSv1.3'
  readonly cipher: string
}

/** What it answers once it listens. */
export interface EchoListening {
  readonly port: number
  readonly ca: string
}
