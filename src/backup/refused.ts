/** The one refusal of backups. What it is: an error whose text is for the operator. What it is not: a fault of the store. */

/** What cannot be backed up, verified or restored, and why. Holds no secret. */
export class BackupRefused extends Error {
  override readonly name = 'BackupRefused'
}
