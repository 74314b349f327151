/**
 * Cases that are about other encodings and about HTTPS, sent as they say. What it is: a row a family, and a session that posts
 * each message in its form. What it is not: the comparison, which sees the same items whatever carried them.
 */
import { Agent, request } from 'node:https'
import { vocabulary } from '#kmip/vocabulary'
import { decodeItem, encodeItem } from '#ttlv/binary'
import type { Item } from '#ttlv/item'
import { decodeJson, encodeJson } from '#ttlv/json'
import { decodeXml, encodeXml } from '#ttlv/xml'
import type { ServerOptions, Surroundings } from './run.ts'

/** A form of messages in HTTPS. */
interface Form {
  readonly contentType: string
  readonly encode: (item: Item) => Buffer
  readonly decode: (bytes: Buffer) => Item
}

const limits = {
  nestingDepthMax: 64,
  itemCountMax: 1_000_000,
  textLengthMax: 64_000_000,
  attributeLengthMax: 64_000_000,
}

const binary: Form = {
  contentType: 'application/octet-stream',
  encode: encodeItem,
  decode: (bytes) => decodeItem(bytes, limits),
}
const xml: Form = {
  contentType: 'text/xml',
  encode: (item) => Buffer.from(encodeXml(item, vocabulary), 'utf8'),
  decode: (bytes) => decodeXml(bytes.toString('utf8'), vocabulary, limits),
}
const json: Form = {
  contentType: 'application/json',
  encode: (item) => Buffer.from(encodeJson(item, vocabulary), 'utf8'),
  decode: (bytes) => decodeJson(bytes.toString('utf8'), vocabulary, limits),
}

/** Which cases travel in HTTPS, and as what (KMIP Profiles 1.4 §5.5 to §5.7); all others are TTLV in TLS. */
const rows: readonly { readonly names: RegExp; readonly form: Form }[] = [
  { names: /^MSGENC-HTTPS-/, form: binary },
  { names: /^MSGENC-XML-/, form: xml },
  { names: /^MSGENC-JSON-/, form: json },
]

/** How a case travels in HTTPS, or undefined for one that does not. */
export const httpsFormOf = (caseName: string): Form | undefined => rows.find(({ names }) => names.test(caseName))?.form

/** A session of requests in HTTPS: binary messages in, in the form to the server, and back. */
export const openHttpsSession = (
  server: ServerOptions,
  port: number | undefined,
  form: Form,
): ReturnType<Surroundings['open']> => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    async send(bytes) {
      if (port === undefined) throw new TypeError('the case is one of HTTPS, and no HTTPS port was given')
      const answer = await post(server, port, agent, form.contentType, form.encode(decodeItem(bytes, limits)))
      return encodeItem(form.decode(answer))
    },
    async close() {
      agent.destroy()
    },
  }
}

const post = (
  server: ServerOptions,
  port: number,
  agent: Agent,
  contentType: string,
  body: Buffer,
): Promise<Buffer> => {
  const { host, ca, cert, key, passphrase, servername, timeoutMs } = server
  const headers = { 'Content-Type': contentType, 'Content-Length': body.length }
  const settings = { host, port, path: '/kmip', method: 'POST', agent, headers, timeout: timeoutMs ?? 30_000 }
  const credentials = {
    ca: ca as string | Buffer | (string | Buffer)[] | undefined,
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(servername === undefined ? {} : { servername }),
  }
  return new Promise((resolve, reject) => {
    const sent = request({ ...settings, ...credentials }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const type = response.headers['content-type']
        if (response.statusCode !== 200 || type !== contentType) {
          reject(new TypeError(`the server answered with status ${response.statusCode} and content type ${type}`))
        } else resolve(Buffer.concat(chunks))
      })
    })
    sent.on('timeout', () => sent.destroy(new TypeError('no answer came in time')))
    sent.on('error', reject)
    sent.end(body)
  })
}
