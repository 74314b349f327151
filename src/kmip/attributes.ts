/**
 * Attributes as rows (KMIP 1.4 §3): the specification's rule table in a form that code can ask, the codec of the value,
 * and whether Locate finds it by index. What it is not: the operations on attributes, which interpret these rows
 * (objects/attributes.ts), nor the tables' text (attribute-rules.ts, generated).
 */
import { anyItem, boolean, type Codec, dateTime, type Infer, integer, interval, textString } from '#ttlv/schema'
import { attributeRules } from './attribute-rules.ts'
import * as values from './attribute-values.ts'
import { ObjectType } from './enums.ts'
import type { AttributeRuleRow } from './row.ts'
import { enumerated } from './vocabulary.ts'

/**
 * When a client may change or delete an attribute. `notReached`: while Pre-Active or Active and before the date itself;
 * `notAllocated`: as long as Get Usage Allocation has not been performed; `clientCreated`: custom attributes `x-`.
 */
export type ClientRule =
  | 'yes'
  | 'no'
  | 'preActive'
  | 'preActiveOrActive'
  | 'notReached'
  | 'notAllocated'
  | 'clientCreated'

/** How Locate finds a value: by equality of the whole value or of a part, by range, or only on objects found otherwise. */
export type IndexKind = 'equality' | 'range' | 'none'

export interface AttributeRow {
  readonly name: string
  readonly since: number
  readonly until: number
  /** Section of KMIP 1.4. */
  readonly section: string
  readonly codec: Codec<unknown>
  readonly objectTypes: ReadonlySet<number>
  readonly multiple: boolean
  readonly alwaysHasValue: boolean
  /** Whether a client may give it when it creates or registers an object, and add it later. */
  readonly setByClient: boolean
  /** Whether a request that creates or registers an object carries it although the server keeps it (§4.1 to §4.3). */
  readonly givenOnCreation: boolean
  readonly modifiableByClient: ClientRule
  readonly deletableByClient: ClientRule
  readonly index: IndexKind
}

const keys = [
  ObjectType.SymmetricKey,
  ObjectType.PublicKey,
  ObjectType.PrivateKey,
  ObjectType.SplitKey,
  ObjectType.PGPKey,
]
// KMIP 1.4 Errata 01 (State): Opaque Objects may be treated as cryptographic objects.
const cryptographic = [...keys, ObjectType.Certificate, ObjectType.SecretData, ObjectType.OpaqueObject]
const all = [...cryptographic, ObjectType.Template]
const withKeyValue = [ObjectType.SymmetricKey, ObjectType.PrivateKey, ObjectType.SplitKey, ObjectType.SecretData]

/** "Applies to Object Types", as the rule tables print it. */
const objectTypesByText: Readonly<Record<string, readonly number[]>> = {
  'All Objects': all,
  'All Cryptographic Objects': cryptographic,
  'All Cryptographic Objects, Opaque Objects': cryptographic,
  'All Cryptographic Objects, Opaque Object': cryptographic,
  'All Cryptographic Objects, Templates': [...cryptographic, ObjectType.Template],
  'Managed Cryptographic Objects': cryptographic,
  'Keys, Certificates, Templates': [...keys, ObjectType.Certificate, ObjectType.Template],
  'Keys, Templates': [...keys, ObjectType.Template],
  'Asymmetric Keys, Templates': [ObjectType.PublicKey, ObjectType.PrivateKey, ObjectType.Template],
  Certificates: [ObjectType.Certificate],
  'X.509 Certificates': [ObjectType.Certificate],
  'Certificates, PGP keys': [ObjectType.Certificate, ObjectType.PGPKey],
  'Symmetric Keys, Split Keys of symmetric keys, Templates': [
    ObjectType.SymmetricKey,
    ObjectType.SplitKey,
    ObjectType.Template,
  ],
  'Symmetric Key, Private Key, Split Key, Secret Data': withKeyValue,
}

