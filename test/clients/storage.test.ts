/**
 * Storage arrays, tape libraries, a firewall and backup software: each sends what it was seen to send, in that order, and gets what it needs.
 * docs/guides has a page of each.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import {
  AlternativeNameType,
  BatchErrorContinuationOption,
  BlockCipherMode,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  HashingAlgorithm,
  KeyFormatType,
  LinkType,
  ObjectType,
  QueryFunction,
  RevocationReasonCode,
  SecretDataType,
} from '#kmip/enums'
import type { RequestHeader } from '#kmip/message'
import { Tag } from '#kmip/tags'
import { v1_0, v1_2, v1_4 } from '#kmip/versions'
import { item, outcomesOf, payloadOf, type RequestedItem } from '#test/dispatcher'
import { type RunningServer, startServerProcess } from '#test/running-server'
import { attributes, name } from '#test/sample-objects'
import { type Item, ItemType } from '#ttlv/item'
import { Appliance, materialOf, oneSession, overHttps, passwordHeader, troubles } from './appliance.ts'

const { Encrypt, Decrypt, MACGenerate, MACVerify, Verify } = CryptographicUsageMask
const text = (value: string): Item => ({ tag: Tag.AttributeValue, type: ItemType.TextString, value })
const integer = (value: number): Item => ({ tag: Tag.AttributeValue, type: ItemType.Integer, value })
const dateTime = (value: number): Item => ({ tag: Tag.AttributeValue, type: ItemType.DateTime, value })
const valueOf = (attribute: { readonly attributeValue: unknown }): unknown => (attribute.attributeValue as Item).value

const aes = (bits: number, others: Readonly<Record<string, unknown>> = {}) => ({
  objectType: ObjectType.SymmetricKey,
  templateAttribute: {
    name: [],
    attribute: attributes({
      'Cryptographic Algorithm': CryptographicAlgorithm.AES,
      'Cryptographic Length': bits,
      'Cryptographic Usage Mask': Encrypt | Decrypt,
      ...others,
    }),
  },
})

/** A Password in the format Opaque, as arrays keep the pass phrases of drives. */
const secret = (material: Uint8Array, values: Readonly<Record<string, unknown>>) => ({
  objectType: ObjectType.SecretData,
  templateAttribute: { name: [], attribute: attributes({ 'Cryptographic Usage Mask': Verify, ...values }) },
  secretData: {
    secretDataType: SecretDataType.Password,
    keyBlock: { keyFormatType: KeyFormatType.Opaque, keyValue: { keyMaterial: material, attribute: [] } },
  },
})

let server: RunningServer
before(async () => {
  server = await startServerProcess({ https: true })
  const kmipctl = fileURLToPath(import.meta.resolve('#src/kmipctl'))
  const socket = ['--socket', join(server.directory, 'admin.sock')]
  const words = ['users', 'create', '--name', 'firewall', '--password', 'one of the firewall']
  await promisify(execFile)(process.execPath, [kmipctl, ...socket, ...words])
})
after(async () => {
  assert.equal(await server.stop(), 0)
  assert.deepEqual(server.failures, [])
})

