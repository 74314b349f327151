/**
 * The one refusal of backups, and what else is for the operator: what the file system says. What it is not: a fault of the store.
 */

/** What cannot be backed up, verified or restored, and why. Holds no secret. */
export class BackupRefused extends Error {
  override readonly name = 'BackupRefused'
}

/** Whether it is what the system says of a file, a folder or a disk: that it is full, is not there, or may not be touched. */
export function isOfFiles(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error && 'code' in error && 'errno' in error
}
