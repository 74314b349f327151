/**
 * Templates (KMIP 1.4 §2.2.6, deprecated since 1.3): the attributes that an object takes from them. What it is: how a
 * Template is kept and read. What it is not: the order of precedence between sources (attributes.ts).
 */
import type { Attribute } from '#kmip/attribute'
import type { TemplateValue } from '#kmip/objects'
import { instancesOf, type ManagedObject, wireAttribute } from './managed-object.ts'

/** The attributes that a Template gives to objects: those of its structure, as they are now. */
export const templateAttributesOf = (template: ManagedObject): readonly Attribute[] => {
  const given = (template.value as TemplateValue | undefined)?.attribute ?? []
  const names = new Set(given.map(({ attributeName }) => attributeName))
  return [...names].flatMap((name) => instancesOf(template, name).map((instance) => wireAttribute(name, instance)))
}
