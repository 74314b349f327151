/**
 * The HTTP interface of the administration: one route a row. What it is: fastify around the table of commands, with the
 * check of every value, the right to ask, the one form of errors, and the OpenAPI document. What it is not: a listener with
 * its socket or certificate (`listeners.ts`), or what a command does.
 *
 *     GET|POST|… /api/v1/<path>   one row each         GET /openapi.json   the document
 */

import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import type { TSchema } from 'typebox'
import * as Type from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { Convert } from 'typebox/value'
import type { Access, Identify } from './access.ts'
import { type AdminContext, type CommandRow, nothing } from './command.ts'
import { type Failure, failureOf, failureRows, Refused } from './failure.ts'

export const apiPrefix = '/api/v1'
/** The header by which an administrator of the root domain says which domain a request at the local socket is for. */
export const domainHeader = 'kmipd-domain'

/** What the interface asks its listener and the process. */
export interface ApiOptions {
  readonly commands: readonly CommandRow[]
  readonly services: AdminContext['services']
  /** Who asks, and which domain is administered. @throws Refused when a log-in is missing or not right */
  readonly identify: Identify
  readonly log: ApiLog
  readonly bodyBytesMax: number
  readonly requestTimeoutMs: number
  /** Certificate and key of the server, for HTTPS; without them it speaks HTTP, on a local socket. */
  readonly https?: { readonly cert: string; readonly key: string; readonly minVersion: 'TLSv1.2' }
}

/** How a command ended: `done`, or the code of its failure. */
export interface CommandEvent {
  readonly command: string
  readonly by: string
  readonly domain: string
  readonly address: string
  readonly outcome: string
  /** Names and identifiers of what it was about: those of its path, what it was to make, and what it has made. */
  readonly objects: readonly string[]
  /** Whether it may have changed something. */
  readonly changes: boolean
}

export interface ApiLog {
  /** A command was done or refused: who, what, and how it ended. Never its values. What it gives is waited for before the answer. */
  commandEnded(event: CommandEvent): Promise<void> | void
  /** An unforeseen error. Gives the correlation that the caller is told. */
  commandFailed(command: string, error: unknown): string
}

const version = '1.0.0'
/**
 * Requests of an address in a minute without a log-in, at the most: to each command that needs none (log-ins and registrations,
 * which can be guessed at), and to all that do. Beyond that one leaves a line that says so: others would push the trail's older lines out.
 */
const strangersMax = { anyone: 60, others: 300 } as const
const minuteMs = 60_000
/** Characters of a member of a path: three names of a user's full name, each of 255, and room for longer names of keys. */
const pathMemberMax = 4_096
/** Administrators are few. */
const connectionsMax = 256

/** Answers hold tokens and private keys. */
const answerHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

const failureSchema = Type.Object(
  {
    code: Type.Enum(Object.keys(failureRows)),
    message: Type.String(),
    remedy: Type.String({ description: 'What to do about it' }),
  },
  { description: 'Why it was not done' },
)

/** An interface that is ready to listen. */
export const buildApi = async (options: ApiOptions): Promise<FastifyInstance> => {
  const app = fastify({
    logger: false,
    bodyLimit: options.bodyBytesMax,
    requestTimeout: options.requestTimeoutMs,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: pathMemberMax },
    frameworkErrors: (error, _request, reply) => {
      const failure: Failure = { code: 'invalid', message: error.message, remedy: '' }
      const answer = reply as unknown as FastifyReply
      void answer.status(failureRows[failure.code].status).headers(answerHeaders).send(failure)
    },
    ...(options.https === undefined ? {} : { https: { ...options.https, handshakeTimeout: options.requestTimeoutMs } }),
  }) as unknown as FastifyInstance
  app.setValidatorCompiler<TSchema>(({ schema, httpPart }) => validatorOf(Compile(schema), schema, httpPart !== 'body'))
  app.setSerializerCompiler(() => (value: unknown) => JSON.stringify(value))
  await app.register(rateLimit, { global: false, timeWindow: minuteMs, ban: 1 })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'kmipd administration',
        description: 'Clients, users, interfaces and keys of a kmipd server. kmipctl has the same commands.',
        version,
      },
      components: {
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'From POST /api/v1/auth/tokens' } },
      },
    },
  })
  app.addHook('onSend', async (_request, reply) => {
    reply.headers(answerHeaders)
  })
  const asked: Asked = new WeakMap()
  app.setErrorHandler(async (error, request, reply) => {
    const { row, access, isTold = true } = asked.get(request) ?? {}
    const failure = failureOf(asRefused(error), (cause) =>
      options.log.commandFailed(row?.verbs.join(' ') ?? request.method, cause),
    )
    if (row !== undefined && isTold) await options.log.commandEnded(eventOf(row, access, request, failure.code))
    return reply.status(failureRows[failure.code].status).send(failure)
  })
  app.setNotFoundHandler((_request, reply) => {
    const failure: Failure = {
      code: 'not_found',
      message: 'There is no such resource',
      remedy: 'GET /openapi.json lists them all.',
    }
    return reply.status(404).send(failure)
  })
  const others = boundOf(app, strangersMax.others)
  for (const row of options.commands)
    addRoute(app, row, options, asked, row.who === 'anyone' ? boundOf(app, strangersMax.anyone) : others)
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
  app.server.maxConnections = connectionsMax
  await app.ready()
  return app
}

