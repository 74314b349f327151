/**
 * Placeholders of the case files and what stands for them. What it is: the memory of one case: identifiers bound when
 * they are first seen, the time of `$NOW`, and outputs that took the place of printed ones. What it is not: what a
 * response must hold (compare.ts).
 *
 *     $UNIQUE_IDENTIFIER_0   bound once: the same everywhere, and no other placeholder's value
 *     $NOW, $NOW-3600        seconds from the start of the case
 *     $SIGNATURE_DATA, …     the value of the newest response that showed it
 */
import type { XmlElement } from '#ttlv/xml-element'

export type Placeholder =
  | { readonly kind: 'now'; readonly offset: number }
  | { readonly kind: 'identifier' | 'output'; readonly name: string }

/** The placeholder that a value is, or undefined for a plain value. */
export const placeholderOf = (text: string): Placeholder | undefined => {
  const now = /^\$NOW([+-]\d+)?$/.exec(text)
  if (now !== null) return { kind: 'now', offset: Number(now[1] ?? 0) }
  if (!/^\$[A-Z][A-Z0-9_]*$/.test(text)) return undefined
  return { kind: /UNIQUE_IDENTIFIER(_\d+)?$/.test(text) ? 'identifier' : 'output', name: text }
}

/** A request asks for a placeholder that nothing was ever seen for. */
export class UnboundPlaceholder extends Error {
  override readonly name = 'UnboundPlaceholder'
}

export class Bindings {
  /** Start of the case, seconds since 1970. */
  readonly nowSeconds: number
  readonly #earlier: Bindings | undefined
  readonly #values: Map<string, string>
  /** Newest text of each element of the responses, for placeholders that no response of the file names. */
  readonly #newest: Map<string, string>
  /** Printed outputs and the real ones that took their place, lower-case hexadecimal. */
  readonly #replaced: Map<string, string>

  /** @param earlier what the case before it in the same folder bound, for files that build on one another */
  constructor(nowSeconds: number, earlier?: Bindings, copied?: Bindings) {
    this.nowSeconds = nowSeconds
    this.#earlier = earlier
    this.#values = new Map(copied === undefined ? [] : copied.#values)
    this.#newest = new Map(copied === undefined ? [] : copied.#newest)
    this.#replaced = new Map(copied === undefined ? [] : copied.#replaced)
  }

  /** Bindings of the same time that know nothing, for a case of its own. */
  fresh(): Bindings {
    return new Bindings(this.nowSeconds)
  }

  /** A copy, to try out a match. */
  fork(): Bindings {
    return new Bindings(this.nowSeconds, this.#earlier, this)
  }

  /** What a placeholder is bound to in this case. */
  get(name: string): string | undefined {
    return this.#values.get(name)
  }

  /** The placeholder that a value is already bound to, other than `name`. */
  otherNameOf(name: string, text: string): string | undefined {
    for (const [other, value] of this.#values) {
      if (other !== name && value === text && placeholderOf(other)?.kind === 'identifier') return other
    }
    return undefined
  }

  bind(name: string, text: string): void {
    this.#values.set(name, text)
  }

  /** Notes the text of an element of a response. */
  note(element: string, text: string): void {
    this.#newest.set(element, text)
  }

  /** From now on a printed output stands for the real one, in requests and responses. */
  replace(printed: string, actual: string): void {
    this.#replaced.set(printed.toLowerCase(), actual)
  }

  /** The real output that a printed one stands for, or undefined. */
  replacementOf(printed: string): string | undefined {
    return this.#replaced.get(printed.toLowerCase())
  }

  /** The seconds that a `$NOW` stands for. */
  secondsOf(placeholder: Extract<Placeholder, { kind: 'now' }>): number {
    return this.nowSeconds + placeholder.offset
  }

  /** A request with every placeholder filled in. @throws UnboundPlaceholder */
  fill(element: XmlElement): XmlElement {
    const text = element.attributes.get('value')
    const children = element.children.map((child) => this.fill(child))
    if (text === undefined) return { ...element, children }
    const attributes = new Map(element.attributes).set('value', this.#textFor(element, text))
    return { ...element, attributes, children }
  }

  #textFor(element: XmlElement, text: string): string {
    const placeholder = placeholderOf(text)
    if (placeholder === undefined) {
      return element.attributes.get('type') === 'ByteString' ? (this.replacementOf(text) ?? text) : text
    }
    if (placeholder.kind === 'now') {
      return `0x${BigInt.asUintN(64, BigInt(this.secondsOf(placeholder))).toString(16)}`
    }
    const { name } = placeholder
    const found = this.#values.get(name) ?? this.#newest.get(element.name) ?? this.#earlier?.get(name)
    if (found === undefined) throw new UnboundPlaceholder(`${name} stands for nothing that was seen`)
    this.#values.set(name, found)
    return found
  }
}
