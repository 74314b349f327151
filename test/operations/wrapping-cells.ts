/**
 * Cells of the table of wrapping, with the keys and objects that try them: registered with a server, and known to another party.
 * What it is: from a row to requests. What it is not: what another party does (wrapping-elsewhere.ts), or the expectations.
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { RequestPayload, ResponsePayload } from '#client/operation-methods'
import type { CryptographicParameters } from '#kmip/attribute-values'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  DigitalSignatureAlgorithm,
  EncodingOption,
  HashingAlgorithm,
  KeyFormatType,
  LinkType,
  ObjectType,
  PaddingMethod,
  SecretDataType,
  SplitKeyMethod,
  WrappingMethod,
} from '#kmip/enums'
import type { KeyBlock, KeyWrappingSpecification, WrappingKeyInformation } from '#kmip/key-block'
import type { WrappingPolicy } from '#objects/key-wrapping'
import type { WrappingRow, WrappingScheme, WrappingSetting, WrappingWork } from '#objects/wrapping-table'
import { everyUse, usable } from '#test/computing'
import { type DispatcherUnderTest, openDispatcher, succeed } from '#test/dispatcher'
import { attributes } from '#test/sample-objects'
import type { OtherKey } from './wrapping-elsewhere.ts'

const A = CryptographicAlgorithm
const O = ObjectType

/** One cell: a wrapping key, what it does, and to what. */
export interface Cell {
  readonly work: WrappingWork
  readonly algorithm: number
  readonly lengthBits: number
  readonly scheme: WrappingScheme
  readonly objectType: number
}

/** Lengths of wrapping keys of rows that take any. */
const usualBits: Readonly<Record<number, number>> = {
  [A.RSA]: 2048,
  [A.AES]: 256,
  [A.Camellia]: 192,
  [A.DES3]: 192,
  [A.DSA]: 2048,
  [A.HMAC_SHA1]: 160,
}

const each = <V>(column: readonly V[] | undefined): readonly (V | undefined)[] => column ?? [undefined]

/** Every cell of a row. */
export const cellsOf = (row: WrappingRow): readonly Cell[] =>
  row.objectTypes.flatMap((objectType) =>
    (row.lengthsBits ?? [usualBits[row.cryptographicAlgorithm] ?? 256]).flatMap((lengthBits) =>
      each(row.blockCipherModes).flatMap((blockCipherMode) =>
        each(row.paddingMethods).flatMap((paddingMethod) =>
          each(row.hashingAlgorithms).flatMap((hashingAlgorithm) =>
            each(row.digitalSignatureAlgorithms).map((digitalSignatureAlgorithm) => ({
              work: row.work,
              algorithm: row.cryptographicAlgorithm,
              lengthBits,
              objectType,
              scheme: { blockCipherMode, paddingMethod, hashingAlgorithm, digitalSignatureAlgorithm },
            })),
          ),
        ),
      ),
    ),
  )

const nameIn = (names: Readonly<Record<string, number>>, value: number | undefined): string =>
  value === undefined ? '' : ` ${Object.entries(names).find(([, number]) => number === value)?.[0]}`

/** A scheme under a key, as text that tells it from every other. */
export const schemeText = ({ work, algorithm, lengthBits, scheme }: Omit<Cell, 'objectType'>): string =>
  [
    `${work}${nameIn(A, algorithm)} ${lengthBits}`,
    nameIn(BlockCipherMode, scheme.blockCipherMode),
    nameIn(PaddingMethod, scheme.paddingMethod),
    nameIn(HashingAlgorithm, scheme.hashingAlgorithm),
    nameIn(DigitalSignatureAlgorithm, scheme.digitalSignatureAlgorithm),
  ].join('')

/** A cell as text. */
export const cellText = (cell: Cell): string => `${nameIn(O, cell.objectType).trim()} ${schemeText(cell)}`

/** The parameters of a scheme: OAEP and PSS name the hash of their mask, for other parties take no other than their own. */
export const parametersOf = ({ scheme }: Omit<Cell, 'objectType'>): CryptographicParameters => ({
  ...(scheme as CryptographicParameters),
  maskGeneratorHashingAlgorithm:
    scheme.paddingMethod === PaddingMethod.OAEP ||
    scheme.paddingMethod === PaddingMethod.PSS ||
    scheme.digitalSignatureAlgorithm === DigitalSignatureAlgorithm.RSASSA_PSS
      ? scheme.hashingAlgorithm
      : undefined,
})

interface Pair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** Pairs of wrapping keys, made once: they take long. */
const makers: Readonly<Record<number, () => Pair>> = {
  [A.RSA]: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  [A.ECDSA]: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  [A.EC]: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  [A.DSA]: () => generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }),
}
const pairs = new Map<number, Pair>()

