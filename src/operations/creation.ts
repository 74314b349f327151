/**
 * What Create, Create Key Pair and Register have in common (KMIP 1.4 §4.1 to §4.3): the attributes that a request gives, and
 * the new object. What it is not: an operation, or the making and checking of keys.
 */
import { ownerOf } from '#identity/permissions'
import type { TemplateAttribute } from '#kmip/attribute'
import { KeyFormatType, ObjectType, ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { encodedKeyMaterial } from '#kmip/key-block'
import { attributesFromRequest } from '#objects/attributes'
import { canonical } from '#objects/canonical'
import type { AttributeSet, ManagedObject } from '#objects/managed-object'
import { newObject, serverRng } from '#objects/new-object'
import type { Context } from './operation.ts'

/**
 * The attributes that Template-Attributes give, those later in the list standing above those before; within one, what it
 * says itself above the Templates that it names, and of these the last above the others (§4, §4.2).
 * @throws KmipError Item Not Found for Templates, Invalid Field, Index Out of Bounds
 */
export const givenAttributes = async (
  context: Context,
  objectType: number,
  templateAttributes: readonly (TemplateAttribute | undefined)[],
): Promise<AttributeSet> => {
  const sources = []
  for (const given of templateAttributes) {
    sources.push(...(await context.templateAttributes(given)), given?.attribute ?? [])
  }
  return attributesFromRequest(objectType, sources, context.version, context.services.policy)
}

/** The value of a single-instance attribute that a request gives. */
export const given = <T>(attributes: AttributeSet, name: string): T | undefined =>
  attributes[name]?.[0]?.value as T | undefined

/** The value of an attribute that a request must give (Tables 165, 168, 171). @throws KmipError Invalid Message */
export const required = <T>(attributes: AttributeSet, name: string): T => {
  const value = given<T>(attributes, name)
  if (value === undefined) throw new KmipError(ResultReason.InvalidMessage, `The request gives no ${name}`)
  return value
}

/** @throws KmipError Invalid Field for a key longer than this server makes. */
export const checkLength = (cryptographicLength: number | undefined, bitsMax: number): void => {
  if (cryptographicLength !== undefined && cryptographicLength > bitsMax) {
    throw new KmipError(ResultReason.InvalidField, `The server makes keys of up to ${bitsMax} bits`)
  }
}

/** Table 168: attributes that have the same value for both keys. */
const commonOfPair = [
  'Cryptographic Algorithm',
  'Cryptographic Length',
  'Cryptographic Domain Parameters',
  'Cryptographic Parameters',
]

/** @throws KmipError Invalid Field where the two keys are asked for with unlike values of what they share. */
export const checkCommon = (privateGiven: AttributeSet, publicGiven: AttributeSet): void => {
  const differing = commonOfPair.find((name) => canonical(privateGiven[name]) !== canonical(publicGiven[name]))
  if (differing !== undefined)
    throw new KmipError(ResultReason.InvalidField, `${differing} is the same for both keys of a pair`)
}

/** What is digested of an object: its material as encoded, and the format for keys and secret data (§3.17). */
export interface Digested {
  readonly encodedMaterial: Uint8Array
  readonly keyFormatType: KeyFormatType | undefined
}

/** What a plain key's digest is made of. */
export const digestedKey = (keyFormatType: number, keyMaterial: unknown): Digested => ({
  encodedMaterial: encodedKeyMaterial(keyFormatType, keyMaterial),
  keyFormatType: keyFormatType as KeyFormatType,
})

export interface Addition {
  /** Made for this object just now, unless it is the client's. */
  readonly uniqueIdentifier: string
  readonly identifierOfClient?: true
  readonly objectType: number
  readonly attributes: AttributeSet
  readonly derived: Readonly<Record<string, unknown>>
  readonly value: unknown
  /** Absent where the server has no access to the material. */
  readonly digested: Digested | undefined
  readonly generated: boolean
  /** The object that this one replaces: its owner and those to whom it granted permissions keep them. */
  readonly replaces?: ManagedObject
}

/** §3.20: the server's to set, with each operation that makes an object. */
const leaseTimeOf = ({ services }: Context, replaces: ManagedObject | undefined): number => {
  const { leaseTimeSeconds, replacementLeaseTimeSeconds } = services.policy
  return replaces === undefined ? leaseTimeSeconds : (replacementLeaseTimeSeconds ?? leaseTimeSeconds)
}

/** Makes the object and notes it. @throws KmipError Invalid Field for a Name that another object has, or dates that contradict. */
export const addObject = async (context: Context, addition: Addition): Promise<ManagedObject> => {
  const { digested, replaces, identifierOfClient, ...rest } = addition
  const digest = digested === undefined ? undefined : await context.services.crypto.run({ kind: 'digest', ...digested })
  const made = newObject({
    ...rest,
    digest,
    owner: replaces?.owner ?? ownerOf(context.principal),
    now: context.now,
    leaseTimeSeconds: leaseTimeOf(context, replaces),
    rng: context.services.policy.assertions.rngParameters?.[0] ?? serverRng,
  })
  const object = replaces?.permissions === undefined ? made : { ...made, permissions: replaces.permissions }
  context.checkNames(object, ResultReason.InvalidField)
  if (identifierOfClient) context.transaction.put(object)
  else context.transaction.add(object)
  return object
}

/** A key object's structure from a key in a format. */
export const keyObject = (
  key: { readonly keyFormatType: number; readonly keyMaterial: unknown },
  cryptographicAlgorithm: number,
  cryptographicLength: number,
) => ({
  keyBlock: {
    keyFormatType: key.keyFormatType,
    keyValue: { keyMaterial: key.keyMaterial, attribute: [] },
    cryptographicAlgorithm,
    cryptographicLength,
  },
})

/** Object types whose objects this server keeps, creates or takes. */
export const keptObjectTypes: ReadonlySet<number> = new Set([
  ObjectType.Certificate,
  ObjectType.SymmetricKey,
  ObjectType.PublicKey,
  ObjectType.PrivateKey,
  ObjectType.SplitKey,
  ObjectType.Template,
  ObjectType.SecretData,
  ObjectType.OpaqueObject,
  ObjectType.PGPKey,
])
