/**
 * Padding of the last block as rows by Padding Method. What it is: what is appended, and how much of a decrypted block is
 * data. What it is not: the padding of RSA (rsa-padding.ts). KMIP 1.4 §9.1.3.2.15; RFC 8018 §6.1.1; ANSI X9.23; ISO 10126.
 */

import { PaddingMethod } from '#kmip/enums'
import { AlgorithmError, KeyUseError } from './errors.ts'
import { randomOctets } from './generate.ts'

/** A padding: with None the data must be whole blocks. */
export interface PaddingRow {
  readonly name: string
  /** What is appended to data that fills `used` bytes (less than a block) of its last block. */
  readonly tail: (used: number, blockBytes: number) => Uint8Array
  /** The number of data bytes in a decrypted last block; below 0 where the padding is not right. */
  readonly dataBytes: (block: Uint8Array) => number
}

/**
 * The data bytes of a block whose last byte counts the padding. Looks at every byte, whatever their values, for the time
 * must not tell where a padding went wrong.
 */
function counted(block: Uint8Array, last: (count: number) => number, filler: (count: number) => number | undefined) {
  const count = last(block.at(-1) ?? 0)
  let wrong = count < 1 || count > block.length ? 1 : 0
  const expected = filler(count)
  for (let index = 0; index < block.length - 1; index += 1) {
    const within = index >= block.length - count ? 1 : 0
    const differs = expected !== undefined && block[index] !== expected ? 1 : 0
    wrong |= within & differs
  }
  return wrong === 0 ? block.length - count : -1
}

const same = (count: number): number => count

/** A tail whose last byte is `last` and whose others are `filler`, or random. */
function tailOf(length: number, last: number, filler?: number): Uint8Array {
  const tail = filler === undefined ? randomOctets(length) : new Uint8Array(length).fill(filler)
  tail[length - 1] = last
  return tail
}

const P = PaddingMethod

const rows: ReadonlyMap<number, PaddingRow> = new Map<number, PaddingRow>([
  [
    P.PKCS5,
    {
      name: 'PKCS5',
      tail: (used, blockBytes) => tailOf(blockBytes - used, blockBytes - used, blockBytes - used),
      dataBytes: (block) => counted(block, same, same),
    },
  ],
  [
    P.ANSIX9_23,
    {
      name: 'ANSI X9.23',
      tail: (used, blockBytes) => tailOf(blockBytes - used, blockBytes - used, 0),
      dataBytes: (block) => counted(block, same, () => 0),
    },
  ],
  [
    P.ISO10126,
    {
      name: 'ISO 10126',
      tail: (used, blockBytes) => tailOf(blockBytes - used, blockBytes - used),
      dataBytes: (block) => counted(block, same, () => undefined),
    },
  ],
  [
    P.SSL3,
    {
      // The last byte counts the others only (RFC 6101 §5.2.3.2).
      name: 'SSL3',
      tail: (used, blockBytes) => tailOf(blockBytes - used, blockBytes - used - 1),
      dataBytes: (block) =>
        counted(
          block,
          (last) => last + 1,
          () => undefined,
        ),
    },
  ],
  [
    P.Zeros,
    {
      // Whole blocks get none; zeros at the end of the data are lost with the padding: its own fault.
      name: 'Zeros',
      tail: (used, blockBytes) => new Uint8Array(used === 0 ? 0 : blockBytes - used),
      dataBytes: (block) => block.findLastIndex((byte) => byte !== 0) + 1,
    },
  ],
])

/**
 * The padding of a method; undefined for None. Throws AlgorithmError (`unsupportedParameter`) for a method that pads no
 * blocks.
 */
export function paddingOf(method: number): PaddingRow | undefined {
  if (method === P.None) return undefined
  const row = rows.get(method)
  if (row === undefined) throw new AlgorithmError('unsupportedParameter', 'The padding method is not supported')
  return row
}

/** The data of a decrypted last block. Throws KeyUseError (`failed`) for a wrong padding. */
export function unpadded(padding: PaddingRow, block: Uint8Array): Uint8Array {
  const length = padding.dataBytes(block)
  if (length < 0) throw new KeyUseError('failed')
  return block.subarray(0, length)
}
