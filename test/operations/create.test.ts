/** Create: every reason of KMIP 1.4 §11.2, templates and their precedence (§4), and the new key (§4.1). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CryptoFailure, type CryptoRunner } from '#crypto/run'
import {
  CryptographicAlgorithm,
  CryptographicUsageMask,
  HashingAlgorithm,
  KeyFormatType,
  ObjectType,
  QueryFunction,
  RNGAlgorithm,
  SecretDataType,
  State,
} from '#kmip/enums'
import {
  alice,
  attributesOf,
  type DispatcherUnderTest,
  item,
  openDispatcher,
  outcome,
  send,
  succeed,
} from '#test/dispatcher'
import { registerTemplate, templateRows, testOutcomes } from '#test/outcome-table'
import { aes, attributes, createKey, createRequest, materialOf, name } from '#test/sample-objects'
import { type Item, ItemType } from '#ttlv/item'

const creating = (values: Readonly<Record<string, unknown>>) => (under: DispatcherUnderTest) =>
  outcome(under, 'Create', createRequest(values))

const creatingWith = (under: DispatcherUnderTest, template: string) =>
  outcome(under, 'Create', createRequest({}, [template]))

const given = (objectType: ObjectType, values: Readonly<Record<string, unknown>>) => ({
  objectType,
  templateAttribute: { attribute: attributes(values) },
})

const text: Item = { tag: 0x42000b, type: ItemType.TextString, value: 'a' }
const { 'Cryptographic Algorithm': _, ...withoutAlgorithm } = aes
const { 'Cryptographic Usage Mask': __, ...withoutMask } = aes

describe('Create: reasons', () => {
  testOutcomes([
    [
      'an Object Type that is not recognized',
      'InvalidField',
      (under) => outcome(under, 'Create', given(99 as ObjectType, aes)),
    ],
    [
      'an Object Type that is not created so',
      'InvalidField',
      (under) => outcome(under, 'Create', given(ObjectType.PrivateKey, aes)),
    ],
    ...templateRows(creatingWith),
    ['an attribute that nobody knows', 'InvalidField', creating({ Colour: text })],
    ['a read-only attribute', 'InvalidField', creating({ State: State.Active })],
    ["a custom attribute of the server's", 'InvalidField', creating({ 'y-server': text })],
    [
      'an attribute of other Object Types',
      'InvalidField',
      creating({ 'Cryptographic Domain Parameters': { qlength: 256 } }),
    ],
    ['a single instance given twice', 'InvalidField', creating({ Comment: ['a', 'b'] })],
    [
      'a single instance with an index',
      'InvalidField',
      (under) => {
        const { objectType, templateAttribute } = createRequest()
        const attribute = { attributeName: 'Comment', attributeIndex: 1, attributeValue: 'a' }
        return outcome(under, 'Create', {
          objectType,
          templateAttribute: { attribute: [...templateAttribute.attribute, attribute] },
        })
      },
    ],
    ['a length that the algorithm does not have', 'InvalidField', creating({ 'Cryptographic Length': 100 })],
    ['a negative length', 'InvalidField', creating({ 'Cryptographic Length': -128 })],
    [
      'a length that the server does not make',
      'InvalidField',
      creating({ 'Cryptographic Algorithm': CryptographicAlgorithm.OneTimePad, 'Cryptographic Length': 4104 }),
    ],
    [
      'an algorithm of key pairs',
      'InvalidField',
      creating({ 'Cryptographic Algorithm': CryptographicAlgorithm.RSA, 'Cryptographic Length': 2048 }),
    ],
    ['dates that contradict one another', 'InvalidField', creating({ 'Activation Date': 10, 'Process Start Date': 9 })],
    [
      'a random number generator that the server does not have',
      'InvalidField',
      creating({ 'Random Number Generator': { rngAlgorithm: RNGAlgorithm.ANSIX9_31 } }),
    ],
    [
      'no Cryptographic Algorithm',
      'InvalidMessage',
      (under) => outcome(under, 'Create', given(ObjectType.SymmetricKey, withoutAlgorithm)),
    ],
    [
      'no Cryptographic Usage Mask',
      'InvalidMessage',
      (under) => outcome(under, 'Create', given(ObjectType.SymmetricKey, withoutMask)),
    ],
    [
      'more instances than the server supports',
      'IndexOutOfBounds',
      creating({ 'Object Group': ['a', 'b', 'c', 'd', 'e'] }),
    ],
    [
      'the Name of another object',
      'InvalidField',
      async (under) => {
        await createKey(under, { Name: name('taken') })
        return creating({ Name: name('taken') })(under)
      },
    ],
    [
      'Application Data left to the server',
      'ApplicationNamespaceNotSupported',
      creating({ 'Application Specific Information': { applicationNamespace: 'a' } }),
    ],
    ['the least that is needed', 'Success', creating({})],
  ])

  test('the key cannot be made: CryptographicFailure', async () => {
    const crypto: CryptoRunner = {
      run: () => Promise.reject(new CryptoFailure('worker')),
      close: () => Promise.resolve(),
    }
    const under = openDispatcher({ crypto })
    assert.equal(await creating({})(under), 'CryptographicFailure')
  })
})

describe('Create', () => {
  test('makes a key with what was asked for and what the server sets', async () => {
    const under = openDispatcher()
    const now = under.clock.nowSeconds()
    const answer = await succeed(under, 'Create', createRequest({ Name: name('a'), 'Object Group': ['g', 'h', 'g'] }))
    const { uniqueIdentifier } = answer
    assert.deepEqual(answer, { objectType: ObjectType.SymmetricKey, uniqueIdentifier, templateAttribute: undefined })
    const has = await attributesOf(under, uniqueIdentifier)
    const expected: Readonly<Record<string, readonly unknown[]>> = {
      'Unique Identifier': [uniqueIdentifier],
      'Object Type': [ObjectType.SymmetricKey],
      Name: [name('a')],
      'Object Group': ['g', 'h'],
      'Cryptographic Algorithm': [CryptographicAlgorithm.AES],
      'Cryptographic Length': [128],
      'Cryptographic Usage Mask': [CryptographicUsageMask.Encrypt | CryptographicUsageMask.Decrypt],
      State: [State.PreActive],
      'Initial Date': [now],
      'Last Change Date': [now],
      'Original Creation Date': [now],
      'Lease Time': [3600],
      Fresh: [true],
      Sensitive: [false],
      'Always Sensitive': [false],
      Extractable: [true],
      'Never Extractable': [false],
    }
    for (const [attributeName, values] of Object.entries(expected)) {
      assert.deepEqual(has[attributeName], values, attributeName)
    }
    const [digest] = has['Digest'] as readonly { hashingAlgorithm: number; keyFormatType: number }[]
    assert.equal(digest?.hashingAlgorithm, HashingAlgorithm.SHA_256)
    assert.equal(digest.keyFormatType, KeyFormatType.Raw)
    assert.equal(has['Random Number Generator']?.length, 1)
    assert.deepEqual(
      Object.keys(has)
        .filter((each) => !Object.hasOwn(expected, each))
        .toSorted(),
      ['Digest', 'Random Number Generator'],
    )
  })

  test('chooses a length where none is asked for, and no two keys are the same', async () => {
    const under = openDispatcher()
    const { 'Cryptographic Length': ___, ...noLength } = aes
    const request = given(ObjectType.SymmetricKey, noLength)
    const keys: string[] = []
    for (let count = 0; count < 2; count += 1) {
      const { uniqueIdentifier } = await succeed(under, 'Create', request)
      const { symmetricKey } = await succeed(under, 'Get', { uniqueIdentifier })
      const keyMaterial = materialOf(symmetricKey)
      assert.equal(keyMaterial.length, 32)
      keys.push(keyMaterial.toString('hex'))
    }
    assert.notEqual(keys[0], keys[1])
  })

  test('an Activation Date that has passed makes it active, one to come does not', async () => {
    const under = openDispatcher()
    const now = under.clock.nowSeconds()
    const states: unknown[] = []
    for (const date of [now - 1, now, now + 1]) {
      const uniqueIdentifier = await createKey(under, { 'Activation Date': date })
      const { State: state, 'Activation Date': activation } = await attributesOf(under, uniqueIdentifier)
      assert.deepEqual(activation, [date])
      states.push(state?.[0])
    }
    assert.deepEqual(states, [State.Active, State.Active, State.PreActive])
  })

  test('a random number generator that is the server’s is one to ask for', async () => {
    const under = openDispatcher()
    const { rngParameters } = await succeed(under, 'Query', { queryFunction: [QueryFunction.QueryRNGs] })
    assert.equal(await creating({ 'Random Number Generator': rngParameters[0] })(under), 'Success')
    const algorithmAlone = { rngAlgorithm: rngParameters[0]?.rngAlgorithm }
    assert.equal(await creating({ 'Random Number Generator': algorithmAlone })(under), 'Success')
  })

  test('the key is the ID Placeholder of what follows', async () => {
    const under = openDispatcher()
    const batch = [item('Create', createRequest()), item('Activate', {}), item('Get', {})]
    const { items } = await send(under, alice, 100, batch)
    const identifiers = items.map(({ payload }) => (payload as { uniqueIdentifier: string }).uniqueIdentifier)
    assert.equal(identifiers.length, 3)
    assert.equal(new Set(identifiers).size, 1)
  })
})

describe('Create from Templates', () => {
  const createdFrom = async (
    under: DispatcherUnderTest,
    templates: readonly string[],
    values: Readonly<Record<string, unknown>> = {},
  ) => {
    const { uniqueIdentifier } = await succeed(under, 'Create', createRequest(values, templates))
    return attributesOf(under, uniqueIdentifier)
  }

  test('takes what the Template gives, and not the Template’s own attributes', async () => {
    const under = openDispatcher()
    await registerTemplate(under, 'a', {
      'Contact Information': 'desk',
      'Cryptographic Length': 256,
      'Cryptographic Algorithm': CryptographicAlgorithm.AES,
      'Cryptographic Usage Mask': CryptographicUsageMask.Encrypt,
      'Activation Date': 5,
    })
    const { uniqueIdentifier } = await succeed(under, 'Create', {
      objectType: ObjectType.SymmetricKey,
      templateAttribute: { name: [name('a')] },
    })
    const has = await attributesOf(under, uniqueIdentifier)
    assert.deepEqual(has['Contact Information'], ['desk'])
    assert.deepEqual(has['Cryptographic Length'], [256])
    assert.deepEqual(has['State'], [State.Active])
    assert.equal(has['Name'], undefined)
    assert.deepEqual(has['Object Type'], [ObjectType.SymmetricKey])
  })

  test('of single instances the last Template’s stands, and the request’s own above it', async () => {
    const under = openDispatcher()
    await registerTemplate(under, 'first', { Comment: 'first', Description: 'first', 'Contact Information': 'first' })
    await registerTemplate(under, 'second', { Comment: 'second', Description: 'second' })
    const has = await createdFrom(under, ['first', 'second'], { Comment: 'own' })
    assert.deepEqual([has['Comment'], has['Description'], has['Contact Information']], [['own'], ['second'], ['first']])
    const turned = await createdFrom(under, ['second', 'first'])
    assert.deepEqual([turned['Comment'], turned['Description']], [['first'], ['first']])
  })

  test('of multi-instance attributes the union stands', async () => {
    const under = openDispatcher()
    await registerTemplate(under, 'first', { 'Object Group': ['a', 'b'] })
    await registerTemplate(under, 'second', { 'Object Group': ['b', 'c'] })
    const has = await createdFrom(under, ['first', 'second'], { 'Object Group': ['d', 'a'] })
    assert.deepEqual(has['Object Group']?.toSorted(), ['a', 'b', 'c', 'd'])
  })

  test('a Template that was changed gives what it has now', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await registerTemplate(under, 'a', { Comment: 'then' })
    const attribute = { attributeName: 'Comment', attributeValue: 'now' }
    await succeed(under, 'ModifyAttribute', { uniqueIdentifier, attribute })
    assert.deepEqual((await createdFrom(under, ['a']))['Comment'], ['now'])
  })

  test('a Template of the same batch', async () => {
    const under = openDispatcher()
    const template = {
      objectType: ObjectType.Template,
      templateAttribute: { attribute: attributes({ Name: name('a') }) },
      template: { attribute: attributes({ Comment: 'a' }) },
    }
    const { items } = await send(under, alice, 104, [
      item('Register', template),
      item('Create', createRequest({}, ['a'])),
    ])
    assert.equal(items[1]?.status, 'Success')
  })
})

test('Create makes Secret Data: random bytes of the length, as a password of unknown encoding', async () => {
  const under = openDispatcher()
  const request = given(ObjectType.SecretData, { 'Cryptographic Length': 80 })
  const { uniqueIdentifier } = await succeed(under, 'Create', request)
  const { secretData } = await succeed(under, 'Get', { uniqueIdentifier })
  assert.equal(secretData?.secretDataType, SecretDataType.Password)
  assert.equal(secretData.keyBlock.keyFormatType, KeyFormatType.Opaque)
  const { keyValue } = secretData.keyBlock
  assert.ok(keyValue !== undefined && !(keyValue instanceof Uint8Array))
  assert.equal((keyValue.keyMaterial as Uint8Array).length, 10)
  assert.equal(await outcome(under, 'Create', given(ObjectType.SecretData, {})), 'InvalidMessage')
  assert.equal(
    await outcome(under, 'Create', given(ObjectType.SecretData, { 'Cryptographic Length': 81 })),
    'InvalidField',
  )
})
