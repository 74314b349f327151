/** What a server sends of its own accord: Put and Notify to the clients of an object's owner, and to nobody else. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { createClient } from '#client/client'
import { Listener } from '#conformance/listener'
import { createAuthority, issueClientCertificate, privateKeyPem } from '#identity/authority'
import { certificateToPem } from '#identity/certificates'
import { ObjectType, Operation, ResultStatus } from '#kmip/enums'
import { writeResponse } from '#kmip/message'
import { v1_4 } from '#kmip/versions'
import { vocabulary } from '#kmip/vocabulary'
import { linesOf } from '#test/audit/trail'
import { freePort, type RunningServer, startServerProcess } from '#test/running-server'
import { attributes, createRequest } from '#test/sample-objects'
import { BinaryWriter, decodeItem, encodeItem } from '#ttlv/binary'
import type { Item } from '#ttlv/item'
import { encodeXml } from '#ttlv/xml'

const nowSeconds = (): number => systemClock.nowSeconds()

const start = async (user = 'local|kmip', flags: readonly string[] = [], directory?: string) => {
  const port = await freePort()
  const server = await startServerProcess({
    flags: ['--client-addresses', `${user}=127.0.0.1:${port}`, ...flags],
    ...(directory === undefined ? {} : { directory }),
  })
  return { port, server, client: createClient({ ...server.connection }) }
}

/** Waits for a line of the log. */
const line = async (server: RunningServer, text: RegExp): Promise<string> => {
  for (;;) {
    const found = server.log.map((each) => JSON.stringify(each)).find((each) => text.test(each))
    if (found !== undefined) return found
    await new Promise((resolve) => systemClock.after(10, () => resolve(undefined)))
  }
}

interface Told {
  readonly operation: string
  readonly result: string
  readonly request: string
  readonly user: string
  readonly client: string
  readonly address: string
  readonly objects: readonly string[]
}

/** Lines of the audit trail about requests of the server. */
const audited = (directory: string): readonly Told[] =>
  linesOf(join(directory, 'audit'), 1)
    .filter((each) => /"operation":"(?:Put|Notify)"/.test(each))
    .map((each) => JSON.parse(each) as Told)

/** What a client answers, as an item of one message. */
const answer = (operation: number, responsePayload: unknown): readonly [number, Item] => {
  const writer = new BinaryWriter(v1_4)
  writeResponse(writer, {
    responseHeader: {
      protocolVersion: { protocolVersionMajor: 1, protocolVersionMinor: 4 },
      timeStamp: nowSeconds(),
      attestationType: [],
      batchCount: 1,
    },
    batchItem: [{ operation, resultStatus: ResultStatus.Success, responsePayload }],
  })
  return [operation, decodeItem(writer.bytes(), { nestingDepthMax: 8, itemCountMax: 64 })]
}

const nothingTold = {
  operation: [],
  objectType: [],
  applicationNamespace: [],
  extensionInformation: [],
  attestationType: [],
  rngParameters: [],
  profileInformation: [],
  validationInformation: [],
  capabilityInformation: [],
  clientRegistrationMethod: [],
}
const versions = (...minors: readonly number[]) =>
  answer(Operation.DiscoverVersions, {
    protocolVersion: minors.map((minor) => ({ protocolVersionMajor: minor > 9 ? 9 : 1, protocolVersionMinor: minor })),
  })

