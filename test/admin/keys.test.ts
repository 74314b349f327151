/** Keys over kmipctl: what is known of them, who may use them, their end; and that nobody is given a key by it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Principal } from '#identity/principals'
import { CryptographicAlgorithm, NameType, ObjectType, RevocationReasonCode } from '#kmip/enums'
import { Tag } from '#kmip/tags'
import { type RunningAdministration, startAdministrationUnderTest } from '#test/admin/running-administration'
import { alice, ask, bob, type DispatcherUnderTest, openDispatcher, succeed } from '#test/dispatcher'
import { ItemType } from '#ttlv/item'

interface Shown {
  readonly id: string
  readonly owner: string
  readonly state: string | null
  readonly material: boolean
  readonly name: string | null
  readonly algorithm: string | null
  readonly size: number | null
  readonly meta: {
    readonly kmip: Readonly<Record<string, unknown>>
    readonly ownerId: string
    readonly permissions: Readonly<Record<string, readonly string[]>>
  }
}

describe('keys', () => {
  let admin: RunningAdministration
  let under: DispatcherUnderTest
  before(async () => {
    admin = await startAdministrationUnderTest()
    under = openDispatcher({ store: admin.services.store, clock: admin.clock })
    for (const name of ['alice', 'bob']) await done(`users create -n ${name}`)
    await done('groups create -n staff')
  })
  after(() => admin[Symbol.asyncDispose]())

  const done = async <T = unknown>(words: string): Promise<T> => {
    const result = await admin.line(words.split(' '))
    assert.equal(result.code, 0, `${words}: ${result.error}`)
    return result.json as T
  }
  const refused = async (words: string, code: string, environment: Record<string, string> = {}): Promise<void> => {
    const result = await admin.line(words.split(' '), { environment })
    assert.equal((JSON.parse(result.error) as { code: string }).code, code, words)
  }
  const create = async (name: string, who: Principal = alice): Promise<string> => {
    const { uniqueIdentifier } = await succeed(
      under,
      'Create',
      {
        objectType: ObjectType.SymmetricKey,
        templateAttribute: {
          name: [],
          attribute: [
            { attributeName: 'Cryptographic Algorithm', attributeValue: CryptographicAlgorithm.AES },
            { attributeName: 'Cryptographic Length', attributeValue: 256 },
            { attributeName: 'Cryptographic Usage Mask', attributeValue: 0xc },
            {
              attributeName: 'Name',
              attributeValue: { nameValue: name, nameType: NameType.UninterpretedTextString },
            },
            {
              attributeName: 'x-attribute1',
              attributeValue: { tag: Tag.AttributeValue, type: ItemType.TextString, value: 'Value1' },
            },
            {
              attributeName: 'Application Specific Information',
              attributeValue: { applicationNamespace: 'TestASi', applicationData: 'data' },
            },
          ],
        },
      },
      { who },
    )
    return uniqueIdentifier
  }

  test('are shown with key meta, and without material', async () => {
    const id = await create('k1')
    const alices = await done<{ readonly user_id: string }>('users get -i alice')
    const shown = await done<Shown>(`keys show ${id}`)
    assert.deepEqual(await done<Shown>('keys show k1'), shown)
    const { name, state, algorithm, size, owner, material, meta } = shown
    assert.deepEqual(
      { name, state, algorithm, size, owner, material },
      { name: 'k1', state: 'Pre-Active', algorithm: 'AES', size: 256, owner: 'local|alice', material: true },
    )
    assert.deepEqual(meta.kmip['custom'], [{ type: 'TextString', 'x-attribute1': 'Value1' }])
    assert.deepEqual(meta.kmip['app_specific_info'], { application_data: 'data', application_namespace: 'TestASi' })
    assert.equal(meta.ownerId, alices.user_id)
    assert.deepEqual(meta.permissions, {})
    const { symmetricKey } = await succeed(under, 'Get', { uniqueIdentifier: id })
    assert.ok(symmetricKey)
    const { keyMaterial } = symmetricKey.keyBlock.keyValue as { readonly keyMaterial: Uint8Array }
    assert.ok(!JSON.stringify(shown).includes(Buffer.from(keyMaterial).toString('hex')))
  })

  test('are listed by name, owner and state, those of the domain alone', async () => {
    await create('k2', bob)
    const total = async (words: string, environment: Record<string, string> = {}): Promise<number> => {
      const { code, json, error } = await admin.line(words.split(' '), { environment })
      assert.equal(code, 0, error)
      return (json as { readonly total: number }).total
    }
    assert.equal(await total('keys list'), 2)
    assert.equal(await total('keys list -n k2'), 1)
    assert.equal(await total('keys list -o alice'), 1)
    assert.equal(await total('keys list -s pre-active'), 2)
    assert.equal(await total('keys list -s active'), 0)
    await refused('keys list -s nonsense', 'invalid')
    await done('domains create -n finance')
    assert.equal(await total('keys list', { KSCTL_DOMAIN: 'finance' }), 0)
    await refused('keys show k2', 'not_found', { KSCTL_DOMAIN: 'finance' })
  })

  test('are opened to users and groups, and closed again', async () => {
    const id = await create('k3')
    const bobs = async (who: Principal = bob): Promise<string | undefined> =>
      (await ask(under, 'Get', { uniqueIdentifier: id }, { who })).reason
    const closed = await bobs()
    assert.ok(closed !== undefined)
    await done(`keys permissions grant ${id} -p read,export -u bob`)
    assert.equal(await bobs(), undefined)
    const { permissions } = await done<{ readonly permissions: unknown }>(`keys permissions list ${id}`)
    assert.deepEqual(permissions, { read: ['local|bob'], export: ['local|bob'] })
    await done(`keys permissions revoke ${id} -p export -u bob`)
    assert.ok((await bobs()) !== undefined)
    await done(`keys permissions grant ${id} -p read,export -g staff`)
    assert.ok((await bobs()) !== undefined)
    assert.equal(await bobs({ ...bob, groups: ['staff'] }), undefined)
    const bobsKeys = await done<{ readonly total: number; readonly resources: readonly Shown[] }>('keys list -o bob')
    assert.deepEqual([bobsKeys.total, bobsKeys.resources.map(({ name }) => name)], [1, ['k2']])
    assert.equal((await done<{ readonly total: number }>('keys list -o bob -n k3')).total, 0)
    const last = await done<{ readonly total: number; readonly resources: readonly Shown[] }>(
      'keys list -o alice --skip 1',
    )
    assert.deepEqual([last.total, last.resources.map(({ name }) => name)], [2, ['k3']])
    await refused(`keys permissions grant ${id} -p fly -u bob`, 'invalid')
    await refused(`keys permissions grant ${id} -p read`, 'invalid')
    await refused(`keys permissions grant ${id} -p read -u nobody`, 'not_found')
    await refused(`keys permissions grant ${id} -p read -g nobody`, 'not_found')
  })

  test('are not open to the next user or group of a name', async () => {
    const [first, second] = [await create('k6'), await create('k7')]
    await done('users create -n carol')
    await done('groups create -n crew')
    await done(`keys permissions grant ${first} -p read,export -u carol`)
    await done(`keys permissions grant ${first} -p encrypt -g crew`)
    await done(`keys permissions grant ${first} -p encrypt -u bob`)
    await done(`keys permissions grant ${second} -p decrypt -u carol`)
    await done('users delete -i carol')
    await done('groups delete -n crew')
    await done('users create -n carol')
    await done('groups create -n crew')
    const left = async (id: string) => (await done<Shown>(`keys show ${id}`)).meta.permissions
    assert.deepEqual([await left(first), await left(second)], [{ encrypt: ['local|bob'] }, {}])
    const carol = { ...bob, user: 'local|carol', groups: ['crew'] }
    for (const id of [first, second])
      assert.ok((await ask(under, 'Get', { uniqueIdentifier: id }, { who: carol })).reason !== undefined)
    for (const line of ['users delete -i carol', 'groups delete -n crew']) await done(line)
  })

  test('are destroyed under the rules of their state', async () => {
    const id = await create('k4')
    await succeed(under, 'Activate', { uniqueIdentifier: id })
    await refused(`keys destroy ${id}`, 'conflict')
    await succeed(under, 'Revoke', {
      uniqueIdentifier: id,
      revocationReason: { revocationReasonCode: RevocationReasonCode.CessationOfOperation },
    })
    await done(`keys destroy ${id}`)
    const shown = await done<Shown>(`keys show ${id}`)
    assert.deepEqual([shown.state, shown.material], ['Destroyed', false])
    await refused(`keys destroy ${id}`, 'conflict')
    await done(`keys destroy ${id} --hard true`)
    await refused(`keys show ${id}`, 'not_found')
    await refused('keys show nonsense', 'not_found')
  })

  test('are not removed when they become active meanwhile', async () => {
    const id = await create('k5')
    const { store } = admin.services
    const commit = store.commit.bind(store)
    store.commit = async (changes) => {
      store.commit = commit
      await succeed(under, 'Activate', { uniqueIdentifier: id })
      return commit(changes)
    }
    await refused(`keys destroy ${id} --hard true`, 'conflict')
    assert.equal((await done<Shown>(`keys show ${id}`)).state, 'Active')
  })

  test('a user who owns keys stays, unless it is forced', async () => {
    await refused('users delete -i alice', 'conflict')
    await done('users delete -i alice --force true')
    const { meta } = await done<Shown>('keys show k1')
    assert.equal(meta.ownerId, 'local|alice')
  })
})
