/**
 * Parts that fail under a server that serves: a crypto worker that dies, a session whose inside throws, a directory that hangs.
 * What it is: what the client of the failure is told, what the log says, and that all others go on. What it is not: the parts'
 * own rules (crypto/job-pool.test.ts, server/connection.test.ts, identity/ldap.test.ts).
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { systemClock } from '#actor/clock'
import { type Client, createClient } from '#client/client'
import { ConnectionLost, KmipResponseError } from '#client/errors'
import {
  BlockCipherMode,
  CredentialType,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  ObjectType,
  PaddingMethod,
  ResultReason,
} from '#kmip/enums'
import { type RunningServer, startServerProcess } from '#test/running-server'
import { faultyEnvironment } from './death.ts'

const marker = 'a message that kills'

const activeKey = async (client: Client): Promise<string> => {
  const attribute = [
    { attributeName: 'Cryptographic Algorithm', attributeValue: CryptographicAlgorithm.AES },
    { attributeName: 'Cryptographic Length', attributeValue: 256 },
    { attributeName: 'Cryptographic Usage Mask', attributeValue: CryptographicUsageMask.Encrypt },
  ]
  const { uniqueIdentifier } = await client.create({
    objectType: ObjectType.SymmetricKey,
    templateAttribute: { attribute },
  })
  await client.activate({ uniqueIdentifier })
  return uniqueIdentifier
}

const encrypt = (client: Client, uniqueIdentifier: string, data: Buffer) =>
  client.encrypt({
    uniqueIdentifier,
    cryptographicParameters: { blockCipherMode: BlockCipherMode.CBC, paddingMethod: PaddingMethod.PKCS5 },
    data,
    ivCounterNonce: Buffer.alloc(16, 1),
  })

const lines = (server: RunningServer): readonly string[] => server.log.map((line) => JSON.stringify(line))

describe('a part that fails', () => {
  test('a crypto worker dies: its job fails, another takes its place, and work goes on', async () => {
    const environment = { ...faultyEnvironment, FAULT_JOBS: marker }
    const flags = ['--crypto-placement', 'pool', '--crypto-workers', '1']
    await using server = await startServerProcess({ flags, environment })
    await using client = createClient(server.connection)
    const key = await activeKey(client)
    for (let death = 0; death < 3; death += 1) {
      await assert.rejects(encrypt(client, key, Buffer.from(marker)), (error: unknown) => {
        assert.ok(error instanceof KmipResponseError)
        assert.ok(error.reason === ResultReason.GeneralFailure || error.reason === ResultReason.CryptographicFailure)
        assert.doesNotMatch(error.message, /worker|thread|exit/i)
        return true
      })
      const { data } = await encrypt(client, key, Buffer.from('a message that does not'))
      assert.equal(data?.length, 32)
    }
    assert.ok(lines(server).some((line) => /A crypto worker died; it is replaced/.test(line)))
  })

  test('a session throws: it ends alone, and the log says why', async () => {
    const environment = { ...faultyEnvironment, FAULT_ANSWERS: marker }
    await using server = await startServerProcess({ environment })
    await using other = createClient(server.connection)
    const key = await activeKey(other)
    for (let failure = 0; failure < 3; failure += 1) {
      await using client = createClient(server.connection)
      await client.discoverVersions()
      await assert.rejects(client.get({ uniqueIdentifier: marker }), ConnectionLost)
    }
    await other.get({ uniqueIdentifier: key })
    assert.ok(lines(server).some((line) => line.includes('failure') && line.includes('simulated')))
    assert.equal(await server.stop(), 0)
  })

  test('a directory hangs: its user is refused when the time is over, and nobody else waits', async () => {
    const sockets: Socket[] = []
    const silent = createServer((socket) => void sockets.push(socket))
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    try {
      await using server = await startServerProcess({ flags: ['--interface-mode', 'tls-pw-opt'] })
      await kmipctl(server, ['connections', 'create', '--name', 'slow', ...directoryAt(port)])
      await using other = createClient(server.connection)
      const key = await activeKey(other)
      const credentialValue = { username: 'slow|joe', password: 'anything' }
      await using slow = createClient({
        ...server.connection,
        credentials: [{ credentialType: CredentialType.UsernameAndPassword, credentialValue }],
      })
      const beganMs = systemClock.nowMs()
      const state = { waiting: true }
      const refused = assert
        .rejects(slow.get({ uniqueIdentifier: key }), (error: unknown) => {
          assert.ok(error instanceof KmipResponseError)
          return error.reason === ResultReason.AuthenticationNotSuccessful
        })
        .finally(() => (state.waiting = false))
      let served = 0
      for (; state.waiting; served += 1) await other.get({ uniqueIdentifier: key })
      await refused
      const tookMs = systemClock.nowMs() - beganMs
      assert.ok(sockets.length > 0, 'the directory was asked')
      assert.ok(
        lines(server).some((line) => line.includes('slow') && line.includes('1000 ms')),
        lines(server).join('\n'),
      )
      assert.ok(served > 20, `${served} served while the directory hangs for ${tookMs} ms`)
    } finally {
      for (const socket of sockets) socket.destroy()
      silent.close()
    }
  })
})

const command = fileURLToPath(import.meta.resolve('#src/kmipctl'))

const kmipctl = (server: RunningServer, words: readonly string[]): Promise<unknown> =>
  promisify(execFile)(execPath, [command, ...words, '--socket', join(server.directory, 'admin.sock')], {
    timeout: 20_000,
  })

const directoryAt = (port: number): readonly string[] => [
  '--server-url',
  `ldap://127.0.0.1:${port}`,
  '--root-dn',
  'dc=example',
  '--timeout-ms',
  '1000',
]
