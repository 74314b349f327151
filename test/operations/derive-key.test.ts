/** Derive Key: every reason of KMIP 1.4 §11.7, the derivations of the published cases, and Links both ways (§4.6). */
import assert from 'node:assert/strict'
import { createCipheriv, createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import type { RequestPayload } from '#client/operation-methods'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  DerivationMethod,
  HashingAlgorithm,
  LinkType,
  ObjectType,
} from '#kmip/enums'
import { bytes, everyUse, hexOf, registerKey, registerSecret, withoutValue } from '#test/computing'
import {
  archive,
  attributesOf,
  bob,
  type DispatcherUnderTest,
  openDispatcher,
  outcome,
  succeed,
} from '#test/dispatcher'
import { templateRows, testOutcomes } from '#test/outcome-table'
import { attributes, name, opaqueRequest } from '#test/sample-objects'

type Request = RequestPayload<'DeriveKey'>

const sha256 = { hashingAlgorithm: HashingAlgorithm.SHA_256 }
const derived = {
  'Cryptographic Algorithm': CryptographicAlgorithm.AES,
  'Cryptographic Length': 128,
  'Cryptographic Usage Mask': CryptographicUsageMask.Encrypt,
}

const hashing = (
  bases: readonly string[],
  others: Partial<Request> = {},
  values: Readonly<Record<string, unknown>> = {},
  templates: readonly string[] = [],
): Request => ({
  objectType: ObjectType.SymmetricKey,
  uniqueIdentifier: bases,
  derivationMethod: DerivationMethod.HASH,
  derivationParameters: { cryptographicParameters: sha256 },
  templateAttribute: { name: templates.map(name), attribute: attributes({ ...derived, ...values }) },
  ...others,
})

const base = (under: DispatcherUnderTest, values: Readonly<Record<string, unknown>> = {}) =>
  registerKey(under, values, bytes('00112233445566778899aabbccddeeff'))

const deriving =
  (others: Partial<Request>, values: Readonly<Record<string, unknown>> = {}) =>
  async (under: DispatcherUnderTest) =>
    outcome(under, 'DeriveKey', hashing([await base(under)], others, values))

const pbkdf2 = (iterationCount: number, cryptographicParameters?: typeof sha256) => ({
  derivationMethod: DerivationMethod.PBKDF2,
  derivationParameters: { cryptographicParameters, salt: bytes('73616c74'), iterationCount },
})

const iv = bytes('000102030405060708090a0b0c0d0e0f')

const encrypting = (bases: readonly string[], others: Partial<Request['derivationParameters']> = {}): Request =>
  hashing(bases, {
    derivationMethod: DerivationMethod.ENCRYPT,
    derivationParameters: { initializationVector: iv, ...others },
  })

/** A key that encrypts in CBC, and Secret Data to be encrypted. */
const encryptionBases = async (under: DispatcherUnderTest) => ({
  base: await base(under, { 'Cryptographic Parameters': { blockCipherMode: BlockCipherMode.CBC } }),
  secret: await registerSecret(under, iv),
})

