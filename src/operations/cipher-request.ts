/**
 * What Encrypt and Decrypt ask of a cipher (KMIP 1.4 §4.29, §4.30): the parameters that hold, the IV and the additional data. What it is
 * not: the Data, or the cipher.
 */
import type { CryptographicParameters } from '#kmip/attribute-values'
import { effectiveParameters, withCipherDefaults } from '#objects/cryptographic-parameters'
import { ivFor } from './initialization-vector.ts'
import type { UsableKey } from './key-use.ts'
import type { Context } from './operation.ts'

/** The fields of such a request that are the same for any Data and IV. */
interface CipherRequest {
  readonly cryptographicParameters?: CryptographicParameters | undefined
  readonly authenticatedEncryptionAdditionalData?: Uint8Array | undefined
}

/**
 * What a cipher needs beside the data, for any given IV. One that is given stands also where a Random IV is asked for (Table 230).
 * @param makesIv whether a Random IV can be asked for
 */
export const cipherOf = (
  request: CipherRequest,
  { object, key }: UsableKey,
  { services }: Pick<Context, 'services'>,
  makesIv: boolean,
) => {
  const asked = effectiveParameters(object, request.cryptographicParameters)
  const { unnamedPadding } = services.policy.computing
  const parameters = withCipherDefaults(asked, key.cryptographicAlgorithm, unnamedPadding)
  const mayBeMadeHere = makesIv && parameters.randomIv === true
  const aad = request.authenticatedEncryptionAdditionalData
  return (given: Uint8Array | undefined) => {
    const iv = ivFor(parameters, key, given, mayBeMadeHere, { services })
    return { key, parameters, iv, aad }
  }
}
