/**
 * Two threads that ask each other. What it is: calls with an answer and words without one, over a port, typed by what each
 * side can be asked, and the end of everything that waits when the other side is gone. What it is not: a thread, or the
 * meaning of a call; what crosses is plain data, and errors cross as the owner's plain form of them.
 *
 *     call ──▶ { name, value, call: 7 } ──▶ handler ──▶ { answer: 7, value | error } ──▶ the promise
 *     tell ──▶ { name, value, call: 0 } ──▶ handler
 *
 * Messages of one side arrive in the order in which they were sent.
 */

/** What a side can be asked, by name: each takes one value and gives one, or a promise of it. */
export type Calls = { readonly [name: string]: (value: never) => unknown }

/** An end of what connects the two: a port, or a worker as its owner has it. */
export interface Port {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void
  on(event: 'message', listener: (message: unknown) => void): unknown
}

/** The other side is gone: what became of a call is not known. */
export class ChannelClosed extends Error {
  override readonly name = 'ChannelClosed'
}

/** How errors cross. */
export interface ErrorForms {
  readonly plain: (error: unknown) => unknown
  readonly revived: (plain: unknown) => Error
}

export interface ChannelOptions<Mine extends Calls> {
  readonly port: Port
  /** Answers what this side is asked. */
  readonly handlers: Mine
  readonly errors: ErrorForms
  /** Told when a handler has failed that nobody awaits. */
  readonly onFailure: (reason: unknown) => void
}

interface Asked {
  readonly name: string
  readonly value: unknown
  /** 0: no answer is awaited. */
  readonly call: number
}

interface Answered {
  readonly answer: number
  readonly value?: unknown
  readonly error?: unknown
}

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

type Value<C extends Calls, N extends keyof C> = Parameters<C[N]>[0]
type Outcome<C extends Calls, N extends keyof C> = Awaited<ReturnType<C[N]>>

/** One side's end of a channel: asks what the other side can be asked (`Theirs`), answers what this one can (`Mine`). */
export class Channel<Theirs extends Calls, Mine extends Calls> {
  readonly #options: ChannelOptions<Mine>
  readonly #pending = new Map<number, Pending>()
  #lastCall = 0
  #closed: string | undefined

  constructor(options: ChannelOptions<Mine>) {
    this.#options = options
    options.port.on('message', (message) => this.#receive(message as Asked | Answered))
  }

  /**
   * Asks and awaits the answer.
   * @param transfer memory that is handed over with the value
   * @throws what the handler threw, in its revived form; ChannelClosed
   */
  call<N extends string & keyof Theirs>(
    name: N,
    value: Value<Theirs, N>,
    transfer: ArrayBuffer[] = [],
  ): Promise<Outcome<Theirs, N>> {
    if (this.#closed !== undefined) return Promise.reject(new ChannelClosed(this.#closed))
    return new Promise((resolve, reject) => {
      this.#lastCall += 1
      this.#pending.set(this.#lastCall, { resolve: resolve as Pending['resolve'], reject })
      this.#options.port.postMessage({ name, value, call: this.#lastCall } satisfies Asked, transfer)
    })
  }

  /** Says something that has no answer; nothing happens when the other side is gone. */
  tell<N extends string & keyof Theirs>(name: N, value: Value<Theirs, N>, transfer: ArrayBuffer[] = []): void {
    if (this.#closed === undefined) this.#options.port.postMessage({ name, value, call: 0 } satisfies Asked, transfer)
  }

  /** The other side is gone: what waits is told so. */
  close(reason: string): void {
    if (this.#closed !== undefined) return
    this.#closed = reason
    for (const { reject } of this.#pending.values()) reject(new ChannelClosed(reason))
    this.#pending.clear()
  }

  #receive(message: Asked | Answered): void {
    if ('name' in message) {
      void this.#answer(message)
      return
    }
    const pending = this.#pending.get(message.answer)
    this.#pending.delete(message.answer)
    if (message.error === undefined) pending?.resolve(message.value)
    else pending?.reject(this.#options.errors.revived(message.error))
  }

  async #answer({ name, value, call }: Asked): Promise<void> {
    const { handlers, errors, onFailure, port } = this.#options
    try {
      if (!Object.hasOwn(handlers, name)) throw new TypeError(`nobody here can be asked for ${name}`)
      const outcome = await handlers[name]?.(value as never)
      if (call !== 0 && this.#closed === undefined) port.postMessage({ answer: call, value: outcome }, [])
    } catch (error) {
      if (call === 0) onFailure(error)
      else if (this.#closed === undefined) port.postMessage({ answer: call, error: errors.plain(error) }, [])
    }
  }
}
