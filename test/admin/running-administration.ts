/**
 * The administration of a server in memory, for tests: the real API on a real socket, kmipctl run within the process, a
 * clock that the test sets. What it is not: a KMIP listener, or a store on disk.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SettableClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { startAdministration } from '#admin/administration'
import { type CommandLineHost, runCommandLine } from '#admin/cli'
import type { CommandEvent } from '#admin/http-api'
import type { AdminServices, LogControl, Upkeep } from '#admin/services'
import { AdministrationError } from '#identity/administration-error'
import { adoptOwnAuthority } from '#identity/authorities'
import { bootstrap, certificateTable } from '#identity/bootstrap'
import { connectionTable } from '#identity/connections'
import { domainTable } from '#identity/domains'
import { type InterfaceActors, interfaceTable } from '#identity/interfaces'
import { Licence, licenceTable } from '#identity/licence'
import { Login } from '#identity/login'
import { clientTable, findUser, type UserName, userTable } from '#identity/principals'
import { registrationTables } from '#identity/registration-tables'
import { groupTable } from '#identity/user-groups'
import { objectTable } from '#operations/object-table'
import { MemoryStore } from '#store/memory'
import type { Table } from '#store/store'

export interface AdministrationParts {
  /** SPKI DER in Base64 of who signs licences. */
  readonly licencePublicKey: string
  /** What the log holds. */
  readonly logText: string
  readonly clock: SettableClock
}

/** What a line of kmipctl came to. */
export interface LineResult {
  readonly code: number
  readonly out: string
  readonly error: string
  /** The answer, when it is JSON. */
  readonly json: unknown
}

export interface LineSurroundings {
  readonly environment?: Readonly<Record<string, string>>
  readonly isTerminal?: boolean
  /** Answers to questions, by what is asked. */
  readonly answers?: Readonly<Record<string, string>>
}

export interface RunningAdministration extends AsyncDisposable {
  readonly directory: string
  readonly port: number
  /** Password of the user `admin`. */
  readonly password: string
  /** PEM of the authority that vouches for the HTTPS listener. */
  readonly ca: string
  readonly services: Omit<AdminServices, 'bearerTokens'>
  readonly clock: SettableClock
  /** Fingerprints of clients whose sessions were to end. */
  readonly ended: readonly string[]
  /** What the log was told of commands. */
  readonly events: readonly CommandEvent[]
  readonly failures: readonly unknown[]
  /** Runs `kmipctl` with these words, at the local socket; files are relative to the directory. */
  line(words: readonly string[], surroundings?: LineSurroundings): Promise<LineResult>
  /** The same as a user over HTTPS. */
  remoteLine(words: readonly string[], environment: Readonly<Record<string, string>>): Promise<LineResult>
}

const tables = [
  objectTable,
  clientTable,
  userTable,
  groupTable,
  domainTable,
  certificateTable,
  interfaceTable,
  licenceTable,
  connectionTable,
] as unknown as readonly Table<never>[]

