/**
 * The one table of commands: the routes of the HTTP interface, the lines of kmipctl, docs/administration.md and the OpenAPI
 * document are made from it. What it is: the list. What it is not: the rows, each group of which has a file in `commands/`.
 */
import type { CommandRow } from './command.ts'
import { clientCommands } from './commands/clients.ts'
import { domainCommands } from './commands/domains.ts'
import { profileCommands } from './commands/profiles.ts'
import { tokenCommands } from './commands/tokens.ts'

export const commands: readonly CommandRow[] = [
  ...domainCommands,
  ...tokenCommands,
  ...profileCommands,
  ...clientCommands,
]

/** What the groups of commands are about: the first verb, and what help says of it. */
export const commandGroups: Readonly<Record<string, string>> = {
  clientmgmt: 'Registration tokens',
  kmip: 'KMIP clients: profiles, tokens for them, registration',
  domains: 'Domains, which see nothing of one another',
}
