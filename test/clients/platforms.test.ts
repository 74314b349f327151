/**
 * Platforms: VMware vCenter and its hosts, Synology, Ceph, and a client that takes each event of a socket for a whole answer. Each
 * sends what it was seen to send, in that order, and gets what it needs. docs/guides has a page of each.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectPlain } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { connect } from 'node:tls'
import { systemClock } from '#actor/clock'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  KeyFormatType,
  ObjectType,
  PaddingMethod,
  QueryFunction,
  RevocationReasonCode,
  SecretDataType,
  State,
} from '#kmip/enums'
import { Tag } from '#kmip/tags'
import { v1_0, v1_1, v1_2, v1_4 } from '#kmip/versions'
import { item, payloadOf, readAnswer, requestBytes } from '#test/dispatcher'
import { type RunningServer, startServerProcess } from '#test/running-server'
import { attributes, name } from '#test/sample-objects'
import { type Item, ItemType } from '#ttlv/item'
import { Appliance, materialOf, oneSession, sessionEach, troubles } from './appliance.ts'

const { Encrypt, Decrypt, Verify } = CryptographicUsageMask
const text = (value: string): Item => ({ tag: Tag.AttributeValue, type: ItemType.TextString, value })
const revocationReason = { revocationReasonCode: RevocationReasonCode.CessationOfOperation }

let server: RunningServer
before(async () => {
  server = await startServerProcess()
})
after(async () => {
  assert.equal(await server.stop(), 0)
  assert.deepEqual(server.failures, [])
})

const versions = (...minors: readonly number[]) => ({
  protocolVersion: minors.map((protocolVersionMinor) => ({ protocolVersionMajor: 1, protocolVersionMinor })),
})
/** A Create with the attributes in the order in which vCenter sends them. */
const vmKey = {
  objectType: ObjectType.SymmetricKey,
  templateAttribute: {
    name: [],
    attribute: attributes({
      'Cryptographic Algorithm': CryptographicAlgorithm.AES,
      'Cryptographic Usage Mask': Encrypt | Decrypt,
      'Cryptographic Length': 256,
    }),
  },
}

describe('VMware vCenter and its hosts (1.1)', () => {
  let count = 0
  /** `QLKC` and a counter, little-endian. */
  const id = (): { readonly uniqueBatchItemId: Buffer } => {
    const uniqueBatchItemId = Buffer.from('QLKC\0\0\0\0', 'latin1')
    uniqueBatchItemId.writeUInt32LE(count++, 4)
    return { uniqueBatchItemId }
  }

  test('a key: versions, information, Create, attributes of its own in one batch, Get, Activate', async () => {
    const { way, close } = oneSession(server)
    const vCenter = new Appliance(way, v1_1)
    await vCenter.ask('DiscoverVersions', versions())
    await vCenter.all([item('DiscoverVersions', versions(), id())])
    await vCenter.all([item('Query', { queryFunction: [QueryFunction.QueryServerInformation] }, id())])
    const created = await vCenter.all([item('Create', vmKey, id())])
    const { uniqueIdentifier } = payloadOf(created, 0, 'Create')
    const asked = { uniqueIdentifier, attributeName: ['State', 'x-Product_Version'] }
    const before = payloadOf(await vCenter.all([item('GetAttributes', asked, id())]), 0, 'GetAttributes')
    assert.deepEqual(
      before.attribute.map(({ attributeName, attributeValue }) => [attributeName, attributeValue]),
      [['State', State.PreActive]],
      'an attribute that is not there is left out, and is no error',
    )
    const own = { 'x-Product_Version': text('7.0.3'), 'x-Vendor': text('VMware'), 'x-Product': text('vSphere') }
    await vCenter.all(attributes(own).map((attribute) => item('AddAttribute', { uniqueIdentifier, attribute }, id())))
    const { attribute } = await vCenter.ask('GetAttributes', { ...asked, attributeName: Object.keys(own) })
    assert.deepEqual(
      attribute.map(({ attributeValue }) => (attributeValue as Item).value),
      ['7.0.3', 'VMware', 'vSphere'],
    )
    const got = payloadOf(await vCenter.all([item('Get', { uniqueIdentifier }, id())]), 0, 'Get')
    assert.equal(materialOf(got.symmetricKey?.keyBlock).length, 32)
    await vCenter.all([item('Activate', { uniqueIdentifier }, id())])
    await close()
  })

  test('hosts that start at once fetch the same key, each in a session of its own', async () => {
    const { uniqueIdentifier } = await new Appliance(sessionEach(server), v1_1).ask('Create', vmKey)
    const hosts = Array.from({ length: 20 }, async () => {
      const { symmetricKey } = await new Appliance(sessionEach(server), v1_1).ask('Get', { uniqueIdentifier })
      return materialOf(symmetricKey?.keyBlock).toString('hex')
    })
    assert.equal(new Set(await Promise.all(hosts)).size, 1)
  })

  test('its look every five minutes: connections that end without a byte, with TLS and without', async () => {
    const { host, port } = server
    for (let looks = 0; looks < 3; looks++) {
      const plain = connectPlain(port, host)
      await once(plain, 'connect')
      plain.destroy()
      const secured = connect({ ...server.connection })
      await once(secured, 'secureConnect')
      secured.end()
      secured.resume()
      await once(secured, 'close')
    }
    await new Appliance(sessionEach(server), v1_1).ask('DiscoverVersions', versions())
  })
})

