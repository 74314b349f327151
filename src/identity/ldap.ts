/**
 * Log-ins proved by a directory. What it is: the search for a user's entry, the bind with its password, within a time, and
 * the words for what goes wrong with a directory. What it is not: the records of directories (`connections.ts`), or of users.
 *
 *     connect ─▶ StartTLS ─▶ bind as bind_dn ─▶ search (uid_field=user) below root_dn ─▶ one entry ─▶ its DN
 *     connect ─▶ StartTLS ─▶ bind as that DN with the user's password ─▶ right or wrong
 *
 * Each log-in has connections of its own: the library makes a lost one again by itself, as nobody.
 */
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectSecure } from 'node:tls'
import {
  AndFilter,
  BusyError,
  Client,
  ConfidentialityRequiredError,
  EqualityFilter,
  FilterParser,
  InvalidCredentialsError,
  NoSuchObjectError,
  ResultCodeError,
  StrongAuthRequiredError,
  UnavailableError,
} from 'ldapts'
import type { Clock } from '#actor/clock'
import type { Store } from '#store/store'
import { connectionKey, connectionTable, type LdapSettings } from './connections.ts'
import type { Directories } from './login.ts'
import type { UserName } from './principals.ts'

/** A directory that cannot be asked. The text says why, for operators; nothing of it goes to a client. */
export class DirectoryUnavailable extends Error {
  override readonly name = 'DirectoryUnavailable'
  readonly remedy: string

  constructor(message: string, remedy: string) {
    super(message)
    this.remedy = remedy
  }
}

export interface DirectoriesOptions {
  readonly store: Store
  readonly clock: Clock
  /** Told of directories that cannot be asked; never of a user's name or password. */
  readonly onUnavailable: (event: {
    readonly connection: string
    readonly reason: string
    readonly remedy: string
  }) => void
}

/** The directories that the store has records of. */
export class LdapDirectories implements Directories {
  readonly #options: DirectoriesOptions

  constructor(options: DirectoriesOptions) {
    this.#options = options
  }

  generationOf(connection: string): number {
    return this.#options.store.read(connectionTable, connection)?.revision ?? 0
  }

  /** Whether the connection's directory has this user; false when there is no such connection. @throws DirectoryUnavailable */
  async knows({ domain, connection, user }: UserName): Promise<boolean> {
    const { store, clock } = this.#options
    const record = store.read(connectionTable, connectionKey(domain, connection))?.value
    return record !== undefined && ldapKnows(record, user, clock)
  }

  async passwordMatches({ domain, connection, user }: UserName, password: string): Promise<boolean> {
    const { store, clock, onUnavailable } = this.#options
    const record = store.read(connectionTable, connectionKey(domain, connection))?.value
    if (record === undefined) return false
    try {
      return await ldapPasswordMatches(record, user, password, clock)
    } catch (error) {
      if (!(error instanceof DirectoryUnavailable)) throw error
      onUnavailable({ connection: record.name, reason: error.message, remedy: error.remedy })
      return false
    }
  }
}

/**
 * Whether the directory has one entry with this user name, and no more than one.
 * @throws DirectoryUnavailable when the directory does not say
 */
export function ldapKnows(settings: LdapSettings, user: string, clock: Clock): Promise<boolean> {
  return withDirectory(settings, clock, clock.monotonicMs() + settings.timeoutMs, async (client) => {
    await bindAsSearcher(client, settings)
    return (await findEntry(client, settings, user)) !== undefined
  })
}

/**
 * Whether the password is that of the one entry with this user name.
 * @param password not empty: with an empty one a directory lets in whoever asks (RFC 4513 §5.1.2)
 * @throws DirectoryUnavailable when the directory does not say
 */
