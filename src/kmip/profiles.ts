/**
 * Profiles that this server has (KMIP Profiles 1.4 §5; §9.1.3.2.44): by what each demands. What it is: a row a profile, and the
 * names that follow from the operations that are there. What it is not: a claim that anybody certified.
 */
import { Operation } from './enums.ts'
import { inVersion } from './row.ts'
import { type Version, versionOf } from './versions.ts'
import { enumerationNamed } from './vocabulary.ts'

interface ProfileRow {
  /** The Profile Name without its protocol version. */
  readonly name: string
  /** Operations that the profile's server must have. */
  readonly operations: readonly number[]
  /** The profile is one of messages in HTTPS. */
  readonly https?: true
}

const lifecycle: readonly number[] = [
  Operation.Activate,
  Operation.Revoke,
  Operation.Destroy,
  Operation.Check,
  Operation.Locate,
  Operation.Get,
  Operation.Query,
]

const rows: readonly ProfileRow[] = [
  {
    name: 'TapeLibraryServer',
    operations: [...lifecycle, Operation.Register, Operation.Create, Operation.GetAttributes, Operation.AddAttribute],
  },
  { name: 'SymmetricKeyLifecycleServer', operations: [...lifecycle, Operation.Create] },
  { name: 'SymmetricKeyFoundryServer', operations: [...lifecycle, Operation.Create] },
  { name: 'AsymmetricKeyLifecycleServer', operations: [...lifecycle, Operation.CreateKeyPair] },
  {
    name: 'OpaqueManagedObjectStoreServer',
    operations: [Operation.Register, Operation.Get, Operation.Destroy, Operation.Locate],
  },
  {
    name: 'StorageArrayWithSelfEncryptingDriveServer',
    operations: [...lifecycle, Operation.Register, Operation.GetAttributes],
  },
  { name: 'BasicCryptographicServer', operations: [Operation.Encrypt, Operation.Decrypt] },
  {
    name: 'AdvancedCryptographicServer',
    operations: [
      Operation.Encrypt,
      Operation.Decrypt,
      Operation.Sign,
      Operation.SignatureVerify,
      Operation.MAC,
      Operation.MACVerify,
      Operation.RNGRetrieve,
      Operation.RNGSeed,
      Operation.Hash,
    ],
  },
  { name: 'RNGCryptographicServer', operations: [Operation.RNGRetrieve, Operation.RNGSeed] },
  { name: 'HTTPSServer', operations: [], https: true },
  { name: 'JSONServer', operations: [], https: true },
  { name: 'XMLServer', operations: [], https: true },
]

/** What a server has that profiles ask for. */
export interface ProfileGrounds {
  readonly operations: ReadonlySet<number>
  readonly https: boolean
}

const profileNames = enumerationNamed('ProfileName').values

/**
 * The Profile Names that a server may claim in a protocol version: of its operations, for each version that it speaks.
 * @returns values of the enumeration, in its order
 */
export const profilesOf = (grounds: ProfileGrounds, version: Version): readonly number[] => {
  const stems = new Set(
    rows
      .filter(
        ({ operations, https }) =>
          operations.every((code) => grounds.operations.has(code)) && (!https || grounds.https),
      )
      .map(({ name }) => name),
  )
  return profileNames
    .filter((row) => inVersion(row, version))
    .filter(({ name }) => {
      const [, stem, major, minor] = /^(.*)KMIPV(\d)_(\d)$/.exec(name) ?? []
      return (
        stem !== undefined && stems.has(stem) && inVersion({ since: versionOf(Number(major), Number(minor)) }, version)
      )
    })
    .map(({ value }) => value)
}
