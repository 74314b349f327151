/** A key as plain bytes, for derivation and splitting (KMIP 1.4 §4.6, §4.38). What it is not: a choice of format for Get. */
import type { KeyForm } from '#crypto/run'
import { CryptographicAlgorithm, KeyFormatType, ObjectType, ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { Context } from './operation.ts'

/** The format of bytes for keys that have structure. */
const formats: Readonly<Record<number, KeyFormatType>> = {
  [ObjectType.SymmetricKey]: KeyFormatType.Raw,
  [ObjectType.PrivateKey]: KeyFormatType.PKCS_8,
  [ObjectType.PublicKey]: KeyFormatType.X_509,
}

/**
 * The key in a format whose material is bytes: Raw, PKCS#8 or X.509; Secret Data as it is.
 * @throws KeyFormatError for a key that has no such form; KmipError Invalid Field for Secret Data that is a structure
 */
export const keyAsBytes = async (
  key: KeyForm,
  context: Context,
): Promise<{ readonly keyFormatType: KeyFormatType; readonly bytes: Uint8Array }> => {
  const keyFormatType = formats[key.objectType]
  const { keyMaterial } = key
  const asIs = keyFormatType === undefined || keyFormatType === key.keyFormatType
  if (asIs && keyMaterial instanceof Uint8Array) return { keyFormatType: key.keyFormatType, bytes: keyMaterial }
  const converted =
    keyFormatType === undefined
      ? undefined
      : await context.services.crypto.run({ kind: 'convertKey', from: key, to: { keyFormatType } })
  if (converted?.keyMaterial instanceof Uint8Array) {
    return { keyFormatType: converted.keyFormatType, bytes: converted.keyMaterial }
  }
  throw new KmipError(ResultReason.InvalidField, 'The object has no form that is bytes')
}

const des: ReadonlySet<number | undefined> = new Set([CryptographicAlgorithm.DES, CryptographicAlgorithm.DES3])
/** Lengths of DES keys that count the parity bits (§2.1.3: 3DES keys have 112 to 192 bits, with or without them). */
const withParity: ReadonlySet<number> = new Set([64, 128, 192])

/** Bytes of key material of a length in bits; DES keys have a parity bit for every seven, counted or not. @throws KmipError Invalid Field */
export const materialBytes = (cryptographicAlgorithm: number | undefined, bits: number): number => {
  const bytes = bits / (des.has(cryptographicAlgorithm) && !withParity.has(bits) ? 7 : 8)
  if (bits > 0 && Number.isInteger(bytes)) return bytes
  throw new KmipError(ResultReason.InvalidField, 'The Cryptographic Length is not one of whole bytes')
}
