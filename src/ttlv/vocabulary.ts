/**
 * What the encodings with names ask for (XML, JSON, text for logs). What it is: the interface of a dictionary of tags
 * and enumeration values. What it is not: the dictionary (kmip/vocabulary.ts), so that ttlv/ knows no tag's meaning.
 */
import type { Item } from './item.ts'

/** Names of the values of one enumeration or bit mask. */
export interface ValueNames {
  readonly kind: 'enumeration' | 'mask'
  /** The name of a value (of a single bit in a mask), or undefined. */
  nameOf(value: number): string | undefined
  /** The value of a name, earlier spellings included, or undefined. */
  valueOf(name: string): number | undefined
}

export interface Vocabulary {
  /** The name of a tag, or undefined. */
  tagName(tag: number): string | undefined
  /** The tag of a name, or undefined. */
  tagByName(name: string): number | undefined
  /**
   * The names of the values that stand under a tag, or undefined where they have none.
   * @param earlier the items before it in the same structure: an Attribute Value is what its Attribute Name says
   */
  valueNames(tag: number, earlier: readonly Item[]): ValueNames | undefined
}
