/**
 * An interface that runs in every front: each has a listener on the same port, and the system shares connections out to them.
 * What it is: the interface's settings of now, and its changes, which are done when every front has them. What it is not: a
 * listener; but whether a port is free is tried here first, since listeners that share one do not refuse another server's.
 */
import { createServer } from 'node:net'
import type { FrontCalls } from './front-calls.ts'
import type { InterfaceActor, InterfaceSettings, PreparedChange } from './interface.ts'
import { listenOn } from './tls.ts'

/** The fronts, as far as an interface needs them. */
export interface Fronts {
  nextChange(): number
  watchListeners(failed: (reason: unknown) => void): void
  open(settings: InterfaceSettings): Promise<void>
  close(name: string, drainTimeoutMs: number): Promise<void>
  apply(number: number, settings: InterfaceSettings): Promise<void>
  setTicketKeys(settings: InterfaceSettings): Promise<void>
  all<N extends keyof FrontCalls>(name: N, value: Parameters<FrontCalls[N]>[0]): Promise<void>
  tell<N extends keyof FrontCalls>(name: N, value: Parameters<FrontCalls[N]>[0]): void
}

/** A port that the system chose may be taken by somebody else before the fronts have it. */
const attemptsMax = 5

export class SpreadInterface implements InterfaceActor {
  readonly #fronts: Fronts
  #settings: InterfaceSettings
  #port: number | undefined

  constructor(fronts: Fronts, settings: InterfaceSettings) {
    this.#fronts = fronts
    this.#settings = settings
  }

  get settings(): InterfaceSettings {
    return this.#settings
  }

  get port(): number | undefined {
    return this.#port
  }

  async start(failed: (reason: unknown) => void): Promise<number> {
    this.#fronts.watchListeners(failed)
    const { host, port: wanted } = this.#settings
    if (this.#port !== undefined) {
      await this.#fronts.open(this.#at(this.#port))
      return this.#port
    }
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort(host, wanted)
      try {
        await this.#fronts.open(this.#at(port))
        this.#port = port
        return port
      } catch (error) {
        if (wanted !== 0 || attempt === attemptsMax) throw error
      }
    }
  }

  async prepare(next: InterfaceSettings): Promise<PreparedChange> {
    const { name, host, port } = this.#settings
    const moves = this.#port !== undefined && (next.host !== host || (next.port !== port && next.port !== this.#port))
    const to = moves ? await freePort(next.host, next.port) : (this.#port ?? next.port)
    const settings = { ...next, port: to }
    const number = this.#fronts.nextChange()
    try {
      await this.#fronts.all('prepare', { number, settings })
    } catch (error) {
      await this.#fronts.all('abandon', { number, name })
      throw error
    }
    return {
      apply: () => {
        this.#settings = next
        this.#port = to
        return this.#fronts.apply(number, settings)
      },
      abandon: () => this.#fronts.tell('abandon', { number, name }),
    }
  }

  async setTicketKeys(ticketKeys: Uint8Array): Promise<void> {
    this.#settings = { ...this.#settings, material: { ...this.#settings.material, ticketKeys } }
    if (this.#port !== undefined) await this.#fronts.setTicketKeys(this.#at(this.#port))
  }

  endSessionsOf(fingerprint: string): void {
    this.#fronts.tell('endSessions', { name: this.#settings.name, fingerprint })
  }

  stop(drainTimeoutMs: number): Promise<void> {
    return this.#fronts.close(this.#settings.name, drainTimeoutMs)
  }

  #at(port: number): InterfaceSettings {
    return { ...this.#settings, port }
  }
}

/** A port that nobody listens on: the one that is wanted, or any for 0. Rejects as `listenOn` does. */
async function freePort(host: string, wanted: number): Promise<number> {
  const server = createServer((socket) => socket.destroy())
  const port = await listenOn(server, host, wanted, () => undefined)
  await new Promise((resolve) => server.close(resolve))
  return port
}
