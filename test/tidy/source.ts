/**
 * The repository as text, for the rules of `rules.ts`. What it is: the files of a folder without those that are never
 * committed, their code without comments, and what each refers to. What it is not: a parser of TypeScript; it knows
 * comments, strings, templates and regular expressions, and nothing else.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

/** A file: its path from the repository's top, its text, and its text with comments blanked (same length, same lines). */
export interface SourceFile {
  readonly path: string
  readonly text: string
  readonly code: string
}

/** A file that another one names in a string: by import, by URL or by `import.meta.resolve`. */
export interface Reference {
  readonly specifier: string
  readonly line: number
  /** Not an import, but a path in a string: it keeps a file in use, and says nothing of directions. */
  readonly isMention: boolean
  /** Path from the repository's top; undefined for a package. */
  readonly target: string | undefined
}

/** Files by path. */
export type Repository = ReadonlyMap<string, SourceFile>

const neverCommitted = /^(?:node_modules|dist|data|\.git|\.bench)$|\.log$/
const binary = /\.(?:png|jpg|ico|mdb|der|p12|gz|zip)$/

/** Whether a file is TypeScript. */
export const isCode = (path: string): boolean => path.endsWith('.ts')

/** A repository of texts by path: what the tests of the rules are made of. */
export const repositoryOf = (texts: Readonly<Record<string, string>>): Repository =>
  new Map(
    Object.entries(texts).map(([path, text]) => [
      path,
      { path, text, code: isCode(path) ? withoutComments(text) : text },
    ]),
  )

/** The files below a folder that can be committed. */
export const readRepository = (root: string): Repository => {
  const texts: Record<string, string> = {}
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (neverCommitted.test(entry.name) || binary.test(entry.name)) continue
      if (entry.isDirectory()) walk(path)
      else if (entry.isFile()) texts[path] = readFileSync(join(root, path), 'utf8')
    }
  }
  walk('')
  return repositoryOf(texts)
}

/** The line of a place in a text, from 1. */
export const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length

const tokens = {
  lineComment: /\/\/[^\n]*/y,
  blockComment: /\/\*[\s\S]*?\*\//y,
  quoted: /'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"/y,
  templatePart: /(?:\\[\s\S]|[^`\\$]|\$(?!\{))*/y,
  regularExpression: /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y,
} as const

/** A slash after one of these begins a regular expression; after anything else it divides. */
const beforeExpression = /(?:^|[(,=:[!&|?{};<>+\-*%~^]|\b(?:return|typeof|case|in|of|await|yield|void))\s*$/

/** Code with every comment replaced by blanks. */
export const withoutComments = (text: string): string => {
  let code = ''
  let at = 0
  /** For each template whose `${` is open: how many braces are open within it. */
  const templates: number[] = []
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(text)?.[0]
  }
  const keep = (part: string): void => {
    code += part
    at += part.length
  }
  const template = (): void => {
    keep(match(tokens.templatePart) ?? '')
    if (text[at] === '`') keep('`')
    else if (text.startsWith('${', at)) {
      keep('${')
      templates.push(0)
    }
  }
  while (at < text.length) {
    const character = text[at] ?? ''
    const comment = match(tokens.lineComment) ?? match(tokens.blockComment)
    if (comment !== undefined) {
      code += comment.replace(/[^\n]/g, ' ')
      at += comment.length
    } else if (character === '`') {
      keep('`')
      template()
    } else if (character === '}' && templates.at(-1) === 0) {
      templates.pop()
      keep('}')
      template()
    } else {
      const open = templates.length - 1
      if (character === '{' && open >= 0) templates[open] = (templates[open] ?? 0) + 1
      if (character === '}' && open >= 0) templates[open] = (templates[open] ?? 0) - 1
      const expression = character === '/' && beforeExpression.test(code.slice(-40))
      keep(match(tokens.quoted) ?? (expression ? match(tokens.regularExpression) : undefined) ?? character)
    }
  }
  return code
}

const imported =
  /(?:^(?:import|export)\s+(?:type\s+)?(?:\w+\s*,?\s*)?(?:\{[^}]*\}|\*(?:\s+as\s+\w+)?)?\s*(?:from\s*)?|\bimport\()(['"])([^'"\n]+)\1/gm
/** `./x.ts` and `#room/x` anywhere, and `x.ts` as it is joined to the folder of the file. */
const named = /(['"`])(#\w+\/[\w./-]+|(?:\.\/)?[\w./-]+\.ts)\1/g

const topFolders = ['src', 'test', 'bench', 'conformance', 'tools', 'workers']

/** Where a specifier leads: by its relative path, or `#room/x` by the pattern of package.json's "imports". */
const targetOf = (path: string, specifier: string): string | undefined => {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(path), specifier)
  const [, room, rest] = /^#(\w+)\/(.+)$/.exec(specifier) ?? []
  if (room !== undefined && rest !== undefined) return `${topFolders.includes(room) ? room : `src/${room}`}/${rest}.ts`
  return specifier.endsWith('.ts') ? posix.join(posix.dirname(path), specifier) : undefined
}

/** Everything that a file imports or names by path, once per line. */
export const referencesOf = ({ path, code }: SourceFile): readonly Reference[] => {
  const found = new Map<string, Reference>()
  const note = (pattern: RegExp, group: number, isMention: (specifier: string) => boolean): void => {
    for (const match of code.matchAll(pattern)) {
      const specifier = match[group] ?? ''
      // The line on which the specifier stands: an import can be longer.
      const line = lineAt(code, match.index + match[0].length)
      const target = targetOf(path, specifier)
      found.set(`${line} ${specifier}`, { specifier, line, target, isMention: isMention(specifier) })
    }
  }
  // A specifier with `#` can only be resolved or imported.
  note(named, 2, (specifier) => !specifier.startsWith('#'))
  note(imported, 2, () => false)
  return [...found.values()]
}