describe('Derive Key: reasons', () => {
  testOutcomes([
    ['no object has the identifier', 'ItemNotFound', (under) => outcome(under, 'DeriveKey', hashing(['nobody']))],
    ['no object', 'InvalidMessage', (under) => outcome(under, 'DeriveKey', hashing([]))],
    [
      'the object of another user',
      'PermissionDenied',
      async (under) => outcome(under, 'DeriveKey', hashing([await base(under)]), { who: bob }),
    ],
    [
      'an object that is archived',
      'ObjectArchived',
      async (under) => {
        const key = await base(under)
        await archive(under, key)
        return outcome(under, 'DeriveKey', hashing([key]))
      },
    ],
    [
      'an object of a type that nothing is derived from',
      'InvalidField',
      async (under) => {
        const { uniqueIdentifier } = await succeed(under, 'Register', opaqueRequest())
        return outcome(under, 'DeriveKey', hashing([uniqueIdentifier]))
      },
    ],
    ['an Object Type that is not derived', 'InvalidField', deriving({ objectType: ObjectType.PublicKey })],
    ...templateRows(async (under, template) =>
      outcome(under, 'DeriveKey', hashing([await base(under)], {}, {}, [template])),
    ),
    ['a method that nobody has', 'InvalidField', deriving({ derivationMethod: 0x8000_0001 })],
    ['no Hashing Algorithm', 'InvalidField', deriving({ derivationParameters: {} })],
    [
      'parameters that the key does not have',
      'InvalidField',
      async (under) =>
        outcome(
          under,
          'DeriveKey',
          hashing([await base(under, { 'Cryptographic Parameters': { blockCipherMode: BlockCipherMode.CBC } })]),
        ),
    ],
    [
      'parameters that the key does not have, which is named behind the Secret Data',
      'InvalidField',
      async (under) => {
        const { base: key, secret } = await encryptionBases(under)
        const others = { cryptographicParameters: { blockCipherMode: BlockCipherMode.ECB } }
        return outcome(under, 'DeriveKey', encrypting([secret, key], others))
      },
    ],
    [
      'more iterations than the server does',
      'InvalidField',
      async (under) => outcome(under, 'DeriveKey', hashing([await registerSecret(under, bytes('70'))], pbkdf2(10_001))),
    ],
    [
      'derivation data given twice',
      'InvalidMessage',
      async (under) =>
        outcome(
          under,
          'DeriveKey',
          hashing([await base(under), await registerSecret(under, bytes('0102'))], {
            derivationMethod: DerivationMethod.HMAC,
            derivationParameters: { cryptographicParameters: sha256, derivationData: bytes('01') },
          }),
        ),
    ],
    ['no Cryptographic Length', 'InvalidMessage', deriving({ templateAttribute: { name: [], attribute: [] } })],
    ['a length of half a byte', 'InvalidField', deriving({}, { 'Cryptographic Length': 124 })],
    ['a length that AES has not', 'InvalidField', deriving({}, { 'Cryptographic Length': 136 })],
    [
      'a base without the Derive Key bit',
      'InvalidField',
      async (under) => {
        const mask = { 'Cryptographic Usage Mask': everyUse & ~CryptographicUsageMask.DeriveKey }
        return outcome(under, 'DeriveKey', hashing([await base(under, mask)]))
      },
    ],
    [
      'a Name that another object has',
      'InvalidField',
      async (under) =>
        outcome(under, 'DeriveKey', hashing([await base(under, { Name: name('a') })], {}, { Name: name('a') })),
    ],
    [
      'an Application Namespace without data',
      'ApplicationNamespaceNotSupported',
      deriving({}, { 'Application Specific Information': { applicationNamespace: 'a' } }),
    ],
    [
      'more instances than the server keeps',
      'IndexOutOfBounds',
      deriving({}, { 'Object Group': ['a', 'b', 'c', 'd', 'e'] }),
    ],
    [
      'a length that exceeds the digest',
      'CryptographicFailure',
      deriving({}, { 'Cryptographic Length': 512, 'Cryptographic Algorithm': CryptographicAlgorithm.HMAC_SHA512 }),
    ],
    [
      'a base whose value is not here',
      'KeyValueNotPresent',
      async (under) => outcome(under, 'DeriveKey', hashing([await withoutValue(under, await base(under))])),
    ],
    ['a valid request', 'Success', deriving({})],
  ])
})

const materialOf = async (under: DispatcherUnderTest, uniqueIdentifier: string): Promise<string | undefined> => {
  const { symmetricKey, secretData } = await succeed(under, 'Get', { uniqueIdentifier })
  const keyValue = (symmetricKey ?? secretData)?.keyBlock.keyValue
  assert.ok(keyValue !== undefined && !(keyValue instanceof Uint8Array))
  return hexOf(keyValue.keyMaterial as Uint8Array)
}

