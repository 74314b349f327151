/** Join Split Key: every reason of KMIP 1.4 §11.40, and every method from split to key (§4.39, §2.2.5). */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import type { RequestPayload } from '#client/operation-methods'
import { CryptographicAlgorithm, KeyFormatType, ObjectType, SecretDataType, SplitKeyMethod } from '#kmip/enums'
import type { KeyBlock } from '#kmip/key-block'
import { bytes, everyUse, hexOf, registerKey, registerSecret, usable, withoutValue } from '#test/computing'
import { archive, bob, type DispatcherUnderTest, openDispatcher, outcome, succeed } from '#test/dispatcher'
import { templateRows, testOutcomes } from '#test/outcome-table'
import { attributes, createKey, name } from '#test/sample-objects'
import { type Item, ItemType } from '#ttlv/item'

const text: Item = { tag: 0x42000b, type: ItemType.TextString, value: 'a' }

type Request = RequestPayload<'JoinSplitKey'>

const secret = '000102030405060708090a0b0c0d0e0f'

/** The parts of a key of which two are enough. */
const partsOf = async (
  under: DispatcherUnderTest,
  uniqueIdentifier?: string,
  splitKeyMethod: SplitKeyMethod = SplitKeyMethod.PolynomialSharingGF2_8,
): Promise<readonly string[]> => {
  const xor = splitKeyMethod === SplitKeyMethod.XOR
  const split = await succeed(under, 'CreateSplitKey', {
    objectType: ObjectType.SplitKey,
    uniqueIdentifier: uniqueIdentifier ?? (await registerKey(under, {}, bytes(secret))),
    splitKeyParts: xor ? 2 : 3,
    splitKeyThreshold: 2,
    splitKeyMethod,
    templateAttribute: { name: [], attribute: [] },
  })
  return split.uniqueIdentifier
}

const joining = (
  parts: readonly string[],
  values: Readonly<Record<string, unknown>> = {},
  templates: readonly string[] = [],
): Request => ({
  objectType: ObjectType.SymmetricKey,
  uniqueIdentifier: parts,
  templateAttribute: { name: templates.map(name), attribute: attributes(values) },
})

const asking =
  (values: Readonly<Record<string, unknown>>, others: Partial<Request> = {}) =>
  async (under: DispatcherUnderTest) =>
    outcome(under, 'JoinSplitKey', { ...joining(await partsOf(under), values), ...others })

describe('Join Split Key: reasons', () => {
  testOutcomes([
    ['an Object Type that is not joined', 'InvalidField', asking({}, { objectType: ObjectType.Certificate })],
    ...templateRows(async (under, template) =>
      outcome(under, 'JoinSplitKey', joining(await partsOf(under), {}, [template])),
    ),
    ['an attribute that nobody knows', 'InvalidField', asking({ 'No Such': text })],
    [
      'a Name that another object has',
      'InvalidField',
      async (under) => {
        await createKey(under, { Name: name('a') })
        return asking({ Name: name('a') })(under)
      },
    ],
    [
      'what is no Split Key',
      'InvalidField',
      async (under) => outcome(under, 'JoinSplitKey', joining([await createKey(under)])),
    ],
    [
      'parts of keys split otherwise',
      'InvalidField',
      async (under) => {
        const [one = ''] = await partsOf(under)
        const [, two = ''] = await partsOf(under, undefined, SplitKeyMethod.XOR)
        return outcome(under, 'JoinSplitKey', joining([one, two]))
      },
    ],
    [
      'the same part twice',
      'InvalidField',
      async (under) => {
        const [one = ''] = await partsOf(under)
        return outcome(under, 'JoinSplitKey', joining([one, one]))
      },
    ],
    ['no parts', 'CryptographicFailure', (under) => outcome(under, 'JoinSplitKey', joining([]))],
    [
      'fewer parts than the threshold',
      'CryptographicFailure',
      async (under) => outcome(under, 'JoinSplitKey', joining((await partsOf(under)).slice(1, 2))),
    ],
    ['a length that the secret has not', 'CryptographicFailure', asking({ 'Cryptographic Length': 256 })],
    [
      'a part that nobody has',
      'ItemNotFound',
      async (under) => outcome(under, 'JoinSplitKey', joining([...(await partsOf(under)), 'nobody'])),
    ],
    [
      'parts of another user',
      'PermissionDenied',
      async (under) => outcome(under, 'JoinSplitKey', joining(await partsOf(under)), { who: bob }),
    ],
    [
      'an archived part',
      'ObjectArchived',
      async (under) => {
        const parts = await partsOf(under)
        await archive(under, parts[1] ?? '')
        return outcome(under, 'JoinSplitKey', joining(parts))
      },
    ],
    [
      'a part whose value is not here',
      'KeyValueNotPresent',
      async (under) => {
        const parts = await partsOf(under)
        await withoutValue(under, parts[1] ?? '')
        return outcome(under, 'JoinSplitKey', joining(parts))
      },
    ],
    ['more instances than the server keeps', 'IndexOutOfBounds', asking({ 'Object Group': ['a', 'b', 'c', 'd', 'e'] })],
    [
      'an Application Namespace without data',
      'ApplicationNamespaceNotSupported',
      asking({ 'Application Specific Information': { applicationNamespace: 'a' } }),
    ],
    ['a valid request', 'Success', asking({})],
  ])
})

