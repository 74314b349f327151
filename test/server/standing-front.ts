/**
 * A front for tests: it takes what it is told, and its loop stands still for good once it is given an interface. What it is: a thread at the
 * end of the real channel. What it is not: a listener.
 */
import assert from 'node:assert/strict'
import { parentPort } from 'node:worker_threads'
import { Channel } from '#actor/channel'
import { errorForms, type FrontCalls, type MainCalls } from '#server/front-calls'

assert(parentPort !== null, 'this is a thread')
const nothing = (): void => undefined
const main = new Channel<MainCalls, FrontCalls>({
  port: parentPort,
  errors: errorForms,
  onFailure: nothing,
  handlers: {
    open: async () => {
      for (;;);
    },
    prepare: async () => undefined,
    apply: async () => undefined,
    abandon: nothing,
    ticketKeys: nothing,
    endSessions: nothing,
    close: async () => undefined,
    end: async () => undefined,
    keepSession: nothing,
    level: nothing,
    permits: nothing,
    seed: nothing,
    alive: nothing,
    samples: () => [],
  },
})
main.tell('ready', undefined)
