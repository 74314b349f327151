/** The keyring: what it seals only it opens, in its place only; root key files and their rotation. */

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { systemEntropy } from '#actor/entropy'
import { makeRootKey, openKeyFiles, readRootKey, rotateRootKey } from '#crypto/key-file'
import { createKeyring, Keyring, openKeyring, RootKeyRefused, resealKeyring, SealBroken } from '#crypto/seal'
import type { Sealer } from '#store/store'

const rootKey = systemEntropy.bytes(32)
const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const folder = () => mkdtempSync(join(tmpdir(), 'kmipd-seal-'))

describe('keyring', () => {
  const sealedKeyring = createKeyring(rootKey, systemEntropy)
  const keyring: Sealer = openKeyring(rootKey, sealedKeyring, systemEntropy)

  test('opens what it sealed, for the same context only', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), fc.uint8Array(), (context, other, plaintext) => {
        const sealed = keyring.seal(context, plaintext)
        assert.deepEqual(Buffer.from(keyring.open(context, sealed)), Buffer.from(plaintext))
        if (Buffer.compare(context, other) !== 0) assert.throws(() => keyring.open(other, sealed), SealBroken)
      }),
    )
  })

  test('hashes terms with HMAC-SHA-256, cut to 16 bytes', () => {
    const hashKey = systemEntropy.bytes(32)
    const own = new Keyring({ hashKey, dataKeys: [{ id: 1, key: systemEntropy.bytes(32) }] }, systemEntropy)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (term) => {
        const expected = createHmac('sha256', hashKey).update(term).digest().subarray(0, 16)
        assert.deepEqual(Buffer.from(own.hash(term)), expected)
      }),
    )
  })

  test('refuses any changed bit and any cut', () => {
    const context = bytes('here')
    const sealed = keyring.seal(context, bytes('plain'))
    for (let at = 0; at < sealed.length; at++) {
      const changed = Uint8Array.from(sealed)
      changed[at] = (changed[at] ?? 0) ^ 1
      assert.throws(() => keyring.open(context, changed), SealBroken)
      assert.throws(() => keyring.open(context, sealed.subarray(0, at)), SealBroken)
    }
  })

  test('never seals twice alike, and another instance opens it', () => {
    const seen = new Set<string>()
    const again = openKeyring(rootKey, sealedKeyring, systemEntropy)
    for (let n = 0; n < 100; n++) {
      for (const sealer of [keyring, again]) {
        const sealed = sealer.seal(bytes('c'), bytes('p'))
        seen.add(Buffer.from(sealed).toString('hex'))
        assert.equal(Buffer.from(again.open(bytes('c'), sealed)).toString(), 'p')
      }
    }
    assert.equal(seen.size, 200)
  })

  test('hashes alike after a restart, and not alike under other keys', () => {
    const again = openKeyring(rootKey, sealedKeyring, systemEntropy)
    const other = openKeyring(rootKey, createKeyring(rootKey, systemEntropy), systemEntropy)
    assert.equal(keyring.hash(bytes('name')).length, 16)
    assert.deepEqual(keyring.hash(bytes('name')), again.hash(bytes('name')))
    assert.notDeepEqual(keyring.hash(bytes('name')), other.hash(bytes('name')))
    assert.throws(() => other.open(bytes('c'), keyring.seal(bytes('c'), bytes('p'))), SealBroken)
  })

  test('is refused under another root key, and when changed', () => {
    assert.throws(() => openKeyring(systemEntropy.bytes(32), sealedKeyring, systemEntropy), RootKeyRefused)
    assert.throws(() => openKeyring(systemEntropy.bytes(16), sealedKeyring, systemEntropy), RootKeyRefused)
    for (let at = 0; at < sealedKeyring.length; at++) {
      const changed = Uint8Array.from(sealedKeyring)
      changed[at] = (changed[at] ?? 0) ^ 1
      assert.throws(() => openKeyring(rootKey, changed, systemEntropy), RootKeyRefused)
    }
  })

  test('a new root key and a new data key leave old records readable', () => {
    const sealed = keyring.seal(bytes('c'), bytes('old'))
    const newRootKey = systemEntropy.bytes(32)
    const resealed = resealKeyring(rootKey, newRootKey, sealedKeyring, systemEntropy)
    assert.throws(() => openKeyring(rootKey, resealed, systemEntropy), RootKeyRefused)
    const moved = openKeyring(newRootKey, resealed, systemEntropy)
    const grown = openKeyring(newRootKey, moved.sealWithNewDataKey(newRootKey, systemEntropy), systemEntropy)
    for (const sealer of [moved, grown]) assert.equal(Buffer.from(sealer.open(bytes('c'), sealed)).toString(), 'old')
    const fresh = grown.seal(bytes('c'), bytes('new'))
    assert.equal(Buffer.from(fresh).readUInt32BE(0), 2)
    assert.throws(() => moved.open(bytes('c'), fresh), SealBroken)
    assert.deepEqual(grown.hash(bytes('name')), keyring.hash(bytes('name')))
  })

  test('shows no key to inspection or JSON', () => {
    const hex = Buffer.from(rootKey).toString('hex')
    for (const text of [inspect(keyring, { depth: 9, showHidden: true }), JSON.stringify(keyring)]) {
      assert(!text.includes(hex))
      assert(!/Uint8Array|Buffer|hashKey/.test(text))
    }
  })
})

