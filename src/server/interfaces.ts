/**
 * The KMIP interfaces of the server. What it is: from records to running interfaces, and each change in one order: made
 * ready, stored, applied, so that what is stored is what runs. What it is not: the rules of a record
 * (identity/interfaces.ts), or an interface's inside (interface.ts).
 *
 *     change ─▶ checked ─▶ prepared (a new port is listened on) ─▶ stored ─▶ applied
 *                  └ refused   └ refused                            └ abandoned
 */
import type { Clock } from '#actor/clock'
import type { Entropy } from '#actor/entropy'
import { AdministrationError } from '#identity/administration-error'
import { privateKeyPem } from '#identity/authority'
import { certificateToPem } from '#identity/certificates'
import {
  allInterfaces,
  changedInterface,
  deprecatedTlsVersions,
  ensureFirstInterface,
  firstInterface,
  getInterface,
  type InterfaceActors,
  type InterfaceChange,
  type InterfaceCommit,
  type InterfaceRecord,
  interfaceCertificate,
  interfaceRemoval,
  interfacesMax,
  newInterface,
  renewedInterface,
  tlsVersionNames,
  trustedCertificates,
} from '#identity/interfaces'
import type { InterfaceMode } from '#identity/principals'
import type { Store } from '#store/store'
import {
  type InterfaceActor,
  type InterfaceLimits,
  type InterfaceLog,
  type InterfaceSettings,
  KmipInterface,
} from './interface.ts'
import type { SessionParts } from './session.ts'
import type { SessionCount } from './session-count.ts'
import { type ServerCredentials, sameTrust, type TlsLimits, type TlsMaterial, ticketKeysBytes } from './tls.ts'

/** What the first interface is where nobody has set it otherwise. */
export interface InterfaceDefaults {
  readonly host: string
  readonly port: number
  readonly mode: InterfaceMode
  readonly minTlsVersion: TlsLimits['minTlsVersion']
}

export interface InterfaceSetLog extends InterfaceLog {
  interfaceListens(event: { readonly interface: string; readonly host: string; readonly port: number }): void
  interfaceFailed(event: { readonly interface: string; readonly reason: string; readonly remedy: string }): void
  /** An interface that speaks versions of TLS that are no longer safe. */
  oldTlsSpoken(event: { readonly interface: string; readonly minimum: string }): void
}

export interface InterfaceSetOptions {
  readonly store: Store
  readonly clock: Clock
  readonly entropy: Entropy
  readonly defaults: InterfaceDefaults
  readonly limits: InterfaceLimits
  readonly drainTimeoutMs: number
  readonly parts: SessionParts
  /** Sessions of all interfaces, in whatever threads they run. */
  readonly sessions: SessionCount
  /** Makes an interface that runs in other threads; absent: they run in this one. */
  readonly elsewhere?: ((settings: InterfaceSettings) => InterfaceActor) | undefined
  /** The server's own certificates, for interfaces that have none of theirs, and the names that they are for. */
  readonly servers: readonly ServerCredentials[]
  readonly serverNames: readonly string[]
  /** Identifier of the server's own CA. */
  readonly authorityId: string
  /** Told after an interface has other settings, or other lists of whom it trusts. */
  readonly onChanged: (name: string) => void
  /** Told that a client's sessions are to end elsewhere too. */
  readonly onSessionsEnd: (fingerprint: string) => void
  readonly log: InterfaceSetLog
}

