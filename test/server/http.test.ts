/** Messages in HTTPS on a real server: three encodings, what is no message, and that the bounds and identity rules hold. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, type RequestOptions, request } from 'node:https'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { createAuthority, issueClientCertificate, privateKeyPem } from '#identity/authority'
import { certificateToPem } from '#identity/certificates'
import { vocabulary } from '#kmip/vocabulary'
import { item, requestBytes } from '#test/dispatcher'
import { type RunningServer, startServerProcess } from '#test/running-server'
import { decodeItem, encodeItem } from '#ttlv/binary'
import type { Item } from '#ttlv/item'
import { decodeJson, encodeJson } from '#ttlv/json'
import { decodeXml, encodeXml } from '#ttlv/xml'

const limits = {
  nestingDepthMax: 32,
  itemCountMax: 10_000,
  textLengthMax: 1_000_000,
  attributeLengthMax: 1_000_000,
}
const forms: Readonly<Record<string, { encode: (value: Item) => string | Buffer; decode: (bytes: Buffer) => Item }>> = {
  'application/octet-stream': { encode: encodeItem, decode: (bytes) => decodeItem(bytes, limits) },
  'text/xml': {
    encode: (value) => encodeXml(value, vocabulary),
    decode: (bytes) => decodeXml(bytes.toString('utf8'), vocabulary, limits),
  },
  'application/json': {
    encode: (value) => encodeJson(value, vocabulary),
    decode: (bytes) => decodeJson(bytes.toString('utf8'), vocabulary, limits),
  },
}

interface Reply {
  readonly status: number | undefined
  readonly type: string | undefined
  readonly body: Buffer
}

describe('messages in HTTPS', () => {
  let server: RunningServer
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  before(async () => {
    server = await startServerProcess({ https: true, flags: ['--request-size-max', '65536'] })
  })
  after(async () => {
    agent.destroy()
    assert.equal(await server.stop(), 0)
    assert.deepEqual(server.failures, [])
  })

  const post = async (body: string | Buffer, type: string, others: RequestOptions = {}): Promise<Reply> => {
    const { ca, cert, key, host } = server.connection
    const headers = { 'Content-Type': type }
    const sent = request({
      host,
      port: server.httpsPort,
      path: '/kmip',
      method: 'POST',
      agent,
      ca,
      cert,
      key,
      headers,
      ...others,
    })
    sent.end(body)
    const [response] = await once(sent, 'response')
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    return { status: response.statusCode, type: response.headers['content-type'], body: Buffer.concat(chunks) }
  }
  const locate = decodeItem(requestBytes(104, [item('Locate', { attribute: [] })]), limits)

  for (const [type, { encode, decode }] of Object.entries(forms)) {
    test(`${type} is answered in its own form`, async () => {
      const reply = await post(encode(locate), `${type}; charset=utf-8`)
      assert.deepEqual([reply.status, reply.type], [200, type])
      const text = encodeXml(decode(reply.body), vocabulary)
      assert.match(text, /^<ResponseMessage>.*<ResultStatus type="Enumeration" value="Success"\/>/)
    })

    test(`${type} that is no message is answered with Invalid Message`, async () => {
      const reply = await post('<', type)
      assert.equal(reply.status, 200)
      const text = encodeXml(decode(reply.body), vocabulary)
      assert.match(text, /<ResultReason type="Enumeration" value="InvalidMessage"\/>/)
    })
  }

  test('another path, method or content type, and too long a body, are refused', async () => {
    const bytes = encodeItem(locate)
    const binary = 'application/octet-stream'
    assert.equal((await post(bytes, binary, { path: '/' })).status, 404)
    assert.equal((await post('', binary, { method: 'GET' })).status, 405)
    assert.equal((await post(bytes, 'text/plain')).status, 415)
    const long = await post(Buffer.alloc(70_000), binary)
    assert.equal(long.status, 413)
    assert.match(encodeXml(decodeItem(long.body, limits), vocabulary), /InvalidMessage/)
    assert.equal((await post(bytes, binary)).status, 200)
  })

  test('a client without a certificate of a trusted authority does not get in', async () => {
    const now = systemClock.nowSeconds()
    const authority = createAuthority({ CN: 'another CA' }, now, systemEntropy)
    const stranger = issueClientCertificate(authority, { CN: 'stranger' }, now, systemEntropy)
    const credentials = { cert: certificateToPem(stranger.certificate), key: privateKeyPem(stranger) }
    await assert.rejects(post('', 'text/xml', { ...credentials, agent: false }))
    await assert.rejects(post('', 'text/xml', { cert: undefined, key: undefined, agent: false }))
  })
})