describe('requests of the server', () => {
  test('what replaces another object is put as a replacement, under the identifier of the other (§5.2)', async (context) => {
    const { port, server, client } = await start('local|kmip', [])
    await using _stopped = server
    const listener = new Listener({ ...server.connection, port, nowSeconds })
    await listener.start()
    context.after(() => listener.stop())
    const existing = await client.create(createRequest())
    assert.match(
      encodeXml(await listener.next(Operation.Put), vocabulary),
      /<PutFunction type="Enumeration" value="New"/,
    )
    const { uniqueIdentifier } = await client.reKey({ uniqueIdentifier: existing.uniqueIdentifier })
    const put = encodeXml(await listener.next(Operation.Put), vocabulary)
    assert.ok(put.includes(`<UniqueIdentifier type="TextString" value="${uniqueIdentifier}"/>`))
    const replaced = `<ReplacedUniqueIdentifier type="TextString" value="${existing.uniqueIdentifier}"/>`
    assert.ok(put.includes(`<PutFunction type="Enumeration" value="Replace"/>${replaced}`), put)
    await client.close()
  })

  test('a new object is put, its changes are notified, with what was deleted, and the trail tells of each', async (context) => {
    const directory = await mkdtemp(join(tmpdir(), 'kmipd-outgoing-'))
    context.after(() => rm(directory, { recursive: true, force: true }))
    const { port, server, client } = await start('local|kmip', [], directory)
    await using _stopped = server
    const listener = new Listener({ ...server.connection, port, nowSeconds })
    await listener.start()
    context.after(() => listener.stop())
    const { uniqueIdentifier } = await client.create(createRequest())
    const put = encodeXml(await listener.next(Operation.Put), vocabulary)
    assert.match(put, /<PutFunction type="Enumeration" value="New"\/><SymmetricKey><KeyBlock>/)
    assert.ok(put.includes(`<UniqueIdentifier type="TextString" value="${uniqueIdentifier}"/>`))
    for (let fresh: unknown = true; fresh !== false; ) {
      const told = await client.getAttributes({ uniqueIdentifier, attributeName: ['Fresh'] })
      fresh = told.attribute[0]?.attributeValue
    }
    const [attribute] = attributes({ Comment: 'changed' })
    assert.ok(attribute)
    await client.addAttribute({ uniqueIdentifier, attribute })
    const added = encodeXml(await listener.next(Operation.Notify), vocabulary)
    assert.match(added, /value="Comment"\/><AttributeValue type="TextString" value="changed"\/>/)
    assert.match(added, /value="Last Change Date"/)
    assert.ok(!added.includes('value="State"'))
    await client.deleteAttribute({ uniqueIdentifier, attributeName: 'Comment' })
    const deleted = encodeXml(await listener.next(Operation.Notify), vocabulary)
    assert.match(deleted, /<Attribute><AttributeName type="TextString" value="Comment"\/><\/Attribute>/)
    await client.close()
    assert.equal(await server.stop(), 0)
    const told = audited(server.directory)
    assert.deepEqual(
      told.map(({ operation, result }) => `${operation} ${result}`),
      ['Put pending', 'Put success', 'Notify pending', 'Notify success', 'Notify pending', 'Notify success'],
    )
    const [put1, put2] = told
    assert.deepEqual(
      [put1?.objects, put1?.user, put1?.address],
      [[uniqueIdentifier], 'local|kmip', `127.0.0.1:${port}`],
    )
    assert.ok(put1?.client !== undefined && put1.request === put2?.request)
  })

  test('a listener that is no registered client gets nothing, and the client that made the key is answered', async (context) => {
    const { port, server, client } = await start()
    await using _stopped = server
    const authority = createAuthority({ CN: 'another CA' }, nowSeconds(), systemEntropy)
    const stranger = issueClientCertificate(authority, { CN: 'kmip' }, nowSeconds(), systemEntropy)
    const cert = certificateToPem(stranger.certificate)
    const listener = new Listener({ port, cert, key: privateKeyPem(stranger), nowSeconds })
    await listener.start()
    context.after(() => listener.stop())
    assert.equal((await client.create(createRequest())).objectType, ObjectType.SymmetricKey)
    assert.match(await line(server, /A client could not be told/), /no registered client/)
    await client.close()
  })

  test('objects of another user are not sent', async (context) => {
    const { port, server, client } = await start('local|somebody')
    await using _stopped = server
    const listener = new Listener({ ...server.connection, port, nowSeconds })
    await listener.start()
    context.after(() => listener.stop())
    await client.create(createRequest())
    await client.close()
    await server.stop()
    assert.ok(!server.log.some((each) => 'serverRequest' in each))
  })

  test('a client is asked once, spoken to in its own version, and not sent what it has not', async (context) => {
    const { port, server, client } = await start()
    await using _stopped = server
    const listener = new Listener({ ...server.connection, port, nowSeconds })
    await listener.start()
    context.after(() => listener.stop())
    const operation = [Operation.Put, Operation.Query]
    listener.play(
      new Map([
        versions(2, 1),
        answer(Operation.Query, { ...nothingTold, operation, vendorIdentification: 'a cabinet' }),
      ]),
    )
    const { uniqueIdentifier } = await client.create(createRequest())
    const minorOf = (xml: string) => /<ProtocolVersionMinor type="Integer" value="(\d)"\/>/.exec(xml)?.[1]
    const discover = encodeXml(await listener.next(Operation.DiscoverVersions), vocabulary)
    assert.equal(minorOf(discover), '4')
    const query = encodeXml(await listener.next(Operation.Query), vocabulary)
    assert.equal(minorOf(query), '2')
    assert.match(query, /<QueryFunction [^>]*value="QueryOperations"\/><QueryFunction [^>]*value="QueryObjects"\/>/)
    const put = encodeXml(await listener.next(Operation.Put), vocabulary)
    assert.equal(minorOf(put), '2')
    assert.ok(!put.includes('Random Number Generator'), 'an attribute of 1.3')
    assert.match(
      await line(server, /A client has told of itself/),
      /"version":"1.2","operations":\["Put","Query"\],"vendor":"a cabinet"/,
    )
    const [attribute] = attributes({ Comment: 'changed' })
    assert.ok(attribute)
    await client.addAttribute({ uniqueIdentifier, attribute })
    assert.match(await line(server, /A client is not told/), /the client has no Notify/)
    await client.create(createRequest())
    // Were it asked again, the listener would have the question before this.
    await listener.next(Operation.Put)
    listener.play(new Map())
    assert.equal(server.log.filter((each) => 'client' in each).length, 1)
    await client.close()
  })

  test('a client whose versions the server has not is sent nothing', async (context) => {
    const { port, server, client } = await start()
    await using _stopped = server
    const listener = new Listener({ ...server.connection, port, nowSeconds })
    await listener.start()
    context.after(() => listener.stop())
    listener.play(new Map([versions(90)]))
    await client.create(createRequest())
    assert.match(await line(server, /A client is not told/), /speaks no version/)
    await client.close()
  })

  test('a request is tried again, in order, until the client is there', async (context) => {
    const { port, server, client } = await start('local|kmip', [
      '--outgoing-retry-ms',
      '50',
      '--client-questions',
      'none',
    ])
    await using _stopped = server
    const first = await client.create(createRequest())
    const second = await client.create(createRequest())
    assert.match(await line(server, /A client is told later/), /"againMs":50/)
    const listener = new Listener({ ...server.connection, port, nowSeconds })
    await listener.start()
    context.after(() => listener.stop())
    for (const { uniqueIdentifier } of [first, second]) {
      assert.ok(encodeXml(await listener.next(Operation.Put), vocabulary).includes(uniqueIdentifier))
    }
    await client.close()
    assert.equal(await server.stop(), 0)
  })

  test('a stop does not wait for a client that says nothing', async (context) => {
    const { port, server, client } = await start()
    await using _stopped = server
    const silent = createServer()
    silent.listen(port, '127.0.0.1')
    context.after(() => silent.close())
    const connected = once(silent, 'connection')
    await client.create(createRequest())
    await client.create(createRequest())
    const [socket] = await connected
    await client.close()
    const before = systemClock.nowMs()
    assert.equal(await server.stop(), 0)
    assert.ok(systemClock.nowMs() - before < 10_000)
    const told = server.log.filter((each) => JSON.stringify(each).includes('could not be told'))
    assert.equal(told.length, 2)
    assert.match(JSON.stringify(told[1]), /the server stops/)
    socket.destroy()
  })

  const versionsAnswer = encodeItem(versions(4)[1])
  const strayed: readonly (readonly [string, Buffer, RegExp])[] = [
    ['two at once', Buffer.concat([versionsAnswer, versionsAnswer]), /what it was not asked/],
    [
      'of another operation',
      encodeItem(answer(Operation.Notify, undefined)[1]),
      /another operation than it was asked for/,
    ],
  ]
  for (const [what, bytes, failure] of strayed) {
    test(`answers that nobody has asked for stand for no others: ${what}`, async (context) => {
      const { port, server, client } = await start('local|kmip', ['--outgoing-attempts-max', '1'])
      await using _stopped = server
      const { cert, key } = server.connection
      const asked: Item[] = []
      const listener = createTlsServer({ cert, key }, (socket) => {
        socket.on('error', () => socket.destroy())
        socket.on('data', (chunk: Buffer) => {
          asked.push(decodeItem(chunk, { nestingDepthMax: 32, itemCountMax: 1_000 }))
          socket.write(bytes)
        })
      })
      listener.listen(port, '127.0.0.1')
      context.after(() => listener.close())
      const { uniqueIdentifier } = await client.create(createRequest())
      assert.match(await line(server, /A client could not be told/), failure)
      assert.equal(asked.length, 1, 'nothing more is sent to such a client')
      const { attribute } = await client.getAttributes({ uniqueIdentifier, attributeName: ['Fresh'] })
      assert.equal(attribute[0]?.attributeValue, true)
      await client.close()
    })
  }

  test('a request is given up after its attempts', async () => {
    const { server, client } = await start('local|kmip', ['--outgoing-retry-ms', '10', '--outgoing-attempts-max', '2'])
    await using _stopped = server
    await client.create(createRequest())
    assert.match(await line(server, /A client could not be told/), /ECONNREFUSED/)
    assert.equal(server.log.filter((each) => JSON.stringify(each).includes('told later')).length, 1)
    await client.close()
    assert.equal(await server.stop(), 0)
  })
})
