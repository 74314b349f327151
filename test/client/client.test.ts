/**
 * The client against a real TLS server: methods out of the payload declarations, batches, refusals, attributes.
 */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { attribute, customAttribute, nameAttribute } from '#client/attribute'
import { type Client, type ClientOptions, createClient } from '#client/client'
import { KmipResponseError, UnexpectedResponse } from '#client/errors'
import { type MethodName, methodName } from '#client/operation-methods'
import { CredentialType, CryptographicAlgorithm, ObjectType, Operation, ResultReason, ResultStatus } from '#kmip/enums'
import type { RequestMessage } from '#kmip/message'
import { payloads } from '#kmip/payloads/index'
import { Tag } from '#kmip/tags'
import { v1_0, v1_2 } from '#kmip/versions'
import { ItemType } from '#ttlv/item'
import { makeCertificates } from './certificates.ts'
import { firstPayload, type Received, responseBytes, startServer, succeed } from './tls-server.ts'

const certificates = makeCertificates()
const closers: (() => Promise<void>)[] = []
after(async () => {
  for (const close of closers.toReversed()) await close()
})

/** A client of a new server that answers with what `respond` gives; the requests it got are kept. */
const start = async (
  respond: (received: Received) => Buffer,
  options: Partial<ClientOptions> = {},
): Promise<{ client: Client; requests: RequestMessage[] }> => {
  const requests: RequestMessage[] = []
  const server = await startServer(certificates, (received) => {
    requests.push(received.request)
    received.socket.write(respond(received))
  })
  const { ca, clientCert: cert, clientKey: key } = certificates
  const client = createClient({ host: 'localhost', port: server.port, ca, cert, key, timeoutMs: 5000, ...options })
  closers.push(
    () => server.close(),
    () => client.close(),
  )
  return { client, requests }
}

const refuse = ({ request }: Received, resultReason: number, resultMessage?: string): Buffer =>
  responseBytes(request, [
    {
      operation: request.batchItem[0]?.operation,
      resultStatus: ResultStatus.OperationFailed,
      resultReason,
      ...(resultMessage === undefined ? {} : { resultMessage }),
    },
  ])

const rejection = async (promise: Promise<unknown>): Promise<KmipResponseError> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof KmipResponseError, `expected KmipResponseError, not ${String(error)}`)
  return error
}

