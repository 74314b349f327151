/** Managed Objects and Locate filters at random. What it is: generators of few values, so that filters often match. */
import * as fc from 'fast-check'
import { LinkType, NameType, ObjectType, State, UsageLimitsUnit } from '#kmip/enums'
import type { AttributeFilter } from '#objects/locate-filter'
import type { AttributeInstance, AttributeSet, ManagedObject } from '#objects/managed-object'
import { ItemType } from '#ttlv/item'

const few = fc.constantFrom('a', 'b', 'c')
const date = fc.integer({ min: 0, max: 5 })
const nameType = fc.constantFrom(NameType.UninterpretedTextString, NameType.URI)
const linkType = fc.constantFrom(LinkType.ParentLink, LinkType.ChildLink)
const bytes = few.map((text) => new Uint8Array(Buffer.from(text)))
const custom = fc.oneof(
  few.map((value) => ({ tag: 1, type: ItemType.TextString, value })),
  fc.integer({ min: 0, max: 1 }).map((value) => ({ tag: 1, type: ItemType.Integer, value })),
  fc.integer({ min: 0, max: 1 }).map((value) => ({ tag: 1, type: ItemType.Enumeration, value })),
  fc.bigInt(0n, 1n).map((value) => ({ tag: 1, type: ItemType.LongInteger, value })),
  bytes.map((value) => ({ tag: 1, type: ItemType.ByteString, value })),
)

/** An attribute: whether it has several instances, and a value. */
const values = {
  Name: [true, fc.record({ nameValue: few, nameType })],
  'Object Group': [true, few],
  Link: [true, fc.record({ linkType, linkedObjectIdentifier: few })],
  'Application Specific Information': [true, fc.record({ applicationNamespace: few, applicationData: few })],
  'X.509 Certificate Subject': [
    false,
    fc.record({ subjectDistinguishedName: bytes, subjectAlternativeName: fc.array(bytes, { maxLength: 2 }) }),
  ],
  Digest: [
    true,
    fc.record({ hashingAlgorithm: fc.constantFrom(4, 6), digestValue: bytes, keyFormatType: fc.constant(1) }),
  ],
  State: [false, fc.constantFrom(...Object.values(State))],
  'Cryptographic Algorithm': [false, fc.constantFrom(2, 3)],
  'Cryptographic Usage Mask': [false, fc.integer({ min: 0, max: 7 })],
  'Usage Limits': [
    false,
    fc.record({
      usageLimitsTotal: fc.bigInt(0n, 3n),
      usageLimitsCount: fc.bigInt(0n, 3n),
      usageLimitsUnit: fc.constantFrom(UsageLimitsUnit.Byte, UsageLimitsUnit.Object),
    }),
  ],
  'Activation Date': [false, date],
  'Initial Date': [false, date],
  'Contact Information': [false, few],
  Fresh: [false, fc.boolean()],
  'Archive Date': [false, date],
  'x-custom': [true, custom],
} as const satisfies Readonly<Record<string, readonly [boolean, fc.Arbitrary<unknown>]>>

const distinctInstances = (value: fc.Arbitrary<unknown>): fc.Arbitrary<readonly AttributeInstance[]> =>
  fc.array(value, { minLength: 1, maxLength: 3 }).map((all) => all.map((each, index) => ({ index, value: each })))

const attributeSet = fc.record(
  Object.fromEntries(
    Object.entries(values).map(([name, [multiple, value]]) => [
      name,
      multiple ? distinctInstances(value) : (value as fc.Arbitrary<unknown>).map((each) => [{ index: 0, value: each }]),
    ]),
  ),
  { requiredKeys: [] },
)

/** An object with some attributes of every kind of index. */
export const arbitraryObject: fc.Arbitrary<ManagedObject> = fc
  .record({
    uniqueIdentifier: few,
    objectType: fc.constantFrom(ObjectType.SymmetricKey, ObjectType.Certificate),
    attributes: attributeSet,
  })
  .map(({ attributes, ...object }) => ({
    ...object,
    attributes: attributes as AttributeSet,
    owner: 'local|a',
    value: undefined,
  }))

/** A value of which some fields may be missing; a whole one where it is no structure. */
const partOf = (value: unknown): fc.Arbitrary<unknown> => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || 'tag' in value) {
    return fc.constant(value)
  }
  const fields = Object.entries(value)
  return fc.subarray(fields).map((kept) => Object.fromEntries(kept) as unknown)
}

const filterOf = (name: string, value: fc.Arbitrary<unknown>): fc.Arbitrary<AttributeFilter> =>
  fc.array(value.chain(partOf), { minLength: 1, maxLength: 2 }).map((all) => ({ name, values: all }))

/** A filter of up to three attributes. */
export const arbitraryFilters: fc.Arbitrary<readonly AttributeFilter[]> = fc.uniqueArray(
  fc.oneof(
    ...Object.entries(values).map(([name, [, value]]) => filterOf(name, value)),
    filterOf('Unique Identifier', few),
    filterOf('Object Type', fc.constantFrom(ObjectType.SymmetricKey, ObjectType.Certificate)),
    fc
      .tuple(fc.constantFrom('Activation Date', 'Initial Date'), date)
      .map(([name, from]) => ({ name, values: [from, Number.MAX_SAFE_INTEGER] })),
  ),
  { maxLength: 3, selector: ({ name }) => name },
)
