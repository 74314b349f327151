/**
 * The process that opens sessions: handshakes as fast as they come, each with one request and its answer, or many sessions
 * that are kept and do nothing. What it is not: the choice of the server, or a report.
 *
 * With TLS 1.3 a client's handshake is over before the server has looked at its certificate; the answer to a request shows
 * that the server took the session.
 */
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import { Tag } from '#kmip/tags'
import { Framer } from '#ttlv/framer'
import { distributionOf, latencyHistogram, latencyOf } from './distribution.ts'
import type { ConnectorAnswer, ConnectorQuestion, Handshakes, Target } from './job.ts'
import { nowMs, sleep } from './machine.ts'
import { refusalIn } from './outcome.ts'

const responseSizeMax = 16 * 1024 * 1024
const openTimeoutMs = 30_000

interface Opened {
  readonly socket: TLSSocket
  readonly resumed: boolean
}

interface Way {
  readonly target: Target
  readonly context: SecureContext
  readonly request: Uint8Array
}

const wayTo = (target: Target, request: Uint8Array): Way => ({
  target,
  request,
  context: createSecureContext({
    ca: target.ca,
    ...(target.cert === undefined ? {} : { cert: target.cert }),
    ...(target.key === undefined ? {} : { key: target.key }),
  }),
})

/**
 * Opens a session and has one request answered on it.
 * @param ticket of an earlier session, to be resumed
 * @throws Error when it cannot be opened, is not answered in time, or the answer is a refusal
 */
const open = (
  { target, context, request }: Way,
  ticket: Buffer | undefined,
  onTicket: (ticket: Buffer) => void,
): Promise<Opened> =>
  new Promise((resolve, reject) => {
    const socket = connect({
      host: target.host,
      port: target.port,
      secureContext: context,
      ...(target.servername === undefined ? {} : { servername: target.servername }),
      ...(ticket === undefined ? {} : { session: ticket }),
    })
    const framer = new Framer(Tag.ResponseMessage, responseSizeMax)
    const fail = (error: Error): void => {
      socket.destroy()
      reject(error)
    }
    socket.setNoDelay(true)
    socket.setTimeout(openTimeoutMs, () => fail(new Error('no answer in time')))
    socket.on('error', fail)
    socket.on('close', () => reject(new Error('the server closed the session')))
    socket.on('session', onTicket)
    socket.once('secureConnect', () => socket.write(request))
    socket.on('data', (chunk: Buffer) => {
      try {
        framer.push(chunk)
        const response = framer.next()
        if (response === undefined) return
        const refusal = refusalIn(response)
        if (refusal !== undefined) return fail(new Error(refusal))
        socket.setTimeout(0)
        resolve({ socket, resumed: socket.isSessionReused() })
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)))
      }
    })
  })

const closed = (socket: TLSSocket): void => {
  socket.removeAllListeners('error')
  socket.on('error', () => socket.destroy())
  socket.destroy()
}

/** Opens one session after the other on each of some lanes. */
const handshakes = async (question: Extract<ConnectorQuestion, { kind: 'handshakes' }>): Promise<Handshakes> => {
  const way = wayTo(question.target, question.request)
  const histogram = latencyHistogram()
  const errors: Record<string, number> = {}
  const state = { recording: false, stopped: false }
  let resumed = 0
  const lane = async (): Promise<void> => {
    let ticket: Buffer | undefined
    const keepTicket = (newest: Buffer): void => {
      if (question.resumed) ticket = newest
    }
    while (!state.stopped) {
      const startMs = nowMs()
      try {
        const opened = await open(way, ticket, keepTicket)
        if (state.recording) {
          histogram.record(Math.max(1, Math.round((nowMs() - startMs) * 1e6)))
          if (opened.resumed) resumed += 1
        }
        closed(opened.socket)
      } catch (error) {
        ticket = undefined
        const name = error instanceof Error ? error.message : String(error)
        if (state.recording) errors[name] = (errors[name] ?? 0) + 1
      }
    }
  }
  const lanes = Array.from({ length: question.lanes }, lane)
  await sleep(question.warmupMs)
  state.recording = true
  const startMs = nowMs()
  await sleep(question.durationMs)
  state.recording = false
  const elapsedMs = nowMs() - startMs
  state.stopped = true
  await Promise.all(lanes)
  return { completed: histogram.count, resumed, errors, elapsedMs, latency: latencyOf(distributionOf(histogram)) }
}

let held: TLSSocket[] = []
/** Handshakes at once while many sessions are opened: less than a listener's queue holds. */
const openingMax = 32

/** Opens sessions and keeps them. @throws the first error of any */
const hold = async ({ target, request, sessions }: Extract<ConnectorQuestion, { kind: 'hold' }>): Promise<number> => {
  const way = wayTo(target, request)
  const startMs = nowMs()
  let left = sessions
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      held.push((await open(way, undefined, () => undefined)).socket)
    }
  }
  await Promise.all(Array.from({ length: openingMax }, lane))
  return nowMs() - startMs
}

const handle = async (question: ConnectorQuestion): Promise<ConnectorAnswer> => {
  if (question.kind === 'handshakes') return { kind: 'handshakes', handshakes: await handshakes(question) }
  if (question.kind === 'hold') return { kind: 'held', tookMs: await hold(question), sessions: held.length }
  for (const socket of held) closed(socket)
  held = []
  return { kind: 'released' }
}

const tell = (answer: ConnectorAnswer): void => void process.send?.(answer)

process.on('message', (question: ConnectorQuestion) => {
  handle(question).then(tell, (error: unknown) =>
    tell({ kind: 'failure', text: error instanceof Error ? error.message : String(error) }),
  )
})
// The process lives as long as the one that started it.
process.on('disconnect', () => process.exit())