const pairOf = (algorithm: number) => {
  const known = pairs.get(algorithm)
  if (known !== undefined) return known
  const made = makers[algorithm]?.()
  if (made !== undefined) pairs.set(algorithm, made)
  return made
}

/** Bytes that count up; of odd parity, as 3DES wants them. */
const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => 16 + index)
const oddParity = (bytes: Uint8Array): Uint8Array =>
  bytes.map((byte) => {
    const ones = (byte >> 1).toString(2).replaceAll('0', '').length
    return (byte & 0xfe) | (ones % 2 === 0 ? 1 : 0)
  })

const materialBytes = (algorithm: number, lengthBits: number): Uint8Array =>
  algorithm === A.DES3 ? oddParity(counting(lengthBits <= 128 ? 16 : 24)) : counting(lengthBits / 8)

/** The wrapping key of a cell as the other party has it. */
export const otherKeyOf = ({ algorithm, lengthBits }: Omit<Cell, 'objectType'>): OtherKey => {
  const pair = pairOf(algorithm)
  return pair === undefined
    ? { algorithm, bytes: materialBytes(algorithm, lengthBits) }
    : { algorithm, bytes: new Uint8Array(0), pair }
}

/** The wrapping key of a cell as the server has it: identifiers to wrap with, and to unwrap with. */
export interface ServersKey {
  readonly wraps: string
  readonly unwraps: string
}

type Register = RequestPayload<'Register'>

const der = (key: KeyObject, type: 'pkcs8' | 'spki') => new Uint8Array(key.export({ format: 'der', type }))

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** Objects that are wrapped: one of each type that has a Key Block. */
export const wrappedObjects: Readonly<
  Record<number, { readonly material: Uint8Array; readonly block: Omit<KeyBlock, 'keyValue'> }>
> = {
  [O.SymmetricKey]: {
    material: counting(32),
    block: { keyFormatType: KeyFormatType.Raw, cryptographicAlgorithm: A.AES, cryptographicLength: 256 },
  },
  [O.PrivateKey]: {
    material: der(ec.privateKey, 'pkcs8'),
    block: { keyFormatType: KeyFormatType.PKCS_8, cryptographicAlgorithm: A.ECDSA, cryptographicLength: 256 },
  },
  [O.PublicKey]: {
    material: der(ec.publicKey, 'spki'),
    block: { keyFormatType: KeyFormatType.X_509, cryptographicAlgorithm: A.ECDSA, cryptographicLength: 256 },
  },
  [O.SecretData]: { material: counting(24), block: { keyFormatType: KeyFormatType.Opaque } },
  [O.SplitKey]: {
    material: counting(16),
    block: { keyFormatType: KeyFormatType.Raw, cryptographicAlgorithm: A.AES, cryptographicLength: 128 },
  },
}

/** A Register of an object of a type with this Key Block. */
export const registering = (
  objectType: number,
  keyBlock: KeyBlock,
  under: DispatcherUnderTest,
  values = {},
): Register => {
  const fields: Readonly<Record<number, object>> = {
    [O.SymmetricKey]: { symmetricKey: { keyBlock } },
    [O.PrivateKey]: { privateKey: { keyBlock } },
    [O.PublicKey]: { publicKey: { keyBlock } },
    [O.SecretData]: { secretData: { secretDataType: SecretDataType.Seed, keyBlock } },
    [O.SplitKey]: {
      splitKey: {
        splitKeyParts: 2,
        keyPartIdentifier: 1,
        splitKeyThreshold: 2,
        splitKeyMethod: SplitKeyMethod.XOR,
        keyBlock,
      },
    },
  }
  return {
    objectType: objectType,
    templateAttribute: { attribute: usable(under, values) },
    ...fields[objectType],
  }
}

/** What Get gives of the Key Block, whatever the object. */
export const keyBlockOf = (given: ResponsePayload<'Get'>): KeyBlock => {
  const object = given.symmetricKey ?? given.privateKey ?? given.publicKey ?? given.secretData ?? given.splitKey
  assert.ok(object)
  return object.keyBlock
}

/** A server with wrapping keys and objects, each registered when it is first asked for. */
export class WrappingServer {
  readonly under: DispatcherUnderTest
  readonly #keys = new Map<string, Promise<ServersKey>>()
  readonly #objects = new Map<number, Promise<string>>()

  constructor(wrappingAllowed: WrappingSetting, more: Partial<WrappingPolicy> = {}) {
    const wrapping = { wrappingAllowed, unwrapMask: 'unwrap', registeredWrapped: 'unwrap', ...more } as const
    this.under = openDispatcher({ policy: { wrapping } })
  }

