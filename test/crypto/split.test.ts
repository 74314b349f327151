/** Secrets in parts: published shares, the algebra of the fields, and any enough of the shares, but no fewer. */

import assert from 'node:assert/strict'
import { checkPrimeSync } from 'node:crypto'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { joinKey, type SplitRequest, splitKey } from '#crypto/split'
import { SplitKeyMethod as S } from '#kmip/enums'
import { hex } from '#test/crypto/published'

const share = (keyPartIdentifier: number, bytes: string) => ({ keyPartIdentifier, bytes: hex(bytes) })
const published = hex('0102030405060708090a0b0c0d0e0f10')

describe('published shares', () => {
  const shares = [
    share(1, '66C46A7754F94DE420C7B1A7FFF5EC56'),
    share(2, 'CF93D1E2A7E593CD5B8D6247F4E5D49C'),
    share(3, 'A855B891F61AD9217240D8EC061E37DA'),
    share(4, '803DBAD55CDD329FAD19D99AE2C5A415'),
  ] as const
  const pairs = [
    [0, 1],
    [2, 0],
    [1, 3],
    [3, 2],
  ] as const
  for (const [first, second] of pairs) {
    test(`TC-SJ-2: GF(2^8), parts ${first + 1} and ${second + 1}`, () => {
      const request = { method: S.PolynomialSharingGF2_8, shares: [shares[first], shares[second]] }
      assert.deepEqual(joinKey(request), published)
    })
  }

  test('TC-SJ-4: XOR', () => {
    const parts = [
      share(1, 'd4b92c299199298e30dee13b967e6dda'),
      share(2, '35ea4f615686230c7b11538693674e89'),
      share(3, '3478ddd2e1f89f2005011d26d9fff37c'),
      share(4, 'd429bd9e23e192aa47c4a497d1e8df3f'),
    ]
    assert.deepEqual(joinKey({ method: S.XOR, shares: parts }), published)
    assert.notDeepEqual(joinKey({ method: S.XOR, shares: parts.slice(1) }), published)
  })

  test('GF(2^16): parts worked out by the formulas of §2.2.5', () => {
    // f(x) = 0102 + 0304 x over (u, v) = uy + v: f(1) = 0206, f(2) = 0102 + (0304)(0002) = 0102 + 0608 = 070a.
    const shares = [share(1, '0206'), share(2, '070a')]
    assert.deepEqual(joinKey({ method: S.PolynomialSharingGF2_16, shares }), hex('0102'))
    // f(x) = 0102 + 0304 x at x = y, the part 256: (3y + 4)y = 3(y + m) + 4y = 7y + {03}{3a} = 074e, so f(y) = 064c.
    const far = [share(1, '0206'), share(256, '064c')]
    assert.deepEqual(joinKey({ method: S.PolynomialSharingGF2_16, shares: far }), hex('0102'))
  })

  test('prime field: parts worked out by hand', () => {
    // f(x) = 200 + 150 x + 7 x^2 modulo 257.
    const shares = [share(1, '64'), share(3, 'c8'), share(5, '5f')].map(({ keyPartIdentifier }) => ({
      keyPartIdentifier,
      bytes: Uint8Array.of(0, (200 + 150 * keyPartIdentifier + 7 * keyPartIdentifier ** 2) % 257),
    }))
    const request = { method: S.PolynomialSharingPrimeField, primeFieldSize: 257n, shares, secretBytes: 1 }
    assert.deepEqual(joinKey(request), Uint8Array.of(200))
  })
})

const methods: readonly (readonly [string, S])[] = [
  ['GF(2^8)', S.PolynomialSharingGF2_8],
  ['GF(2^16)', S.PolynomialSharingGF2_16],
  ['prime field', S.PolynomialSharingPrimeField],
]

