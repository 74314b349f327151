/**
 * A Managed Object as the server keeps it, whatever version asks for it (KMIP 1.4 §2.2, §3). What it is: plain data that can
 * cross a thread, and the functions that read it. What it is not: the rules of attributes (attributes.ts) or a wire form.
 */
import type { Attribute } from '#kmip/attribute'
import { ObjectType } from '#kmip/enums'

/** One instance of an attribute. The index never changes while the instance lives (§2.1.1). */
export interface AttributeInstance {
  readonly index: number
  readonly value: unknown
}

/** Attributes by name; instances in the order of their indices. Never an empty list. */
export type AttributeSet = Readonly<Record<string, readonly AttributeInstance[]>>

export interface ManagedObject {
  readonly uniqueIdentifier: string
  readonly objectType: number
  /** The user whom the object belongs to (`local|name`), or `global`. */
  readonly owner: string
  /** Names to which a permission on the object is granted beside its owner. */
  readonly permissions?: Readonly<Record<string, readonly string[]>>
  /** All attributes but Unique Identifier and Object Type, which are fields. */
  readonly attributes: AttributeSet
  /** The object's structure (kmip/objects.ts) with its key material; undefined once it is destroyed. */
  readonly value: unknown
}

/** All instances of an attribute, the two that are fields included; empty when the object has none. */
export const instancesOf = (object: ManagedObject, name: string): readonly AttributeInstance[] => {
  if (name === 'Unique Identifier') return [{ index: 0, value: object.uniqueIdentifier }]
  if (name === 'Object Type') return [{ index: 0, value: object.objectType }]
  const instances: unknown = object.attributes[name]
  // Anything but a list is what every object inherits under that name.
  return Array.isArray(instances) ? instances : none
}

const none: readonly AttributeInstance[] = []

/** The value of a single-instance attribute, or of instance 0's place in the list; undefined when there is none. */
export const valueOf = <T>(object: ManagedObject, name: string): T | undefined =>
  instancesOf(object, name)[0]?.value as T | undefined

/** Names of all attributes that the object has. */
export const attributeNames = (object: ManagedObject): readonly string[] => [
  'Unique Identifier',
  'Object Type',
  ...Object.keys(object.attributes),
]

/** The object with an attribute's instances replaced; an empty list removes the attribute. */
export const withInstances = (
  object: ManagedObject,
  name: string,
  instances: readonly AttributeInstance[],
): ManagedObject => {
  const { [name]: _, ...others } = object.attributes
  return { ...object, attributes: instances.length === 0 ? others : { ...object.attributes, [name]: instances } }
}

/** The object with a single-instance attribute set. */
export const withValue = (object: ManagedObject, name: string, value: unknown): ManagedObject =>
  withInstances(object, name, [{ index: 0, value }])

/** An instance as the Attribute structure carries it: index 0 is left out, as §2.1.1 allows. */
export const wireAttribute = (name: string, instance: AttributeInstance): Attribute => ({
  attributeName: name,
  attributeIndex: instance.index === 0 ? undefined : instance.index,
  attributeValue: instance.value,
})

/** Templates are described by attributes alone and have neither state nor dates of use. */
export const isTemplate = (object: ManagedObject): boolean => object.objectType === ObjectType.Template
