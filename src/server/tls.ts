/**
 * TLS of a KMIP interface. What it is: the options of a `node:tls` server as a function of settings and certificates, the
 * peer's identity on every connection, and the words for a handshake that failed. What it is not: a listener, or a connection's
 * life (`connection.ts`), the memory of sessions without tickets (`kept-sessions.ts`), or the decision whom a certificate acts as
 * (identity).
 */

import { constants, hash } from 'node:crypto'
import type { Server as NetServer, Socket } from 'node:net'
import type { SecureContextOptions, SecureVersion, TLSSocket, TlsOptions } from 'node:tls'
import { certificateToPem } from '#identity/certificates'
import { chainVerdict } from '#identity/chain'
import { isChainRevoked } from '#identity/revocation'
import type { Store } from '#store/store'
import type { ShownPeer } from './session.ts'

/** A kind of client that an interface can be made for. */
interface TlsProfile {
  readonly reason: string
  /** OpenSSL's cipher list: suites of TLS 1.3 by name, then those of older versions. */
  readonly ciphers: string
  /** OpenSSL's list of groups for the key exchange, the best first, those between slashes as good as each other; `auto`: its own. */
  readonly groups: string
}

const tls13Suites = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256'

/** The profiles, by the name that the setting `tlsProfile` has. */
export const tlsProfiles = {
  modern: {
    reason: 'forward secrecy and authenticated encryption only',
    ciphers: `${tls13Suites}:ECDHE+AESGCM:ECDHE+CHACHA20`,
    // OpenSSL's own without the finite fields: 2048 bits are the weakest that it has, and each costs a handshake dear.
    groups: 'X25519MLKEM768/X25519:P-256/X448:P-384:P-521',
  },
  compatible: {
    reason: 'also RSA key exchange, CBC suites, SHA-1 chains and, when minTlsVersion says so, TLS 1.0 and 1.1',
    ciphers: `${tls13Suites}:ECDHE+AESGCM:ECDHE+CHACHA20:ALL:!aNULL:!eNULL:!PSK:!SRP:!RC4:@SECLEVEL=0`,
    groups: 'auto',
  },
} as const satisfies Record<string, TlsProfile>

/** A server certificate and its private key, PEM. A listener can have one of each key type. */
export interface ServerCredentials {
  readonly certificatePem: string
  readonly privateKeyPem: string
}

export interface TlsMaterial {
  readonly server: readonly ServerCredentials[]
  /** DER certificates of the CAs whose client certificates are admitted; a client's own certificate admits it alone. */
  readonly trusted: readonly Uint8Array[]
  /** 48 secret bytes: the same in every listener whose sessions the others should be able to resume. */
  readonly ticketKeys: Uint8Array
}

/** Names and units as in the settings. */
export interface TlsLimits {
  readonly minTlsVersion: SecureVersion
  readonly tlsProfile: keyof typeof tlsProfiles
  readonly handshakeTimeoutMs: number
  readonly keepAliveDelayMs: number
  readonly tlsSessionLifetimeSeconds: number
}

export const ticketKeysBytes = 48

/** Sessions are only resumed on interfaces with this context: those of one server, whatever its thread. */
const sessionIdContext = 'kmipd'

/** The part of the options that can be changed while a server runs, by `setSecureContext`; open sessions live on. */
export function secureContextOptions(material: TlsMaterial, limits: TlsLimits): SecureContextOptions {
  const resumable = limits.tlsSessionLifetimeSeconds > 0
  return {
    minVersion: limits.minTlsVersion,
    maxVersion: 'TLSv1.3',
    ciphers: tlsProfiles[limits.tlsProfile].ciphers,
    ecdhCurve: tlsProfiles[limits.tlsProfile].groups,
    honorCipherOrder: true,
    cert: material.server.map(({ certificatePem }) => certificatePem),
    key: material.server.map(({ privateKeyPem }) => privateKeyPem),
    ca: material.trusted.map(certificateToPem),
    sessionIdContext,
    ticketKeys: Buffer.from(material.ticketKeys),
    // Renegotiation is a way to make the server work for nothing; no KMIP client needs it.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (resumable ? 0 : constants.SSL_OP_NO_TICKET),
    ...(resumable ? { sessionTimeout: limits.tlsSessionLifetimeSeconds } : {}),
  }
}

