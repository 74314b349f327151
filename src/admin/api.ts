/**
 * The one table of commands: the routes of the HTTP interface, the lines of kmipctl, docs/administration.md and the OpenAPI
 * document are made from it. What it is: the list. What it is not: the rows, each group of which has a file in `commands/`.
 */
import type { CommandRow } from './command.ts'
import { auditCommands } from './commands/audit.ts'
import { authorityCommands } from './commands/authorities.ts'
import { backupCommands } from './commands/backup.ts'
import { certificateCommands } from './commands/certificates.ts'
import { clientCommands } from './commands/clients.ts'
import { connectionCommands } from './commands/connections.ts'
import { domainCommands } from './commands/domains.ts'
import { featureCommands } from './commands/features.ts'
import { groupCommands } from './commands/groups.ts'
import { interfaceCommands } from './commands/interfaces.ts'
import { keyCommands } from './commands/keys.ts'
import { logCommands } from './commands/logs.ts'
import { profileCommands } from './commands/profiles.ts'
import { rootKeyCommands } from './commands/rootkey.ts'
import { tokenCommands } from './commands/tokens.ts'
import { logInCommands, userCommands } from './commands/users.ts'

export const commands: readonly CommandRow[] = [
  ...tokenCommands,
  ...profileCommands,
  ...clientCommands,
  ...authorityCommands,
  ...certificateCommands,
  ...interfaceCommands,
  ...connectionCommands,
  ...userCommands,
  ...groupCommands,
  ...domainCommands,
  ...logInCommands,
  ...keyCommands,
  ...logCommands,
  ...auditCommands,
  ...featureCommands,
  ...backupCommands,
  ...rootKeyCommands,
]

/** What groups of commands are about, by their verbs: what help says of them. */
export const commandGroups: Readonly<Record<string, string>> = {
  clientmgmt: 'Registration of clients',
  'clientmgmt tokens': 'Registration tokens',
  kmip: 'KMIP clients: profiles, tokens for them, registration',
  ca: 'Certificate authorities, and the certificates that they issue and revoke',
  'ca locals': 'CAs whose keys are here: they issue certificates',
  'ca externals': 'CAs that are elsewhere: interfaces may trust them',
  'ca certs': 'Certificates that local CAs have issued',
  'ca crls': 'Revocation lists (CRLs)',
  interfaces: 'KMIP interfaces: ports, modes and certificates',
  connections: 'Directories (LDAP) whose users log in here',
  users: 'Users and their passwords',
  groups: 'Groups of users, to which keys can be opened',
  domains: 'Domains, which see nothing of one another',
  tokens: 'Log-ins to the administration',
  keys: 'Keys: what is known of them, and who may use them',
  'keys permissions': 'Who may use a key beside its owner',
  logs: 'The log of the server',
  audit: 'The audit trail: who did what',
  licences: 'Licences of the server',
  backup: 'Backups of the store',
  store: 'The store as a whole',
  rootkey: 'The root key, which seals everything',
}
