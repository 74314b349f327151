/**
 * Tries the image that `tools/image.ts` built, with podman, as docs/docker.md has it run: no root, a read-only root file system
 * without even a tmpfs, no capability, the root key as a secret. What it is: first start, PyKMIP, health, stop, second start,
 * and the time of a start. What it is not: a test of the suite: it needs root and the storage of images.
 *
 *     apt-get install podman runc python3-pykmip
 *     npm run image:try -- --run="--runtime runc"
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import yargs from 'yargs'
import { hideBin } from 'yargs/helpers'
import { createClient } from '#client/client'

const given = await yargs(hideBin(process.argv))
  .scriptName('npm run image:try --')
  .option('directory', { type: 'string', default: join(tmpdir(), 'kmipd-image'), describe: 'As of npm run image' })
  .option('tag', { type: 'string', default: 'kmipd:latest', describe: 'Name of the image' })
  .option('port', { type: 'number', default: 5696, describe: 'Port of KMIP on this machine, free' })
  .option('starts', { type: 'number', default: 5, describe: 'Starts that are timed' })
  .option('podman', { type: 'string', default: '', describe: 'More words for podman' })
  .option('run', { type: 'string', default: '', describe: 'More words for podman run' })
  .strict()
  .parse()
const { directory, port } = given
const words = (text: string): readonly string[] => text.split(' ').filter((word) => word !== '')

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}
const ran = (program: string, ...flags: readonly string[]): Ended => {
  const { error, ...ended } = spawnSync(program, flags, { encoding: 'utf8' })
  if (error !== undefined) throw error
  return ended
}
const places = ['--root', join(directory, 'storage'), '--runroot', join(directory, 'run'), '--storage-driver', 'vfs']
// Podman leaves health checks to systemd, which a build machine need not have: that it complains is no news.
const quiet = [
  '--cgroup-manager',
  'cgroupfs',
  '--events-backend',
  'file',
  '--log-level',
  'fatal',
  ...words(given.podman),
]
const podman = (...flags: readonly string[]): Ended => ran('podman', ...places, ...quiet, ...flags)
const done = ({ status, stdout, stderr }: Ended): string => {
  assert.equal(status, 0, stderr)
  return stdout.trim()
}

const container = 'kmipd-trial'
const volume = 'kmipd-trial-data'
const secret = join(directory, 'trial-root-key')
const watchPort = port + 1
const health = (): Ended => podman('exec', container, 'node', 'src/health.ts')
const data = (): string => done(podman('volume', 'inspect', volume, '--format', '{{.Mountpoint}}'))

/** Milliseconds from a start of the container to the first answer of KMIP. */
const timedStart = async (start: () => Ended): Promise<number> => {
  const before = performance.now()
  done(start())
  const file = (name: string): string => readFileSync(join(data(), 'bootstrap', name), 'utf8')
  for (;;) {
    const isMade = existsSync(join(data(), 'bootstrap', 'client.key'))
    const client = isMade
      ? createClient({ host: 'localhost', port, ca: file('ca.pem'), cert: file('client.pem'), key: file('client.key') })
      : undefined
    try {
      await client?.discoverVersions({})
      if (client !== undefined) return performance.now() - before
    } catch (error) {
      assert.ok(performance.now() - before < 30_000, String(error))
    } finally {
      await client?.close()
    }
    await pause(5)
  }
}

/** A key is made and fetched by an outside client in KMIP 1.2. @param identifier fetched; none: a new key */
const pykmip = (identifier = ''): { readonly identifier: string; readonly key: string } => {
  const place = join(data(), 'bootstrap')
  const script = `
import sys
from kmip import enums
from kmip.pie import client
place, port, identifier = sys.argv[1], int(sys.argv[2]), sys.argv[3]
masks = [enums.CryptographicUsageMask.ENCRYPT, enums.CryptographicUsageMask.DECRYPT]
with client.ProxyKmipClient(hostname="localhost", port=port, ca=place + "/ca.pem", cert=place + "/client.pem",
    key=place + "/client.key", config_file="/dev/null", kmip_version=enums.KMIPVersion.KMIP_1_2) as kmip:
    identifier = identifier or kmip.create(enums.CryptographicAlgorithm.AES, 256, cryptographic_usage_mask=masks)
    print(identifier, kmip.get(identifier).value.hex())
`
  const [made = '', key = ''] = done(ran('/usr/bin/python3', '-c', script, place, String(port), identifier)).split(' ')
  assert.equal(key.length, 64)
  return { identifier: made, key }
}

