/**
 * Device credentials (KMIP 1.4 §2.1.2, Table 5). What it is: what a profile asks of its clients beyond their certificate, and
 * the comparison with what a request's Credential says. What it is not: a credential of a user (`login.ts`).
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { AdministrationError } from './administration-error.ts'

/** The fields, by the name that administrators give them, and the field of Table 5 that each must match. */
export const deviceCredentialFields = {
  serial_no: 'deviceSerialNumber',
  password: 'password',
  device_id: 'deviceIdentifier',
  network_id: 'networkIdentifier',
  machine_id: 'machineIdentifier',
  media_id: 'mediaIdentifier',
} as const
export type DeviceCredentialField = keyof typeof deviceCredentialFields

/** What a client's device must say. The password is a secret, and is in no listing and no log. */
export type DeviceCredential = { readonly [Field in DeviceCredentialField]?: string }

/** Fields that are shown to nobody. */
export const secretDeviceFields: ReadonlySet<DeviceCredentialField> = new Set(['password'])

const fieldNames = Object.keys(deviceCredentialFields) as DeviceCredentialField[]
const fieldLengthMax = 1_024

/**
 * A device credential as an administrator gives it: at least one of the fields, each a text that says something.
 * @throws AdministrationError of kind `invalid`; its text never repeats a value
 */
export function deviceCredentialOf(given: Readonly<Record<string, unknown>>): DeviceCredential {
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(deviceCredentialFields, name))
  if (unknown.length > 0)
    throw new AdministrationError(
      'invalid',
      `a device credential has no field ${unknown.map((name) => JSON.stringify(name)).join(', ')}`,
      `Its fields are ${fieldNames.join(', ')}.`,
    )
  const credential: { [Field in DeviceCredentialField]?: string } = {}
  for (const name of fieldNames) {
    const value = given[name]
    if (value === undefined || value === '') continue
    if (typeof value !== 'string' || value.length > fieldLengthMax || !value.isWellFormed())
      throw new AdministrationError(
        'invalid',
        `${name} of a device credential is a text of 1 to ${fieldLengthMax} characters`,
      )
    credential[name] = value
  }
  if (Object.keys(credential).length === 0)
    throw new AdministrationError(
      'invalid',
      'a device credential needs at least one field',
      `Its fields are ${fieldNames.join(', ')}.`,
    )
  return credential
}

/** A device credential without what is shown to nobody. */
export function shownDeviceCredential(credential: DeviceCredential): DeviceCredential {
  return Object.fromEntries(
    Object.entries(credential).filter(([name]) => !secretDeviceFields.has(name as DeviceCredentialField)),
  )
}

/**
 * Whether a request's Device credential is the expected one: every field that is expected must be there and be equal. What
 * is said beyond that does not count. The time does not tell which field differs, nor how much of it was right.
 * @param presented the Credential Value as decoded, of Credential Type Device
 */
export function deviceCredentialMatches(expected: DeviceCredential, presented: unknown): boolean {
  const said: Readonly<Record<string, unknown>> =
    typeof presented === 'object' && presented !== null ? { ...presented } : {}
  let matches = true
  let compared = 0
  for (const name of fieldNames) {
    const wanted = expected[name]
    if (wanted === undefined) continue
    const value = said[deviceCredentialFields[name]]
    const equal = timingSafeEqual(digest(wanted), digest(typeof value === 'string' ? value : ''))
    matches = matches && equal && typeof value === 'string'
    compared++
  }
  // Nothing expected would be a credential that everybody has.
  return matches && compared > 0
}

/** Digests have one length, which the comparison needs, and tell nothing of the texts' lengths. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
