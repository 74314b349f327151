/** What a server sends of its own accord: Put and Notify to the clients of an object's owner, and to nobody else. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { createClient } from '#client/client'
import { Listener } from '#conformance/listener'
import { createAuthority, issueClientCertificate, privateKeyPem } from '#identity/authority'
import { certificateToPem } from '#identity/certificates'
import { ObjectType, Operation } from '#kmip/enums'
import { vocabulary } from '#kmip/vocabulary'
import { freePort, type RunningServer, startServerProcess } from '#test/running-server'
import { attributes, createRequest } from '#test/sample-objects'
import { encodeXml } from '#ttlv/xml'

const nowSeconds = (): number => systemClock.nowSeconds()

const start = async (user = 'local|kmip') => {
  const port = await freePort()
  const server = await startServerProcess({ flags: ['--client-addresses', `${user}=127.0.0.1:${port}`] })
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

describe('requests of the server', () => {
  test('a new object is put, its changes are notified, with what was deleted', async (context) => {
    const { port, server, client } = await start()
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
})
