/** Get Attributes: every reason of KMIP 1.4 §11.13, and what §4.12 returns, in each version what it has. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CryptographicAlgorithm, LinkType, State } from '#kmip/enums'
import { attributesOf, openDispatcher, outcome, succeed } from '#test/dispatcher'
import { objectRows, testOutcomes } from '#test/outcome-table'
import { createKey, keyRequest, name } from '#test/sample-objects'

describe('Get Attributes: reasons', () => {
  testOutcomes([
    ...objectRows('GetAttributes', (uniqueIdentifier) => ({ uniqueIdentifier })),
    [
      'the same name twice',
      'InvalidMessage',
      async (under) => {
        const uniqueIdentifier = await createKey(under)
        return outcome(under, 'GetAttributes', { uniqueIdentifier, attributeName: ['Name', 'State', 'Name'] })
      },
    ],
    [
      'names that are there and names that nobody knows',
      'Success',
      async (under) => {
        const uniqueIdentifier = await createKey(under)
        return outcome(under, 'GetAttributes', { uniqueIdentifier, attributeName: ['State', 'Colour', 'x-Colour'] })
      },
    ],
  ])
})

describe('Get Attributes', () => {
  test('returns what is asked for, in that order, with all instances and their indices', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under, { 'Object Group': ['a', 'b'], Name: name('n') })
    const attributeName = ['Object Group', 'State', 'x-none', 'Unique Identifier', 'Comment']
    const { attribute } = await succeed(under, 'GetAttributes', { uniqueIdentifier, attributeName })
    assert.deepEqual(attribute, [
      { attributeName: 'Object Group', attributeIndex: undefined, attributeValue: 'a' },
      { attributeName: 'Object Group', attributeIndex: 1, attributeValue: 'b' },
      { attributeName: 'State', attributeIndex: undefined, attributeValue: State.PreActive },
      { attributeName: 'Unique Identifier', attributeIndex: undefined, attributeValue: uniqueIdentifier },
    ])
  })

  test('of names that the object does not have returns the identifier alone', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under)
    for (const attributeName of [['Comment'], ['x-Product_Version'], ['Colour']]) {
      const answer = await succeed(under, 'GetAttributes', { uniqueIdentifier, attributeName })
      assert.deepEqual(answer, { uniqueIdentifier, attribute: [] })
    }
  })

  test('tells the state of now, whether or not anybody has written it down', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under, {
      'Activation Date': under.clock.nowSeconds() + 10,
      'Deactivation Date': under.clock.nowSeconds() + 20,
    })
    const states: unknown[] = []
    for (const step of [0, 9_000, 1000, 9_000, 1000]) {
      under.clock.advance(step)
      states.push((await attributesOf(under, uniqueIdentifier))['State']?.[0])
    }
    const { PreActive, Active, Deactivated } = State
    assert.deepEqual(states, [PreActive, PreActive, Active, Active, Deactivated])
  })

  test('in each version tells what the version has', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under, { Comment: 'a' })
    const since: Readonly<Record<string, number>> = {
      State: 100,
      Digest: 100,
      Fresh: 101,
      'Original Creation Date': 102,
      'Random Number Generator': 103,
      Comment: 104,
      Sensitive: 104,
    }
    for (const version of [100, 101, 102, 103, 104]) {
      const all = await attributesOf(under, uniqueIdentifier, { version })
      const attributeName = Object.keys(since)
      const { attribute } = await succeed(under, 'GetAttributes', { uniqueIdentifier, attributeName }, { version })
      for (const [each, first] of Object.entries(since)) {
        assert.equal(Object.hasOwn(all, each), version >= first, `${each} in ${version}`)
        assert.equal(
          attribute.some((other) => other.attributeName === each),
          version >= first,
          `${each} in ${version}`,
        )
      }
    }
  })

  test('leaves out instances whose values an old version has not', async () => {
    const under = openDispatcher()
    const link = (linkType: LinkType) => ({ linkType, linkedObjectIdentifier: 'elsewhere' })
    const links = [link(LinkType.CertificateLink), link(LinkType.ParentLink), link(LinkType.PKCS_12PasswordLink)]
    const request = keyRequest({ Link: links }, new Uint8Array(32))
    const keyBlock = { ...request.symmetricKey.keyBlock, cryptographicAlgorithm: CryptographicAlgorithm.ChaCha20 }
    const { uniqueIdentifier } = await succeed(under, 'Register', { ...request, symmetricKey: { keyBlock } })
    for (const [version, known] of [
      [101, 1],
      [103, 2],
      [104, 3],
    ] as const) {
      const has = await attributesOf(under, uniqueIdentifier, { version })
      assert.deepEqual(has['Link'], links.slice(0, known))
      assert.equal(has['Cryptographic Algorithm']?.[0], version === 104 ? CryptographicAlgorithm.ChaCha20 : undefined)
      const { attributeName } = await succeed(under, 'GetAttributeList', { uniqueIdentifier }, { version })
      assert.equal(attributeName.includes('Cryptographic Algorithm'), version === 104)
    }
    const last = { uniqueIdentifier, attributeName: 'Link', attributeIndex: 2 }
    assert.equal(await outcome(under, 'DeleteAttribute', last, { version: 103 }), 'ItemNotFound')
    assert.equal(await outcome(under, 'DeleteAttribute', last), 'Success')
  })
})
