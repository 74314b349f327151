/**
 * An expected response as a tree to compare with: values read, placeholders kept. What it is not: the comparison
 * (compare.ts).
 */
import { vocabulary } from '#kmip/vocabulary'
import { type Item, ItemType } from '#ttlv/item'
import { itemOfText, tagOfElement, typeOfElement } from '#ttlv/xml'
import type { XmlElement } from '#ttlv/xml-element'
import { type Placeholder, placeholderOf } from './bindings.ts'

export interface Pattern {
  readonly name: string
  readonly tag: number
  readonly type: ItemType
  readonly line: number
  /** The items of a structure; none for a value. */
  readonly children: readonly Pattern[]
  /** A value's text as the file has it. */
  readonly text: string
  /** A value that is no placeholder. */
  readonly value: Item | undefined
  readonly placeholder: Placeholder | undefined
}

/** The pattern of an element. @throws TtlvError when the file says something that is not KMIP */
export const patternOf = (element: XmlElement, earlier: readonly Item[] = []): Pattern => {
  const tag = tagOfElement(element, vocabulary)
  const type = typeOfElement(element)
  const name = vocabulary.tagName(tag) ?? element.attributes.get('tag') ?? element.name
  const shared = { name, tag, type, line: element.line }
  if (type === ItemType.Structure) {
    return { ...shared, children: patternsOf(element.children), text: '', value: undefined, placeholder: undefined }
  }
  const text = element.attributes.get('value') ?? ''
  const placeholder = placeholderOf(text)
  const value =
    placeholder === undefined
      ? itemOfText(tag, type, collapsed(name, text), vocabulary.valueNames(tag, earlier))
      : undefined
  return { ...shared, children: [], text, value, placeholder }
}

const patternsOf = (elements: readonly XmlElement[]): readonly Pattern[] => {
  const before: Item[] = []
  return elements.map((child) => {
    const pattern = patternOf(child, before)
    if (pattern.value !== undefined) before.push(pattern.value)
    return pattern
  })
}

/** Files of the first versions have runs of white space within attribute names. */
const collapsed = (name: string, text: string): string => (name === 'AttributeName' ? text.replace(/\s+/g, ' ') : text)

/** The first child with a tag. */
export const patternChild = (pattern: Pattern | undefined, tag: number): Pattern | undefined =>
  pattern?.children.find((child) => child.tag === tag)

/** A request as the file means it: attribute names without runs of white space. */
export const tidyRequest = (element: XmlElement): XmlElement => {
  const children = element.children.map(tidyRequest)
  const text = element.attributes.get('value')
  if (text === undefined) return { ...element, children }
  return { ...element, children, attributes: new Map(element.attributes).set('value', collapsed(element.name, text)) }
}
