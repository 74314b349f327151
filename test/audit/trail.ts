/**
 * A trail for tests: files in a folder of their own, written without a thread. What it is: short ways to write and check one.
 * What it is not: the auditor with its messages (`open.test.ts` tries that).
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import type { Head } from '#audit/chain'
import { AuditFiles, type AuditFilesOptions, fileName, filesOf } from '#audit/files'
import { bodyOf } from '#audit/record'
import { type Verified, verifyTrail } from '#audit/verify'

export const key = new Uint8Array(32).fill(7)

/** An empty folder, which goes with the test file. */
export const newFolder = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'kmipd-audit-'))
  after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export const openTrail = (directory: string, options: Partial<AuditFilesOptions> = {}): AuditFiles =>
  new AuditFiles({
    directory,
    key,
    fileBytesMax: 1 << 20,
    filesMax: 0,
    anchor: undefined,
    nowMs: () => 1_780_000_000_000,
    onFault: (error) => assert.fail(error),
    onUnremoved: (file, reason) => assert.fail(`${file}: ${reason}`),
    ...options,
  })

export const bodyText = (operation: string): string =>
  bodyOf({ event: 'operation', atMs: 1_780_000_000_000, operation, result: 'success' })

export const body = (operation: string): Uint8Array => Buffer.from(bodyText(operation))

export const check = (directory: string, anchor?: Head): Verified =>
  verifyTrail({ directory, key, through: undefined, anchor })

/** The lines of a file. */
export const linesOf = (directory: string, file: number): string[] =>
  readFileSync(join(directory, fileName(file)), 'utf8')
    .split('\n')
    .slice(0, -1)

export const writeLines = (directory: string, file: number, lines: readonly string[]): void =>
  writeFileSync(join(directory, fileName(file)), lines.map((line) => `${line}\n`).join(''))

export { fileName, filesOf }