/** "Modifiable by client" and "Deletable by client", as the rule tables print them. */
const clientRuleByText: Readonly<Record<string, ClientRule>> = {
  true: 'yes',
  false: 'no',
  'No, but only by the server in response to certain requests (see above)': 'no',
  'Yes, only while in Pre-Active state': 'preActive',
  'Yes, only while in Pre-Active or Active state': 'preActiveOrActive',
  'Yes, only while in Pre-Active or Active state and as long as the Process Start Date has been not reached.':
    'notReached',
  'Yes, only while in Pre-Active or Active state and as long as the Protect Stop Date has not been reached.':
    'notReached',
  'Yes (Total and/or Unit only, as long as Get Usage Allocation has not been performed)': 'notAllocated',
  'Yes, as long as Get Usage Allocation has not been performed': 'notAllocated',
  'Yes, for client-created attributes': 'clientCreated',
}

interface Addition {
  readonly codec: Codec<unknown>
  readonly index: IndexKind
}

/** What the server adds to each rule table: the value's codec, and the index. */
const additions = {
  'Unique Identifier': { codec: textString, index: 'equality' },
  Name: { codec: values.name, index: 'equality' },
  'Object Type': { codec: enumerated('ObjectType'), index: 'equality' },
  'Cryptographic Algorithm': { codec: enumerated('CryptographicAlgorithm'), index: 'equality' },
  'Cryptographic Length': { codec: integer, index: 'equality' },
  'Cryptographic Parameters': { codec: values.cryptographicParameters, index: 'none' },
  'Cryptographic Domain Parameters': { codec: values.cryptographicDomainParameters, index: 'none' },
  'Certificate Type': { codec: enumerated('CertificateType'), index: 'equality' },
  'Certificate Length': { codec: integer, index: 'none' },
  'X.509 Certificate Identifier': { codec: values.x509CertificateIdentifier, index: 'equality' },
  'X.509 Certificate Subject': { codec: values.x509CertificateSubject, index: 'equality' },
  'X.509 Certificate Issuer': { codec: values.x509CertificateIssuer, index: 'equality' },
  'Certificate Identifier': { codec: values.certificateIdentifier, index: 'equality' },
  'Certificate Subject': { codec: values.certificateSubject, index: 'equality' },
  'Certificate Issuer': { codec: values.certificateIssuer, index: 'equality' },
  'Digital Signature Algorithm': { codec: enumerated('DigitalSignatureAlgorithm'), index: 'none' },
  Digest: { codec: values.digest, index: 'none' },
  'Operation Policy Name': { codec: textString, index: 'equality' },
  'Cryptographic Usage Mask': { codec: integer, index: 'none' },
  'Lease Time': { codec: interval, index: 'none' },
  'Usage Limits': { codec: values.usageLimits, index: 'none' },
  State: { codec: enumerated('State'), index: 'equality' },
  'Initial Date': { codec: dateTime, index: 'range' },
  'Activation Date': { codec: dateTime, index: 'range' },
  'Process Start Date': { codec: dateTime, index: 'range' },
  'Protect Stop Date': { codec: dateTime, index: 'range' },
  'Deactivation Date': { codec: dateTime, index: 'range' },
  'Destroy Date': { codec: dateTime, index: 'range' },
  'Compromise Occurrence Date': { codec: dateTime, index: 'range' },
  'Compromise Date': { codec: dateTime, index: 'range' },
  'Revocation Reason': { codec: values.revocationReason, index: 'none' },
  'Archive Date': { codec: dateTime, index: 'range' },
  'Object Group': { codec: textString, index: 'equality' },
  Fresh: { codec: boolean, index: 'none' },
  Link: { codec: values.link, index: 'equality' },
  'Application Specific Information': { codec: values.applicationSpecificInformation, index: 'equality' },
  'Contact Information': { codec: textString, index: 'equality' },
  'Last Change Date': { codec: dateTime, index: 'range' },
  'Custom Attribute': { codec: anyItem, index: 'equality' },
  'Alternative Name': { codec: values.alternativeName, index: 'equality' },
  'Key Value Present': { codec: boolean, index: 'none' },
  'Key Value Location': { codec: values.keyValueLocation, index: 'equality' },
  'Original Creation Date': { codec: dateTime, index: 'range' },
  'Random Number Generator': { codec: values.rngParameters, index: 'none' },
  'PKCS#12 Friendly Name': { codec: textString, index: 'equality' },
  Description: { codec: textString, index: 'equality' },
  Comment: { codec: textString, index: 'equality' },
  Sensitive: { codec: boolean, index: 'none' },
  'Always Sensitive': { codec: boolean, index: 'none' },
  Extractable: { codec: boolean, index: 'none' },
  'Never Extractable': { codec: boolean, index: 'none' },
} satisfies Readonly<Record<string, Addition>>

