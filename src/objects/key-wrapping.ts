/**
 * How keys are wrapped (KMIP 1.4 §2.1.5, §2.1.6): methods, encodings, and what the settings say. What it is: rules of values.
 * What it is not: what is wrapped under what (wrapping-table.ts), the cryptography, or who may use the keys.
 */
import { EncodingOption, WrappingMethod } from '#kmip/enums'
import type { WrappingSetting } from './wrapping-table.ts'

/** What the server decides of wrapping: settings, each with its row in config.ts. */
export interface WrappingPolicy {
  /** Which rows of the table (wrapping-table.ts) and which methods there are. */
  readonly wrappingAllowed: WrappingSetting
  /** Whether a key unwraps by its Unwrap Key bit alone, or also by its Wrap Key bit. */
  readonly unwrapMask: 'unwrap' | 'either'
  /** What Register does with a wrapped key: keep it as it is, or unwrap it. */
  readonly registeredWrapped: 'keep' | 'unwrap'
}

/** What a Wrapping Method does with a Key Value, in this order. */
export interface MethodSteps {
  readonly setting: WrappingSetting
  readonly macFirst: boolean
  readonly encrypts: boolean
  readonly macLast: boolean
}

/** The methods that there are here; TR-31 is not. */
export const wrappingMethods: ReadonlyMap<number, MethodSteps> = new Map([
  [WrappingMethod.Encrypt, { setting: 'common', macFirst: false, encrypts: true, macLast: false }],
  [WrappingMethod.MACSign, { setting: 'common', macFirst: true, encrypts: false, macLast: false }],
  [WrappingMethod.EncryptThenMACSign, { setting: 'common', macFirst: false, encrypts: true, macLast: true }],
  [WrappingMethod.MACSignThenEncrypt, { setting: 'all', macFirst: true, encrypts: true, macLast: false }],
])

/** What a method does, under a setting that has it; undefined for any other. */
export const methodSteps = (wrappingMethod: number, setting: WrappingSetting): MethodSteps | undefined => {
  const steps = wrappingMethods.get(wrappingMethod)
  return setting === 'all' || steps?.setting === 'common' ? steps : undefined
}

/** TTLV where nothing is said (Tables 9 and 12). */
export const isTtlvEncoded = (encodingOption: number | undefined): boolean =>
  (encodingOption ?? EncodingOption.TTLVEncoding) === EncodingOption.TTLVEncoding
