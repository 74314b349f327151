/**
 * Whether certificates form a valid chain to an authority that is trusted. What it is: signatures, issuers' names, dates and
 * the right to issue, checked by the library. What it is not: revocation lists, policies, name constraints, or the choice of
 * whom to trust.
 */
import { X509Certificate } from 'node:crypto'
import { parseCertificate } from './certificates.ts'

/** `apart`: they are not one chain. `unknown`: a chain, to an authority that nobody vouches for. */
export type ChainVerdict = 'valid' | 'invalid' | 'unknown' | 'apart'

/** Certificates of one chain: more than this are nobody's. */
export const chainLengthMax = 16

/**
 * @param certificates DER, in any order, at least one
 * @param anchors DER of the authorities that are trusted
 * @param atSeconds since 1970: when all of them have to be valid
 * @throws CertificateError for bytes that are not a certificate
 */
export function chainVerdict(
  certificates: readonly Uint8Array[],
  anchors: readonly Uint8Array[],
  atSeconds: number,
): ChainVerdict {
  const chain = ordered(certificates.map(read))
  const top = chain?.at(-1)
  if (chain === undefined || top === undefined) return 'apart'
  const sound = chain.every((each, index) => index === 0 || isSoundIssuer(each, chain[index - 1]))
  if (!sound || !chain.every((each) => isWithinDates(each, atSeconds))) return 'invalid'
  const trusted = anchors.map(read)
  if (trusted.some(({ der }) => Buffer.compare(der, top.der) === 0)) return 'valid'
  const issuer = trusted.find((anchor) => top.certificate.checkIssued(anchor.certificate))
  if (issuer === undefined)
    return isSelfIssued(top) && !top.certificate.verify(top.certificate.publicKey) ? 'invalid' : 'unknown'
  return isSoundIssuer(issuer, top) && isWithinDates(issuer, atSeconds) ? 'valid' : 'invalid'
}

/** Whether a certificate is issued and signed by itself. @throws CertificateError for bytes that are not a certificate */
export function isRoot(der: Uint8Array): boolean {
  const { certificate } = read(der)
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey)
}

interface Member {
  readonly der: Uint8Array
  readonly certificate: X509Certificate
  readonly notBeforeSeconds: number
  readonly notAfterSeconds: number
}

function read(der: Uint8Array): Member {
  // The strict reader first: it bounds what the library is given.
  const { notBeforeSeconds, notAfterSeconds } = parseCertificate(der)
  return { der, certificate: new X509Certificate(Buffer.from(der)), notBeforeSeconds, notAfterSeconds }
}

const isSelfIssued = ({ certificate }: Member): boolean => certificate.checkIssued(certificate)

/** From the one that issued no other upwards, or undefined where they are not one chain. */
function ordered(members: readonly Member[]): readonly Member[] | undefined {
  const others = (member: Member): readonly Member[] => members.filter((each) => each !== member)
  const leaves = members.filter(
    (each) => !others(each).some((other) => other.certificate.checkIssued(each.certificate)),
  )
  const [leaf] = leaves
  if (leaf === undefined || leaves.length > 1) return undefined
  const chain = [leaf]
  for (let last = leaf; chain.length < members.length; ) {
    const issuer = others(last).find((each) => !chain.includes(each) && last.certificate.checkIssued(each.certificate))
    if (issuer === undefined) return undefined
    chain.push(issuer)
    last = issuer
  }
  return chain
}

const isSoundIssuer = (issuer: Member, issued: Member | undefined): boolean =>
  issued !== undefined && issuer.certificate.ca && issued.certificate.verify(issuer.certificate.publicKey)

const isWithinDates = ({ notBeforeSeconds, notAfterSeconds }: Member, atSeconds: number): boolean =>
  notBeforeSeconds <= atSeconds && atSeconds <= notAfterSeconds
