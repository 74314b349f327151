/**
 * A one-time pad: data and key added bit by bit. KMIP 1.4 §9.1.3.2.13. What it is not: a guard against its second use, which
 * Usage Limits are for.
 */
import { CryptographicAlgorithm } from '#kmip/enums'
import { KeyUseError } from './errors.ts'
import type { KeyForm } from './key-format.ts'
import { symmetricBytes } from './key-use.ts'

/** Whether a key is a pad. */
export const isOneTimePad = ({ cryptographicAlgorithm }: KeyForm): boolean =>
  cryptographicAlgorithm === CryptographicAlgorithm.OneTimePad

/** Encrypts or decrypts, which are the same. Throws KeyUseError (`invalidLength`) for more data than pad. */
export function padData(key: KeyForm, data: Uint8Array): Uint8Array {
  const pad = symmetricBytes(key)
  if (data.length > pad.length) throw new KeyUseError('invalidLength', 'The data is longer than the one-time pad')
  return data.map((byte, at) => byte ^ (pad[at] ?? 0))
}
