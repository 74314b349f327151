/**
 * Batch Undo (KMIP 1.4 §6.13, §11.43) for every operation: an item that was done is undone by the failure of a later one, and
 * nothing of it is left. What it is: the whole store before and after. What it is not: the answers (dispatch.test.ts).
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BlockCipherMode, CryptographicAlgorithm } from '#kmip/enums'
import type { PayloadName } from '#kmip/payloads/index'
import { operations } from '#operations/index'
import { objectTable } from '#operations/object-table'
import { bytes, limits, registerKey } from '#test/computing'
import {
  alice,
  type DispatcherUnderTest,
  item,
  openDispatcher,
  outcomesOf,
  type RequestedItem,
  send,
  succeed,
  undoOnError,
} from '#test/dispatcher'
import { makings } from '#test/making'
import { attributes, createKey, keyRequest, name, revocation } from '#test/sample-objects'

type Asking = (under: DispatcherUnderTest) => Promise<RequestedItem>

const data = bytes('00112233445566778899aabbccddeeff')

const onKey =
  (operation: PayloadName, payload: object, values: Readonly<Record<string, unknown>> = {}): Asking =>
  async (under) => ({ operation, payload: { ...payload, uniqueIdentifier: await createKey(under, values) } })

const withLimits =
  (operation: PayloadName, payload: object, algorithm: CryptographicAlgorithm = CryptographicAlgorithm.AES): Asking =>
  async (under) => {
    const uniqueIdentifier = await registerKey(under, limits(100n, 'Object'), data, algorithm)
    return { operation, payload: { ...payload, uniqueIdentifier } }
  }

const comment = { attributeName: 'Comment', attributeValue: 'after' }
const noTemplate = { name: [], attribute: [] }

/** Operations that change something, with a request that does. */
const changing: Partial<Record<PayloadName, Asking>> = {
  ...Object.fromEntries(
    Object.entries(makings).map(([operation, making]) => [
      operation,
      (under: DispatcherUnderTest) => making(under, noTemplate),
    ]),
  ),
  Import: async () =>
    item('Import', {
      uniqueIdentifier: 'theirs',
      attribute: attributes({ 'Cryptographic Usage Mask': 12, Name: name('theirs') }),
      symmetricKey: keyRequest().symmetricKey,
    }),
  AddAttribute: onKey('AddAttribute', { attribute: comment }),
  ModifyAttribute: onKey('ModifyAttribute', { attribute: comment }, { Comment: 'before' }),
  DeleteAttribute: onKey('DeleteAttribute', { attributeName: 'Comment' }, { Comment: 'before', Name: name('n') }),
  GetUsageAllocation: withLimits('GetUsageAllocation', { usageLimitsCount: 5n }),
  Activate: onKey('Activate', {}),
  Revoke: onKey('Revoke', revocation('', true)),
  Destroy: onKey('Destroy', {}, { Name: name('n') }),
  Archive: onKey('Archive', {}),
  Recover: async (under) => {
    const uniqueIdentifier = await createKey(under)
    await succeed(under, 'Archive', { uniqueIdentifier })
    return item('Recover', { uniqueIdentifier })
  },
  Get: onKey('Get', {}),
  Export: onKey('Export', {}),
  Encrypt: withLimits('Encrypt', { data, cryptographicParameters: { blockCipherMode: BlockCipherMode.ECB } }),
  MAC: withLimits('MAC', { data }, CryptographicAlgorithm.HMAC_SHA256),
}

/** Operations that change nothing of any object, or (Sign) count as Encrypt and MAC do, by the same function. */
const others: readonly PayloadName[] = [
  'Locate',
  'Check',
  'GetAttributes',
  'GetAttributeList',
  'ObtainLease',
  'Validate',
  'Decrypt',
  'Sign',
  'SignatureVerify',
  'MACVerify',
  'RNGRetrieve',
  'RNGSeed',
  'Hash',
  'Query',
  'DiscoverVersions',
  'Cancel',
  'Poll',
]

/** Every object of the store as it lies there, by identifier. */
const everything = ({ store }: DispatcherUnderTest): Readonly<Record<string, unknown>> => {
  const { keys } = store.find(objectTable, { all: [], any: [], offset: 0, limit: 1000 })
  return Object.fromEntries(keys.map((key) => [key, store.read(objectTable, key)]))
}

const failing = item('Get', { uniqueIdentifier: 'nobody' })

describe('Undo leaves nothing', () => {
  for (const [operation, asking] of Object.entries(changing)) {
    test(`of ${operation}`, async () => {
      const under = openDispatcher()
      const asked = await asking(under)
      under.clock.advance(5_000)
      const before = everything(under)
      const undone = await send(under, alice, 104, [asked, failing], undoOnError)
      assert.deepEqual(outcomesOf(undone), ['OperationUndone', 'ItemNotFound'])
      assert.equal(undone.items[0]?.payload, undefined)
      assert.deepEqual(everything(under), before)
      // The same request is done all the same when nothing fails: it does change something.
      assert.deepEqual(outcomesOf(await send(under, alice, 104, [asked], undoOnError)), ['Success'])
      assert.notDeepEqual(everything(under), before)
    })
  }

  test('and no operation is left out', () => {
    const named = [...Object.keys(changing), ...others]
    assert.deepEqual(named.toSorted(), operations.map((row) => row.name).toSorted())
  })
})