test('Derive Key gives what the published cases have', async () => {
  const under = openDispatcher()
  const key = await base(under)
  const secret = await registerSecret(under, bytes('70617373776f7264'))
  const data = await registerSecret(under, bytes('0102'))
  const hmac = { derivationMethod: DerivationMethod.HMAC, derivationParameters: { cryptographicParameters: sha256 } }
  const rows: readonly (readonly [Request, string])[] = [
    [hashing([key]), 'a8faed6abbf35c12a4b26e40f6feb19d'],
    [hashing([key, data], hmac), '1e15c1f1da233629f770fb0a04a5020e'],
    [hashing([secret], pbkdf2(1)), '0c60c80f961f0e71f3a9b524af601206'],
    [
      hashing([secret], pbkdf2(4096, sha256), { 'Cryptographic Length': 256 }),
      'c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a',
    ],
    [
      hashing([secret], {
        objectType: ObjectType.SecretData,
        ...pbkdf2(1),
        templateAttribute: { name: [], attribute: attributes({ 'Cryptographic Length': 80 }) },
      }),
      '0c60c80f961f0e71f3a9',
    ],
  ]
  for (const [request, expected] of rows) {
    const { uniqueIdentifier } = await succeed(under, 'DeriveKey', request)
    assert.equal(await materialOf(under, uniqueIdentifier), expected)
  }
})

test('Derive Key takes the parameters of the key, in whichever order key and Secret Data are named', async () => {
  const under = openDispatcher()
  const { base: key, secret } = await encryptionBases(under)
  for (const bases of [
    [key, secret],
    [secret, key],
  ]) {
    const { uniqueIdentifier } = await succeed(under, 'DeriveKey', encrypting(bases))
    const expected = createCipheriv('aes-128-cbc', bytes('00112233445566778899aabbccddeeff'), iv).update(iv)
    assert.equal(await materialOf(under, uniqueIdentifier), hexOf(expected))
  }
})

test('Derive Key makes DES keys of every length that there is, with the parity bits counted or not (§2.1.3)', async () => {
  const under = openDispatcher()
  const digest = createHash('sha256').update(bytes('00112233445566778899aabbccddeeff')).digest('hex')
  for (const [algorithm, bits, length] of [
    ['DES', 56, 8],
    ['DES', 64, 8],
    ['DES3', 112, 16],
    ['DES3', 128, 16],
    ['DES3', 168, 24],
    ['DES3', 192, 24],
  ] as const) {
    const values = { 'Cryptographic Algorithm': CryptographicAlgorithm[algorithm], 'Cryptographic Length': bits }
    const { uniqueIdentifier } = await succeed(under, 'DeriveKey', hashing([await base(under)], {}, values))
    assert.equal(await materialOf(under, uniqueIdentifier), digest.slice(0, 2 * length))
  }
})

test('Derive Key links the derived key and its base', async () => {
  const under = openDispatcher()
  const key = await base(under)
  const made: string[] = []
  for (let round = 0; round < 2; round += 1) {
    made.push((await succeed(under, 'DeriveKey', hashing([key]))).uniqueIdentifier)
  }
  const link = (linkType: LinkType) => (linkedObjectIdentifier: string) => ({ linkType, linkedObjectIdentifier })
  assert.deepEqual((await attributesOf(under, key))['Link'], made.map(link(LinkType.DerivedKeyLink)))
  const [first = ''] = made
  assert.deepEqual((await attributesOf(under, first))['Link'], [link(LinkType.DerivationBaseObjectLink)(key)])
})

test('a base from which more is derived than an attribute has instances keeps as many Links, and the rest is found by its own', async () => {
  const under = openDispatcher({ policy: { instancesMax: 2 } })
  const key = await base(under)
  const made: string[] = []
  for (let count = 0; count < 3; count += 1) {
    made.push((await succeed(under, 'DeriveKey', hashing([key]))).uniqueIdentifier)
  }
  assert.equal((await attributesOf(under, key))['Link']?.length, 2)
  const back = { linkType: LinkType.DerivationBaseObjectLink, linkedObjectIdentifier: key }
  const found = await succeed(under, 'Locate', { attribute: attributes({ Link: back }) })
  assert.deepEqual(new Set(found.uniqueIdentifier), new Set(made))
})
