/**
 * Lines on their way to the auditor, as bytes in one piece. What it is: memory that is written into line by line, and given away as a
 * copy. What it is not: what a line tells (`record.ts`), or when it goes (`front.ts`).
 *
 * @hot A line told again: 0.06 µs, the first time 0.5 µs (two cores, Node 26.10; bench/micro/gathered.ts). Put together as text, each was some
 * 900 bytes of small strings, alive until the collector came by.
 */

/** Some hundred lines. */
const usualBytes = 65_536
/** UTF-8 has up to so many bytes for a unit of a string. */
const bytesPerUnit = 3
const newline = 0x0a
const quote = 0x22
const zero = 0x30
/** Of a number that is counted up. */
const digitsMax = 16

export class GatheredLines {
  #bytes = Buffer.allocUnsafeSlow(usualBytes)
  #length = 0

  /** Bytes that are gathered. */
  get length(): number {
    return this.#length
  }

  /** Adds a line. */
  add(text: string): void {
    this.#begin(bytesPerUnit * text.length)
    this.#length += this.#bytes.write(text, this.#length, 'utf8')
  }

  /**
   * Adds a line of parts.
   * @param start as of `startOf`
   * @param number of the request, a whole one
   * @param end as of `endOf`
   */
  addParts(start: Uint8Array, number: number, end: Uint8Array): void {
    this.#begin(start.length + digitsMax + 1 + end.length)
    this.#put(start)
    this.#putNumber(number)
    this.#bytes[this.#length] = quote
    this.#length += 1
    this.#put(end)
  }

  /** Gives all lines away, in memory of their own. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.#bytes.subarray(0, this.#length))
    this.#length = 0
    if (this.#bytes.length > usualBytes) this.#bytes = Buffer.allocUnsafeSlow(usualBytes)
    return taken
  }

  #begin(room: number): void {
    const wanted = this.#length + 1 + room
    if (wanted > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(2 * wanted)
      larger.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = larger
    }
    if (this.#length === 0) return
    this.#bytes[this.#length] = newline
    this.#length += 1
  }

  #putNumber(number: number): void {
    let digits = 1
    for (let power = 10; power <= number; power *= 10) digits += 1
    let rest = number
    for (let at = this.#length + digits - 1; at >= this.#length; at -= 1) {
      const tens = Math.floor(rest / 10)
      this.#bytes[at] = zero + (rest - 10 * tens)
      rest = tens
    }
    this.#length += digits
  }

  #put(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }
}
