/**
 * Elliptic curves as rows. What it is: for each Recommended Curve number the library's own name, the size of its field and
 * its shape. What it is not: a judgement of which curve is good; an old array's old curve is served as well.
 * KMIP 1.4 §9.1.3.2.5, KMIP 2.1 §11.45.
 */

import { enumerationRows, RecommendedCurve } from '#kmip/enums'

/**
 * A curve. `field` tells how its points may be compressed (X9.62: prime or characteristic 2); a Montgomery curve has no
 * such points, and its keys are of a type of their own in the library.
 */
export interface CurveRow {
  readonly value: RecommendedCurve
  readonly name: string
  readonly libraryName: string
  /** Size of the field in bits: the Cryptographic Length of its keys. */
  readonly lengthBits: number
  readonly field: 'prime' | 'binary' | 'montgomery'
  readonly since: number
}

/** The NIST names, which the library calls by their SEC 2 or X9.62 names. */
const nistNames: ReadonlyMap<string, string> = new Map([
  ['P_192', 'prime192v1'],
  ['P_224', 'secp224r1'],
  ['P_256', 'prime256v1'],
  ['P_384', 'secp384r1'],
  ['P_521', 'secp521r1'],
  ['K_163', 'sect163k1'],
  ['B_163', 'sect163r2'],
  ['K_233', 'sect233k1'],
  ['B_233', 'sect233r1'],
  ['K_283', 'sect283k1'],
  ['B_283', 'sect283r1'],
  ['K_409', 'sect409k1'],
  ['B_409', 'sect409r1'],
  ['K_571', 'sect571k1'],
  ['B_571', 'sect571r1'],
])

/** The library's name of a curve from the registry's: the other families differ by prefix and case only. */
function libraryNameOf(name: string): string {
  const nist = nistNames.get(name)
  if (nist !== undefined) return nist
  if (name.startsWith('ANSIX9P')) return `prime${name.slice('ANSIX9P'.length).toLowerCase()}`
  if (name.startsWith('ANSIX9C2')) return `c2${name.slice('ANSIX9C2'.length).toLowerCase()}`
  if (name.startsWith('BRAINPOOLP')) return `brainpoolP${name.slice('BRAINPOOLP'.length).toLowerCase()}`
  if (name === 'CURVE25519') return 'x25519'
  if (name === 'CURVE448') return 'x448'
  return name.toLowerCase()
}

/** X25519 works on numbers of 255 bits, but its keys are spoken of, and asked for, as keys of 256. */
function lengthBitsOf(name: string): number {
  if (name === 'CURVE25519') return 256
  const digits = /(?:^[PKB]_|^SEC[PT]|^ANSIX9P|^ANSIX9C2[PT]NB|^BRAINPOOLP|^CURVE)(\d+)/.exec(name)
  return Number(digits?.[1])
}

const fieldOf = (libraryName: string): CurveRow['field'] =>
  libraryName.startsWith('x') ? 'montgomery' : /^(?:sect|c2)/.test(libraryName) ? 'binary' : 'prime'

const registered = enumerationRows.find(({ name }) => name === 'RecommendedCurve')?.values ?? []

const rows: readonly CurveRow[] = registered.map(({ value, name, since }) => {
  const libraryName = libraryNameOf(name)
  const field = fieldOf(libraryName)
  return { value: value as RecommendedCurve, name, libraryName, lengthBits: lengthBitsOf(name), field, since }
})

/** Curve rows by Recommended Curve number. */
export const curveRows: ReadonlyMap<number, CurveRow> = new Map(rows.map((row) => [row.value, row]))

/** Curve rows by the library's name, as a key reports it. */
export const curveRowsByLibraryName: ReadonlyMap<string, CurveRow> = new Map(rows.map((row) => [row.libraryName, row]))

/** The curve that a length alone stands for: the NIST prime curve of that size, as Create Key Pair with no curve means. */
export const curveByLengthBits: ReadonlyMap<number, CurveRow> = new Map(
  rows.filter(({ name }) => name.startsWith('P_')).map((row) => [row.lengthBits, row]),
)
