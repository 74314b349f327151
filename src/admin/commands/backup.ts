/** Commands of backups, and of the look through the store. What they are not: a restore, which a server that runs cannot do. */
import * as Type from 'typebox'
import { type CommandRow, command, optional, required } from '#admin/command'
import type { BackupManifest } from '#admin/services'
import { AdministrationError } from '#identity/administration-error'
import { rootKeyParameters } from './rootkey.ts'

const counts = {
  objects: Type.Integer({ description: 'Managed Objects' }),
  records: Type.Record(Type.String(), Type.Integer(), { description: 'Records of each table' }),
  schema: Type.Integer({ description: 'Version of the form of the store' }),
  transaction: Type.Integer({ description: 'Number of the last transaction' }),
}

const manifestFields = {
  file: Type.String(),
  taken_at: Type.String({ format: 'date-time', description: 'Everything that was answered before is in it' }),
  ...counts,
  root_key: Type.String({ description: 'Name of the root key that opens it, or passphrase' }),
  store_sha256: Type.String(),
}

const resource = (file: string, manifest: BackupManifest) => ({
  file,
  taken_at: manifest.takenAt,
  objects: manifest.objects,
  records: manifest.records,
  schema: manifest.schema,
  transaction: manifest.transaction,
  root_key: manifest.rootKey,
  store_sha256: manifest.storeSha256,
})

const pathSchema = (description: string) =>
  Type.String({ minLength: 1, maxLength: 4096, pattern: '^/[^\\0]*$|^[A-Za-z]:', description })

/** @throws AdministrationError when there is a fault, with the first of them */
const checkSound = (what: string, faults: readonly string[], total: number): void => {
  if (total === 0) return
  const remedy = 'Keep it as it is and restore another backup: docs/backup.md.'
  throw new AdministrationError(
    'conflict',
    `${what} is damaged, ${total} faults: ${faults.slice(0, 5).join('; ')}`,
    remedy,
  )
}

export const backupCommands: readonly CommandRow[] = [
  command({
    verbs: ['backup'],
    method: 'POST',
    path: '/backups',
    summary: 'Back the store up into one sealed file, on the machine of the server, while it serves',
    example: 'backup /mnt/backups/kmipd.backup',
    parameters: {
      file: optional(
        pathSchema('Path of the file, which must not be there; else a name in `backups` of the data folder'),
        {
          positional: true,
          serverPath: true,
        },
      ),
    },
    result: Type.Object({ ...manifestFields, bytes: Type.Integer({ description: 'Size of the file' }) }),
    who: 'administrator',
    rootOnly: true,
    patient: true,
    async handle({ file }, { services }) {
      const { path, bytes, ...manifest } = await services.upkeep.backup(file)
      return { ...resource(path, manifest), bytes }
    },
  }),
  command({
    verbs: ['backup', 'verify'],
    method: 'POST',
    path: '/backups/verify',
    summary: 'Verify a backup: open every record in it with the root key, and compare index and counts',
    example: 'backup verify /mnt/backups/kmipd.backup',
    parameters: {
      file: required(pathSchema('Path of the file on the machine of the server'), {
        positional: true,
        serverPath: true,
      }),
      ...rootKeyParameters('If it is another than that in force: the'),
    },
    result: Type.Object({ ...manifestFields, verified: Type.Boolean() }),
    who: 'administrator',
    rootOnly: true,
    patient: true,
    async handle({ file, root_key: key, passphrase }, { services }) {
      const { manifest, faults } = await services.upkeep.verify(file, { key, passphrase })
      checkSound('The backup', faults, faults.length)
      return { ...resource(file, manifest), verified: true }
    },
  }),
  command({
    verbs: ['store', 'check'],
    method: 'POST',
    path: '/store/check',
    summary: 'Look through the store while it serves: open every record, and compare the index with them',
    example: 'store check',
    parameters: {},
    result: Type.Object({ ...counts, sound: Type.Boolean() }),
    who: 'administrator',
    rootOnly: true,
    patient: true,
    async handle(_values, { services }) {
      const { faults, faultsTotal, ...found } = await services.upkeep.check()
      checkSound('The store', faults, faultsTotal)
      return { ...found, sound: true }
    },
  }),
]
