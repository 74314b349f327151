/**
 * Secrets in places where they must not be: bytes that are known are given to a server, which is made to fail and is killed, and
 * are then searched for in every file that it has, every line that it wrote and every answer. What it is: a search in all
 * spellings. What it is not: what memory holds; SECURITY.md says what is promised of that.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { commands } from '#admin/api'
import { runCommandLine } from '#admin/cli'
import { attribute, nameAttribute } from '#client/attribute'
import { createClient } from '#client/client'
import { KmipResponseError } from '#client/errors'
import {
  BlockCipherMode,
  CredentialType,
  CryptographicUsageMask,
  KeyFormatType,
  ObjectType,
  PaddingMethod,
  SecretDataType,
} from '#kmip/enums'
import { freePort, type RunningServer, startServerProcess } from '#test/running-server'
import { register } from './load.ts'
import { found, marker, markers, spellings } from './markers.ts'

const filesOf = async (directory: string): Promise<ReadonlyMap<string, Buffer>> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return new Map(
    await Promise.all(paths.map(async (path) => [relative(directory, path), await readFile(path)] as const)),
  )
}

const refusals: string[] = []
const refused = async (request: Promise<unknown>): Promise<void> => {
  try {
    await request
    assert.fail('this is refused')
  } catch (error) {
    if (!(error instanceof KmipResponseError)) throw error
    refusals.push(JSON.stringify(error), error.message)
  }
}

const masks = CryptographicUsageMask.Encrypt | CryptographicUsageMask.Decrypt

/** Gives the server all markers, in requests that succeed and in requests that do not. */
const tell = async (server: RunningServer): Promise<void> => {
  await using client = createClient(server.connection)
  const { uniqueIdentifier } = await register(client, marker('a key'), 'kept')
  await client.activate({ uniqueIdentifier })
  await client.get({ uniqueIdentifier })
  const cryptographicParameters = { blockCipherMode: BlockCipherMode.CBC, paddingMethod: PaddingMethod.PKCS5 }
  const data = marker('data to encrypt')
  await client.encrypt({ uniqueIdentifier, cryptographicParameters, data, ivCounterNonce: Buffer.alloc(16) })
  await refused(client.encrypt({ uniqueIdentifier, cryptographicParameters, data, ivCounterNonce: Buffer.alloc(3) }))
  const { uniqueIdentifier: destroyed } = await register(client, marker('a destroyed key'))
  await client.get({ uniqueIdentifier: destroyed })
  await client.destroy({ uniqueIdentifier: destroyed })
  const secret = {
    objectType: ObjectType.SecretData,
    templateAttribute: { attribute: [attribute('Cryptographic Usage Mask', masks), nameAttribute('secret')] },
    secretData: {
      secretDataType: SecretDataType.Password,
      keyBlock: {
        keyFormatType: KeyFormatType.Opaque,
        keyValue: { keyMaterial: marker('secret data'), attribute: [] },
      },
    },
  }
  await client.register(secret)
  // Its Name is taken, and its bytes are no key of this length.
  await refused(register(client, marker('a key that is refused'), 'kept'))
  await refused(register(client, Buffer.concat([marker('a key that is refused'), Buffer.alloc(1)])))
  await tellAgain(server)
}

/** What the command line says of a server: a user and a directory are made, everything that can be shown without a name is shown. */
const operatorsLines = async (server: RunningServer, keys: readonly string[]): Promise<ReadonlyMap<string, string>> => {
  const told = new Map<string, string>()
  const line = async (...words: readonly string[]): Promise<void> => {
    let text = ''
    const take = (more: string): void => void (text += more)
    const code = await runCommandLine([...words, '--socket', join(server.directory, 'admin.sock')], {
      environment: {},
      isTerminal: false,
      columns: 100,
      canAsk: false,
      out: take,
      error: take,
      readFile: (path) => assert.fail(`${path} is not to be read`),
      writeFile: (path, content) => take(`${path}: ${content}`),
      ask: async () => '',
    })
    told.set(words.slice(0, 2).join(' '), text)
    assert.equal(code, 0, `${words.join(' ')}: ${text}`)
  }
  const password = marker("a user's password").toString()
  await line('users', 'create', '--name', 'joe', '--password', password)
  const directory = ['--server-url', 'ldap://127.0.0.1:1', '--root-dn', 'dc=example', '--bind-dn', 'cn=reader']
  const bindPassword = marker('the password of a directory').toString()
  await line('connections', 'create', '--name', 'corporate', ...directory, '--bind-password', bindPassword)
  await line('connections', 'get', '--name', 'corporate')
  await line('users', 'get', '--id', 'joe')
  for (const key of keys) await line('keys', 'show', key)
  await line('audit', 'verify')
  await line('backup', join(server.directory, 'kept.backup'))
  for (const { verbs, method, parameters } of commands) {
    const needsNothing = Object.values(parameters).every(({ optional }) => optional)
    if (method === 'GET' && needsNothing) await line(...verbs)
  }
  return told
}