/** The value type of every attribute, by name, as its codec has it: for code that builds attributes. */
export type AttributeValues = { readonly [Name in keyof typeof additions]: Infer<(typeof additions)[Name]['codec']> }

const additionsByName: Readonly<Record<string, Addition>> = additions

/** Tables 165, 168 and 171: attributes that the server sets, from the values that a creating request carries. */
const givenOnCreation: ReadonlySet<string> = new Set([
  'Cryptographic Algorithm',
  'Cryptographic Length',
  'Certificate Type',
  'Certificate Length',
  'Digital Signature Algorithm',
])

/**
 * The tables of §3.4 and §3.5 leave Secret Data out, but §4.6 gives what is derived a Cryptographic Length, and the
 * published test cases register One Time Pads (§9.1.3.2.13) as Secret Data.
 */
const alsoOfSecretData: ReadonlySet<string> = new Set(['Cryptographic Algorithm', 'Cryptographic Length'])

const rowOf = (rule: AttributeRuleRow): AttributeRow | undefined => {
  const addition = additionsByName[rule.name]
  if (addition === undefined) return undefined
  const objectTypes = objectTypesByText[rule.appliesTo]
  const modifiable = clientRuleByText[String(rule.modifiableByClient)]
  const deletable = clientRuleByText[String(rule.deletableByClient)]
  if (objectTypes === undefined || modifiable === undefined || deletable === undefined) {
    throw new TypeError(`the rule table of ${rule.name} says something that has no meaning here`)
  }
  return {
    name: rule.name,
    since: rule.since,
    until: rule.until ?? Number.MAX_SAFE_INTEGER,
    section: rule.section,
    codec: addition.codec,
    objectTypes: new Set(alsoOfSecretData.has(rule.name) ? [...objectTypes, ObjectType.SecretData] : objectTypes),
    multiple: rule.multipleInstances !== false,
    alwaysHasValue: rule.alwaysHasValue !== false,
    setByClient: rule.initiallySetBy.includes('Client'),
    givenOnCreation: givenOnCreation.has(rule.name),
    modifiableByClient: modifiable,
    deletableByClient: deletable,
    index: addition.index,
  }
}

/** Every attribute of KMIP 1.0 to 1.4, by name. */
export const attributeRows: ReadonlyMap<string, AttributeRow> = new Map(
  attributeRules.map(rowOf).flatMap((row) => (row === undefined ? [] : [[row.name, row] as const])),
)

const customAttribute = attributeRows.get('Custom Attribute')
if (customAttribute === undefined) throw new TypeError('the registry has no Custom Attribute')
const custom = customAttribute

/** §3.39: client-created custom attributes start with `x-`, server-created ones with `y-`. */
export const isCustomName = (name: string): boolean => name.startsWith('x-') || name.startsWith('y-')

/** Server-created custom attributes: a client reads and finds them, and changes none. */
export const isServerCustomName = (name: string): boolean => name.startsWith('y-')

/** The row of an attribute by the name that a message carries, custom names included, or undefined for no attribute at all. */
export const attributeRow = (name: string): AttributeRow | undefined =>
  isCustomName(name) ? custom : name === custom.name ? undefined : attributeRows.get(name)

/** Whether a version has this attribute (§3; an attribute newer than the request's version is never sent). */
export const hasAttribute = (name: string, version: number): boolean => {
  const row = attributeRow(name)
  return row !== undefined && version >= row.since && version < row.until
}

/** The codec of an attribute's value; any item for names that no version has. */
export const attributeCodec = (name: string): Codec<unknown> => attributeRow(name)?.codec ?? anyItem
