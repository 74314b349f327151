/**
 * What a version of the protocol knows, asked of a message of any kind. What it is: a walk over all items that names the
 * first tag, enumeration value or attribute that is newer than the version. What it is not: the codec, whose declarations it
 * does not read: a field without its range is found here.
 */
import assert from 'node:assert/strict'
import { attributeRow, hasAttribute } from '#kmip/attributes'
import type { EnumerationRow } from '#kmip/row'
import { inVersion } from '#kmip/row'
import { Tag } from '#kmip/tags'
import type { Version } from '#kmip/versions'
import { enumerationNamed, enumerationOfTag, enumerationValue, tagName, tagRow } from '#kmip/vocabulary'
import { type Item, ItemType } from '#ttlv/item'

/** Where the answer gives back what the request said, whatever that was. */
const isEcho = (parent: number | undefined, tag: number): boolean => parent === Tag.BatchItem && tag === Tag.Operation

/** Fields that clients of older versions are known to ask for and to read. */
const lenient: ReadonlySet<number> = new Set([Tag.LocatedItems])

/** @throws AssertionError with the place of what the version does not know */
export const assertKnownTo = (version: Version, item: Item, path = tagName(item.tag), parent?: number): void => {
  const row = tagRow(item.tag)
  assert.ok(row !== undefined && (inVersion(row, version) || lenient.has(item.tag)), `${path} is newer than ${version}`)
  if (item.type === ItemType.Enumeration && !isEcho(parent, item.tag)) {
    assertValue(version, enumerationOfTag(item.tag), item.value, path)
  }
  if (item.type !== ItemType.Structure) return
  const named = item.value.find(({ tag }) => tag === Tag.AttributeName)
  const name = named?.type === ItemType.TextString ? named.value : undefined
  for (const child of item.value) {
    if (child.tag === Tag.AttributeName && child.type === ItemType.TextString) {
      assert.ok(hasAttribute(child.value, version), `${path}: ${child.value} is newer than ${version}`)
    }
    if (child.tag === Tag.AttributeValue && child.type === ItemType.Enumeration && name !== undefined) {
      assertValue(version, enumerationOfAttribute(name), child.value, `${path} ${name}`)
    }
    assertKnownTo(version, child, `${path}.${tagName(child.tag)}`, item.tag)
  }
}

const assertValue = (version: Version, row: EnumerationRow | undefined, value: number, path: string): void => {
  if (row === undefined || value >= 0x8000_0000) return
  const known = enumerationValue(row, value)
  assert.ok(known !== undefined && inVersion(known, version), `${path}: ${value} is not known to ${version}`)
}

/** The enumeration of a single-valued attribute; undefined for custom ones. */
const enumerationOfAttribute = (name: string): EnumerationRow | undefined =>
  attributeRow(name)?.name === name ? enumerationNamed(name.replaceAll(' ', '')) : undefined
