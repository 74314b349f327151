/**
 * The place of a backup. What it is: the folder in which one is made or verified, its way to its name, which overwrites nothing, and the
 * removal of what was left by those that were cut off. What it is not: the content (`create.ts`).
 */
import { link, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupRefused } from './refused.ts'

/** What is done in a folder, and what its name then begins with. */
const workPrefixes = { backup: '.kmipd-backup-', verify: '.kmipd-verify-' } as const

/**
 * A backup writes all the time that it is made, and what is verified was written just before: nothing that was silent for so long is
 * still going on. Process identifiers would tell sooner and tell wrong: those of another machine, or container, mean others.
 */
export const abandonedAfterMs = 12 * 60 * 60_000

/** Codes of file systems that have no links, or lend none: FAT, and some of networks. */
const withoutLinks: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES', 'EMLINK'])

/**
 * A new folder to make a backup in, beside where it will be, or to verify one in, mode 0700. Errors of the file system are thrown.
 * @param work what it is for
 */
export async function workFolder(folder: string, work: keyof typeof workPrefixes, nowMs: number): Promise<string> {
  await removeAbandoned(folder, nowMs)
  return mkdtemp(join(folder, workPrefixes[work]))
}

/**
 * Gives a whole file its name, unless something has it: also when another comes in between.
 * @throws BackupRefused when it is there already; errors of the file system
 */
export async function putInPlace(part: string, path: string, linked: typeof link = link): Promise<void> {
  try {
    await linked(part, path)
  } catch (error) {
    if (isTaken(error)) throw thereAlready(path)
    if (!withoutLinks.has(codeOf(error))) throw error
    await putInReserved(part, path)
  }
}

export const thereAlready = (path: string): BackupRefused =>
  new BackupRefused(`${path} is there already: a backup overwrites nothing`)

/** Without links: who makes the empty file may put the whole one over it. */
async function putInReserved(part: string, path: string): Promise<void> {
  try {
    await (await open(path, 'wx', 0o600)).close()
  } catch (error) {
    throw isTaken(error) ? thereAlready(path) : error
  }
  try {
    await rename(part, path)
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

async function removeAbandoned(folder: string, nowMs: number): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const isOurs = Object.values(workPrefixes).some((prefix) => entry.name.startsWith(prefix))
    if (!entry.isDirectory() || !isOurs) continue
    const path = join(folder, entry.name)
    try {
      if (nowMs - (await lastWrittenMs(path)) > abandonedAfterMs) await rm(path, { recursive: true, force: true })
    } catch {
      // Another user's, or gone meanwhile: not what was asked for, and no reason to make no backup.
    }
  }
}

async function lastWrittenMs(path: string): Promise<number> {
  const within = (await readdir(path)).map((name) => join(path, name))
  const times = await Promise.all([path, ...within].map(async (each) => (await stat(each)).mtimeMs))
  return Math.max(...times)
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)
const isTaken = (error: unknown): boolean => codeOf(error) === 'EEXIST'