describe('what was split', () => {
  const secrets = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => new Uint8Array(bytes))
  for (const [name, method] of methods) {
    test(`${name}: comes back from any enough of its parts`, () => {
      const counts = fc
        .integer({ min: 1, max: 6 })
        .chain((threshold) =>
          fc.record({ threshold: fc.constant(threshold), parts: fc.integer({ min: threshold, max: 9 }) }),
        )
      fc.assert(
        fc.property(secrets, counts, fc.nat(), (secret, { threshold, parts }, turn) => {
          const { shares, ...prime } = splitKey({ method, parts, threshold, secret })
          const turned = shares.map((_, index) => shares[(index + turn) % parts]).filter((part) => part !== undefined)
          const request = { method, ...prime, secretBytes: secret.length }
          assert.deepEqual(joinKey({ ...request, shares: turned.slice(0, threshold) }), secret)
          assert.deepEqual(joinKey({ ...request, shares: turned }), secret)
        }),
        { numRuns: 40 },
      )
    })
  }

  test('one part too few tells nothing: any secret fits it', () => {
    const { shares } = splitKey({ method: S.PolynomialSharingGF2_8, parts: 3, threshold: 2, secret: published })
    const [first] = shares
    assert.ok(first !== undefined)
    const other = share(0x77, '00'.repeat(16))
    const joined = joinKey({ method: S.PolynomialSharingGF2_8, shares: [first, other] })
    assert.notDeepEqual(joined, published)
  })

  test('XOR: comes back from all of its parts', () => {
    fc.assert(
      fc.property(secrets, fc.integer({ min: 1, max: 8 }), (secret, parts) => {
        const { shares } = splitKey({ method: S.XOR, parts, threshold: parts, secret })
        assert.equal(shares.length, parts)
        assert.deepEqual(joinKey({ method: S.XOR, shares }), secret)
      }),
      { numRuns: 40 },
    )
  })

  test('the prime is the smallest above 2^L, and another one may be named', () => {
    const request = { method: S.PolynomialSharingPrimeField, parts: 3, threshold: 2, secret: published }
    const { primeFieldSize } = splitKey(request)
    assert.equal(primeFieldSize, 2n ** 128n + 51n)
    const named = 2n ** 521n - 1n
    const { shares, primeFieldSize: given } = splitKey({ ...request, primeFieldSize: named })
    assert.equal(given, named)
    assert.equal(shares[0]?.bytes.length, 66)
    const join = { method: request.method, primeFieldSize: named, shares: shares.slice(1), secretBytes: 16 }
    assert.deepEqual(joinKey(join), published)
  })

  test('long secrets get a Mersenne prime', () => {
    const rows = [
      [128, 1279n],
      [300, 3217n],
      [2400, 19937n],
    ] as const
    for (const [bytes, exponent] of rows) {
      const secret = new Uint8Array(bytes).fill(0xa5)
      const request = { method: S.PolynomialSharingPrimeField, parts: 3, threshold: 2, secret }
      const { shares, primeFieldSize } = splitKey(request)
      assert.equal(primeFieldSize, 2n ** exponent - 1n)
      const join = { method: request.method, primeFieldSize, shares: shares.slice(1), secretBytes: bytes }
      assert.deepEqual(joinKey(join), secret)
      assert.equal(splitKey({ ...request, primeFieldSize: 2n ** 19937n - 1n }).shares.length, 3)
    }
  })

  test('the Mersenne numbers are primes', () => {
    for (const exponent of [1279n, 2203n]) assert.equal(checkPrimeSync(2n ** exponent - 1n), true)
  })
})

describe('refusals', () => {
  const request: SplitRequest = { method: S.PolynomialSharingGF2_8, parts: 3, threshold: 2, secret: published }
  const prime = { ...request, method: S.PolynomialSharingPrimeField }
  const refused: readonly (readonly [string, SplitRequest, string])[] = [
    ['another method', { ...request, method: 99 }, 'unsupportedParameter'],
    ['no secret', { ...request, secret: hex('') }, 'invalidLength'],
    ['a threshold of 0', { ...request, threshold: 0 }, 'invalidParameter'],
    ['a threshold above the parts', { ...request, threshold: 4 }, 'invalidParameter'],
    ['256 parts of GF(2^8)', { ...request, parts: 256 }, 'invalidParameter'],
    [
      'more parts than there may be',
      { ...request, method: S.PolynomialSharingGF2_16, parts: 2000 },
      'invalidParameter',
    ],
    [
      'more work than a worker should have',
      { ...request, parts: 255, threshold: 255, secret: new Uint8Array(2000) },
      'invalidParameter',
    ],
    ['XOR with a threshold of its own', { ...request, method: S.XOR }, 'invalidParameter'],
    ['a field below the secret', { ...prime, primeFieldSize: 257n }, 'invalidParameter'],
    ['a field of no prime', { ...prime, primeFieldSize: 2n ** 128n + 1n }, 'invalidParameter'],
    ['a secret above every field', { ...prime, secret: new Uint8Array(2500) }, 'invalidLength'],
    ['a field too long to be checked', { ...prime, primeFieldSize: 2n ** 5000n + 1n }, 'invalidParameter'],
  ]
  for (const [name, wrong, kind] of refused) {
    test(`splitting: ${name}`, () => {
      assert.throws(() => splitKey(wrong), { name: /Error$/, kind })
    })
  }

  const one = share(1, '0102')
  const joins: readonly (readonly [string, Parameters<typeof joinKey>[0], string])[] = [
    ['no shares', { method: S.XOR, shares: [] }, 'failed'],
    ['the same part twice', { method: S.PolynomialSharingGF2_8, shares: [one, one] }, 'failed'],
    ['parts of two lengths', { method: S.PolynomialSharingGF2_8, shares: [one, share(2, '01')] }, 'failed'],
    ['part 0', { method: S.PolynomialSharingGF2_8, shares: [share(0, '0102'), one] }, 'failed'],
    ['part 256 of GF(2^8)', { method: S.PolynomialSharingGF2_8, shares: [share(256, '0102'), one] }, 'failed'],
    ['no prime', { method: S.PolynomialSharingPrimeField, shares: [one] }, 'missingParameter'],
    [
      'a part above the prime',
      { method: S.PolynomialSharingPrimeField, primeFieldSize: 251n, shares: [one] },
      'failed',
    ],
    [
      'a secret longer than it was',
      { method: S.PolynomialSharingPrimeField, primeFieldSize: 65537n, shares: [one], secretBytes: 1 },
      'failed',
    ],
    [
      'a field of no prime',
      { method: S.PolynomialSharingPrimeField, primeFieldSize: 256n, shares: [share(1, '01'), share(3, '01')] },
      'failed',
    ],
    ['another method', { method: 99, shares: [one] }, 'unsupportedParameter'],
  ]
  for (const [name, wrong, kind] of joins) {
    test(`joining: ${name}`, () => {
      assert.throws(() => joinKey(wrong), { kind })
    })
  }
})
