/**
 * Which root key the settings mean. What it is: the way from settings, secret variables, files and a person at the terminal to
 * the source that the seal is opened with. What it is not: the seal (`crypto/store-seal.ts`).
 */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isOpenToOthers, parseRootKey } from '#crypto/key-file'
import { Passphrase, PassphraseRefused } from '#crypto/passphrase'
import { RootKeyRefused } from '#crypto/seal'
import type { RootKeySource } from '#crypto/store-seal'
import { type Secrets, type Settings, secretVariables } from './config.ts'
import { ask, canAsk } from './terminal.ts'

/** What of the settings says where the root key is. */
export type RootKeySettings = Pick<Settings, 'dataDirectory' | 'rootKeySource' | 'rootKeyFile' | 'passphraseFile'>

/** Where the keyring of a data directory is. */
export const keyringPathOf = (dataDirectory: string): string => join(dataDirectory, 'keyring')

/**
 * The source of the root key. Asks for a passphrase where one is needed and nobody has given it; twice when it is a new one.
 * @param mayBeNew whether a keyring that is not there is about to be made
 * @throws RootKeyRefused when what is named is not there or cannot be one
 */
export const rootKeySourceOf = async (
  settings: RootKeySettings,
  secrets: Secrets,
  mayBeNew = true,
): Promise<RootKeySource> => {
  const { rootKeySource, rootKeyFile, dataDirectory } = settings
  if (rootKeySource === 'file') {
    const path = rootKeyFile === '' ? join(dataDirectory, 'root.key') : rootKeyFile
    return { kind: 'file', path: resolve(path), mayMake: rootKeyFile === '' }
  }
  if (rootKeySource === 'environment') {
    const from = secretVariables.rootKey.variable
    if (secrets.rootKey === undefined)
      throw new RootKeyRefused(`${from} is not set, and the root key is to come from it`)
    return { kind: 'key', key: parseRootKey(secrets.rootKey, `in ${from}`), from }
  }
  const { text, from } = await passphraseOf(settings, secrets, mayBeNew)
  try {
    return { kind: 'passphrase', passphrase: new Passphrase(text), from }
  } catch (cause) {
    if (cause instanceof PassphraseRefused) throw new RootKeyRefused(`${from}: ${cause.message}`, { cause })
    throw cause
  }
}

const passphraseOf = async (
  { passphraseFile, dataDirectory }: RootKeySettings,
  secrets: Secrets,
  mayBeNew: boolean,
): Promise<{ readonly text: string; readonly from: string }> => {
  const from = secretVariables.passphrase.variable
  if (secrets.passphrase !== undefined) return { text: secrets.passphrase, from }
  if (passphraseFile !== '') {
    if (!existsSync(passphraseFile)) throw new RootKeyRefused(`the passphrase's file ${passphraseFile} is absent`)
    if (isOpenToOthers(passphraseFile))
      throw new RootKeyRefused(
        `the passphrase's file ${passphraseFile} is open to others than its owner: chmod 600 ${passphraseFile}`,
      )
    return { text: readFileSync(passphraseFile, 'utf8').replace(/\r?\n$/, ''), from: passphraseFile }
  }
  if (!canAsk())
    throw new RootKeyRefused(`nobody can be asked for the passphrase: set ${from}, or passphraseFile to a file with it`)
  const text = await ask('Passphrase of the store: ', true)
  const isNew = mayBeNew && !existsSync(keyringPathOf(dataDirectory))
  if (isNew && text !== (await ask('The same again: ', true)))
    throw new RootKeyRefused('the two passphrases are not the same')
  return { text, from: 'the terminal' }
}