/** Options for `tls.createServer`: mutual authentication, no ALPN, TCP_NODELAY (one answer, one packet), TCP keepalive. */
export function tlsServerOptions(material: TlsMaterial, limits: TlsLimits): TlsOptions {
  return {
    ...secureContextOptions(material, limits),
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: limits.handshakeTimeoutMs,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: limits.keepAliveDelayMs,
  }
}

/** Whether two listeners with these show and trust the same; their ticket keys aside. */
export const sameTrust = (one: Omit<TlsMaterial, 'ticketKeys'>, other: Omit<TlsMaterial, 'ticketKeys'>): boolean =>
  one.server.length === other.server.length &&
  one.server.every(({ certificatePem }, index) => certificatePem === other.server[index]?.certificatePem) &&
  one.trusted.length === other.trusted.length &&
  one.trusted.every((certificate, index) => Buffer.compare(certificate, other.trusted[index] ?? nothing) === 0)

/** Whether two are the same in everything. */
export const sameMaterial = (one: TlsMaterial, other: TlsMaterial): boolean =>
  one === other || (Buffer.compare(one.ticketKeys, other.ticketKeys) === 0 && sameTrust(one, other))

const nothing = new Uint8Array()

/**
 * Listens on an address (`all`: every one of the machine) and a port, or any free one for 0. Gives the port. Rejects when it
 * cannot be had. May be called again when the listener has failed.
 * @param failed told when the listener fails later
 * @param shared whether listeners of other threads have the same port, and the system shares the connections out to them
 */
