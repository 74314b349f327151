/**
 * What a reader says about bytes that it refuses. What it is: the one error of ttlv/. What it is not: a KMIP Result
 * Reason; that is chosen in one place from `fault` (kmip/errors.ts).
 */

/**
 * - `message`: the bytes are not TTLV, or not this structure (KMIP 1.4 §11.1: Invalid Message)
 * - `field`: a value or a field that this version does not know (§11.1: Invalid Field)
 * - `limit`: a bound was passed (size, depth, number of items)
 */
export type TtlvFault = 'message' | 'field' | 'limit'

/** Refused bytes, with the place in the message. The text holds tags and numbers, never a value of the message. */
export class TtlvError extends Error {
  override readonly name = 'TtlvError'
  readonly fault: TtlvFault
  /** Tags from the outermost structure to the place. */
  readonly path: readonly number[]

  constructor(fault: TtlvFault, text: string, path: readonly number[] = []) {
    super(text)
    this.fault = fault
    this.path = path
  }
}
