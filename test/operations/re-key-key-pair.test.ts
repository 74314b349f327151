/** Re-key Key Pair: reasons of KMIP 1.4 §11.6, and what the replacements take over (Tables 176 and 177). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LinkType } from '#kmip/enums'
import { attributesOf, bob, openDispatcher, outcome, succeed } from '#test/dispatcher'
import { testOutcomes } from '#test/outcome-table'
import { attributes, createKey, name, pairRequest } from '#test/sample-objects'

describe('Re-key Key Pair: reasons', () => {
  testOutcomes([
    [
      'no such key',
      'ItemNotFound',
      (under) => outcome(under, 'ReKeyKeyPair', { privateKeyUniqueIdentifier: 'nobody' }),
    ],
    [
      'the pair of another user',
      'PermissionDenied',
      async (under) => {
        const { privateKeyUniqueIdentifier } = await succeed(under, 'CreateKeyPair', pairRequest())
        return outcome(under, 'ReKeyKeyPair', { privateKeyUniqueIdentifier }, { who: bob })
      },
    ],
    [
      'a symmetric key',
      'PermissionDenied',
      async (under) => outcome(under, 'ReKeyKeyPair', { privateKeyUniqueIdentifier: await createKey(under) }),
    ],
    [
      'the public key of the pair',
      'PermissionDenied',
      async (under) => {
        const { publicKeyUniqueIdentifier } = await succeed(under, 'CreateKeyPair', pairRequest())
        return outcome(under, 'ReKeyKeyPair', { privateKeyUniqueIdentifier: publicKeyUniqueIdentifier })
      },
    ],
    [
      'an Offset beside a date',
      'InvalidMessage',
      async (under) => {
        const { privateKeyUniqueIdentifier } = await succeed(under, 'CreateKeyPair', pairRequest())
        const commonTemplateAttribute = { attribute: attributes({ 'Deactivation Date': 9 }) }
        return outcome(under, 'ReKeyKeyPair', { privateKeyUniqueIdentifier, offset: 1, commonTemplateAttribute })
      },
    ],
    [
      'the public key is archived',
      'ObjectArchived',
      async (under) => {
        const pair = await succeed(under, 'CreateKeyPair', pairRequest())
        await succeed(under, 'Archive', { uniqueIdentifier: pair.publicKeyUniqueIdentifier })
        return outcome(under, 'ReKeyKeyPair', { privateKeyUniqueIdentifier: pair.privateKeyUniqueIdentifier })
      },
    ],
  ])
})

describe('Re-key Key Pair', () => {
  test('four Links join the old and the new halves, and Names go over', async () => {
    const under = openDispatcher()
    const old = await succeed(
      under,
      'CreateKeyPair',
      pairRequest({ private: { Name: name('private') }, public: { Name: name('public') } }),
    )
    const { privateKeyUniqueIdentifier } = old
    const made = await succeed(under, 'ReKeyKeyPair', { privateKeyUniqueIdentifier })
    const of = (uniqueIdentifier: string) => attributesOf(under, uniqueIdentifier)
    const link = (linkType: number, linkedObjectIdentifier: string) => ({ linkType, linkedObjectIdentifier })
    const privateKey = await of(made.privateKeyUniqueIdentifier)
    assert.deepEqual(privateKey['Name'], [name('private')])
    assert.deepEqual(privateKey['Link'], [
      link(LinkType.PublicKeyLink, made.publicKeyUniqueIdentifier),
      link(LinkType.ReplacedObjectLink, privateKeyUniqueIdentifier),
    ])
    assert.deepEqual((await of(made.publicKeyUniqueIdentifier))['Link'], [
      link(LinkType.PrivateKeyLink, made.privateKeyUniqueIdentifier),
      link(LinkType.ReplacedObjectLink, old.publicKeyUniqueIdentifier),
    ])
    assert.deepEqual((await of(privateKeyUniqueIdentifier))['Link'], [
      link(LinkType.PublicKeyLink, old.publicKeyUniqueIdentifier),
      link(LinkType.ReplacementObjectLink, made.privateKeyUniqueIdentifier),
    ])
    assert.equal((await of(old.publicKeyUniqueIdentifier))['Name'], undefined)
  })
})