export async function ldapPasswordMatches(
  settings: LdapSettings,
  user: string,
  password: string,
  clock: Clock,
): Promise<boolean> {
  if (password === '') return false
  const deadlineMs = clock.monotonicMs() + settings.timeoutMs
  const dn = await withDirectory(settings, clock, deadlineMs, async (client) => {
    await bindAsSearcher(client, settings)
    return findEntry(client, settings, user)
  })
  if (dn === undefined) return false
  return withDirectory(settings, clock, deadlineMs, async (client) => {
    try {
      await client.bind(dn, password)
      return client.isBound
    } catch (error) {
      // Whatever a directory has against this user (wrong, locked, expired, without a password), it is not let in.
      if (error instanceof ResultCodeError && !saysNothingOfTheUser(error)) return false
      throw error
    }
  })
}

/**
 * Whether a directory can be asked as its record says.
 * @throws DirectoryUnavailable when it cannot
 */
export async function testDirectory(settings: LdapSettings, clock: Clock): Promise<void> {
  await withDirectory(settings, clock, clock.monotonicMs() + settings.timeoutMs, async (client) => {
    await bindAsSearcher(client, settings)
    await client.search(settings.rootDn, { scope: 'base', attributes: noAttributes })
  })
}

const noAttributes = ['1.1']

const saysNothingOfTheUser = (error: ResultCodeError): boolean =>
  error instanceof BusyError ||
  error instanceof UnavailableError ||
  error instanceof ConfidentialityRequiredError ||
  error instanceof StrongAuthRequiredError

async function bindAsSearcher(client: Client, { bindDn, bindPassword }: LdapSettings): Promise<void> {
  if (bindDn === '') return
  try {
    await client.bind(bindDn, bindPassword)
  } catch (error) {
    if (!(error instanceof InvalidCredentialsError)) throw error
    throw new DirectoryUnavailable('the directory refuses bind_dn with bind_password', 'Correct the connection.')
  }
}

/**
 * The DN of the one entry, or undefined when there is none, or more than one: whose password would it be? A directory finds `JOE`
 * and `joe ` as well as `joe`: here those are other names, so that one person is one user, whose record disables it.
 * @throws DirectoryUnavailable when the entry does not show its name
 */
async function findEntry(client: Client, settings: LdapSettings, user: string): Promise<string | undefined> {
  const { rootDn, uidField, searchFilter } = settings
  const named = new EqualityFilter({ attribute: uidField, value: user })
  const filter =
    searchFilter === '' ? named : new AndFilter({ filters: [named, FilterParser.parseString(searchFilter)] })
  const { searchEntries } = await client.search(rootDn, {
    scope: 'sub',
    filter,
    attributes: [uidField],
    // Two are enough to know that it is not one.
    sizeLimit: 2,
  })
  const [entry] = searchEntries
  if (entry === undefined || searchEntries.length > 1) return undefined
  const { dn, ...shown } = entry
  // Under whatever name: an attribute has aliases and kinds.
  const names = Object.values(shown).flat()
  if (names.length === 0)
    throw new DirectoryUnavailable(
      'the directory does not show uid_field of the entry that it has found by it',
      'Let bind_dn read the attribute.',
    )
  return names.includes(user) ? dn : undefined
}

/**
 * Runs with a connection of its own, which is cut when the time is over, whatever the directory does or does not.
 * @throws DirectoryUnavailable for whatever goes wrong with it
 */
async function withDirectory<T>(
  settings: LdapSettings,
  clock: Clock,
  deadlineMs: number,
  run: (client: Client) => Promise<T>,
): Promise<T> {
  const sockets: Socket[] = []
  const { promise: late, reject } = Promise.withResolvers<never>()
  const kept = <S extends Socket>(socket: S): S => {
    sockets.push(socket)
    boundAnswers(socket, () =>
      reject(
        new DirectoryUnavailable(
          `the directory answers more than ${answerBytesMax} bytes to what one log-in asks`,
          'Look whether it is a directory, and who is in the way to it.',
        ),
      ),
    )
    return socket
  }
  const cancel = clock.after(deadlineMs - clock.monotonicMs(), () =>
    reject(
      new DirectoryUnavailable(
        `the directory did not answer within ${settings.timeoutMs} ms`,
        'Look at the directory and the way to it, or give the connection more time.',
      ),
    ),
  )
  const options = tlsOptions(settings)
  const client = new Client({
    url: settings.serverUrl,
    createConnection: ((port: number, host: string) => kept(connectPlain(port, host))) as typeof connectPlain,
    createSecureConnection: ((...given: Parameters<typeof connectSecure>) =>
      kept(connectSecure(...given))) as typeof connectSecure,
    ...(isSecure(settings) ? { tlsOptions: options } : {}),
  })
  const ask = async (): Promise<T> => {
    // The library writes its socket into what it is given.
    if (settings.startTls) await client.startTLS({ ...options })
    return run(client)
  }
  try {
    return await Promise.race([ask(), late])
  } catch (error) {
    throw unavailable(error)
  } finally {
    cancel()
    for (const socket of sockets) socket.destroy()
  }
}

