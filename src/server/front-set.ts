/**
 * The fronts, as the main thread has them. What it is: threads that are started, brought up to what the others have, asked
 * together, and replaced when they die: their sessions are then lost, those of the others go on. What it is not: a thread's
 * inside (`front-interfaces.ts`), or the records of interfaces (`interfaces.ts`).
 *
 *     start ─▶ ready ─▶ given every interface ─▶ live: asked with the others ─▶ gone ─▶ start
 *                                                │ └─ answers nothing for long: ended, so gone
 *                                                └─ end, when the server stops
 */
import type { Child, Running } from '#actor/actor'
import { Channel, ChannelClosed, type Port } from '#actor/channel'
import type { Cancel, Clock } from '#actor/clock'
import { errorForms, type FrontCalls, type MainCalls } from './front-calls.ts'
import type { InterfaceActor, InterfaceSettings } from './interface.ts'
import { SpreadInterface } from './spread-interface.ts'

/** A thread of a front, as its owner has it. */
export interface FrontThread extends Port {
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'error', listener: (error: unknown) => void): unknown
  on(event: 'exit', listener: (code: number) => void): unknown
  terminate(): Promise<unknown>
}

/** What fronts ask of the main thread beside what is about fronts. */
export type SharedCalls = Omit<MainCalls, 'ready' | 'listenerFailed' | 'keptSession' | 'seeded'>

export interface FrontSetOptions {
  /** Starts the thread of a front; numbers begin with 1. */
  readonly startThread: (number: number) => FrontThread
  readonly calls: SharedCalls
  /** What a front must know that comes later than the others: the log's level, and whether clients are served. */
  readonly level: () => string
  readonly permits: () => boolean
  /** Stirs a seed into the main thread's own random bytes. */
  readonly seed: (material: Uint8Array) => void
  /** A front is gone, and its sessions with it. */
  readonly onGone: (number: number) => void
  /** A front's word could not be taken. */
  readonly onFailure: (reason: unknown) => void
  readonly clock: Clock
}

/** How often it is looked whether a front's loop turns, and how many times in a row it may not have: 30 s. */
const lookEveryMs = 5_000
const silentLooksMax = 6

interface Front {
  readonly channel: Channel<FrontCalls, MainCalls>
  /** Ends it at once, so that another takes its place. */
  readonly replace: (reason: string) => void
}

/** A front that is gone before it could be given anything. */
export class FrontGone extends Error {
  override readonly name = 'FrontGone'
}

export class FrontSet {
  readonly #options: FrontSetOptions
  readonly #live = new Map<number, Front>()
  /** What every front runs, with the ports that were found. */
  readonly #interfaces = new Map<string, InterfaceSettings>()
  #listenerFailed: (reason: unknown) => void = () => undefined
  #lastChange = 0

  constructor(options: FrontSetOptions) {
    this.#options = options
  }

  /** A front for a supervisor to keep running. */
  child(number: number): Child {
    return { name: `front ${number}`, start: (failed) => this.#start(number, failed) }
  }

  /** An interface that runs in every front. */
  interface(settings: InterfaceSettings): InterfaceActor {
    return new SpreadInterface(this, settings)
  }

  /** A number for a change. */
  nextChange(): number {
    this.#lastChange += 1
    return this.#lastChange
  }

  /** @param failed told when a listener of any front fails */
  watchListeners(failed: (reason: unknown) => void): void {
    this.#listenerFailed = failed
  }

  /**
   * Opens an interface in every front, those that come later too.
   * @throws what the first front says that cannot, and nothing is left open
   */
  async open(settings: InterfaceSettings): Promise<void> {
    const { name } = settings
    const before = this.#interfaces.get(name)
    this.#interfaces.set(name, settings)
    try {
      await this.all('open', settings)
    } catch (error) {
      if (before === undefined) await this.close(name, 0)
      throw error
    }
  }

  /** Closes it in every front; resolves when its sessions are over. */
  async close(name: string, drainTimeoutMs: number): Promise<void> {
    this.#interfaces.delete(name)
    await this.all('close', { name, drainTimeoutMs })
  }

  /** Carries out a change that every front was made ready for. A front that cannot is replaced by one that knows nothing else. */
  async apply(number: number, settings: InterfaceSettings): Promise<void> {
    this.#interfaces.set(settings.name, settings)
    await Promise.all(
      [...this.#live.values()].map(async ({ channel, replace }) => {
        try {
          await channel.call('apply', { number, settings })
        } catch (error) {
          if (!(error instanceof ChannelClosed)) replace(`it could not take a change: ${textOf(error)}`)
        }
      }),
    )
  }

  /** Gives every front the ticket keys of an interface. */
  async setTicketKeys(settings: InterfaceSettings): Promise<void> {
    this.#interfaces.set(settings.name, settings)
    await this.all('ticketKeys', { name: settings.name, ticketKeys: settings.material.ticketKeys })
  }

