/**
 * The JSON encoding (KMIP Additional Message Encodings 1.0 §6): trees of items as JSON text and back.
 * What it is not: the names (a Vocabulary that the caller gives).
 *
 *     {"tag":"Attribute","value":[
 *       {"tag":"AttributeName","type":"TextString","value":"State"},
 *       {"tag":"AttributeValue","type":"Enumeration","value":"PreActive"}]}
 *     {"tag":"0x540001","type":"LongInteger","value":"0x7fffffffffffffff"}
 */
import { bigIntegerBytes } from './binary.ts'
import { TtlvError } from './error.ts'
import { type Item, ItemType, itemTypeNames } from './item.ts'
import type { Faults } from './tree.ts'
import type { ValueNames, Vocabulary } from './vocabulary.ts'
import { itemOfText, textOfItem } from './xml.ts'

/** What bounds a document. */
export interface JsonLimits {
  /** UTF-16 units of the whole text. */
  readonly textLengthMax: number
  /** Structures within structures. */
  readonly nestingDepthMax: number
  /** Items of the whole document. */
  readonly itemCountMax: number
}

interface State {
  readonly vocabulary: Vocabulary
  readonly limits: JsonLimits
  readonly faults: Faults | undefined
  count: number
}

const types = new Map(itemTypeNames.flatMap((name, type) => (type === 0 ? [] : [[name, type as ItemType] as const])))
const memberNames: ReadonlySet<string> = new Set(['tag', 'name', 'type', 'value'])
/** Whole numbers that every JSON reader keeps exact are written as numbers below this, as text from it on. */
const exactMax = 2n ** 52n

const refuse = (text: string, fault: 'message' | 'field' | 'limit' = 'message'): never => {
  throw new TtlvError(fault, `JSON: ${text}`)
}

/**
 * Decodes a text of one item. The text of an error quotes nothing of the message.
 * @param faults takes what within the item cannot be read; without it, that is thrown
 * @throws TtlvError `limit` past a bound, `message` or `field`
 */
export const decodeJson = (text: string, vocabulary: Vocabulary, limits: JsonLimits, faults?: Faults): Item => {
  if (text.length > limits.textLengthMax) refuse(`the text is longer than ${limits.textLengthMax}`, 'limit')
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return refuse('this is not well-formed')
    throw error
  }
  return itemOf(parsed, { vocabulary, limits, faults, count: 0 }, [], 0)
}

const itemOf = (node: unknown, state: State, earlier: readonly Item[], depth: number): Item => {
  state.count += 1
  if (state.count > state.limits.itemCountMax) refuse(`there are more than ${state.limits.itemCountMax} items`, 'limit')
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return refuse('an item is not an object')
  const members = node as Readonly<Record<string, unknown>>
  for (const name of Object.keys(members)) {
    if (!memberNames.has(name)) refuse('a member has no meaning here')
  }
  const tag = tagOf(members['tag'], state.vocabulary)
  const type = typeOf(members['type'])
  const { value } = members
  if (type !== ItemType.Structure) return valueOf(tag, type, value, state.vocabulary.valueNames(tag, earlier))
  if (!Array.isArray(value)) return refuse('the value of a structure is not an array')
  if (depth >= state.limits.nestingDepthMax) {
    refuse(`structures are nested deeper than ${state.limits.nestingDepthMax}`, 'limit')
  }
  const items: Item[] = []
  for (const child of value) items.push(childOf(child, state, items, depth + 1))
  return { tag, type, value: items }
}

const childOf = (node: unknown, state: State, earlier: readonly Item[], depth: number): Item => {
  try {
    return itemOf(node, state, earlier, depth)
  } catch (error) {
    if (state.faults === undefined) throw error
    return state.faults.standIn(tagNamed((node as { readonly tag?: unknown } | null)?.tag, state.vocabulary), error)
  }
}

const tagOf = (name: unknown, vocabulary: Vocabulary): number =>
  tagNamed(name, vocabulary) ?? refuse('a tag is no name of the vocabulary')

const tagNamed = (name: unknown, vocabulary: Vocabulary): number | undefined => {
  if (typeof name !== 'string') return undefined
  return /^0x[0-9a-fA-F]{6}$/.test(name) ? Number(name) : vocabulary.tagByName(name)
}

