/**
 * Who asks. What it is: the two ways to be somebody for the administration: by the file mode of the local socket, whose user
 * runs the server, or by the bearer token of a log-in. What it is not: what a command allows (`http-api.ts` reads its row).
 */
import type { BearerTokens } from '#identity/bearer-tokens'
import { domainId, domainTable } from '#identity/domains'
import { ownerName, rootDomain, userTable } from '#identity/principals'
import type { Store } from '#store/store'
import type { Caller, CommandRow } from './command.ts'
import { Refused } from './failure.ts'

/** What of a request says who sends it. */
export interface Asked {
  readonly authorization: string | undefined
  /** Domain that a request names: at the local socket the one to administer, with a token the one that the token must be for. */
  readonly domain: string | undefined
  readonly address: string
}

/** Who asks, and which domain is administered. */
export interface Access {
  readonly caller: Caller
  readonly domain: string
}

export type Identify = (asked: Asked, row: Pick<CommandRow, 'who'>) => Access

const bearerOf = (authorization: string | undefined): string | undefined =>
  /^Bearer +([\w-]{1,256})$/i.exec(authorization ?? '')?.[1]

/** At the local socket: an administrator of the root domain, or whom a token names when one is sent. */
export const socketAccess =
  (store: Store, tokens: BearerTokens): Identify =>
  ({ authorization, domain }, row) => {
    if (authorization !== undefined)
      return logInAccess(store, tokens)({ authorization, domain, address: 'socket' }, row)
    const caller = {
      userKey: undefined,
      name: 'socket',
      administrator: true,
      homeDomain: rootDomain,
      address: 'socket',
    }
    return { caller, domain: domain === undefined ? rootDomain : domainId(decoded(domain), store) }
  }

/** Headers have no letters beyond ASCII: the name of a domain comes as a URL would have it. @throws Refused */
const decoded = (domain: string): string => {
  try {
    return decodeURIComponent(domain)
  } catch (error) {
    if (error instanceof URIError) throw new Refused('invalid', 'The header kmipd-domain is not encoded as in a URL')
    throw error
  }
}

/** Whoever names another domain than the log-in's would change what is not meant. @throws Refused, the same whether there is such a one */
const checkDomain = (wanted: string, domain: string, store: Store): void => {
  if (wanted === domain || wanted === store.read(domainTable, domain)?.value.name) return
  throw new Refused(
    'invalid',
    'The log-in is for another domain than the one that is named',
    'Name none (KSCTL_DOMAIN), or log in to that one: kmipctl tokens create --domain NAME.',
  )
}

/** Over the network: whom a token names; nobody without one. @throws Refused */
export const logInAccess =
  (store: Store, tokens: BearerTokens): Identify =>
  ({ authorization, domain: wanted, address }, row) => {
    const token = bearerOf(authorization)
    if (token === undefined && row.who === 'anyone') {
      const caller = { userKey: undefined, name: 'anyone', administrator: false, homeDomain: rootDomain, address }
      return { caller, domain: rootDomain }
    }
    const logIn = token === undefined ? undefined : tokens.find(token)
    // Read anew for every request: what is taken from a user is taken at once.
    const user = logIn === undefined ? undefined : store.read(userTable, logIn.userKey)?.value
    if (logIn === undefined || user === undefined || user.disabled === true) {
      throw new Refused(
        'unauthenticated',
        'A log-in is needed',
        'Log in with user name and password (kmipctl tokens create).',
      )
    }
    if (wanted !== undefined) checkDomain(decoded(wanted), logIn.domain, store)
    const name = { domain: user.domain, connection: user.connection, user: user.name }
    const { administrator, domain: homeDomain } = user
    return {
      caller: { userKey: logIn.userKey, name: ownerName(name), administrator, homeDomain, address },
      // A domain that is gone has nothing to administer.
      domain: domainId(logIn.domain, store),
    }
  }
