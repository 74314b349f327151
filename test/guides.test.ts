/**
 * The commands of docs/guides are run as they stand, each guide on a folder of its own, and print what the page shows. What is
 * shown: a line that begins with `$` is run, those below it are compared; `...` stands for any lines, a word in capitals for
 * what was printed there, and for the same in the lines that follow.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { execPath } from 'node:process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { freePort, type RunningServer, startServerProcess } from '#test/running-server'

const root = dirname(import.meta.dirname)
const guides = join(root, 'docs/guides')

interface Step {
  readonly command: string
  readonly shown: readonly string[]
}

/** The commands of a page, each with the lines below it. */
const stepsOf = (page: string): readonly Step[] => {
  const steps: { command: string; shown: string[] }[] = []
  let isOpen = false
  for (const line of page.split('\n')) {
    if (line.startsWith('    $ ')) {
      steps.push({ command: line.slice(6), shown: [] })
      isOpen = true
    } else if (!line.startsWith('    ')) isOpen = false
    else if (isOpen) steps.at(-1)?.shown.push(line.slice(4))
  }
  return steps
}

/** Words that stand for what differs from run to run. */
const placeholder = /\b(?:TOKEN|KEY_ID|ID|UUID)\b/g

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Compares what was printed, and takes what the placeholders stand for. @throws AssertionError */
const compare = (shown: readonly string[], printed: string, bound: Map<string, string>, command: string): void => {
  const lines = printed.trimEnd().split('\n')
  let at = 0
  let isFree = false
  for (const line of shown) {
    if (line === '...') {
      isFree = true
      continue
    }
    const names = [...line.matchAll(placeholder)].map(([name]) => name)
    const pattern = new RegExp(`^${escaped(line).replaceAll(placeholder, '([\\w.-]+)')}$`)
    const found = lines.findIndex((each, index) => index >= at && pattern.test(each))
    assert.ok(isFree ? found >= 0 : found === at, `${command}\nprints no line ${line} there, but\n${printed}`)
    const [, ...values] = pattern.exec(lines[found] ?? '') ?? []
    for (const [index, name] of names.entries()) if (name !== 'UUID') bound.set(name, values[index] ?? '')
    at = found + 1
    isFree = false
  }
  if (shown.length > 0 && !isFree) assert.equal(at, lines.length, `${command} prints more:\n${printed}`)
}

let server: RunningServer
let directory: string
before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kmipd-guides-'))
  server = await startServerProcess({ https: true })
  const kmipctl = `#!/bin/sh\nexec "${execPath}" "${join(root, 'src/kmipctl.ts')}" "$@"\n`
  writeFileSync(join(directory, 'kmipctl'), kmipctl, { mode: 0o700 })
})
after(async () => {
  rmSync(directory, { recursive: true })
  assert.equal(await server.stop(), 0)
  assert.deepEqual(server.failures, [])
})

for (const file of readdirSync(guides).filter((each) => each !== 'README.md')) {
  test(`docs/guides/${file}`, async () => {
    const steps = stepsOf(readFileSync(join(guides, file), 'utf8'))
    assert.ok(steps.length > 3)
    const cwd = mkdtempSync(join(directory, 'guide-'))
    const env = {
      ...process.env,
      PATH: [directory, dirname(execPath), process.env['PATH']].join(delimiter),
      KMIPCTL_SOCKET: join(server.directory, 'admin.sock'),
    }
    // The ports that the page names, and those that they have here.
    const ports = new Map([['5697', String(await freePort())]])
    const bound = new Map<string, string>()
    for (const { command, shown } of steps) {
      const [, made] = /^cat (\S+\.json)$/.exec(command) ?? []
      if (made !== undefined && !existsSync(join(cwd, made))) writeFileSync(join(cwd, made), shown.join('\n'))
      let line = command.replaceAll(placeholder, (name) => bound.get(name) ?? name)
      for (const [named, here] of ports) line = line.replaceAll(named, here)
      line = line
        .replace('docs/examples/first-key.ts', `${join(root, 'docs/examples/first-key.ts')} --port ${server.port}`)
        .replace(/--port \d+(.* --port \d+)/, '$1')
        .replace('--data data', `--data ${server.directory}`)
      let { stdout } = await promisify(execFile)('/bin/sh', ['-c', line], { cwd, env })
      for (const [named, here] of ports) stdout = stdout.replaceAll(here, named)
      compare(shown, stdout, bound, command)
    }
  })
}

test('the table of guides has them all', () => {
  const linked = [...readFileSync(join(guides, 'README.md'), 'utf8').matchAll(/^\| .* \| \[([\w-]+\.md)\]\(\1\) \|$/gm)]
  assert.deepEqual(
    linked.map(([, name = '']) => name).toSorted((left, right) => (left < right ? -1 : 1)),
    readdirSync(guides)
      .filter((each) => each !== 'README.md')
      .toSorted(),
  )
})
