/** Encrypt: every reason of KMIP 1.4 §11.30, the parameters that hold, Usage Limits under concurrency, and streams (§4.29). */
import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { systemEntropy } from '#actor/entropy'
import type { UsageLimits } from '#kmip/attribute-values'
import { BlockCipherMode, CryptographicAlgorithm, CryptographicUsageMask, PaddingMethod } from '#kmip/enums'
import type { Store } from '#store/store'
import { bytes, hexOf, keyRows, limits, registerKey, registerSecret } from '#test/computing'
import {
  attributesOf,
  bob,
  newStore,
  openDispatcher,
  outcome,
  place,
  stored,
  streamIdleTimeoutMs,
  succeed,
} from '#test/dispatcher'
import { type OutcomeRow, testOutcomes } from '#test/outcome-table'

const { ECB, CBC, GCM } = BlockCipherMode
const data = bytes('01020304050607080910111213141516')
const ecb = { blockCipherMode: ECB }
const block = 'd9bcce11b0b437b90239552df3a360c9'

const left = async (under: ReturnType<typeof openDispatcher>, identifier: string) =>
  ((await attributesOf(under, identifier))['Usage Limits']?.[0] as UsageLimits | undefined)?.usageLimitsCount

describe('Encrypt: reasons', () => {
  testOutcomes([
    ...keyRows('Encrypt', (uniqueIdentifier) => ({ uniqueIdentifier, data }), CryptographicUsageMask.Encrypt),
    [
      'Usage Limits that are used up',
      'PermissionDenied',
      async (under) =>
        outcome(under, 'Encrypt', { uniqueIdentifier: await registerKey(under, limits(15n, 'Byte')), data }),
    ],
    [
      'a mode that nobody has',
      'CryptographicFailure',
      async (under) => {
        const cryptographicParameters = { blockCipherMode: BlockCipherMode.X9_102AKW1 }
        return outcome(under, 'Encrypt', { uniqueIdentifier: await registerKey(under), cryptographicParameters, data })
      },
    ],
    [
      'half a block without padding',
      'CryptographicFailure',
      async (under) =>
        outcome(under, 'Encrypt', {
          uniqueIdentifier: await registerKey(under),
          cryptographicParameters: ecb,
          data: data.subarray(8),
        }),
    ],
    [
      'CBC without an IV',
      'InvalidMessage',
      async (under) =>
        outcome(under, 'Encrypt', {
          uniqueIdentifier: await registerKey(under),
          cryptographicParameters: { blockCipherMode: CBC },
          data,
        }),
    ],
    [
      'no data',
      'InvalidMessage',
      async (under) => outcome(under, 'Encrypt', { uniqueIdentifier: await registerKey(under) }),
    ],
    // Bits: none, less than none, no whole bytes, and 256 MB, of which not one may be drawn.
    ...[0, -8, 12, 2_147_483_640].flatMap((ivLength) =>
      [undefined, true].map(
        (initIndicator): OutcomeRow => [
          `a random IV of ${ivLength} bits, ${initIndicator ? 'in parts' : 'at once'}`,
          'CryptographicFailure',
          async (under) => {
            const cryptographicParameters = { blockCipherMode: GCM, tagLength: 16, randomIv: true, ivLength }
            const uniqueIdentifier = await registerKey(under)
            return outcome(under, 'Encrypt', { uniqueIdentifier, cryptographicParameters, data, initIndicator })
          },
        ],
      ),
    ),
    [
      'a valid request',
      'Success',
      async (under) => outcome(under, 'Encrypt', { uniqueIdentifier: await registerKey(under), data }),
    ],
  ])
})

