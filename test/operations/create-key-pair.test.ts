/** Create Key Pair: every reason of KMIP 1.4 §11.3, links, common and own attributes and their precedence (§4.2). */
import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { describe, test } from 'node:test'
import type { RequestPayload } from '#client/operation-methods'
import { CryptoFailure } from '#crypto/run'
import {
  CryptographicAlgorithm,
  CryptographicUsageMask,
  KeyFormatType,
  LinkType,
  ObjectType,
  RecommendedCurve,
  State,
} from '#kmip/enums'
import {
  alice,
  attributesOf,
  type DispatcherUnderTest,
  item,
  openDispatcher,
  outcome,
  payloadOf,
  send,
  succeed,
} from '#test/dispatcher'
import { registerTemplate, templateRows, testOutcomes } from '#test/outcome-table'
import { attributes, createKey, materialOf, name, pairRequest } from '#test/sample-objects'

type Own = Parameters<typeof pairRequest>[0]

const pairing = (own: Own) => (under: DispatcherUnderTest) => outcome(under, 'CreateKeyPair', pairRequest(own))

const fromTemplate = (under: DispatcherUnderTest, template: string) =>
  outcome(under, 'CreateKeyPair', {
    ...pairRequest(),
    publicKeyTemplateAttribute: {
      name: [name(template)],
      attribute: attributes({ 'Cryptographic Usage Mask': CryptographicUsageMask.Verify }),
    },
  })

const length = (bits: number) => ({ 'Cryptographic Length': bits })

describe('Create Key Pair: reasons', () => {
  testOutcomes([
    ...templateRows(fromTemplate),
    [
      'an attribute that nobody knows',
      'InvalidField',
      pairing({ common: { Colour: { tag: 0x42000b, type: 7, value: 'a' } } }),
    ],
    ['a read-only attribute', 'InvalidField', pairing({ private: { State: State.Active } })],
    ['an attribute of other Object Types', 'InvalidField', pairing({ common: { 'Process Start Date': 1 } })],
    [
      'what both keys share, given for one only',
      'InvalidField',
      pairing({ private: { 'Cryptographic Parameters': { hashingAlgorithm: 6 } } }),
    ],
    ['what both keys share, given unlike', 'InvalidField', pairing({ private: length(256), public: length(384) })],
    [
      'a curve that is not recognized',
      'InvalidField',
      pairing({ common: { 'Cryptographic Domain Parameters': { recommendedCurve: 0x7fff as RecommendedCurve } } }),
    ],
    [
      'an algorithm of symmetric keys',
      'InvalidField',
      (under) =>
        outcome(
          under,
          'CreateKeyPair',
          pairRequest({ common: { 'Cryptographic Algorithm': CryptographicAlgorithm.AES } }),
        ),
    ],
    [
      'a key longer than the server makes',
      'InvalidField',
      pairing({ common: { 'Cryptographic Algorithm': CryptographicAlgorithm.RSA, ...length(8192) } }),
    ],
    [
      'dates that contradict one another',
      'InvalidField',
      pairing({ common: { 'Activation Date': 10 }, public: { 'Deactivation Date': 9 } }),
    ],
    [
      'the Name of another object',
      'InvalidField',
      async (under) => {
        await createKey(under, { Name: name('taken') })
        return pairing({ public: { Name: name('taken') } })(under)
      },
    ],
    ['one Name for both keys', 'InvalidField', pairing({ common: { Name: name('both') } })],
    [
      'more instances than the server supports',
      'IndexOutOfBounds',
      pairing({ common: { 'Object Group': ['a', 'b', 'c'] }, private: { 'Object Group': ['d', 'e'] } }),
    ],
    ['nothing at all', 'InvalidMessage', (under) => outcome(under, 'CreateKeyPair', {})],
    [
      'no Cryptographic Usage Mask for the public key',
      'InvalidMessage',
      (under) => outcome(under, 'CreateKeyPair', { ...pairRequest(), publicKeyTemplateAttribute: {} }),
    ],
    [
      'Application Data left to the server',
      'ApplicationNamespaceNotSupported',
      pairing({ private: { 'Application Specific Information': { applicationNamespace: 'a' } } }),
    ],
    ['a pair on P-256', 'Success', pairing({})],
  ])

  test('the keys cannot be made: CryptographicFailure', async () => {
    const under = openDispatcher({
      crypto: { run: () => Promise.reject(new CryptoFailure('worker')), close: () => Promise.resolve() },
    })
    assert.equal(await pairing({})(under), 'CryptographicFailure')
  })

  test('a failure leaves neither key', async () => {
    const under = openDispatcher()
    await createKey(under, { Name: name('taken') })
    await pairing({ private: { 'Object Group': 'half' }, public: { Name: name('taken') } })(under)
    const attribute = attributes({ 'Object Group': 'half' })
    assert.deepEqual((await succeed(under, 'Locate', { attribute })).uniqueIdentifier, [])
  })
})

const create = async (under: DispatcherUnderTest, request: RequestPayload<'CreateKeyPair'>) => {
  const answer = await succeed(under, 'CreateKeyPair', request)
  return {
    answer,
    privateKey: await attributesOf(under, answer.privateKeyUniqueIdentifier),
    publicKey: await attributesOf(under, answer.publicKeyUniqueIdentifier),
  }
}

