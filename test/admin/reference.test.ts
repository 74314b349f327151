/**
 * Every command line of the reference, taken from its text, runs as it stands there against a real server, with `kmipctl`
 * for the name of the original, and its answer has the members of the answer that the text shows. The text is not ours to
 * carry: `KMIPD_REFERENCE` names its folder.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runCommandLine } from '#admin/cli'
import { freePort, type RunningServer, startServerProcess } from '#test/running-server'

const folder = process.env['KMIPD_REFERENCE']

/** A line, and the answer that stands behind it, if one does. */
interface ReferenceLine {
  readonly line: string
  readonly answer: unknown
}

const textOf = (path: string): string =>
  readdirSync(path)
    .filter((name) => name.endsWith('.txt'))
    .toSorted()
    .map((name) => readFileSync(join(path, name), 'utf8'))
    .join('\n')

/** The JSON object that begins at a place of a text: some of its texts were cut with no regard to escapes. */
const objectAt = (text: string, start: number): unknown => {
  let depth = 0
  let quoted = false
  for (let at = start; at < text.length; at += 1) {
    const character = text[at]
    if (character === '\\') at += 1
    else if (character === '"') quoted = !quoted
    else if (!quoted && character === '{') depth += 1
    else if (!quoted && character === '}') depth -= 1
    if (depth === 0) return JSON.parse(text.slice(start, at + 1).replaceAll(/\\(?!["\\/bfnrtu])/g, '\\\\'))
  }
  throw new TypeError('an object of the reference does not end')
}

const linesOf = (text: string): readonly ReferenceLine[] => {
  const found = [...text.matchAll(/^ksctl .+$/gm)]
  return found.map(({ 0: line, index }, position) => {
    const end = found[position + 1]?.index ?? text.length
    const behind = index + line.length
    const response = text.indexOf('Response:', behind)
    const brace = response === -1 || response > end ? -1 : text.indexOf('{', response)
    return { line, answer: brace === -1 ? undefined : objectAt(text, brace) }
  })
}

/** Paths of all members: of the first entry where there are several. */
const membersOf = (value: unknown, above = ''): readonly string[] => {
  if (Array.isArray(value)) return membersOf(value[0], above)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [`${above}${name}`, ...membersOf(inner, `${above}${name}.`)])
}

describe('the command lines of the reference', {
  skip: folder === undefined ? 'KMIPD_REFERENCE names no folder' : false,
}, () => {
  const text = folder === undefined ? '' : textOf(folder)
  const lines = linesOf(text)
  let server: RunningServer
  let port = 0
  /** What stands in the text, and what it is here. */
  const here = new Map<string, string>()

  const kmipctl = async (words: readonly string[]): Promise<{ code: number; out: string; error: string }> => {
    const told = { out: '', error: '' }
    const place = (path: string): string => (path.startsWith('/') ? path : join(server.directory, path))
    const code = await runCommandLine(words, {
      environment: {},
      isTerminal: false,
      columns: undefined,
      canAsk: false,
      out: (part) => {
        told.out += part
      },
      error: (part) => {
        told.error += part
      },
      readFile: (path) => readFileSync(place(path), 'utf8'),
      writeFile: (path, content) => writeFileSync(place(path), content, { mode: 0o600 }),
      ask: async () => '',
    })
    return { code, ...told }
  }
  const prepared = async (...words: readonly string[]): Promise<void> => {
    const { code, error } = await kmipctl([...words, '--configfile', 'config_example.yaml'])
    assert.equal(code, 0, `${words.join(' ')}: ${error}`)
  }

  before(async () => {
    const adminPort = await freePort()
    port = await freePort()
    server = await startServerProcess({ flags: ['--admin-port', String(adminPort)] })
    const write = (name: string, content: string): void => writeFileSync(join(server.directory, name), content)
    const password = readFileSync(join(server.directory, 'bootstrap', 'admin-password'), 'utf8').trim()
    const configuration = {
      KSCTL_URL: `https://127.0.0.1:${adminPort}`,
      KSCTL_USERNAME: 'admin',
      KSCTL_PASSWORD: password,
      KSCTL_NOSSLVERIFY: true,
      KSCTL_TIMEOUT: 30,
      KSCTL_RESP: 'json',
    }
    write('config_example.yaml', JSON.stringify(configuration))
    // The second example of a profile: the request in the first is cut.
    const profile = text.indexOf('"csr_cn"')
    write('profile.json', JSON.stringify(objectAt(text, text.lastIndexOf('{', profile))))
    write('device_cred.json', JSON.stringify(objectAt(text, text.lastIndexOf('{', text.indexOf('"serial_no"')))))
    await prepared('users', 'create', '-n', 'user1')
  })
  after(() => server.stop())

  test('are found', () => {
    assert.equal(lines.length, 11)
    assert.equal(lines.filter(({ answer }) => answer !== undefined).length, 9)
  })

  for (const { line, answer } of lines) {
    // A form to fill in; the example behind it is tried.
    if (line.includes('<')) continue
    test(line.slice(0, 72), async () => {
      // Two ways to make the same profile stand one behind the other.
      if (line.includes('device_cred.json')) await prepared('kmip', 'deleteprofile', '-p', 'kmipprofile1')
      const words = line
        .trim()
        .split(/\s+/)
        .slice(1)
        .map((word) => here.get(word) ?? word.replace('5697', String(port)))
      if (!words.includes('--configfile')) words.push('--configfile', 'config_example.yaml')
      const { code, out, error } = await kmipctl(words)
      assert.equal(code, 0, error)
      const got: unknown = JSON.parse(out)
      const { token } = (answer ?? {}) as { readonly token?: string }
      if (token !== undefined) here.set(token, (got as { readonly token: string }).token)
      // What is in the properties of a profile is what was given.
      const wanted = membersOf(answer).filter((member) => !member.startsWith('properties.'))
      const members = membersOf(got)
      assert.deepEqual(
        wanted.filter((member) => !members.includes(member)),
        [],
      )
    })
  }

  test('logs download, which stands within a sentence', async () => {
    assert.match(text, /ksctl logs download command/)
    await prepared('logs', 'download')
  })

  test('the files of the registered client are written', () => {
    const read = (name: string): string => readFileSync(join(server.directory, name), 'utf8')
    assert.match(read('ClientCert.pem'), /^-----BEGIN CERTIFICATE-----/)
    assert.match(read('ClientKey.pem'), /^-----BEGIN RSA PRIVATE KEY-----/)
  })
})