/** Counts a request of somebody unknown. Gives of one too many whether it is still to be told of. */
type Bound = (request: FastifyRequest, reply: FastifyReply) => Promise<{ readonly isTold: boolean } | undefined>

const boundOf = (app: FastifyInstance, max: number): Bound => {
  const count = app.createRateLimit({ max })
  return async (request, reply) => {
    const counted = await count(request)
    if (counted.isAllowed || !counted.isExceeded) return undefined
    reply.header('retry-after', counted.ttlInSeconds)
    return { isTold: !counted.isBanned }
  }
}

const addRoute = (app: FastifyInstance, row: CommandRow, options: ApiOptions, asked: Asked, bound: Bound): void => {
  /** @throws Refused for one too many of somebody unknown */
  const counted = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    // The local socket has but one user.
    const tooMany = options.https === undefined ? undefined : await bound(request, reply)
    if (tooMany === undefined) return
    asked.set(request, { row, access: asked.get(request)?.access, ...tooMany })
    throw new Refused(
      'too_many_requests',
      'Too many requests without a log-in come from this address',
      'Wait a minute.',
    )
  }
  app.route({
    method: row.method,
    url: `${apiPrefix}${row.path}`,
    // Before the values are looked at: who may not ask learns nothing of them.
    async onRequest(request, reply) {
      asked.set(request, { row, access: undefined })
      let access: Access
      try {
        access = identified(row, options, request)
      } catch (error) {
        if (error instanceof Refused && error.failure.code === 'unauthenticated') await counted(request, reply)
        throw error
      }
      asked.set(request, { row, access })
      if (row.who === 'anyone') await counted(request, reply)
      checkAllowed(row, access)
    },
    schema: routeSchema(row),
    async handler(request, reply) {
      const access = asked.get(request)?.access
      if (access === undefined) throw new TypeError('a request was let in without a look at who asks')
      const result = await row.handle(valuesOf(request), { ...access, services: options.services })
      await options.log.commandEnded(eventOf(row, access, request, 'done', result))
      if (isText(row)) reply.type(`${textType}; charset=utf-8`)
      if (result === null) return await reply.status(204).send()
      return await reply.status(row.method === 'POST' ? 201 : 200).send(result)
    },
  })
}

/** What is known of requests that were matched with a row. */
type Asked = WeakMap<
  FastifyRequest,
  {
    readonly row: CommandRow
    readonly access: Access | undefined
    /** False: others of its kind have been told of. */
    readonly isTold?: boolean
  }
>

const eventOf = (
  row: CommandRow,
  access: Access | undefined,
  request: FastifyRequest,
  outcome: string,
  result?: unknown,
): CommandEvent => ({
  command: row.verbs.join(' '),
  by: access?.caller.name ?? 'nobody',
  domain: access?.domain ?? 'none',
  address: access?.caller.address ?? request.ip ?? 'socket',
  outcome,
  objects: objectsOf(row, request, outcome, result),
  changes: row.method !== 'GET',
})

/** Members of a body that name what is to be made; told up to so many characters. */
const nameMembers = ['username', 'name', 'profile_name']
const nameMax = 128