describe('Synology DSM (1.2): a session for each operation', () => {
  test('the key of a volume: registered under a hash, renamed, activated, fetched, renamed again, ended', async () => {
    const dsm = new Appliance(sessionEach(server), v1_2)
    const functions = [
      QueryFunction.QueryOperations,
      QueryFunction.QueryObjects,
      QueryFunction.QueryServerInformation,
      QueryFunction.QueryApplicationNamespaces,
      QueryFunction.QueryExtensionList,
      QueryFunction.QueryExtensionMap,
    ]
    await Promise.all(Array.from({ length: 4 }, () => dsm.ask('Query', { queryFunction: functions })))
    const hash = 'ab'.repeat(64)
    const volume = '7f9d0d1e-1111-4222-8333-444455556666'
    const locate = async (text: string): Promise<readonly string[]> =>
      (await dsm.ask('Locate', { attribute: attributes({ Name: name(text) }) })).uniqueIdentifier
    assert.deepEqual(await locate(hash), [])
    const keyMaterial = Buffer.alloc(32, 3)
    const { uniqueIdentifier } = await dsm.ask('Register', {
      objectType: ObjectType.SecretData,
      templateAttribute: {
        name: [],
        attribute: attributes({
          'Cryptographic Usage Mask': Verify,
          'Operation Policy Name': 'default',
          Name: name(hash),
        }),
      },
      secretData: {
        secretDataType: SecretDataType.Password,
        keyBlock: { keyFormatType: KeyFormatType.Opaque, keyValue: { keyMaterial, attribute: [] } },
      },
    })
    const rename = async (text: string): Promise<void> => {
      const attribute = { attributeName: 'Name', attributeIndex: 0, attributeValue: name(text) }
      const answer = await dsm.ask('ModifyAttribute', { uniqueIdentifier, attribute })
      assert.deepEqual(answer.attribute.attributeValue, name(text), 'the answer has the attribute')
    }
    await rename(volume)
    assert.deepEqual([await locate(hash), await locate(volume)], [[], [uniqueIdentifier]])
    await dsm.ask('Activate', { uniqueIdentifier })
    const { attributeName } = await dsm.ask('GetAttributeList', { uniqueIdentifier })
    assert.ok(attributeName.includes('Operation Policy Name'))
    const { attribute } = await dsm.ask('GetAttributes', {
      uniqueIdentifier,
      attributeName: ['State', 'Operation Policy Name'],
    })
    assert.deepEqual(
      attribute.map(({ attributeValue }) => attributeValue),
      [State.Active, 'default'],
    )
    const { secretData } = await dsm.ask('Get', { uniqueIdentifier })
    assert.deepEqual(materialOf(secretData?.keyBlock), keyMaterial)
    await rename(`${volume}-deprecated-1700000000`)
    assert.deepEqual(await locate(volume), [])
    await dsm.ask('Revoke', { uniqueIdentifier, revocationReason })
    await dsm.ask('Destroy', { uniqueIdentifier })
  })
})