const pages = ['/metrics', '/healthz', '/readyz', '/openapi.json']

/** The wrong password again: the log and the counts of the second start have it, too, if any has. */
const tellAgain = async (server: RunningServer): Promise<void> => {
  const credentialValue = { username: 'kmip', password: marker('a wrong password').toString() }
  await using stranger = createClient({
    ...server.connection,
    credentials: [{ credentialType: CredentialType.UsernameAndPassword, credentialValue }],
  })
  await refused(stranger.discoverVersions())
}

describe('no secret in what the server leaves', () => {
  let directory: string
  let written = Buffer.alloc(0)
  let lines: ReadonlyMap<string, string> = new Map()
  const watched = new Map<string, string>()
  const collect = (server: RunningServer): void => {
    for (const stream of [server.process.stdout, server.process.stderr]) {
      stream?.on('data', (chunk: Buffer) => (written = Buffer.concat([written, chunk])))
    }
  }

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kmipd-secrets-'))
    const start = (...flags: readonly string[]) =>
      startServerProcess({ directory, flags: ['--log-level', 'trace', ...flags] })
    const first = await start()
    collect(first)
    await tell(first)
    await first.kill()
    const port = await freePort()
    const second = await start('--metrics-port', String(port))
    collect(second)
    await using client = createClient(second.connection)
    const { uniqueIdentifier } = await client.locate({ attribute: [nameAttribute('kept')] })
    await client.get({ uniqueIdentifier: uniqueIdentifier[0] ?? '' })
    await tellAgain(second)
    lines = await operatorsLines(second, uniqueIdentifier)
    for (const page of pages) {
      watched.set(page, await (await fetch(`http://127.0.0.1:${port}${page}`)).text())
    }
    assert.equal(await second.stop(), 0)
  })
  after(() => rm(directory, { recursive: true, force: true }))

  test('the search finds what is there, in any spelling', () => {
    for (const [name, bytes] of Object.entries(markers)) {
      for (const spelling of spellings(bytes)) {
        assert.deepEqual(found(Buffer.concat([Buffer.from('before '), spelling, Buffer.from(' after')])), [name])
      }
      const around = Buffer.concat([Buffer.from('x'), bytes, Buffer.from('yy')])
      for (const encoding of ['base64', 'base64url', 'hex'] as const) {
        assert.deepEqual(found(Buffer.from(around.toString(encoding))), [name], encoding)
      }
    }
  })

  test('in files', async () => {
    const files = await filesOf(directory)
    const names = [...files.keys()]
    for (const name of ['store.mdb', 'keyring', join('logs', 'kmipd.log'), 'kept.backup'])
      assert.ok(files.has(name), name)
    assert.ok(
      names.some((name) => name.startsWith('audit')),
      `an audit trail: ${names.join()}`,
    )
    for (const [path, bytes] of files) assert.deepEqual(found(bytes), [], path)
  })

  test('in the output, which tells of the requests', () => {
    assert.ok(written.includes('Encrypt') && written.length > 2_000)
    assert.deepEqual(found(written), [])
  })

  test('in metrics and in what tells of health', () => {
    assert.match(watched.get('/metrics') ?? '', /kmipd_operations_total/)
    for (const [page, text] of watched) assert.deepEqual(found(Buffer.from(text)), [], page)
  })

  test('in what the command line shows', () => {
    for (const name of ['keys show', 'keys list', 'users list', 'connections get', 'logs download', 'audit verify']) {
      assert.ok((lines.get(name)?.length ?? 0) > 10, name)
    }
    for (const [name, text] of lines) assert.deepEqual(found(Buffer.from(text)), [], name)
  })

  test('in refusals', () => {
    assert.ok(refusals.length > 0)
    assert.deepEqual(found(Buffer.from(refusals.join('\n'))), [])
  })

  test('the keys of the server itself are in their own files alone', async () => {
    const files = await filesOf(directory)
    const text = (path: string): string => (files.get(path) ?? Buffer.alloc(0)).toString('latin1').trim()
    const own = {
      'root.key': [text('root.key'), Buffer.from(text('root.key'), 'hex').toString('latin1')],
      'bootstrap/admin-password': [text('bootstrap/admin-password')],
      'bootstrap/client.key': text('bootstrap/client.key').split('\n').slice(1, 2),
    }
    for (const [owner, secrets] of Object.entries(own)) {
      for (const secret of secrets) {
        assert.ok(secret.length > 16, owner)
        const at = [...files].filter(([, bytes]) => bytes.includes(Buffer.from(secret, 'latin1'))).map(([path]) => path)
        assert.deepEqual(
          at.filter((path) => path !== owner),
          [],
        )
        assert.ok(!written.includes(Buffer.from(secret, 'latin1')))
      }
    }
  })
})
