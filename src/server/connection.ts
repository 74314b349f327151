/**
 * The connection actor: one per TLS session. What it is: from bytes to requests to answers, in order, within bounds, with
 * no I/O of its own: it is told of events and speaks through an output (a socket, or an array in a test). What it is not:
 * TLS, identity, or what a request means.
 *
 *     data ─▶ framer ─▶ requests that wait ─▶ one at a time: answer ─▶ one write ─▶ output
 *               │             └─ too many: stop reading, read on when half are answered
 *               └─ not a message: one refusal, then close, for the framing is lost
 *
 * States: `open`; `finishing` (no more is read: what was taken is answered, then the end); `closed`.
 */
import { type Cancel, type Clock, processorMs } from '#actor/clock'
import { errorText } from '#actor/error-text'
import { awaitable, Later, type Listener, type Soon } from '#actor/later'
import { heavyMs, nextSlice, workedBriefly } from '#actor/slices'
import { ResultReason } from '#kmip/enums'
import { KmipError, kmipErrorOf } from '#kmip/errors'
import { Tag } from '#kmip/tags'
import { TtlvError } from '#ttlv/error'
import { Framer } from '#ttlv/framer'
import type { Holder } from './holdings.ts'

/** Where the actor's answers go. */
export interface Output {
  /** Writes one answer with one write. False: the peer reads too slowly; `drained` will be told. */
  send(answer: Buffer): boolean
  pause(): void
  resume(): void
  /** Ends the session after what was sent. */
  end(): void
  /** Ends the session at once. */
  destroy(): void
}

export interface ConnectionLimits {
  readonly requestSizeMax: number
  readonly unansweredRequestsMax: number
  readonly unansweredBytesMax: number
  /** From a request's first byte to its last; and for a peer that does not take an answer. */
  readonly requestTimeoutMs: number
  /** Without any request; 0: for ever. */
  readonly idleTimeoutMs: number
}

/** An answer after which the session ends. */
export class LastAnswer {
  readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }
}

/** Bytes as they are, but for the last ones: an object around each would cost as much as the rest of a turn. */
export type Answer = Buffer | LastAnswer

/** Answers requests: the dispatcher, with the session's identity looked up anew for every request. */
export interface Responder {
  /** No promise when nothing had to be waited for. */
  answer(message: Buffer): Soon<Answer>
  refusal(error: KmipError): Buffer
  /** How many messages could not be read. */
  readonly unreadable: number
}

/** Why a session ended, for the log. */
export type ConnectionEnd =
  | 'peer'
  // By the peer, which had asked for nothing that could be read.
  | 'unused'
  | 'framing'
  | 'request timeout'
  | 'idle'
  | 'slow reader'
  | 'drained'
  | 'refused'
  | 'failure'

export interface ConnectionOptions {
  readonly output: Output
  readonly responder: Responder
  readonly limits: ConnectionLimits
  /** What the sessions of this client hold: of requests that are large, and of answers that are not taken. */
  readonly holders: ConnectionHolders
  /** Whose work it is: sessions of one client share slices and rest together. */
  readonly client: string
  readonly clock: Clock
  readonly onEnd: (reason: ConnectionEnd, detail: string) => void
}

export interface ConnectionHolders {
  readonly requests: Holder
  readonly answers: Holder
}

const nothing = (): void => undefined
const noMessage: Buffer = Buffer.alloc(0)

/** What of an answer is sent. */
export const bytesOf = (answer: Answer): Buffer => (answer instanceof LastAnswer ? answer.bytes : answer)

/** A request is large from here on: the account of smaller ones is their number, and they cost the thread little. */
export const largeRequestBytes = 16_384
/**
 * Behind an answer that was heavy by the clock, so many are timed by the processor, which is too dear for all: whom the system or the
 * collector held up has not worked.
 */
