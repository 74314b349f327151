/** Keys that are kept: read once, found by their material alone, dropped by number, by age and when the place is taken away. */

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { afterEach, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { SettableClock } from '#actor/clock'
import { KeptKeys } from '#crypto/kept-keys'
import { keepKeysIn, type UsableKey, usablePrivateKey, usablePublicKey } from '#crypto/key-use'
import { computeSignature, verifySignature } from '#crypto/signature'
import { KeyFormatType as F } from '#kmip/enums'
import { pkcs1, pkcs8, privateForm, publicForm, rsa, spki } from '#test/crypto/keys'
import { text } from '#test/crypto/published'

const idleMs = 60_000
const key: UsableKey = { family: 'rsa', key: rsa.privateKey }
const material = (seed: number): Uint8Array => new Uint8Array(32).fill(seed)

/** A place, a way to look for a seed's key, and how often one was read. */
const open = (keysMax: number) => {
  const clock = new SettableClock()
  const place = new KeptKeys({ keysMax, idleMs }, clock)
  let reads = 0
  const look = (seed: number, purpose = 'private'): number => {
    const before = reads
    place.find(purpose, material(seed), () => {
      reads += 1
      return key
    })
    return reads - before
  }
  return { clock, place, look }
}

describe('kept keys', () => {
  test('the same material is read once; another, or for another purpose, again', () => {
    const { look, place } = open(10)
    assert.deepEqual([look(1), look(1), look(2), look(1), look(1, 'public'), look(1, 'public')], [1, 0, 1, 0, 1, 0])
    assert.equal(place.size, 3)
  })

  test('beyond their number the one used longest ago goes', () => {
    const { look, place } = open(2)
    assert.deepEqual([look(1), look(2), look(1), look(3), look(1), look(2)], [1, 1, 0, 1, 0, 1])
    assert.equal(place.size, 2)
  })

  test('an idle key goes by itself, one in use stays', async () => {
    const { clock, look, place } = open(10)
    look(1)
    look(2)
    for (let step = 0; step < 10; step += 1) {
      clock.advance(idleMs / 5)
      assert.equal(look(1), 0)
    }
    assert.equal(place.size, 1)
    clock.advance(idleMs * 1.3)
    assert.equal(place.size, 0)
    assert.equal(look(1), 1)
    place.clear()
    assert.equal(place.size, 0)
  })

  test('0 keeps none', () => {
    const { look, place } = open(0)
    assert.deepEqual([look(1), look(1), place.size], [1, 1, 0])
  })

  test('what cannot be read is not kept, and the material shows nowhere', () => {
    const { place, look } = open(10)
    const refuse = () => {
      throw new RangeError('refused')
    }
    assert.throws(() => place.find('private', material(1), refuse), RangeError)
    assert.equal(place.size, 0)
    look(0x41)
    assert.ok(!inspect(place, { depth: 9, showHidden: true }).includes('41 41 41'))
  })
})

describe('a thread that keeps keys', () => {
  afterEach(() => keepKeysIn(undefined))
  const data = text('data')

  test('signs and checks as one that does not, with the object that it kept', () => {
    const place = new KeptKeys({ keysMax: 10, idleMs }, new SettableClock())
    keepKeysIn(place)
    const own = privateForm(F.PKCS_1, pkcs1(rsa.privateKey))
    const other = publicForm(F.X_509, spki(rsa.publicKey))
    for (let round = 0; round < 3; round += 1) {
      const signature = computeSignature({ key: own, parameters: {}, data })
      assert.equal(verifySignature({ key: other, parameters: {}, data, signature }), true)
      assert.equal(verifySignature({ key: own, parameters: {}, data, signature }), true)
    }
    assert.equal(place.size, 3)
    assert.equal(usablePrivateKey(own).key, usablePrivateKey({ ...own, keyMaterial: pkcs1(rsa.privateKey) }).key)
    assert.notEqual(usablePublicKey(own).key, usablePrivateKey(own).key)
  })

  test('does not mistake one key for another of the same shape, nor a claim for the truth', () => {
    keepKeysIn(new KeptKeys({ keysMax: 10, idleMs }, new SettableClock()))
    const forms = [1, 2].map(() => privateForm(F.PKCS_8, pkcs8(generateKeyPairSync('ed25519').privateKey)))
    const [first, second] = forms.map((form) => computeSignature({ key: form, parameters: {}, data }))
    assert.notDeepEqual(first, second)
    const ownForm = privateForm(F.PKCS_8, pkcs8(rsa.privateKey))
    usablePrivateKey(ownForm)
    assert.throws(() => usablePublicKey({ ...ownForm, objectType: publicForm(F.X_509, material(1)).objectType }))
  })
})
