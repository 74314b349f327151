/**
 * What is written about the commands, from their rows: the page of all lines of kmipctl, and the OpenAPI document. What it
 * is not: help on the terminal (`cli.ts` has yargs make it).
 */
import type { TSchema } from 'typebox'
import { commandGroups, commands } from './api.ts'
import { type CommandRow, flagOf, type Parameter } from './command.ts'
import { failureRows } from './failure.ts'
import { apiPrefix, buildApi } from './http-api.ts'
import type { AdminServices } from './services.ts'

/** The OpenAPI document of the interface. */
export const openApiDocument = async (): Promise<unknown> => {
  const refuse = (): never => {
    throw new TypeError('an interface that is described answers nothing')
  }
  const app = await buildApi({
    commands,
    services: new Proxy({}, { get: refuse }) as AdminServices,
    identify: refuse,
    log: { commandEnded: refuse, commandFailed: refuse },
    bodyBytesMax: 1,
    requestTimeoutMs: 1,
  })
  try {
    return app.swagger()
  } finally {
    await app.close()
  }
}

const who: Readonly<Record<CommandRow['who'], string>> = {
  administrator: 'administrators',
  user: 'every user',
  anyone: 'anybody, without a log-in',
}

/** The page of all commands, as Markdown. */
export const referencePage = (): string => {
  const groups = [...new Set(commands.map(({ verbs }) => verbs[0]))]
  return `${[...introduction, ...groups.flatMap(groupLines)].join('\n')}\n`
}

const introduction = [
  '# Administration',
  '',
  'Made from the rows of `src/admin/api.ts` by `npm run openapi`; a test keeps them equal.',
  '',
  'A server is administered by `kmipctl`, or over HTTP by the resources of `docs/openapi.json`: each command is one request.',
  'On the machine of the server, by the user who runs it, `kmipctl` uses the local socket `admin.sock` in the data folder and',
  'needs no log-in. From elsewhere, start the server with `--admin-port`, set `KMIPCTL_URL=https://host:port`,',
  '`KMIPCTL_USERNAME` and `KMIPCTL_PASSWORD`, and `KMIPCTL_CA` to the `bootstrap/ca.pem` of the server.',
  '',
  '    npm run kmipctl -- users list',
  '    KMIPCTL_SOCKET=/var/lib/kmipd/admin.sock kmipctl users create --name joe --password @joe.password',
  '',
  '## Who is asked, and as whom',
  '',
  'Each of these is taken from the environment, else from the YAML file of `--configfile`. The names with `KSCTL_` in front',
  'mean the same, so that files made for them work as they are.',
  '',
  '| name | meaning |',
  '| --- | --- |',
  '| `KMIPCTL_URL`, `--url` | `https://host:port`; none: the local socket |',
  '| `KMIPCTL_SOCKET`, `--socket` | path of the local socket; `./data/admin.sock` when not given |',
  '| `KMIPCTL_USERNAME`, `KMIPCTL_PASSWORD` | log-in; at a terminal, a missing password is asked for |',
  '| `KMIPCTL_JWT` | the token of a log-in (`kmipctl tokens create`), instead |',
  '| `KMIPCTL_DOMAIN` | domain to administer, by name or identifier; with a token, the one that the token is for |',
  '| `KMIPCTL_AUTH_DOMAIN` | domain of the user, when it is not root |',
  '| `KMIPCTL_NOSSLVERIFY` | `true`: any certificate of the server will do |',
  '| `KMIPCTL_CA` | PEM file of the authority to trust |',
  '| `KMIPCTL_TIMEOUT` | how long to wait: `30`, `30s`, `500ms`, `2m` |',
  '| `KMIPCTL_RESP` | `json`, `yaml` or `table`; when not given, a table on a terminal and JSON in a pipe |',
  '',
  'Lists are `{skip, limit, total, resources}`. What is refused is told as `{code, message, remedy}`. Values that are secrets',
  'can be read from files: `--password @file`; one that begins with `@` is written with two of them. `kmipctl completion` prints',
  'a script that completes words in bash and zsh.',
  '',
  '| code | status of HTTP | exit code |',
  '| --- | --- | --- |',
  ...Object.entries(failureRows).map(([code, { status, exitCode }]) => `| ${code} | ${status} | ${exitCode} |`),
]

const groupLines = (group: string): readonly string[] => [
  '',
  `## ${group}`,
  ...(commandGroups[group] === undefined ? [] : ['', `${commandGroups[group]}.`]),
  ...commands.filter(({ verbs }) => verbs[0] === group).flatMap(commandLines),
]

const commandLines = (row: CommandRow): readonly string[] => [
  '',
  `### ${row.verbs.join(' ')}`,
  '',
  `${row.summary}. For ${who[row.who]}${row.rootOnly === true ? ' of the root domain' : ''}; \`${row.method} ${apiPrefix}${row.path}\`.`,
  '',
  `    kmipctl ${row.example}`,
  ...tableOf([
    ...Object.entries(row.parameters).map(([name, parameter]) => parameterCells(name, parameter)),
    ...Object.values(row.outFiles ?? {}).map(({ flag, short, description }) => [
      flagText(flag, short),
      'no',
      description,
    ]),
  ]),
]

const tableOf = (rows: readonly (readonly string[])[]): readonly string[] =>
  rows.length === 0
    ? []
    : [
        '',
        '| flag | needed | |',
        '| --- | --- | --- |',
        ...rows.map((cells) => `| ${cells.map(escaped).join(' | ')} |`),
      ]

const escaped = (cell: string): string => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')

const flagText = (flag: string, short: string | undefined): string =>
  short === undefined ? `\`--${flag}\`` : `\`--${flag}\`, \`-${short}\``

const parameterCells = (name: string, parameter: Parameter): readonly string[] => [
  parameter.positional === true ? `\`${name}\`` : flagText(flagOf(name, parameter), parameter.short),
  parameter.optional ? 'no' : 'yes',
  `${descriptionOf(parameter.schema)}${parameter.file === undefined ? '' : ' (a file)'}`,
]

const descriptionOf = (schema: TSchema): string =>
  'description' in schema && typeof schema.description === 'string' ? schema.description : ''
