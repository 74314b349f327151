/**
 * A response against what a case expects, item by item: the first difference, with its path. Exact, except for what the
 * table of variations permits; placeholders are bound on the way. What it is not: the table (variations.ts).
 */
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { Tag } from '#kmip/tags'
import { vocabulary } from '#kmip/vocabulary'
import { type Item, ItemType, itemTypeNames } from '#ttlv/item'
import { textOfItem } from '#ttlv/xml'
import type { Bindings } from './bindings.ts'
import { childOf, childrenOf, type FactBook, operationOf } from './facts.ts'
import { type Pattern, patternChild } from './pattern.ts'
import { type Place, variationFor } from './variations.ts'

export interface Difference {
  /** `BatchItem[0].ResponsePayload.Attribute[State].AttributeValue` */
  readonly path: string
  readonly expected: string
  readonly actual: string
  /** Line of the case file. */
  readonly line: number
}

export interface CompareContext {
  readonly bindings: Bindings
  readonly book: FactBook
  /** The request message, as it was sent. */
  readonly sent: Item
  /** Per batch item: the request gave an output of this case as its input. */
  readonly inputsWereOutputs: readonly boolean[]
  /** Names of the placeholders that the request carried. */
  readonly asked: ReadonlySet<string>
}

type Scene = Omit<Place, 'path' | 'tag' | 'attribute' | 'parent' | 'expected' | 'actual'>

/** What stays the same while one batch item (or the header) is walked. */
interface Walk {
  readonly scene: Scene
  readonly bindings: Bindings
  readonly asked: ReadonlySet<string>
}

/** Where a walk stands. */
interface Spot {
  readonly names: readonly string[]
  readonly shown: string
  readonly attribute: string | undefined
  readonly parent: Pattern | undefined
}

/** The first difference of a response message from the expected one, or undefined. */
export const compareResponse = (expected: Pattern, actual: Item, context: CompareContext): Difference | undefined => {
  const { bindings, asked, book, sent } = context
  if (actual.tag !== expected.tag) return differ(expected.name, expected, actual)
  const nobody = { operation: undefined, object: undefined, wrapping: undefined, request: undefined }
  const scene: Scene = { ...nobody, inputWasOutput: false, nowSeconds: bindings.nowSeconds }
  const top: Spot = { names: [expected.name], shown: '', attribute: undefined, parent: expected }
  const items = (message: Item): readonly Item[] => childrenOf(message).filter((item) => item.tag === Tag.BatchItem)
  const expectedItems = expected.children.filter((child) => child.tag === Tag.BatchItem)
  const rest = { ...expected, children: expected.children.filter((child) => child.tag !== Tag.BatchItem) }
  const header = childrenOf(actual).filter((item) => item.tag !== Tag.BatchItem)
  const actualItems = items(actual)
  const requests = items(sent)
  for (const [index, pattern] of expectedItems.entries()) {
    const item = actualItems[index]
    const shown = `BatchItem[${index}]`
    if (item === undefined) return differ(shown, pattern, undefined)
    const request = requests[index]
    if (request !== undefined) book.learn(request, item)
    const walk: Walk = {
      scene: { ...scene, ...sceneOf(request, item, book), inputWasOutput: context.inputsWereOutputs[index] ?? false },
      bindings,
      asked,
    }
    const spot: Spot = { ...top, names: ['ResponseMessage', 'BatchItem'], shown, parent: pattern }
    const difference = compareChildren(pattern, childrenOf(item), spot, walk)
    if (difference !== undefined) return withReason(difference, item)
  }
  const further = actualItems[expectedItems.length]
  if (further !== undefined) return differ(`BatchItem[${expectedItems.length}]`, undefined, further)
  return compareChildren(rest, header, top, { scene, bindings, asked })
}

