/**
 * Attributes for requests, by name. What it is: builders of the Attribute structure (KMIP 1.4 §2.1.1), typed by the codec
 * of each attribute's row. What it is not: the rules of an attribute (kmip/attributes.ts), which the server applies.
 */

import type { Attribute } from '#kmip/attribute'
import { type AttributeValues, attributeRow, isCustomName } from '#kmip/attributes'
import { NameType } from '#kmip/enums'
import { Tag } from '#kmip/tags'
import { type Item, ItemType } from '#ttlv/item'
import type { Input } from './operation-methods.ts'

/** Names of the attributes of KMIP 1.0 to 1.4, as the specification writes them; custom ones have a builder of their own. */
export type AttributeName = Exclude<keyof AttributeValues, 'Custom Attribute'>

/**
 * An attribute with its value: `attribute('Cryptographic Algorithm', CryptographicAlgorithm.AES)`.
 * @param index Attribute Index, where one instance of several is meant
 * @throws TypeError for a name that no attribute has. A value that its type cannot carry throws when it is encoded.
 */
export const attribute = <Name extends AttributeName>(
  name: Name,
  value: Input<AttributeValues[Name]>,
  index?: number,
): Attribute => {
  if (isCustomName(name) || attributeRow(name) === undefined) throw new TypeError(`no attribute is named ${name}`)
  return built(name, value, index)
}

/** The Name that nearly every object has: an uninterpreted text (§3.2). */
export const nameAttribute = (text: string): Attribute =>
  attribute('Name', { nameValue: text, nameType: NameType.UninterpretedTextString })

/**
 * A custom attribute (§3.39).
 * @param name starts with `x-`
 * @param value a text, or an item of any type, whose own tag does not matter
 * @throws TypeError for another name
 */
export const customAttribute = (name: string, value: string | Item, index?: number): Attribute => {
  if (!isCustomName(name)) throw new TypeError(`the name of a custom attribute starts with x-, not ${name}`)
  return built(
    name,
    typeof value === 'string' ? { tag: Tag.AttributeValue, type: ItemType.TextString, value } : value,
    index,
  )
}

const built = (attributeName: string, attributeValue: unknown, index: number | undefined): Attribute =>
  index === undefined ? { attributeName, attributeValue } : { attributeName, attributeIndex: index, attributeValue }
