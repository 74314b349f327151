/** Links between objects (KMIP 1.4 §3.35): one more on an object, or on the attributes of one to be. Not the rules of other attributes. */
import { type AttributeSet, instancesOf, type ManagedObject, withInstances } from './managed-object.ts'

/** A Link's value. */
export interface Link {
  readonly linkType: number
  readonly linkedObjectIdentifier: string
}

/** The attributes with a Link behind those that are there. */
export const withLink = (attributes: AttributeSet, link: Link): AttributeSet => {
  const links = attributes['Link'] ?? []
  return { ...attributes, Link: [...links, { index: nextIndex(links), value: link }] }
}

/**
 * The object with a Link behind those that it has, or as it is when it has as many as an attribute may: what is made from an object,
 * again and again, points to it all the same, and is found by that Link.
 */
export const linked = (object: ManagedObject, link: Link, instancesMax: number): ManagedObject => {
  const links = instancesOf(object, 'Link')
  if (links.length >= instancesMax) return object
  return withInstances(object, 'Link', [...links, { index: nextIndex(links), value: link }])
}

const nextIndex = (links: readonly { readonly index: number }[]): number => (links.at(-1)?.index ?? -1) + 1
