/**
 * The command line of the administration: from the words of a line to a request, and from its answer to what is shown. What
 * it is: yargs over the table of commands. What it is not: the process (kmipctl-process.ts), the way to the server (`transport.ts`),
 * or a command's meaning.
 */
import yargs, { type Argv } from 'yargs'
import { errorText } from '#actor/error-text'
import { commandGroups, commands } from './api.ts'
import { connectionOf, type Sources } from './cli-connection.ts'
import { shown } from './cli-output.ts'
import { type GivenFlags, valuesOf } from './cli-values.ts'
import { type CommandRow, flagOf } from './command.ts'
import { type Failure, failureRows, Refused } from './failure.ts'
import { requestOf, send } from './transport.ts'

/** What a command line needs of its process. */
export interface CommandLineHost {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Whether the answer is read by a person. */
  readonly isTerminal: boolean
  readonly columns: number | undefined
  /** Whether a question would be seen and answered. */
  readonly canAsk: boolean
  readonly out: (text: string) => void
  readonly error: (text: string) => void
  readonly readFile: (path: string) => string
  /** @param isSecret nobody but its owner may read the file, also one that was there */
  readonly writeFile: (path: string, text: string, isSecret: boolean) => void
  readonly ask: (question: string, secret: boolean) => Promise<string>
}

const program = 'kmipctl'

/**
 * Runs one line.
 * @param words behind the command's name
 * @returns the exit code: 0 when it was done; `failureRows` has the others
 */
export const runCommandLine = async (words: readonly string[], host: CommandLineHost): Promise<number> => {
  try {
    const chosen = await read(withValues(words.map(plainDash)), host)
    if (typeof chosen === 'number') return chosen
    return await run(chosen.row, chosen.flags, host)
  } catch (error) {
    const failure = failureOfLine(error)
    host.error(host.isTerminal ? failureText(failure) : `${JSON.stringify(failure)}\n`)
    return failureRows[failure.code].exitCode
  }
}

/** Documents are set in type, where `-p` becomes `–p`; whoever copies a line from there means the flag. */
const plainDash = (word: string): string => word.replace(/^[–—](?=[A-Za-z])/, '-')

/**
 * The words with a flag and its value in one where the value begins like a flag: one token in 64 does. What is a flag of the
 * command is one, and no value.
 */
const withValues = (words: readonly string[]): readonly string[] => {
  const row = commands.find(({ verbs }) => verbs.every((verb, index) => words[index] === verb))
  if (row === undefined) return words
  const long = new Map<string, string>()
  const forms = Object.entries(row.parameters).map(([name, form]) => ({ ...form, flag: flagOf(name, form) }))
  for (const { flag, short } of [...forms, ...Object.values(row.outFiles ?? {})]) {
    long.set(`--${flag}`, flag)
    if (short !== undefined) long.set(`-${short}`, flag)
  }
  const isFlag = (word: string): boolean =>
    long.has(word.split('=')[0] ?? '') || everyLine.has(word.split('=')[0] ?? '')
  const joined: string[] = []
  for (let index = 0; index < words.length; index += 1) {
    const [word = '', next = ''] = [words[index], words[index + 1]]
    const flag = long.get(word)
    if (flag !== undefined && next.startsWith('-') && !isFlag(next)) {
      joined.push(`--${flag}=${next}`)
      index += 1
    } else joined.push(word)
  }
  return joined
}

/** Flags of every line. */
const everyLine: ReadonlySet<string> = new Set([
  '--configfile',
  '--url',
  '--socket',
  '--json',
  '--help',
  '-h',
  '--version',
])

interface Chosen {
  readonly row: CommandRow
  readonly flags: GivenFlags
}

/** The command that the words name, or the exit code when they were answered already: help, version, completion. */
const read = async (words: readonly string[], host: CommandLineHost): Promise<Chosen | number> => {
  let chosen: Chosen | undefined
  let wrong: string | undefined
  const choose = (row: CommandRow, flags: GivenFlags): void => {
    chosen = { row, flags }
  }
  const parser = grown(baseOf(words, host), [], choose)
    .fail((message: string | null, error: Error | undefined) => {
      wrong ??= message ?? error?.message ?? 'the line cannot be read'
    })
    .exitProcess(false)
  await parser.parseAsync([...words], {}, (_error: unknown, _flags: unknown, output: string) => {
    if (output !== '') host.out(`${output}\n`)
  })
  if (wrong !== undefined)
    throw new Refused('usage', wrong, `${program} ${groupWords(words).join(' ')} --help shows what there is.`)
  return chosen ?? 0
}

const groupWords = (words: readonly string[]): readonly string[] => {
  const end = words.findIndex((word) => word.startsWith('-'))
  return words.slice(0, end === -1 ? 2 : Math.min(end, 2))
}

const baseOf = (words: readonly string[], host: CommandLineHost): Argv =>
  yargs([...words])
    .scriptName(program)
    .usage('$0 <command>: administer a kmipd server')
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'boolean-negation': false,
      'greedy-arrays': false,
      'strip-aliased': true,
    })
    .option('configfile', {
      type: 'string',
      describe: 'YAML file with KSCTL_URL, KSCTL_USERNAME and so on',
      global: true,
    })
    .option('url', {
      type: 'string',
      describe: 'Server to administer: https://host:port; else the local socket',
      global: true,
    })
    .option('socket', { type: 'string', describe: 'Local socket; else ./data/admin.sock', global: true })
    .option('json', { type: 'boolean', describe: 'Answer in JSON, as in a pipe', global: true })
    .group(['configfile', 'url', 'socket', 'json', 'help', 'version'], 'Always:')
    .completion('completion', 'Print a script that completes words in bash or zsh')
    .example(`$0 completion >> ~/.bashrc`, 'complete words from the next shell on')
    .version()
    .help()
    .alias('help', 'h')
    .wrap(Math.min(host.columns ?? 100, 120))
    .strict()

