/** What Sign and Signature Verify work on: data or a digest of it, and not both (KMIP 1.4 §4.31, §4.32). Not an operation. */
import { ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { isPart, type Part } from './streams.ts'

interface SignedInput {
  readonly data?: Uint8Array | undefined
  readonly digestedData?: Uint8Array | undefined
}

/** The one that is given. @throws KmipError Invalid Message for both or neither */
export const signedInput = ({ data, digestedData }: SignedInput): SignedInput => {
  if ((data === undefined) === (digestedData === undefined)) {
    throw new KmipError(ResultReason.InvalidMessage, 'The request holds either Data or Digested Data')
  }
  return data === undefined ? { digestedData } : { data }
}

/** A digest is of all data, so that no part has one: it would be passed over. @throws KmipError Invalid Message */
export const checkSignedPart = (part: Part & SignedInput): void => {
  if (!isPart(part) || part.digestedData === undefined) return
  throw new KmipError(ResultReason.InvalidMessage, 'Digested Data is signed at once, not in parts')
}