const stopped = (): void => {
  done(podman('stop', '--time', '30', container))
  assert.equal(done(podman('inspect', container, '--format', '{{.State.ExitCode}}')), '0', 'SIGTERM ends it with 0')
}

const median = (values: readonly number[]): number =>
  values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN

const firstStartWords = [
  'run --detach --read-only --read-only-tmpfs=false --cap-drop all --security-opt no-new-privileges --network host',
  `--name ${container} --volume ${volume}:/data --volume ${secret}:/run/secrets/kmipd-root-key:ro`,
  '--env KMIPD_ROOT_KEY_FILE=/run/secrets/kmipd-root-key --env KMIPD_CERTIFICATE_NAMES=kmip.example',
  `--env KMIPD_PORT=${port} --env KMIPD_METRICS_PORT=${watchPort} ${given.run} ${given.tag}`,
]
const firstStart = (): Ended => podman(...firstStartWords.flatMap(words))

const removed = (): void => {
  podman('rm', '--force', '--time', '5', container)
  podman('volume', 'rm', '--force', volume)
  rmSync(secret, { force: true })
}

removed()
// As docker makes the files of secrets: readable by whoever is in the container.
writeFileSync(secret, `${done(ran('openssl', 'rand', '-hex', '32'))}\n`)
chmodSync(secret, 0o444)
try {
  const first = await timedStart(firstStart)
  console.log(`first start: KMIP answers after ${first.toFixed(0)} ms`)
  assert.match(done(podman('exec', container, 'id')), /^uid=5696\(kmipd\)/)
  assert.notEqual(podman('exec', container, 'touch', '/tmp/x').status, 0, 'the root file system is read-only')
  assert.match(done(podman('exec', container, 'cat', '/proc/1/status')), /^CapBnd:\s+0+$/m)
  assert.equal(existsSync(join(data(), 'root.key')), false, 'the root key is the secret alone')
  assert.equal(health().status, 0)
  assert.equal(podman('exec', '--env', 'KMIPD_METRICS_PORT=0', container, 'node', 'src/health.ts').status, 0)
  assert.equal(podman('exec', '--env', 'KMIPD_METRICS_PORT=1', container, 'node', 'src/health.ts').status, 1)
  assert.match(done(podman('exec', container, 'kmipctl', 'users', 'list')), /kmip/)
  // What the build has left out of the packages, nothing needs. (uplot is for browsers.)
  const loads =
    "for (const name in require('/opt/kmipd/package.json').dependencies) if (name !== 'uplot') require(name)"
  done(podman('exec', container, 'node', '-e', loads))
  const found = podman('exec', '--user', '0', container, 'find', '/', '-xdev', '-type', 'f', '-perm', '/6000').stdout
  assert.equal(found, '', 'no program gives more rights')
  const made = pykmip()
  console.log(
    `PyKMIP made ${made.identifier} and fetched it; health, kmipctl and the limits of the process are as they should`,
  )
  stopped()
  const second = await timedStart(() => podman('start', container))
  assert.deepEqual(pykmip(made.identifier), made)
  console.log(`stopped with 0; second start: the same key after ${second.toFixed(0)} ms`)
  const starts: number[] = []
  for (let count = 0; count < given.starts; count += 1) {
    stopped()
    starts.push(await timedStart(() => podman('start', container)))
  }
  const times = starts.map((time) => time.toFixed(0)).join(', ')
  console.log(`from start to the first answer: ${times} ms; median ${median(starts).toFixed(0)} ms`)
  stopped()
} catch (error) {
  process.stderr.write(podman('logs', container).stdout)
  throw error
} finally {
  removed()
}
