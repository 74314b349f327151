/**
 * The counters of one thread. What it is: numbers that the way of a request only adds to, and their reading as plain samples
 * that can cross threads and be summed. What it is not: the form in which they are told (`metrics.ts`).
 */
import { Operation, ResultReason, ResultStatus } from '#kmip/enums'

/** One number of one thread: numbers of the same name and labels are added up. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** One number. */
export const sample = (name: string, value: number, labels: Sample['labels'] = {}): Sample => ({ name, labels, value })

/** Upper ends of the histogram's steps, in seconds: from an answer out of memory to a key pair of RSA. */
const stepsSeconds = [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]
const msPerSecond = 1_000

/** Of a message of several items, which share their time. */
export const batchCode = -1
/** Of a message that could not be read. */
export const unreadCode = 0

const operationNames = new Map<number, string>([
  ...Object.entries(Operation).map(([name, code]) => [code, name] as const),
  [batchCode, 'Batch'],
])
const reasonNames = new Map<number, string>(Object.entries(ResultReason).map(([name, code]) => [code, name]))
const statusNames: Readonly<Record<number, string>> = {
  [ResultStatus.Success]: 'success',
  [ResultStatus.OperationPending]: 'pending',
  [ResultStatus.OperationUndone]: 'undone',
}

/** Names of operations for lines and labels; what a peer sent that is none is not told. */
export const operationName = (code: number | undefined): string => operationNames.get(code ?? unreadCode) ?? 'unknown'

/** The name of a Result Reason. */
export const reasonName = (code: number | undefined): string => reasonNames.get(code ?? 0) ?? 'unknown'

interface Times {
  readonly steps: Float64Array
  sumMs: number
}

/** Room for every status and reason beside an operation's code. */
const resultBase = 65_536

export class Meter {
  readonly #items = new Map<number, number>()
  readonly #times = new Map<number, Times>()
  readonly #events = new Map<string, { readonly name: string; readonly labels: Sample['labels']; value: number }>()

  /** An item of an answer. */
  item(operation: number | undefined, status: number, reason: number | undefined): void {
    const known = operation !== undefined && operationNames.has(operation) ? operation : unreadCode
    const key = known * resultBase + (status === ResultStatus.OperationFailed ? (reason ?? 0) + 16 : status)
    this.#items.set(key, (this.#items.get(key) ?? 0) + 1)
  }

  /** A message, from its first look to its answer. */
  message(operation: number | undefined, succeeded: boolean, durationMs: number): void {
    const known = operation !== undefined && operationNames.has(operation) ? operation : unreadCode
    const key = known * 2 + (succeeded ? 1 : 0)
    let times = this.#times.get(key)
    if (times === undefined) {
      times = { steps: new Float64Array(stepsSeconds.length + 1), sumMs: 0 }
      this.#times.set(key, times)
    }
    let step = 0
    while (step < stepsSeconds.length && durationMs > (stepsSeconds[step] ?? 0) * msPerSecond) step += 1
    times.steps[step] = (times.steps[step] ?? 0) + 1
    times.sumMs += durationMs
  }

  /** Something that is seldom. */
  event(name: string, labels: Sample['labels'] = {}): void {
    const key = `${name}\0${Object.values(labels).join('\0')}`
    const event = this.#events.get(key) ?? { name, labels, value: 0 }
    event.value += 1
    this.#events.set(key, event)
  }

  samples(): Sample[] {
    const samples: Sample[] = [...this.#events.values()].map((event) => ({ ...event }))
    for (const [key, value] of this.#items) {
      const operation = Math.floor(key / resultBase)
      const code = key - operation * resultBase
      const result = statusNames[code] ?? reasonName(code - 16)
      const labels = { operation: operationName(operation), result }
      samples.push({ name: 'kmipd_operations_total', labels, value })
    }
    for (const [key, { steps, sumMs }] of this.#times) {
      const succeeded = Math.abs(key % 2) === 1
      const operation = operationName((key - (succeeded ? 1 : 0)) / 2)
      const labels = { operation, result: succeeded ? 'success' : 'failed' }
      let count = 0
      for (const [step, value] of steps.entries()) {
        count += value
        const le = step < stepsSeconds.length ? String(stepsSeconds[step]) : '+Inf'
        samples.push({ name: 'kmipd_request_duration_seconds_bucket', labels: { ...labels, le }, value: count })
      }
      samples.push({ name: 'kmipd_request_duration_seconds_sum', labels, value: sumMs / msPerSecond })
      samples.push({ name: 'kmipd_request_duration_seconds_count', labels, value: count })
    }
    return samples
  }
}

/** The sums of what several threads have counted. */
export const sumOf = (samples: Iterable<Sample>): Sample[] => {
  const sums = new Map<string, { readonly name: string; readonly labels: Sample['labels']; value: number }>()
  for (const { name, labels, value } of samples) {
    const key = JSON.stringify([name, labels])
    const sum = sums.get(key)
    if (sum === undefined) sums.set(key, { name, labels, value })
    else sum.value += value
  }
  return [...sums.values()]
}
