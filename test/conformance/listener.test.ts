/** Where the server's own requests come in: what comes is kept for the case that waits for it, and nonsense ends its session only. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, describe, test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { encodeRequest } from '#client/client'
import { Listener } from '#conformance/listener'
import { Operation } from '#kmip/enums'
import { Tag } from '#kmip/tags'
import { makeCertificates } from '#test/client/certificates'
import { type Item, ItemType } from '#ttlv/item'

const { ca, serverCert: cert, serverKey: key } = makeCertificates()
const listener = new Listener({ port: 0, host: '127.0.0.1', cert, key, nowSeconds: () => 1_700_000_000 })
const port = await listener.start()
after(() => listener.stop())

const session = async (): Promise<TLSSocket> => {
  const socket = connect({ host: '127.0.0.1', port, ca })
  await once(socket, 'secureConnect')
  return socket
}

const query = encodeRequest({
  requestHeader: { protocolVersion: { protocolVersionMajor: 1, protocolVersionMinor: 4 }, batchCount: 1 },
  batchItem: [{ operation: Operation.Query, requestPayload: { queryFunction: [] } }],
})

describe('the listener', () => {
  const nonsense: readonly (readonly [string, Buffer])[] = [
    ['no TTLV', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a request whose inside is none', Buffer.from('4200780100000008ffffffffffffffff', 'hex')],
  ]
  for (const [name, bytes] of nonsense) {
    test(`${name}: the session ends, and the next request is taken`, async () => {
      const bad = await session()
      const closed = once(bad, 'close')
      bad.resume().write(bytes)
      await closed
      const good = await session()
      good.write(query)
      assert.equal((await listener.next(Operation.Query)).tag, Tag.RequestMessage)
      good.destroy()
    })
  }

  test('a case that waited in vain takes nothing from the next one', async () => {
    let late: Item | undefined
    void listener.next(Operation.Query).then((request) => (late = request))
    listener.play(new Map())
    const good = await session()
    good.write(query)
    const request = await listener.next(Operation.Query)
    assert.equal(request.type, ItemType.Structure)
    assert.equal(late, undefined)
    good.destroy()
  })
})
