/**
 * What was given on a command line, looked at before anything is started: numbers that measure nothing, and files that could not
 * be written when all is measured. What it is not: the options themselves (commands/, options.ts).
 */
import { mustBeWritable } from './machine.ts'

/** Numbers that may have a fraction, and numbers that may be 0; all others are whole and at least 1. */
const fractions: ReadonlySet<string> = new Set(['seconds', 'warmup', 'timeout', 'rate', 'pace-ms'])
const zeros: ReadonlySet<string> = new Set(['warmup', 'pace-ms', 'repeats', 'held', 'objects'])

/** Where reports go. */
const files: readonly string[] = ['json', 'csv', 'html', 'markdown']

/** @throws Error that names the option, for a number that no option takes or a file that cannot be written */
export const checkGiven = (values: Readonly<Record<string, unknown>>): void => {
  for (const [name, value] of Object.entries(values)) {
    // Each name with a hyphen is there a second time without.
    if (typeof value === 'number' && !/[A-Z]/.test(name)) checkNumber(name, value)
    if (typeof value === 'string' && files.includes(name)) checkFile(name, value)
  }
}

const checkNumber = (name: string, value: number): void => {
  const isFraction = fractions.has(name)
  const mayBeZero = zeros.has(name)
  const fits = isFraction ? Number.isFinite(value) : Number.isSafeInteger(value)
  if (fits && (mayBeZero ? value >= 0 : value > 0)) return
  const least = mayBeZero ? 'of 0 or more' : isFraction ? 'above 0' : 'of 1 or more'
  throw new Error(`--${name}: ${value} is no ${isFraction ? 'number' : 'whole number'} ${least}`)
}

const checkFile = (name: string, path: string): void => {
  try {
    mustBeWritable(path)
  } catch (cause) {
    throw new Error(`--${name}: the report could not be written`, { cause })
  }
}