describe('methods', () => {
  test('there is one for every payload, by one rule of names', async () => {
    const { client } = await start(({ request }) => succeed(request, () => ({})))
    for (const name of Object.keys(payloads)) assert.equal(typeof client[methodName(name) as 'create'], 'function')
    const names = {
      Create: 'create',
      CreateKeyPair: 'createKeyPair',
      ReKey: 'reKey',
      MAC: 'mac',
      MACVerify: 'macVerify',
      RNGRetrieve: 'rngRetrieve',
      PKCS_11: 'pkcs_11',
    } as const satisfies { readonly [Name in string]: MethodName<Name> }
    const checked: { readonly [Name in keyof typeof names]: MethodName<Name> } = names
    for (const [name, method] of Object.entries(checked)) assert.equal(methodName(name), method)
  })

  test('a payload travels there and back', async () => {
    const { client, requests } = await start(({ request }) =>
      succeed(request, () => ({ objectType: ObjectType.SymmetricKey, uniqueIdentifier: 'id-1' })),
    )
    const response = await client.create({
      objectType: ObjectType.SymmetricKey,
      templateAttribute: {
        attribute: [
          attribute('Cryptographic Algorithm', CryptographicAlgorithm.AES),
          attribute('Cryptographic Length', 256),
          nameAttribute('disk 7'),
          customAttribute('x-shelf', 'upper'),
          customAttribute('x-slot', { tag: Tag.AttributeValue, type: ItemType.Integer, value: 4 }, 0),
        ],
      },
    })
    assert.equal(response.uniqueIdentifier, 'id-1')
    assert.equal(response.objectType, ObjectType.SymmetricKey)
    const sent = firstPayload(requests[0] as RequestMessage) as {
      templateAttribute: { attribute: { attributeName: string; attributeValue: unknown }[] }
    }
    assert.deepEqual(
      sent.templateAttribute.attribute.map((entry) => [entry.attributeName, entry.attributeValue]),
      [
        ['Cryptographic Algorithm', 3],
        ['Cryptographic Length', 256],
        ['Name', { nameValue: 'disk 7', nameType: 1 }],
        ['x-shelf', { tag: Tag.AttributeValue, type: ItemType.TextString, value: 'upper' }],
        ['x-slot', { tag: Tag.AttributeValue, type: ItemType.Integer, value: 4 }],
      ],
    )
  })

  test('a payload that may be empty may be left out', async () => {
    const version = { protocolVersionMajor: 1, protocolVersionMinor: 4 }
    const { client } = await start(({ request }) => succeed(request, () => ({ protocolVersion: [version] })))
    assert.deepEqual(await client.discoverVersions(), { protocolVersion: [version] })
  })

  test('the header carries what the client was told', async () => {
    const { client, requests } = await start(({ request }) => succeed(request, () => ({ uniqueIdentifier: 'a' })), {
      version: v1_0,
      maximumResponseSize: 4096,
      credentials: [
        {
          credentialType: CredentialType.UsernameAndPassword,
          credentialValue: { username: 'kmip', password: 'secret' },
        },
      ],
    })
    await client.destroy({ uniqueIdentifier: 'a' })
    const header = requests[0]?.requestHeader
    assert.deepEqual(header?.protocolVersion, { protocolVersionMajor: 1, protocolVersionMinor: 0 })
    assert.equal(header?.maximumResponseSize, 4096)
    assert.deepEqual(header?.authentication?.credential[0]?.credentialValue, { username: 'kmip', password: 'secret' })
  })

  test('a value that has no encoding rejects, and nothing is sent', async () => {
    const { client, requests } = await start(({ request }) => succeed(request, () => ({ uniqueIdentifier: 'a' })))
    await assert.rejects(client.locate({ maximumItems: 2 ** 40 }), RangeError)
    await assert.rejects(client.get({ uniqueIdentifier: 7 as unknown as string }), TypeError)
    assert.equal(requests.length, 0)
  })

  test('a field that the version does not have rejects, and nothing is sent: without it the request would be another one', async () => {
    const { client, requests } = await start(({ request }) => succeed(request, () => ({ uniqueIdentifier: ['a'] })), {
      version: v1_2,
    })
    await assert.rejects(client.locate({ offsetItems: 10 }), /offsetItems.* 1\.2/)
    await assert.rejects(
      client.encrypt({ uniqueIdentifier: 'a', data: new Uint8Array(3), initIndicator: true }),
      RangeError,
    )
    assert.equal(requests.length, 0)
    // A list that is empty, or what was left out, is not there in any version.
    const left = { offsetItems: undefined, attribute: [] } as unknown as { attribute: [] }
    assert.deepEqual((await client.locate(left)).uniqueIdentifier, ['a'])
  })

  test('a version that is not known is refused at once', () => {
    assert.throws(() => createClient({ host: 'localhost', port: 1, version: 1.4 }), TypeError)
  })

  test('a name that no attribute has is refused at once', () => {
    assert.throws(() => attribute('Cryptographic Size' as 'Name', { nameValue: '', nameType: 1 }), TypeError)
    assert.throws(() => customAttribute('shelf', 'upper'), TypeError)
  })
})

describe('refusals', () => {
  test('reject with the reason, its name and the server’s words', async () => {
    const { client } = await start((received) => refuse(received, ResultReason.ItemNotFound, 'no such key'))
    const error = await rejection(client.get({ uniqueIdentifier: 'none' }))
    assert.equal(error.reason, ResultReason.ItemNotFound)
    assert.equal(error.reasonName, 'ItemNotFound')
    assert.equal(error.message, 'no such key')
    assert.equal(error.operation, 'Get')
    assert.equal(error.status, ResultStatus.OperationFailed)
  })

  test('a reason that no version has is named by its number', async () => {
    const { client } = await start((received) => refuse(received, 0x8000_0001))
    const error = await rejection(client.get({ uniqueIdentifier: 'none' }))
    assert.equal(error.reasonName, '0x80000001')
    assert.equal(error.message, '0x80000001')
  })

  test('a whole message shows them as they are', async () => {
    const { client } = await start((received) => refuse(received, ResultReason.PermissionDenied))
    const response = await client.request({
      requestHeader: { protocolVersion: { protocolVersionMajor: 1, protocolVersionMinor: 2 }, batchCount: 1 },
      batchItem: [{ operation: Operation.Get, requestPayload: {} }],
    })
    assert.equal(response.batchItem[0]?.resultReason, ResultReason.PermissionDenied)
  })
})

