/**
 * Several threads with listeners on one port, as clients meet them: any session has the state of now, any thread takes a TLS
 * session up again, what is bounded is bounded for the server, and a thread that dies takes its own sessions along and no others.
 */
import assert from 'node:assert/strict'
import { get } from 'node:http'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { systemClock } from '#actor/clock'
import { attribute } from '#client/attribute'
import { type Client, createClient } from '#client/client'
import { KmipResponseError } from '#client/errors'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  HashingAlgorithm,
  ObjectType,
  PaddingMethod,
  ResultReason,
  RevocationReasonCode,
  ValidityIndicator,
} from '#kmip/enums'
import { faultyEnvironment } from '#test/faults/death'
import { freePort, type RunningServer, startServerProcess } from '#test/running-server'

const marker = 'a message that kills'
const fronts = 2
/** So many sessions that all of them in one thread is as good as impossible: the system chooses by the ports of both ends. */
const sessions = 24

const newKey = async (client: Client): Promise<string> => {
  const { uniqueIdentifier } = await client.create({
    objectType: ObjectType.SymmetricKey,
    templateAttribute: {
      attribute: [
        attribute('Cryptographic Algorithm', CryptographicAlgorithm.AES),
        attribute('Cryptographic Length', 256),
        attribute('Cryptographic Usage Mask', CryptographicUsageMask.Encrypt),
      ],
    },
  })
  await client.activate({ uniqueIdentifier })
  return uniqueIdentifier
}

const cbc = { blockCipherMode: BlockCipherMode.CBC, paddingMethod: PaddingMethod.PKCS5 }

const encrypt = (client: Client, uniqueIdentifier: string) =>
  client.encrypt({
    uniqueIdentifier,
    cryptographicParameters: cbc,
    data: Buffer.from('some data'),
    ivCounterNonce: Buffer.alloc(16, 1),
  })

/** Until something is so, for ten seconds. */
const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  const endMs = systemClock.nowMs() + 10_000
  while (!(await isSo())) {
    assert.ok(systemClock.nowMs() < endMs, 'it did not come about')
    await new Promise<void>((resolve) => void systemClock.after(20, resolve))
  }
}

