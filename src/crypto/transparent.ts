/**
 * The transparent key structures as plain objects. What it is: their fields, named as the specification names them, and
 * the check that a field is there. What it is not: their encoding (payload shapes), nor their meaning (rsa-key.ts,
 * ec-key.ts, finite-field-key.ts). KMIP 1.4 §2.1.7.
 */

import { KeyFormatError } from './errors.ts'

/** §2.1.7.1 */
export interface TransparentSymmetricKey {
  readonly key: Uint8Array
}

/** §2.1.7.2 (`x`), §2.1.7.3 (`y`) */
export interface TransparentDSAKey {
  readonly p: bigint
  readonly q: bigint
  readonly g: bigint
  readonly x?: bigint
  readonly y?: bigint
}

/** §2.1.7.4: beside the modulus, the private exponent, or P and Q, or their exponents must be there. */
export interface TransparentRSAPrivateKey {
  readonly modulus: bigint
  readonly privateExponent?: bigint
  readonly publicExponent?: bigint
  readonly p?: bigint
  readonly q?: bigint
  readonly primeExponentP?: bigint
  readonly primeExponentQ?: bigint
  readonly crtCoefficient?: bigint
}

/** §2.1.7.5 */
export interface TransparentRSAPublicKey {
  readonly modulus: bigint
  readonly publicExponent: bigint
}

/** §2.1.7.6 (`x`), §2.1.7.7 (`y`) */
export interface TransparentDHKey {
  readonly p: bigint
  readonly q?: bigint
  readonly g: bigint
  readonly j?: bigint
  readonly x?: bigint
  readonly y?: bigint
}

/** §2.1.7.8, .10, .12, .14 */
export interface TransparentECPrivateKey {
  readonly recommendedCurve: number
  readonly d: bigint
}

/** §2.1.7.9, .11, .13, .15 */
export interface TransparentECPublicKey {
  readonly recommendedCurve: number
  readonly qString: Uint8Array
}

/** A Key Material structure as it comes from outside: any of the fields above may be there, or missing. */
export interface TransparentKey {
  readonly key?: Uint8Array | undefined
  readonly p?: bigint | undefined
  readonly q?: bigint | undefined
  readonly g?: bigint | undefined
  readonly j?: bigint | undefined
  readonly x?: bigint | undefined
  readonly y?: bigint | undefined
  readonly modulus?: bigint | undefined
  readonly privateExponent?: bigint | undefined
  readonly publicExponent?: bigint | undefined
  readonly primeExponentP?: bigint | undefined
  readonly primeExponentQ?: bigint | undefined
  readonly crtCoefficient?: bigint | undefined
  readonly recommendedCurve?: number | undefined
  readonly d?: bigint | undefined
  readonly qString?: Uint8Array | undefined
}

/** Key Material: a byte string, or a transparent structure. KMIP 1.4 §2.1.4. */
export type KeyMaterial = Uint8Array | TransparentKey

/** The byte string of a key material. Throws KeyFormatError (`invalid`) for a structure. */
export function bytesOf(material: KeyMaterial): Uint8Array {
  if (!(material instanceof Uint8Array)) throw new KeyFormatError('invalid', 'The key material must be a byte string')
  return material
}

/** The structure of a key material. Throws KeyFormatError (`invalid`) for a byte string. */
export function structureOf(material: KeyMaterial): TransparentKey {
  if (material instanceof Uint8Array) throw new KeyFormatError('invalid', 'The key material must be a structure')
  return material
}

/** A field that the structure must have. Throws KeyFormatError (`invalid`), naming the field, not its value. */
export function required<Name extends keyof TransparentKey>(
  structure: TransparentKey,
  name: Name,
): NonNullable<TransparentKey[Name]> {
  const value = structure[name]
  if (value === undefined) throw new KeyFormatError('invalid', `The key material has no ${name}`)
  return value
}

/** A Buffer of the library as a plain byte array over the same memory, as it would be after its way through a worker. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}
