/**
 * Databases: libkmip as Percona's servers use it, MySQL Enterprise, MongoDB and Percona Server for MongoDB. Each sends what it
 * was seen to send, in that order, and gets what it needs. docs/guides has a page of each.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '#actor/clock'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  KeyFormatType,
  ObjectType,
  PaddingMethod,
  RevocationReasonCode,
  SecretDataType,
  State,
  StorageStatusMask,
} from '#kmip/enums'
import type { RequestHeader } from '#kmip/message'
import { Tag } from '#kmip/tags'
import { v1_0, v1_1, v1_2, v1_4 } from '#kmip/versions'
import { item, payloadOf, readerLimits } from '#test/dispatcher'
import { type RunningServer, startServerProcess } from '#test/running-server'
import { attributes, name } from '#test/sample-objects'
import { decodeItem } from '#ttlv/binary'
import { type Item, ItemType } from '#ttlv/item'
import { Appliance, materialOf, oneSession, sessionEach, troubles } from './appliance.ts'

const { Encrypt, Decrypt } = CryptographicUsageMask
const aesAttributes = {
  'Cryptographic Algorithm': CryptographicAlgorithm.AES,
  'Cryptographic Length': 256,
  'Cryptographic Usage Mask': Encrypt | Decrypt,
}
const revocationReason = { revocationReasonCode: RevocationReasonCode.CessationOfOperation }

let server: RunningServer
before(async () => {
  server = await startServerProcess()
})
after(async () => {
  assert.equal(await server.stop(), 0)
  assert.deepEqual(server.failures, [])
})

/** Tags of a structure's items, in order. */
const tagsOf = (item: Item | undefined): readonly number[] =>
  Array.isArray(item?.value) ? (item.value as readonly Item[]).map(({ tag }) => tag) : []
const within = (item: Item | undefined, tag: number): Item | undefined =>
  Array.isArray(item?.value) ? (item.value as readonly Item[]).find((each) => each.tag === tag) : undefined

describe('libkmip: versions that change within a session', () => {
  /** What libkmip puts into each header. */
  const header = (): Partial<RequestHeader> => ({ maximumResponseSize: 8192, timeStamp: systemClock.nowSeconds() })
  const registered = 40
  const pageItems = 16

  test('Register in 1.4, all else in 1.0; pages of a group end, without one twice', async () => {
    const { way, close } = oneSession(server)
    const keyring = new Appliance(way, v1_0, header())
    const made: string[] = []
    for (let index = 0; index < registered; index++) {
      const { uniqueIdentifier } = await keyring.ask(
        'Register',
        {
          objectType: ObjectType.SymmetricKey,
          templateAttribute: {
            name: [],
            attribute: attributes({
              'Cryptographic Usage Mask': Encrypt | Decrypt,
              Name: name(`tde-key-${index}`),
              'Object Group': 'tde',
            }),
          },
          symmetricKey: {
            keyBlock: {
              keyFormatType: KeyFormatType.Raw,
              keyValue: { keyMaterial: Buffer.alloc(32, index), attribute: [] },
              cryptographicAlgorithm: CryptographicAlgorithm.AES,
              cryptographicLength: 256,
            },
          },
        },
        { version: v1_4 },
      )
      made.push(uniqueIdentifier)
    }
    assert.ok(
      made.every((id) => id.length < 128),
      'its buffers have 128 bytes',
    )

    // Its loop: until as many have come as Located Items tells. It has no other end.
    const found: string[] = []
    for (let rounds = 0; rounds < registered; rounds++) {
      const page = await keyring.ask('Locate', {
        maximumItems: pageItems,
        offsetItems: found.length,
        attribute: attributes({ 'Object Type': ObjectType.SymmetricKey, 'Object Group': 'tde' }),
      })
      assert.equal(page.locatedItems, registered)
      found.push(...page.uniqueIdentifier)
      if (found.length >= (page.locatedItems ?? 0)) break
    }
    assert.deepEqual(found.toSorted(), made.toSorted())

    const one = await keyring.ask('Locate', {
      maximumItems: pageItems,
      offsetItems: 0,
      attribute: attributes({ 'Object Type': ObjectType.SymmetricKey, Name: name('tde-key-7') }),
    })
    assert.deepEqual(one.uniqueIdentifier, [made[7]])
    const [uniqueIdentifier = ''] = one.uniqueIdentifier
    const { symmetricKey } = await keyring.ask('Get', { uniqueIdentifier })
    assert.deepEqual(materialOf(symmetricKey?.keyBlock), Buffer.alloc(32, 7))
    await keyring.ask('Activate', { uniqueIdentifier })
    await close()
  })

  test('answers have their fields in the one order that it reads, and never more than 8,192 bytes', async () => {
    const { way, close } = oneSession(server)
    const keyring = new Appliance(way, v1_0, header())
    const key = {
      objectType: ObjectType.SymmetricKey,
      templateAttribute: { name: [], attribute: attributes(aesAttributes) },
    }
    const answer = await keyring.all([item('Create', key)])
    const message = decodeItem(answer.bytes, readerLimits)
    const batchItem = within(message, Tag.BatchItem)
    assert.deepEqual(tagsOf(within(message, Tag.ResponseHeader)), [Tag.ProtocolVersion, Tag.TimeStamp, Tag.BatchCount])
    assert.deepEqual(tagsOf(batchItem), [Tag.Operation, Tag.ResultStatus, Tag.ResponsePayload])
    assert.deepEqual(tagsOf(within(batchItem, Tag.ResponsePayload)), [Tag.ObjectType, Tag.UniqueIdentifier])

    const { uniqueIdentifier } = payloadOf(answer, 0, 'Create')
    const comment = Array.from({ length: 64 }, (_, index) =>
      `a group of a name that takes room, number ${index}`.repeat(4),
    )
    for (const group of comment) {
      await keyring.ask('AddAttribute', {
        uniqueIdentifier,
        attribute: { attributeName: 'Object Group', attributeValue: group },
      })
    }
    assert.equal(await keyring.outcome('GetAttributes', { uniqueIdentifier, attributeName: [] }), 'ResponseTooLarge')
    await keyring.ask('Destroy', { uniqueIdentifier })
    await close()
  })
})

