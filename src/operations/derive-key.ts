/** Derive Key: a new key or secret from others. KMIP 1.4 §4.6 */
import { type CryptoJob, KeyUseError } from '#crypto/run'
import type { CryptographicParameters } from '#kmip/attribute-values'
import {
  CryptographicAlgorithm,
  DerivationMethod,
  KeyFormatType,
  LinkType,
  ObjectType,
  type ObjectType as ObjectTypeNumber,
  ResultReason,
  SecretDataType,
} from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { effectiveParameters, hasParameters, parametersOf } from '#objects/cryptographic-parameters'
import { linked, withLink } from '#objects/links'
import type { AttributeSet, ManagedObject } from '#objects/managed-object'
import { objectionToUse } from '#objects/usage'
import { addObject, checkLength, digestedKey, given, givenAttributes, keyObject, required } from './creation.ts'
import { keyAsBytes, materialBytes } from './key-bytes.ts'
import { keyFormOf } from './key-use.ts'
import { type Context, operation } from './operation.ts'

/** What may be derived from; key pairs for key agreement alone. */
const baseTypes: ReadonlySet<number> = new Set([
  ObjectType.SymmetricKey,
  ObjectType.SecretData,
  ObjectType.PrivateKey,
  ObjectType.PublicKey,
])
/** §4.6: methods whose pseudorandom function the Cryptographic Parameters of the key need not name. */
const methodsWithOwnFunction: ReadonlySet<number> = new Set([DerivationMethod.HMAC, DerivationMethod.PBKDF2])

const parameterFaults: ReadonlySet<string> = new Set([
  'missingIV',
  'invalidIV',
  'missingParameter',
  'invalidParameter',
  'invalidKey',
])

export const deriveKey = operation({
  name: 'DeriveKey',
  section: '4.6',
  asynchronous: 'slow',
  reasons: [
    'ItemNotFound',
    'InvalidField',
    'InvalidMessage',
    'PermissionDenied',
    'IndexOutOfBounds',
    'ApplicationNamespaceNotSupported',
    'ObjectArchived',
    'CryptographicFailure',
    'KeyValueNotPresent',
  ],
  async handle({ objectType, uniqueIdentifier, derivationMethod, derivationParameters, templateAttribute }, context) {
    const bases = uniqueIdentifier.map((identifier) => context.object(identifier, 'derive'))
    checkBases(objectType, bases, context)
    const attributes = await givenAttributes(context, objectType, [templateAttribute])
    const cryptographicLength = required<number>(attributes, 'Cryptographic Length')
    const symmetric = objectType === ObjectType.SymmetricKey
    const cryptographicAlgorithm = symmetric
      ? required<CryptographicAlgorithm>(attributes, 'Cryptographic Algorithm')
      : given<CryptographicAlgorithm>(attributes, 'Cryptographic Algorithm')
    if (symmetric) required(attributes, 'Cryptographic Usage Mask')
    checkLength(cryptographicLength, context.services.policy.createdSymmetricBitsMax)
    const keyMaterial = await derived(context, {
      method: derivationMethod,
      ...(await inputOf(derivationMethod, derivationParameters, bases, context)),
      lengthBytes: materialBytes(cryptographicAlgorithm, cryptographicLength),
    })
    const keyFormatType = symmetric ? KeyFormatType.Raw : KeyFormatType.Opaque
    const form = { keyFormatType, keyMaterial }
    // Whether a key of this algorithm can have this length.
    await context.services.crypto.run({
      kind: 'parseKey',
      objectType: objectType as ObjectTypeNumber,
      ...form,
      cryptographicAlgorithm,
      cryptographicLength,
    })
    const added = await addObject(context, {
      uniqueIdentifier: context.services.newUniqueIdentifier(),
      objectType,
      attributes: linksToBases(attributes, bases),
      derived: {
        'Cryptographic Algorithm': cryptographicAlgorithm,
        'Cryptographic Length': cryptographicLength,
        'Cryptographic Usage Mask': given<number>(attributes, 'Cryptographic Usage Mask') ?? 0,
      },
      value: symmetric
        ? keyObject(form, cryptographicAlgorithm ?? CryptographicAlgorithm.AES, cryptographicLength)
        : {
            secretDataType: SecretDataType.Seed,
            keyBlock: { keyFormatType, keyValue: { keyMaterial, attribute: [] } },
          },
      digested: digestedKey(keyFormatType, keyMaterial),
      generated: true,
    })
    for (const base of bases) {
      const link = { linkType: LinkType.DerivedKeyLink, linkedObjectIdentifier: added.uniqueIdentifier }
      const object = context.object(base.uniqueIdentifier, 'derive')
      const changed = linked(object, link, context.services.policy.instancesMax)
      if (changed !== object) context.put(changed)
    }
    context.idPlaceholder = added.uniqueIdentifier
    return { uniqueIdentifier: added.uniqueIdentifier }
  },
})