describe('Encrypt: parameters', () => {
  test('nothing named is ECB with PKCS5, a mode alone has no padding', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await registerKey(under)
    const padded = await succeed(under, 'Encrypt', { uniqueIdentifier, data })
    assert.equal(hexOf(padded.data), `${block}0efb6bfed93b4d1ea2123ba4db075ff6`)
    const plain = await succeed(under, 'Encrypt', { uniqueIdentifier, cryptographicParameters: ecb, data })
    assert.equal(hexOf(plain.data), block)
  })

  test('a random IV is made, told, and good for Decrypt', async () => {
    const under = openDispatcher()
    const cryptographicParameters = { blockCipherMode: CBC, paddingMethod: PaddingMethod.PKCS5 }
    const uniqueIdentifier = await registerKey(under, { 'Cryptographic Parameters': cryptographicParameters })
    const random = { ...cryptographicParameters, randomIv: true }
    const made = await succeed(under, 'Encrypt', { uniqueIdentifier, cryptographicParameters: random, data })
    const { ivCounterNonce } = made
    assert.equal(ivCounterNonce?.length, 16)
    const back = await succeed(under, 'Decrypt', { uniqueIdentifier, data: made.data, ivCounterNonce })
    assert.equal(hexOf(back.data), hexOf(data))
  })

  test('a random IV longer than any mode takes is refused before it is drawn', async () => {
    const drawn: number[] = []
    const bytesOf = systemEntropy.bytes.bind(systemEntropy)
    mock.method(systemEntropy, 'bytes', (length: number) => {
      drawn.push(length)
      return bytesOf(length)
    })
    const under = openDispatcher()
    const uniqueIdentifier = await registerKey(under)
    for (const blockCipherMode of [CBC, GCM, BlockCipherMode.CTR]) {
      const cryptographicParameters = { blockCipherMode, randomIv: true, ivLength: 8_000_000 }
      const refused = await outcome(under, 'Encrypt', { uniqueIdentifier, cryptographicParameters, data })
      assert.equal(refused, 'CryptographicFailure')
    }
    mock.restoreAll()
    assert.ok(drawn.every((length) => length < 1_000))
  })

  test('an IV that is given stands also where a random one is asked for (Table 230)', async () => {
    const under = openDispatcher()
    const cryptographicParameters = { blockCipherMode: CBC, paddingMethod: PaddingMethod.PKCS5 }
    const uniqueIdentifier = await registerKey(under)
    const ivCounterNonce = bytes('000102030405060708090a0b0c0d0e0f')
    const request = { uniqueIdentifier, ivCounterNonce }
    const plain = await succeed(under, 'Encrypt', { ...request, cryptographicParameters, data })
    const random = { ...request, cryptographicParameters: { ...cryptographicParameters, randomIv: true } }
    const made = await succeed(under, 'Encrypt', { ...random, data })
    assert.deepEqual([hexOf(made.data), made.ivCounterNonce], [hexOf(plain.data), undefined])
    const first = await succeed(under, 'Encrypt', { ...random, initIndicator: true, data })
    const { correlationValue } = first
    const last = await succeed(under, 'Encrypt', { uniqueIdentifier, correlationValue, finalIndicator: true })
    assert.deepEqual([`${hexOf(first.data)}${hexOf(last.data)}`, first.ivCounterNonce], [hexOf(plain.data), undefined])
  })

  test('a one-time pad is Secret Data', async () => {
    const under = openDispatcher()
    const pad = { 'Cryptographic Algorithm': CryptographicAlgorithm.OneTimePad }
    const uniqueIdentifier = await registerSecret(under, bytes('fc932e1428bd'), pad)
    const made = await succeed(under, 'Encrypt', { uniqueIdentifier, data: bytes('010203040506') })
    assert.equal(hexOf(made.data), 'fd912d102dbb')
    assert.equal(await outcome(under, 'Encrypt', { uniqueIdentifier, data }), 'CryptographicFailure')
    const first = await succeed(under, 'Encrypt', { uniqueIdentifier, data: bytes('0102'), initIndicator: true })
    const { correlationValue } = first
    const last = await succeed(under, 'Encrypt', { correlationValue, data: bytes('03040506'), finalIndicator: true })
    assert.equal(`${hexOf(first.data) ?? ''}${hexOf(last.data)}`, 'fd912d102dbb')
  })

  test('additional data comes with the first part: other data of a later one would not be authenticated (Tables 229, 231)', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await registerKey(under, {}, new Uint8Array(16))
    const cryptographicParameters = { blockCipherMode: GCM, tagLength: 16 }
    const whole = { uniqueIdentifier, cryptographicParameters, ivCounterNonce: new Uint8Array(12), data }
    for (const [first, later, expected] of [
      [undefined, data, 'InvalidMessage'],
      [data, data.subarray(1), 'InvalidMessage'],
      [data, data, 'Success'],
      [data, undefined, 'Success'],
    ] as const) {
      const { correlationValue } = await succeed(under, 'Encrypt', {
        ...whole,
        initIndicator: true,
        authenticatedEncryptionAdditionalData: first,
      })
      const last = { correlationValue, authenticatedEncryptionAdditionalData: later, finalIndicator: true }
      assert.equal(await outcome(under, 'Encrypt', last), expected)
      if (expected !== 'Success') await succeed(under, 'Encrypt', { correlationValue, finalIndicator: true })
    }
  })
})

