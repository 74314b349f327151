/**
 * Plain data made ready to cross a thread. What it is: byte arrays cut out of the memory that they lie in (a copy of a view
 * would take the whole of it along: a socket's buffer, other keys), and a list of the large ones, whose memory can be
 * handed over instead of copied. What it is not: the crossing itself.
 */

import { Piscina } from 'piscina'

/** Above this, handing memory over costs less than copying it: a hop with 64 KiB took 100 µs against 191. */
const transferBytesMin = 32_768

/** Data that shares no memory with anybody, and the memory that may be handed over with it. */
export interface Crossing<Value> {
  readonly value: Value
  readonly transfer: readonly ArrayBuffer[]
}

/**
 * A copy of plain data (arrays, plain objects) whose byte arrays have memory of their own.
 * @param owned whether the bytes of `value` are the caller's to give away: an array that fills its memory then goes as it is
 */
export function crossing<Value>(value: Value, owned: boolean): Crossing<Value> {
  const transfer = new Set<ArrayBuffer>()
  return { value: cut(value, owned, transfer) as Value, transfer: [...transfer] }
}

/** What to give Piscina: the value, in the wrapping that hands its memory over. The types say nothing of it: Piscina takes it off. */
export function movable<Value>({ value, transfer }: Crossing<Value>): Value {
  if (transfer.length === 0) return value
  const wrapped = { [Piscina.transferableSymbol]: transfer, [Piscina.valueSymbol]: value }
  return Piscina.move(wrapped as unknown as Parameters<typeof Piscina.move>[0]) as unknown as Value
}

function cut(value: unknown, owned: boolean, transfer: Set<ArrayBuffer>): unknown {
  if (value instanceof Uint8Array) return cutBytes(value, owned, transfer)
  if (Array.isArray(value)) return value.map((part: unknown) => cut(part, owned, transfer))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, cut(part, owned, transfer)]))
}

function cutBytes(bytes: Uint8Array, owned: boolean, transfer: Set<ArrayBuffer>): Uint8Array {
  const { buffer } = bytes
  const whole = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength
  // Not `slice`: that of a Buffer shares its memory.
  const own = owned && whole ? new Uint8Array(buffer) : new Uint8Array(bytes)
  if (own.byteLength >= transferBytesMin && own.buffer instanceof ArrayBuffer) transfer.add(own.buffer)
  return own
}