describe('MySQL Enterprise: keyring_okv (1.1)', () => {
  test('an Attribute Index with every attribute; Create, Activate, Get, Locate, Revoke, Destroy', async () => {
    const { way, close } = oneSession(server)
    const keyring = new Appliance(way, v1_1, { maximumResponseSize: 280_000 })
    const indexed = (values: Readonly<Record<string, unknown>>) =>
      attributes(values).map((each) => ({ ...each, attributeIndex: 0 }))
    const { uniqueIdentifier } = await keyring.ask('Create', {
      objectType: ObjectType.SymmetricKey,
      templateAttribute: { name: [], attribute: indexed({ ...aesAttributes, Name: name('MySQL-1') }) },
    })
    await keyring.ask('Activate', { uniqueIdentifier })
    const { symmetricKey } = await keyring.ask('Get', { uniqueIdentifier })
    assert.equal(materialOf(symmetricKey?.keyBlock).length, 32)
    const online = 1
    const located = await keyring.ask('Locate', {
      storageStatusMask: online,
      attribute: indexed({ 'Object Type': ObjectType.SymmetricKey, State: State.Active, Name: name('MySQL-1') }),
    })
    assert.deepEqual(located.uniqueIdentifier, [uniqueIdentifier])
    assert.equal(await keyring.outcome('Destroy', { uniqueIdentifier }), 'PermissionDenied', 'while it is Active')
    await keyring.ask('Revoke', { uniqueIdentifier, revocationReason })
    await keyring.ask('Destroy', { uniqueIdentifier })
    await close()
  })

  test('a Storage Status Mask sent as an attribute means what it means as a field', async () => {
    const { way, close } = oneSession(server)
    const keyring = new Appliance(way, v1_1)
    const values = { ...aesAttributes, Name: name('MySQL-2') }
    const { uniqueIdentifier } = await keyring.ask('Create', {
      objectType: ObjectType.SymmetricKey,
      templateAttribute: { name: [], attribute: attributes(values) },
    })
    const located = async (mask: number): Promise<readonly string[]> => {
      const value = { tag: Tag.AttributeValue, type: ItemType.Integer, value: mask }
      const filter = attributes({ Name: name('MySQL-2'), 'Storage Status Mask': value })
      return (await keyring.ask('Locate', { attribute: filter })).uniqueIdentifier
    }
    assert.deepEqual(await located(StorageStatusMask.OnLineStorage), [uniqueIdentifier])
    assert.deepEqual(await located(StorageStatusMask.ArchivalStorage), [])
    await close()
  })
})