describe('Create Key Pair', () => {
  test('makes two keys that are linked and belong together', async () => {
    const under = openDispatcher()
    const { answer, privateKey, publicKey } = await create(under, pairRequest({ private: { Name: name('a') } }))
    const { privateKeyUniqueIdentifier, publicKeyUniqueIdentifier } = answer
    assert.notEqual(privateKeyUniqueIdentifier, publicKeyUniqueIdentifier)
    assert.deepEqual(privateKey['Object Type'], [ObjectType.PrivateKey])
    assert.deepEqual(publicKey['Object Type'], [ObjectType.PublicKey])
    assert.deepEqual(privateKey['Link'], [
      { linkType: LinkType.PublicKeyLink, linkedObjectIdentifier: publicKeyUniqueIdentifier },
    ])
    assert.deepEqual(publicKey['Link'], [
      { linkType: LinkType.PrivateKeyLink, linkedObjectIdentifier: privateKeyUniqueIdentifier },
    ])
    assert.deepEqual(privateKey['Name'], [name('a')])
    assert.equal(publicKey['Name'], undefined)
    for (const key of [privateKey, publicKey]) {
      assert.deepEqual(key['Cryptographic Algorithm'], [CryptographicAlgorithm.ECDSA])
      assert.deepEqual(key['Cryptographic Length'], [256])
      assert.equal(key['Digest']?.length, 1)
      assert.deepEqual(key['State'], [State.PreActive])
    }
    assert.deepEqual(privateKey['Cryptographic Usage Mask'], [CryptographicUsageMask.Sign])
    assert.deepEqual(publicKey['Cryptographic Usage Mask'], [CryptographicUsageMask.Verify])

    const own = await succeed(under, 'Get', {
      uniqueIdentifier: privateKeyUniqueIdentifier,
      keyFormatType: KeyFormatType.PKCS_8,
    })
    const other = await succeed(under, 'Get', { uniqueIdentifier: publicKeyUniqueIdentifier })
    const computed = createPublicKey(
      createPrivateKey({ key: materialOf(own.privateKey), format: 'der', type: 'pkcs8' }),
    )
    const told = createPublicKey({ key: materialOf(other.publicKey), format: 'der', type: 'spki' })
    assert.ok(told.equals(computed))
  })

  test('links stand beside those that the request gives', async () => {
    const under = openDispatcher()
    const parent = { linkType: LinkType.ParentLink, linkedObjectIdentifier: 'elsewhere' }
    const { answer, privateKey } = await create(under, pairRequest({ common: { Link: parent } }))
    assert.deepEqual(privateKey['Link'], [
      parent,
      { linkType: LinkType.PublicKeyLink, linkedObjectIdentifier: answer.publicKeyUniqueIdentifier },
    ])
  })

  test('own attributes stand above own Templates, those above common attributes, those above common Templates', async () => {
    const under = openDispatcher()
    await registerTemplate(under, 'common', {
      Comment: 'common Template',
      Description: 'common Template',
      'Contact Information': 'common Template',
      'Operation Policy Name': 'common Template',
      'Object Group': 'a',
    })
    await registerTemplate(under, 'own', { Comment: 'own Template', Description: 'own Template', 'Object Group': 'b' })
    const { commonTemplateAttribute, privateKeyTemplateAttribute, publicKeyTemplateAttribute } = pairRequest()
    const common = { Comment: 'common', Description: 'common', 'Contact Information': 'common', 'Object Group': 'c' }
    const { privateKey, publicKey } = await create(under, {
      commonTemplateAttribute: {
        name: [name('common')],
        attribute: [...commonTemplateAttribute.attribute, ...attributes(common)],
      },
      privateKeyTemplateAttribute: {
        name: [name('own')],
        attribute: [...privateKeyTemplateAttribute.attribute, ...attributes({ Comment: 'own', 'Object Group': 'd' })],
      },
      publicKeyTemplateAttribute,
    })
    const told = (key: Readonly<Record<string, readonly unknown[]>>) =>
      ['Comment', 'Description', 'Contact Information', 'Operation Policy Name'].map((each) => key[each]?.[0])
    assert.deepEqual(told(privateKey), ['own', 'own Template', 'common', 'common Template'])
    assert.deepEqual(told(publicKey), ['common', 'common', 'common', 'common Template'])
    assert.deepEqual(privateKey['Object Group']?.toSorted(), ['a', 'b', 'c', 'd'])
    assert.deepEqual(publicKey['Object Group']?.toSorted(), ['a', 'c'])
  })

  test('the ID Placeholder is the private key', async () => {
    const under = openDispatcher()
    const answer = await send(under, alice, 100, [item('CreateKeyPair', pairRequest()), item('GetAttributeList', {})])
    const { privateKeyUniqueIdentifier } = payloadOf(answer, 0, 'CreateKeyPair')
    assert.equal(payloadOf(answer, 1, 'GetAttributeList').uniqueIdentifier, privateKeyUniqueIdentifier)
  })

  test('RSA, made by a worker', async () => {
    const under = openDispatcher()
    const rsa = { 'Cryptographic Algorithm': CryptographicAlgorithm.RSA, ...length(1024) }
    const { commonTemplateAttribute: _, ...own } = pairRequest()
    const { answer, publicKey } = await create(under, {
      ...own,
      commonTemplateAttribute: { attribute: attributes(rsa) },
    })
    assert.deepEqual(publicKey['Cryptographic Length'], [1024])
    const got = await succeed(under, 'Get', { uniqueIdentifier: answer.publicKeyUniqueIdentifier })
    const key = createPublicKey({ key: materialOf(got.publicKey), format: 'der', type: 'pkcs1' })
    assert.equal(key.asymmetricKeyDetails?.modulusLength, 1024)
  })
})
