/** The rules of using a key: mask, state, dates (KMIP 1.4 §3.19, §3.22, §3.25, §3.26), and Usage Limits (§3.21). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CryptographicUsageMask, ObjectType, ResultReason, State, UsageLimitsUnit } from '#kmip/enums'
import type { KmipError } from '#kmip/errors'
import { type ManagedObject, valueOf } from '#objects/managed-object'
import { allocated, objectionToUse, type Use } from '#objects/usage'

const now = 1_000_000
const all = 0xffff

const key = (values: Readonly<Record<string, unknown>>): ManagedObject => ({
  uniqueIdentifier: 'key',
  objectType: ObjectType.SymmetricKey,
  owner: 'global',
  attributes: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [{ index: 0, value }]])),
  value: {},
})

const active = { 'Cryptographic Usage Mask': all, State: State.Active }

describe('a use is allowed', () => {
  const bits: Readonly<Record<Use, number>> = {
    encrypt: CryptographicUsageMask.Encrypt,
    decrypt: CryptographicUsageMask.Decrypt,
    sign: CryptographicUsageMask.Sign,
    verify: CryptographicUsageMask.Verify,
    macGenerate: CryptographicUsageMask.MACGenerate,
    macVerify: CryptographicUsageMask.MACVerify,
    derive: CryptographicUsageMask.DeriveKey,
    wrap: CryptographicUsageMask.WrapKey,
    unwrap: CryptographicUsageMask.UnwrapKey,
  }
  for (const [use, bit] of Object.entries(bits) as [Use, number][]) {
    test(`${use} by its own bit alone`, () => {
      assert.equal(objectionToUse(key({ ...active, 'Cryptographic Usage Mask': bit }), use, now), undefined)
      assert.match(objectionToUse(key({ ...active, 'Cryptographic Usage Mask': all & ~bit }), use, now) ?? '', /Mask/)
    })
  }

  const states: readonly (readonly [number, boolean, boolean])[] = [
    [State.PreActive, false, false],
    [State.Active, true, true],
    [State.Deactivated, false, true],
    [State.Compromised, false, true],
    [State.Destroyed, false, false],
    [State.DestroyedCompromised, false, false],
  ]
  for (const [state, protect, process] of states) {
    test(`in state ${state} to protect: ${protect}, to process: ${process}`, () => {
      const object = key({ ...active, State: state })
      assert.equal(objectionToUse(object, 'encrypt', now) === undefined, protect)
      assert.equal(objectionToUse(object, 'decrypt', now) === undefined, process)
    })
  }

  test('from the Process Start Date on, and until the Protect Stop Date', () => {
    const object = key({ ...active, 'Process Start Date': now, 'Protect Stop Date': now })
    assert.equal(objectionToUse(object, 'decrypt', now), undefined)
    assert.match(objectionToUse(object, 'decrypt', now - 1) ?? '', /Process Start Date/)
    assert.match(objectionToUse(object, 'encrypt', now) ?? '', /Protect Stop Date/)
    assert.equal(objectionToUse(object, 'encrypt', now - 1), undefined)
  })
})

describe('Usage Limits', () => {
  const limited = (usageLimitsUnit: number) =>
    key({ ...active, 'Usage Limits': { usageLimitsTotal: 10n, usageLimitsCount: 5n, usageLimitsUnit } })
  const left = (object: ManagedObject) =>
    valueOf<{ usageLimitsCount: bigint }>(object, 'Usage Limits')?.usageLimitsCount

  test('count bytes or objects down to nothing', () => {
    assert.equal(left(allocated(limited(UsageLimitsUnit.Byte), 'encrypt', { bytes: 5, objects: 1 })), 0n)
    assert.equal(left(allocated(limited(UsageLimitsUnit.Object), 'sign', { bytes: 500, objects: 1 })), 4n)
    assert.equal(left(allocated(limited(UsageLimitsUnit.Object), 'sign', { bytes: 500, objects: 0 })), 5n)
  })

  test('are not passed', () => {
    const denied = ({ reason }: KmipError) => reason === ResultReason.PermissionDenied
    assert.throws(() => allocated(limited(UsageLimitsUnit.Byte), 'encrypt', { bytes: 6, objects: 1 }), denied)
  })

  test('do not hold for processing, nor without the attribute', () => {
    const object = limited(UsageLimitsUnit.Byte)
    assert.equal(allocated(object, 'decrypt', { bytes: 6, objects: 1 }), object)
    const free = key(active)
    assert.equal(allocated(free, 'encrypt', { bytes: 6, objects: 1 }), free)
  })
})
