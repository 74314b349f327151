/** Records of interfaces: names and defaults, what follows the settings, and certificates that are renewed in time. */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { SettableClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { adoptOwnAuthority } from '#identity/authorities'
import { createAuthority } from '#identity/authority'
import { certificateTable } from '#identity/bootstrap'
import { parseCertificate } from '#identity/certificates'
import {
  allInterfaces,
  changedInterface,
  ensureFirstInterface,
  getInterface,
  interfaceCertificate,
  interfaceTable,
  newInterface,
  renewedInterface,
  trustedCertificates,
} from '#identity/interfaces'
import { newRecord } from '#identity/records'
import { registrationTables } from '#identity/registration-tables'
import { MemoryStore } from '#store/memory'

const names = ['localhost', '127.0.0.1']
const days = 86_400_000

let clock: SettableClock
let store: MemoryStore
let authorityId: string
const context = () => ({ store, clock, entropy: systemEntropy })

beforeEach(async () => {
  clock = new SettableClock()
  store = new MemoryStore([interfaceTable, certificateTable, ...registrationTables])
  const own = createAuthority({ CN: 'the CA' }, clock.nowSeconds(), systemEntropy)
  await store.commit([newRecord(certificateTable.name, 'authority', { ...own, names: [] })])
  authorityId = await adoptOwnAuthority(store, clock)
})

test('the first interface is made once and follows the settings in everything', async () => {
  await ensureFirstInterface(context(), authorityId)
  const { id, ...first } = getInterface(store, 'kmip').value
  assert.deepEqual(first, {
    name: 'kmip',
    certUserField: 'CN',
    trustedLocal: [authorityId],
    trustedExternal: [],
    autoGenCaId: authorityId,
    autoRegistration: false,
    createdSeconds: clock.nowSeconds(),
    updatedSeconds: clock.nowSeconds(),
  })
  await ensureFirstInterface(context(), authorityId)
  assert.equal(getInterface(store, id).value.id, id)
  assert.equal(trustedCertificates(store, getInterface(store, id).value).length, 1)
})

test('another has the defaults of its kind, whatever the settings', async () => {
  await ensureFirstInterface(context(), authorityId)
  const { record, changes } = newInterface(context(), authorityId, names, { port: 5697 })
  await store.commit(changes)
  assert.equal(record.name, 'kmip_all_5697')
  assert.deepEqual(
    [record.port, record.networkInterface, record.mode, record.minimumTlsVersion],
    [5697, 'all', 'tls-cert-pw-opt', 'tls_1_2'],
  )
  assert.equal(interfaceCertificate(store, record.name), undefined, "it shows the server's own")
  assert.deepEqual(
    allInterfaces(store).map(({ name }) => name),
    ['kmip', 'kmip_all_5697'],
  )
})

describe('a certificate of its own', () => {
  const make = async () => {
    const { record, changes } = newInterface(context(), authorityId, names, {
      port: 5697,
      certificateAttributes: { cn: 'kms.example', dns_names: ['kms.example'] },
    })
    await store.commit(changes)
    return record
  }
  const shown = (name: string) => {
    const own = interfaceCertificate(store, name)
    assert.ok(own)
    return parseCertificate(own.certificate)
  }

  test("has the attributes' names and the server's", async () => {
    const { name } = await make()
    const { subject, subjectAlternativeNames } = shown(name)
    assert.match(subject.text, /CN=kms\.example/)
    const all = JSON.stringify(subjectAlternativeNames)
    for (const each of ['localhost', 'kms.example']) assert.ok(all.includes(each), all)
  })

  test('is another only when what it says is another', async () => {
    const record = await make()
    const before = shown(record.name).fingerprint
    const change = async (given: Parameters<typeof changedInterface>[3]) => {
      await store.commit(changedInterface(context(), getInterface(store, record.name), names, given).changes)
      return shown(record.name).fingerprint
    }
    assert.equal(await change({ mode: 'tls-pw-req' }), before)
    assert.notEqual(await change({ certificateAttributes: { cn: 'other.example' } }), before)
  })

  test('is renewed when it ends soon, or when the server has another name', async () => {
    const record = await make()
    assert.deepEqual(renewedInterface(context(), record, names), [])
    assert.equal(renewedInterface(context(), record, [...names, 'new.example']).length, 1)
    const { notAfterSeconds, fingerprint } = shown(record.name)
    clock.advance(notAfterSeconds * 1_000 - clock.nowMs() - 30 * days)
    await store.commit(renewedInterface(context(), record, names))
    assert.notEqual(shown(record.name).fingerprint, fingerprint)
    assert.ok(shown(record.name).notAfterSeconds > notAfterSeconds)
    assert.deepEqual(renewedInterface(context(), record, names), [])
  })
})
