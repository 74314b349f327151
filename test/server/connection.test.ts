/**
 * The connection actor without a socket: events go in, an array takes what comes out. What it is: cutting, order, bounds,
 * time limits and every way to an end. What it is not: TLS, or what a request means.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { SettableClock } from '#actor/clock'
import { Later, type Soon } from '#actor/later'
import { ResultReason } from '#kmip/enums'
import type { KmipError } from '#kmip/errors'
import { type Answer, Connection, type ConnectionHolders, type ConnectionLimits, LastAnswer } from '#server/connection'
import { Holdings } from '#server/holdings'
import { headerSize, labelOf, request } from './frames.ts'

const defaultLimits: ConnectionLimits = {
  requestSizeMax: 1024,
  unansweredRequestsMax: 4,
  unansweredBytesMax: 4096,
  requestTimeoutMs: 1000,
  idleTimeoutMs: 10_000,
}

interface Held {
  readonly label: number
  readonly answer: (other?: Answer) => void
  readonly fail: (error: Error) => void
}

interface Session {
  readonly connection: Connection
  readonly clock: SettableClock
  /** What the peer and the socket were told, in order: `answer 3`, `refused ...`, `pause`, `resume`, `end`, `destroy`. */
  readonly output: string[]
  /** How it ended, once. */
  readonly ends: string[]
  /** Requests whose answers the test holds back, oldest first. */
  readonly held: Held[]
  /** Set to false: the next sends say that the peer does not take them. */
  taking: boolean
  /** How many of its messages could not be read. */
  unreadable: number
}

/** What sessions of one client hold, with so much room. */
const roomy = (bytes = Number.MAX_SAFE_INTEGER): ConnectionHolders => {
  const limits = { heldBytesPerClientMax: bytes, heldBytesMax: bytes }
  return { requests: new Holdings(limits).holderOf('client'), answers: new Holdings(limits).holderOf('client') }
}

/** In which ways answers come that are waited for: all that follows is true of both. */
const ways = ['a promise', 'told later'] as const

/** @param hold true: the test answers; false: every request is answered at once. */
type Open = (hold: boolean, limits?: Partial<ConnectionLimits>, holders?: ConnectionHolders) => Session

const openBy =
  (way: (typeof ways)[number]): Open =>
  (hold, limits = {}, holders = roomy()) => {
    const clock = new SettableClock()
    const output: string[] = []
    const ends: string[] = []
    const held: Held[] = []
    const send = (answer: Buffer): boolean => {
      output.push(answer.toString())
      return session.taking
    }
    const answer = (message: Buffer): Soon<Answer> => {
      const label = labelOf(message)
      const plain = Buffer.from(`answer ${label}`)
      const later = new Later<Answer>()
      if (hold) {
        held.push({ label, answer: (other = plain) => later.resolve(other), fail: (error) => later.reject(error) })
      } else queueMicrotask(() => later.resolve(plain))
      return way === 'a promise' ? later.promise() : later
    }
    const refusal = (error: KmipError): Buffer => Buffer.from(`refused ${error.reason}`)
    const connection = new Connection({
      output: {
        send,
        pause: () => void output.push('pause'),
        resume: () => void output.push('resume'),
        end: () => void output.push('end'),
        destroy: () => void output.push('destroy'),
      },
      responder: {
        answer,
        refusal,
        get unreadable() {
          return session.unreadable
        },
      },
      limits: { ...defaultLimits, ...limits },
      holders,
      client: 'client',
      clock,
      onEnd: (reason) => void ends.push(reason),
    })
    const session: Session = { connection, clock, output, ends, held, taking: true, unreadable: 0 }
    return session
  }

const refused = (reason: number): string => `refused ${reason}`
const garbage = Buffer.from('GET / HTTP/1.1\r\n\r\n')

/** Answers the oldest request that is held. */
const answerNext = async (session: Session, expected: number, answer?: Answer): Promise<void> => {
  const oldest = session.held.shift()
  assert.equal(oldest?.label, expected)
  oldest.answer(answer)
  await turn()
}

