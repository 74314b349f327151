/**
 * Usage Limits when many clients use one key at once: no unit is given twice, and none is refused that is there. What it is:
 * 64 requests at a time on each store, with the settings that the server has. What it is not: the rules (objects/usage.ts).
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { certificateTable } from '#identity/bootstrap'
import type { UsageLimits } from '#kmip/attribute-values'
import { BlockCipherMode, CryptographicUsageMask, UsageLimitsUnit } from '#kmip/enums'
import { objectTable } from '#operations/object-table'
import { openStore, storeLimits } from '#store/lmdb/open'
import type { Store } from '#store/store'
import {
  type Answer,
  alice,
  attributesOf,
  type DispatcherUnderTest,
  item,
  newStore,
  openDispatcher,
  outcome,
  outcomesOf,
  send,
} from '#test/dispatcher'
import { createKey } from '#test/sample-objects'
import { openSealer } from '#test/store/lmdb/sealer'

const clients = 64
/** As src/serve.ts has it. */
const conflictRetriesMax = 16
const directory = mkdtempSync(join(tmpdir(), 'kmipd-usage-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const stores: Readonly<Record<string, () => Promise<Store>>> = {
  memory: async () => newStore(),
  lmdb: () =>
    openStore({
      directory,
      sealer: openSealer(directory),
      tables: [objectTable, certificateTable],
      limits: storeLimits,
      onFault: (fault) => {
        throw fault
      },
    }),
}

const limitedKey = (under: DispatcherUnderTest, usageLimitsTotal: bigint): Promise<string> =>
  createKey(under, {
    'Usage Limits': { usageLimitsTotal, usageLimitsUnit: UsageLimitsUnit.Object },
    'Activation Date': under.clock.nowSeconds(),
    'Cryptographic Usage Mask': CryptographicUsageMask.Encrypt,
  })

const left = async (under: DispatcherUnderTest, key: string): Promise<bigint | undefined> =>
  ((await attributesOf(under, key))['Usage Limits']?.[0] as UsageLimits | undefined)?.usageLimitsCount

const answeredAll = (answer: Answer): string => outcomesOf(answer).join(' ')

/** Of 64 requests, as often as each came out. */
const outcomesOf64 = async (run: (index: number) => Promise<string>): Promise<Readonly<Record<string, number>>> => {
  const counts: Record<string, number> = {}
  for (const each of await Promise.all(Array.from({ length: clients }, (_, index) => run(index)))) {
    counts[each] = (counts[each] ?? 0) + 1
  }
  return counts
}

const data = new Uint8Array(16)
const ecb = { blockCipherMode: BlockCipherMode.ECB }

for (const [name, open] of Object.entries(stores)) {
  describe(`${clients} clients at once on one key, ${name}`, () => {
    const within = async (run: (under: DispatcherUnderTest) => Promise<void>): Promise<void> => {
      const store = await open()
      try {
        const under = openDispatcher({ store, conflictRetriesMax })
        await run(under)
        assert.deepEqual(under.failures, [])
      } finally {
        await store.close()
      }
    }

    test('every one is served while there is enough', () =>
      within(async (under) => {
        const uniqueIdentifier = await limitedKey(under, BigInt(clients))
        const allocating = { uniqueIdentifier, usageLimitsCount: 1n }
        const outcomes = await outcomesOf64(() => outcome(under, 'GetUsageAllocation', allocating))
        assert.deepEqual(outcomes, { Success: clients })
        assert.equal(await left(under, uniqueIdentifier), 0n)
      }))

    test('what is there is given, and not more', () =>
      within(async (under) => {
        const uniqueIdentifier = await limitedKey(under, 40n)
        const outcomes = await outcomesOf64((index) =>
          index % 2 === 0
            ? outcome(under, 'GetUsageAllocation', { uniqueIdentifier, usageLimitsCount: 1n })
            : outcome(under, 'Encrypt', { uniqueIdentifier, data, cryptographicParameters: ecb }),
        )
        assert.deepEqual(outcomes, { Success: 40, PermissionDenied: clients - 40 })
        assert.equal(await left(under, uniqueIdentifier), 0n)
      }))

    test('two keys in one batch, in either order, and nobody waits for ever', () =>
      within(async (under) => {
        const keys = [await limitedKey(under, 1000n), await limitedKey(under, 1000n)]
        const outcomes = await outcomesOf64(async (index) => {
          const batch = (index % 2 === 0 ? keys : keys.toReversed()).map((uniqueIdentifier) =>
            item('GetUsageAllocation', { uniqueIdentifier, usageLimitsCount: 1n }),
          )
          return answeredAll(await send(under, alice, 104, batch))
        })
        assert.deepEqual(outcomes, { 'Success Success': clients })
        for (const key of keys) assert.equal(await left(under, key), BigInt(1000 - clients))
      }))
  })
}
