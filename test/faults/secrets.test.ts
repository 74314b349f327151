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
import { type RunningServer, startServerProcess } from '#test/running-server'
import { register } from './load.ts'

/** Each is long enough not to come about by itself. */
const markers: Readonly<Record<string, Buffer>> = {
  'a key': Buffer.from('MARKER-of-a-registered-key-00001'),
  'a destroyed key': Buffer.from('MARKER-of-a-destroyed-key-000001'),
  'secret data': Buffer.from('MARKER of some secret data'),
  'a password': Buffer.from('MARKER of a wrong password'),
  'data to encrypt': Buffer.from('MARKER of what is to be encrypted'),
  'a key that is refused': Buffer.from('MARKER-of-a-key-that-is-refused!'),
}

/** How bytes may be written down. */
const spellings = (marker: Buffer): readonly Buffer[] => {
  const base64 = (skipped: number): string => {
    // A marker within longer bytes begins at any of three places of Base64: what does not depend on its neighbours.
    const text = Buffer.concat([Buffer.alloc(skipped), marker]).toString('base64')
    return text.slice(skipped === 0 ? 0 : 4, -4)
  }
  const hex = marker.toString('hex')
  const texts = [hex, hex.toUpperCase(), base64(0), base64(1), base64(2)]
  const urls = texts.slice(2).map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))
  const list = [...marker].join(',')
  return [
    marker,
    Buffer.from(marker.toReversed()),
    Buffer.from(marker.toString('latin1'), 'utf16le'),
    ...[...texts, ...urls, list].map((text) => Buffer.from(text)),
  ]
}

const found = (bytes: Buffer): readonly string[] =>
  Object.entries(markers)
    .filter(([, marker]) => spellings(marker).some((spelling) => bytes.includes(spelling)))
    .map(([name]) => name)

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

const marker = (name: string): Buffer => {
  const bytes = markers[name]
  assert.ok(bytes !== undefined)
  return bytes
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
  await using stranger = createClient({
    ...server.connection,
    credentials: [
      {
        credentialType: CredentialType.UsernameAndPassword,
        credentialValue: { username: 'kmip', password: marker('a password').toString() },
      },
    ],
  })
  await refused(stranger.discoverVersions())
}

describe('no secret in what the server leaves', () => {
  let directory: string
  let written = Buffer.alloc(0)
  const collect = (server: RunningServer): void => {
    for (const stream of [server.process.stdout, server.process.stderr]) {
      stream?.on('data', (chunk: Buffer) => (written = Buffer.concat([written, chunk])))
    }
  }

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kmipd-secrets-'))
    const start = () => startServerProcess({ directory, flags: ['--log-level', 'trace'] })
    const first = await start()
    collect(first)
    await tell(first)
    await first.kill()
    const second = await start()
    collect(second)
    await using client = createClient(second.connection)
    const { uniqueIdentifier } = await client.locate({ attribute: [nameAttribute('kept')] })
    await client.get({ uniqueIdentifier: uniqueIdentifier[0] ?? '' })
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
    assert.ok(files.has('store.mdb') && files.has('keyring') && files.has(join('logs', 'kmipd.log')))
    for (const [path, bytes] of files) assert.deepEqual(found(bytes), [], path)
  })

  test('in the output, which tells of the requests', () => {
    assert.ok(written.includes('Encrypt') && written.length > 2_000)
    assert.deepEqual(found(written), [])
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
