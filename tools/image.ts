/**
 * Builds the container image of `Dockerfile` on a Debian machine without any registry of images. What it is: the two bases
 * that the Dockerfile names, made by debootstrap and tagged with those names in a storage of its own, then the build by
 * buildah. What it is not: the way that whoever has Docker builds (`docker build .`), or a part of the server.
 *
 *     apt-get install buildah debootstrap
 *     npm run image -- --archive kmipd.tar          as root; `docker load --input kmipd.tar` takes it
 *
 * The base of the first stage gets this machine's npm and the runtime of this project: it installs, and nothing of it stays.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import yargs from 'yargs'
import { hideBin } from 'yargs/helpers'

const repository = fileURLToPath(new URL('.', import.meta.resolve('#src/config'))).replace(/src\/$/, '')
const baseImage = 'debian:bookworm-slim'
const installImage = 'node:22-bookworm-slim'
/** What slim means in the base's name: none of it is used by a program. */
const leftOut = [
  'usr/share/doc',
  'usr/share/man',
  'usr/share/info',
  'usr/share/locale',
  'var/cache/apt',
  'var/lib/apt/lists',
]
const mebibyte = 2 ** 20

/** Runs a program and shows what it says. @throws Error when it fails */
const run = (program: string, ...words: readonly string[]): void => {
  const { status, error } = spawnSync(program, words, { stdio: 'inherit', cwd: repository })
  if (error !== undefined || status !== 0)
    throw new Error(`${program} failed: ${error?.message ?? `exit code ${status}`}`)
}

/** Runs a program for what it writes. @throws Error when it fails */
const outputOf = (program: string, ...words: readonly string[]): string => {
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: 'utf8', cwd: repository })
  if (error !== undefined || status !== 0) throw new Error(`${program} failed: ${error?.message ?? stderr}`)
  return stdout.trim()
}

/** Lines of a sources.list for the release: those of this machine, or one mirror for all. */
const sourcesOf = (release: string, mirror: string | undefined): readonly string[] => {
  if (mirror !== undefined) return [`deb ${mirror} ${release} main`]
  const format = '$(ORIGIN) deb $(REPO_URI) $(RELEASE) $(COMPONENT)'
  const lines = outputOf('apt-get', 'indextargets', '--format', format, 'Created-By: Packages').split('\n')
  const debian = lines.filter((line) => line.startsWith('Debian ')).map((line) => line.slice('Debian '.length))
  const ofRelease = debian.filter((line) => (line.split(' ')[2] ?? '').startsWith(release))
  if (ofRelease.length === 0) throw new Error(`apt knows no source of ${release} here: name one with --mirror`)
  return [...new Set(ofRelease)]
}

/** Where npm is: two folders above the program, whatever runs it. */
const npmFolder = (): string => dirname(dirname(realpathSync(outputOf('sh', '-c', 'command -v npm'))))

/** Makes the tree of the base; nothing when it is there. */
const makeTree = (tree: string, release: string, mirror: string | undefined): void => {
  if (existsSync(join(tree, 'etc/debian_version'))) return
  const sources = sourcesOf(release, mirror)
  const first = sources.find((line) => line.split(' ')[2] === release)?.split(' ')[1] ?? ''
  run('debootstrap', '--variant=minbase', release, tree, first)
  writeFileSync(join(tree, 'etc/apt/sources.list'), `${sources.join('\n')}\n`)
  run('chroot', tree, 'apt-get', 'update', '-q')
  run('chroot', tree, 'apt-get', 'upgrade', '-q', '--yes')
  run('chroot', tree, 'apt-get', 'clean')
  for (const path of leftOut) {
    rmSync(join(tree, path), { recursive: true, force: true })
    mkdirSync(join(tree, path))
  }
}

interface Options {
  readonly directory: string
  readonly release: string
  readonly mirror: string | undefined
  readonly tag: string
  readonly archive: string | undefined
  readonly ca: string | undefined
}

const build = ({ directory, release, mirror, tag, archive, ca }: Options): void => {
  mkdirSync(directory, { recursive: true })
  const places = ['--root', join(directory, 'storage'), '--runroot', join(directory, 'run'), '--storage-driver', 'vfs']
  const buildah = (...words: readonly string[]): void => run('buildah', ...places, ...words)
  const told = (...words: readonly string[]): string => outputOf('buildah', ...places, ...words)
  const has = (image: string): boolean => told('images', '--format', '{{.Name}}:{{.Tag}}').includes(image)

  const tree = join(directory, 'debian')
  makeTree(tree, release, mirror)
  if (!has(baseImage)) {
    const container = told('from', 'scratch')
    buildah('add', '--quiet', container, tree, '/')
    buildah('config', '--cmd', 'bash', container)
    buildah('commit', '--quiet', '--rm', container, baseImage)
  }
  if (!has(installImage)) {
    const container = told('from', '--pull-never', baseImage)
    const within = (...words: readonly string[]): void =>
      buildah('run', '--isolation', 'chroot', container, '--', ...words)
    within('apt-get', 'update', '-q')
    within('apt-get', 'install', '-q', '--yes', '--no-install-recommends', 'libatomic1')
    buildah('add', '--quiet', container, process.execPath, '/usr/local/bin/node')
    buildah('add', '--quiet', container, npmFolder(), '/usr/local/lib/npm')
    within('ln', '-s', '/usr/local/lib/npm/bin/npm-cli.js', '/usr/local/bin/npm')
    if (ca !== undefined) {
      buildah('add', '--quiet', container, ca, '/etc/ssl/more-authorities.pem')
      buildah('config', '--env', 'NODE_EXTRA_CA_CERTS=/etc/ssl/more-authorities.pem', container)
    }
    buildah('commit', '--quiet', '--rm', container, installImage)
  }
  buildah('bud', '--isolation', 'chroot', '--pull-never', '--format', 'docker', '--tag', tag, repository)

  const file = archive ?? join(directory, 'kmipd.tar')
  rmSync(file, { force: true })
  buildah('push', '--quiet', tag, `docker-archive:${file}:${tag}`)
  const content = readFileSync(file)
  const size = (bytes: number): string => `${(bytes / mebibyte).toFixed(0)} MiB`
  console.log(`${tag}: ${size(content.length)}, compressed ${size(gzipSync(content).length)}, in ${dirname(file)}`)
}

const { directory, release, mirror, tag, archive, ca } = await yargs(hideBin(process.argv))
  .scriptName('npm run image --')
  .option('directory', {
    type: 'string',
    default: join(tmpdir(), 'kmipd-image'),
    describe: 'Bases and storage of images',
  })
  .option('release', { type: 'string', default: 'bookworm', describe: 'Debian release of the bases' })
  .option('mirror', {
    type: 'string',
    describe: "URL of a Debian mirror; else this machine's own sources of the release",
  })
  .option('tag', { type: 'string', default: 'kmipd:latest', describe: 'Name of the image' })
  .option('archive', { type: 'string', describe: 'File that `docker load` takes; else kmipd.tar in the directory' })
  .option('ca', { type: 'string', describe: 'PEM file of an authority that the network needs for npm' })
  .strict()
  .parse()
build({ directory, release, mirror, tag, archive, ca })