describe('MongoDB', () => {
  test('client-side encryption (1.0): 96 bytes registered with usage mask 0, a session for each message', async () => {
    const driver = new Appliance(sessionEach(server), v1_0)
    const keyMaterial = Buffer.alloc(96, 0xa5)
    const { uniqueIdentifier } = await driver.ask('Register', {
      objectType: ObjectType.SecretData,
      templateAttribute: { name: [], attribute: attributes({ 'Cryptographic Usage Mask': 0 }) },
      secretData: {
        secretDataType: SecretDataType.Password,
        keyBlock: { keyFormatType: KeyFormatType.Opaque, keyValue: { keyMaterial, attribute: [] } },
      },
    })
    await driver.ask('Activate', { uniqueIdentifier })
    const { secretData } = await driver.ask('Get', { uniqueIdentifier })
    assert.deepEqual(materialOf(secretData?.keyBlock), keyMaterial)
  })

  test('delegated (1.2): Encrypt draws the IV and tells it, Decrypt takes it back', async () => {
    const driver = new Appliance(sessionEach(server), v1_2)
    const { uniqueIdentifier } = await driver.ask('Create', {
      objectType: ObjectType.SymmetricKey,
      templateAttribute: { name: [], attribute: attributes(aesAttributes) },
    })
    await driver.ask('Activate', { uniqueIdentifier })
    const cryptographicParameters = {
      blockCipherMode: BlockCipherMode.CBC,
      paddingMethod: PaddingMethod.PKCS5,
      cryptographicAlgorithm: CryptographicAlgorithm.AES,
    }
    const data = Buffer.alloc(96, 0x5a)
    const sealed = await driver.ask('Encrypt', {
      uniqueIdentifier,
      cryptographicParameters: { ...cryptographicParameters, randomIv: true },
      data,
    })
    const { ivCounterNonce } = sealed
    assert.equal(ivCounterNonce?.length, 16)
    const opened = await driver.ask('Decrypt', {
      uniqueIdentifier,
      cryptographicParameters,
      data: sealed.data,
      ivCounterNonce,
    })
    assert.deepEqual(opened.data && Buffer.from(opened.data), data)
  })

  test('Percona Server for MongoDB (1.0): the master key registered, activated, fetched, and its state asked again and again', async () => {
    const mongod = new Appliance(sessionEach(server), v1_0)
    const keyMaterial = Buffer.alloc(32, 9)
    const { uniqueIdentifier } = await mongod.ask('Register', {
      objectType: ObjectType.SymmetricKey,
      templateAttribute: { name: [], attribute: attributes({ 'Cryptographic Usage Mask': Encrypt | Decrypt }) },
      symmetricKey: {
        keyBlock: {
          keyFormatType: KeyFormatType.Raw,
          keyValue: { keyMaterial, attribute: [] },
          cryptographicAlgorithm: CryptographicAlgorithm.AES,
          cryptographicLength: 256,
        },
      },
    })
    const state = async (): Promise<readonly unknown[]> => {
      const { attribute } = await mongod.ask('GetAttributes', { uniqueIdentifier, attributeName: ['State'] })
      return attribute.map(({ attributeName, attributeValue }) => [attributeName, attributeValue])
    }
    assert.deepEqual(await state(), [['State', State.PreActive]])
    await mongod.ask('Activate', { uniqueIdentifier })
    const { symmetricKey } = await mongod.ask('Get', { uniqueIdentifier })
    assert.deepEqual(materialOf(symmetricKey?.keyBlock), keyMaterial)
    for (let polls = 0; polls < 3; polls++) assert.deepEqual(await state(), [['State', State.Active]])
    // A version that knows no Fresh and no Original Creation Date is told of none: `ask` looks at each answer.
    await mongod.ask('GetAttributes', { uniqueIdentifier, attributeName: [] })
  })
})

test('none of them has left a line of level WRN or worse', () => {
  assert.deepEqual(troubles(server), [])
})