describe('answers that do not fit', () => {
  const cases: readonly (readonly [string, (received: Received) => Buffer])[] = [
    ['no item', ({ request }) => responseBytes(request, [])],
    [
      'no payload',
      ({ request }) => responseBytes(request, [{ operation: Operation.Get, resultStatus: ResultStatus.Success }]),
    ],
    [
      'another operation',
      ({ request }) =>
        responseBytes(request, [
          {
            operation: Operation.Destroy,
            resultStatus: ResultStatus.Success,
            responsePayload: { uniqueIdentifier: 'a' },
          },
        ]),
    ],
    [
      'a structure that cannot be read',
      () => Buffer.from('42007b0100000008420069010000000', 'hex').subarray(0, 8).fill(0, 4),
    ],
  ]
  for (const [name, respond] of cases) {
    test(`${name}: rejects, and the connection stays`, async () => {
      const { client } = await start((received) =>
        received.requestIndex === 0 ? respond(received) : succeed(received.request, () => ({ uniqueIdentifier: 'a' })),
      )
      await assert.rejects(client.get({ uniqueIdentifier: 'a' }), UnexpectedResponse)
      assert.deepEqual(await client.destroy({ uniqueIdentifier: 'a' }), { uniqueIdentifier: 'a' })
    })
  }
})

describe('batches', () => {
  test('each item has its own result, typed by its operation', async () => {
    const { client, requests } = await start(({ request }) =>
      responseBytes(
        request,
        // The server may answer in another order where no order was asked for.
        request.batchItem.toReversed().map((item) => ({
          operation: item.operation,
          uniqueBatchItemId: item.uniqueBatchItemId,
          ...(item.operation === Operation.Get
            ? { resultStatus: ResultStatus.OperationFailed, resultReason: ResultReason.ItemNotFound }
            : {
                resultStatus: ResultStatus.Success,
                responsePayload: { uniqueIdentifier: ['found'], locatedItems: 1 },
              }),
        })),
      ),
    )
    const [located, got] = await client.batch(
      [{ operation: 'Locate', payload: { attribute: [nameAttribute('disk 7')] } }, { operation: 'Get' }],
      { order: true, onError: 'continue' },
    )
    assert.ok(located.status === 'success')
    assert.deepEqual(located.payload.uniqueIdentifier, ['found'])
    assert.ok(got.status === 'failure')
    assert.equal(got.error.reasonName, 'ItemNotFound')
    assert.equal(requests[0]?.requestHeader.batchOrderOption, true)
    assert.equal(requests[0]?.requestHeader.batchErrorContinuationOption, 1)
  })

  test('items behind one that failed are unanswered when the server stops', async () => {
    const { client } = await start(({ request }) =>
      responseBytes(request, [
        {
          operation: Operation.Destroy,
          uniqueBatchItemId: request.batchItem[0]?.uniqueBatchItemId,
          resultStatus: ResultStatus.OperationFailed,
          resultReason: ResultReason.PermissionDenied,
        },
      ]),
    )
    const results = await client.batch([{ operation: 'Destroy' }, { operation: 'Destroy' }])
    assert.deepEqual(
      results.map((result) => result.status),
      ['failure', 'unanswered'],
    )
  })

  test('a message that is refused as a whole rejects', async () => {
    const { client } = await start(({ request }) =>
      responseBytes(request, [
        { resultStatus: ResultStatus.OperationFailed, resultReason: ResultReason.InvalidMessage },
      ]),
    )
    const error = await rejection(client.batch([{ operation: 'Destroy' }, { operation: 'Destroy' }]))
    assert.equal(error.reasonName, 'InvalidMessage')
    assert.equal(error.operation, 'batch')
  })

  test('an answer to an item that was not asked rejects', async () => {
    const { client } = await start(({ request }) =>
      responseBytes(request, [
        {
          operation: Operation.Destroy,
          uniqueBatchItemId: Buffer.from([9]),
          resultStatus: ResultStatus.Success,
          responsePayload: { uniqueIdentifier: 'a' },
        },
      ]),
    )
    await assert.rejects(client.batch([{ operation: 'Destroy' }]), UnexpectedResponse)
  })
})
