/** Create Split Key: every reason of KMIP 1.4 §11.39, and parts of new keys and old ones (§4.38). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RequestPayload } from '#client/operation-methods'
import { CryptographicAlgorithm, CryptographicUsageMask, KeyFormatType, ObjectType, SplitKeyMethod } from '#kmip/enums'
import { bytes, registerKey, withoutValue } from '#test/computing'
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
import { aes, attributes, createKey, name, opaqueRequest } from '#test/sample-objects'
import { type Item, ItemType } from '#ttlv/item'

const text: Item = { tag: 0x42000b, type: ItemType.TextString, value: 'a' }

type Request = RequestPayload<'CreateSplitKey'>

const splitting = (
  others: Partial<Request> = {},
  values: Readonly<Record<string, unknown>> = aes,
  templates: readonly string[] = [],
): Request => ({
  objectType: ObjectType.SplitKey,
  splitKeyParts: 4,
  splitKeyThreshold: 2,
  splitKeyMethod: SplitKeyMethod.PolynomialSharingGF2_8,
  templateAttribute: { name: templates.map(name), attribute: attributes(values) },
  ...others,
})

const asking = (others: Partial<Request>, values?: Readonly<Record<string, unknown>>) => (under: DispatcherUnderTest) =>
  outcome(under, 'CreateSplitKey', splitting(others, values))

describe('Create Split Key: reasons', () => {
  testOutcomes([
    ['another Object Type', 'InvalidField', asking({ objectType: ObjectType.SymmetricKey })],
    ...templateRows((under, template) => outcome(under, 'CreateSplitKey', splitting({}, aes, [template]))),
    ['one part', 'InvalidField', asking({ splitKeyParts: 1, splitKeyThreshold: 1 })],
    ['more parts than GF(2^8) has', 'InvalidField', asking({ splitKeyParts: 256 })],
    ['a threshold above the parts', 'InvalidField', asking({ splitKeyThreshold: 5 })],
    ['a threshold of one', 'InvalidField', asking({ splitKeyThreshold: 1 })],
    ['XOR with a threshold below the parts', 'InvalidField', asking({ splitKeyMethod: SplitKeyMethod.XOR })],
    ['a prime for a method without', 'InvalidField', asking({ primeFieldSize: 257n })],
    [
      'a prime below the secret',
      'CryptographicFailure',
      asking({ primeFieldSize: 257n, splitKeyMethod: SplitKeyMethod.PolynomialSharingPrimeField }),
    ],
    ['a method that nobody has', 'InvalidField', asking({ splitKeyMethod: 0x8000_0001 })],
    ['an attribute that nobody knows', 'InvalidField', asking({}, { ...aes, 'No Such': text })],
    ['no algorithm for a new key', 'InvalidMessage', asking({}, { 'Cryptographic Usage Mask': 4 })],
    ['a Name, which parts cannot share', 'InvalidField', asking({}, { ...aes, Name: name('a') })],
    ['no object has the identifier', 'ItemNotFound', asking({ uniqueIdentifier: 'nobody' })],
    [
      'the key of another user',
      'PermissionDenied',
      async (under) =>
        outcome(under, 'CreateSplitKey', splitting({ uniqueIdentifier: await createKey(under) }), { who: bob }),
    ],
    [
      'a sensitive key',
      'PermissionDenied',
      async (under) => asking({ uniqueIdentifier: await createKey(under, { Sensitive: true }) })(under),
    ],
    [
      'a key that is not extractable',
      'PermissionDenied',
      async (under) => asking({ uniqueIdentifier: await createKey(under, { Extractable: false }) })(under),
    ],
    [
      'an archived key',
      'ObjectArchived',
      async (under) => {
        const uniqueIdentifier = await createKey(under)
        await archive(under, uniqueIdentifier)
        return asking({ uniqueIdentifier })(under)
      },
    ],
    [
      'an object that is not split',
      'InvalidField',
      async (under) => {
        const { uniqueIdentifier } = await succeed(under, 'Register', opaqueRequest())
        return asking({ uniqueIdentifier })(under)
      },
    ],
    [
      'a key whose value is not here',
      'KeyValueNotPresent',
      async (under) => asking({ uniqueIdentifier: await withoutValue(under, await createKey(under)) })(under),
    ],
    [
      'more instances than the server keeps',
      'IndexOutOfBounds',
      asking({}, { ...aes, 'Object Group': ['a', 'b', 'c', 'd', 'e'] }),
    ],
    [
      'an Application Namespace without data',
      'ApplicationNamespaceNotSupported',
      asking({}, { ...aes, 'Application Specific Information': { applicationNamespace: 'a' } }),
    ],
    ['a valid request', 'Success', asking({})],
  ])
})

test('Create Split Key of a key there is: the attributes of the key stand above those of the request', async () => {
  const under = openDispatcher()
  const key = await registerKey(under, {}, bytes('0102030405060708090a0b0c0d0e0f10'))
  const asked = splitting({ uniqueIdentifier: key }, { 'Cryptographic Algorithm': CryptographicAlgorithm.DES })
  const { uniqueIdentifier: parts } = await succeed(under, 'CreateSplitKey', asked)
  assert.equal(parts.length, 4)
  for (const [index, uniqueIdentifier] of parts.entries()) {
    const { objectType, splitKey } = await succeed(under, 'Get', { uniqueIdentifier })
    assert.equal(objectType, ObjectType.SplitKey)
    assert.equal(splitKey?.keyPartIdentifier, index + 1)
    assert.equal(splitKey.splitKeyParts, 4)
    assert.equal(splitKey.splitKeyThreshold, 2)
    assert.equal(splitKey.keyBlock.keyFormatType, KeyFormatType.Raw)
    assert.equal(splitKey.keyBlock.cryptographicAlgorithm, CryptographicAlgorithm.AES)
    assert.equal(splitKey.keyBlock.cryptographicLength, 128)
  }
})

test('Create Split Key of a new key leaves nothing of it but the parts, with the attributes of the request', async () => {
  const under = openDispatcher()
  const { uniqueIdentifier: parts } = await succeed(under, 'CreateSplitKey', splitting())
  assert.equal((await succeed(under, 'Locate', {})).uniqueIdentifier.length, parts.length)
  const [first = ''] = parts
  const { Encrypt, Decrypt } = CryptographicUsageMask
  assert.deepEqual((await attributesOf(under, first))['Cryptographic Usage Mask'], [Encrypt | Decrypt])
})
