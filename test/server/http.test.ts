/** Messages in HTTPS on a real server: three encodings, what is no message, and that the bounds and identity rules hold. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, type RequestOptions, request } from 'node:https'
import { after, before, describe, test } from 'node:test'
import { connect } from 'node:tls'
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
    server = await startServerProcess({
      https: true,
      flags: ['--request-size-max', '65536', '--unanswered-requests-max', '4'],
    })
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

  /** The status codes of all that comes back to so many bytes, until the server ends the session. */
  const statusesOf = async (sent: string): Promise<readonly number[]> => {
    const { ca, cert, key, host } = server.connection
    const socket = connect({ host, port: server.httpsPort, ca, cert, key })
    socket.write(sent)
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    return [
      ...Buffer.concat(chunks)
        .toString('latin1')
        .matchAll(/HTTP\/1\.1 (\d{3})/g),
    ].map(([, code]) => Number(code))
  }
  const xml = encodeXml(locate, vocabulary)
  const posted = (more = '', target = '/kmip'): string =>
    `POST ${target} HTTP/1.1\r\nHost: kmip\r\nContent-Type: text/xml\r\nContent-Length: ${xml.length}\r\n${more}\r\n${xml}`
  const last = posted('Connection: close\r\n')
  const brokenBody =
    'POST /kmip HTTP/1.1\r\nHost: kmip\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n'
  const streams: readonly (readonly [string, string, readonly number[]])[] = [
    ['garbage behind a request: the request is answered first', `${posted()}garbage\r\n\r\n`, [200, 400]],
    ['a body that breaks off behind two requests', posted() + posted() + brokenBody, [200, 200, 400]],
    ['a head that is too long behind a request', posted() + posted(`X: ${'x'.repeat(20_000)}\r\n`), [200, 431]],
    ['more requests than may wait: those that were taken are answered', posted().repeat(6), [200, 200, 200, 200]],
    ['what is refused, behind a request', posted() + posted('', '/other'), [200, 404]],
    ['a target in absolute form (RFC 9112 §3.2.2)', posted('', 'https://kmip.example:5697/kmip') + last, [200, 200]],
    ['two hosts (RFC 9112 §3.2)', posted('Host: other\r\n'), [400]],
    ['a length and chunks', posted('Transfer-Encoding: chunked\r\n'), [400]],
  ]
  for (const [what, sent, statuses] of streams) {
    test(what, async () => assert.deepEqual(await statusesOf(sent), statuses))
  }

  test('a client without a certificate of a trusted authority does not get in', async () => {
    const now = systemClock.nowSeconds()
    const authority = createAuthority({ CN: 'another CA' }, now, systemEntropy)
    const stranger = issueClientCertificate(authority, { CN: 'stranger' }, now, systemEntropy)
    const credentials = { cert: certificateToPem(stranger.certificate), key: privateKeyPem(stranger) }
    await assert.rejects(post('', 'text/xml', { ...credentials, agent: false }))
    await assert.rejects(post('', 'text/xml', { cert: undefined, key: undefined, agent: false }))
  })
})
