/**
 * Peers that mean harm, a row each: what they do to a server until they are told to stop. All come from an address of their own.
 * What it is: the attacks. What it is not: what must hold meanwhile (attacks.test.ts), or its measure (attacks.ts).
 */
import { connect as connectPlain, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { type ConnectionOptions, connect as connectSecure, type TLSSocket } from 'node:tls'
import { attribute, customAttribute } from '#client/attribute'
import { createClient, encodeRequest } from '#client/client'
import { CredentialType, CryptographicAlgorithm, CryptographicUsageMask, ObjectType, Operation } from '#kmip/enums'
import { Tag } from '#kmip/tags'
import type { RunningServer } from '#test/running-server'
import { Framer } from '#ttlv/framer'
import { create } from './load.ts'

/** What an attacker knows of a server. */
export type AttackTarget = Pick<RunningServer, 'host' | 'port' | 'connection'> & {
  /** Where the attack comes from, an address of this machine; default one of its own. */
  readonly attacker?: string
}

/** Attacks until the signal comes. Gives how often it did what it does. */
export type Attack = (server: AttackTarget, signal: AbortSignal) => Promise<number>

/** Another machine, as far as the server can tell. */
const attackerAddress = '127.0.0.2'
const stuckSockets = 150
const lanes = 4

const requestHeader = (batchCount: number) => ({
  protocolVersion: { protocolVersionMajor: 1, protocolVersionMinor: 4 },
  batchCount,
})

const locate = encodeRequest({
  requestHeader: requestHeader(1),
  batchItem: [{ operation: Operation.Locate, requestPayload: {} }],
})

const plain = ({ host, port, attacker = attackerAddress }: AttackTarget): Socket => {
  const socket = connectPlain({ host, port, localAddress: attacker })
  return socket.on('error', () => socket.destroy())
}

const secure = ({ connection, attacker = attackerAddress }: AttackTarget): TLSSocket => {
  const options = { ...connection, localAddress: attacker }
  const socket = connectSecure(options as ConnectionOptions)
  return socket.on('error', () => socket.destroy())
}

/** A session that asks one thing after the other, and reads of an answer no more than where it ends. */
class Asker {
  readonly #socket: TLSSocket
  readonly #framer = new Framer(Tag.ResponseMessage, answerBytesMax)
  #answered: (isAnswer: boolean) => void = () => undefined

  constructor(server: AttackTarget) {
    this.#socket = secure(server).on('data', (chunk: Buffer) => {
      this.#framer.push(chunk)
      if (this.#framer.next() !== undefined) this.#answered(true)
    })
    this.#socket.on('close', () => this.#answered(false))
  }

  /** Resolves with the answer's end; false: the server has ended the session. */
  async ask(message: Buffer): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.#answered = resolve
    if (this.#socket.closed) return false
    this.#socket.write(message)
    return promise
  }

  close(): Promise<void> {
    return closed(this.#socket.destroy())
  }
}

const closed = (socket: Socket): Promise<void> => openedOrClosed(socket, 'close')

const openedOrClosed = (socket: Socket, opened: string): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) return resolve()
    socket.once(opened, () => resolve()).once('close', () => resolve())
  })

/** Keeps so many sockets in a state that they do not leave by themselves; one that the server ends is followed by another. */
const stuck =
  (open: (server: AttackTarget) => Socket, begin: (socket: Socket) => void): Attack =>
  async (server, signal) => {
    const sockets = new Set<Socket>()
    let count = 0
    while (!signal.aborted) {
      while (sockets.size < stuckSockets) {
        const socket = open(server)
        count += 1
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
        socket.once(socket instanceof Object && 'encrypted' in socket ? 'secureConnect' : 'connect', () =>
          begin(socket),
        )
      }
      await pause(20)
    }
    await Promise.all([...sockets].map((socket) => closed(socket.destroy())))
    return count
  }

