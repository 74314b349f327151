/**
 * Requests that compute and come again with other Data: what they are answered is what they would be answered if each were decided by
 * itself, and ends when what was decided is no longer so.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { CryptoRunner } from '#crypto/run'
import type { UsageLimits } from '#kmip/attribute-values'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  PaddingMethod,
  RevocationReasonCode,
  ValidityIndicator,
} from '#kmip/enums'
import { withValue } from '#objects/managed-object'
import { everyUse, limits, registerKey } from '#test/computing'
import { countingStore } from '#test/counting-store'
import {
  alice,
  attributesOf,
  bob,
  type DispatcherUnderTest,
  item,
  newStore,
  openDispatcher,
  payloadOf,
  place,
  type RequestedItem,
  requestBytes,
  sendBytes,
  stored,
  succeed,
} from '#test/dispatcher'
import { seededRandom } from '#test/seeded-random'

const { CBC, GCM, CTR, ECB } = BlockCipherMode
const { HMAC_SHA256 } = CryptographicAlgorithm
const random = seededRandom(11)
const drawn = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.below(256))

/** A dispatcher whose looks at the store are counted. */
const counted = (): { readonly under: DispatcherUnderTest; readonly looks: () => number } => {
  const { store, looks } = countingStore(newStore())
  return { under: openDispatcher({ store }), looks }
}

const cbc = { blockCipherMode: CBC, paddingMethod: PaddingMethod.PKCS5 }
const gcm = { blockCipherMode: GCM, tagLength: 16 }

type Requested = (uniqueIdentifier: string) => RequestedItem
/** Requests that are the same but for what varies in them. */
const kinds: readonly (readonly [string, Requested])[] = [
  [
    'Encrypt, CBC with an IV of the client',
    (uniqueIdentifier) =>
      item('Encrypt', { uniqueIdentifier, cryptographicParameters: cbc, data: drawn(20), ivCounterNonce: drawn(16) }),
  ],
  [
    'Encrypt, CBC with a random IV',
    (uniqueIdentifier) =>
      item('Encrypt', { uniqueIdentifier, cryptographicParameters: { ...cbc, randomIv: true }, data: drawn(64) }),
  ],
  [
    'Encrypt, GCM',
    (uniqueIdentifier) =>
      item('Encrypt', {
        uniqueIdentifier,
        cryptographicParameters: gcm,
        data: drawn(33),
        ivCounterNonce: drawn(12),
        authenticatedEncryptionAdditionalData: Uint8Array.of(1, 2, 3),
      }),
  ],
  [
    'Decrypt, CTR',
    (uniqueIdentifier) =>
      item('Decrypt', {
        uniqueIdentifier,
        cryptographicParameters: { blockCipherMode: CTR },
        data: drawn(21),
        ivCounterNonce: drawn(16),
      }),
  ],
  [
    'MAC',
    (uniqueIdentifier) =>
      item('MAC', {
        uniqueIdentifier,
        cryptographicParameters: { cryptographicAlgorithm: HMAC_SHA256 },
        data: drawn(50),
      }),
  ],
  [
    'MAC Verify',
    (uniqueIdentifier) =>
      item('MACVerify', {
        uniqueIdentifier,
        cryptographicParameters: { cryptographicAlgorithm: HMAC_SHA256 },
        data: drawn(50),
        macData: drawn(32),
      }),
  ],
]

const kindNamed = (name: string): Requested => {
  const [, requestOf] = kinds.find(([title]) => title === name) ?? assert.fail(name)
  return requestOf
}

const bytesOf = (requested: RequestedItem): Buffer => requestBytes(104, [requested])