/** The commands below some verbs, each verb a level with its own help. */
const grown = (parser: Argv, above: readonly string[], choose: (row: CommandRow, flags: GivenFlags) => void): Argv => {
  const depth = above.length
  const below = commands.filter(
    ({ verbs }) => verbs.length > depth && above.every((verb, index) => verbs[index] === verb),
  )
  for (const verb of new Set(below.map(({ verbs }) => verbs[depth] ?? ''))) {
    const path = [...above, verb]
    const row = below.find(({ verbs }) => verbs.length === path.length && verbs[depth] === verb)
    if (row !== undefined) {
      // A command that has others below it is one by itself too: `backup` and `backup verify`.
      const isGroup = below.some(({ verbs }) => verbs.length > path.length && verbs[depth] === verb)
      parser.command(
        wordsOf(verb, row),
        row.summary,
        (inner) => withFlags(isGroup ? grown(inner, path, choose) : inner, row),
        (flags) => choose(row, flags),
      )
      continue
    }
    const example = below.find(({ verbs }) => verbs[depth] === verb)?.example ?? ''
    parser.command(verb, commandGroups[path.join(' ')] ?? '', (inner) =>
      grown(inner.usage(`$0 ${path.join(' ')} <command>`).example(`$0 ${example}`, ''), path, choose).demandCommand(
        1,
        1,
        `which of the commands of ${path.join(' ')}?`,
      ),
    )
  }
  if (depth === 0) parser.example('$0 domains list', '').demandCommand(1, 1, 'which command?')
  return parser
}

const wordsOf = (verb: string, row: CommandRow): string => {
  const places = Object.entries(row.parameters).filter(([, { positional }]) => positional === true)
  return [verb, ...places.map(([name, { optional }]) => (optional ? `[${name}]` : `<${name}>`))].join(' ')
}

const withFlags = (parser: Argv, row: CommandRow): Argv => {
  for (const [name, parameter] of Object.entries(row.parameters)) {
    const describe = describedBy(parameter.schema)
    if (parameter.positional === true) {
      parser.positional(name, { type: 'string', describe })
      continue
    }
    parser.option(flagOf(name, parameter), {
      type: 'string',
      describe: parameter.file === undefined ? describe : `${describe} (a file)`,
      ...(parameter.short === undefined ? {} : { alias: parameter.short }),
      ...('items' in parameter.schema ? { array: true } : {}),
      requiresArg: true,
    })
  }
  for (const { flag, description, short } of Object.values(row.outFiles ?? {})) {
    parser.option(flag, {
      type: 'string',
      describe: description,
      requiresArg: true,
      ...(short === undefined ? {} : { alias: short }),
    })
  }
  return parser.usage(`$0 ${row.verbs.join(' ')}\n\n${row.summary}`).example(`$0 ${row.example}`, '')
}

const describedBy = (schema: { readonly description?: unknown }): string =>
  typeof schema.description === 'string' ? schema.description : ''

const run = async (row: CommandRow, flags: GivenFlags, host: CommandLineHost): Promise<number> => {
  const sources: Sources = { flags, environment: host.environment, readFile: host.readFile }
  const connection = connectionOf(sources)
  const values = await valuesOf(row, flags, connection, host)
  const answer = await send(connection, requestOf(row, values), host)
  const form =
    flags['json'] === true || (!host.isTerminal && connection.form === undefined)
      ? 'json'
      : (connection.form ?? 'table')
  const text = shown(answer, form, host.columns)
  if (text !== '') host.out(text.endsWith('\n') ? text : `${text}\n`)
  writeOutFiles(row, flags, answer, host)
  return 0
}

/** Behind the answer, which is given once: what cannot be written is not lost, and keeps no other file from being written. */
const writeOutFiles = (row: CommandRow, flags: GivenFlags, answer: unknown, host: CommandLineHost): void => {
  const unwritten: string[] = []
  for (const [member, { flag, secret }] of Object.entries(row.outFiles ?? {})) {
    const path = flags[flag]
    if (typeof path !== 'string') continue
    const text = memberText(answer, member)
    if (text === undefined) {
      unwritten.push(`--${flag}: the answer has no ${member}, and ${path} is as it was`)
      continue
    }
    try {
      host.writeFile(path, text, secret === true)
    } catch (error) {
      unwritten.push(`--${flag}: the file ${path} cannot be written: ${errorText(error)}`)
    }
  }
  if (unwritten.length > 0)
    throw new Refused('usage', unwritten.join('; '), 'The command was done, and its answer has all that there is.')
}

const memberText = (answer: unknown, member: string): string | undefined => {
  if (typeof answer === 'string') return answer
  const value = (answer as Readonly<Record<string, unknown>> | null)?.[member]
  if (value === undefined) return undefined
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const failureOfLine = (error: unknown): Failure => {
  if (error instanceof Refused) return error.failure
  return { code: 'internal', message: errorText(error), remedy: '' }
}

const failureText = ({ message, remedy }: Failure): string =>
  `${program}: ${message}\n${remedy === '' ? '' : `${remedy}\n`}`
