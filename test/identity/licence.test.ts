/** The licence: trial, activation, and that neither clock nor data folder gives more of the trial. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, test } from 'node:test'
import { SettableClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import {
  type InstallationMark,
  Licence,
  type LicenceTerms,
  licenceTable,
  signLicence,
  trialDays,
} from '#identity/licence'
import { MemoryStore } from '#store/memory'

const dayMs = 86_400_000
const holder = generateKeyPairSync('ed25519')
const publicKey = holder.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')

const licenceText = (terms: Partial<LicenceTerms>, key: KeyObject = holder.privateKey): string =>
  signLicence({ id: 'licence-1', feature: 'KMIP', holder: 'Example', notBefore: 0, ...terms }, key)

const memoryMark = (): InstallationMark => {
  let text: string | undefined
  return {
    read: () => text,
    write: (next) => {
      text = next
    },
  }
}

const newStore = () => new MemoryStore([licenceTable])

const open = async (parts: {
  clock?: SettableClock
  store?: MemoryStore
  mark?: InstallationMark
  publicKey?: string
}) => {
  const clock = parts.clock ?? new SettableClock()
  const store = parts.store ?? newStore()
  const licence = await Licence.open({
    store,
    clock,
    entropy: systemEntropy,
    publicKey: parts.publicKey ?? publicKey,
    mark: parts.mark ?? memoryMark(),
  })
  return { licence, clock, store }
}

/** Lets an hour's tick be noted. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

describe('licence', () => {
  test('is not needed without a public key', async () => {
    const { licence, clock, store } = await open({ publicKey: '' })
    clock.advance(1_000 * dayMs)
    assert.equal(licence.permits, true)
    assert.equal(store.read(licenceTable, 'state'), undefined)
    await assert.rejects(licence.activate(licenceText({})), { kind: 'conflict' })
  })

  test('a wrong public key is said', async () => {
    await assert.rejects(open({ publicKey: 'AAAA' }), { kind: 'invalid' })
  })

  test('90 days, then nothing, then a licence', async () => {
    const { licence, clock } = await open({})
    assert.equal(licence.status.state, 'Trial')
    clock.advance(trialDays * dayMs - 2 * 3_600_000)
    await settled()
    assert.equal(licence.permits, true)
    clock.advance(3 * 3_600_000)
    await settled()
    assert.equal(licence.status.state, 'Expired')
    assert.equal(licence.permits, false)
    await licence.activate(` ${licenceText({})}\n`)
    assert.equal(licence.status.state, 'Active')
    await assert.rejects(licence.activate(licenceText({})), { kind: 'already exists' })
    await licence.remove('licence-1')
    assert.equal(licence.permits, false)
    await assert.rejects(licence.remove('licence-1'), { kind: 'not found' })
  })

  test('a licence with an end ends', async () => {
    const { licence, clock } = await open({})
    clock.advance(200 * dayMs)
    await settled()
    await licence.activate(licenceText({ notAfter: clock.nowSeconds() + 10 * 86_400 }))
    assert.equal(licence.permits, true)
    clock.advance(11 * dayMs)
    await settled()
    assert.equal(licence.permits, false)
  })

  test('only what the key’s holder signed for this installation is a licence', async () => {
    const { licence } = await open({})
    const stranger = generateKeyPairSync('ed25519').privateKey
    const [payload = '', signature = ''] = licenceText({}).split('.')
    const other = Buffer.from(JSON.stringify({ id: 'x', feature: 'KMIP', holder: 'Y', notBefore: 0 })).toString(
      'base64url',
    )
    for (const text of [
      '',
      'x',
      licenceText({}, stranger),
      `${other}.${signature}`,
      `${payload}.`,
      licenceText({ feature: 'Other' }),
      licenceText({ installation: 'another' }),
    ]) {
      await assert.rejects(licence.activate(text), { kind: 'invalid' }, text)
    }
    const { installation } = licence.status
    assert.ok(installation !== undefined)
    await licence.activate(licenceText({ installation }))
  })

  test('a clock that is set back gives no more of the trial', async () => {
    const store = newStore()
    const mark = memoryMark()
    const start = new SettableClock()
    const startMs = start.nowMs()
    const first = await open({ store, mark, clock: start })
    start.advance(80 * dayMs)
    await settled()
    first.licence.stop()
    // The next start believes to be at the installation again; then eleven days go by.
    const { licence, clock } = await open({ store, mark, clock: new SettableClock(startMs) })
    assert.equal(licence.permits, true)
    for (let hour = 0; hour < 11 * 24; hour += 1) {
      clock.advance(3_600_000)
      await settled()
    }
    assert.equal(licence.permits, false)
  })

  test('another data folder gives no more of the trial', async () => {
    const mark = memoryMark()
    const clock = new SettableClock()
    const { licence } = await open({ mark, clock })
    const { installation } = licence.status
    clock.advance(91 * dayMs)
    await settled()
    licence.stop()
    const again = await open({ mark, clock })
    assert.equal(again.licence.permits, false)
    assert.equal(again.licence.status.installation, installation)
  })
})