/** What a command was about: members of its path, names of what it makes, and the identifier of what it answers. */
const objectsOf = (row: CommandRow, request: FastifyRequest, outcome: string, result: unknown): readonly string[] => {
  const { params, body } = request as { readonly params: unknown; readonly body: unknown }
  const named = Object.values(membersOf(params))
  // What somebody unknown types in vain may be anything, a password too.
  const isMeant = row.method !== 'GET' && (outcome === 'done' || row.who !== 'anyone')
  const given = membersOf(body)
  const names = isMeant ? nameMembers.map((name) => given[name]) : []
  const all = [...named, ...names, membersOf(result)['id']].filter((name) => typeof name === 'string')
  return [...new Set(all.map((name) => name.slice(0, nameMax)))]
}

const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}

/** @throws Refused when a log-in is missing or over */
const identified = (row: CommandRow, options: ApiOptions, request: FastifyRequest): Access => {
  const { authorization, [domainHeader]: domain } = request.headers
  return options.identify(
    { authorization, domain: typeof domain === 'string' ? domain : undefined, address: request.ip },
    row,
  )
}

/** @throws Refused */
const checkAllowed = (row: CommandRow, { caller, domain }: Access): void => {
  if (row.who === 'administrator' && !caller.administrator) {
    throw new Refused('forbidden', 'Only administrators may do this', 'Log in as an administrator.')
  }
  if (row.rootOnly === true && domain !== 'root') {
    throw new Refused('forbidden', 'Only administrators of the root domain may do this', 'Log in to the root domain.')
  }
}

const valuesOf = (request: FastifyRequest): Readonly<Record<string, unknown>> => ({
  ...(request.query as object),
  ...(request.body as object | undefined),
  ...(request.params as object),
})

/** Where the parameters of a row are in a request. */
const partsOf = (row: CommandRow): Readonly<Record<'path' | 'query' | 'body', readonly string[]>> => {
  const inPath = new Set([...row.path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? ''))
  const others = Object.keys(row.parameters).filter((name) => !inPath.has(name))
  const inQuery = row.method === 'GET' || row.method === 'DELETE'
  return { path: [...inPath], query: inQuery ? others : [], body: inQuery ? [] : others }
}

const objectOf = (row: CommandRow, names: readonly string[]): TSchema =>
  Type.Object(
    Object.fromEntries(
      names.map((name) => {
        const parameter = row.parameters[name]
        if (parameter === undefined) throw new TypeError(`${row.path} has no parameter ${name}`)
        return [name, parameter.optional ? Type.Optional(parameter.schema) : parameter.schema]
      }),
    ),
    { additionalProperties: false },
  )

/** Whether the answer is a text as it is, and not a value of JSON. */
const isText = ({ result }: CommandRow): boolean => 'type' in result && result.type === 'string'
const textType = 'text/plain'

const routeSchema = (row: CommandRow) => {
  const { path, query, body } = partsOf(row)
  return {
    operationId: row.verbs.join('_'),
    summary: row.summary,
    description: `\`kmipctl ${row.example}\``,
    tags: [row.verbs[0]],
    ...(row.who === 'anyone' ? {} : { security: [{ bearer: [] }] }),
    ...(path.length === 0 ? {} : { params: objectOf(row, path) }),
    ...(query.length === 0 ? {} : { querystring: objectOf(row, query) }),
    ...(body.length === 0 ? {} : { body: objectOf(row, body) }),
    response: {
      [row.result === nothing ? 204 : row.method === 'POST' ? 201 : 200]: isText(row)
        ? { description: 'Text', content: { [textType]: { schema: row.result } } }
        : row.result,
      default: failureSchema,
    },
  }
}

/** Words of a path and a query are texts, and become what the schema says; a body says itself what it is. */
const validatorOf =
  (validator: Validator, schema: TSchema, convert: boolean) =>
  (value: unknown): { value: unknown } | { error: Error } => {
    const given = convert ? Convert(schema, value) : (value ?? {})
    if (validator.Check(given)) return { value: given }
    const [first] = validator.Errors(given)
    const place = first?.instancePath.slice(1).replaceAll('/', '.') ?? ''
    const text = `${place === '' ? 'The request' : place} ${first?.message ?? 'is not what it should be'}`
    return { error: new Refused('invalid', text, 'GET /openapi.json and kmipctl help describe what is expected.') }
  }

/** Errors of fastify itself (a body that is no JSON, one that is too large) are the caller's. */
const asRefused = (error: unknown): unknown => {
  const { statusCode, message } = error as { readonly statusCode?: unknown; readonly message?: unknown }
  if (error instanceof Refused || typeof statusCode !== 'number' || statusCode >= 500) return error
  return new Refused(statusCode === 429 ? 'too_many_requests' : 'invalid', String(message))
}
