/**
 * Sensitive and Extractable (KMIP 1.4 §3.48 to §3.51), asked of everything that is answered: the bytes of a key that may not
 * leave are in no answer, whatever is asked. What it is: each way in which a value leaves, each object type, each version. What
 * it is not: the reasons (get.test.ts, export.test.ts), or the attributes themselves (new-object.test.ts).
 */
import assert from 'node:assert/strict'
import { createDecipheriv, generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import {
  BlockCipherMode,
  CryptographicUsageMask,
  EncodingOption,
  KeyFormatType,
  KeyWrapType,
  ObjectType,
  SplitKeyMethod,
  WrappingMethod,
} from '#kmip/enums'
import type { KeyWrappingSpecification } from '#kmip/key-block'
import { supportedVersions, versionText } from '#kmip/versions'
import { usable } from '#test/computing'
import {
  alice,
  attributesOf,
  type DispatcherUnderTest,
  item,
  openDispatcher,
  payloadOf,
  type RequestedItem,
  send,
  succeed,
} from '#test/dispatcher'
import { madeBy, makings } from '#test/making'
import {
  attributes,
  certificate,
  certificateRequest,
  keyRequest,
  opaqueRequest,
  secretRequest,
} from '#test/sample-objects'

const keyMaterial = Buffer.from('8f1e2d3c4b5a69788796a5b4c3d2e1f0', 'hex')
const secretText = 'a secret that nobody is told'
const wrappingBytes = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pkcs8 = pair.privateKey.export({ type: 'pkcs8', format: 'der' })
const scalar = Buffer.from(pair.privateKey.export({ format: 'jwk' }).d ?? '', 'base64url')

/** A Register of an object, and bytes of which no answer may hold any. */
interface Kept {
  readonly request: (values: Readonly<Record<string, unknown>>) => Parameters<typeof succeed<'Register'>>[2]
  readonly bytes: Uint8Array
}

const kept: Readonly<Record<string, Kept>> = {
  'Symmetric Key': { request: (values) => keyRequest(values, keyMaterial), bytes: keyMaterial },
  'Secret Data': { request: (values) => secretRequest(values, secretText), bytes: Buffer.from(secretText) },
  'Opaque Object': {
    request: (values) => ({
      ...opaqueRequest(values),
      opaqueObject: { ...opaqueRequest().opaqueObject, opaqueDataValue: keyMaterial },
    }),
    bytes: keyMaterial,
  },
  Certificate: { request: certificateRequest, bytes: certificate.subarray(-40) },
  'Private Key': {
    request: (values) => ({
      objectType: ObjectType.PrivateKey,
      templateAttribute: {
        attribute: attributes({ 'Cryptographic Usage Mask': CryptographicUsageMask.Sign, ...values }),
      },
      privateKey: {
        keyBlock: {
          keyFormatType: KeyFormatType.PKCS_8,
          keyValue: { keyMaterial: new Uint8Array(pkcs8), attribute: [] },
        },
      },
    }),
    bytes: scalar,
  },
}

/** Ways of asking for the value of an object, and for what else is known of it. */
const asking = (uniqueIdentifier: string): readonly RequestedItem[] => {
  const information = { uniqueIdentifier, attributeName: [] }
  const mac: KeyWrappingSpecification = {
    wrappingMethod: WrappingMethod.MACSign,
    macSignatureKeyInformation: information,
    attributeName: [],
  }
  const forms = [
    {},
    ...Object.values(KeyFormatType).map((keyFormatType) => ({ keyFormatType })),
    ...Object.values(KeyWrapType).map((keyWrapType) => ({ keyWrapType })),
    { keyWrappingSpecification: mac },
  ]
  return [
    ...forms.map((form) => item('Get', { uniqueIdentifier, ...form })),
    ...forms.map((form) => item('Export', { uniqueIdentifier, ...form })),
    item('GetAttributes', { uniqueIdentifier, attributeName: [] }),
    item('GetAttributeList', { uniqueIdentifier }),
    item('Check', { uniqueIdentifier }),
    item('ObtainLease', { uniqueIdentifier }),
    item('Validate', { certificate: [], uniqueIdentifier: [uniqueIdentifier] }),
    item('Locate', { attribute: [] }),
    item('CreateSplitKey', {
      objectType: ObjectType.SplitKey,
      uniqueIdentifier,
      splitKeyParts: 2,
      splitKeyThreshold: 2,
      splitKeyMethod: SplitKeyMethod.XOR,
      templateAttribute: { name: [], attribute: [] },
    }),
    item('Activate', { uniqueIdentifier }),
    item('Destroy', { uniqueIdentifier }),
  ]
}

const restrictions = { Sensitive: { Sensitive: true }, 'not Extractable': { Extractable: false } }

describe('no answer has the bytes of what may not leave', () => {
  for (const [kind, { request, bytes }] of Object.entries(kept)) {
    for (const [restriction, values] of Object.entries(restrictions)) {
      test(`${kind}, ${restriction}`, async () => {
        for (const version of supportedVersions) {
          const under = openDispatcher()
          const { uniqueIdentifier } = await succeed(under, 'Register', request(values))
          for (const asked of asking(uniqueIdentifier)) {
            const answer = await send(under, alice, version, [asked])
            assert.ok(!answer.bytes.includes(bytes), `${asked.operation} in ${versionText(version)}`)
          }
          assert.deepEqual(under.failures, [])
        }
      })
    }

    test(`${kind} that may leave: the same bytes are found`, async () => {
      const under = openDispatcher()
      const { uniqueIdentifier } = await succeed(under, 'Register', request({}))
      const answer = await send(under, alice, 104, [item('Get', { uniqueIdentifier })])
      assert.ok(answer.bytes.includes(bytes))
    })
  }
})

const restricted = async (under: DispatcherUnderTest, made: readonly string[]): Promise<readonly unknown[]> =>
  Promise.all(
    made.map(async (uniqueIdentifier) => {
      const { Sensitive, Extractable } = await attributesOf(under, uniqueIdentifier)
      return [Sensitive?.[0], Extractable?.[0]]
    }),
  )

describe('what comes of a key that may not leave may not leave either', () => {
  for (const operation of ['ReKey', 'ReKeyKeyPair'] as const) {
    test(operation, async () => {
      const under = openDispatcher()
      const asked = await makings[operation](under, { name: [], attribute: [] })
      const old = madeBy(asked.payload)
      for (const uniqueIdentifier of old) {
        for (const [attributeName, attributeValue] of [
          ['Sensitive', true],
          ['Extractable', false],
        ] as const) {
          await succeed(under, 'ModifyAttribute', { uniqueIdentifier, attribute: { attributeName, attributeValue } })
        }
      }
      const answer = await send(under, alice, 104, [asked])
      const made = madeBy(answer.items[0]?.payload)
      const [privateOrOnly] = await restricted(under, made)
      assert.deepEqual(privateOrOnly, [true, false])
    })
  }

  test('a key that is sensitive from the beginning, and one that becomes so: Always Sensitive, Never Extractable', async () => {
    const under = openDispatcher()
    const flags = async (uniqueIdentifier: string): Promise<readonly unknown[]> => {
      const has = await attributesOf(under, uniqueIdentifier)
      return ['Sensitive', 'Always Sensitive', 'Extractable', 'Never Extractable'].map((each) => has[each]?.[0])
    }
    const change = (uniqueIdentifier: string, attributeName: string, attributeValue: boolean) =>
      succeed(under, 'ModifyAttribute', { uniqueIdentifier, attribute: { attributeName, attributeValue } })
    const born = await succeed(under, 'Register', keyRequest({ Sensitive: true, Extractable: false }))
    assert.deepEqual(await flags(born.uniqueIdentifier), [true, true, false, true])
    const become = await succeed(under, 'Register', keyRequest())
    await change(become.uniqueIdentifier, 'Sensitive', true)
    await change(become.uniqueIdentifier, 'Extractable', false)
    assert.deepEqual(await flags(become.uniqueIdentifier), [true, false, false, false])
  })

  test('a sensitive key leaves wrapped by another key, and opens there to what it was', async () => {
    const under = openDispatcher()
    const wrapping = await succeed(under, 'Register', {
      ...keyRequest({}, wrappingBytes),
      templateAttribute: {
        attribute: usable(under, { 'Cryptographic Parameters': { blockCipherMode: BlockCipherMode.NISTKeyWrap } }),
      },
    })
    const { uniqueIdentifier } = await succeed(under, 'Register', keyRequest({ Sensitive: true }, keyMaterial))
    const keyWrappingSpecification: KeyWrappingSpecification = {
      wrappingMethod: WrappingMethod.Encrypt,
      encryptionKeyInformation: { uniqueIdentifier: wrapping.uniqueIdentifier },
      attributeName: [],
      encodingOption: EncodingOption.NoEncoding,
    }
    const answer = await send(under, alice, 104, [item('Get', { uniqueIdentifier, keyWrappingSpecification })])
    assert.equal(answer.items[0]?.status, 'Success')
    assert.ok(!answer.bytes.includes(keyMaterial))
    const wrapped = payloadOf(answer, 0, 'Get').symmetricKey?.keyBlock.keyValue
    assert.ok(wrapped instanceof Uint8Array)
    const decipher = createDecipheriv('aes128-wrap', wrappingBytes, Buffer.alloc(8, 0xa6))
    assert.deepEqual(Buffer.concat([decipher.update(wrapped), decipher.final()]), keyMaterial)
  })
})