describe('fronts', () => {
  let server: RunningServer
  let clients: readonly Client[] = []
  let metricsPort = 0

  before(async () => {
    metricsPort = await freePort()
    const flags = ['--fronts', String(fronts), '--metrics-port', String(metricsPort)]
    server = await startServerProcess({ flags })
    clients = Array.from({ length: sessions }, () => createClient(server.connection))
    await Promise.all(clients.map((client) => client.discoverVersions()))
  })

  after(async () => {
    await Promise.all(clients.map((client) => client.close()))
    assert.deepEqual(server.failures, [])
    assert.equal(await server.stop(), 0)
  })

  const client = (index: number): Client => clients[index % clients.length] as Client

  test('a key that is revoked or destroyed is used no more by anybody who asks after the answer', async () => {
    for (let round = 0; round < 12; round += 1) {
      const key = await newKey(client(round))
      await Promise.all(clients.map((each) => each.get({ uniqueIdentifier: key })))
      const state = { revoked: false, destroyed: false, goesOn: true }
      const used = { encrypted: 0, got: 0 }
      const load = clients.map(async (each) => {
        while (state.goesOn) {
          const { revoked, destroyed } = state
          const outcomes = await Promise.allSettled([encrypt(each, key), each.get({ uniqueIdentifier: key })])
          const [encrypted, got] = outcomes.map(({ status }) => status === 'fulfilled')
          assert.ok(!(encrypted && revoked), 'encrypted with a key that was revoked before')
          assert.ok(!(got && destroyed), 'got a key that was destroyed before')
          used.encrypted += encrypted === true ? 1 : 0
          used.got += got === true ? 1 : 0
        }
      })
      await until(() => used.encrypted > sessions && used.got > sessions)
      await client(round + 1).revoke({
        uniqueIdentifier: key,
        revocationReason: { revocationReasonCode: RevocationReasonCode.CessationOfOperation },
      })
      state.revoked = true
      await client(round + 2).destroy({ uniqueIdentifier: key })
      state.destroyed = true
      await Promise.all(clients.map((each) => assert.rejects(each.get({ uniqueIdentifier: key }))))
      state.goesOn = false
      await Promise.all(load)
    }
  })

  const ways: readonly (readonly [string, ConnectionOptions])[] = [
    ['by ticket, TLS 1.3', { minVersion: 'TLSv1.3' }],
    ['by ticket, TLS 1.2', { maxVersion: 'TLSv1.2' }],
    // SSL_OP_NO_TICKET
    ['by identifier, TLS 1.2', { maxVersion: 'TLSv1.2', secureOptions: 0x4000 }],
  ]
  for (const [way, options] of ways) {
    test(`a TLS session is taken up again by any thread: ${way}`, async () => {
      const { session } = await visit(server, options)
      assert.ok(session)
      // A session by identifier is told to the other threads when it is made: none of them waits for it.
      await new Promise<void>((resolve) => void systemClock.after(100, resolve))
      for (let visits = 0; visits < sessions; visits += 1) {
        assert.ok((await visit(server, { ...options, session })).reused)
      }
    })
  }

  test('parts of one operation may come in several sessions', async () => {
    const key = await newKey(client(0))
    const request = { uniqueIdentifier: key, cryptographicParameters: cbc }
    const iv = Buffer.alloc(16, 1)
    const data = Buffer.alloc(16 * sessions, 'data')
    const begun = await client(0).encrypt({
      ...request,
      ivCounterNonce: iv,
      data: data.subarray(0, 16),
      initIndicator: true,
    })
    const parts = [begun.data]
    for (let part = 1; part < sessions; part += 1) {
      const { data: given } = await client(part).encrypt({
        ...request,
        correlationValue: begun.correlationValue,
        data: data.subarray(16 * part, 16 * (part + 1)),
        finalIndicator: part === sessions - 1,
      })
      parts.push(given)
    }
    const whole = await client(1).encrypt({ ...request, ivCounterNonce: iv, data })
    assert.deepEqual(Buffer.concat(parts.map((part) => part ?? new Uint8Array())), Buffer.from(whole.data ?? []))
    await assert.rejects(
      client(2).hash({
        cryptographicParameters: { hashingAlgorithm: HashingAlgorithm.SHA_256 },
        correlationValue: begun.correlationValue,
        data,
      }),
      (error) => error instanceof KmipResponseError && error.reason === ResultReason.ItemNotFound,
    )
  })

  test('what is left to the end of a signature is done by the thread that its last part came to', async () => {
    const pair = await client(0).createKeyPair({
      commonTemplateAttribute: {
        attribute: [
          attribute('Cryptographic Algorithm', CryptographicAlgorithm.RSA),
          attribute('Cryptographic Length', 2048),
          attribute('Activation Date', 1),
        ],
      },
      privateKeyTemplateAttribute: { attribute: [attribute('Cryptographic Usage Mask', CryptographicUsageMask.Sign)] },
      publicKeyTemplateAttribute: { attribute: [attribute('Cryptographic Usage Mask', CryptographicUsageMask.Verify)] },
    })
    const whole = Buffer.from('a message')
    const signing = { uniqueIdentifier: pair.privateKeyUniqueIdentifier }
    const begun = await client(1).sign({ ...signing, data: whole.subarray(0, 4), initIndicator: true })
    const { signatureData } = await client(2).sign({
      ...signing,
      correlationValue: begun.correlationValue,
      data: whole.subarray(4),
      finalIndicator: true,
    })
    const checked = { uniqueIdentifier: pair.publicKeyUniqueIdentifier, signatureData }
    const { validityIndicator } = await client(3).signatureVerify({ ...checked, data: whole })
    assert.equal(validityIndicator, ValidityIndicator.Valid)
  })

  test('what fails in a part has the reason that it has at once (§11.30), whichever thread it came to', async () => {
    const cryptographicParameters = { blockCipherMode: BlockCipherMode.CBC, paddingMethod: PaddingMethod.None }
    const request = { uniqueIdentifier: await newKey(client(0)), cryptographicParameters }
    const failsSo = (error: unknown): boolean =>
      error instanceof KmipResponseError && error.reason === ResultReason.CryptographicFailure
    const opening = { ...request, ivCounterNonce: Buffer.alloc(16), data: Buffer.alloc(8) }
    await assert.rejects(client(0).encrypt(opening), failsSo)
    const { correlationValue } = await client(1).encrypt({ ...opening, initIndicator: true })
    await assert.rejects(client(2).encrypt({ ...request, correlationValue, finalIndicator: true }), failsSo)
    await assert.rejects(
      client(3).encrypt({ ...opening, ivCounterNonce: Buffer.alloc(7), initIndicator: true }),
      failsSo,
    )
  })

  test('metrics and audit trail have what all threads did', async () => {
    const counted = async (): Promise<number> => {
      const body = await fetched(metricsPort)
      return Number(
        /kmipd_operations_total\{operation="GetAttributeList",result="success"\} (\d+)/.exec(body)?.[1] ?? 0,
      )
    }
    const key = await newKey(client(0))
    const before = await counted()
    await Promise.all(clients.map((each) => each.getAttributeList({ uniqueIdentifier: key })))
    assert.equal((await counted()) - before, sessions)
    const metrics = await fetched(metricsPort)
    assert.match(metrics, new RegExp(`kmipd_sessions ${sessions}\\n`))
    assert.match(metrics, /kmipd_front_loop_delay_seconds\{front="\d",quantile="0\.99"\} \d/)
  })
})

