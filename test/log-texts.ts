/**
 * Texts of the server's own making, read from its source: what it logs at a level that wakes somebody, and why it does not
 * start. What it is: a search for calls and the text that they end with, for the test of docs/log.md. What it is not: a parser.
 */
import { isCode, type Repository } from '#test/tidy/source'

/** A text with `…` wherever the server puts something in. */
export interface SourceText {
  /** The level of a line, or `start` for a refusal to start. */
  readonly kind: 'WRN' | 'ERR' | 'FTL' | 'start'
  readonly text: string
}

const callKinds: readonly (readonly [pattern: RegExp, kind: SourceText['kind'], within: RegExp])[] = [
  [/\blogger\.warn\(/g, 'WRN', /^src\//],
  [/\blogger\.error\(/g, 'ERR', /^src\//],
  [/\blogger\.fatal\(/g, 'FTL', /^src\//],
  // What the store tells while it opens becomes a line of level WRN (serve.ts).
  [/\btell\(/g, 'WRN', /^src\/store\/lmdb\//],
  [
    /\bnew (?:Store|RootKey|Bootstrap|Passphrase|FilledGroup|Assertions)Refused\(|\bnew SettingError\(/g,
    'start',
    /^src\/(?:store|crypto|identity|kmip|server|config|root-key|front-parts)/,
  ],
]

/** The texts of all calls, each once, in the order of their names. */
export const textsIn = (repository: Repository): readonly SourceText[] => {
  const found = new Map<string, SourceText>()
  for (const { path, code } of repository.values()) {
    if (!isCode(path)) continue
    for (const [pattern, kind, within] of callKinds) {
      if (!within.test(path)) continue
      for (const { 0: call, index } of code.matchAll(pattern)) {
        for (const text of textOf(argumentsFrom(code, index + call.length)))
          found.set(`${kind} ${text}`, { kind, text })
      }
    }
  }
  return [...found.entries()].toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([, text]) => text)
}

/** What stands between a parenthesis and the one that closes it. Strings of ours have no parentheses that do not match. */
const argumentsFrom = (code: string, start: number): string => {
  let depth = 1
  let at = start
  for (; depth > 0 && at < code.length; at++) {
    if (code[at] === '(') depth += 1
    else if (code[at] === ')') depth -= 1
  }
  return code.slice(start, at - 1)
}

/** The last text of a call: the message of a line, or the only one of an error, whose options may follow. */
const textOf = (given: string): readonly string[] => {
  const literals = [...given.matchAll(/'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g)]
  const texts = literals
    .map(([, single, double, template]) => single ?? double ?? template ?? '')
    .map((text) => text.replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '…'))
    .filter((text) => / /.test(text) && /[a-z]{2}/.test(text))
  return texts.slice(-1)
}