describe('Encrypt: the tag of versions that have no field for it', () => {
  const gcm = { blockCipherMode: GCM, tagLength: 16 }
  const request = { cryptographicParameters: gcm, ivCounterNonce: new Uint8Array(12) }

  for (const version of [102, 103]) {
    test(`the data ends with it in ${version}, and Decrypt takes it so`, async () => {
      const under = openDispatcher()
      const uniqueIdentifier = await registerKey(under, {}, new Uint8Array(16))
      const zeros = new Uint8Array(16)
      const made = await succeed(under, 'Encrypt', { uniqueIdentifier, ...request, data: zeros }, { version })
      assert.equal(hexOf(made.data), '0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf')
      const back = await succeed(under, 'Decrypt', { uniqueIdentifier, ...request, data: made.data }, { version })
      assert.equal(hexOf(back.data), hexOf(zeros))
    })
  }

  test('in parts: the last ends with it', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await registerKey(under, {}, new Uint8Array(16))
    const version = 103
    const { correlationValue } = await succeed(
      under,
      'Encrypt',
      { uniqueIdentifier, ...request, initIndicator: true },
      { version },
    )
    const last = { uniqueIdentifier, correlationValue, data: new Uint8Array(16), finalIndicator: true }
    const { data: ended } = await succeed(under, 'Encrypt', last, { version })
    assert.equal(hexOf(ended), '0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf')
  })
})

describe('Encrypt: Usage Limits', () => {
  test('many clients at once never get more than there is', async () => {
    const under = openDispatcher({ conflictRetriesMax: 32 })
    const uniqueIdentifier = await registerKey(under, limits(5n, 'Object'))
    const all = await Promise.all(
      Array.from({ length: 8 }, () => outcome(under, 'Encrypt', { uniqueIdentifier, data })),
    )
    assert.deepEqual(all.toSorted(), [...Array(3).fill('PermissionDenied'), ...Array(5).fill('Success')])
    assert.equal(await left(under, uniqueIdentifier), 0n)
  })

  test('a stream is one object, and as many bytes as its parts have', async () => {
    const under = openDispatcher()
    for (const [unit, rest] of [
      ['Object', 99n],
      ['Byte', 68n],
    ] as const) {
      const uniqueIdentifier = await registerKey(under, limits(100n, unit))
      const first = await succeed(under, 'Encrypt', { uniqueIdentifier, data, initIndicator: true })
      const { correlationValue } = first
      await succeed(under, 'Encrypt', { uniqueIdentifier, data, correlationValue, finalIndicator: true })
      assert.equal(await left(under, uniqueIdentifier), rest)
    }
  })

  test('a request that fails takes nothing', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await registerKey(under, limits(5n, 'Object'))
    const wrong = { uniqueIdentifier, cryptographicParameters: ecb, data: data.subarray(1) }
    assert.equal(await outcome(under, 'Encrypt', wrong), 'CryptographicFailure')
    assert.equal(await left(under, uniqueIdentifier), 5n)
  })
})

