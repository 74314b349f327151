/**
 * Distinguished names as rows: the fields that a certificate's subject can hold, their object identifiers and how each is
 * written. What it is not: a certificate reader or writer (`certificates.ts`, `authority.ts`), and no user names.
 */

/** One field of a distinguished name. `text`: the string type that DER uses for it. */
interface NameField {
  readonly oid: string
  readonly text: 'utf8' | 'printable' | 'ia5'
  /** The longest value, in characters (RFC 5280 Appendix A.1, upper bounds). */
  readonly lengthMax: number
}

/**
 * The fields, in the order in which a subject of ours lists them: from the wide to the narrow. The labels are those that
 * KMIP 2.1 and administrators use (`E` is emailAddress, `SN` is surname, `UID` is userid).
 */
export const nameFields = {
  C: { oid: '2.5.4.6', text: 'printable', lengthMax: 2 },
  ST: { oid: '2.5.4.8', text: 'utf8', lengthMax: 128 },
  L: { oid: '2.5.4.7', text: 'utf8', lengthMax: 128 },
  DC: { oid: '0.9.2342.19200300.100.1.25', text: 'ia5', lengthMax: 63 },
  O: { oid: '2.5.4.10', text: 'utf8', lengthMax: 64 },
  OU: { oid: '2.5.4.11', text: 'utf8', lengthMax: 64 },
  T: { oid: '2.5.4.12', text: 'utf8', lengthMax: 64 },
  CN: { oid: '2.5.4.3', text: 'utf8', lengthMax: 64 },
  SN: { oid: '2.5.4.4', text: 'utf8', lengthMax: 64 },
  GN: { oid: '2.5.4.42', text: 'utf8', lengthMax: 64 },
  serialNumber: { oid: '2.5.4.5', text: 'printable', lengthMax: 64 },
  dnQualifier: { oid: '2.5.4.46', text: 'printable', lengthMax: 64 },
  UID: { oid: '0.9.2342.19200300.100.1.1', text: 'utf8', lengthMax: 256 },
  E: { oid: '1.2.840.113549.1.9.1', text: 'ia5', lengthMax: 255 },
} as const satisfies Record<string, NameField>

export type NameFieldLabel = keyof typeof nameFields

/** The fields of a subject to be written, each at most once. */
export type NameFields = { readonly [Label in NameFieldLabel]?: string }

const labels: ReadonlyMap<string, NameFieldLabel> = new Map(
  Object.entries(nameFields).map(([label, { oid }]) => [oid, label as NameFieldLabel]),
)

/** The label of a field by its object identifier; undefined for one that has no row. */
export function labelOf(oid: string): NameFieldLabel | undefined {
  return labels.get(oid)
}

/** A value as RFC 4514 §2.4 writes it in a name's text: specials and controls escaped. */
export function escapeNameValue(value: string): string {
  let text = ''
  for (const [position, character] of Array.from(value).entries()) {
    const code = character.codePointAt(0) ?? 0
    const leads = position === 0 && (character === ' ' || character === '#')
    if (code < 0x20 || code === 0x7f) text += `\\${code.toString(16).padStart(2, '0')}`
    else if ('",+;<>\\='.includes(character) || leads) text += `\\${character}`
    else text += character
  }
  return text.endsWith(' ') && value.length > 1 ? `${text.slice(0, -1)}\\ ` : text
}
