/**
 * What is secret is not in the log, at level debug neither: every operation in every version, with a marker in the place of
 * all that can be a secret, through the dispatcher and the log; and a real server with its administration, whose whole
 * output and log file are searched.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import * as fc from 'fast-check'
import pino from 'pino'
import { awaitable } from '#actor/later'
import { runCommandLine } from '#admin/cli'
import { createClient } from '#client/client'
import {
  BlockCipherMode,
  CredentialType,
  CryptographicAlgorithm,
  KeyFormatType,
  ObjectType,
  PaddingMethod,
  SecretDataType,
} from '#kmip/enums'
import { type PayloadName, payloads } from '#kmip/payloads/index'
import { inVersion } from '#kmip/row'
import { Tag } from '#kmip/tags'
import { supportedVersions, type Version } from '#kmip/versions'
import { enumerationNamed } from '#kmip/vocabulary'
import { binaryEncoding, encodings } from '#server/encodings'
import { serverLog } from '#server/log'
import { messageText } from '#server/message-text'
import { alice, callerOf, openDispatcher, readerLimits, requestBytes } from '#test/dispatcher'
import { valuesOf, variantsOf } from '#test/kmip/arbitrary'
import { type RunningServer, startServerProcess } from '#test/running-server'
import { decodeItem, encodeItem } from '#ttlv/binary'
import { type Item, ItemType } from '#ttlv/item'

const marker = 'mArKeR-sEcReT-7f'
const markerBytes = Buffer.from(marker)
const markerNumber = BigInt(`0x${markerBytes.toString('hex')}`)

/** The forms in which a marker could show. */
const forms = [
  marker,
  markerBytes.toString('hex'),
  markerBytes.toString('hex').toUpperCase(),
  markerBytes.toString('base64').slice(0, 20),
  markerBytes.toString('base64url').slice(0, 20),
  markerNumber.toString(),
  [...markerBytes].join(','),
]

const assertSilent = (text: string, what: string): void => {
  for (const form of forms) assert.ok(!text.includes(form), `${what}: the log has the marker as ${form}`)
}

/** Texts that prove who somebody is. */
const secretTexts: ReadonlySet<number> = new Set([
  Tag.Password,
  Tag.DeviceSerialNumber,
  Tag.DeviceIdentifier,
  Tag.NetworkIdentifier,
  Tag.MachineIdentifier,
  Tag.MediaIdentifier,
])

/** Bytes that name messages. */
const harmlessBytes: ReadonlySet<number> = new Set([Tag.UniqueBatchItemID, Tag.AsynchronousCorrelationValue])

/** The message with the marker in every place that can hold a secret. */
const marked = (item: Item, custom = false): Item => {
  switch (item.type) {
    case ItemType.Structure: {
      const isCustom = item.value.some(
        ({ tag, value }) => tag === Tag.AttributeName && typeof value === 'string' && /^[xy]-/.test(value),
      )
      return { ...item, value: item.value.map((child) => marked(child, isCustom)) }
    }
    case ItemType.ByteString:
      return harmlessBytes.has(item.tag) ? item : { ...item, value: markerBytes }
    case ItemType.BigInteger:
      return { ...item, value: markerNumber }
    case ItemType.TextString:
      return secretTexts.has(item.tag) || (custom && item.tag === Tag.AttributeValue)
        ? { ...item, value: marker }
        : item
    default:
      return item
  }
}

const operationsOf = (version: Version): readonly PayloadName[] =>
  enumerationNamed('Operation')
    .values.filter((row) => inVersion(row, version) && Object.hasOwn(payloads, row.name))
    .map((row) => row.name as PayloadName)

const credentials = [
  { credentialType: CredentialType.UsernameAndPassword, credentialValue: { username: 'alice', password: marker } },
  { credentialType: CredentialType.Device, credentialValue: { deviceSerialNumber: marker, password: marker } },
]

