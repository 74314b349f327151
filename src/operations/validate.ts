/**
 * Validate: whether a certificate chain is valid. KMIP 1.4 §4.24. Trusted are the server's issuing authority and the root
 * certificates that the request names as managed objects; a root that it only brings along proves nothing.
 */
import { chainLengthMax, chainVerdict, isRoot } from '#identity/chain'
import { CertificateType, ObjectType, ResultReason, State, ValidityIndicator } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { CertificateValue } from '#kmip/objects'
import { stateOf } from '#objects/lifecycle'
import { type Context, operation } from './operation.ts'

const withdrawn: ReadonlySet<number | undefined> = new Set([
  State.Deactivated,
  State.Compromised,
  State.Destroyed,
  State.DestroyedCompromised,
])

const indicators = {
  valid: ValidityIndicator.Valid,
  invalid: ValidityIndicator.Invalid,
  unknown: ValidityIndicator.Unknown,
} as const

export const validate = operation({
  name: 'Validate',
  section: '4.24',
  reasons: ['InvalidMessage', 'ObjectArchived', 'ItemNotFound', 'PermissionDenied', 'InvalidField'],
  handle({ certificate, uniqueIdentifier, validityDate }, context) {
    const count = certificate.length + uniqueIdentifier.length
    if (count === 0 || count > chainLengthMax) throw notAChain()
    const managed = uniqueIdentifier.map((identifier) => managedCertificate(identifier, context))
    const values = [...certificate, ...managed.map(({ value }) => value)]
    // A certificate of another kind may be what it says; nobody here can tell.
    if (values.some(({ certificateType }) => certificateType !== CertificateType.X_509)) {
      return { validityIndicator: ValidityIndicator.Unknown }
    }
    const own = context.services.issuer.certificate
    const anchors = [...managed.map(({ value }) => value.certificateValue), ...(own === undefined ? [] : [own])]
    const verdict = chainVerdict(
      values.map(({ certificateValue }) => certificateValue),
      anchors.filter(isRoot),
      validityDate ?? context.now,
    )
    if (verdict === 'apart') throw notAChain()
    const isWithdrawn = managed.some((each) => each.withdrawn)
    return { validityIndicator: isWithdrawn ? ValidityIndicator.Invalid : indicators[verdict] }
  },
})

const notAChain = (): KmipError =>
  new KmipError(ResultReason.InvalidMessage, 'The certificates are not one certificate chain')

/** @throws KmipError Invalid Message for an object that is no certificate; as `Context.object` */
const managedCertificate = (uniqueIdentifier: string, context: Context) => {
  const object = context.object(uniqueIdentifier, 'read')
  if (object.objectType !== ObjectType.Certificate || object.value === undefined) throw notAChain()
  return { value: object.value as CertificateValue, withdrawn: withdrawn.has(stateOf(object)) }
}