  /** Asks every front, and resolves when all have answered; who dies meanwhile is not waited for. @throws the first failure */
  async all<N extends keyof FrontCalls>(name: N, value: Parameters<FrontCalls[N]>[0]): Promise<void> {
    await this.ask(name, value)
  }

  /** The same, with the answers. */
  async ask<N extends keyof FrontCalls>(
    name: N,
    value: Parameters<FrontCalls[N]>[0],
  ): Promise<readonly Awaited<ReturnType<FrontCalls[N]>>[]> {
    const asked = [...this.#live.values()].map(async ({ channel }) => {
      try {
        return [await channel.call(name, value)]
      } catch (error) {
        if (!(error instanceof ChannelClosed)) throw error
        return []
      }
    })
    const answers: Awaited<ReturnType<FrontCalls[N]>>[] = []
    let failed: PromiseRejectedResult | undefined
    for (const outcome of await Promise.allSettled(asked)) {
      if (outcome.status === 'fulfilled') answers.push(...outcome.value)
      else failed ??= outcome
    }
    if (failed !== undefined) throw failed.reason
    return answers
  }

  /** Tells every front but one. */
  tell<N extends keyof FrontCalls>(name: N, value: Parameters<FrontCalls[N]>[0], except?: number): void {
    for (const [number, { channel }] of this.#live) if (number !== except) channel.tell(name, value)
  }

  async #start(number: number, failed: (reason: unknown) => void): Promise<Running> {
    const { startThread, calls, level, permits, seed, onGone, onFailure } = this.#options
    const ready = Promise.withResolvers<void>()
    const thread = startThread(number)
    const channel = new Channel<FrontCalls, MainCalls>({
      port: thread,
      errors: errorForms,
      onFailure,
      handlers: {
        ...calls,
        ready: () => ready.resolve(),
        listenerFailed: (reason) => this.#listenerFailed(reason),
        keptSession: (session) => this.tell('keepSession', session, number),
        seeded: (material) => {
          seed(material)
          this.tell('seed', material, number)
        },
      },
    })
    let state: 'starting' | 'live' | 'over' = 'starting'
    let endWatch: Cancel = () => undefined
    const gone = (reason: string): void => {
      if (state === 'over') return
      const wasLive = state === 'live'
      state = 'over'
      endWatch()
      this.#live.delete(number)
      channel.close(reason)
      onGone(number)
      ready.reject(new FrontGone(`the front ${number} ${reason}`))
      if (wasLive) failed(reason)
    }
    thread.on('error', (error) => gone(`failed: ${textOf(error)}`))
    thread.on('exit', (code) => gone(`has ended with ${code}`))
    try {
      await ready.promise
      await this.#catchUp(channel)
    } catch (error) {
      state = 'over'
      channel.close('it could not be started')
      await thread.terminate()
      throw error
    }
    state = 'live'
    const replace = (reason: string): void => {
      gone(reason)
      void thread.terminate()
    }
    this.#live.set(number, { channel, replace })
    endWatch = this.#watch(channel, replace)
    channel.tell('level', level())
    channel.tell('permits', permits())
    return {
      stop: async () => {
        if (state === 'over') return
        await channel.call('end', undefined)
        state = 'over'
        endWatch()
        this.#live.delete(number)
        channel.close('it was ended')
        await thread.terminate()
      },
    }
  }

  /**
   * Replaces a front whose loop stands still, and with it all of its sessions, and whoever asks every front. Looks are counted, not
   * seconds: where the whole process was stopped, nobody is at fault.
   */
  #watch(channel: Front['channel'], replace: Front['replace']): Cancel {
    const { clock } = this.#options
    let silentLooks = 0
    const look = (): void => {
      if (silentLooks === silentLooksMax) {
        return replace(`has answered nothing for ${(silentLooksMax * lookEveryMs) / 1000} s`)
      }
      if (silentLooks === 0) {
        channel.call('alive', undefined).then(
          () => (silentLooks = 0),
          // It is gone: whoever saw that has ended the watch.
          () => undefined,
        )
      }
      silentLooks += 1
      cancel = clock.after(lookEveryMs, look)
    }
    let cancel = clock.after(lookEveryMs, look)
    return () => cancel()
  }

  /** Gives a front what the others have; what changes meanwhile too, so that from then on it can be asked with them. */
  async #catchUp(channel: Front['channel']): Promise<void> {
    const given = new Map<string, InterfaceSettings>()
    for (;;) {
      const next = [...this.#interfaces.values()].find((settings) => given.get(settings.name) !== settings)
      const removed = [...given.keys()].find((name) => !this.#interfaces.has(name))
      if (removed !== undefined) {
        given.delete(removed)
        await channel.call('close', { name: removed, drainTimeoutMs: 0 })
      } else if (next === undefined) return
      else {
        const known = given.has(next.name)
        given.set(next.name, next)
        await (known
          ? channel.call('apply', { number: this.nextChange(), settings: next })
          : channel.call('open', next))
      }
    }
  }
}

const textOf = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason))