export class InterfaceSet implements InterfaceActors {
  readonly #options: InterfaceSetOptions
  readonly #running = new Map<string, InterfaceActor>()
  #failed: (reason: unknown) => void = () => undefined
  /** Removed ones whose sessions are not over yet. */
  readonly #leaving = new Set<InterfaceActor>()
  /** Changes are made one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: InterfaceSetOptions) {
    this.#options = options
  }

  /**
   * Starts every interface that does not run. Gives the first one's port.
   * @param failed told when a listener fails later; `start` is then to be called again
   * @throws what forbids the first one; another that cannot start is told to the log and left out
   */
  async start(failed: (reason: unknown) => void): Promise<number> {
    const { store, log } = this.#options
    this.#failed = failed
    await ensureFirstInterface(this.#options, this.#options.authorityId)
    for (const record of allInterfaces(store)) {
      const { name } = record
      await this.#renew(record)
      const actor = this.#running.get(name) ?? this.#actorOf(record)
      try {
        await this.#listen(name, actor)
      } catch (error) {
        if (name === firstInterface) throw error
        log.interfaceFailed({ interface: name, ...portRefusal(error) })
      }
    }
    const port = this.#running.get(firstInterface)?.port
    if (port === undefined) throw new TypeError('the first interface is not there')
    return port
  }

  /** TCP connections of all KMIP interfaces. */
  get sessionCount(): number {
    return this.#options.sessions.total
  }

  /** No new sessions and requests anywhere; resolves when what was taken is answered. */
  async stop(): Promise<void> {
    await this.#turn
    const all = [...this.#running.values(), ...this.#leaving]
    await Promise.all(all.map((actor) => actor.stop(this.#options.drainTimeoutMs)))
  }

  /** What an interface runs by now. */
  settingsOf(name: string): InterfaceSettings {
    const settings = this.#running.get(name)?.settings
    if (settings === undefined) throw new TypeError(`the interface ${name} does not run`)
    return settings
  }

  /** What an interface is in full: what its record leaves open is as the settings say. */
  effective(record: InterfaceRecord): ReturnType<InterfaceActors['effective']> {
    const { defaults, parts } = this.#options
    const defaultVersion = versionNames.get(defaults.minTlsVersion) ?? 'tls_1_2'
    return {
      port: this.#running.get(record.name)?.port ?? record.port ?? defaults.port,
      networkInterface: record.networkInterface ?? defaults.host,
      mode: record.mode ?? defaults.mode,
      minimumTlsVersion: record.minimumTlsVersion ?? defaultVersion,
      hardDelete: record.hardDelete ?? parts.dispatcher.hardDelete,
    }
  }

  create(change: InterfaceChange & { readonly port: number }, name?: string): Promise<InterfaceRecord> {
    return this.#inTurn(async () => {
      const { store, authorityId, serverNames } = this.#options
      if (allInterfaces(store).length >= interfacesMax)
        throw new AdministrationError('conflict', `there are ${interfacesMax} interfaces already`)
      const commit = newInterface(this.#options, authorityId, serverNames, change, name)
      const actor = this.#actorOf(commit.record, commit)
      try {
        await actor.start((reason) => this.#failed(reason))
      } catch (error) {
        const { reason, remedy } = portRefusal(error)
        throw new AdministrationError('conflict', reason, remedy)
      }
      try {
        await this.#store(commit)
      } catch (error) {
        await actor.stop(0)
        throw error
      }
      this.#running.set(commit.record.name, actor)
      this.#tellListening(commit.record.name, actor)
      this.#warnOfOldTls(commit.record)
      return commit.record
    })
  }

  modify(nameOrId: string, change: InterfaceChange): Promise<InterfaceRecord> {
    return this.#inTurn(async () => {
      const { store, serverNames, onChanged } = this.#options
      const before = getInterface(store, nameOrId)
      const commit = changedInterface(this.#options, before, serverNames, change)
      const actor = this.#running.get(before.key)
      const prepared = await this.#prepared(actor, commit)
      try {
        await this.#store(commit)
      } catch (error) {
        prepared?.abandon()
        throw error
      }
      const port = actor?.port
      await prepared?.apply()
      if (actor === undefined) await this.#listen(before.key, this.#actorOf(commit.record))
      else if (actor.port !== port) this.#tellListening(before.key, actor)
      if (commit.record.minimumTlsVersion !== before.value.minimumTlsVersion) this.#warnOfOldTls(commit.record)
      onChanged(before.key)
      return commit.record
    })
  }

  remove(nameOrId: string): Promise<void> {
    return this.#inTurn(async () => {
      const { store, drainTimeoutMs } = this.#options
      const found = getInterface(store, nameOrId)
      const { done } = await store.commit(interfaceRemoval(store, found))
      if (!done) throw changedMeanwhile()
      const actor = this.#running.get(found.key)
      this.#running.delete(found.key)
      if (actor === undefined) return
      // Its port is free at once; who is slow to take an answer keeps nobody else from changing interfaces.
      this.#leaving.add(actor)
      void actor.stop(drainTimeoutMs).finally(() => this.#leaving.delete(actor))
    })
  }

  review(): Promise<void> {
    return this.#inTurn(async () => {
      for (const record of allInterfaces(this.#options.store)) {
        const actor = this.#running.get(record.name)
        if (actor === undefined) continue
        // New keys of tickets, so that no session comes back that was made under the old lists.
        const material = { ...this.#materialOf(record), ticketKeys: this.#newTicketKeys() }
        const prepared = await actor.prepare({ ...actor.settings, material })
        await prepared.apply()
        this.#options.onChanged(record.name)
      }
    })
  }

  /** New sessions are resumed under new keys: whoever learns those of an hour reads no other hour's. */
  rotateTicketKeys(): Promise<void> {
    return this.#inTurn(async () => {
      for (const [name, actor] of this.#running) {
        await actor.setTicketKeys(this.#newTicketKeys())
        this.#options.onChanged(name)
      }
    })
  }

  endSessionsOf(fingerprint: string): void {
    for (const actor of this.#running.values()) actor.endSessionsOf(fingerprint)
    this.#options.onSessionsEnd(fingerprint)
  }

  /** A certificate that ends soon is replaced at a start; that it could not be is told, and is no reason not to serve. */
  async #renew(record: InterfaceRecord): Promise<void> {
    const { store, serverNames, log } = this.#options
    try {
      const changes = renewedInterface(this.#options, record, serverNames)
      if (changes.length > 0) await store.commit(changes)
    } catch (error) {
      if (!(error instanceof AdministrationError)) throw error
      const { message: reason, remedy } = error
      log.interfaceFailed({ interface: record.name, reason: `its certificate cannot be renewed: ${reason}`, remedy })
    }
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(run)
    // Who asked is told of the failure; the next one begins anew.
    this.#turn = result.catch(() => undefined)
    return result
  }

  async #prepared(actor: InterfaceActor | undefined, commit: InterfaceCommit) {
    try {
      return await actor?.prepare(this.#settingsOf(commit.record, actor.settings.material, commit))
    } catch (error) {
      const { reason, remedy } = portRefusal(error)
      throw new AdministrationError('conflict', reason, remedy)
    }
  }

  async #store({ changes }: InterfaceCommit): Promise<void> {
    if (!(await this.#options.store.commit(changes)).done) throw changedMeanwhile()
  }

  async #listen(name: string, actor: InterfaceActor): Promise<void> {
    const before = actor.port
    await actor.start((reason) => this.#failed(reason))
    this.#running.set(name, actor)
    if (actor.port !== before) this.#tellListening(name, actor)
  }

  #tellListening(name: string, { port, settings: { host } }: InterfaceActor): void {
    if (port !== undefined) this.#options.log.interfaceListens({ interface: name, host, port })
  }

  #warnOfOldTls({ name, minimumTlsVersion }: InterfaceRecord): void {
    if (minimumTlsVersion !== undefined && deprecatedTlsVersions.has(minimumTlsVersion))
      this.#options.log.oldTlsSpoken({ interface: name, minimum: minimumTlsVersion })
  }

  #actorOf(record: InterfaceRecord, commit?: InterfaceCommit): InterfaceActor {
    const { limits, parts, sessions, clock, log, elsewhere } = this.#options
    const settings = this.#settingsOf(record, undefined, commit)
    return elsewhere?.(settings) ?? new KmipInterface({ settings, limits, parts, sessions, clock, log })
  }

  /** @param before the material that it has: the same object as long as nothing of it is other, so that nothing is made anew */
  #settingsOf(record: InterfaceRecord, before: TlsMaterial | undefined, commit?: InterfaceCommit): InterfaceSettings {
    const { networkInterface, mode, minimumTlsVersion } = this.effective(record)
    const { autoRegistration, tokenId, certUserField: userField } = record
    const material = this.#materialOf(record, commit)
    return {
      name: record.name,
      host: networkInterface,
      port: record.port ?? this.#options.defaults.port,
      minTlsVersion: tlsVersionNames[minimumTlsVersion],
      material:
        before !== undefined && sameTrust(before, material)
          ? before
          : { ...material, ticketKeys: this.#newTicketKeys() },
      rules: {
        mode,
        hardDelete: record.hardDelete,
        autoRegistration: autoRegistration && tokenId !== undefined ? { tokenId, userField } : undefined,
      },
    }
  }

  #materialOf(record: InterfaceRecord, commit?: InterfaceCommit): Omit<TlsMaterial, 'ticketKeys'> {
    const { store, servers } = this.#options
    const own = commit?.certificate ?? interfaceCertificate(store, record.name)
    return {
      server:
        own === undefined
          ? servers
          : [{ certificatePem: certificateToPem(own.certificate), privateKeyPem: privateKeyPem(own) }],
      trusted: trustedCertificates(store, record),
    }
  }

  #newTicketKeys(): Uint8Array {
    return this.#options.entropy.bytes(ticketKeysBytes)
  }
}

const versionNames = new Map(
  Object.entries(tlsVersionNames).map(([name, version]) => [version, name as keyof typeof tlsVersionNames]),
)

const changedMeanwhile = (): AdministrationError =>
  new AdministrationError('conflict', 'the interface was changed by somebody else meanwhile', 'Try again.')

/** Why a port cannot be had, for an administrator. */
const portRefusal = (error: unknown): { readonly reason: string; readonly remedy: string } => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const known: Readonly<Record<string, readonly [string, string]>> = {
    EADDRINUSE: ['the port is in use already', 'Choose another one, or end what listens on it.'],
    EACCES: ['the server may not listen on this port', 'Choose one above 1023, or allow it to the server.'],
    EADDRNOTAVAIL: ['the machine has no such address', 'Choose one of its own, or all.'],
    ENOTFOUND: ['the name of the network interface is not known', 'Give an address.'],
  }
  const [reason, remedy] = known[code] ?? [`the port cannot be had: ${code || String(error)}`, 'Look at the system.']
  return { reason, remedy }
}