describe('Encrypt: streams', () => {
  test('parts give what the whole gives; the key need not be named again', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await registerKey(under, { 'Cryptographic Parameters': ecb })
    const { correlationValue, data: none } = await succeed(under, 'Encrypt', {
      uniqueIdentifier,
      data: data.subarray(0, 8),
      initIndicator: true,
    })
    assert.equal(none, undefined)
    const second = await succeed(under, 'Encrypt', { data: data.subarray(8), correlationValue })
    assert.equal(hexOf(second.data), block)
    const last = await succeed(under, 'Encrypt', { correlationValue, finalIndicator: true })
    assert.deepEqual([last.data, last.correlationValue], [undefined, undefined])
    assert.equal(await outcome(under, 'Encrypt', { uniqueIdentifier, correlationValue, data }), 'ItemNotFound')
  })

  test('a stream is of its user, key and operation, ends with an error, and is forgotten in time', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await registerKey(under, { 'Cryptographic Parameters': ecb })
    const other = await registerKey(under)
    const open = async () =>
      (await succeed(under, 'Encrypt', { uniqueIdentifier, initIndicator: true })).correlationValue
    const correlationValue = await open()
    assert.equal(await outcome(under, 'Encrypt', { uniqueIdentifier: other, correlationValue, data }), 'ItemNotFound')
    assert.equal(await outcome(under, 'Decrypt', { uniqueIdentifier, correlationValue, data }), 'ItemNotFound')
    assert.equal(await outcome(under, 'Encrypt', { correlationValue, data }, { who: bob }), 'ItemNotFound')
    const half = { correlationValue, data: data.subarray(8), finalIndicator: true }
    assert.equal(await outcome(under, 'Encrypt', half), 'CryptographicFailure')
    assert.equal(await outcome(under, 'Encrypt', { uniqueIdentifier, ...half, data }), 'ItemNotFound')
    const forgotten = await open()
    under.clock.advance(streamIdleTimeoutMs + 1)
    assert.equal(
      await outcome(under, 'Encrypt', { uniqueIdentifier, correlationValue: forgotten, data }),
      'ItemNotFound',
    )
  })

  test('a user has a bounded number of them, each of bounded bytes', async () => {
    const under = openDispatcher({ streamsPerUserMax: 2 })
    const uniqueIdentifier = await registerKey(under)
    const opening = { uniqueIdentifier, initIndicator: true }
    const { correlationValue } = await succeed(under, 'Encrypt', opening)
    await succeed(under, 'Encrypt', opening)
    assert.equal(await outcome(under, 'Encrypt', opening), 'PermissionDenied')
    const large = { uniqueIdentifier, correlationValue, data: new Uint8Array(1_025) }
    assert.equal(await outcome(under, 'Encrypt', large), 'PermissionDenied')
    await succeed(under, 'Encrypt', opening)
  })

  test('a part that is decided anew moves its stream once', async () => {
    const memory = newStore()
    let decisions = 0
    let beforeCommit: (() => Promise<void>) | undefined
    const commit: Store['commit'] = async (changes) => {
      decisions += 1
      const once = beforeCommit
      beforeCommit = undefined
      await once?.()
      return memory.commit(changes)
    }
    const store = new Proxy<Store>(memory, {
      get: (target, member) => {
        const value: unknown = member === 'commit' ? commit : Reflect.get(target, member, memory)
        return typeof value === 'function' && member !== 'commit' ? value.bind(memory) : value
      },
    })
    const under = openDispatcher({ store })
    const uniqueIdentifier = await registerKey(under, { 'Cryptographic Parameters': ecb, ...limits(100n, 'Byte') })
    const { correlationValue } = await succeed(under, 'Encrypt', { uniqueIdentifier, initIndicator: true })
    // Another client changes the key between the decision and its commit.
    beforeCommit = () => place({ ...under, store: memory }, stored(under, uniqueIdentifier))
    decisions = 0
    const part = await succeed(under, 'Encrypt', { uniqueIdentifier, correlationValue, data })
    assert.equal(decisions, 2)
    assert.equal(hexOf(part.data), block)
    assert.equal(await left(under, uniqueIdentifier), 84n)
    const last = await succeed(under, 'Encrypt', { uniqueIdentifier, correlationValue, finalIndicator: true })
    assert.equal(last.data, undefined)
  })

  test('GCM ends with its tag', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await registerKey(under, {}, new Uint8Array(16))
    const first = await succeed(under, 'Encrypt', {
      uniqueIdentifier,
      cryptographicParameters: { blockCipherMode: GCM, tagLength: 16 },
      ivCounterNonce: new Uint8Array(12),
      initIndicator: true,
    })
    const { correlationValue } = first
    const last = await succeed(under, 'Encrypt', {
      uniqueIdentifier,
      correlationValue,
      data: new Uint8Array(16),
      finalIndicator: true,
    })
    assert.equal(hexOf(last.data), '0388dace60b6a392f328c2b971b2fe78')
    assert.equal(hexOf(last.authenticatedEncryptionTag), 'ab6e47d42cec13bdf53a67b21257bddf')
  })
})