  /** The identifier of the object of a type. */
  object(objectType: number): Promise<string> {
    const known = this.#objects.get(objectType) ?? this.#registerObject(objectType)
    this.#objects.set(objectType, known)
    return known
  }

  async #registerObject(objectType: number): Promise<string> {
    const sample = wrappedObjects[objectType]
    assert.ok(sample)
    const keyBlock = { ...sample.block, keyValue: { keyMaterial: sample.material, attribute: [] } }
    return this.register(registering(objectType, keyBlock, this.under))
  }

  async register(request: Register): Promise<string> {
    return (await succeed(this.under, 'Register', request)).uniqueIdentifier
  }

  /** The wrapping key of a cell, with the cell's parameters as its own. */
  key(cell: Omit<Cell, 'objectType'>, parameters: CryptographicParameters = parametersOf(cell)): Promise<ServersKey> {
    const name = `${schemeText(cell)} ${JSON.stringify(parameters)}`
    const known = this.#keys.get(name) ?? this.#registerKey(cell, parameters)
    this.#keys.set(name, known)
    return known
  }

  async #registerKey(cell: Omit<Cell, 'objectType'>, parameters: CryptographicParameters): Promise<ServersKey> {
    const { algorithm, lengthBits, work } = cell
    const own = { 'Cryptographic Parameters': parameters, 'Cryptographic Usage Mask': everyUse }
    const block = {
      cryptographicAlgorithm: algorithm as CryptographicAlgorithm,
      cryptographicLength: lengthBits,
    }
    const pair = pairOf(algorithm)
    const half = (objectType: number, keyFormatType: KeyFormatType, keyMaterial: Uint8Array, values = {}) =>
      this.register(
        registering(objectType, { ...block, keyFormatType, keyValue: { keyMaterial, attribute: [] } }, this.under, {
          ...own,
          ...values,
        }),
      )
    if (pair === undefined) {
      const only = await half(O.SymmetricKey, KeyFormatType.Raw, materialBytes(algorithm, lengthBits))
      return { wraps: only, unwraps: only }
    }
    const privateKey = await half(O.PrivateKey, KeyFormatType.PKCS_8, der(pair.privateKey, 'pkcs8'))
    const link = { linkType: LinkType.PrivateKeyLink, linkedObjectIdentifier: privateKey }
    const publicKey = await half(O.PublicKey, KeyFormatType.X_509, der(pair.publicKey, 'spki'), { Link: link })
    const [back] = attributes({ Link: { linkType: LinkType.PublicKeyLink, linkedObjectIdentifier: publicKey } })
    assert.ok(back)
    await succeed(this.under, 'AddAttribute', { uniqueIdentifier: privateKey, attribute: back })
    return work === 'encrypt' ? { wraps: publicKey, unwraps: publicKey } : { wraps: privateKey, unwraps: publicKey }
  }
}

/** What a wrapping is made of: a cell that encrypts, one that MACs or signs, or both; the method tells the order. */
export interface Wrapping {
  readonly method: WrappingMethod
  readonly objectType: number
  readonly encryption?: Cell | undefined
  readonly mac?: Cell | undefined
  readonly encoding: EncodingOption
}

/** The wrapping of a cell alone. */
export const wrappingOf = (cell: Cell, encoding: EncodingOption): Wrapping =>
  cell.work === 'encrypt'
    ? { method: WrappingMethod.Encrypt, objectType: cell.objectType, encryption: cell, encoding }
    : { method: WrappingMethod.MACSign, objectType: cell.objectType, mac: cell, encoding }

export const encodings: readonly EncodingOption[] = [EncodingOption.NoEncoding, EncodingOption.TTLVEncoding]

const information = async (
  server: WrappingServer,
  cell: Cell | undefined,
  end: 'wraps' | 'unwraps',
): Promise<WrappingKeyInformation | undefined> =>
  cell === undefined
    ? undefined
    : { uniqueIdentifier: (await server.key(cell))[end], cryptographicParameters: parametersOf(cell) }

/** The keys that a wrapping names, of one end or the other. */
export const namedKeys = async (server: WrappingServer, { encryption, mac }: Wrapping, end: 'wraps' | 'unwraps') => ({
  encryptionKeyInformation: await information(server, encryption, end),
  macSignatureKeyInformation: await information(server, mac, end),
})

/** The Key Wrapping Specification of a wrapping. */
export const specificationOf = async (
  server: WrappingServer,
  wrapping: Wrapping,
): Promise<KeyWrappingSpecification> => ({
  wrappingMethod: wrapping.method,
  ...(await namedKeys(server, wrapping, 'wraps')),
  attributeName: [],
  encodingOption: wrapping.encoding,
})
