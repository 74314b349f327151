/**
 * The shape of the vocabulary's rows. What it is: the columns that the specification's tables have. What it is not: the
 * rows themselves (see tags.ts, enums.ts, attribute-rules.ts, all generated).
 */

/** A tag, enumeration value, mask bit or operation: its number, its name in XML and JSON, and the versions that have it. */
export interface Row {
  readonly value: number
  /** Normalised name of the XML and JSON encodings, for example `UniqueIdentifier`. */
  readonly name: string
  /** The specification's own text, for example `Unique Identifier`. */
  readonly text: string
  /** First version that has it: 100 x major + minor. */
  readonly since: number
  /** First version that no longer has it. */
  readonly until?: number
  /** Other names of the same value, as earlier versions print them. */
  readonly aliases?: readonly string[]
}

/** An enumeration or bit mask: the names of the tags that carry it, and its values. */
export interface EnumerationRow {
  readonly name: string
  readonly kind: 'enumeration' | 'mask'
  readonly tags: readonly string[]
  readonly values: readonly Row[]
}

/** An attribute's rule table; text stands where the specification says more than yes or no. */
export interface AttributeRuleRow {
  readonly name: string
  readonly xmlName: string
  readonly since: number
  readonly until?: number
  readonly section: string
  readonly encoding: string
  readonly alwaysHasValue: boolean | string
  readonly initiallySetBy: string
  readonly modifiableByServer: boolean | string
  readonly modifiableByClient: boolean | string
  readonly deletableByClient: boolean | string
  readonly multipleInstances: boolean | string
  readonly implicitlySetBy: string
  readonly appliesTo: string
}

/** The versions that have a row: from `since` up to but not including `until`. */
export interface VersionRange {
  readonly since: number
  readonly until?: number
}

/** Whether a version has a row. */
export const inVersion = (row: VersionRange, version: number): boolean =>
  version >= row.since && (row.until === undefined || version < row.until)
