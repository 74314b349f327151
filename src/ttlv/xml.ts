/**
 * The XML encoding (KMIP Additional Message Encodings 1.0 §5): trees of items as XML text and back.
 * What it is not: XML itself (xml-element.ts), or the names (a Vocabulary that the caller gives).
 *
 *     <Attribute>
 *       <AttributeName type="TextString" value="State"/>
 *       <AttributeValue type="Enumeration" value="PreActive"/>
 *     </Attribute>
 *     <TTLV tag="0x540001" type="TextString" value="a tag without a name"/>
 */
import { bigIntegerBytes, dateTimeMax } from './binary.ts'
import { TtlvError } from './error.ts'
import { type Item, ItemType, itemTypeNames } from './item.ts'
import type { Faults } from './tree.ts'
import type { ValueNames, Vocabulary } from './vocabulary.ts'
import { escapeXml, parseXml, type XmlElement, type XmlLimits } from './xml-element.ts'

const types = new Map(itemTypeNames.flatMap((name, type) => (type === 0 ? [] : [[name, type as ItemType] as const])))
const attributeNames: ReadonlySet<string> = new Set(['tag', 'name', 'type', 'value', 'xmlns'])

const refuse = (element: XmlElement, text: string, fault: 'message' | 'field' = 'message'): never => {
  throw new TtlvError(fault, `XML line ${element.line}: ${text}`)
}

/** The tag that an element stands for. @throws TtlvError `message` when the vocabulary has no such name. */
export const tagOfElement = (element: XmlElement, vocabulary: Vocabulary): number =>
  tagNamed(element, vocabulary) ??
  refuse(element, 'the element has no name of the vocabulary, and no tag of six hexadecimal digits')

const tagNamed = ({ name, attributes }: XmlElement, vocabulary: Vocabulary): number | undefined => {
  if (name !== 'TTLV') return vocabulary.tagByName(name)
  const text = attributes.get('tag') ?? ''
  return /^0x[0-9a-fA-F]{6}$/.test(text) ? Number(text) : undefined
}

/** The item type that an element names; none stands for Structure. @throws TtlvError `message` for an unknown one. */
export const typeOfElement = (element: XmlElement): ItemType => {
  const name = element.attributes.get('type')
  if (name === undefined) return ItemType.Structure
  return types.get(name) ?? refuse(element, 'the item type is not known')
}

/**
 * The item that an element stands for, with all within it.
 * @param earlier the items before it in the same structure
 * @param faults takes what within the item cannot be read; without it, that is thrown
 * @throws TtlvError `message` or `field`
 */
export const itemOfElement = (
  element: XmlElement,
  vocabulary: Vocabulary,
  earlier: readonly Item[] = [],
  faults?: Faults,
): Item => {
  const tag = tagOfElement(element, vocabulary)
  const type = typeOfElement(element)
  if (element.content !== '') refuse(element, 'text stands between elements')
  for (const name of element.attributes.keys()) {
    if (!attributeNames.has(name)) refuse(element, 'an attribute has no meaning here')
  }
  const text = element.attributes.get('value')
  if (type === ItemType.Structure) {
    if (text !== undefined) refuse(element, 'a structure has a value')
    const value: Item[] = []
    for (const child of element.children) value.push(childOf(child, vocabulary, value, faults))
    return { tag, type, value }
  }
  if (element.children.length > 0) refuse(element, 'a value has elements within')
  if (text === undefined) return refuse(element, 'the value is missing')
  try {
    return itemOfText(tag, type, text, vocabulary.valueNames(tag, earlier))
  } catch (error) {
    if (error instanceof TtlvError) refuse(element, error.message, error.fault === 'field' ? 'field' : 'message')
    throw error
  }
}

// biome-ignore format: the parameters are one state
const childOf = (element: XmlElement, vocabulary: Vocabulary, earlier: readonly Item[], faults: Faults | undefined): Item => {
  try {
    return itemOfElement(element, vocabulary, earlier, faults)
  } catch (error) {
    if (faults === undefined) throw error
    return faults.standIn(tagNamed(element, vocabulary), error)
  }
}

/** Decodes a document of one item. `faults` takes what within it cannot be read. @throws TtlvError */
export const decodeXml = (text: string, vocabulary: Vocabulary, limits: XmlLimits, faults?: Faults): Item =>
  itemOfElement(parseXml(text, limits), vocabulary, [], faults)