const sceneOf = (request: Item | undefined, response: Item, book: FactBook): Partial<Scene> => {
  const specification = childOf(childOf(request, Tag.RequestPayload), Tag.KeyWrappingSpecification)
  const wrapper = childOf(childOf(specification, Tag.EncryptionKeyInformation), Tag.UniqueIdentifier)
  return {
    operation: operationOf(request) ?? operationOf(response),
    object: book.ofAnswer(request, response),
    wrapping: book.of(wrapper?.type === ItemType.TextString ? wrapper.value : undefined),
    request,
  }
}

/** Says with a difference what the server said, where it refused. */
const withReason = (difference: Difference, item: Item): Difference => {
  const reason = childOf(item, Tag.ResultReason)
  const message = childOf(item, Tag.ResultMessage)
  const said = [reason, message].flatMap((part) => (part === undefined ? [] : [show(part)])).join(': ')
  return said === '' || !difference.path.endsWith('ResultStatus')
    ? difference
    : { ...difference, actual: `${difference.actual} (${said})` }
}

const differ = (path: string, expected: Pattern | undefined, actual: Item | undefined): Difference => ({
  path,
  expected: expected === undefined ? 'nothing' : showPattern(expected),
  actual: actual === undefined ? 'nothing' : show(actual, path),
  line: expected?.line ?? 0,
})

const compareChildren = (
  expected: Pattern,
  actual: readonly Item[],
  spot: Spot,
  walk: Walk,
): Difference | undefined => {
  const extras: Item[] = []
  const tags = new Set([...expected.children.map((child) => child.tag), ...actual.map((item) => item.tag)])
  for (const tag of tags) {
    const wanted = expected.children.filter((child) => child.tag === tag)
    const found = actual.filter((item) => item.tag === tag)
    const difference = compareGroup(wanted, found, spot, walk, extras)
    if (difference !== undefined) return difference
  }
  for (const extra of extras) {
    const inner = below(spot, extra.tag, nameOfAttribute(extra))
    const row = variationFor(placeOf(inner, walk, undefined, extra), 'extra')
    const others = actual.filter((item) => item !== extra && item.tag === extra.tag)
    // The same once more is nothing further, and of what there is one at most a second one is wrong whatever it says.
    const isTooMany = row?.repeats ? others.some((item) => isDeepStrictEqual(item, extra)) : others.length > 0
    if (row === undefined || isTooMany) return differ(inner.shown, undefined, extra)
  }
  return compareOrder(expected, actual, spot)
}

/** Fields stand in the order of the specification; how often each is there was compared before. */
const compareOrder = (expected: Pattern, actual: readonly Item[], spot: Spot): Difference | undefined => {
  const common = (these: readonly { readonly tag: number }[], those: readonly { readonly tag: number }[]): string => {
    const tags = new Set(those.map((item) => item.tag))
    const kept = these.map((item) => item.tag).filter((tag) => tags.has(tag))
    return kept
      .filter((tag, index) => tag !== kept[index - 1])
      .map(nameOfTag)
      .join(', ')
  }
  const wanted = common(expected.children, actual)
  const found = common(actual, expected.children)
  if (wanted === found) return undefined
  return { path: `${spot.shown} (order)`, expected: wanted, actual: found, line: expected.line }
}

/** Items of one tag. What is there beyond the expected is put into `extras`. */
const compareGroup = (
  wanted: readonly Pattern[],
  found: readonly Item[],
  spot: Spot,
  walk: Walk,
  extras: Item[],
): Difference | undefined => {
  const free = [...found]
  for (const [index, pattern] of wanted.entries()) {
    const attribute = nameOfExpectedAttribute(pattern)
    const inner = below(spot, pattern.tag, attribute, wanted.length > 1 ? index : undefined)
    // One against one is compared as it stands: a wrong value is no missing item beside an extra one.
    const alone = wanted.length === 1 && found.length === 1 && attribute === undefined
    const chosen = alone ? 0 : choose(pattern, free, inner, walk)
    const skipped = free.splice(0, Math.max(chosen, 0))
    const item = chosen < 0 ? undefined : free.shift()
    // What an ordered list passes over is extra; what an unordered one passes over may still be asked for.
    if (isUnordered(pattern, inner, walk)) free.unshift(...skipped)
    else extras.push(...skipped)
    const place = placeOf(inner, walk, pattern, item)
    if (item === undefined) {
      if (variationFor(place, 'absent') === undefined) return differ(inner.shown, pattern, undefined)
      continue
    }
    const difference = compareItem(pattern, item, inner, walk)
    if (difference !== undefined) return difference
  }
  extras.push(...free)
  return undefined
}

