/**
 * Traces of messages, for an OpenTelemetry collector. What it is: the only file that knows the tracing library, which is loaded
 * when a collector is configured and not before; one span a message, with one for deciding and one for making it durable. What
 * it is not: traces of everything: all failed and slow messages are sent, and a share of the others.
 */

import { versionText } from '#kmip/versions'
import type { TracedMessage } from './accounting.ts'

export interface TracingOptions {
  /** Of the collector, such as http://localhost:4318/v1/traces. */
  readonly url: string
  /** Of a hundred messages that are neither failed nor slow, so many are sent. */
  readonly percent: number
  /** What is slow, in milliseconds. */
  readonly slowMs: number
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  readonly monotonicMs: () => number
  /** Told when the collector does not take what it is sent, and when it does again. */
  readonly onFailure: (reason: string) => void
}

export interface Tracing {
  readonly trace: (message: TracedMessage) => void
  /** Sends what waits, for a while. */
  stop(): Promise<void>
}

const stopWithinMs = 3_000

/** Loads the library, and begins. */
export const startTracing = async (options: TracingOptions): Promise<Tracing> => {
  const [{ BatchSpanProcessor, TracerProvider }, { OTLPTraceExporter }, { resourceFromAttributes }, api] =
    await Promise.all([
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/api'),
    ])
  // Failures of the collector are told here and nowhere else: the library's own way is the console.
  const logger = {
    error: options.onFailure,
    warn: () => undefined,
    info: () => undefined,
    debug: () => undefined,
    verbose: () => undefined,
  }
  api.diag.setLogger(logger, { logLevel: api.DiagLogLevel.ERROR, suppressOverrideMessage: true })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'kmipd' }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: options.url }),
        exportTimeoutMillis: stopWithinMs,
      }),
    ],
  })
  const tracer = provider.getTracer('kmipd')
  /** Counts up to a whole message that is sent: no luck is needed for a share. */
  let due = 0
  const trace = (message: TracedMessage): void => {
    due += options.percent
    const isDue = due >= 100
    if (isDue) due -= 100
    if (!isDue && message.failure === undefined && message.endedMs - message.beganMs < options.slowMs) return
    const aheadMs = options.nowMs() - options.monotonicMs()
    const at = (monotonicMs: number): Date => new Date(aheadMs + monotonicMs)
    const [first = 'unknown'] = message.operations
    const span = tracer.startSpan(
      message.operations.length > 1 ? 'Batch' : first,
      {
        kind: api.SpanKind.SERVER,
        startTime: at(message.beganMs),
        attributes: {
          'kmip.version': versionText(message.version),
          'kmip.operations': message.operations.slice(0, namesMax),
          'kmip.items': message.operations.length,
          'client.address': message.address,
          ...(message.user === undefined ? {} : { 'enduser.id': message.user }),
          ...(message.clientCorrelationValue === undefined
            ? {}
            : { 'kmip.client_correlation_value': message.clientCorrelationValue.slice(0, textMax) }),
          ...(message.failure === undefined ? {} : { 'kmip.result_reason': message.failure }),
        },
      },
      api.ROOT_CONTEXT,
    )
    const within = api.trace.setSpan(api.ROOT_CONTEXT, span)
    tracer.startSpan('decide', { startTime: at(message.beganMs) }, within).end(at(message.decidedMs))
    tracer.startSpan('make durable', { startTime: at(message.decidedMs) }, within).end(at(message.endedMs))
    if (message.failure !== undefined) span.setStatus({ code: api.SpanStatusCode.ERROR, message: message.failure })
    span.end(at(message.endedMs))
  }
  return {
    trace,
    // A collector that does not answer does not keep the server: the exporter has a time of its own.
    stop: () => provider.shutdown().catch((error: unknown) => options.onFailure(String(error))),
  }
}

/** Of what a peer has chosen, so much is sent. */
const namesMax = 32
const textMax = 128
