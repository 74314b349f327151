/**
 * Structures with nothing in them yet, by the names of their fields. What it is: what a structure that is read is copied from, so
 * that its fields stand in the one object. What it is not: a schema; any names will do.
 *
 * To an object that is made field by field the engine adds a second one from the fifth field on, and from the seventeenth it makes
 * it a table of 40 bytes a field, which takes twice the time: an AES key that is active has 17 attributes.
 */

interface Shape {
  readonly fields: readonly string[]
  readonly empty: Readonly<Record<string, null>>
}

/** Kinds of objects, each with the attributes that are common of it. When they are full all go: those that are met soon come back. */
const shapesMax = 256

export class Shapes {
  readonly #shapes = new Map<number, Shape>()

  /**
   * The empty structure, to be copied by `{ ...empty }`.
   * @param hash of the names in their order
   */
  of(fields: readonly string[], hash: number): Readonly<Record<string, null>> {
    const known = this.#shapes.get(hash)
    if (known !== undefined && isSame(known.fields, fields)) return known.empty
    // What is parsed has room for all its fields in itself, and so have its copies.
    const text = `{${fields.map((field) => `${JSON.stringify(field)}:null`).join()}}`
    const empty = JSON.parse(text) as Readonly<Record<string, null>>
    if (this.#shapes.size >= shapesMax) this.#shapes.clear()
    this.#shapes.set(hash, { fields, empty })
    return empty
  }
}

const isSame = (one: readonly string[], other: readonly string[]): boolean => {
  if (one.length !== other.length) return false
  for (let index = 0; index < one.length; index += 1) if (one[index] !== other[index]) return false
  return true
}