/** Starts it in a new folder, after the first start of a server. */
export const startAdministrationUnderTest = async (
  parts: Partial<AdministrationParts> = {},
): Promise<RunningAdministration> => {
  const directory = await mkdtemp(join(tmpdir(), 'kmipd-admin-'))
  const clock = parts.clock ?? new SettableClock()
  const store = new MemoryStore([...tables, ...registrationTables])
  const entropy = systemEntropy
  const first = await bootstrap({
    directory,
    store,
    clock,
    entropy,
    hostName: 'localhost',
    certificateNames: [],
    rsaToo: false,
  })
  await adoptOwnAuthority(store, clock)
  const ended: string[] = []
  const services = {
    store,
    clock,
    entropy,
    login: new Login({
      store,
      clock,
      entropy,
      rememberMs: 1_000,
      directories: { passwordMatches: async () => false, generationOf: () => 0 },
    }),
    licence: await Licence.open({
      store,
      clock,
      entropy,
      publicKey: parts.licencePublicKey ?? '',
      mark: { read: () => undefined, write: () => undefined },
    }),
    logs: logOf(parts.logText ?? ''),
    knowsUser: (name: UserName) => findUser(store, name) !== undefined,
    interfaces: interfacesOf(ended),
    upkeep: noUpkeep,
    audit: noAudit,
    objectsChanged: () => undefined,
    passwordLengthMin: 8,
  }
  const events: CommandEvent[] = []
  const failures: unknown[] = []
  const [server] = first.servers
  const socketPath = join(directory, 'admin.sock')
  const administration = await startAdministration(
    {
      services,
      socketPath,
      https: {
        host: '127.0.0.1',
        port: 0,
        cert: server?.certificatePem ?? '',
        key: server?.privateKeyPem ?? '',
      },
      log: {
        commandEnded: (event) => void events.push(event),
        socketRefused: (event) => void failures.push(event),
        commandFailed: (_command, error) => {
          failures.push(error)
          return `correlation-${failures.length}`
        },
      },
      bodyBytesMax: 65_536,
      requestTimeoutMs: 10_000,
      logInLifetimeMs: 60_000,
    },
    (reason) => void failures.push(reason),
  )
  const port = administration.port ?? 0
  const run = (words: readonly string[], surroundings: LineSurroundings) => lineOf(words, directory, surroundings)
  return {
    directory,
    port,
    password: (await readFile(join(directory, 'bootstrap', 'admin-password'), 'utf8')).trim(),
    ca: first.authorityPem,
    services,
    clock,
    ended,
    events,
    failures,
    line: (words, surroundings = {}) =>
      run(words, { ...surroundings, environment: { KMIPCTL_SOCKET: socketPath, ...surroundings.environment } }),
    remoteLine: (words, environment) =>
      run(words, {
        environment: {
          KMIPCTL_URL: `https://127.0.0.1:${port}`,
          KMIPCTL_CA: join(directory, 'bootstrap', 'ca.pem'),
          ...environment,
        },
      }),
    async [Symbol.asyncDispose]() {
      await administration.stop()
      services.licence.stop()
      await store.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** No interface runs: nothing can be made or changed, and no session has to end. */
const interfacesOf = (ended: string[]): InterfaceActors => {
  const away = async (): Promise<never> => {
    throw new AdministrationError('unavailable', 'no interface runs here')
  }
  return {
    effective: () => ({
      port: 5696,
      networkInterface: 'all',
      mode: 'tls-cert-pw-opt',
      minimumTlsVersion: 'tls_1_2',
      hardDelete: false,
    }),
    create: away,
    modify: away,
    remove: away,
    review: async () => undefined,
    endSessionsOf: (fingerprint) => void ended.push(fingerprint),
  }
}

/** There are no files here: `test/backup` asks a server that has some. */
const noFiles = async (): Promise<never> => {
  throw new AdministrationError('unavailable', 'the store is in memory here')
}
const noAudit: AdminServices['audit'] = {
  verify: () => Promise.reject(new AdministrationError('conflict', 'There is no audit trail', '')),
}

const noUpkeep: Upkeep = {
  backup: noFiles,
  verify: noFiles,
  check: noFiles,
  rotateRootKey: noFiles,
  finishRootKey: noFiles,
  rootKey: () => ({ source: 'file', from: 'nowhere', rootKey: '0123456789abcdef', next: undefined }),
}

const logOf = (text: string): LogControl => {
  let level: ReturnType<LogControl['level']> = 'INF'
  return {
    level: () => level,
    setLevel: (next) => {
      level = next
    },
    read: async () => text,
  }
}

/** Runs `kmipctl` within this process; paths of files are below the directory. */
export const lineOf = async (
  words: readonly string[],
  directory: string,
  { environment = {}, isTerminal = false, answers }: LineSurroundings,
): Promise<LineResult> => {
  const told = { out: '', error: '' }
  const place = (path: string): string => (path.startsWith('/') ? path : join(directory, path))
  mkdirSync(directory, { recursive: true })
  const host: CommandLineHost = {
    environment,
    isTerminal,
    columns: 100,
    canAsk: answers !== undefined,
    out: (text) => {
      told.out += text
    },
    error: (text) => {
      told.error += text
    },
    readFile: (path) => readFileSync(place(path), 'utf8'),
    writeFile: (path, text) => writeFileSync(place(path), text, { mode: 0o600 }),
    ask: async (question) => answers?.[question.trim()] ?? '',
  }
  const code = await runCommandLine(words, host)
  return { code, ...told, json: parsed(told.out) }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
