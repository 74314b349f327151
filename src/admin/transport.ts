/**
 * The way of a command line to the server: one request over the local socket or over HTTPS, after a log-in where one is
 * needed. What it is not: a choice of server (`cli-connection.ts`).
 */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Connection } from './cli-connection.ts'
import type { CommandRow } from './command.ts'
import { type Failure, failureRows, Refused } from './failure.ts'

/** A request, as the server takes it. */
export interface ApiRequest {
  readonly method: string
  readonly path: string
  readonly body: Readonly<Record<string, unknown>> | undefined
  readonly who: CommandRow['who']
  readonly patient?: true | undefined
}

interface Asking {
  readonly canAsk: boolean
  readonly ask: (question: string, secret: boolean) => Promise<string>
}

const prefix = '/api/v1'
const logInPath = `${prefix}/auth/tokens`

/** The request of a command with these values. */
export const requestOf = (row: CommandRow, values: Readonly<Record<string, unknown>>): ApiRequest => {
  const others = { ...values }
  const path = row.path.replaceAll(/:(\w+)/g, (_, name: string) => {
    const value = String(others[name])
    delete others[name]
    return encodeURIComponent(value)
  })
  if (row.method !== 'GET' && row.method !== 'DELETE')
    return { method: row.method, path: `${prefix}${path}`, body: others, who: row.who, patient: row.patient }
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(others)) {
    for (const each of Array.isArray(value) ? (value as unknown[]) : [value]) query.append(name, String(each))
  }
  const search = query.size === 0 ? '' : `?${query.toString()}`
  return { method: row.method, path: `${prefix}${path}${search}`, body: undefined, who: row.who, patient: row.patient }
}

/** The answer to a request: a value of JSON, a text, or null when it has no content. @throws Refused */
export const send = async (connection: Connection, request: ApiRequest, host: Asking): Promise<unknown> => {
  const needsLogIn = connection.url !== undefined && request.who !== 'anyone' && connection.jwt === undefined
  const token = needsLogIn ? await logIn(connection, host) : request.who === 'anyone' ? undefined : connection.jwt
  return exchange(connection, request, token)
}

const logIn = async (connection: Connection, host: Asking): Promise<string> => {
  const { username, auth_domain, domain } = connection.known
  if (username === undefined) {
    throw new Refused(
      'unauthenticated',
      'Who asks?',
      'Set KSCTL_USERNAME and KSCTL_PASSWORD, or KSCTL_JWT, in the environment or in --configfile.',
    )
  }
  const password =
    connection.known['password'] ?? (host.canAsk ? await host.ask(`Password of ${username}: `, true) : undefined)
  if (password === undefined) throw new Refused('unauthenticated', 'The password is missing', 'Set KSCTL_PASSWORD.')
  const body = {
    username,
    password,
    ...(auth_domain === undefined ? {} : { auth_domain }),
    ...(domain === undefined ? {} : { domain }),
  }
  const answer = await exchange(connection, { method: 'POST', path: logInPath, body, who: 'anyone' }, undefined)
  return (answer as { readonly jwt: string }).jwt
}

const exchange = async (connection: Connection, request: ApiRequest, token: string | undefined): Promise<unknown> => {
  const body = request.body === undefined ? undefined : JSON.stringify(request.body)
  const options: RequestOptions = {
    method: request.method,
    path: request.path,
    timeout: request.patient === true && !connection.isTimeoutGiven ? 0 : connection.timeoutMs,
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(connection.domain === undefined ? {} : { 'kmipd-domain': encodeURIComponent(connection.domain) }),
    },
  }
  const response = await answered(connection, options, body)
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  return answerOf(response, Buffer.concat(chunks).toString('utf8'))
}

const answered = (
  connection: Connection,
  options: RequestOptions,
  body: string | undefined,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const { url, socket, ca, verifyServer } = connection
    const sent =
      url === undefined
        ? httpRequest({ ...options, socketPath: socket }, resolve)
        : httpsRequest(
            {
              ...options,
              host: url.hostname.replace(/^\[|\]$/g, ''),
              port: url.port === '' ? 443 : Number(url.port),
              rejectUnauthorized: verifyServer,
              ...(ca === undefined ? {} : { ca }),
            },
            resolve,
          )
    sent.on('timeout', () =>
      sent.destroy(
        new Refused('unavailable', 'The server did not answer in time', 'KSCTL_TIMEOUT sets how long to wait.'),
      ),
    )
    sent.on('error', (error) => reject(error instanceof Refused ? error : unreachable(connection, error)))
    sent.end(body)
  })

const unreachable = ({ url, socket }: Connection, error: Error): Refused =>
  new Refused(
    'unavailable',
    `The server cannot be reached at ${url?.href ?? socket}: ${error.message}`,
    url === undefined
      ? 'Is it running, by this user? KMIPCTL_SOCKET names its socket (admin.sock in its data folder), KMIPCTL_URL another server.'
      : 'KMIPCTL_CA names the authority to trust (bootstrap/ca.pem of the server), when that is what is missing.',
  )

const answerOf = (response: IncomingMessage, text: string): unknown => {
  const status = response.statusCode ?? 0
  const isJson = response.headers['content-type']?.startsWith('application/json') === true
  const value: unknown = isJson && text !== '' ? JSON.parse(text) : text
  if (status < 300) return status === 204 ? null : value
  throw new Refused(...failureIn(value, status))
}

const failureIn = (value: unknown, status: number): [Failure['code'], string, string] => {
  const { code, message, remedy } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Failure>
  if (code !== undefined && Object.hasOwn(failureRows, code)) return [code, message ?? '', remedy ?? '']
  return ['internal', `The server answered with status ${status}`, 'Is it a kmipd?']
}