const isUnordered = (pattern: Pattern, spot: Spot, walk: Walk): boolean =>
  variationFor(placeOf(spot, walk, pattern, undefined), 'unordered') !== undefined

/** Which of the items a pattern is compared with: the first that matches, or the first that shows the difference best; -1: none. */
const choose = (pattern: Pattern, free: readonly Item[], spot: Spot, walk: Walk): number => {
  if (free.length === 0) return -1
  const mayBeExtra = (item: Item): boolean =>
    variationFor(
      placeOf({ ...spot, attribute: nameOfAttribute(item) ?? spot.attribute }, walk, undefined, item),
      'extra',
    ) !== undefined
  const unordered = isUnordered(pattern, spot, walk)
  const [head] = free
  if (!unordered && head !== undefined && !mayBeExtra(head)) return 0
  for (const [index, item] of free.entries()) {
    const trial: Walk = { ...walk, bindings: walk.bindings.fork() }
    if (compareItem(pattern, item, spot, trial) === undefined) return index
    if (!unordered && !mayBeExtra(item)) return index
  }
  const attribute = nameOfExpectedAttribute(pattern)
  if (attribute === undefined) return pattern.type === ItemType.Structure && free.length === 1 ? 0 : -1
  return free.findIndex((item) => nameOfAttribute(item) === attribute)
}

const compareItem = (pattern: Pattern, item: Item, spot: Spot, walk: Walk): Difference | undefined => {
  const difference =
    item.type === pattern.type ? compareValue(pattern, item, spot, walk) : differ(spot.shown, pattern, item)
  if (difference === undefined) {
    if (item.type !== ItemType.Structure) walk.bindings.note(pattern.name, textOfItem(item, undefined))
    return undefined
  }
  const row = variationFor(placeOf(spot, walk, pattern, item), 'value')
  if (row === undefined) return difference
  if (pattern.value?.type === ItemType.ByteString && item.type === ItemType.ByteString) {
    walk.bindings.replace(textOfItem(pattern.value, undefined), textOfItem(item, undefined))
  }
  return undefined
}

const compareValue = (pattern: Pattern, item: Item, spot: Spot, walk: Walk): Difference | undefined => {
  if (item.type === ItemType.Structure) return compareChildren(pattern, item.value, { ...spot, parent: pattern }, walk)
  if (pattern.placeholder !== undefined) return comparePlaceholder(pattern, item, spot, walk)
  const actual = textOfItem(item, undefined)
  const printed =
    pattern.value?.type === ItemType.Structure || pattern.value === undefined
      ? ''
      : textOfItem(pattern.value, undefined)
  const isReplaced = item.type === ItemType.ByteString && walk.bindings.replacementOf(printed) === actual
  if (actual === printed || isReplaced || isRequestedDate(item, spot, walk)) return undefined
  return differ(spot.shown, pattern, item)
}

/** A date that a request set for this object, perhaps in an earlier case, whose `$NOW` was another. */
const isRequestedDate = (item: Item, spot: Spot, walk: Walk): boolean =>
  item.type === ItemType.DateTime &&
  spot.attribute !== undefined &&
  walk.scene.object?.dates.get(spot.attribute) === item.value

