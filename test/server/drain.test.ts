/** SIGTERM under load: what was taken is answered, what was answered is there after the next start, and the process ends well. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { attribute } from '#client/attribute'
import { type Client, createClient } from '#client/client'
import { ConnectionLost } from '#client/errors'
import { CryptographicAlgorithm, CryptographicUsageMask, ObjectType } from '#kmip/enums'
import { startServerProcess } from '#test/running-server'

const creation = {
  objectType: ObjectType.SymmetricKey,
  templateAttribute: {
    attribute: [
      attribute('Cryptographic Algorithm', CryptographicAlgorithm.AES),
      attribute('Cryptographic Length', 256),
      attribute('Cryptographic Usage Mask', CryptographicUsageMask.Encrypt),
    ],
  },
}

/** Creates without pause until the server ends the session; gives what it acknowledged. */
const createUntilTheEnd = async (client: Client, first: () => void): Promise<readonly string[]> => {
  const acknowledged: string[] = []
  try {
    for (;;) {
      const answers = await Promise.allSettled(Array.from({ length: 8 }, () => client.create(creation)))
      for (const answer of answers) {
        if (answer.status === 'fulfilled') acknowledged.push(answer.value.uniqueIdentifier)
      }
      first()
      const lost = answers.find((answer) => answer.status === 'rejected')
      if (lost !== undefined) throw lost.reason
    }
  } catch (error) {
    assert(error instanceof ConnectionLost, String(error))
  }
  return acknowledged
}

for (const fronts of ['1', '2']) {
  test(`SIGTERM under load, fronts: ${fronts}`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kmipd-drain-'))
    try {
      const server = await startServerProcess({ directory, flags: ['--fronts', fronts] })
      const clients = Array.from({ length: 4 }, () => createClient({ ...server.connection, pipelineMax: 8 }))
      const begun = Promise.withResolvers<void>()
      const creating = clients.map((client) => createUntilTheEnd(client, begun.resolve))
      await begun.promise
      assert.equal(await server.stop(), 0)
      const acknowledged = (await Promise.all(creating)).flat()
      await Promise.all(clients.map((client) => client.close()))
      assert(acknowledged.length >= 8)
      assert.deepEqual(server.failures, [])

      const again = await startServerProcess({ directory, flags: ['--fronts', fronts] })
      const client = createClient({ ...again.connection, pipelineMax: 64 })
      await Promise.all(acknowledged.map((uniqueIdentifier) => client.get({ uniqueIdentifier })))
      await client.close()
      assert.equal(await again.stop(), 0)
    } finally {
      await rm(directory, { recursive: true })
    }
  })
}

test('SIGTERM in the midst of a start, from the moment on at which there is a port: an end in good order', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kmipd-drain-'))
  try {
    for (let starts = 0; starts < 3; starts += 1) {
      const main = join(import.meta.dirname, '../../src/main.ts')
      const child = spawn(
        process.execPath,
        [main, 'serve', '--data', directory, '--host', '127.0.0.1', '--port', '0'],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
      const ended = once(child, 'exit')
      const lines: string[] = []
      for await (const line of createInterface({ input: child.stdout })) {
        lines.push(line)
        if (line.includes('"listening"')) child.kill('SIGTERM')
      }
      assert.deepEqual(await ended, [0, null], lines.join('\n'))
      assert.match(lines.at(-1) ?? '', /The server has ended/)
    }
  } finally {
    await rm(directory, { recursive: true })
  }
})
