/**
 * What an operator does with a server's data, for tests: lines of kmipctl at its socket, the offline commands of kmipd as
 * processes, and keys made and looked for over KMIP. What it is not: a test.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nameAttribute } from '#client/attribute'
import { type Client, createClient } from '#client/client'
import { CryptographicAlgorithm, CryptographicUsageMask, ObjectType } from '#kmip/enums'
import { type LineResult, lineOf } from '#test/admin/running-administration'
import type { RunningServer } from '#test/running-server'

const main = fileURLToPath(import.meta.resolve('#src/main'))

/** Runs a line of kmipctl at the socket of a data directory. */
export const line = (directory: string, ...words: readonly string[]): Promise<LineResult> =>
  lineOf(words, directory, { environment: { KMIPCTL_SOCKET: join(directory, 'admin.sock') } })

/** The same, which must be done. Gives its answer. */
export const done = async (directory: string, ...words: readonly string[]): Promise<Record<string, unknown>> => {
  const { code, error, json } = await line(directory, ...words)
  assert.equal(code, 0, error)
  return json as Record<string, unknown>
}

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

/** Runs a command of kmipd to its end. */
export const kmipd = async (
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> => {
  const child = spawn(process.execPath, [main, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  })
  const told = { out: '', error: '' }
  child.stdout.on('data', (chunk: Buffer) => (told.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (told.error += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...told }
}

/** Every file of a folder with its bytes: to see that nothing was touched. */
export const filesOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .toSorted()
      .map((path) => [path, readFileSync(path).toString('base64')]),
  )

/** Makes a key. Gives its identifier and its material. */
export const makeKey = async (client: Client, name: string): Promise<readonly [string, string]> => {
  const { uniqueIdentifier } = await client.create({
    objectType: ObjectType.SymmetricKey,
    templateAttribute: {
      attribute: [
        nameAttribute(name),
        { attributeName: 'Cryptographic Algorithm', attributeValue: CryptographicAlgorithm.AES },
        { attributeName: 'Cryptographic Length', attributeValue: 256 },
        { attributeName: 'Cryptographic Usage Mask', attributeValue: CryptographicUsageMask.Encrypt },
      ],
    },
  })
  return [uniqueIdentifier, await materialOf(client, uniqueIdentifier)]
}

/** The key material of an object, hexadecimal. */
export const materialOf = async (client: Client, uniqueIdentifier: string): Promise<string> => {
  const { symmetricKey } = await client.get({ uniqueIdentifier })
  const value = symmetricKey?.keyBlock.keyValue
  assert.ok(value !== undefined && !(value instanceof Uint8Array))
  return Buffer.from(value.keyMaterial as Uint8Array).toString('hex')
}

/** A client of a server, as it was registered at another one's first start. */
export const clientOf = (server: RunningServer, registered: RunningServer = server): Client =>
  createClient({ ...registered.connection, port: server.port })