/** @throws KmipError Invalid Message for no object, Invalid Field for what is not derived, or from what cannot be derived now */
const checkBases = (objectType: number, bases: readonly ManagedObject[], context: Context): void => {
  if (objectType !== ObjectType.SymmetricKey && objectType !== ObjectType.SecretData) {
    throw new KmipError(ResultReason.InvalidField, 'Derive Key makes Symmetric Keys and Secret Data')
  }
  if (bases.length === 0) {
    throw new KmipError(ResultReason.InvalidMessage, 'The request names no object to derive from')
  }
  for (const base of bases) {
    if (!baseTypes.has(base.objectType)) {
      throw new KmipError(ResultReason.InvalidField, 'Keys are derived from keys and Secret Data')
    }
    const objection = objectionToUse(base, 'derive', context.now)
    if (objection !== undefined) throw new KmipError(ResultReason.InvalidField, objection)
  }
}

type Derivation = Omit<CryptoJob<'deriveKey'>, 'kind'>

/** §11.7: what is wrong with method and parameters is an Invalid Field, what fails in computing a Cryptographic Failure. */
const derived = async (context: Context, derivation: Derivation): Promise<Uint8Array> => {
  try {
    return (await context.services.crypto.run({ kind: 'deriveKey', ...derivation })).keyMaterial
  } catch (error) {
    if (error instanceof KeyUseError && parameterFaults.has(error.kind)) {
      throw new KmipError(ResultReason.InvalidField, error.message)
    }
    throw error
  }
}

type Parameters = {
  readonly cryptographicParameters?: CryptographicParameters | undefined
  readonly initializationVector?: Uint8Array | undefined
  readonly derivationData?: Uint8Array | undefined
  readonly salt?: Uint8Array | undefined
  readonly iterationCount?: number | undefined
}

/**
 * Keys, data and parameters of a method. Secret Data stands for the derivation data where a key is there too, and for
 * the key or password where there is none.
 * @throws KmipError Invalid Message for derivation data given twice, Invalid Field for parameters that the key does not have
 */
const inputOf = async (
  method: number,
  parameters: Parameters,
  bases: readonly ManagedObject[],
  context: Context,
): Promise<Omit<Derivation, 'method' | 'lengthBytes'>> => {
  const secrets = bases.filter(({ objectType }) => objectType === ObjectType.SecretData)
  if (parameters.derivationData !== undefined && secrets.length > 0) {
    throw new KmipError(ResultReason.InvalidMessage, 'The derivation data is given twice: itself, and as Secret Data')
  }
  const { iterationCount } = parameters
  const { deriveIterationsMax } = context.services.policy.computing
  if (iterationCount !== undefined && (iterationCount < 1 || iterationCount > deriveIterationsMax)) {
    throw new KmipError(ResultReason.InvalidField, `The Iteration Count is 1 to ${deriveIterationsMax}`)
  }
  const onlySecrets = secrets.length === bases.length
  const keyObjects = onlySecrets ? secrets.slice(0, 1) : bases.filter((base) => !secrets.includes(base))
  const keys: { readonly bytes: Uint8Array; readonly algorithm?: number }[] = []
  for (const keyObject of keyObjects) {
    const key = keyFormOf(keyObject)
    const { bytes } = await keyAsBytes(key, context)
    keys.push({ bytes, ...(key.cryptographicAlgorithm === undefined ? {} : { algorithm: key.cryptographicAlgorithm }) })
  }
  const data = (onlySecrets ? secrets.slice(1) : secrets).map(secretBytes)
  // §4.6: the parameters are those of "the corresponding key", wherever among the objects it is named.
  const [key] = keyObjects
  const asked = parameters.cryptographicParameters
  if (key !== undefined && asked !== undefined && !methodsWithOwnFunction.has(method)) checkParameters(key, asked)
  // Table 183: the Derivation Data of PBKDF2 is the password.
  if (method === DerivationMethod.PBKDF2 && parameters.derivationData !== undefined) {
    keys.splice(0, keys.length, { bytes: parameters.derivationData })
  }
  return {
    keys,
    parameters: key === undefined ? (asked ?? {}) : effectiveParameters(key, asked),
    derivationData: parameters.derivationData ?? (data.length === 0 ? undefined : new Uint8Array(Buffer.concat(data))),
    iv: parameters.initializationVector,
    salt: parameters.salt,
    iterationCount,
  }
}

/** §4.6: the mode matches one of the key's own. A key without any, as the published cases have it, allows all. */
const checkParameters = (key: ManagedObject, asked: CryptographicParameters): void => {
  if (parametersOf(key).length > 0 && !hasParameters(key, asked)) {
    throw new KmipError(ResultReason.InvalidField, 'The key has no Cryptographic Parameters like those of the request')
  }
}

/** The bytes of Secret Data. @throws KmipError Invalid Field for a structure */
const secretBytes = (object: ManagedObject): Uint8Array => {
  const { keyMaterial } = keyFormOf(object)
  if (keyMaterial instanceof Uint8Array) return keyMaterial
  throw new KmipError(ResultReason.InvalidField, 'Secret Data of this Key Format Type is no derivation data')
}

const linksToBases = (attributes: AttributeSet, bases: readonly ManagedObject[]): AttributeSet =>
  bases.reduce(
    (set, { uniqueIdentifier }) =>
      withLink(set, { linkType: LinkType.DerivationBaseObjectLink, linkedObjectIdentifier: uniqueIdentifier }),
    attributes,
  )
