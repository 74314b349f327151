/**
 * The settings as one typed object, made of defaults, then the environment, then the command line. What it is not: the rows
 * (`setting-rows.ts`), or a place that others read by themselves: `kmipd-process.ts` reads it once and hands values to constructors.
 */

import { parseArgs } from 'node:util'
import { type Row, settingGroups } from './setting-rows.ts'

type Groups = typeof settingGroups
type Union<T> = (T extends unknown ? (value: T) => void : never) extends (value: infer I) => void ? I : never
type Rows = Union<Groups[keyof Groups]>

/** All settings with their values. */
export type Settings = { readonly [Name in keyof Rows]: Rows[Name] extends { readonly value: infer V } ? V : never }

/** Variables that hold secrets: never flags, which every user of the machine can list; never part of the settings. */
export const secretVariables = {
  rootKey: {
    variable: 'KMIPD_ROOT_KEY',
    reason: 'The root key, 64 hexadecimal digits, for `rootKeySource` environment.',
  },
  passphrase: { variable: 'KMIPD_PASSPHRASE', reason: 'The passphrase, for `rootKeySource` passphrase.' },
} as const

/** Secrets that the environment holds. */
export type Secrets = { readonly [Name in keyof typeof secretVariables]: string | undefined }

/** The secrets of the environment; an empty one counts as absent. */
export function readSecrets(environment: Readonly<Record<string, string | undefined>>): Secrets {
  const of = (name: keyof Secrets): string | undefined => environment[secretVariables[name].variable] || undefined
  return { rootKey: of('rootKey'), passphrase: of('passphrase') }
}

/** A setting that cannot be used; the text says which, from where, and what it must be. */
export class SettingError extends Error {
  override readonly name = 'SettingError'
}

const rows: ReadonlyMap<string, Row> = new Map(
  Object.values(settingGroups).flatMap((group) => Object.entries<Row>(group)),
)

/** The command-line flag of a setting, without dashes: `requestSizeMax` is `request-size-max`. */
export function flagOf(name: string, row: Row): string {
  return row.flag ?? name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** The variable of a setting: `requestSizeMax` is `KMIPD_REQUEST_SIZE_MAX`. */
export function variableOf(name: string, row: Row): string {
  return `KMIPD_${flagOf(name, row).toUpperCase().replaceAll('-', '_')}`
}

/**
 * The settings: defaults, over them the environment (`KMIPD_PORT`), over it the command line (`--port 5696`).
 * @param environment the process's variables; an empty one counts as absent.
 * @param flags what follows the command's name on the command line.
 * @throws SettingError for a value out of bounds, an unknown flag or a stray word.
 */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>>,
  flags: readonly string[],
): Settings {
  const given = readFlags(flags)
  const values: Record<string, unknown> = {}
  for (const [name, row] of rows) {
    const flag = flagOf(name, row)
    const variable = variableOf(name, row)
    const fromFlag = given[flag]
    const fromEnvironment = environment[variable]
    if (fromFlag !== undefined) values[name] = readValue(row, fromFlag, `--${flag}`)
    else if (fromEnvironment) values[name] = readValue(row, fromEnvironment, variable)
    else values[name] = row.value
  }
  const settings = values as Settings
  checkTogether(settings)
  return settings
}

/** Variables that start like ours and name no setting: a slip of the pen, to be told, though not fatal. */
export function unknownVariables(environment: Readonly<Record<string, string | undefined>>): string[] {
  const secrets = Object.values(secretVariables).map(({ variable }) => variable)
  const known = new Set([...[...rows].map(([name, row]) => variableOf(name, row)), ...secrets])
  return Object.keys(environment).filter((variable) => variable.startsWith('KMIPD_') && !known.has(variable))
}

function readFlags(flags: readonly string[]): Readonly<Record<string, string | undefined>> {
  const options = Object.fromEntries([...rows].map(([name, row]) => [flagOf(name, row), { type: 'string' as const }]))
  try {
    return parseArgs({ args: [...flags], options, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new SettingError(error instanceof Error ? error.message : String(error))
  }
}

function readValue(row: Row, given: string, source: string): unknown {
  const refuse = (expected: string): never => {
    throw new SettingError(`${source}: ${JSON.stringify(given)} is not ${expected}${linkHint(given)}`)
  }
  if (row.kind === 'integer') {
    const value = /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN
    return value >= row.min && value <= row.max ? value : refuse(`a whole number from ${row.min} to ${row.max}`)
  }
  if (row.kind === 'choice') return row.choices.includes(given) ? given : refuse(`one of ${row.choices.join(', ')}`)
  if (row.kind === 'text') return row.pattern.test(given) ? given : refuse(row.expected)
  const parts = given.split(',').map((part) => part.trim())
  return parts.every((part) => row.pattern.test(part)) ? parts : refuse(row.expected)
}

/** Kubernetes gives every pod variables of its Services, and a Service called kmipd makes KMIPD_PORT one of them. */
function linkHint(given: string): string {
  return given.startsWith('tcp://') ? ' (a Service link of Kubernetes: set enableServiceLinks to false)' : ''
}

function checkTogether(settings: Settings): void {
  const old = settings.minTlsVersion === 'TLSv1' || settings.minTlsVersion === 'TLSv1.1'
  if (old && settings.tlsProfile !== 'compatible') {
    throw new SettingError(`minTlsVersion ${settings.minTlsVersion} needs tlsProfile compatible`)
  }
  if (settings.unansweredBytesMax < settings.requestSizeMax) {
    throw new SettingError(
      'unansweredBytesMax must be at least requestSizeMax, or a request of full size could never be read',
    )
  }
}