/** A value (anything but a Structure) from its text. `names`: those of the tag, where it has some. @throws TtlvError */
export const itemOfText = (
  tag: number,
  type: Exclude<ItemType, 1>,
  text: string,
  names: ValueNames | undefined,
): Item => {
  switch (type) {
    case ItemType.Integer:
      return { tag, type, value: integerOfText(text, names) }
    case ItemType.LongInteger:
      return { tag, type, value: longIntegerOfText(text) }
    case ItemType.BigInteger: {
      const bytes = bytesOfText(text)
      if (bytes.length === 0 || bytes.length % 8 !== 0) fail('the length of a Big Integer is not a multiple of 8')
      return { tag, type, value: BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`)) }
    }
    case ItemType.Enumeration:
      return { tag, type, value: enumerationOfText(text, names) }
    case ItemType.Boolean:
      if (text !== 'true' && text !== 'false') fail('a Boolean is neither true nor false')
      return { tag, type, value: text === 'true' }
    case ItemType.TextString:
      return { tag, type, value: text }
    case ItemType.ByteString:
      return { tag, type, value: Uint8Array.from(bytesOfText(text)) }
    case ItemType.DateTime:
      return { tag, type, value: dateTimeOfText(text) }
    case ItemType.Interval: {
      const value = /^\d{1,10}$/.test(text) ? Number(text) : hexOfText(text, 8)
      if (value === undefined || value > 0xffff_ffff) return fail('an Interval is not a number of seconds')
      return { tag, type, value }
    }
  }
}

const fail = (text: string, fault: 'message' | 'field' = 'message'): never => {
  throw new TtlvError(fault, text)
}

const hexOfText = (text: string, digitsMax: number): number | undefined =>
  /^0x[0-9a-fA-F]+$/.test(text) && text.length <= digitsMax + 2 ? Number(text) : undefined

const integerOfText = (text: string, names: ValueNames | undefined): number => {
  if (/^-?\d{1,10}$/.test(text)) {
    const value = Number(text)
    if (value !== (value | 0)) fail('an Integer has more than 32 bits')
    return value
  }
  const hex = hexOfText(text, 8)
  if (hex !== undefined) return hex | 0
  if (names?.kind !== 'mask') return fail('an Integer is not a number')
  return maskOfText(text, names)
}

/** Names of bits, separated by white space (or by the bar of the JSON encoding, which some writers use here too). */
const maskOfText = (text: string, names: ValueNames): number => {
  let mask = 0
  for (const part of text.split(/[\s|]+/)) {
    if (part !== '') mask |= names.valueOf(part) ?? hexOfText(part, 8) ?? fail('a bit of a mask is not known', 'field')
  }
  return mask
}

const longIntegerOfText = (text: string): bigint => {
  if (/^0x[0-9a-fA-F]{1,16}$/.test(text)) return BigInt.asIntN(64, BigInt(text))
  if (!/^-?\d{1,19}$/.test(text)) fail('a Long Integer is not a number')
  const value = BigInt(text)
  if (value !== BigInt.asIntN(64, value)) fail('a Long Integer has more than 64 bits')
  return value
}

const enumerationOfText = (text: string, names: ValueNames | undefined): number =>
  hexOfText(text, 8) ?? names?.valueOf(text) ?? fail('an enumeration value is not known', 'field')

const bytesOfText = (text: string): Buffer => {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) fail('a value is not pairs of hexadecimal digits')
  return Buffer.from(text, 'hex')
}

const dateTimePattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|([+-])(\d\d):(\d\d))?$/

/** Seconds since 1970; parts of a second are dropped, a date without an offset is UTC. */
const dateTimeOfText = (text: string): number => {
  if (/^0x[0-9a-fA-F]{1,16}$/.test(text)) {
    const value = BigInt.asIntN(64, BigInt(text))
    if (value === dateTimeMax) return Number.MAX_SAFE_INTEGER
    const seconds = Number(value)
    return Number.isSafeInteger(seconds) ? seconds : fail('a Date-Time is beyond the range of dates', 'field')
  }
  const match = dateTimePattern.exec(text)
  if (match === null) return fail('a Date-Time is not one of ISO 8601')
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number)
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || hour > 24 || minute > 59 || second > 60) {
    fail('a Date-Time names no moment')
  }
  const offset = (match[7] === '-' ? -1 : 1) * (Number(match[8] ?? 0) * 3600 + Number(match[9] ?? 0) * 60)
  return date.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset
}

/** How the text is laid out. */
export interface XmlLayout {
  /** Spaces a level; undefined: all on one line. */
  readonly indent?: number
}

/** Encodes one item. @throws TtlvError `field` for a text that XML cannot carry. */
export const encodeXml = (item: Item, vocabulary: Vocabulary, layout: XmlLayout = {}): string => {
  const parts: string[] = []
  writeElement(parts, item, [], vocabulary, layout.indent, 0)
  return parts.join('')
}

// biome-ignore format: the parameters are one state
const writeElement = (parts: string[], item: Item, earlier: readonly Item[], vocabulary: Vocabulary, indent: number | undefined, depth: number): void => {
  const margin = indent === undefined ? '' : ' '.repeat(indent * depth)
  const lineEnd = indent === undefined ? '' : '\n'
  const name = elementName(item.tag, vocabulary)
  const start = name ?? `TTLV tag="${hex(item.tag, 6)}"`
  if (item.type !== ItemType.Structure) {
    const text = escapeXml(textOfItem(item, vocabulary.valueNames(item.tag, earlier)))
    parts.push(`${margin}<${start} type="${itemTypeNames[item.type] ?? ''}" value="${text}"/>${lineEnd}`)
  } else if (item.value.length === 0) {
    parts.push(`${margin}<${start}/>${lineEnd}`)
  } else {
    parts.push(`${margin}<${start}>${lineEnd}`)
    const before: Item[] = []
    for (const child of item.value) {
      writeElement(parts, child, before, vocabulary, indent, depth + 1)
      before.push(child)
    }
    parts.push(`${margin}</${name ?? 'TTLV'}>${lineEnd}`)
  }
}

/** The element name of a tag; undefined where the name would not lead back to it. */
const elementName = (tag: number, vocabulary: Vocabulary): string | undefined => {
  const name = vocabulary.tagName(tag)
  return name !== undefined && vocabulary.tagByName(name) === tag ? name : undefined
}

const hex = (value: number | bigint, digits: number): string => `0x${value.toString(16).padStart(digits, '0')}`

/** A value (anything but a Structure) as the encoding writes it. */
export const textOfItem = (item: Exclude<Item, { readonly type: 1 }>, names: ValueNames | undefined): string => {
  switch (item.type) {
    case ItemType.Integer:
      return names?.kind === 'mask' ? textOfMask(item.value, names) : String(item.value)
    case ItemType.Enumeration: {
      const name = names?.kind === 'enumeration' ? names.nameOf(item.value) : undefined
      return name !== undefined && names?.valueOf(name) === item.value ? name : hex(item.value, 8)
    }
    case ItemType.BigInteger:
      return bigIntegerBytes(item.value).toString('hex')
    case ItemType.ByteString:
      return Buffer.from(item.value).toString('hex')
    case ItemType.DateTime:
      return textOfDateTime(item.value)
    case ItemType.LongInteger:
    case ItemType.Boolean:
    case ItemType.TextString:
    case ItemType.Interval:
      return String(item.value)
  }
}

const textOfMask = (value: number, names: ValueNames): string => {
  if (value === 0) return '0'
  const parts: string[] = []
  for (let bit = 1; bit !== 0; bit <<= 1) {
    if ((value & bit) === 0) continue
    const name = names.nameOf(bit >>> 0)
    if (name === undefined || names.valueOf(name) !== bit) return hex(value >>> 0, 8)
    parts.push(name)
  }
  return parts.join(' ')
}

/** ISO 8601 for the years 0 to 9999, hexadecimal beyond. */
const textOfDateTime = (seconds: number): string => {
  if (seconds === Number.MAX_SAFE_INTEGER) return hex(dateTimeMax, 16)
  const inRange = seconds >= -62_167_219_200 && seconds < 253_402_300_800
  if (!inRange) return hex(BigInt.asUintN(64, BigInt(seconds)), 16)
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}+00:00`
}