describe('messages in the log at level debug', () => {
  for (const version of supportedVersions) {
    test(`every operation of version ${version}`, async () => {
      const lines: string[] = []
      const output = new Writable({
        write(chunk: Buffer, _encoding, done) {
          lines.push(chunk.toString())
          done()
        },
      })
      const log = serverLog(pino({ level: 'debug' }, output), () => 'correlation')
      const under = openDispatcher({ verifyCredential: () => true })
      let count = 0
      for (const operation of operationsOf(version)) {
        const codec = payloads[operation].request
        for (const given of variantsOf(codec, version)) {
          for (const payload of fc.sample(valuesOf(codec, version, 'all', given), { numRuns: 2, seed: 1 })) {
            const plain = requestBytes(version, [{ operation, payload }], {
              authentication: { credential: credentials },
            })
            const request = encodeItem(marked(decodeItem(plain, readerLimits)))
            const answer = await awaitable(under.dispatcher.answer(request, callerOf(under, alice)))
            log.exchanged(request, answer, binaryEncoding)
            for (const { correlation, place, error } of under.failures.splice(0))
              log.internalFailure(correlation, place, error)
            count += 1
          }
        }
      }
      assert.ok(count >= operationsOf(version).length && lines.length >= count)
      assert.ok(lines.some((line) => line.includes('Username=\\"alice\\" Password=<')))
      assertSilent(lines.join(''), `version ${version}`)
    })
  }

  test('what is no message is told by its length', () => {
    for (const encoding of encodings.values()) {
      assert.equal(
        messageText(markerBytes, encoding, readerLimits),
        `<${markerBytes.length} bytes that are no message>`,
      )
    }
  })
})

describe('a server at level debug', () => {
  let server: RunningServer
  before(async () => {
    server = await startServerProcess({ flags: ['--log-level', 'debug'] })
  })
  after(() => server.stop())

  const kmipctl = async (...words: readonly string[]): Promise<string> => {
    let told = ''
    const code = await runCommandLine(words, {
      environment: { KMIPCTL_SOCKET: join(server.directory, 'admin.sock') },
      isTerminal: false,
      columns: undefined,
      canAsk: false,
      out: (text) => {
        told += text
      },
      error: (text) => {
        told += text
      },
      readFile: () => '',
      writeFile: () => undefined,
      ask: async () => '',
    })
    assert.equal(code, 0, `${words.join(' ')}: ${told}`)
    return told
  }

  test('tells nothing of keys, data, passwords and tokens', async () => {
    await kmipctl('users', 'modify', '-i', 'kmip', '-p', marker)
    const logIn = JSON.parse(await kmipctl('tokens', 'create', '-u', 'kmip', '-p', marker)) as { readonly jwt: string }
    const { token } = JSON.parse(await kmipctl('clientmgmt', 'tokens', 'create')) as { readonly token: string }
    await using client = createClient({
      ...server.connection,
      credentials: [
        { credentialType: CredentialType.UsernameAndPassword, credentialValue: { username: 'kmip', password: marker } },
      ],
    })
    const { uniqueIdentifier } = await client.register({
      objectType: ObjectType.SymmetricKey,
      templateAttribute: {
        attribute: [
          { attributeName: 'Cryptographic Usage Mask', attributeValue: 0xc },
          {
            attributeName: 'x-secret',
            attributeValue: { tag: Tag.AttributeValue, type: ItemType.TextString, value: marker },
          },
          { attributeName: 'Activation Date', attributeValue: 1 },
        ],
      },
      symmetricKey: {
        keyBlock: {
          keyFormatType: KeyFormatType.Raw,
          keyValue: { keyMaterial: markerBytes },
          cryptographicAlgorithm: CryptographicAlgorithm.AES,
          cryptographicLength: 128,
        },
      },
    })
    await client.register({
      objectType: ObjectType.SecretData,
      templateAttribute: { attribute: [{ attributeName: 'Cryptographic Usage Mask', attributeValue: 0 }] },
      secretData: {
        secretDataType: SecretDataType.Password,
        keyBlock: { keyFormatType: KeyFormatType.Opaque, keyValue: { keyMaterial: markerBytes } },
      },
    })
    await client.get({ uniqueIdentifier })
    const cryptographicParameters = { blockCipherMode: BlockCipherMode.ECB, paddingMethod: PaddingMethod.PKCS5 }
    const { data } = await client.encrypt({ uniqueIdentifier, cryptographicParameters, data: markerBytes })
    await client.decrypt({ uniqueIdentifier, cryptographicParameters, data: data ?? markerBytes })
    await assert.rejects(client.get({ uniqueIdentifier: marker.toUpperCase() }))
    await kmipctl('keys', 'show', uniqueIdentifier)

    const file = await readFile(join(server.directory, 'logs', 'kmipd.log'), 'utf8')
    const output = server.log.map((line) => JSON.stringify(line)).join('\n')
    for (const text of [file, output]) {
      assert.match(text, /Operation=Decrypt/)
      assertSilent(text, 'the server')
      assert.ok(!text.includes(logIn.jwt) && !text.includes(token))
    }
  })
})