describe('Ceph', () => {
  test('the object gateway (1.0): a key found by its Name and fetched, as somebody else made it', async () => {
    const { way, close } = oneSession(server)
    const maker = new Appliance(way, v1_4)
    const { templateAttribute, objectType } = vmKey
    const made = await maker.ask('Create', {
      objectType,
      templateAttribute: {
        ...templateAttribute,
        attribute: [...templateAttribute.attribute, ...attributes({ Name: name('pykmip-mybucketkey') })],
      },
    })
    await close()
    const gateway = oneSession(server)
    const rgw = new Appliance(gateway.way, v1_0, {
      maximumResponseSize: 8192,
      timeStamp: systemClock.nowSeconds() - 3600,
    })
    const found = await rgw.ask('Locate', { attribute: attributes({ Name: name('pykmip-mybucketkey') }) })
    assert.deepEqual(found.uniqueIdentifier, [made.uniqueIdentifier])
    const answer = await rgw.all([item('Get', { uniqueIdentifier: made.uniqueIdentifier })])
    assert.equal(answer.message.responseHeader.batchCount, 1)
    assert.equal(materialOf(payloadOf(answer, 0, 'Get').symmetricKey?.keyBlock).length, 32)
    await gateway.close()
  })

  test('the driver of Kubernetes (1.4): the one version that it asks for, Encrypt and Decrypt with its own IV', async () => {
    const csi = new Appliance(sessionEach(server), v1_4)
    const id = { uniqueBatchItemId: Buffer.alloc(16, 0xc5) }
    const discovered = payloadOf(await csi.all([item('DiscoverVersions', versions(4), id)]), 0, 'DiscoverVersions')
    assert.deepEqual(discovered.protocolVersion, versions(4).protocolVersion)
    const { uniqueIdentifier } = await csi.ask('Create', vmKey)
    await csi.ask('Activate', { uniqueIdentifier })
    const cryptographicParameters = {
      blockCipherMode: BlockCipherMode.CBC,
      paddingMethod: PaddingMethod.PKCS5,
      cryptographicAlgorithm: CryptographicAlgorithm.AES,
    }
    const ivCounterNonce = Buffer.alloc(16, 1)
    const passphrase = Buffer.from('the pass phrase of a volume')
    const asked = { uniqueIdentifier, cryptographicParameters, ivCounterNonce }
    const sealed = payloadOf(await csi.all([item('Encrypt', { ...asked, data: passphrase }, id)]), 0, 'Encrypt')
    const opened = await csi.all([item('Decrypt', { ...asked, data: sealed.data }, id)])
    assert.equal(Buffer.from(payloadOf(opened, 0, 'Decrypt').data ?? []).toString(), passphrase.toString())
    // A failure says whose it is: `batch` compares operation and identifier.
    const unknown = item('Decrypt', { ...asked, uniqueIdentifier: 'no-such-key', data: sealed.data }, id)
    const failed = await csi.batch([unknown])
    assert.equal(failed.items[0]?.reason, 'ItemNotFound')
  })
})

test('an object store that pipelines eight requests: each event of its socket is one whole answer, in order', async () => {
  const socket = connect({ ...server.connection })
  await once(socket, 'secureConnect')
  const events: Buffer[] = []
  socket.on('data', (chunk: Buffer) => events.push(chunk))
  const ids = Array.from({ length: 8 }, (_, index) => Buffer.from([index]))
  for (const uniqueBatchItemId of ids) {
    socket.write(
      requestBytes(v1_2, [item('Query', { queryFunction: [QueryFunction.QueryOperations] }, { uniqueBatchItemId })]),
    )
  }
  socket.end()
  await once(socket, 'close')
  const answered = events.map((bytes) => Buffer.from(readAnswer(bytes).items[0]?.uniqueBatchItemId ?? []))
  assert.deepEqual(answered, ids)
})

test('none of them has left a line of level WRN or worse', () => {
  assert.deepEqual(troubles(server), [])
})