/** No type stands for Structure. */
const typeOf = (name: unknown): ItemType => {
  if (name === undefined) return ItemType.Structure
  const type = typeof name === 'string' ? types.get(name) : undefined
  return type ?? refuse('an item type is not known')
}

const valueOf = (tag: number, type: Exclude<ItemType, 1>, value: unknown, names: ValueNames | undefined): Item => {
  if (typeof value === 'boolean') {
    return type === ItemType.Boolean ? { tag, type, value } : refuse('a value is true or false and no Boolean')
  }
  if (typeof value === 'number') return itemOfNumber(tag, type, value)
  if (typeof value !== 'string') return refuse('a value is missing or of the wrong kind')
  // An escape can stand for half a surrogate pair: that is no character, and would come back from the store as another.
  if (!value.isWellFormed()) return refuse('a text is not Unicode')
  if (type === ItemType.Boolean) return itemOfBoolean(tag, value)
  if (type === ItemType.BigInteger) return itemOfBigInteger(tag, value)
  return itemOfText(tag, type, value, names)
}

const itemOfNumber = (tag: number, type: Exclude<ItemType, 1>, value: number): Item => {
  if (!Number.isSafeInteger(value)) refuse('a number is not whole, or too large to be exact')
  switch (type) {
    case ItemType.Integer:
      return value === (value | 0) ? { tag, type, value } : refuse('an Integer has more than 32 bits')
    case ItemType.LongInteger:
    case ItemType.BigInteger:
      return { tag, type, value: BigInt(value) }
    case ItemType.Enumeration:
    case ItemType.Interval:
      return value >= 0 && value <= 0xffff_ffff ? { tag, type, value } : refuse('a value has more than 32 bits')
    default:
      return refuse('a number stands for a value of another type')
  }
}

const itemOfBoolean = (tag: number, text: string): Item => {
  const bits = /^0x0{15}([01])$/.exec(text)
  return bits === null
    ? refuse('a Boolean is neither true nor false')
    : { tag, type: ItemType.Boolean, value: bits[1] === '1' }
}

/** Hexadecimal digits of two's complement: the first of them holds the sign. */
const itemOfBigInteger = (tag: number, text: string): Item => {
  const digits = /^0x((?:[0-9a-fA-F]{2})+)$/.exec(text)?.[1]
  if (digits === undefined) return refuse('a Big Integer is not pairs of hexadecimal digits behind 0x')
  return { tag, type: ItemType.BigInteger, value: BigInt.asIntN(digits.length * 4, BigInt(`0x${digits}`)) }
}

/** Encodes one item, on one line. */
export const encodeJson = (item: Item, vocabulary: Vocabulary): string => JSON.stringify(nodeOf(item, vocabulary, []))

const nodeOf = (item: Item, vocabulary: Vocabulary, earlier: readonly Item[]): unknown => {
  const name = vocabulary.tagName(item.tag)
  const known = name !== undefined && vocabulary.tagByName(name) === item.tag
  const tag = known ? name : `0x${item.tag.toString(16).padStart(6, '0')}`
  if (item.type === ItemType.Structure) {
    const before: Item[] = []
    const value: unknown[] = []
    for (const child of item.value) {
      value.push(nodeOf(child, vocabulary, before))
      before.push(child)
    }
    return { tag, value }
  }
  const type = itemTypeNames[item.type]
  return { tag, type, value: jsonValueOf(item, vocabulary.valueNames(item.tag, earlier)) }
}

const jsonValueOf = (item: Exclude<Item, { readonly type: 1 }>, names: ValueNames | undefined): unknown => {
  switch (item.type) {
    case ItemType.Integer: {
      const text = textOfItem(item, names)
      return names?.kind === 'mask' && text !== '0' ? text.replaceAll(' ', '|') : item.value
    }
    case ItemType.LongInteger:
      if (item.value > -exactMax && item.value < exactMax) return Number(item.value)
      return `0x${BigInt.asUintN(64, item.value).toString(16).padStart(16, '0')}`
    case ItemType.BigInteger:
      return `0x${bigIntegerBytes(item.value).toString('hex')}`
    case ItemType.Boolean:
    case ItemType.Interval:
    case ItemType.TextString:
      return item.value
    case ItemType.Enumeration:
    case ItemType.ByteString:
    case ItemType.DateTime:
      return textOfItem(item, names)
  }
}
