/**
 * A measurement from beginning to end: objects, one look at a real answer, the bare echo with the same sizes, the server.
 * What it is not: the command line (main.ts) or the generator (generator.ts).
 */
import type { ClientOptions } from '#client/client'
import { Transport } from '#client/transport'
import { Tag } from '#kmip/tags'
import type { Version } from '#kmip/versions'
import type { EchoSettings, Job, Target } from './job.ts'
import { preload, unload } from './preload.ts'
import { Echo, Generator } from './processes.ts'
import type { Row } from './report.ts'
import { type Preloaded, requestsOf, type ScenarioName, scenarios } from './scenarios/index.ts'

/** What every measurement needs. */
export interface MeasureOptions {
  readonly connections: readonly number[]
  readonly runs: number
  readonly pipeline: number
  readonly threads: number
  readonly warmupMs: number
  readonly durationMs: number
  readonly timeoutMs: number
}

/** What a measurement of a server needs. */
export interface LoadOptions extends MeasureOptions {
  readonly target: Target
  readonly version: Version
  readonly operations: readonly ScenarioName[]
  /** Objects that get and locate ask for. */
  readonly objectCount: number
  /** Of their names; no other measurement has it. */
  readonly objectPrefix: string
  /** Whether the bare echo is measured beside the server. */
  readonly withLimit: boolean
}

/** What one request of a scenario looks like on the wire. */
export interface Sample extends EchoSettings {
  readonly requests: readonly Uint8Array[]
}

/**
 * Measures every scenario with every number of sessions, run after run, and hands each row on as it is known.
 * @throws Error when the server cannot be reached, or refuses to make the objects
 */
export const load = async (
  options: LoadOptions,
  onRow: (row: Row) => void,
  onProgress: (text: string) => void,
): Promise<void> => {
  const clientOptions: ClientOptions = { ...options.target, version: options.version, timeoutMs: options.timeoutMs }
  const needsObjects = options.operations.some((name) => scenarios[name].needsObjects)
  if (needsObjects) onProgress(`making ${options.objectCount} objects`)
  const objects = needsObjects ? await preload(clientOptions, options.objectCount, options.objectPrefix) : []
  try {
    await measureAll(options, objects, onRow)
  } finally {
    if (needsObjects) {
      onProgress(`destroying ${objects.length} objects`)
      await unload(clientOptions, objects)
    }
  }
}

const measureAll = async (
  options: LoadOptions,
  objects: readonly Preloaded[],
  onRow: (row: Row) => void,
): Promise<void> => {
  const generator = new Generator(options.threads)
  const cases: { readonly name: ScenarioName; readonly sample: Sample; readonly echo: Echo | undefined }[] = []
  try {
    for (const name of options.operations) {
      const sample = await sampleOf(options, requestsOf(scenarios[name], objects, options.version))
      cases.push({ name, sample, echo: options.withLimit ? await Echo.start(sample) : undefined })
    }
    const [coldest] = cases
    if (coldest !== undefined) await warmUp(generator, options, coldest.sample, coldest.echo?.target ?? options.target)
    for (let run = 1; run <= options.runs; run += 1) {
      for (const { name, sample, echo } of cases) {
        for (const connections of options.connections) {
          const job = jobOf(options, connections, sample.requests)
          // The echo first: it has warmed the generator up when the server's turn comes, and both see the same machine.
          const limit = echo === undefined ? undefined : await generator.measure({ ...job, target: echo.target })
          const measured = await generator.measure({ ...job, target: options.target })
          onRow({ operation: name, connections, run, ...sizesOf(sample), measured, limit })
        }
      }
    }
  } finally {
    for (const { echo } of cases) await echo?.stop()
    await generator.stop()
  }
}

/** Measures the bare echo alone, with messages of these sizes. */
export const limit = async (
  options: MeasureOptions & { readonly requestBytes: number; readonly responseBytes: number },
  onRow: (row: Row) => void,
): Promise<void> => {
  const sample: Sample = {
    requests: [blankMessage(Tag.RequestMessage, options.requestBytes)],
    response: blankMessage(Tag.ResponseMessage, options.responseBytes),
    protocol: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
  }
  const generator = new Generator(options.threads)
  const echo = await Echo.start(sample)
  try {
    await warmUp(generator, options, sample, echo.target)
    for (let run = 1; run <= options.runs; run += 1) {
      for (const connections of options.connections) {
        const measured = await generator.measure({
          ...jobOf(options, connections, sample.requests),
          target: echo.target,
        })
        onRow({ operation: 'bare echo', connections, run, ...sizesOf(sample), measured, limit: undefined })
      }
    }
  } finally {
    await echo.stop()
    await generator.stop()
  }
}

/** A job whose result is dropped: the first case would otherwise pay for code that is not compiled yet. */
export const warmUp = async (
  generator: Generator,
  options: MeasureOptions,
  sample: Pick<Sample, 'requests'>,
  target: Target,
): Promise<void> => {
  await generator.measure({
    ...jobOf(options, Math.max(...options.connections), sample.requests),
    target,
    durationMs: options.warmupMs,
  })
}

/** The job of a case, for any target. */
export const jobOf = (
  options: MeasureOptions,
  connections: number,
  requests: readonly Uint8Array[],
): Omit<Job, 'target'> => ({
  connections,
  pipeline: options.pipeline,
  warmupMs: options.warmupMs,
  durationMs: options.durationMs,
  timeoutMs: options.timeoutMs,
  requests,
})

const sizesOf = ({ requests, response, protocol, cipher }: Sample) => ({
  requestBytes: requests[0]?.length ?? 0,
  responseBytes: response.length,
  protocol,
  cipher,
})

/** Asks once, to know what an answer looks like and what TLS agreed on. */
export const sampleOf = async (
  options: Pick<LoadOptions, 'target' | 'timeoutMs'>,
  requests: readonly Uint8Array[],
): Promise<Sample> => {
  const first = requests[0]
  if (first === undefined) throw new Error('there is nothing to ask: --objects must be 1 or more')
  const transport = new Transport({ ...options.target, timeoutMs: options.timeoutMs })
  try {
    const response = await transport.send(first)
    const { protocol, cipher } = transport.facts ?? { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }
    return {
      requests,
      response: Uint8Array.from(response),
      protocol: protocol === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2',
      cipher,
    }
  } finally {
    transport.destroy()
  }
}

/** A message of a given size that holds nothing but zeros: an item that no version has. */
const blankMessage = (tag: number, size: number): Uint8Array => {
  const padded = Math.max(16, Math.ceil(size / 8) * 8)
  const message = Buffer.alloc(padded)
  message.writeUInt32BE(tag * 256 + 1, 0)
  message.writeUInt32BE(padded - 8, 4)
  message.writeUInt32BE(Tag.ResponseHeader * 256 + 8, 8)
  message.writeUInt32BE(padded - 16, 12)
  return message
}
