/**
 * A recorded server: answers each request of a case with the response that the case prints, placeholders filled in.
 * What it is: what the runner's own tests run against, so that a failure is the runner's. What it is not: a KMIP server.
 */
import { preconditionOf } from '#conformance/case'
import { vocabulary } from '#kmip/vocabulary'
import { encodeItem } from '#ttlv/binary'
import type { Item } from '#ttlv/item'
import { itemOfElement } from '#ttlv/xml'
import type { XmlElement } from '#ttlv/xml-element'
import { Bindings, placeholderOf, readCase, type Surroundings, tidyRequest } from './subject.ts'

/** Changes an answer before it is sent: the exchange's index, and the whole response. */
export type Distortion = (answer: Item, exchange: number) => Item

const nowSeconds = 1_700_000_000
let identifiers = 0

/** Gives every placeholder of an answer a value that a server could have chosen. */
const choose = (element: XmlElement, bindings: Bindings): void => {
  const placeholder = placeholderOf(element.attributes.get('value') ?? '')
  if (placeholder !== undefined && placeholder.kind !== 'now' && bindings.get(placeholder.name) === undefined) {
    identifiers += 1
    const isText = element.attributes.get('type') === 'TextString'
    bindings.bind(placeholder.name, isText ? `object-${identifiers}` : identifiers.toString(16).padStart(16, '0'))
  }
  for (const child of element.children) choose(child, bindings)
}

/** Surroundings whose server answers the cases of the files in their order, one session a case. */
export const mirror = (files: readonly string[], distort: Distortion = (answer) => answer): Surroundings => {
  let index = 0
  const made = new Set<string>()
  return {
    nowSeconds: () => nowSeconds,
    nowMs: () => 0,
    wait: () => Promise.resolve(),
    open() {
      const { name, exchanges: own } = readCase(files[index] ?? '')
      index += 1
      const precondition = preconditionOf(name, files)
      const isMade = precondition === undefined || made.has(precondition)
      const exchanges = [...(isMade ? [] : readCase(precondition).exchanges), ...own]
      if (precondition !== undefined) made.add(precondition)
      const bindings = new Bindings(nowSeconds)
      let next = 0
      return {
        async send() {
          const exchange = exchanges[next]
          // Beyond the last exchange the runner cleans up; any answer does.
          const expected = tidyRequest(exchange?.expected ?? exchanges[0]?.expected ?? ({} as XmlElement))
          choose(expected, bindings)
          const answer = itemOfElement(bindings.fill(expected), vocabulary)
          const distorted = exchange === undefined ? answer : distort(answer, next)
          next += 1
          return encodeItem(distorted)
        },
        close: () => Promise.resolve(),
      }
    },
  }
}
