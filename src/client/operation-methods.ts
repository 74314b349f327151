/**
 * The client's methods as types, computed from the payload declarations (kmip/payloads/). What it is: names and shapes.
 * What it is not: anything that runs, but for the name of a method.
 */

import type { PayloadName, payloads } from '#kmip/payloads/index'
import type { Item } from '#ttlv/item'
import type { Infer } from '#ttlv/schema'

type IsCapital<Letter extends string> = Letter extends Lowercase<Letter> ? false : true
type IsSmall<Letter extends string> = Letter extends Uppercase<Letter> ? false : true

/** What follows the first letter: capitals stay in the same word until a small letter comes (`MACVerify`: `macVerify`). */
type LowerWord<Text extends string> = Text extends `${infer First}${infer Rest}`
  ? IsCapital<First> extends false
    ? Text
    : Rest extends `${infer Second}${string}`
      ? IsSmall<Second> extends true
        ? Text
        : `${Lowercase<First>}${LowerWord<Rest>}`
      : Lowercase<First>
  : Text

/** A payload's name as a method: `CreateKeyPair` is `createKeyPair`, `MACVerify` is `macVerify`. */
export type MethodName<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${Lowercase<First>}${LowerWord<Rest>}`
  : Name

/** A value as a caller may give it: lists that are empty may be left out. */
export type Input<T> = T extends Item | Uint8Array
  ? T
  : T extends readonly (infer Element)[]
    ? readonly Input<Element>[]
    : T extends object
      ? { readonly [K in keyof T as T[K] extends readonly unknown[] ? never : K]: Input<T[K]> } & {
          readonly [K in keyof T as T[K] extends readonly unknown[] ? K : never]?: Input<T[K]> | undefined
        }
      : T

/** The request payload of an operation. */
export type RequestPayload<Name extends PayloadName> = Input<Infer<(typeof payloads)[Name]['request']>>

/** The response payload of an operation. */
export type ResponsePayload<Name extends PayloadName> = Infer<(typeof payloads)[Name]['response']>

/** A payload of which everything may be left out may be left out itself. */
type Parameters<Payload> = Partial<Payload> extends Payload ? [payload?: Payload] : [payload: Payload]

/** One method for each operation whose payloads are declared. */
export type OperationMethods = {
  readonly [Name in PayloadName as MethodName<Name>]: (
    ...parameters: Parameters<RequestPayload<Name>>
  ) => Promise<ResponsePayload<Name>>
}

/** One item of a batch. */
export type BatchRequest = {
  readonly [Name in PayloadName]: { readonly operation: Name; readonly payload?: RequestPayload<Name> }
}[PayloadName]

/** The method's name for a payload's name; the same rule as the type above. */
export const methodName = (name: string): string => {
  const capitals = /^[A-Z]*/.exec(name)?.[0].length ?? 0
  // The last capital starts the next word, unless it is the first letter or a digit or nothing follows.
  const word = capitals > 1 && /^[a-z]/.test(name.slice(capitals)) ? capitals - 1 : capitals
  return name.slice(0, word).toLowerCase() + name.slice(word)
}
