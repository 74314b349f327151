/**
 * Values of a command from the words of a line: what each schema says that a word is, files read, secrets asked for. What it
 * is not: the check of the values, which is the server's.
 */
import { resolve } from 'node:path'
import type { TSchema } from 'typebox'
import { parse } from 'yaml'
import type { Connection } from './cli-connection.ts'
import { type CommandRow, flagOf, type Parameter } from './command.ts'
import { Refused } from './failure.ts'

export type GivenFlags = Readonly<Record<string, unknown>>

interface Asking {
  readonly canAsk: boolean
  readonly readFile: (path: string) => string
  readonly ask: (question: string, secret: boolean) => Promise<string>
}

/** The values that a line gives to a command. @throws Refused */
export const valuesOf = async (
  row: CommandRow,
  flags: GivenFlags,
  connection: Connection,
  host: Asking,
): Promise<Readonly<Record<string, unknown>>> => {
  const values: Record<string, unknown> = {}
  for (const [name, parameter] of Object.entries(row.parameters)) {
    const flag = parameter.positional === true ? name : flagOf(name, parameter)
    const given = flags[flag] ?? (row.who === 'anyone' ? connection.known[name] : undefined)
    if (given !== undefined) {
      values[name] = valueOf(flag, parameter, given, host)
    } else if (!parameter.optional) {
      if (!host.canAsk)
        throw new Refused('usage', `--${flag} is needed`, `kmipctl ${row.verbs.join(' ')} --help shows an example.`)
      values[name] = convert(flag, parameter.schema, await host.ask(`${flag}: `, parameter.secret === true))
    }
  }
  return values
}

const valueOf = (flag: string, parameter: Parameter, given: unknown, host: Asking): unknown => {
  if (Array.isArray(given)) return given.flatMap((word: unknown) => String(word).split(','))
  const word = String(given)
  if (parameter.serverPath === true) return resolve(word)
  if (parameter.file !== undefined) {
    const text = contentOf(flag, word, host)
    return parameter.file === 'text' ? text : structured(flag, text)
  }
  if (parameter.secret === true && word.startsWith('@')) {
    // A secret that itself begins so is given with two.
    return word.startsWith('@@') ? word.slice(1) : contentOf(flag, word.slice(1), host).replace(/\r?\n$/, '')
  }
  return convert(flag, parameter.schema, word)
}

const contentOf = (flag: string, path: string, host: Asking): string => {
  try {
    return host.readFile(path)
  } catch (error) {
    throw new Refused(
      'usage',
      `--${flag}: the file ${path} cannot be read: ${error instanceof Error ? error.message : ''}`,
    )
  }
}

/** JSON is YAML: one reader for both, without aliases, which can make much of little. */
const structured = (flag: string, text: string): unknown => {
  try {
    return parse(text, { schema: 'core', maxAliasCount: 0 })
  } catch (error) {
    throw new Refused('usage', `--${flag}: neither JSON nor YAML: ${error instanceof Error ? error.message : ''}`)
  }
}

const convert = (flag: string, schema: TSchema, word: string): unknown => {
  const { type } = schema as { readonly type?: unknown }
  if (type === 'integer' || type === 'number') {
    if (!/^-?\d{1,15}(?:\.\d+)?$/.test(word))
      throw new Refused('usage', `--${flag}: ${JSON.stringify(word)} is not a number`)
    return Number(word)
  }
  if (type === 'boolean') {
    if (word !== 'true' && word !== 'false') throw new Refused('usage', `--${flag} is true or false`)
    return word === 'true'
  }
  if (type === 'array') return word.split(',')
  return type === 'object' ? structured(flag, word) : word
}
