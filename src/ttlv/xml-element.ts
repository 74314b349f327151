/**
 * XML text as elements and back, with bounds. What it is: the part of XML that KMIP's XML encoding uses: elements with
 * attributes, no document type, no entities of one's own. What it is not: the meaning of the elements (xml.ts).
 */
import { SaxesParser } from 'saxes'
import { TtlvError } from './error.ts'

/** What bounds a document. */
export interface XmlLimits {
  /** UTF-16 units of the whole text. */
  readonly textLengthMax: number
  /** UTF-16 units of one attribute's value. */
  readonly attributeLengthMax: number
  /** Elements within elements. */
  readonly nestingDepthMax: number
  /** Elements of the whole document. */
  readonly itemCountMax: number
}

export interface XmlElement {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  /** Text between its tags that belongs to no child, without the white space at both ends. */
  readonly content: string
  /** Text that stands before it and behind its elder sibling, without the white space at both ends. */
  readonly before: string
  /** Line of its start tag, from 1. */
  readonly line: number
}

interface OpenElement {
  readonly name: string
  readonly attributes: Map<string, string>
  readonly children: XmlElement[]
  readonly line: number
  readonly before: string
  content: string
  /** Text since the last child. */
  pending: string
}

const refuse = (line: number, text: string, fault: 'message' | 'limit' = 'message'): never => {
  throw new TtlvError(fault, `XML line ${line}: ${text}`)
}

/** Collects what the parser tells into elements; each bound is checked before anything is kept. */
class Collector {
  root: XmlElement | undefined
  readonly #limits: XmlLimits
  readonly #open: OpenElement[] = []
  #count = 0

  constructor(limits: XmlLimits) {
    this.#limits = limits
  }

  start(name: string, attributes: Readonly<Record<string, string>>, line: number): void {
    this.#count += 1
    if (this.#count > this.#limits.itemCountMax)
      refuse(line, `there are more than ${this.#limits.itemCountMax} elements`, 'limit')
    if (this.#open.length >= this.#limits.nestingDepthMax) {
      refuse(line, `elements are nested deeper than ${this.#limits.nestingDepthMax}`, 'limit')
    }
    const parent = this.#open.at(-1)
    const before = parent?.pending.trim() ?? ''
    if (parent !== undefined) parent.pending = ''
    this.#open.push({
      name,
      attributes: new Map(Object.entries(attributes)),
      children: [],
      line,
      before,
      content: '',
      pending: '',
    })
  }

  text(text: string): void {
    const element = this.#open.at(-1)
    if (element === undefined) return
    element.content += text
    element.pending += text
  }

  end(line: number): void {
    const element = this.#open.pop() ?? refuse(line, 'no element is open')
    const { name, attributes, children, before } = element
    const complete: XmlElement = {
      name,
      attributes,
      children,
      content: element.content.trim(),
      before,
      line: element.line,
    }
    const parent = this.#open.at(-1)
    if (parent === undefined) this.root = complete
    else parent.children.push(complete)
  }
}

/**
 * Reads one document. @throws TtlvError `limit` past a bound, `message` when the text is not well-formed XML or has a
 * document type; the text of the error names the line and quotes nothing.
 */
export const parseXml = (text: string, limits: XmlLimits): XmlElement => {
  if (text.length > limits.textLengthMax) refuse(1, `the document is longer than ${limits.textLengthMax}`, 'limit')
  // Half a surrogate pair is no character, but the parser lets it pass.
  if (!text.isWellFormed()) refuse(1, 'this is not Unicode')
  const parser = new SaxesParser({ xmlns: false, position: true })
  const collector = new Collector(limits)
  parser.on('error', () => refuse(parser.line, 'this is not well-formed'))
  parser.on('doctype', () => refuse(parser.line, 'a document type is not allowed'))
  parser.on('attribute', ({ value }) => {
    if (value.length > limits.attributeLengthMax)
      refuse(parser.line, `an attribute is longer than ${limits.attributeLengthMax}`, 'limit')
  })
  parser.on('opentag', ({ name, attributes }) => collector.start(name, attributes, parser.line))
  parser.on('closetag', () => collector.end(parser.line))
  parser.on('text', (chunk) => collector.text(chunk))
  parser.on('cdata', (chunk) => collector.text(chunk))
  parser.write(text).close()
  return collector.root ?? refuse(1, 'there is no element')
}

const notXml = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u
const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
}

/** A value as it stands between the quotes of an attribute. @throws TtlvError `field` for a character that XML 1.0 cannot carry. */
export const escapeXml = (value: string): string => {
  if (notXml.test(value)) throw new TtlvError('field', 'a text has a character that XML cannot carry')
  return value.replace(/[&<>"\t\n\r]/g, (character) => escapes[character] ?? character)
}