describe('requests that compute and come again with other Data', () => {
  for (const [title, requestOf] of kinds) {
    test(`${title}: from the third on, nothing is looked at`, async () => {
      const { under, looks } = counted()
      const id = await registerKey(under)
      for (let time = 0; time < 2; time += 1) await sendBytes(under, alice, bytesOf(requestOf(id)))
      const before = looks()
      for (let time = 0; time < 3; time += 1) {
        const { items } = await sendBytes(under, alice, bytesOf(requestOf(id)))
        assert.equal(items[0]?.status, 'Success')
      }
      assert.equal(looks(), before)
    })
  }

  test('what comes out is what comes out of each by itself, whatever was before', async () => {
    const store = newStore()
    const keeps = openDispatcher({ store })
    const anew = openDispatcher({ store, clock: keeps.clock, answerCacheBytesMax: 0 })
    const ids = [await registerKey(keeps), await registerKey(keeps, {}, drawn(32))]
    const answered = new Map<string, number>()
    for (let time = 0; time < 300; time += 1) {
      const [title, requestOf] = random.pick(kinds)
      const bytes = bytesOf(requestOf(random.pick(ids)))
      const [given, expected] = [await sendBytes(keeps, alice, bytes), await sendBytes(anew, alice, bytes)]
      if (title.includes('random')) assert.equal(given.items[0]?.status, 'Success')
      else assert.deepEqual(given.message.batchItem, expected.message.batchItem, title)
      answered.set(title, (answered.get(title) ?? 0) + 1)
    }
    assert.ok([...answered.values()].every((times) => times > 10))
  })

  test('with a random IV: another each time, and Decrypt gives the Data back', async () => {
    const under = openDispatcher()
    const id = await registerKey(under)
    const ivs = new Set<string>()
    for (let time = 0; time < 10; time += 1) {
      const data = drawn(40)
      const parameters = { ...cbc, randomIv: true }
      const request = item('Encrypt', { uniqueIdentifier: id, cryptographicParameters: parameters, data })
      const made = payloadOf(await sendBytes(under, alice, bytesOf(request)), 0, 'Encrypt')
      const { ivCounterNonce, data: encrypted } = made
      ivs.add(Buffer.from(ivCounterNonce ?? []).toString('hex'))
      const back = await succeed(under, 'Decrypt', {
        uniqueIdentifier: id,
        cryptographicParameters: cbc,
        data: encrypted,
        ivCounterNonce,
      })
      assert.deepEqual(Buffer.from(back.data ?? []), Buffer.from(data))
    }
    assert.equal(ivs.size, 10)
  })

  test('MAC Verify tells right from wrong each time', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await registerKey(under)
    const cryptographicParameters = { cryptographicAlgorithm: HMAC_SHA256 }
    for (let time = 0; time < 8; time += 1) {
      const data = drawn(24)
      const { macData = drawn(32) } = await succeed(under, 'MAC', { uniqueIdentifier, cryptographicParameters, data })
      const sent = time % 2 === 0 ? macData : drawn(32)
      const request = item('MACVerify', { uniqueIdentifier, cryptographicParameters, data, macData: sent })
      const { validityIndicator } = payloadOf(await sendBytes(under, alice, bytesOf(request)), 0, 'MACVerify')
      assert.equal(validityIndicator, time % 2 === 0 ? ValidityIndicator.Valid : ValidityIndicator.Invalid)
    }
  })

  test('Data that is refused is refused as if the request came alone, and costs the others nothing', async () => {
    const store = newStore()
    const keeps = openDispatcher({ store })
    const anew = openDispatcher({ store, clock: keeps.clock, answerCacheBytesMax: 0 })
    const uniqueIdentifier = await registerKey(keeps)
    // Of the same length: what differs is whether its padding is right.
    const [right, wrong] = await Promise.all(
      [true, false].map(async (isRight) => {
        const { data } = await succeed(keeps, 'Encrypt', {
          uniqueIdentifier,
          cryptographicParameters: {
            blockCipherMode: ECB,
            paddingMethod: isRight ? PaddingMethod.PKCS5 : PaddingMethod.None,
          },
          data: new Uint8Array(isRight ? 20 : 32),
        })
        return data
      }),
    )
    const request = (data: Uint8Array | undefined): Buffer =>
      bytesOf(
        item('Decrypt', {
          uniqueIdentifier,
          cryptographicParameters: { blockCipherMode: ECB, paddingMethod: PaddingMethod.PKCS5 },
          data,
        }),
      )
    for (let time = 0; time < 8; time += 1) {
      const bytes = request(time % 4 === 3 ? wrong : right)
      const given = await sendBytes(keeps, alice, bytes)
      assert.equal(
        given.items[0]?.reason ?? given.items[0]?.status,
        time % 4 === 3 ? 'CryptographicFailure' : 'Success',
      )
      assert.deepEqual(given.message.batchItem, (await sendBytes(anew, alice, bytes)).message.batchItem)
    }
  })

  const refusals: readonly (readonly [string, (under: DispatcherUnderTest, id: string) => Promise<unknown>])[] = [
    [
      'the key is revoked',
      (under, uniqueIdentifier) =>
        succeed(under, 'Revoke', {
          uniqueIdentifier,
          revocationReason: { revocationReasonCode: RevocationReasonCode.CessationOfOperation },
        }),
    ],
    [
      'its usage mask is another',
      (under, id) => place(under, withValue(stored(under, id), 'Cryptographic Usage Mask', 0)),
    ],
    [
      'its Protect Stop Date comes',
      (under) => {
        under.clock.advance(61_000)
        return Promise.resolve()
      },
    ],
  ]
  for (const [title, end] of refusals) {
    test(`are refused as soon as ${title}`, async () => {
      const under = openDispatcher()
      const now = under.clock.nowSeconds()
      const id = await registerKey(under, { 'Protect Stop Date': now + 60, 'Deactivation Date': now + 120 })
      const request = (): Buffer => bytesOf(kindNamed('Encrypt, CBC with an IV of the client')(id))
      for (let time = 0; time < 4; time += 1)
        assert.equal((await sendBytes(under, alice, request())).items[0]?.status, 'Success')
      await end(under, id)
      assert.equal((await sendBytes(under, alice, request())).items[0]?.reason, 'PermissionDenied')
    })
  }

  test('nobody else gets anything of them', async () => {
    const under = openDispatcher()
    const id = await registerKey(under)
    for (const [, requestOf] of kinds) {
      for (let time = 0; time < 3; time += 1) await sendBytes(under, alice, bytesOf(requestOf(id)))
      for (let time = 0; time < 3; time += 1) {
        assert.equal((await sendBytes(under, bob, bytesOf(requestOf(id)))).items[0]?.reason, 'PermissionDenied')
      }
    }
  })

  test('each counts where Usage Limits hold', async () => {
    const under = openDispatcher()
    const id = await registerKey(under, { 'Cryptographic Usage Mask': everyUse, ...limits(5n, 'Object') })
    const outcomes: (string | undefined)[] = []
    for (let time = 0; time < 7; time += 1) {
      const { items } = await sendBytes(under, alice, bytesOf(kindNamed('Encrypt, CBC with an IV of the client')(id)))
      outcomes.push(items[0]?.reason ?? items[0]?.status)
    }
    assert.deepEqual(outcomes, [...Array.from({ length: 5 }, () => 'Success'), 'PermissionDenied', 'PermissionDenied'])
    const [left] = (await attributesOf(under, id))['Usage Limits'] as readonly UsageLimits[]
    assert.equal(left?.usageLimitsCount, 0n)
  })

  test('an answer that is larger than the client takes is refused each time', async () => {
    const under = openDispatcher()
    const id = await registerKey(under)
    const outcomes: (string | undefined)[] = []
    for (const maximumResponseSize of [4_096, 4_096, 4_096, 256, 256, 256, 256]) {
      const bytes = requestBytes(104, [kindNamed('Encrypt, CBC with a random IV')(id)], {
        maximumResponseSize,
      })
      const { items } = await sendBytes(under, alice, bytes)
      outcomes.push(items[0]?.reason ?? items[0]?.status)
    }
    assert.deepEqual(outcomes, [
      'Success',
      'Success',
      'Success',
      ...Array.from({ length: 4 }, () => 'ResponseTooLarge'),
    ])
  })

  test('nothing that is kept holds on to the memory of a message, where its Data stands', async () => {
    const jobs: { readonly data: Uint8Array; readonly aad?: Uint8Array | undefined }[] = []
    const { crypto: real } = openDispatcher()
    const crypto: CryptoRunner = {
      run: (job) => {
        if (job.kind === 'encrypt') jobs.push(job as never)
        return real.run(job)
      },
      close: () => Promise.resolve(),
    }
    const under = openDispatcher({ crypto })
    const id = await registerKey(under)
    const messages: ArrayBufferLike[] = []
    for (let time = 0; time < 5; time += 1) {
      const bytes = Buffer.from(new Uint8Array(bytesOf(kindNamed('Encrypt, GCM')(id))).buffer)
      messages.push(bytes.buffer)
      assert.equal((await sendBytes(under, alice, bytes)).items[0]?.status, 'Success')
    }
    // Those that are decided anew are read into memory of their own.
    assert.deepEqual(
      jobs.map(({ data }) => messages.indexOf(data.buffer)),
      [-1, -1, 2, 3, 4],
    )
    assert.ok(jobs.every(({ aad }) => aad !== undefined && !messages.includes(aad.buffer)))
  })
})
