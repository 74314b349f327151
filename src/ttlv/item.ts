/**
 * TTLV items: what every encoding carries (KMIP 1.4 §9.1). What it is: the item types and the generic tree of items.
 * What it is not: a codec (binary.ts, xml.ts, json.ts) or a meaning (kmip/).
 */

/** Item types, KMIP 1.4 §9.1.1.2. */
export const ItemType = {
  Structure: 1,
  Integer: 2,
  LongInteger: 3,
  BigInteger: 4,
  Enumeration: 5,
  Boolean: 6,
  TextString: 7,
  ByteString: 8,
  DateTime: 9,
  Interval: 10,
} as const
export type ItemType = (typeof ItemType)[keyof typeof ItemType]

/** An item of any type. The value's JavaScript type follows the item type; a Date-Time is whole seconds since 1970. */
export type Item =
  | { readonly tag: number; readonly type: 1; readonly value: readonly Item[] }
  | { readonly tag: number; readonly type: 2 | 5 | 9 | 10; readonly value: number }
  | { readonly tag: number; readonly type: 3 | 4; readonly value: bigint }
  | { readonly tag: number; readonly type: 6; readonly value: boolean }
  | { readonly tag: number; readonly type: 7; readonly value: string }
  | { readonly tag: number; readonly type: 8; readonly value: Uint8Array }

/** The JavaScript type of the values of an item type. */
export type ItemValue<T extends ItemType, I extends Item = Item> = I extends {
  readonly type: infer X
  readonly value: infer V
}
  ? T extends X
    ? V
    : never
  : never

/** Names of the item types, as the XML encoding writes them. */
export const itemTypeNames: readonly string[] = [
  '',
  'Structure',
  'Integer',
  'LongInteger',
  'BigInteger',
  'Enumeration',
  'Boolean',
  'TextString',
  'ByteString',
  'DateTime',
  'Interval',
]
