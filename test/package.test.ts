/** The package that others install works where it is installed: below node_modules, where the runtime runs no TypeScript. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')

describe('the package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kmipd-package-'))
  const modules = join(folder, 'node_modules')
  const data = join(folder, 'data')
  after(() => rmSync(folder, { recursive: true, force: true }))

  before(async () => {
    mkdirSync(modules)
    for (const name of readdirSync(join(root, 'node_modules'))) {
      if (name !== '.bin') symlinkSync(join(root, 'node_modules', name), join(modules, name))
    }
    await run(process.execPath, [join(root, 'tools/package.ts'), '--to', join(modules, 'kmipd')])
  })

  /** Starts the server, lets somebody use it, and ends it. */
  const serving = async (use: (port: number) => Promise<void>): Promise<void> => {
    const words = ['serve', '--data', data, '--host', '127.0.0.1', '--port', '0', '--fronts', '2']
    const child = spawn(process.execPath, [join(modules, 'kmipd/src/main.js'), ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(child, 'exit')
    try {
      for await (const line of createInterface(child.stdout)) {
        const { serving: told } = JSON.parse(line) as { readonly serving?: { readonly port: number } }
        if (told === undefined) continue
        await use(told.port)
        break
      }
    } finally {
      child.kill()
    }
    assert.deepEqual(await ended, [0, null])
  }

  test('serves with all its threads, and its client and kmip-bench ask it', { timeout: 120_000 }, async () => {
    writeFileSync(
      join(folder, 'ask.mjs'),
      `import { readFileSync } from 'node:fs'
import { createClient } from 'kmipd/client'
import { attribute } from 'kmipd/client/attribute'
import { KmipResponseError } from 'kmipd/client/errors'
import { CryptographicAlgorithm, CryptographicUsageMask, ObjectType } from 'kmipd/enums'
import { v1_2 } from 'kmipd/versions'
const pem = (name) => readFileSync(${JSON.stringify(`${data}/bootstrap/`)} + name, 'utf8')
const client = createClient({
  host: '127.0.0.1', port: Number(process.argv[2]), ca: pem('ca.pem'), cert: pem('client.pem'), key: pem('client.key'),
  version: v1_2,
})
console.log((await client.discoverVersions({})).protocolVersion.length)
const { uniqueIdentifier } = await client.create({
  objectType: ObjectType.SymmetricKey,
  templateAttribute: { attribute: [
    attribute('Cryptographic Algorithm', CryptographicAlgorithm.AES),
    attribute('Cryptographic Length', 256),
    attribute('Cryptographic Usage Mask', CryptographicUsageMask.Encrypt),
  ] },
})
await client.destroy({ uniqueIdentifier })
const refusal = await client.get({ uniqueIdentifier }).catch((error) => error)
console.log(refusal instanceof KmipResponseError)
await client.close()
`,
    )
    await serving(async (port) => {
      const { stdout } = await run(process.execPath, [join(folder, 'ask.mjs'), String(port)])
      assert.equal(stdout, '5\ntrue\n')
      const where = ['--host', '127.0.0.1', '--port', String(port), '--data', data]
      const how = [
        '--operation',
        'create,sign',
        '--connections',
        '2',
        '--seconds',
        '0.2',
        '--warmup',
        '0',
        '--objects',
        '1',
      ]
      const bench = await run(process.execPath, [join(modules, 'kmipd/bench/main.js'), 'load', ...where, ...how])
      assert.match(bench.stdout, /^create .* none$/m)
      assert.match(bench.stdout, /^sign\S* .* none$/m)
    })
  })

  test('has its commands', async () => {
    for (const program of ['src/kmipctl.js', 'src/main.js', 'conformance/main.js', 'bench/main.js']) {
      const { stdout } = await run(process.execPath, [join(modules, 'kmipd', program), '--help'])
      assert.match(stdout, /--help/)
    }
  })
})
