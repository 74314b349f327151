/** Connections of an address that knocks in vain: they wait for their turn, those of others do not. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { connect as connectSecure } from 'node:tls'
import { SettableClock } from '#actor/clock'
import { createClient } from '#client/client'
import { Entrance } from '#server/entrance'
import { startServerProcess } from '#test/running-server'

const address = 'a'

/** Told of errors too, `once` of the library would throw them. */
const closed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('close', () => resolve()))

/** An entrance of two a second that is full, and sockets of a listener for it. */
const open = async (context: { after(run: () => void): void }) => {
  const clock = new SettableClock()
  const told: string[] = []
  const entrance = new Entrance({ failedSessionsPerAddressMax: 2 }, clock, {
    addressPaced: (event) => told.push(event.address),
  })
  for (let times = 0; times < 1_000; times += 1) entrance.strike(address)
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const peers: Socket[] = []
  context.after(() => {
    for (const peer of peers) peer.destroy()
    server.close()
  })
  const begun: number[] = []
  const next = async (): Promise<{ readonly socket: Socket; readonly peer: Socket }> => {
    const peer = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined)
    peers.push(peer)
    const [socket] = (await once(server, 'connection')) as [Socket]
    return { socket, peer }
  }
  const take = async (of = address) => {
    const pair = await next()
    const number = begun.length
    return { ...pair, taken: entrance.take(pair.socket, of, () => begun.push(number)) }
  }
  return { clock, entrance, told, begun, take }
}

describe('an address that had its share', () => {
  test('begins one by one, in order, at the rate that is borne, and the log is told once', async (context) => {
    const { clock, told, begun, take } = await open(context)
    for (let count = 0; count < 3; count += 1) assert.ok((await take()).taken)
    assert.equal(begun.length, 0)
    clock.advance(499)
    assert.equal(begun.length, 0)
    clock.advance(1)
    assert.equal(begun.length, 1)
    clock.advance(1_000)
    assert.equal(begun.length, 3)
    assert.equal(clock.timers, 0)
    assert.deepEqual(told, [address])
  })

  test('does not hold up others, and lets in at once when time has made up for it', async (context) => {
    const { clock, begun, take } = await open(context)
    await take('b')
    assert.equal(begun.length, 1)
    clock.advance(500_000)
    await take()
    assert.equal(begun.length, 2)
  })

  test('has four seconds of them wait, no more', async (context) => {
    const { take } = await open(context)
    for (let count = 0; count < 8; count += 1) assert.ok((await take()).taken)
    assert.ok(!(await take()).taken)
  })

  test('gives the place of one that goes to the next', async (context) => {
    const { clock, begun, take } = await open(context)
    const first = await take()
    await take()
    first.peer.resetAndDestroy()
    await closed(first.socket)
    clock.advance(500)
    assert.equal(begun.length, 1)
    const last = await take()
    last.socket.destroy()
    await closed(last.socket)
    assert.equal(clock.timers, 0, 'nothing is left of who went')
  })
})

test('who was closed in the turn in which it would begin does not', async (context) => {
  const { clock, begun, take } = await open(context)
  const { socket } = await take()
  socket.destroy()
  clock.advance(500)
  assert.equal(begun.length, 0)
  await closed(socket)
})

/** A message whose one structure says that it goes on behind the end. */
const unreadable = Buffer.from('42007801000000084200770100000010', 'hex')

describe('over the wire: who comes in vain has those behind it wait, and they are served', () => {
  for (const [name, message] of [
    ['sessions in which nothing is asked', undefined],
    ['messages that cannot be read', unreadable],
  ] as const) {
    test(name, async () => {
      await using server = await startServerProcess({ flags: ['--failed-sessions-per-address-max', '2'] })
      const knock = async (): Promise<number> => {
        const beganMs = performance.now()
        const socket = connectSecure(server.connection).resume()
        await once(socket, 'secureConnect')
        const tookMs = performance.now() - beganMs
        if (message === undefined) socket.destroy()
        else socket.end(message)
        await once(socket, 'close')
        return tookMs
      }
      let slowestMs = 0
      for (let times = 0; times < 11; times += 1) slowestMs = Math.max(slowestMs, await knock())
      assert.ok(slowestMs >= 400, `the slowest handshake took ${slowestMs} ms`)
      await using behind = createClient(server.connection)
      await behind.query({ queryFunction: [] })
      assert.ok(server.log.some(({ msg }) => String(msg).startsWith('Connections of 127.0.0.1 come to nothing')))
    })
  }
})
