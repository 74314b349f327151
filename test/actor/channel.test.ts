/** Two ends of a channel: what is asked is answered, what fails is told, and what waits ends with the other side. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { Channel, ChannelClosed } from '#actor/channel'

type Answering = {
  double(value: number): Promise<number>
  fail(text: string): void
  wait(nothing: undefined): Promise<void>
  hear(text: string): void
}

type NoCalls = { readonly [name: string]: never }

const errors = {
  plain: (error: unknown): unknown => ({ text: error instanceof Error ? error.message : String(error) }),
  revived: (plain: unknown): Error => new RangeError((plain as { readonly text: string }).text),
}

const pair = (test: { after(run: () => void): void }) => {
  const { port1, port2 } = new MessageChannel()
  test.after(() => port1.close())
  const heard: string[] = []
  const failures: unknown[] = []
  const end = (port: MessagePort) => ({ port, errors, onFailure: (reason: unknown) => void failures.push(reason) })
  const asking = new Channel<Answering, NoCalls>({ ...end(port1), handlers: {} })
  const answering = new Channel<NoCalls, Answering>({
    ...end(port2),
    handlers: {
      double: async (value) => value * 2,
      fail(text) {
        throw new TypeError(text)
      },
      wait: () => new Promise(() => undefined),
      hear: (text) => void heard.push(text),
    },
  })
  return { asking, answering, heard, failures, port: port1 }
}

describe('a channel', () => {
  test('answers are those of their calls, whatever is asked at once', async (context) => {
    const { asking } = pair(context)
    const values = Array.from({ length: 50 }, (_, index) => index)
    const answers = await Promise.all(values.map((value) => asking.call('double', value)))
    assert.deepEqual(
      answers,
      values.map((value) => value * 2),
    )
  })

  test('what a handler throws comes back in its plain form', async (context) => {
    const { asking } = pair(context)
    await assert.rejects(asking.call('fail', 'no'), new RangeError('no'))
  })

  test('words without an answer arrive in order, and who cannot take one is told', async (context) => {
    const { asking, heard, failures } = pair(context)
    for (const word of ['a', 'b', 'c']) asking.tell('hear', word)
    asking.tell('fail', 'nobody waits')
    await asking.call('double', 1)
    assert.deepEqual(heard, ['a', 'b', 'c'])
    assert.match(String(failures[0]), /nobody waits/)
  })

  test('a name that is not a call is refused, also one that every object has', async (context) => {
    const { asking } = pair(context)
    const call = asking.call.bind(asking) as (name: string, value: unknown) => Promise<unknown>
    await assert.rejects(call('toString', undefined), /nobody here can be asked/)
    await assert.rejects(call('missing', undefined), /nobody here can be asked/)
  })

  test('when the other side is gone, what waits is told so, and so is who asks later', async (context) => {
    const { asking } = pair(context)
    const waiting = asking.call('wait', undefined)
    asking.close('it has ended')
    await assert.rejects(waiting, ChannelClosed)
    await assert.rejects(asking.call('double', 1), ChannelClosed)
    asking.tell('hear', 'nothing happens')
  })
})