const blockOf = async (under: DispatcherUnderTest, uniqueIdentifier: string): Promise<KeyBlock | undefined> => {
  const { symmetricKey, privateKey, secretData } = await succeed(under, 'Get', { uniqueIdentifier })
  return (symmetricKey ?? privateKey ?? secretData)?.keyBlock
}

const materialOf = (block: KeyBlock | undefined): string | undefined => {
  const keyValue = block?.keyValue
  assert.ok(keyValue !== undefined && !(keyValue instanceof Uint8Array))
  return hexOf(keyValue.keyMaterial as Uint8Array)
}

describe('Join Split Key gives what was split', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const der = new Uint8Array(privateKey.export({ type: 'pkcs8', format: 'der' }))
  const password = '00fe01'

  for (const [method, splitKeyMethod] of Object.entries(SplitKeyMethod)) {
    test(`with ${method}: keys, private keys, and secrets of an odd length that begin with zeros`, async () => {
      const under = openDispatcher()
      const key = await registerKey(under, {}, bytes(secret))
      const secretIdentifier = await registerSecret(under, bytes(password))
      const { uniqueIdentifier: privateIdentifier } = await succeed(under, 'Register', {
        objectType: ObjectType.PrivateKey,
        templateAttribute: { attribute: usable(under) },
        privateKey: {
          keyBlock: { keyFormatType: KeyFormatType.PKCS_8, keyValue: { keyMaterial: der, attribute: [] } },
        },
      })
      for (const [objectType, identifier, expected] of [
        [ObjectType.SymmetricKey, key, secret],
        [ObjectType.PrivateKey, privateIdentifier, hexOf(der)],
        [ObjectType.SecretData, secretIdentifier, password],
      ] as const) {
        const parts = (await partsOf(under, identifier, splitKeyMethod)).slice(-2)
        const { uniqueIdentifier } = await succeed(under, 'JoinSplitKey', { ...joining(parts), objectType })
        assert.equal(materialOf(await blockOf(under, uniqueIdentifier)), expected)
      }
    })
  }
})

test('Join Split Key gives Triple DES keys whose length counts the parity bits (§2.1.3)', async () => {
  const under = openDispatcher()
  for (const material of [secret.repeat(2).slice(0, 32), secret.repeat(2).slice(0, 48)]) {
    const key = await registerKey(under, {}, bytes(material), CryptographicAlgorithm.DES3)
    const { uniqueIdentifier } = await succeed(under, 'JoinSplitKey', joining(await partsOf(under, key)))
    assert.equal(materialOf(await blockOf(under, uniqueIdentifier)), material)
  }
})

test('Join Split Key: a secret of the type that is asked for, with the mask of the parts', async () => {
  const under = openDispatcher()
  const parts = await partsOf(under, await registerSecret(under, bytes('0102')))
  const joined = { ...joining(parts), objectType: ObjectType.SecretData, secretDataType: SecretDataType.Seed }
  const { uniqueIdentifier } = await succeed(under, 'JoinSplitKey', joined)
  assert.equal((await succeed(under, 'Get', { uniqueIdentifier })).secretData?.secretDataType, SecretDataType.Seed)
  const { attribute } = await succeed(under, 'GetAttributes', {
    uniqueIdentifier,
    attributeName: ['Cryptographic Usage Mask'],
  })
  assert.deepEqual(
    attribute.map(({ attributeValue }) => attributeValue),
    [everyUse],
  )
})

test('Join Split Key takes parts that were registered; a part whose numbers contradict one another is not registered', async () => {
  const under = openDispatcher()
  const register = (keyPartIdentifier: number, material: string) => ({
    objectType: ObjectType.SplitKey,
    templateAttribute: { attribute: usable(under) },
    splitKey: {
      splitKeyParts: 2,
      keyPartIdentifier,
      splitKeyThreshold: 2,
      splitKeyMethod: SplitKeyMethod.XOR,
      keyBlock: {
        keyFormatType: KeyFormatType.Raw,
        keyValue: { keyMaterial: bytes(material), attribute: [] },
        cryptographicAlgorithm: CryptographicAlgorithm.AES,
        cryptographicLength: 128,
      },
    },
  })
  const parts: string[] = []
  for (const [index, material] of ['ff'.repeat(16), secret].entries()) {
    parts.push((await succeed(under, 'Register', register(index + 1, material))).uniqueIdentifier)
  }
  const { uniqueIdentifier } = await succeed(under, 'JoinSplitKey', joining(parts))
  assert.equal(materialOf(await blockOf(under, uniqueIdentifier)), 'fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0')
  assert.equal(await outcome(under, 'Register', register(3, secret)), 'InvalidField')
  assert.equal(await outcome(under, 'Register', register(0, secret)), 'InvalidField')
})
