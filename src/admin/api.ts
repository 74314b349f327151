/**
 * The one table of commands: the routes of the HTTP interface, the lines of kmipctl, docs/administration.md and the OpenAPI
 * document are made from it. What it is: the list. What it is not: the rows, each group of which has a file in `commands/`.
 */
import type { CommandRow } from './command.ts'
import { domainCommands } from './commands/domains.ts'

export const commands: readonly CommandRow[] = [...domainCommands]

/** What the groups of commands are about: the first verb, and what help says of it. */
export const commandGroups: Readonly<Record<string, string>> = {
  domains: 'Domains, which see nothing of one another',
}