export async function listenOn(
  server: NetServer,
  host: string,
  port: number,
  failed: (reason: unknown) => void,
  shared = false,
): Promise<number> {
  server.removeAllListeners('error')
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    const options = shared ? { port, reusePort: true } : { port }
    server.listen(host === 'all' ? options : { host, ...options }, () => {
      server.off('error', reject)
      server.on('error', failed)
      resolve()
    })
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

/**
 * Takes connections out of the library's hands: who is not let in costs no handshake, and nothing of what one is made ready with.
 * Gives what begins the handshake of one.
 */
export function heldHandshakes(server: NetServer): (socket: Socket) => void {
  const handshakes = server.listeners('connection')
  server.removeAllListeners('connection')
  return (socket) => {
    for (const begin of handshakes) begin.call(server, socket)
  }
}

/** What the peer's certificate is known by here. */
export interface PeerCertificate {
  /** DER. */
  readonly certificate: Uint8Array
  /** Its SHA-256 as lower-case hexadecimal. */
  readonly fingerprint: string
}

/**
 * The peer's certificate, or undefined when it showed none. To be asked on every connection: a resumed session brings the certificate
 * along, but neither its dates nor its registration are looked at. Once: the library makes it anew for each who asks.
 */
export function peerCertificate(socket: TLSSocket): PeerCertificate | undefined {
  const certificate = socket.getPeerX509Certificate()?.raw
  return certificate && { certificate, fingerprint: hash('sha256', certificate, 'hex') }
}

/** The certificates that the peer showed and those above them that are known, DER, its own first; empty when it showed none. */
function peerChain(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = []
  for (let next = socket.getPeerX509Certificate(); next !== undefined && chain.length < chainLengthMax; ) {
    chain.push(next.raw)
    next = next.issuerCertificate
  }
  return chain
}

/** Longer ones are refused in the handshake already. */
const chainLengthMax = 16

/** Versions from old to new, as sockets call them. */
const tlsVersions: readonly string[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] satisfies SecureVersion[]

/** What a session is looked at by. */
export interface SessionTrust {
  readonly minTlsVersion: SecureVersion
  readonly material: TlsMaterial
  readonly nowSeconds: number
  readonly store: Store
}

/** Whether a session that is there would come about now too. */
export function isAllowed(
  socket: TLSSocket,
  { minTlsVersion, material: { trusted }, nowSeconds, store }: SessionTrust,
): boolean {
  const isNewEnough = tlsVersions.indexOf(socket.getProtocol() ?? '') >= tlsVersions.indexOf(minTlsVersion)
  const chain = peerChain(socket)
  if (!isNewEnough || chain.length === 0 || isRevokedAbove(store, () => chain)) return false
  return chainVerdict(chain, trusted, nowSeconds) === 'valid'
}

/**
 * What a handshake has shown of the peer. A resumed session does not show the CAs above its certificate, of which a revocation list may
 * name one: none is resumed that was made before the newest list.
 */
export function shownBy(socket: TLSSocket, store: Store): ShownPeer {
  const fingerprint = peerCertificate(socket)?.fingerprint
  const isBelowRevoked = isRevokedAbove(store, () => peerChain(socket))
  const certificate = (): Uint8Array | undefined => peerCertificate(socket)?.certificate
  return { address: socket.remoteAddress ?? 'unknown', fingerprint, certificate, isBelowRevoked }
}

/** The client's own certificate has its mark at the client, which every request looks at. */
const isRevokedAbove = (store: Store, chainOf: () => readonly Uint8Array[]): boolean =>
  isChainRevoked(store, () => chainOf().slice(1))

/**
 * The address of the peer of a handshake that failed. Node has then taken the TLS socket apart, and keeps the TCP socket
 * beneath it in a place that it does not document: where that is gone, the address is `unknown`, and nothing worse.
 */
export function addressOf(socket: TLSSocket & { readonly _parent?: Socket | null }): string {
  return socket.remoteAddress ?? socket._parent?.remoteAddress ?? 'unknown'
}

/** Why a handshake failed, and what to do about it. `quiet`: nothing is wrong, somebody only knocked. */
export interface HandshakeRefusal {
  readonly code: string
  readonly reason: string
  readonly remedy: string
  readonly quiet: boolean
}

const untrusted = {
  reason: 'the client certificate is not issued by a CA that this interface trusts',
  remedy:
    "use a certificate of the server's own CA, or add the client's CA to the trusted ones; send intermediate certificates too",
}
const plain = {
  reason: 'the peer does not speak TLS',
  remedy: 'KMIP needs TLS here: switch it on in the client, or correct the port of the health check',
}
const distrusted = {
  reason: "the client does not trust the server's certificate",
  remedy: "install the server's CA (bootstrap/ca.pem) in the client, and connect by a name that the certificate has",
}
const version = {
  reason: 'the client speaks only versions of TLS that this interface refuses',
  remedy: 'update the client, or lower minTlsVersion (with tlsProfile compatible for TLS 1.0 and 1.1)',
}
const dates = { remedy: 'issue a new certificate, or correct the clock of the client or the server' }
const weak = {
  reason: 'the client certificate or a CA above it is too weak: a short key, or a signature with SHA-1 or MD5',
  remedy: 'issue a stronger certificate (RSA from 2048 bits, SHA-256), or use tlsProfile compatible',
}
const suites = {
  reason: 'client and server have no cipher suite, curve or signature algorithm in common',
  remedy: 'update the client, or use tlsProfile compatible',
}
const usage = { remedy: 'issue a certificate whose Extended Key Usage is absent or includes client authentication' }

/** By the code that Node or OpenSSL gives. */
const refusals: ReadonlyMap<string, { readonly reason: string; readonly remedy: string }> = new Map(
  Object.entries({
    ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: {
      reason: 'the client showed no certificate',
      remedy:
        'configure a client certificate and its key in the client; it must be issued by a CA that this interface trusts',
    },
    UNABLE_TO_GET_ISSUER_CERT: untrusted,
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
    DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
    SELF_SIGNED_CERT_IN_CHAIN: untrusted,
    CERT_UNTRUSTED: untrusted,
    CERT_REJECTED: untrusted,
    CERT_SIGNATURE_FAILURE: { reason: 'the client certificate has a wrong signature', remedy: untrusted.remedy },
    CERT_HAS_EXPIRED: { reason: 'the client certificate, or a CA above it, has expired', ...dates },
    CERT_NOT_YET_VALID: { reason: 'the client certificate is not valid yet', ...dates },
    CERT_REVOKED: {
      reason: 'the client certificate, or a CA above it, is revoked',
      remedy: 'issue a new certificate and register it',
    },
    INVALID_PURPOSE: { reason: 'the client certificate is not for clients', ...usage },
    INVALID_CA: { reason: "the client certificate's issuer is not a CA", remedy: untrusted.remedy },
    CERT_CHAIN_TOO_LONG: { reason: "the client certificate's chain is too long", remedy: untrusted.remedy },
    PATH_LENGTH_EXCEEDED: { reason: "the client certificate's chain is too long", remedy: untrusted.remedy },
    // Node has no names of its own for what OpenSSL's security level refuses.
    UNSPECIFIED: weak,
    ERR_SSL_UNSUPPORTED_PROTOCOL: version,
    ERR_SSL_VERSION_TOO_LOW: version,
    ERR_SSL_NO_SHARED_CIPHER: suites,
    ERR_SSL_NO_SUITABLE_KEY_SHARE: suites,
    ERR_SSL_NO_SUITABLE_GROUPS: suites,
    ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS: suites,
    ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: suites,
    ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: suites,
    'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE': suites,
    ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: version,
    ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: distrusted,
    'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE': distrusted,
    'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED': distrusted,
    'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN': distrusted,
    'ERR_SSL_SSL/TLS_ALERT_UNSUPPORTED_CERTIFICATE': distrusted,
    ERR_SSL_HTTP_REQUEST: plain,
    ERR_SSL_HTTPS_PROXY_REQUEST: plain,
    ERR_SSL_WRONG_VERSION_NUMBER: plain,
    ERR_SSL_UNKNOWN_PROTOCOL: plain,
    ERR_SSL_PACKET_LENGTH_TOO_LONG: plain,
    ERR_SSL_BAD_RECORD_TYPE: plain,
    ERR_SSL_UNEXPECTED_MESSAGE: plain,
    ERR_TLS_HANDSHAKE_TIMEOUT: {
      reason: 'the peer did not finish the handshake in time',
      remedy:
        'look for a peer that connects and stays silent, or for a slow network; the setting is handshakeTimeoutMs',
    },
  }),
)

/** What is said of a certificate that a revocation list has, once the handshake has shown it. */
export const revokedRefusal: HandshakeRefusal = {
  code: 'CERT_REVOKED',
  ...(refusals.get('CERT_REVOKED') ?? { reason: '', remedy: '' }),
  quiet: false,
}

/** What a peer does that knocks and goes: health checks, and clients that probe. Nobody wants a line for it. */
const knocks: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT'])

/**
 * Reads a `tlsClientError`.
 * @param socket the event's socket: Node notes there why it refused a certificate.
 */
export function handshakeRefusal(error: Error & { code?: string }, socket: TLSSocket): HandshakeRefusal {
  // Node types it as an Error; it is the code of the verification's failure, and null before there is one.
  const verification: unknown = socket.authorizationError
  const code = typeof verification === 'string' ? verification : (error.code ?? 'unknown')
  const row = refusals.get(code)
  if (row !== undefined) return { code, ...row, quiet: false }
  if (knocks.has(code))
    return { code, reason: 'the peer closed before the handshake was done', remedy: '', quiet: true }
  return {
    code,
    reason: 'the TLS handshake failed',
    remedy: 'look the code up in the documentation of OpenSSL',
    quiet: false,
  }
}