/** Two entries with their names, and what stands around them, many times over. */
const answerBytesMax = 65_536
/** What the library reads at once: it goes deeper with every message in it, and the stack is not without end. */
const pieceBytes = 512

/**
 * Hands over what comes in small pieces, and nothing beyond the bound: the library would keep all of a message that does not end.
 * @param tooMuch told when there is more; nothing more is read then
 */
function boundAnswers(socket: Socket, tooMuch: () => void): void {
  const push = socket.push.bind(socket)
  let bytes = 0
  socket.push = (chunk: Uint8Array | null, encoding?: BufferEncoding): boolean => {
    if (chunk === null) return push(null)
    bytes += chunk.length
    if (bytes > answerBytesMax) {
      tooMuch()
      return false
    }
    let takesMore = true
    for (let at = 0; at < chunk.length; at += pieceBytes)
      takesMore = push(chunk.subarray(at, at + pieceBytes), encoding)
    return takesMore
  }
}

const isSecure = ({ serverUrl }: LdapSettings): boolean => new URL(serverUrl).protocol === 'ldaps:'

function tlsOptions({ serverUrl, rootCas, insecureSkipVerify }: LdapSettings): ConnectionOptions {
  const host = new URL(serverUrl).hostname.replaceAll(/^\[|\]$/g, '')
  return {
    host,
    // RFC 6066 §3 allows no addresses as server names.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(rootCas === '' ? {} : { ca: rootCas }),
    rejectUnauthorized: !insecureSkipVerify,
    minVersion: 'TLSv1.2',
  }
}

/** Codes of Node and OpenSSL, and what to do about them. */
const remedies: readonly (readonly [pattern: RegExp, reason: string, remedy: string])[] = [
  [/^ECONNREFUSED$/, 'nobody listens there', 'Start the directory, or correct server_url.'],
  [/^(?:ENOTFOUND|EAI_AGAIN)$/, 'its name is not known', 'Correct server_url, or mend the name service.'],
  [/^(?:EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/, 'there is no way to it', 'Look at the network.'],
  [
    /CERT|SELF_SIGNED|ISSUER|ALTNAME|LEAF/,
    'its certificate is not trusted',
    'Give the connection the root_cas of the directory, and connect by a name that its certificate has.',
  ],
  [/SSL|TLS|EPROTO/, 'TLS could not be agreed on', 'Look whether the port speaks TLS: ldaps, or ldap with start_tls.'],
]

function unavailable(error: unknown): unknown {
  if (error instanceof DirectoryUnavailable) return error
  if (error instanceof NoSuchObjectError)
    return new DirectoryUnavailable('the directory has no entry root_dn', 'Correct the connection.')
  if (error instanceof ResultCodeError)
    return new DirectoryUnavailable(`the directory refuses: ${error.name}`, 'Look at the log of the directory.')
  if (!(error instanceof Error)) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const row = remedies.find(([pattern]) => pattern.test(code))
  const [, reason, remedy] = row ?? [undefined, code || 'the connection was lost', 'Look at the log of the directory.']
  return new DirectoryUnavailable(`the directory cannot be asked: ${reason}`, remedy)
}