describe('self-encrypting drives of an array', () => {
  const session = (): ReturnType<typeof oneSession> => oneSession(server)

  test('a drive: registered, found by its group, read attribute by attribute, destroyed without Revoke (1.0)', async () => {
    const { way, close } = session()
    const array = new Appliance(way, v1_0)
    const told = await array.ask('Query', {
      queryFunction: [QueryFunction.QueryOperations, QueryFunction.QueryObjects],
    })
    assert.ok(told.objectType.includes(ObjectType.SecretData))
    const { uniqueIdentifier: none } = await array.ask('Locate', {
      attribute: attributes({ Name: name('array1-drive-7') }),
    })
    assert.deepEqual(none, [])
    const passphrase = Buffer.from('a pass phrase of 32 bytes, indeed')
    const custom = { 'x-CustomAttribute1': text('array1'), 'x-CustomAttribute2': text('drive-7') }
    const { uniqueIdentifier } = await array.ask(
      'Register',
      secret(passphrase, { 'Object Group': 'array1', ...custom, Name: name('array1-drive-7') }),
    )
    const found = await array.ask('Locate', { attribute: attributes({ 'Object Group': 'array1' }) })
    assert.deepEqual(found.uniqueIdentifier, [uniqueIdentifier])
    for (const [attributeName, { value }] of Object.entries(custom)) {
      const { attribute } = await array.ask('GetAttributes', { uniqueIdentifier, attributeName: [attributeName] })
      assert.deepEqual(attribute.map(valueOf), [value])
    }
    const got = await array.ask('Get', { uniqueIdentifier })
    assert.deepEqual(materialOf(got.secretData?.keyBlock), passphrase)
    await array.ask('Destroy', { uniqueIdentifier })
    assert.equal(await array.outcome('Get', { uniqueIdentifier }), 'IllegalOperation')
    await close()
  })

  test('a controller: Query, Locate by attributes that are no texts, Get as Opaque and Get Attributes in one batch (1.0)', async () => {
    const { way, close } = session()
    const controller = new Appliance(way, v1_0)
    const ids = { 'x-ResourceID': integer(4711), 'x-SystemID': dateTime(1_700_000_000) }
    const passphrase = Buffer.from('of the controller')
    await controller.ask('Register', secret(Buffer.from('of another'), { 'x-ResourceID': integer(4712) }))
    const { uniqueIdentifier } = await controller.ask('Register', secret(passphrase, ids))
    const answer = await controller.all(
      [
        item('Query', { queryFunction: [QueryFunction.QueryServerInformation] }),
        item('Locate', { attribute: attributes(ids) }),
        item('Get', { keyFormatType: KeyFormatType.Opaque }),
        item('GetAttributes', {}),
      ],
      { header: { batchOrderOption: true } },
    )
    assert.deepEqual(payloadOf(answer, 1, 'Locate').uniqueIdentifier, [uniqueIdentifier])
    assert.deepEqual(materialOf(payloadOf(answer, 2, 'Get').secretData?.keyBlock), passphrase)
    assert.equal(payloadOf(answer, 3, 'GetAttributes').uniqueIdentifier, uniqueIdentifier)
    await close()
  })
})

describe('a tape library', () => {
  test('cartridges: Create with Get, Locate with Get, Get Attributes and Modify Attribute, each one message (1.2)', async () => {
    const { way, close } = oneSession(server)
    const library = new Appliance(way, v1_2, { batchOrderOption: true })
    await library.ask('Query', {
      queryFunction: [
        QueryFunction.QueryOperations,
        QueryFunction.QueryObjects,
        QueryFunction.QueryServerInformation,
        QueryFunction.QueryApplicationNamespaces,
      ],
    })
    const cartridge = { applicationNamespace: 'LIBRARY-LTO', applicationData: '1234ABCDEF' }
    const made = await library.all([
      item(
        'Create',
        aes(256, {
          Name: name('cartridge-1'),
          'Alternative Name': {
            alternativeNameValue: 'TL-1 slot 7',
            alternativeNameType: AlternativeNameType.UninterpretedTextString,
          },
          'Application Specific Information': cartridge,
          'x-Barcode': text('A00042L8'),
          'x-VendorAttribute1': text('a text'),
          'x-VendorAttribute2': integer(2),
          'x-VendorAttribute3': dateTime(1_700_000_000),
        }),
      ),
      item('Get', {}),
    ])
    const { uniqueIdentifier } = payloadOf(made, 0, 'Create')
    const key = materialOf(payloadOf(made, 1, 'Get').symmetricKey?.keyBlock)
    assert.equal(key.length, 32)

    const filters: readonly Readonly<Record<string, unknown>>[] = [
      { 'Application Specific Information': cartridge },
      { Name: name('cartridge-1') },
      { 'x-Barcode': text('A00042L8') },
      { 'x-VendorAttribute2': integer(2), 'x-VendorAttribute3': dateTime(1_700_000_000) },
      {
        'Alternative Name': {
          alternativeNameValue: 'TL-1 slot 7',
          alternativeNameType: AlternativeNameType.UninterpretedTextString,
        },
      },
    ]
    for (const filter of filters) {
      const read = await library.all([item('Locate', { attribute: attributes(filter) }), item('Get', {})])
      assert.deepEqual(payloadOf(read, 0, 'Locate').uniqueIdentifier, [uniqueIdentifier])
      assert.deepEqual(materialOf(payloadOf(read, 1, 'Get').symmetricKey?.keyBlock), key)
    }
    const found = item('Locate', { attribute: attributes({ 'Application Specific Information': cartridge }) })
    const listed = payloadOf(await library.all([found, item('GetAttributeList', {})]), 1, 'GetAttributeList')
    for (const each of ['x-Barcode', 'x-VendorAttribute3', 'Alternative Name'])
      assert.ok(listed.attributeName.includes(each), each)
    await library.all([
      found,
      item('ModifyAttribute', { attribute: { attributeName: 'x-Barcode', attributeValue: text('A00043L8') } }),
      item('ModifyAttribute', { attribute: { attributeName: 'x-VendorAttribute2', attributeValue: integer(3) } }),
    ])
    const shown = await library.all([
      found,
      item('GetAttributes', { attributeName: ['x-Barcode', 'x-VendorAttribute2'] }),
    ])
    assert.deepEqual(payloadOf(shown, 1, 'GetAttributes').attribute.map(valueOf), ['A00043L8', 3])
    await library.all([found, item('Destroy', {})])
    await close()
  })
})

