/**
 * Times src/ttlv/framer.ts: a request that comes whole, in halves, or with others in one chunk. What it is not: the decoding
 * (binary.ts).
 */
import { Tag } from '#kmip/tags'
import { Framer } from '#ttlv/framer'
import { messagePairs } from './messages.ts'
import { noClose, type Suite } from './suite.ts'

const together = 16

/** A task a way in which bytes come. */
export const open = (): Promise<Suite> => {
  const framer = new Framer(Tag.RequestMessage, 1_000_000)
  const whole = messagePairs[0]?.request ?? Buffer.alloc(0)
  const halves = [whole.subarray(0, whole.length >> 1), whole.subarray(whole.length >> 1)]
  const several = Buffer.concat(Array.from({ length: together }, () => whole))
  return Promise.resolve({
    tasks: [
      {
        name: 'a whole request',
        run: () => {
          framer.push(whole)
          return framer.next()?.length ?? 0
        },
      },
      {
        name: 'a request in halves',
        run: () => {
          for (const chunk of halves) framer.push(chunk)
          return framer.next()?.length ?? 0
        },
      },
      {
        name: `one of ${together} in a chunk`,
        operations: together,
        run: () => {
          let size = 0
          framer.push(several)
          for (let message = framer.next(); message !== undefined; message = framer.next()) size += message.length
          return size
        },
      },
    ],
    close: noClose,
  })
}