const suspectedAnswers = 8
/** So long a session answers what is short before others have a turn. */
const turnMs = 4 * heavyMs
/** About what reading so many bytes has cost the thread: decryption, and copies. */
export const readingMs = (bytes: number): number => (2 * bytes) / 1_048_576
/** So much of a large request is read in one turn: about a slice of work, and as much again may come behind it. */
const readAtOnceBytes = 131_072
const heldFor = (bytes: number): number => (bytes < largeRequestBytes ? 0 : bytes)

export class Connection implements Listener<Answer> {
  readonly #options: ConnectionOptions
  readonly #framer: Framer
  #state: 'open' | 'finishing' | 'closed' = 'open'
  #waiting: Buffer[] = []
  #waitingBytes = 0
  /** Held for requests that are not answered, and of it for the one that is not complete. */
  #heldBytes = 0
  #heldForBegun = 0
  /** A large request has begun, and there is no room for it yet: nothing is read. */
  #cancelRoom: Cancel | undefined
  #unsentBytes = 0
  /** No longer waits for room for an answer. */
  #endTurn = nothing
  #paused = false
  /** Read of the request that is not complete since the session had its last turn, and whether it waits for another one. */
  #readBytes = 0
  #waitsToRead = false
  #busy = false
  /** The request whose answer comes later, and then is sent in that turn. */
  #held: Buffer = noMessage
  /** The request whose answer is waited for when the rest is answered turn by turn. */
  #begun: { readonly message: Buffer; readonly answer: Promise<Answer> } | undefined
  /** The last answer was more than the peer takes now. */
  #mustDrain = false
  #drained: (() => void) | undefined
  #cancelRequestTimer: Cancel = nothing
  #requestTimed = false
  #cancelIdleTimer: Cancel = nothing
  /** When the session last answered: the timer looks at it, so that a request costs no timer of its own. */
  #lastUsedMs = 0
  /** Its last answer was a slice of work: the next one waits for its client to have rested, however many such sessions there are. */
  #isHeavy = false
  /** Answers to come that are timed by the processor. */
  #suspected = 0
  /** It had the thread for long: others have a turn before it goes on. */
  #isLong = false
  #ending: ConnectionEnd = 'peer'
  /** Messages that were taken. */
  #taken = 0
  #detail = ''
  #lastWords: KmipError | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#framer = new Framer(Tag.RequestMessage, options.limits.requestSizeMax)
    this.#startIdleTimer()
  }

  /** Bytes came from the peer. */
  data(chunk: Buffer): void {
    if (this.#state !== 'open') return
    this.#framer.push(chunk)
    this.#readBytes += chunk.length
    this.#takeRequests()
  }

  /** The peer sends no more: what it asked is answered, then the session ends. */
  ended(): void {
    this.#finish('peer', '')
  }

  /** The peer took what was sent. */
  drained(): void {
    this.#drained?.()
  }

  /** The answer has come that it waited for. */
  resolved(answer: Answer): void {
    this.#answerNow(answer)
  }

  /** It will not come. */
  rejected(error: unknown): void {
    this.#fail(error)
  }

  /** The session is gone, whatever was still to be said. */
  closed(): void {
    this.#close()
  }

  /** No new requests: those that were taken are answered, then the session ends. */
  drain(): void {
    this.#finish('drained', '')
  }

  #takeRequests(): void {
    let refused: KmipError | undefined
    let taken = 0
    try {
      while (!this.#isFull()) {
        const message = this.#framer.next()
        if (message === undefined) break
        this.#waiting.push(message)
        this.#waitingBytes += message.length
        this.#holdTaken(heldFor(message.length))
        taken += 1
      }
      if (!this.#isFull()) this.#holdBegun(heldFor(this.#framer.begunBytes))
    } catch (error) {
      refused = framingRefusal(error)
    }
    this.#taken += taken
    this.#timeRequest(taken > 0)
    if (taken > 0) this.#readBytes = 0
    else if (refused === undefined) this.#readInTurns()
    this.#setPaused(!this.#mayRead())
    if (refused !== undefined) this.#finish('framing', refused.message, refused)
    this.#run()
  }

  /** A request is complete: it is held already when it was seen to begin. */
  #holdTaken(bytes: number): void {
    this.#dropRoom()
    this.#hold(bytes - this.#heldForBegun)
    this.#heldForBegun = 0
  }

  #dropRoom(): void {
    if (this.#cancelRoom === undefined) return
    this.#cancelRoom()
    this.#cancelRoom = undefined
    this.#heldForBegun = 0
  }

  /**
   * A request has begun: all of it is held from now on, so that whoever was let begin can go on to the end. Where there is no room,
   * nothing more is read before there is.
   */
  #holdBegun(bytes: number): void {
    if (bytes === this.#heldForBegun || this.#cancelRoom !== undefined) return
    this.#heldForBegun = bytes
    const { requests } = this.#options.holders
    if (requests.hasRoom(bytes)) return this.#hold(bytes)
    this.#cancelRoom = requests.takeInTurn(bytes, () => {
      this.#heldBytes += bytes
      this.#cancelRoom = undefined
      this.#timeRequest(true)
      this.#setPaused(!this.#mayRead())
      this.#run()
    })
  }

  /** Others have the thread while a large request comes in: what a socket has is otherwise read and decrypted in one piece. */
  #readInTurns(): void {
    if (this.#readBytes < readAtOnceBytes || this.#waitsToRead) return
    const costMs = readingMs(this.#readBytes)
    this.#readBytes = 0
    this.#waitsToRead = true
    void nextSlice(this.#options.client, costMs).then(() => {
      this.#waitsToRead = false
      if (this.#state === 'open') this.#setPaused(!this.#mayRead())
    })
  }

  #mayRead(): boolean {
    return !this.#isFull() && this.#cancelRoom === undefined && !this.#waitsToRead
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes
    if (bytes > 0) this.#options.holders.requests.take(bytes)
    else this.#options.holders.requests.give(-bytes)
  }

  /** A request was answered. */
  #answeredOne(message: Buffer): void {
    this.#waitingBytes -= message.length
    if (!this.#isClosed()) this.#hold(-heldFor(message.length))
  }

  /** Gives an answer to the output. False: the peer has not taken it; until it has, it is held. */
  #send(answer: Answer): boolean {
    const bytes = bytesOf(answer)
    const taken = this.#options.output.send(bytes)
    if (!taken) {
      this.#unsentBytes += bytes.length
      this.#options.holders.answers.take(bytes.length)
    }
    return taken
  }

  #tookAll(): void {
    this.#options.holders.answers.give(this.#unsentBytes)
    this.#unsentBytes = 0
  }

  #isFull(): boolean {
    const { unansweredRequestsMax, unansweredBytesMax } = this.#options.limits
    return this.#waiting.length >= unansweredRequestsMax || this.#waitingBytes >= unansweredBytesMax
  }

  #setPaused(paused: boolean): void {
    if (paused === this.#paused) return
    this.#paused = paused
    if (paused) this.#options.output.pause()
    else this.#options.output.resume()
  }

  #run(): void {
    if (this.#busy || this.#state === 'closed') return
    this.#busy = true
    this.#answerNow()
  }

  /** @param held the answer that has come, where one was waited for */
  #answerNow(held?: Answer): void {
    try {
      if (held !== undefined) this.#lastUsedMs = this.#options.clock.monotonicMs()
      const left = held === undefined || this.#give(this.#held, held) ? this.#answerAtOnce() : 'more'
      if (left === 'nothing') this.#ready()
      else if (left === 'more') this.#answerAll().catch((error: unknown) => this.#fail(error))
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#ending = 'failure'
    this.#detail = errorText(error)
    this.#options.output.destroy()
    this.#close()
  }

  /**
   * Answers what needs not be waited for, without a turn of the loop. Gives what is left: an answer that comes later; or more, if the
   * session has not ended.
   */
  #answerAtOnce(): 'nothing' | 'later' | 'more' {
    const { clock } = this.#options
    const turnBeganMs = clock.monotonicMs()
    let beganMs = turnBeganMs
    while (!this.#paused) {
      if (this.#waiting.length > 0 && this.#mustWait()) return 'more'
      const message = this.#waiting.shift()
      if (message === undefined) return 'nothing'
      const answer = this.#timedAnswer(message, beganMs)
      beganMs = this.#lastUsedMs
      this.#isLong ||= beganMs - turnBeganMs > turnMs
      if (answer instanceof Promise) {
        this.#begun = { message, answer }
        return 'more'
      }
      if (answer instanceof Later) {
        this.#held = message
        answer.tell(this)
        return 'later'
      }
      if (!this.#give(message, answer)) return 'more'
    }
    return 'more'
  }

  /** Sends an answer. False: the next one must wait, or the session is over. */
  #give(message: Buffer, answer: Answer): boolean {
    this.#answeredOne(message)
    if (this.#isClosed()) return false
    const taken = this.#send(answer)
    if (answer instanceof LastAnswer) {
      this.#endRefused()
      return false
    }
    this.#mustDrain = !taken
    return taken
  }

  async #answerAll(): Promise<void> {
    const { limits } = this.#options
    if (this.#isClosed()) return
    if (this.#mustDrain && !(await this.#waitForPeer())) return
    this.#mustDrain = false
    const begun = this.#begun
    this.#begun = undefined
    for (
      let message = begun?.message ?? this.#waiting.shift();
      message !== undefined;
      message = this.#waiting.shift()
    ) {
      if (message !== begun?.message && this.#mustWait(message) && !(await this.#turn(message))) return
      const answer = await (message === begun?.message ? begun.answer : awaitable(this.#timedAnswer(message)))
      if (!this.#give(message, answer)) {
        if (!this.#mustDrain || !(await this.#waitForPeer())) return
        this.#mustDrain = false
      }
      const half =
        this.#waiting.length * 2 <= limits.unansweredRequestsMax && this.#waitingBytes * 2 <= limits.unansweredBytesMax
      if (this.#paused && half && this.#state === 'open') this.#takeRequests()
    }
    this.#lastUsedMs = this.#options.clock.monotonicMs()
    this.#ready()
  }

  /** Whether the next answer may not be made now: a large request is heavy before anybody has looked at it. */
  #mustWait(next = this.#waiting[0]): boolean {
    if (this.#isHeavy || this.#isLong || !this.#options.holders.answers.hasRoom(0)) return true
    return (next?.length ?? 0) >= largeRequestBytes
  }

  /** Waits until another answer may be made; false: the session is over. */
  async #turn(next: Buffer): Promise<boolean> {
    const { holders, client } = this.#options
    const { answers } = holders
    if (!answers.hasRoom(0)) {
      await new Promise<void>((resolve) => {
        const cancel = answers.takeInTurn(0, resolve)
        this.#endTurn = () => {
          cancel()
          resolve()
        }
      })
      this.#endTurn = nothing
    }
    if (this.#isHeavy || next.length >= largeRequestBytes) await nextSlice(client, readingMs(next.length))
    else if (this.#isLong) await nextSlice()
    this.#isLong = false
    return !this.#isClosed()
  }

  #timedAnswer(message: Buffer, beganMs = this.#options.clock.monotonicMs()): Soon<Answer> {
    const { clock, responder } = this.#options
    const processorBeganMs = this.#suspected > 0 ? processorMs() : undefined
    const answer = responder.answer(message)
    this.#lastUsedMs = clock.monotonicMs()
    this.#weigh(this.#lastUsedMs - beganMs, processorBeganMs)
    return answer
  }

  /** An answer took the thread for so long. @param processorBeganMs where it is timed by the processor */
  #weigh(tookMs: number, processorBeganMs: number | undefined): void {
    const seemsShort = tookMs <= heavyMs
    const workedMs = seemsShort || processorBeganMs === undefined ? 0 : processorMs() - processorBeganMs
    this.#isLong = !seemsShort
    this.#isHeavy = workedMs > heavyMs
    this.#suspected = seemsShort ? Math.max(0, this.#suspected - 1) : suspectedAnswers
    if (seemsShort) workedBriefly()
  }

  /** Nothing waits any more. */
  #ready(): void {
    this.#busy = false
    if (this.#state === 'finishing') this.#end()
  }

  /** Nothing that still waits is answered: the session has no service. */
  #endRefused(): void {
    this.#ending = 'refused'
    this.#options.output.end()
    this.#close()
  }

  /** Told to the compiler as a question, because the state changes while an answer is awaited. */
  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** Waits until the peer has taken what was sent; false when it did not in time. */
  #waitForPeer(): Promise<boolean> {
    const { clock, limits, output } = this.#options
    return new Promise((resolve) => {
      const cancel = clock.after(limits.requestTimeoutMs, () => {
        this.#drained = undefined
        this.#ending = 'slow reader'
        output.destroy()
        this.#close()
        resolve(false)
      })
      this.#drained = () => {
        this.#drained = undefined
        this.#tookAll()
        cancel()
        resolve(!this.#isClosed())
      }
    })
  }

  /** Bounds the time of a message that has begun and is not complete; behind one that was taken, a new time begins. */
  #timeRequest(anew: boolean): void {
    const incomplete = this.#framer.pendingBytes > 0 && !this.#isFull() && this.#cancelRoom === undefined
    if (incomplete === this.#requestTimed && !(incomplete && anew)) return
    this.#requestTimed = incomplete
    this.#cancelRequestTimer()
    this.#cancelRequestTimer = nothing
    if (!incomplete) return
    const { clock, limits } = this.#options
    this.#cancelRequestTimer = clock.after(limits.requestTimeoutMs, () => {
      const refused = new KmipError(
        ResultReason.InvalidMessage,
        `The message was not complete after ${limits.requestTimeoutMs} ms`,
      )
      this.#finish('request timeout', refused.message, refused)
    })
  }

  #startIdleTimer(): void {
    const { clock, limits } = this.#options
    this.#lastUsedMs = clock.monotonicMs()
    if (limits.idleTimeoutMs !== 0) this.#waitForIdleness(limits.idleTimeoutMs)
  }

  #waitForIdleness(delayMs: number): void {
    const { clock, limits } = this.#options
    this.#cancelIdleTimer = clock.after(delayMs, () => {
      const idleMs = this.#busy ? 0 : clock.monotonicMs() - this.#lastUsedMs
      if (idleMs >= limits.idleTimeoutMs) return this.#finish('idle', '')
      this.#waitForIdleness(limits.idleTimeoutMs - idleMs)
    })
  }

  /** Reads no more; what was taken is answered, `last` is said after it, then the session ends. */
  #finish(reason: ConnectionEnd, detail: string, last?: KmipError): void {
    if (this.#state !== 'open') return
    this.#state = 'finishing'
    this.#ending = reason
    this.#detail = detail
    this.#cancelRequestTimer()
    if (last !== undefined) this.#lastWords = last
    if (!this.#busy && this.#waiting.length === 0) this.#end()
    else this.#run()
  }

  #end(): void {
    const { output, responder } = this.#options
    if (this.#lastWords !== undefined) output.send(responder.refusal(this.#lastWords))
    output.end()
    this.#close()
  }

  #close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#waiting = []
    this.#dropRoom()
    this.#hold(-this.#heldBytes)
    this.#tookAll()
    this.#endTurn()
    this.#cancelRequestTimer()
    this.#cancelIdleTimer()
    this.#drained?.()
    const isUnused = this.#ending === 'peer' && this.#taken <= this.#options.responder.unreadable
    this.#options.onEnd(isUnused ? 'unused' : this.#ending, this.#detail)
  }
}

/** What is said to a peer whose bytes are no messages. @throws what is not about bytes */
const framingRefusal = (error: unknown): KmipError => {
  if (error instanceof TtlvError) return kmipErrorOf(error)
  throw error
}
