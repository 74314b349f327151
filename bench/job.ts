/**
 * What the processes of a measurement tell each other: plain data that crosses processes and threads. What it is not:
 * anything that runs.
 */
import type { Input } from '#client/operation-methods'
import type { RequestMessage } from '#kmip/message'
import type { Distribution } from './distribution.ts'
import type { Packed } from './packed.ts'

/** A server to measure, and how to reach it. PEM texts. */
export interface Target {
  readonly host: string
  readonly port: number
  readonly ca: string
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
}

/** One kind of message of a job. */
export interface Step {
  /** Under which it is counted. */
  readonly name: string
  /** Batch items of each message. */
  readonly items: number
  /** Whole messages, sent in turn. */
  readonly requests: Packed
  /**
   * A message that is made anew each time, in place of those: `{id}` in a text is the identifier that the session was
   * last given, `{name}` a name of this session's turn.
   */
  readonly template?: Input<RequestMessage>
}

/** One measurement. */
export interface Job {
  readonly target: Target
  /** TLS sessions, over all processes and threads. */
  readonly connections: number
  /** Requests in flight on each session. */
  readonly pipeline: number
  readonly warmupMs: number
  readonly durationMs: number
  /** No answer for so long is an error. */
  readonly timeoutMs: number
  readonly steps: readonly Step[]
  /** Steps by their index, in the order in which a session sends them, over and over. */
  readonly cycle: readonly number[]
  /** True: every session starts at the cycle's begin, and again when a step fails. False: each at another place. */
  readonly scripted: boolean
  /** Messages a second that are begun whether or not earlier ones are answered; undefined: each session asks when it is answered. */
  readonly ratePerSecond?: number
  /** Of these: they are begun together, every so many milliseconds; 0 or undefined: each at its moment. */
  readonly paceMs?: number
  /** Length of the pieces of the timeline. */
  readonly sliceMs: number
  /** Begins the names of objects that a scripted job makes. */
  readonly namePrefix: string
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

/** What one kind of message gave. */
export interface StepMeasured {
  readonly completed: number
  readonly errors: Readonly<Record<string, number>>
  readonly latency: Latency
}

/** What a job gave. */
export interface Measured {
  /** Messages that were answered with success within the time. */
  readonly completed: number
  /** Their batch items. */
  readonly items: number
  /** Messages that were not, by Result Reason or by the name of the client's error. */
  readonly errors: Readonly<Record<string, number>>
  /** The time that was measured, which is the job's or a little more. */
  readonly elapsedMs: number
  /** Of the successes. */
  readonly latency: Latency
  /** The same by kind of message. */
  readonly steps: Readonly<Record<string, StepMeasured>>
  /** Latencies of the successes by percentile: `[percentile, nanoseconds]`, growing. */
  readonly percentiles: readonly (readonly [number, number])[]
  /** Microseconds of processor time for each message, of the process that answered and of those that asked, where known. */
  readonly processorUs?: { readonly server?: number; readonly generator?: number }
  readonly sliceMs: number
  /** Successes and failures of each piece of the time. */
  readonly timeline: readonly { readonly completed: number; readonly failed: number }[]
}

/** What a process counted, to be merged with what others did. */
export interface ProcessCounted {
  readonly steps: readonly {
    readonly distribution: Distribution
    readonly errors: Readonly<Record<string, number>>
  }[]
  readonly elapsedMs: number
  readonly completedSlices: readonly number[]
  readonly failedSlices: readonly number[]
}

/** What a generator process is told: its share of a job (`first`: of so many processes the how-manieth), then `go`. */
export type GeneratorQuestion = { readonly job: Job; readonly first: number; readonly of: number } | 'go'

/** What it answers. `progress` may come any number of times between `go` and `counted`. */
export type GeneratorAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly completed: number; readonly failed: number }
  | { readonly kind: 'counted'; readonly counted: ProcessCounted }
  | { readonly kind: 'failure'; readonly text: string }

/** What the echo process is told first. */
export interface EchoSettings {
  /** The answers, whole. A request says in its bytes 16 to 19 which one it wants. */
  readonly responses: readonly Uint8Array[]
  /** As the measured server's sessions have it, so that both pay for the same cipher. */
  readonly protocol: 'TLSv1.2' | 'TLSv1.3'
  readonly cipher: string
  /** PEM texts: a client's certificate must be one of them or signed by one; undefined: clients need none. */
  readonly clientAuthorities?: readonly string[]
}

/** What it answers once it listens. */
export interface EchoListening {
  readonly port: number
  readonly ca: string
}

/** What the process that opens sessions is told. */
export type ConnectorQuestion =
  | {
      readonly kind: 'handshakes'
      readonly target: Target
      /** Handshakes at once. */
      readonly lanes: number
      readonly resumed: boolean
      readonly request: Uint8Array
      readonly warmupMs: number
      readonly durationMs: number
    }
  | {
      readonly kind: 'hold'
      readonly target: Target
      readonly sessions: number
      readonly request: Uint8Array
    }
  | { readonly kind: 'release' }

/** What handshakes gave. */
export interface Handshakes {
  readonly completed: number
  /** Of them, those that resumed an earlier session. */
  readonly resumed: number
  readonly errors: Readonly<Record<string, number>>
  readonly elapsedMs: number
  /** From the call that connects to the answer of the first request. */
  readonly latency: Latency
}

/** What it answers. */
export type ConnectorAnswer =
  | { readonly kind: 'handshakes'; readonly handshakes: Handshakes }
  | { readonly kind: 'held'; readonly sessions: number; readonly tookMs: number }
  | { readonly kind: 'released' }
  | { readonly kind: 'failure'; readonly text: string }