describe('a VAST cluster: TTLV over HTTPS (1.4)', () => {
  test('keys made, named, activated, watched, replaced and destroyed', async () => {
    const cluster = new Appliance(overHttps(server), v1_4)
    await cluster.ask('DiscoverVersions', {
      protocolVersion: [{ protocolVersionMajor: 1, protocolVersionMinor: 4 }],
    })
    const keyName = 'VAST_EKM_KEY_2_6f0f4f5e-0000-4000-8000-000000000001_0'
    const { uniqueIdentifier } = await cluster.ask('Create', aes(256))
    const added = { Name: name(keyName), 'Object Group': 'vast-group', 'Operation Policy Name': 'default' }
    for (const attribute of attributes(added)) await cluster.ask('AddAttribute', { uniqueIdentifier, attribute })
    await cluster.ask('Activate', { uniqueIdentifier })

    const byName = {
      maximumItems: 1,
      attribute: [],
      templateAttribute: { name: [], attribute: attributes({ Name: name(keyName) }) },
    }
    const watch = async (): Promise<string> => {
      const located = await cluster.ask('Locate', byName)
      assert.equal(located.uniqueIdentifier.length, 1)
      const [id = ''] = located.uniqueIdentifier
      const { attribute } = await cluster.ask('GetAttributes', {
        uniqueIdentifier: id,
        attributeName: ['State', 'Activation Date'],
      })
      assert.deepEqual(
        attribute.map(({ attributeName }) => attributeName),
        ['State', 'Activation Date'],
      )
      return id
    }
    assert.equal(await watch(), uniqueIdentifier)
    await cluster.ask('Get', { uniqueIdentifier })

    const { uniqueIdentifier: replacement } = await cluster.ask('ReKey', { uniqueIdentifier })
    assert.notEqual(replacement, uniqueIdentifier)
    assert.equal(await watch(), replacement, 'the Name has gone over')
    const all = async (id: string): Promise<ReadonlyMap<string, unknown>> => {
      const { attribute } = await cluster.ask('GetAttributes', { uniqueIdentifier: id, attributeName: [] })
      return new Map(attribute.map(({ attributeName, attributeValue }) => [attributeName, attributeValue]))
    }
    const [before, now] = [await all(uniqueIdentifier), await all(replacement)]
    for (const each of [before, now]) assert.equal(each.get('State'), 2, 'both are Active')
    for (const each of [before, now]) assert.equal(each.get('Operation Policy Name'), 'default')
    assert.equal(now.get('Object Group'), 'vast-group')
    assert.deepEqual(
      [before.get('Link'), now.get('Link')],
      [
        { linkType: LinkType.ReplacementObjectLink, linkedObjectIdentifier: replacement },
        { linkType: LinkType.ReplacedObjectLink, linkedObjectIdentifier: uniqueIdentifier },
      ],
    )
    for (const id of [uniqueIdentifier, replacement]) {
      const revocationReason = { revocationReasonCode: RevocationReasonCode.CessationOfOperation }
      await cluster.ask('Revoke', { uniqueIdentifier: id, revocationReason })
      await cluster.ask('Destroy', { uniqueIdentifier: id })
    }
  })
})