/** Some at once, each again and again. */
const again =
  (act: (server: AttackTarget) => Promise<void>): Attack =>
  async (server, signal) => {
    let count = 0
    const lane = async (): Promise<void> => {
      for (; !signal.aborted; count += 1) await act(server)
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    return count
  }

/** Sessions that ask again and again; the server may end one, and another follows. */
const asking =
  (nextOf: (server: AttackTarget) => Promise<(count: number) => Buffer>): Attack =>
  async (server, signal) => {
    const next = await nextOf(server)
    let count = 0
    const lane = async (): Promise<void> => {
      let asker = new Asker(server)
      for (; !signal.aborted; count += 1) {
        if (await asker.ask(next(count))) continue
        await asker.close()
        asker = new Asker(server)
      }
      await asker.close()
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    return count
  }

/** The same thing each time. */
const repeating = (message: Buffer): Attack => asking(async () => () => message)

/** Sends bytes that have no good answer, and takes what comes. */
const saying =
  (message: Buffer): Attack =>
  (server, signal) =>
    again(async () => {
      const socket = secure(server)
      await openedOrClosed(socket, 'secureConnect')
      if (socket.destroyed) return
      socket.resume().end(message)
      await closed(socket)
    })(server, signal)

/** Structures within structures, as deep as a message of the largest size can be. */
const nested = (bytes: number): Buffer => {
  const message = Buffer.alloc(bytes)
  for (let at = 0; at < bytes; at += 8) {
    message.writeUIntBE(0x42_0078, at, 3)
    message[at + 3] = 1
    message.writeUInt32BE(bytes - at - 8, at + 4)
  }
  return message
}

const many = (count: number): Buffer =>
  encodeRequest({
    requestHeader: requestHeader(count),
    batchItem: Array.from({ length: count }, (_, index) => ({
      operation: Operation.Locate,
      uniqueBatchItemId: Buffer.from(String(index)),
      requestPayload: {},
    })),
  })

/** A batch of as many items as are allowed, each of which asks for everything. */
const batchMax = 256
const answerBytesMax = 256 * 1024 * 1024
const tooMany = many(10_000)
/** As large as a request may be by default. */
const requestBytesMax = 1_048_576

const one = (operation: number, requestPayload: unknown, header: object = {}): Buffer =>
  encodeRequest({ requestHeader: { ...requestHeader(1), ...header }, batchItem: [{ operation, requestPayload }] })

/** Attributes that are there once, and instances of one, on an object that is there. */
const growing = asking(async (server) => {
  await using client = createClient(server.connection)
  const { uniqueIdentifier } = await create(client)
  return (count) => {
    const next =
      count % 2 === 0 ? customAttribute(`x-${count}`, 'x'.repeat(1000)) : attribute('Object Group', `${count}`)
    return one(Operation.AddAttribute, { uniqueIdentifier, attribute: next })
  }
})

/** The largest attributes that a message holds, and everything of the object in each answer. */
const fattening = asking(async (server) => {
  await using client = createClient(server.connection)
  const { uniqueIdentifier } = await create(client)
  const value = 'x'.repeat(requestBytesMax - 4_096)
  return (count) =>
    count % 2 === 0
      ? one(Operation.AddAttribute, { uniqueIdentifier, attribute: customAttribute(`x-${count}`, value) })
      : one(Operation.GetAttributes, { uniqueIdentifier, attributeName: [] })
})

/** Objects that come with as many attributes as a message holds. */
const laden = repeating(
  one(Operation.Create, {
    objectType: ObjectType.SymmetricKey,
    templateAttribute: {
      name: [],
      attribute: [
        attribute('Cryptographic Algorithm', CryptographicAlgorithm.AES),
        attribute('Cryptographic Length', 256),
        attribute('Cryptographic Usage Mask', CryptographicUsageMask.Encrypt),
        ...Array.from({ length: 6_000 }, (_, index) => customAttribute(`x-${index}`, 'x'.repeat(64))),
      ],
    },
  }),
)

const guessing = repeating(
  one(
    Operation.DiscoverVersions,
    { protocolVersion: [] },
    {
      authentication: {
        credential: [
          {
            credentialType: CredentialType.UsernameAndPassword,
            credentialValue: { username: 'kmip', password: 'a guess' },
          },
        ],
      },
    },
  ),
)

const keyPairs = repeating(
  one(Operation.CreateKeyPair, {
    commonTemplateAttribute: {
      name: [],
      attribute: [
        attribute('Cryptographic Algorithm', CryptographicAlgorithm.RSA),
        attribute('Cryptographic Length', 2048),
      ],
    },
    privateKeyTemplateAttribute: {
      name: [],
      attribute: [attribute('Cryptographic Usage Mask', CryptographicUsageMask.Sign)],
    },
    publicKeyTemplateAttribute: {
      name: [],
      attribute: [attribute('Cryptographic Usage Mask', CryptographicUsageMask.Verify)],
    },
  }),
)

/** The attacks by name. */
export const attacks: Readonly<Record<string, Attack>> = {
  'no handshake': stuck(plain, () => undefined),
  'half a handshake': stuck(plain, (socket) => void socket.write(Buffer.from('16030100f5010000f1', 'hex'))),
  'half a message': stuck(secure, (socket) => void socket.write(locate.subarray(0, 12))),
  'never taking an answer': stuck(
    secure,
    (socket) => void socket.pause().write(Buffer.concat(Array(200).fill(locate))),
  ),
  'a storm of connections': again(async (server) => {
    const socket = plain(server)
    await openedOrClosed(socket, 'connect')
    await closed(socket.destroy())
  }),
  'a storm of handshakes': again(async (server) => {
    const socket = secure(server)
    await openedOrClosed(socket, 'secureConnect')
    await closed(socket.destroy())
  }),
  garbage: saying(Buffer.alloc(65_536, 0x41)),
  'deep nesting': saying(nested(requestBytesMax)),
  'a batch of too many': saying(tooMany),
  'nearly whole messages': stuck(secure, (socket) => void socket.write(tooMany.subarray(0, -8))),
  'a batch of searches': repeating(many(batchMax)),
  'searches for everything': repeating(locate),
  'searches that look at everything': repeating(one(Operation.Locate, { attribute: [attribute('Lease Time', 3_600)] })),
  'attributes without end': growing,
  'large attributes': fattening,
  'objects with many attributes': laden,
  'guesses at a password': guessing,
  'slow cryptography': keyPairs,
}
