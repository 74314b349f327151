/** Re-key Key Pair: reasons of KMIP 1.4 §11.6, and what the replacements take over (Tables 176 and 177). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RequestPayload } from '#client/operation-methods'
import { LinkType } from '#kmip/enums'
import { Tag } from '#kmip/tags'
import { withValue } from '#objects/managed-object'
import {
  attributesOf,
  bob,
  type DispatcherUnderTest,
  openDispatcher,
  outcome,
  place,
  stored,
  succeed,
} from '#test/dispatcher'
import { templateRows, testOutcomes, withFailingCryptography } from '#test/outcome-table'
import { attributes, createKey, name, pairRequest, parentLink } from '#test/sample-objects'
import { ItemType } from '#ttlv/item'

const asked = (values: Readonly<Record<string, unknown>>) => ({ name: [], attribute: attributes(values) })

/** A pair on P-256, and what comes of a Re-key of it. */
const rekeying =
  (more: Partial<RequestPayload<'ReKeyKeyPair'>>, own: Parameters<typeof pairRequest>[0] = {}) =>
  async (under: DispatcherUnderTest): Promise<string> => {
    const { privateKeyUniqueIdentifier } = await succeed(under, 'CreateKeyPair', pairRequest(own))
    return outcome(under, 'ReKeyKeyPair', { privateKeyUniqueIdentifier, ...more })
  }

describe('Re-key Key Pair: reasons', () => {
  testOutcomes([
    [
      'no such key',
      'ItemNotFound',
      (under) => outcome(under, 'ReKeyKeyPair', { privateKeyUniqueIdentifier: 'nobody' }),
    ],
    ['no identifier, and the ID Placeholder is empty', 'ItemNotFound', (under) => outcome(under, 'ReKeyKeyPair', {})],
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
      'a destroyed private key',
      'PermissionDenied',
      async (under) => {
        const { privateKeyUniqueIdentifier } = await succeed(under, 'CreateKeyPair', pairRequest())
        await succeed(under, 'Destroy', { uniqueIdentifier: privateKeyUniqueIdentifier })
        return outcome(under, 'ReKeyKeyPair', { privateKeyUniqueIdentifier })
      },
    ],
    [
      'an Offset beside a date',
      'InvalidMessage',
      rekeying({ offset: 1, commonTemplateAttribute: asked({ 'Deactivation Date': 9 }) }),
    ],
    [
      'an attribute that nobody knows',
      'InvalidField',
      rekeying({
        publicKeyTemplateAttribute: asked({
          Colour: { tag: Tag.AttributeValue, type: ItemType.TextString, value: 'red' },
        }),
      }),
    ],
    [
      'a library that fails',
      'CryptographicFailure',
      async (under) => {
        const { privateKeyUniqueIdentifier } = await succeed(under, 'CreateKeyPair', pairRequest())
        return outcome(withFailingCryptography(under), 'ReKeyKeyPair', { privateKeyUniqueIdentifier })
      },
    ],
    [
      'Application Data that the server would have to make',
      'ApplicationNamespaceNotSupported',
      rekeying({
        privateKeyTemplateAttribute: asked({ 'Application Specific Information': { applicationNamespace: 'ssl' } }),
      }),
    ],
    [
      'the private key is archived',
      'ObjectArchived',
      async (under) => {
        const { privateKeyUniqueIdentifier } = await succeed(under, 'CreateKeyPair', pairRequest())
        await succeed(under, 'Archive', { uniqueIdentifier: privateKeyUniqueIdentifier })
        return outcome(under, 'ReKeyKeyPair', { privateKeyUniqueIdentifier })
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
    [
      'an Offset, and dates of the existing keys without an Activation Date',
      'IllegalOperation',
      rekeying({ offset: 5 }, { common: { 'Deactivation Date': 4_000_000_000 } }),
    ],
    [
      'a key value that is kept elsewhere',
      'KeyValueNotPresent',
      async (under) => {
        const { privateKeyUniqueIdentifier } = await succeed(under, 'CreateKeyPair', pairRequest())
        await place(under, withValue(stored(under, privateKeyUniqueIdentifier), 'Key Value Present', false))
        return outcome(under, 'ReKeyKeyPair', { privateKeyUniqueIdentifier })
      },
    ],
    ...templateRows(async (under, template) =>
      rekeying({ commonTemplateAttribute: { name: [name(template)], attribute: [] } })(under),
    ),
    ['a pair', 'Success', rekeying({})],
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

  test('Links that the request gives stand before those of the server', async () => {
    const under = openDispatcher()
    const { privateKeyUniqueIdentifier } = await succeed(under, 'CreateKeyPair', pairRequest())
    const made = await succeed(under, 'ReKeyKeyPair', {
      privateKeyUniqueIdentifier,
      commonTemplateAttribute: { attribute: attributes({ Link: parentLink('parent') }) },
    })
    for (const uniqueIdentifier of [made.privateKeyUniqueIdentifier, made.publicKeyUniqueIdentifier]) {
      const links = (await attributesOf(under, uniqueIdentifier))['Link']
      assert.deepEqual([links?.length, links?.[0]], [3, parentLink('parent')])
    }
  })
})
