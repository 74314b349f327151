/**
 * The interfaces of one front. What it is: what the main thread asks of a front, carried out on interfaces of its own thread.
 * What it is not: the order of changes, or records: the main thread has those (`interfaces.ts`).
 */
import type { FrontCalls, SharedSession } from './front-calls.ts'
import { ticketKeyName } from './front-calls.ts'
import { type InterfaceOptions, type InterfaceSettings, KmipInterface, type PreparedChange } from './interface.ts'
import type { KeptSession } from './kept-sessions.ts'

export interface FrontInterfacesOptions extends Omit<InterfaceOptions, 'settings' | 'shared' | 'onKept'> {
  /** Told when a listener fails: the main thread has it started again. */
  readonly onListenerFailed: (reason: unknown) => void
  /** Told of TLS sessions that other fronts should keep too. */
  readonly onKept: (session: SharedSession) => void
}

type Answers = Pick<
  FrontCalls,
  'open' | 'prepare' | 'apply' | 'abandon' | 'ticketKeys' | 'endSessions' | 'close' | 'keepSession'
>

export class FrontInterfaces implements Answers {
  readonly #options: FrontInterfacesOptions
  readonly #running = new Map<string, KmipInterface>()
  readonly #prepared = new Map<number, PreparedChange>()

  constructor(options: FrontInterfacesOptions) {
    this.#options = options
  }

  async open(settings: InterfaceSettings): Promise<void> {
    const actor = this.#running.get(settings.name) ?? this.#made(settings)
    await actor.start(this.#options.onListenerFailed)
    this.#running.set(settings.name, actor)
  }

  async prepare({ number, settings }: Parameters<Answers['prepare']>[0]): Promise<void> {
    const prepared = await this.#running.get(settings.name)?.prepare(settings)
    if (prepared !== undefined) this.#prepared.set(number, prepared)
  }

  async apply({ number, settings }: Parameters<Answers['apply']>[0]): Promise<void> {
    const prepared = this.#prepared.get(number) ?? (await this.#running.get(settings.name)?.prepare(settings))
    this.#prepared.delete(number)
    await prepared?.apply()
  }

  abandon({ number }: Parameters<Answers['abandon']>[0]): void {
    this.#prepared.get(number)?.abandon()
    this.#prepared.delete(number)
  }

  ticketKeys({ name, ticketKeys }: Parameters<Answers['ticketKeys']>[0]): void {
    this.#running.get(name)?.setTicketKeys(ticketKeys)
  }

  endSessions({ name, fingerprint }: Parameters<Answers['endSessions']>[0]): void {
    this.#running.get(name)?.endSessionsOf(fingerprint)
  }

  async close({ name, drainTimeoutMs }: Parameters<Answers['close']>[0]): Promise<void> {
    const actor = this.#running.get(name)
    this.#running.delete(name)
    await actor?.stop(drainTimeoutMs)
  }

  keepSession({ interface: name, ticketKeyName: keyName, ...session }: SharedSession): void {
    const actor = this.#running.get(name)
    // Of a time with other keys: what was trusted then may be trusted no more.
    if (actor !== undefined && ticketKeyName(actor.settings.material.ticketKeys) === keyName) actor.keepSession(session)
  }

  #made(settings: InterfaceSettings): KmipInterface {
    const { onKept } = this.#options
    const { name } = settings
    const actor: KmipInterface = new KmipInterface({
      ...this.#options,
      settings,
      shared: true,
      onKept: (session: KeptSession) =>
        onKept({ ...session, interface: name, ticketKeyName: ticketKeyName(actor.settings.material.ticketKeys) }),
    })
    return actor
  }
}
