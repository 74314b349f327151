/**
 * The command lines of what is run by hand: help, whole numbers, choices, and one line for what is wrong. What it is not: the
 * commands.
 */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

/** For what was given wrongly; 1 is for what a command finds. */
const usageExitCode = 2

interface CommandLine<T extends ParseArgsOptionsConfig> {
  /** `npm run sim`, and what it does. */
  readonly command: string
  readonly text: string
  readonly options: T
  /** Options that are whole numbers of so much or more. */
  readonly numbers: { readonly [name in keyof T]?: number }
  /** Options that are one of some words. */
  readonly choices?: { readonly [name in keyof T]?: readonly string[] }
}

type Values<T extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ args: string[]; options: T }>>['values']

/** The values of the process's arguments. Ends the process after `--help`, and for what is wrong. */
export const commandLine = <const T extends ParseArgsOptionsConfig>(line: CommandLine<T>): Values<T> => {
  const words = process.argv.slice(2)
  if (words.includes('--help')) {
    process.stdout.write(helpOf(line))
    process.exit(0)
  }
  try {
    const { values } = parseArgs<{ args: string[]; options: T }>({ args: words, options: line.options })
    for (const [name, value] of Object.entries<unknown>(values)) check(line, name, [value].flat())
    return values
  } catch (error) {
    process.stderr.write(`${line.command}: ${error instanceof Error ? error.message : String(error)}\n`)
    return process.exit(usageExitCode)
  }
}

const check = <T extends ParseArgsOptionsConfig>(
  { numbers, choices }: CommandLine<T>,
  name: string,
  given: readonly unknown[],
): void => {
  const least = numbers[name]
  const known = choices?.[name]
  for (const value of given) {
    const isNumber = least === undefined || (Number.isSafeInteger(Number(value)) && Number(value) >= least)
    if (!isNumber) throw new Error(`--${name}: ${String(value)} is no whole number of ${least} or more`)
    if (known !== undefined && !known.includes(String(value)))
      throw new Error(`--${name}: there is no ${String(value)}; there are ${known.join(' | ')}`)
  }
}

const helpOf = <T extends ParseArgsOptionsConfig>({ command, text, options, choices }: CommandLine<T>): string => {
  const rows = Object.entries(options).map(([name, option]) => {
    const given = typeof option.default === 'string' ? `default ${option.default}` : ''
    const several = option.multiple === true ? 'may be given several times' : ''
    const words = choices?.[name]?.join(' | ') ?? ''
    return `  --${name.padEnd(14)} ${[given, several, words].filter((part) => part !== '').join('; ')}`.trimEnd()
  })
  return `${command} -- [options]\n\n${text}\n\n${rows.join('\n')}\n`
}
