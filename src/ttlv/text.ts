/**
 * Items as one line of text, for logs. What it is: short, escaped, and silent about what the caller declares secret.
 * What it is not: an encoding; nothing reads it back.
 *
 *     RequestMessage{RequestHeader{…} BatchItem{Operation=Get RequestPayload{UniqueIdentifier="a1"}}}
 *     KeyMaterial=<32 bytes>
 */
import { bigIntegerBytes, encodeItem } from './binary.ts'
import { type Item, ItemType } from './item.ts'
import type { Vocabulary } from './vocabulary.ts'
import { textOfItem } from './xml.ts'

export interface TextOptions {
  readonly vocabulary: Vocabulary
  /** Tags whose values are replaced by their length, structures with all that is within them. */
  readonly redactedTags: ReadonlySet<number>
  /**
   * Whether a value is secret for another reason than its tag (an Attribute Value, by the Attribute Name among the
   * `earlier` items of its structure).
   */
  readonly isRedacted?: (item: Item, earlier: readonly Item[]) => boolean
  /** UTF-16 units of the line; the rest is cut and marked. Default 4096. */
  readonly lengthMax?: number
}

const lengthMaxDefault = 4096

/** One line that tells an item without its secrets. */
export const textOfTree = (item: Item, options: TextOptions): string => {
  const lengthMax = options.lengthMax ?? lengthMaxDefault
  const parts: string[] = []
  const state = { parts, room: lengthMax }
  append(state, item, [], options)
  const line = parts.join('')
  return line.length > lengthMax ? `${line.slice(0, lengthMax)}…` : line
}

interface LineState {
  readonly parts: string[]
  /** What is left of the line; nothing is written once it is used up. */
  room: number
}

const push = (state: LineState, text: string): void => {
  state.parts.push(text)
  state.room -= text.length
}

const append = (state: LineState, item: Item, earlier: readonly Item[], options: TextOptions): void => {
  if (state.room < 0) return
  const { vocabulary } = options
  push(state, vocabulary.tagName(item.tag) ?? `0x${item.tag.toString(16).padStart(6, '0')}`)
  if (options.redactedTags.has(item.tag) || options.isRedacted?.(item, earlier) === true) {
    push(state, `=<${byteLength(item)} bytes>`)
  } else if (item.type === ItemType.Structure) {
    push(state, '{')
    const before: Item[] = []
    for (const child of item.value) {
      if (state.room < 0) return
      if (before.length > 0) push(state, ' ')
      append(state, child, before, options)
      before.push(child)
    }
    push(state, '}')
  } else if (item.type === ItemType.TextString) {
    push(state, `=${quote(item.value)}`)
  } else {
    push(state, `=${textOfItem(item, vocabulary.valueNames(item.tag, earlier))}`)
  }
}

/** Quoted, with every character escaped that could end a line or move a terminal's cursor. */
const quote = (text: string): string =>
  JSON.stringify(text).replace(/[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })

/** Bytes of the value on the wire, without header and padding. */
const byteLength = (item: Item): number => {
  switch (item.type) {
    case ItemType.Structure:
      return item.value.reduce((sum, child) => sum + encodeItem(child).length, 0)
    case ItemType.TextString:
      return Buffer.byteLength(item.value, 'utf8')
    case ItemType.ByteString:
      return item.value.length
    case ItemType.BigInteger:
      return bigIntegerBytes(item.value).length
    case ItemType.Integer:
    case ItemType.Enumeration:
    case ItemType.Interval:
      return 4
    case ItemType.LongInteger:
    case ItemType.Boolean:
    case ItemType.DateTime:
      return 8
  }
}