describe('a FortiGate: names with a password in the header, four Locates in a message (1.0)', () => {
  const header: Partial<RequestHeader> = {
    ...passwordHeader('firewall', 'one of the firewall'),
    maximumResponseSize: 65_536,
  }
  const prefix = 'FGT-vdom-root-phase1-to-the-branch-office-of-a-long-name-'
  const ends = ['enc-out', 'enc-in', 'auth-out', 'auth-in']
  const locates: readonly RequestedItem[] = ends.map((end, index) =>
    item(
      'Locate',
      {
        maximumItems: 1,
        attribute: [],
        templateAttribute: { name: [], attribute: attributes({ Name: name(prefix + end) }) },
      },
      { uniqueBatchItemId: Buffer.from(`${index}`.padStart(12, '0')) },
    ),
  )
  const four = {
    batchOrderOption: true,
    batchErrorContinuationOption: BatchErrorContinuationOption.Continue,
  }

  test('each Locate finds its own key and no other, and nothing before there is one', async () => {
    const { way, close } = oneSession(server)
    const firewall = new Appliance(way, v1_0, header)
    const nothing = await firewall.all(locates, { header: four })
    for (const index of ends.keys()) assert.deepEqual(payloadOf(nothing, index, 'Locate').uniqueIdentifier, [])

    const made: string[] = []
    for (const end of ends) {
      const isMac = end.startsWith('auth')
      const hmac = {
        'Cryptographic Algorithm': CryptographicAlgorithm.HMAC_SHA1,
        'Cryptographic Length': 160,
        'Cryptographic Usage Mask': MACGenerate | MACVerify,
      }
      const created = await firewall.ask('Create', aes(128, { ...(isMac ? hmac : {}), Name: name(prefix + end) }))
      await firewall.ask('Activate', created)
      made.push(created.uniqueIdentifier)
    }
    const located = await firewall.all(locates, { header: four })
    const found = ends.map((_, index) => payloadOf(located, index, 'Locate').uniqueIdentifier)
    assert.deepEqual(
      found,
      made.map((each) => [each]),
    )
    for (const [index, uniqueIdentifier] of made.entries()) {
      const { symmetricKey } = await firewall.ask('Get', { uniqueIdentifier })
      assert.equal(materialOf(symmetricKey?.keyBlock).length, index < 2 ? 16 : 20)
      assert.equal(await firewall.outcome('Destroy', { uniqueIdentifier }), 'PermissionDenied', 'while it is Active')
    }
    await close()
  })

  test('a wrong password is refused, and what the user made is not seen by the certificate alone', async () => {
    const { way, close } = oneSession(server)
    const wrong = passwordHeader('firewall', 'a guess')
    const answer = await new Appliance(way, v1_0, wrong).batch(locates.slice(0, 1), { header: four })
    assert.deepEqual(outcomesOf(answer), ['AuthenticationNotSuccessful'])
    const withoutPassword = await new Appliance(way, v1_0).all(locates, { header: four })
    for (const index of ends.keys()) assert.deepEqual(payloadOf(withoutPassword, index, 'Locate').uniqueIdentifier, [])
    await close()
  })
})

describe('backup software (1.4)', () => {
  test('a pair of RSA: given without attributes in the Key Value', async () => {
    const { way, close } = oneSession(server)
    const backup = new Appliance(way, v1_4)
    const pair = await backup.ask('CreateKeyPair', {
      commonTemplateAttribute: {
        name: [],
        attribute: attributes({
          'Cryptographic Algorithm': CryptographicAlgorithm.RSA,
          'Cryptographic Length': 2048,
          'Cryptographic Parameters': {
            blockCipherMode: BlockCipherMode.CBC,
            hashingAlgorithm: HashingAlgorithm.SHA_256,
          },
        }),
      },
      privateKeyTemplateAttribute: {
        name: [],
        attribute: attributes({ 'Cryptographic Usage Mask': CryptographicUsageMask.Sign }),
      },
      publicKeyTemplateAttribute: { name: [], attribute: attributes({ 'Cryptographic Usage Mask': Verify }) },
    })
    for (const uniqueIdentifier of [pair.privateKeyUniqueIdentifier, pair.publicKeyUniqueIdentifier]) {
      await backup.ask('Activate', { uniqueIdentifier })
      const { privateKey, publicKey } = await backup.ask('Get', { uniqueIdentifier })
      const value = (privateKey ?? publicKey)?.keyBlock.keyValue as { readonly attribute: readonly unknown[] }
      assert.deepEqual(value.attribute, [])
    }
    await close()
  })
})

test('none of them has left a line of level WRN or worse, but for the wrong password', () => {
  const lines = troubles(server) as readonly { readonly credential?: { readonly reason: string } }[]
  assert.deepEqual(
    lines.map(({ credential }) => credential?.reason),
    ['user name or password are wrong'],
  )
})
