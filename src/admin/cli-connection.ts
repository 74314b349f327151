/**
 * Which server a command line means, and as whom. What it is: the reading of flags, environment and configuration file, the
 * first of which wins. What it is not: the connection (`transport.ts`).
 *
 *     key in file and environment      also as                 is
 *     KMIPCTL_URL                      KSCTL_URL, --url        https://host:port; none: the local socket
 *     KMIPCTL_SOCKET                   KSCTL_SOCKET, --socket  path of the local socket
 *     KMIPCTL_USERNAME, _PASSWORD      KSCTL_…                 log-in
 *     KMIPCTL_JWT                      KSCTL_JWT               a token of a log-in, instead
 *     KMIPCTL_DOMAIN                   KSCTL_DOMAIN            domain to administer
 *     KMIPCTL_AUTH_DOMAIN              KSCTL_AUTH_DOMAIN       domain of the user
 *     KMIPCTL_NOSSLVERIFY              KSCTL_NOSSLVERIFY       true: any certificate will do
 *     KMIPCTL_CA                       KSCTL_CA                PEM file of the authority to trust
 *     KMIPCTL_TIMEOUT                  KSCTL_TIMEOUT           30, 30s, 500ms, 2m
 *     KMIPCTL_RESP                     KSCTL_RESP              json, yaml or table
 */
import { parse } from 'yaml'
import type { GivenFlags } from './cli-values.ts'
import { Refused } from './failure.ts'

export interface Sources {
  readonly flags: GivenFlags
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly readFile: (path: string) => string
}

export type AnswerForm = 'json' | 'yaml' | 'table'

export interface Connection {
  /** Undefined: the local socket. */
  readonly url: URL | undefined
  readonly socket: string
  readonly jwt: string | undefined
  readonly domain: string | undefined
  readonly verifyServer: boolean
  /** PEM. */
  readonly ca: string | undefined
  readonly timeoutMs: number
  /** Whether somebody has set it: commands that take long are waited for otherwise. */
  readonly isTimeoutGiven: boolean
  readonly form: AnswerForm | undefined
  /** Values that commands without a log-in take from here when they are not given. */
  readonly known: Readonly<Record<string, string | undefined>>
}

const keys = [
  'URL',
  'SOCKET',
  'USERNAME',
  'PASSWORD',
  'JWT',
  'DOMAIN',
  'AUTH_DOMAIN',
  'NOSSLVERIFY',
  'CA',
  'TIMEOUT',
  'RESP',
] as const
type Key = (typeof keys)[number]

/** Our own prefix goes before the other. */
const prefixes = ['KMIPCTL_', 'KSCTL_']
const socketDefault = './data/admin.sock'
const timeoutDefault = '30s'
const unitMs: Readonly<Record<string, number>> = { '': 1_000, ms: 1, s: 1_000, m: 60_000 }

/** @throws Refused */
export const connectionOf = (sources: Sources): Connection => {
  const { flags, environment, readFile } = sources
  const file = fileOf(flags['configfile'] ?? environment['KMIPCTL_CONFIGFILE'], readFile)
  const of = (key: Key): string | undefined => {
    const flag = flags[key.toLowerCase()]
    if ((key === 'URL' || key === 'SOCKET') && typeof flag === 'string') return flag
    for (const place of [environment, file]) {
      for (const prefix of prefixes) {
        const value = place[`${prefix}${key}`]
        if (value !== undefined && value !== '') return value
      }
    }
    return undefined
  }
  const caPath = of('CA')
  return {
    // A socket that is named on the line is meant, whatever the environment says of other servers.
    url: typeof flags['socket'] === 'string' ? undefined : urlOf(of('URL')),
    socket: of('SOCKET') ?? socketDefault,
    jwt: of('JWT'),
    domain: of('DOMAIN'),
    verifyServer: of('NOSSLVERIFY') !== 'true',
    ca: caPath === undefined ? undefined : readOr(caPath, readFile),
    timeoutMs: timeoutOf(of('TIMEOUT') ?? timeoutDefault),
    isTimeoutGiven: of('TIMEOUT') !== undefined,
    form: formOf(of('RESP')),
    known: {
      username: of('USERNAME'),
      password: of('PASSWORD'),
      domain: of('DOMAIN'),
      auth_domain: of('AUTH_DOMAIN'),
    },
  }
}

const fileOf = (path: unknown, readFile: Sources['readFile']): Readonly<Record<string, string | undefined>> => {
  if (typeof path !== 'string' || path === '') return {}
  const text = readOr(path, readFile)
  let content: unknown
  try {
    content = parse(text, { schema: 'core', maxAliasCount: 0 })
  } catch (error) {
    throw new Refused('usage', `${path} is not YAML: ${error instanceof Error ? error.message : ''}`)
  }
  if (content === null) return {}
  if (typeof content !== 'object') throw new Refused('usage', `${path} holds no keys such as KSCTL_URL`)
  return Object.fromEntries(Object.entries(content).map(([key, value]) => [key, String(value ?? '')]))
}

const readOr = (path: string, readFile: Sources['readFile']): string => {
  try {
    return readFile(path)
  } catch (error) {
    throw new Refused('usage', `${path} cannot be read: ${error instanceof Error ? error.message : ''}`)
  }
}

const urlOf = (text: string | undefined): URL | undefined => {
  if (text === undefined) return undefined
  const full = text.includes('://') ? text : `https://${text}`
  const url = URL.canParse(full) ? new URL(full) : undefined
  if (url?.protocol !== 'https:')
    throw new Refused('usage', `${JSON.stringify(text)} is not an address such as https://host:port`)
  return url
}

const timeoutOf = (text: string): number => {
  const [, count = '', unit = ''] = /^(\d{1,6})(ms|s|m)?$/.exec(text) ?? []
  if (count === '') throw new Refused('usage', `KSCTL_TIMEOUT: ${JSON.stringify(text)} is not a time such as 30s`)
  return Number(count) * (unitMs[unit] ?? 0)
}

const formOf = (text: string | undefined): AnswerForm | undefined => {
  if (text === undefined || text === 'json' || text === 'yaml' || text === 'table') return text
  throw new Refused('usage', `KSCTL_RESP is json, yaml or table, not ${JSON.stringify(text)}`)
}