for (const way of ways) {
  const open = openBy(way)

  describe(`${way}: requests out of bytes`, () => {
    test('byte by byte', async () => {
      const session = open(false)
      for (const byte of Buffer.concat([request(1), request(2, 40)])) session.connection.data(Buffer.of(byte))
      await turn()
      assert.deepEqual(session.output, ['answer 1', 'answer 2'])
    })

    test('split at every place', async () => {
      const bytes = Buffer.concat([request(1), request(2)])
      for (let at = 1; at < bytes.length; at += 1) {
        const session = open(false)
        session.connection.data(bytes.subarray(0, at))
        await turn()
        session.connection.data(bytes.subarray(at))
        await turn()
        assert.deepEqual(session.output, ['answer 1', 'answer 2'], `split at ${at}`)
      }
    })

    test('joined in one chunk: one write for each', async () => {
      const session = open(false)
      session.connection.data(Buffer.concat([request(1), request(2), request(3)]))
      await turn()
      assert.deepEqual(session.output, ['answer 1', 'answer 2', 'answer 3'])
      assert.deepEqual(session.ends, [])
    })

    test('pipelined: one at a time, in order', async () => {
      const session = open(true)
      session.connection.data(Buffer.concat([request(1), request(2)]))
      session.connection.data(request(3))
      assert.deepEqual(
        session.held.map(({ label }) => label),
        [1],
      )
      await answerNext(session, 1)
      await answerNext(session, 2)
      await answerNext(session, 3)
      assert.deepEqual(session.output, ['answer 1', 'answer 2', 'answer 3'])
    })
  })

  describe(`${way}: too much unanswered`, () => {
    test('many requests: reading stops, and goes on when half are answered', async () => {
      const session = open(true)
      for (let label = 1; label <= 4; label += 1) session.connection.data(request(label))
      assert.equal(session.output.length, 0, 'one is answered and three wait: within the bound')
      for (let label = 5; label <= 9; label += 1) session.connection.data(request(label))
      assert.deepEqual(session.output, ['pause'])
      for (let label = 1; label <= 9; label += 1) await answerNext(session, label)
      const answers = session.output.filter((event) => event.startsWith('answer'))
      assert.deepEqual(
        answers,
        [1, 2, 3, 4, 5, 6, 7, 8, 9].map((label) => `answer ${label}`),
      )
      assert.equal(session.output.filter((event) => event === 'pause').length, 1)
      assert.equal(session.output.filter((event) => event === 'resume').length, 1)
      assert.ok(session.output.indexOf('resume') < session.output.indexOf('answer 9'))
    })

    test('many bytes: the same', async () => {
      const session = open(true, { unansweredRequestsMax: 100, unansweredBytesMax: 2048 })
      for (let label = 1; label <= 3; label += 1) session.connection.data(request(label, 1000))
      assert.deepEqual(session.output, ['pause'])
      await answerNext(session, 1)
      assert.deepEqual(session.output, ['pause', 'answer 1'])
      await answerNext(session, 2)
      assert.deepEqual(session.output, ['pause', 'answer 1', 'answer 2', 'resume'])
      await answerNext(session, 3)
      assert.equal(session.output.at(-1), 'answer 3')
    })

    test('a large request is read in turns, in which others have the thread', async () => {
      const session = open(false, { requestSizeMax: 1 << 20, unansweredBytesMax: 1 << 20 })
      const frame = request(1, 300_000)
      session.connection.data(frame.subarray(0, 100_000))
      assert.deepEqual(session.output, [])
      session.connection.data(frame.subarray(100_000, 200_000))
      assert.deepEqual(session.output, ['pause'])
      for (let waits = 0; waits < 1000 && session.output.length < 2; waits += 1) await sleep(1)
      assert.deepEqual(session.output, ['pause', 'resume'])
      session.connection.data(frame.subarray(200_000))
      // It may rest for a moment.
      for (let waits = 0; waits < 1000 && session.output.length < 3; waits += 1) await sleep(1)
      assert.deepEqual(session.output, ['pause', 'resume', 'answer 1'])
    })

    test('what one chunk holds beyond the bound is answered too', async () => {
      const session = open(false, { unansweredRequestsMax: 2 })
      const labels = Array.from({ length: 50 }, (_, index) => index + 1)
      session.connection.data(Buffer.concat(labels.map((label) => request(label))))
      await turn()
      assert.deepEqual(
        session.output.filter((event) => event.startsWith('answer')),
        labels.map((label) => `answer ${label}`),
      )
      assert.equal(session.output.filter((event) => event === 'pause').length, 1)
      assert.equal(session.output.filter((event) => event === 'resume').length, 1)
    })
  })

  describe(`${way}: memory for all sessions of a client`, () => {
    const large = 40_000
    const limits = { requestSizeMax: 65_536, unansweredBytesMax: 1_048_576 }
    const small = 20
    /** Large requests are answered in slices of the thread, which come when those before have rested from their work. */
    const comes = async (isThere: () => boolean): Promise<void> => {
      while (!isThere()) await turn()
    }

    test('a large request that finds no room is not read on, and is when there is some', async () => {
      const holders = roomy(50_000)
      const [one, other] = [open(true, limits, holders), open(true, limits, holders)]
      one.connection.data(request(1, large))
      other.connection.data(request(2, large).subarray(0, small))
      assert.deepEqual(other.output, ['pause'])
      other.clock.advance(5_000)
      assert.deepEqual(other.ends, [], 'it is not the peer who is late')
      await comes(() => one.held.length > 0)
      await answerNext(one, 1)
      assert.deepEqual(other.output, ['pause', 'resume'])
      other.connection.data(request(2, large).subarray(small))
      await comes(() => other.held.length > 0)
      await answerNext(other, 2)
      assert.deepEqual(other.output, ['pause', 'resume', 'answer 2'])
      assert.ok(holders.requests.hasRoom(50_000), 'all was given back')
    })

    test('of a request that has begun all is held: who was let begin can end it', async () => {
      const holders = roomy(50_000)
      const [one, other] = [open(false, limits, holders), open(false, limits, holders)]
      one.connection.data(request(1, large).subarray(0, small))
      other.connection.data(request(2, large).subarray(0, small))
      assert.deepEqual([one.output, other.output], [[], ['pause']])
      one.connection.data(request(1, large).subarray(small))
      await comes(() => one.output.length > 0)
      assert.deepEqual(one.output, ['answer 1'])
      await comes(() => other.output.length > 1)
      assert.deepEqual(other.output, ['pause', 'resume'])
    })

    test('a session that ends gives back what it held, and what it waited for', async () => {
      const holders = roomy(50_000)
      const [one, other] = [open(true, limits, holders), open(true, limits, holders)]
      one.connection.data(request(1, large).subarray(0, small))
      other.connection.data(request(2, large).subarray(0, small))
      other.connection.closed()
      one.connection.closed()
      assert.ok(holders.requests.hasRoom(50_000))
      await turn()
      assert.deepEqual(other.output, ['pause'])
    })

    test('while answers are not taken, the client gets no more of them in any session', async () => {
      const holders = roomy(20)
      const [one, other] = [open(false, limits, holders), open(false, limits, holders)]
      one.taking = false
      const answerOfMany = Buffer.alloc(30)
      const held = open(true, limits, holders)
      held.taking = false
      held.connection.data(request(3))
      await answerNext(held, 3, answerOfMany)
      one.connection.data(request(1))
      other.connection.data(request(2))
      await turn()
      assert.deepEqual([one.output, other.output], [[], []])
      held.connection.drained()
      await turn()
      await turn()
      assert.deepEqual([one.output, other.output], [['answer 1'], ['answer 2']])
      one.connection.closed()
      assert.ok(holders.answers.hasRoom(20))
    })

    test('a session that ends while it waits for room for an answer makes none', async () => {
      const holders = roomy(20)
      holders.answers.take(30)
      const session = open(false, limits, holders)
      session.connection.data(request(1))
      session.connection.closed()
      holders.answers.give(30)
      await turn()
      assert.deepEqual(session.output, [])
    })
  })

  describe(`${way}: bytes that are no requests`, () => {
    test('garbage: one refusal, then the end', async () => {
      const session = open(false)
      session.connection.data(garbage)
      await turn()
      assert.deepEqual(session.output, [refused(ResultReason.InvalidMessage), 'end'])
      assert.deepEqual(session.ends, ['framing'])
      session.connection.data(request(1))
      session.connection.data(garbage)
      await turn()
      assert.equal(session.output.length, 2, 'nothing is read after the framing is lost')
    })

    test('the first wrong byte is enough', async () => {
      const session = open(false)
      session.connection.data(Buffer.of(0x16))
      await turn()
      assert.deepEqual(session.output, [refused(ResultReason.InvalidMessage), 'end'])
    })

    test('a message that says it is too long is refused at its header', async () => {
      const session = open(false)
      session.connection.data(request(1, 2048).subarray(0, headerSize))
      await turn()
      assert.equal(session.output.length, 2)
      assert.match(session.output[0] ?? '', /^refused/)
      assert.equal(session.output[1], 'end')
      assert.deepEqual(session.ends, ['framing'])
    })

    test('the longest message that is allowed is answered', async () => {
      const session = open(false)
      session.connection.data(request(1, defaultLimits.requestSizeMax - headerSize))
      await turn()
      assert.deepEqual(session.output, ['answer 1'])
    })

    test('requests before the garbage are answered first', async () => {
      const session = open(true)
      session.connection.data(Buffer.concat([request(1), request(2), garbage]))
      await turn()
      assert.deepEqual(session.output, [])
      await answerNext(session, 1)
      await answerNext(session, 2)
      assert.deepEqual(session.output, ['answer 1', 'answer 2', refused(ResultReason.InvalidMessage), 'end'])
      assert.deepEqual(session.ends, ['framing'])
    })

    test('garbage behind more requests than may wait is refused once they are answered', async () => {
      const session = open(false, { unansweredRequestsMax: 2 })
      session.connection.data(Buffer.concat([1, 2, 3, 4, 5].map((label) => request(label)).concat(garbage)))
      await turn()
      const said = session.output.filter((event) => event !== 'pause' && event !== 'resume')
      assert.deepEqual(said.slice(-3), ['answer 5', refused(ResultReason.InvalidMessage), 'end'])
      assert.equal(said.length, 7)
    })
  })

  describe(`${way}: time`, () => {
    test('a request that is not completed in time', async () => {
      const session = open(false)
      session.connection.data(request(1).subarray(0, 12))
      session.clock.advance(defaultLimits.requestTimeoutMs - 1)
      assert.deepEqual(session.output, [])
      session.connection.data(request(1).subarray(12, 14))
      session.clock.advance(1)
      assert.deepEqual(session.output, [refused(ResultReason.InvalidMessage), 'end'])
      assert.deepEqual(session.ends, ['request timeout'])
      assert.equal(session.clock.timers, 0)
    })

    test('each request has its own time, though the stream never stops at a boundary', async () => {
      const session = open(false)
      const stepMs = defaultLimits.requestTimeoutMs * 0.6
      session.connection.data(request(1).subarray(0, 12))
      for (let label = 1; label <= 5; label += 1) {
        session.clock.advance(stepMs)
        session.connection.data(Buffer.concat([request(label).subarray(12), request(label + 1).subarray(0, 12)]))
        await turn()
      }
      assert.deepEqual(session.ends, [])
      assert.deepEqual(
        session.output,
        [1, 2, 3, 4, 5].map((label) => `answer ${label}`),
      )
      session.clock.advance(defaultLimits.requestTimeoutMs)
      assert.deepEqual(session.ends, ['request timeout'])
    })

    test('a slow answer is not a slow request', async () => {
      const session = open(true)
      session.connection.data(request(1))
      session.clock.advance(defaultLimits.requestTimeoutMs + defaultLimits.idleTimeoutMs + 1)
      assert.deepEqual(session.ends, [])
      await answerNext(session, 1)
      assert.deepEqual(session.output, ['answer 1'])
    })

    test('idle from the beginning', () => {
      const session = open(false)
      session.clock.advance(defaultLimits.idleTimeoutMs)
      assert.deepEqual(session.output, ['end'])
      assert.deepEqual(session.ends, ['idle'])
      assert.equal(session.clock.timers, 0)
    })

    test('idle counts from the last answer', async () => {
      const session = open(false)
      session.clock.advance(defaultLimits.idleTimeoutMs - 1)
      session.connection.data(request(1))
      await turn()
      session.clock.advance(defaultLimits.idleTimeoutMs - 1)
      assert.deepEqual(session.ends, [])
      session.clock.advance(1)
      assert.deepEqual(session.output, ['answer 1', 'end'])
      assert.deepEqual(session.ends, ['idle'])
    })

    test('bytes that make no request are no use of the session', () => {
      const session = open(true, { requestTimeoutMs: 10 * defaultLimits.idleTimeoutMs })
      const [first = 0, second = 0] = request(1)
      session.clock.advance(defaultLimits.idleTimeoutMs - 1)
      session.connection.data(Buffer.from([first]))
      session.connection.data(Buffer.from([second]))
      session.clock.advance(1)
      assert.deepEqual(session.ends, ['idle'])
    })

    test('idle for ever, where the limit is 0', () => {
      const session = open(false, { idleTimeoutMs: 0 })
      session.clock.advance(365 * 24 * 3_600_000)
      assert.deepEqual(session.ends, [])
      assert.equal(session.clock.timers, 0)
    })
  })

  describe(`${way}: a peer that does not take its answers`, () => {
    test('the next answer waits until it does', async () => {
      const session = open(false)
      session.taking = false
      session.connection.data(Buffer.concat([request(1), request(2)]))
      await turn()
      assert.deepEqual(session.output, ['answer 1'])
      session.clock.advance(defaultLimits.requestTimeoutMs - 1)
      session.taking = true
      session.connection.drained()
      await turn()
      assert.deepEqual(session.output, ['answer 1', 'answer 2'])
      session.clock.advance(defaultLimits.requestTimeoutMs)
      assert.deepEqual(session.ends, [])
    })

    test('too long: the session is cut', async () => {
      const session = open(false)
      session.taking = false
      session.connection.data(Buffer.concat([request(1), request(2)]))
      await turn()
      session.clock.advance(defaultLimits.requestTimeoutMs)
      await turn()
      assert.deepEqual(session.output, ['answer 1', 'destroy'])
      assert.deepEqual(session.ends, ['slow reader'])
      session.connection.drained()
      session.connection.closed()
      await turn()
      assert.deepEqual(session.output, ['answer 1', 'destroy'])
      assert.deepEqual(session.ends, ['slow reader'], 'an end is told once')
      assert.equal(session.clock.timers, 0)
    })

    test('reading stops meanwhile', async () => {
      const session = open(false)
      session.taking = false
      for (let label = 1; label <= 9; label += 1) session.connection.data(request(label))
      await turn()
      assert.deepEqual(session.output, ['pause', 'answer 1'])
    })

    test('gone while an answer waits', async () => {
      const session = open(false)
      session.taking = false
      session.connection.data(Buffer.concat([request(1), request(2)]))
      await turn()
      session.connection.closed()
      await turn()
      assert.deepEqual(session.output, ['answer 1'])
      assert.deepEqual(session.ends, ['peer'])
      assert.equal(session.clock.timers, 0)
    })
  })

  describe(`${way}: ends`, () => {
    test('drain with nothing taken', () => {
      const session = open(false)
      session.connection.drain()
      assert.deepEqual(session.output, ['end'])
      assert.deepEqual(session.ends, ['drained'])
    })

    test('drain answers what was taken, and takes no more', async () => {
      const session = open(true)
      session.connection.data(Buffer.concat([request(1), request(2), request(3).subarray(0, 12)]))
      session.connection.drain()
      session.connection.data(request(3).subarray(12))
      session.connection.data(request(4))
      await answerNext(session, 1)
      assert.deepEqual(session.output, ['answer 1'])
      await answerNext(session, 2)
      assert.deepEqual(session.output, ['answer 1', 'answer 2', 'end'])
      assert.deepEqual(session.ends, ['drained'])
      assert.equal(session.clock.timers, 0)
    })

    test('half close: what was asked is answered, then the end', async () => {
      const session = open(true)
      session.connection.data(Buffer.concat([request(1), request(2)]))
      session.connection.ended()
      await turn()
      assert.deepEqual(session.output, [])
      await answerNext(session, 1)
      await answerNext(session, 2)
      assert.deepEqual(session.output, ['answer 1', 'answer 2', 'end'])
      assert.deepEqual(session.ends, ['peer'])
    })

    test('half close in the middle of a request', async () => {
      const session = open(false)
      session.connection.data(request(1).subarray(0, 20))
      session.connection.ended()
      await turn()
      assert.deepEqual(session.output, ['end'])
      assert.deepEqual(session.ends, ['unused'])
      assert.equal(session.clock.timers, 0)
    })

    test('gone without having asked, and after', async () => {
      const session = open(false)
      session.connection.closed()
      assert.deepEqual(session.ends, ['unused'])
      const other = open(false)
      other.connection.data(request(1))
      await turn()
      other.connection.closed()
      assert.deepEqual(other.ends, ['peer'])
      const unreadable = open(false)
      unreadable.connection.data(Buffer.concat([request(1), request(2)]))
      await turn()
      unreadable.unreadable = 2
      unreadable.connection.closed()
      assert.deepEqual(unreadable.ends, ['unused'])
    })

    test('gone while a request is answered: the answer goes nowhere', async () => {
      const session = open(true)
      session.connection.data(Buffer.concat([request(1), request(2)]))
      session.connection.closed()
      assert.deepEqual(session.ends, ['peer'])
      await answerNext(session, 1)
      assert.deepEqual(session.output, [])
      assert.deepEqual(session.held, [], 'the second request is not begun')
      assert.equal(session.clock.timers, 0)
    })

    test('an answer that is the last one', async () => {
      const session = open(true)
      session.connection.data(Buffer.concat([request(1), request(2)]))
      await answerNext(session, 1, new LastAnswer(Buffer.from('answer 1')))
      assert.deepEqual(session.output, ['answer 1', 'end'])
      assert.deepEqual(session.ends, ['refused'])
      assert.deepEqual(session.held, [])
    })

    test('a responder that fails', async () => {
      const session = open(true)
      session.connection.data(request(1))
      session.held[0]?.fail(new Error('no store'))
      await turn()
      assert.deepEqual(session.output, ['destroy'])
      assert.deepEqual(session.ends, ['failure'])
      assert.equal(session.clock.timers, 0)
    })
  })
}
