/**
 * The IV, counter or nonce of Encrypt and Decrypt (KMIP 1.4 §4.29, §4.30): what a request leaves out. What it is not: the
 * making of one, which is the cryptography's.
 */
import type { KeyForm } from '#crypto/run'
import type { CryptographicParameters } from '#kmip/attribute-values'
import { BlockCipherMode, ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { blockBytes, needsIv } from '#objects/cryptographic-parameters'
import type { Context } from './operation.ts'

/**
 * The IV to use; undefined where none is needed, or the server makes it.
 * @throws KmipError Invalid Message where the mode needs one and none is given; in CBC a setting stands zeros in for it,
 * for clients that send the IV as the first block of the data
 */
export const ivFor = (
  parameters: CryptographicParameters,
  key: KeyForm,
  given: Uint8Array | undefined,
  madeHere: boolean,
  { services }: Pick<Context, 'services'>,
): Uint8Array | undefined => {
  if (given !== undefined || madeHere || !needsIv(parameters)) return given
  if (services.policy.computing.missingIv === 'zeros' && parameters.blockCipherMode === BlockCipherMode.CBC) {
    return new Uint8Array(blockBytes(key.cryptographicAlgorithm))
  }
  throw new KmipError(ResultReason.InvalidMessage, 'The IV/Counter/Nonce is missing')
}