test('a thread that dies takes its own sessions along; another takes its place', async () => {
  const environment = { ...faultyEnvironment, FAULT_FRONT: marker }
  await using server = await startServerProcess({ flags: ['--fronts', String(fronts)], environment })
  const sockets = await Promise.all(Array.from({ length: sessions }, () => opened(server)))
  await using killer = createClient(server.connection)
  await assert.rejects(killer.get({ uniqueIdentifier: marker }))
  const closed = (): number => sockets.filter((socket) => socket.closed).length
  await until(() => closed() > 0)
  assert.ok(closed() < sessions, 'others go on')
  await until(() => server.log.some((line) => /The front \d failed and is started again/.test(String(line['msg']))))
  await using client = createClient(server.connection)
  const key = await newKey(client)
  for (let session = 0; session < sessions; session += 1) {
    await using other = createClient(server.connection)
    await other.get({ uniqueIdentifier: key })
  }
  for (const socket of sockets) socket.destroy()
  assert.equal(await server.stop(), 0)
})

test('as many sessions as the server may have are those of all threads', async () => {
  await using server = await startServerProcess({ flags: ['--fronts', String(fronts), '--sessions-max', '4'] })
  const sockets: TLSSocket[] = []
  for (let session = 0; session < 4; session += 1) sockets.push(await opened(server))
  await assert.rejects(opened(server))
  sockets[0]?.destroy()
  await until(() =>
    opened(server).then(
      (socket) => {
        sockets.push(socket)
        return true
      },
      () => false,
    ),
  )
  for (const socket of sockets) socket.destroy()
})

/** A session as TLS makes it, with nothing sent. */
const opened = ({ connection }: RunningServer, options: ConnectionOptions = {}): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ ...connection, ...options, servername: 'localhost', checkServerIdentity: () => undefined })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed')))
    socket.once('secureConnect', () => resolve(socket))
  })

/** A session that lasts until the server has given what it takes to come back. */
const visit = async (
  server: RunningServer,
  options: ConnectionOptions,
): Promise<{ readonly session: Buffer | undefined; readonly reused: boolean }> => {
  const socket = await opened(server, options)
  const reused = socket.isSessionReused()
  let session = socket.getProtocol() === 'TLSv1.3' ? undefined : socket.getSession()
  if (!reused && session === undefined) {
    await new Promise<void>((resolve) =>
      socket.once('session', (given: Buffer<ArrayBuffer>) => {
        session = given
        resolve()
      }),
    )
  }
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
    socket.end()
    socket.resume()
  })
  return { session, reused }
}

const fetched = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/metrics', agent: false }, (response) => {
      text(response).then(resolve, reject)
    }).on('error', reject)
  })