describe('key files', () => {
  test('a first start makes both, a later one uses them', () => {
    const directory = folder()
    const files = { rootKeyPath: join(directory, 'root.key'), keyringPath: join(directory, 'keyring') }
    assert.throws(() => openKeyFiles(files, systemEntropy, false), RootKeyRefused)
    assert(!existsSync(files.rootKeyPath))
    const first = openKeyFiles(files, systemEntropy, true)
    assert.deepEqual(first.made, [files.rootKeyPath, files.keyringPath])
    for (const path of first.made) assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.match(readFileSync(files.rootKeyPath, 'latin1'), /^[0-9a-f]{64}\n$/)
    const second = openKeyFiles(files, systemEntropy, false)
    assert.deepEqual(second.made, [])
    assert.deepEqual(second.keyring.hash(bytes('x')), first.keyring.hash(bytes('x')))
    rmSync(directory, { recursive: true })
  })

  test('a lost root key is not made anew beside a keyring', () => {
    const directory = folder()
    const files = { rootKeyPath: join(directory, 'root.key'), keyringPath: join(directory, 'keyring') }
    openKeyFiles(files, systemEntropy, true)
    rmSync(files.rootKeyPath)
    assert.throws(() => openKeyFiles(files, systemEntropy, true), /absent/)
    assert(!existsSync(files.rootKeyPath))
    makeRootKey(files.rootKeyPath, systemEntropy)
    assert.throws(() => openKeyFiles(files, systemEntropy, true), /does not open/)
    rmSync(directory, { recursive: true })
  })

  test('a key file that others may read, or that is no key, is refused', () => {
    const directory = folder()
    const path = join(directory, 'root.key')
    makeRootKey(path, systemEntropy)
    assert.throws(() => makeRootKey(path, systemEntropy), /EEXIST/)
    for (const mode of [0o640, 0o604, 0o660]) {
      chmodSync(path, mode)
      assert.throws(() => readRootKey(path), /chmod 600/)
    }
    chmodSync(path, 0o400)
    assert.equal(readRootKey(path).length, 32)
    for (const text of ['', 'zz'.repeat(32), 'ab'.repeat(31), 'ab'.repeat(33)]) {
      chmodSync(path, 0o600)
      writeFileSync(path, text)
      assert.throws(() => readRootKey(path), /hexadecimal/)
    }
    rmSync(directory, { recursive: true })
  })

  test('a root key that is elsewhere, behind a link, stays there when it is replaced', () => {
    const directory = folder()
    const elsewhere = folder()
    const files = { rootKeyPath: join(directory, 'root.key'), keyringPath: join(directory, 'keyring') }
    const real = join(elsewhere, 'key')
    makeRootKey(real, systemEntropy)
    symlinkSync(real, files.rootKeyPath)
    const { keyring } = openKeyFiles(files, systemEntropy, true)
    const sealed = keyring.seal(bytes('c'), bytes('kept'))
    const before = readRootKey(real)
    rotateRootKey(files, systemEntropy)
    assert.ok(lstatSync(files.rootKeyPath).isSymbolicLink())
    assert.notDeepEqual(readRootKey(real), before)
    // Cut short after the keyring was sealed anew.
    makeRootKey(`${real}.next`, systemEntropy)
    const next = readRootKey(`${real}.next`)
    writeFileSync(
      files.keyringPath,
      resealKeyring(readRootKey(real), next, readFileSync(files.keyringPath), systemEntropy),
    )
    const { keyring: opened } = openKeyFiles(files, systemEntropy, false)
    assert.equal(Buffer.from(opened.open(bytes('c'), sealed)).toString(), 'kept')
    assert.deepEqual(readRootKey(real), next)
    assert.deepEqual([readdirSync(directory).toSorted(), readdirSync(elsewhere)], [['keyring', 'root.key'], ['key']])
    for (const each of [directory, elsewhere]) rmSync(each, { recursive: true })
  })

  test('rotation leaves a pair that fits, also when it was cut short', () => {
    const directory = folder()
    const files = { rootKeyPath: join(directory, 'root.key'), keyringPath: join(directory, 'keyring') }
    const { keyring } = openKeyFiles(files, systemEntropy, true)
    const sealed = keyring.seal(bytes('c'), bytes('kept'))
    const oldRootKey = readRootKey(files.rootKeyPath)
    const opensIt = () => {
      const { keyring: opened } = openKeyFiles(files, systemEntropy, false)
      assert.equal(Buffer.from(opened.open(bytes('c'), sealed)).toString(), 'kept')
      assert(!existsSync(`${files.rootKeyPath}.next`))
    }
    rotateRootKey(files, systemEntropy)
    assert.notDeepEqual(readRootKey(files.rootKeyPath), oldRootKey)
    opensIt()
    // Cut before the keyring was sealed anew: back.
    makeRootKey(`${files.rootKeyPath}.next`, systemEntropy)
    opensIt()
    // Cut after it: forward.
    makeRootKey(`${files.rootKeyPath}.next`, systemEntropy)
    const next = readRootKey(`${files.rootKeyPath}.next`)
    const resealed = resealKeyring(readRootKey(files.rootKeyPath), next, readFileSync(files.keyringPath), systemEntropy)
    writeFileSync(files.keyringPath, resealed)
    opensIt()
    assert.deepEqual(readRootKey(files.rootKeyPath), next)
    rmSync(directory, { recursive: true })
  })
})
