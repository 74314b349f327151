/**
 * What a deployment asserts of its platform and certification (KMIP 1.4 §4.25), told in Query in place of what the server knows
 * by itself. What it is: the strict reading of such a statement from JSON, by the declarations of Query's answer. What it is
 * not: a file (the caller's), or a claim of the server's own.
 *
 *     { "rngParameters": [{ "rngAlgorithm": "DRBG", "cryptographicAlgorithm": "AES", "cryptographicLength": 256 }],
 *       "capabilityInformation": { "shreddingAlgorithm": "Cryptographic" } }
 */
import { ItemType, itemTypeNames } from '#ttlv/item'
import type { Codec, Fields, StructCodec } from '#ttlv/schema'
import type { RngParameters } from './attribute-values.ts'
import { response } from './payloads/query.ts'
import type {
  CapabilityInformation,
  ExtensionInformation,
  ProfileInformation,
  ValidationInformation,
} from './server-information.ts'
import { Tag } from './tags.ts'
import { enumerationByName, enumerationOfTag } from './vocabulary.ts'

/** The statement; what is absent is told as the server knows it. */
export interface Assertions {
  readonly rngParameters?: readonly RngParameters[]
  readonly profileInformation?: readonly ProfileInformation[]
  readonly validationInformation?: readonly ValidationInformation[]
  /** Only what the server cannot know: what its settings decide is told as it is. */
  readonly capabilityInformation?: CapabilityInformation
  readonly clientRegistrationMethod?: readonly number[]
  readonly attestationType?: readonly number[]
  readonly extensionInformation?: readonly ExtensionInformation[]
}

/** A statement that cannot be used; the text says where, and what is expected there. */
export class AssertionsRefused extends Error {
  override readonly name = 'AssertionsRefused'
}

const lists: readonly string[] = [
  'rngParameters',
  'profileInformation',
  'validationInformation',
  'clientRegistrationMethod',
  'attestationType',
  'extensionInformation',
]
const capabilities = 'capabilityInformation'
/** Capabilities that settings and code decide: nobody asserts these, they are so or not. */
const ownCapabilities: readonly string[] = [
  'streamingCapability',
  'asynchronousCapability',
  'batchUndoCapability',
  'batchContinueCapability',
]
const textLengthMax = 262_144
const listLengthMax = 256
const stringLengthMax = 1_024
/** §9.1.3.1: tags of extensions. */
const extensionTags = { min: 0x54_0000, max: 0x54_ffff }
const integerMax = 0x7fff_ffff

const refuse = (path: string, text: string): never => {
  throw new AssertionsRefused(`${path === '' ? 'the statement' : path} ${text}`)
}

/**
 * Reads a statement.
 * @param text JSON: an object of the members of Assertions, with enumerations by their names
 * @throws AssertionsRefused for whatever is not understood: nothing is left out silently
 */
export const readAssertions = (text: string): Assertions => {
  if (text.length > textLengthMax) refuse('', `is longer than ${textLengthMax} characters`)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) refuse('', `is no JSON: ${error.message}`)
    throw error
  }
  const members = membersOf('', parsed, [...lists, capabilities])
  return Object.fromEntries(Object.entries(members).map(([name, json]) => [name, memberOf(name, json)]))
}

const memberOf = (name: string, json: unknown): unknown => {
  const field = fieldOf(response.fields, name)
  if (name !== capabilities) return listOf(name, field, json)
  for (const own of Object.keys(membersOf(name, json))) {
    if (ownCapabilities.includes(own)) refuse(`${name}.${own}`, 'is not asserted: it follows from the settings')
  }
  return valueOf(name, field, json)
}

interface ReadableField {
  readonly tag: number
  readonly codec: Codec<unknown>
}

const fieldOf = (fields: Fields, name: string): ReadableField => {
  const field = fields[name]
  if (field?.codec === undefined) throw new TypeError(`Query's answer has no field ${name} of one form`)
  return { tag: field.tag, codec: field.codec as Codec<unknown> }
}

const membersOf = (path: string, json: unknown, allowed?: readonly string[]): Readonly<Record<string, unknown>> => {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return refuse(path, 'is no object')
  for (const name of Object.keys(json)) {
    if (allowed !== undefined && !allowed.includes(name)) {
      refuse(path, `has a member ${JSON.stringify(name)}, which is none of ${allowed.join(', ')}`)
    }
  }
  return json as Readonly<Record<string, unknown>>
}

const listOf = (path: string, field: ReadableField, json: unknown): readonly unknown[] => {
  if (!Array.isArray(json)) return refuse(path, 'is no array')
  if (json.length > listLengthMax) refuse(path, `has more than ${listLengthMax} elements`)
  return json.map((element, index) => valueOf(`${path}[${index}]`, field, element))
}

const valueOf = (path: string, { tag, codec }: ReadableField, json: unknown): unknown => {
  switch (codec.type) {
    case ItemType.Structure:
      return structureOf(path, (codec as StructCodec<unknown>).fields, json)
    case ItemType.Enumeration:
      return enumerationOf(path, tag, json)
    case ItemType.Integer:
      return integerOf(path, tag, json)
    case ItemType.Boolean:
      return typeof json === 'boolean' ? json : refuse(path, 'is neither true nor false')
    case ItemType.TextString:
      if (typeof json === 'string' && json.length > 0 && json.length <= stringLengthMax) return json
      return refuse(path, `is no text of 1 to ${stringLengthMax} characters`)
    default:
      throw new TypeError(`${path} has a type that no statement holds`)
  }
}

const structureOf = (path: string, fields: Fields, json: unknown): Readonly<Record<string, unknown>> => {
  const members = membersOf(path, json, Object.keys(fields))
  const value: Record<string, unknown> = {}
  for (const [name, { kind }] of Object.entries(fields)) {
    const inner = `${path}.${name}`
    const given = members[name]
    if (given === undefined) {
      if (kind === 'one') refuse(inner, 'is missing')
      if (kind === 'many') value[name] = []
      continue
    }
    const field = fieldOf(fields, name)
    value[name] = kind === 'many' ? listOf(inner, field, given) : valueOf(inner, field, given)
  }
  return value
}

const enumerationOf = (path: string, tag: number, json: unknown): number => {
  const rows = enumerationOfTag(tag)
  if (rows === undefined) throw new TypeError(`${path} is of no enumeration`)
  const row = typeof json === 'string' ? enumerationByName(rows, json) : undefined
  return row?.value ?? refuse(path, `is no name of the enumeration ${rows.name}, such as ${rows.values[0]?.name}`)
}

/** A number, or as `0x54AA01`; the type of an extension by its name. */
const integerOf = (path: string, tag: number, json: unknown): number => {
  if (tag === Tag.ExtensionType) {
    const type = typeof json === 'string' ? itemTypeNames.indexOf(json) : -1
    return type > 0 ? type : refuse(path, 'is no item type, such as TextString')
  }
  const number = typeof json === 'string' && /^0x[0-9A-Fa-f]{1,8}$/.test(json) ? Number(json) : json
  const { min, max } = tag === Tag.ExtensionTag ? extensionTags : { min: 0, max: integerMax }
  if (typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max) return number
  return refuse(path, `is no whole number from ${min} to ${max}`)
}
