/**
 * The user whom a certificate names. What it is: `cert_user_field` applied to a subject. What it is not: the question whether
 * that user exists, or may be named by whoever issued the certificate to whoever shows it (`registration.ts`).
 */
import { AdministrationError } from './administration-error.ts'
import { type DistinguishedName, nameField } from './certificates.ts'
import { type CertificateUserField, parseUserName, rootDomain, type UserName } from './principals.ts'

/** The user name that a subject holds in this field, to be read by `parseUserName`; undefined when there is none. */
export function certificateUserName(subject: DistinguishedName, field: CertificateUserField): string | undefined {
  if (field !== 'E_ND') return nameField(subject, field)
  return nameField(subject, 'E')?.split('@')[0]
}

/**
 * The user whom a certificate's subject names, existing or not.
 * @param domain of who vouches for the certificate: only the root domain's may name users of others
 * @throws AdministrationError `invalid`
 */
export function namedUser(subject: DistinguishedName, field: CertificateUserField, domain: string): UserName {
  const text = certificateUserName(subject, field)
  if (text === undefined)
    throw new AdministrationError(
      'invalid',
      `the subject ${JSON.stringify(subject.text)} has no ${field}, which is to name the user`,
      'Give the field a value, or let cert_user_field name another.',
    )
  const name = parseUserName(text, domain)
  if (name === undefined || (domain !== rootDomain && name.domain !== domain))
    throw new AdministrationError(
      'invalid',
      `${field} ${JSON.stringify(text)} of the subject names no user of the domain`,
    )
  return name
}
