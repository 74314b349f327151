/** Which root key the settings mean: the file of a passphrase is looked at as that of a key is. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { rootKeySourceOf } from '#src/root-key'

test('a file with the passphrase that others may read is refused', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kmipd-root-key-'))
  const passphraseFile = join(directory, 'passphrase')
  const settings = { dataDirectory: directory, rootKeySource: 'passphrase', rootKeyFile: '', passphraseFile } as const
  const source = () => rootKeySourceOf(settings, { rootKey: undefined, passphrase: undefined })
  await assert.rejects(source(), /is absent/)
  writeFileSync(passphraseFile, 'a passphrase of the store\n')
  for (const mode of [0o640, 0o604, 0o644]) {
    chmodSync(passphraseFile, mode)
    await assert.rejects(source(), /is open to others than its owner: chmod 600/)
  }
  for (const mode of [0o600, 0o400]) {
    chmodSync(passphraseFile, mode)
    assert.equal((await source()).kind, 'passphrase')
  }
  rmSync(directory, { recursive: true })
})