const comparePlaceholder = (
  pattern: Pattern,
  item: Exclude<Item, { readonly type: 1 }>,
  spot: Spot,
  walk: Walk,
): Difference | undefined => {
  const { placeholder } = pattern
  if (placeholder === undefined) return undefined
  if (placeholder.kind === 'now') {
    const printed = walk.bindings.secondsOf(placeholder)
    if (item.value === printed || isRequestedDate(item, spot, walk)) return undefined
    return { ...differ(spot.shown, pattern, item), expected: `${pattern.text} (${printed})` }
  }
  const { name } = placeholder
  const text = textOfItem(item, undefined)
  const bound = walk.bindings.get(name)
  // A stream may go on under a new Correlation Value (KMIP 1.4 §4.29); other outputs that the request named come back.
  const isFixed = placeholder.kind === 'identifier' || (walk.asked.has(name) && name !== '$CORRELATION_VALUE')
  if (bound !== undefined && isFixed) {
    return bound === text ? undefined : { ...differ(spot.shown, pattern, item), expected: `${name} = ${bound}` }
  }
  if (text === '') return differ(spot.shown, pattern, item)
  const other = placeholder.kind === 'identifier' ? walk.bindings.otherNameOf(name, text) : undefined
  if (other !== undefined) {
    return { ...differ(spot.shown, pattern, item), expected: `${name}, not the same object as ${other}` }
  }
  walk.bindings.bind(name, text)
  return undefined
}

const placeOf = (spot: Spot, walk: Walk, expected: Pattern | undefined, actual: Item | undefined): Place => ({
  ...walk.scene,
  path: spot.names,
  tag: expected?.tag ?? actual?.tag ?? 0,
  attribute: spot.attribute,
  parent: spot.parent,
  expected,
  actual,
})

const nameOfTag = (tag: number): string => vocabulary.tagName(tag) ?? `0x${tag.toString(16)}`

/** The spot of a child. */
const below = (spot: Spot, tag: number, attribute: string | undefined, index?: number): Spot => {
  const name = nameOfTag(tag)
  const mark = attribute !== undefined ? `[${attribute}]` : index !== undefined ? `[${index}]` : ''
  const shown = `${spot.shown === '' ? '' : `${spot.shown}.`}${name}${mark}`
  return { names: [...spot.names, name], shown, attribute: attribute ?? spot.attribute, parent: spot.parent }
}

const nameOfExpectedAttribute = (pattern: Pattern): string | undefined => {
  if (pattern.tag !== Tag.Attribute) return undefined
  const name = patternChild(pattern, Tag.AttributeName)?.value
  return name?.type === ItemType.TextString ? name.value : undefined
}

const nameOfAttribute = (item: Item): string | undefined => {
  if (item.tag !== Tag.Attribute) return undefined
  const name = childOf(item, Tag.AttributeName)
  return name?.type === ItemType.TextString ? name.value : undefined
}

const shownLengthMax = 120

/** A value as a report shows it: key material as its length and digest, long values cut. */
const show = (item: Item, path = ''): string => {
  if (item.type === ItemType.Structure) {
    return `{${item.value.map((child) => nameOfTag(child.tag)).join(' ')}}`
  }
  if (item.type === ItemType.ByteString && path.includes('KeyBlock')) {
    return `${item.value.length} bytes, SHA-256 ${createHash('sha256').update(item.value).digest('hex').slice(0, 12)}…`
  }
  const attribute = /\[([^\]]+)\]\.AttributeValue$/.exec(path)?.[1]
  const earlier: Item[] = attribute === undefined ? [] : [{ tag: Tag.AttributeName, type: 7, value: attribute }]
  const text = textOfItem(item, vocabulary.valueNames(item.tag, earlier))
  const cut = text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}… (${text.length} characters)` : text
  return `${itemTypeNames[item.type] ?? ''} ${cut}`
}

const showPattern = (pattern: Pattern): string => {
  if (pattern.type === ItemType.Structure) return `{${pattern.children.map((child) => child.name).join(' ')}}`
  const text = pattern.text.length > shownLengthMax ? `${pattern.text.slice(0, shownLengthMax)}…` : pattern.text
  return `${itemTypeNames[pattern.type] ?? ''} ${text}`
}
