/**
 * The rules that hold for every operation (KMIP 1.4 §6, §7, §11.1, §11.43): header, batch, versions, access, conflicts, and
 * failures inside the server. What it is not: an operation's own rules (test/operations/), or other encodings than TTLV.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CredentialType, CryptographicAlgorithm, LinkType, Operation, ResultReason, State } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { Tag } from '#kmip/tags'
import { operations } from '#operations/index'
import {
  type Answer,
  alice,
  continueOnError,
  type DispatcherUnderTest,
  item,
  openDispatcher,
  outcome,
  outcomesOf,
  payloadOf,
  type RequestedItem,
  readerLimits,
  requestBytes,
  send,
  sendBytes,
  stored,
  succeed,
  undoOnError,
} from '#test/dispatcher'
import {
  attributes,
  createKey,
  createRequest,
  keyRequest,
  name,
  pairRequest,
  revocation,
  secretRequest,
  templateRequest,
} from '#test/sample-objects'
import { decodeItem, encodeItem } from '#ttlv/binary'
import { type Item, ItemType } from '#ttlv/item'

const query = item('Query', { queryFunction: [1] })
const versions = [100, 101, 102, 103, 104]

/** The item with every structure of a tag changed. */
const changed = (given: Item, tag: number, change: (children: readonly Item[]) => readonly Item[]): Item => {
  if (given.type !== ItemType.Structure) return given
  const children = given.value.map((child) => changed(child, tag, change))
  return { ...given, value: given.tag === tag ? change(children) : children }
}

/** A request whose structures of a tag are changed, as bytes. */
const edited = (bytes: Buffer, tag: number, change: (children: readonly Item[]) => readonly Item[]): Buffer =>
  encodeItem(changed(decodeItem(bytes, readerLimits), tag, change))

const text = (tag: number, value: string): Item => ({ tag, type: ItemType.TextString, value })

const operationsAnswered = ({ items }: Answer): readonly (string | undefined)[] =>
  items.map(({ operation }) => operation)

describe('a message that cannot be taken', () => {
  const whole = requestBytes(104, [query, query])
  const version = (major: number, minor: number) =>
    requestBytes(104, [query], {
      protocolVersion: { protocolVersionMajor: major, protocolVersionMinor: minor },
    })
  const cases: readonly (readonly [string, Buffer, reason?: string])[] = [
    ['no message', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['no bytes', Buffer.alloc(0)],
    ['cut off', whole.subarray(0, -8)],
    ['with bytes behind it', Buffer.concat([whole, Buffer.alloc(8)])],
    ['a response', edited(whole, Tag.RequestMessage, () => [])],
    ['another major version', version(2, 0)],
    ['major version 0', version(0, 9)],
    ['a negative minor version', version(1, -1)],
    [
      'a header field twice',
      edited(whole, Tag.RequestHeader, (children) => [
        ...children,
        ...children.filter(({ tag }) => tag === Tag.BatchCount),
      ]),
    ],
    [
      'no Batch Count',
      edited(whole, Tag.RequestHeader, (children) => children.filter(({ tag }) => tag !== Tag.BatchCount)),
    ],
    [
      'an unknown header field',
      edited(whole, Tag.RequestHeader, (children) => [...children, text(Tag.Comment, 'a')]),
      'InvalidField',
    ],
    [
      'an item without an operation',
      edited(whole, Tag.BatchItem, (children) => children.filter(({ tag }) => tag !== Tag.Operation)),
    ],
    [
      'an item without a payload',
      edited(whole, Tag.BatchItem, (children) => children.filter(({ tag }) => tag !== Tag.RequestPayload)),
    ],
  ]
  for (const [given, bytes, reason = 'InvalidMessage'] of cases) {
    test(`${given}: one item without an operation, ${reason}`, async () => {
      const under = openDispatcher()
      const answer = await sendBytes(under, alice, bytes)
      assert.deepEqual(operationsAnswered(answer), [undefined])
      assert.deepEqual(outcomesOf(answer), [reason])
      assert.deepEqual(under.failures, [])
    })
  }

  test('is answered in its own version as far as that was read, else in the newest', async () => {
    const under = openDispatcher()
    const minorOf = async (bytes: Buffer) =>
      (await sendBytes(under, alice, bytes)).message.responseHeader.protocolVersion.protocolVersionMinor
    assert.equal(await minorOf(requestBytes(100, [query]).subarray(0, -8)), 4)
    const noOperation = edited(requestBytes(101, [query]), Tag.BatchItem, () => [])
    assert.equal(await minorOf(noOperation), 1)
    assert.equal(await minorOf(version(2, 1)), 4)
  })
})

describe('a message that is refused as a whole', () => {
  const three = [query, query, query]
  const batch = (header: Parameters<typeof send>[4], items: readonly RequestedItem[] = three) =>
    ({ header, items }) as const
  const extension = (criticalityIndicator: boolean) => ({
    vendorIdentification: 'Acme',
    criticalityIndicator,
    vendorExtension: { tag: Tag.VendorExtension, type: ItemType.Structure, value: [] } as const,
  })
  const cases = [
    ['a Batch Count that is too large', 'InvalidMessage', batch({ batchCount: 4 })],
    ['a Batch Count that is too small', 'InvalidMessage', batch({ batchCount: 2 })],
    [
      'too many items',
      'InvalidMessage',
      batch(
        {},
        Array.from({ length: 6 }, () => query),
      ),
    ],
    [
      'items without identifiers beside others',
      'InvalidMessage',
      batch({}, [query, { ...query, uniqueBatchItemId: undefined }]),
    ],
    [
      'a critical Message Extension',
      'FeatureNotSupported',
      batch({}, [query, { ...query, messageExtension: extension(true) }]),
    ],
    [
      'a Batch Error Continuation Option of a vendor (§6.13: one of three values)',
      'InvalidField',
      batch({ batchErrorContinuationOption: 0x8000_0001 }),
    ],
    ['an Authentication without Credentials', 'InvalidMessage', batch({ authentication: { credential: [] } })],
    [
      'more Credentials than anybody has',
      'InvalidMessage',
      batch({
        authentication: {
          credential: Array.from({ length: 5 }, () => ({
            credentialType: CredentialType.UsernameAndPassword,
            credentialValue: { username: 'alice', password: 'sesame' },
          })),
        },
      }),
    ],
  ] as const
  for (const [given, reason, { header, items }] of cases) {
    test(`${given}: ${reason} for every item`, async () => {
      const under = openDispatcher({ batchCountMax: 5 })
      const answer = await send(under, alice, 104, items, header)
      assert.deepEqual(
        outcomesOf(answer),
        items.slice(0, 5).map(() => reason),
      )
    })
  }

  test('no items at all: one item that says so', async () => {
    const answer = await send(openDispatcher(), alice, 100, [])
    assert.deepEqual(outcomesOf(answer), ['InvalidMessage'])
    assert.deepEqual(operationsAnswered(answer), [undefined])
  })

  test('an extension that is not critical is passed over', async () => {
    const answer = await send(openDispatcher(), alice, 104, [{ ...query, messageExtension: extension(false) }])
    assert.deepEqual(outcomesOf(answer), ['Success'])
  })

  test('from a client without service: the reason for every item', async () => {
    const refusal = new KmipError(ResultReason.AuthenticationNotSuccessful)
    const answer = await send(openDispatcher(), refusal, 101, [query, query])
    assert.deepEqual(outcomesOf(answer), ['AuthenticationNotSuccessful', 'AuthenticationNotSuccessful'])
  })
})

describe('Authentication', () => {
  const credential = (username: string, password: string) => ({
    credentialType: CredentialType.UsernameAndPassword,
    credentialValue: { username, password },
  })
  const right = credential('alice', 'open sesame')
  const verifyCredential = (username: string, password?: string) => username === 'alice' && password === 'open sesame'
  const come = async (...all: readonly ReturnType<typeof credential>[]) => {
    const under = openDispatcher({ verifyCredential })
    const header = { authentication: { credential: all } }
    return outcomesOf(await send(under, alice, 104, [item('Create', createRequest())], header))
  }

  test('a credential that is right, one that is not, and both', async () => {
    assert.deepEqual(await come(right), ['Success'])
    assert.deepEqual(await come(credential('alice', 'sesame')), ['AuthenticationNotSuccessful'])
    assert.deepEqual(await come(right, credential('bob', 'sesame')), ['AuthenticationNotSuccessful'])
  })

  test('a refused password is not in the answer', async () => {
    const under = openDispatcher()
    const header = { authentication: { credential: [credential('alice', 'not so secret')] } }
    const { bytes } = await send(under, alice, 104, [query], header)
    assert.ok(!bytes.includes('not so secret'))
  })
})

describe('versions', () => {
  test('a newer minor version is answered in the newest that is known, its fields passed over', async () => {
    const under = openDispatcher()
    const create = item('Create', createRequest())
    assert.deepEqual(outcomesOf(await send(under, alice, 109, [create])), ['Success'])
    const newer = edited(requestBytes(109, [create]), Tag.RequestPayload, (children) => [
      ...children,
      text(Tag.Comment, 'what nobody knows yet'),
    ])
    assert.deepEqual(outcomesOf(await sendBytes(under, alice, newer)), ['Success'])
    const same = edited(requestBytes(104, [create]), Tag.RequestPayload, (children) => [
      ...children,
      text(Tag.Comment, 'what is not there'),
    ])
    assert.deepEqual(outcomesOf(await sendBytes(under, alice, same)), ['InvalidField'])
  })

  test('one session may use a version a request', async () => {
    const under = openDispatcher()
    const { uniqueIdentifier } = await succeed(under, 'Register', secretRequest(), { version: 104 })
    for (const version of versions) await succeed(under, 'Get', { uniqueIdentifier }, { version })
  })

  test('what came later is not known in the versions before: fields, operations, attributes, values', async () => {
    const under = openDispatcher()
    const cases: readonly (readonly [version: number, RequestedItem, expected: string])[] = [
      [100, item('DiscoverVersions', {}), 'OperationNotSupported'],
      [101, item('DiscoverVersions', {}), 'Success'],
      [100, item('Locate', { objectGroupMember: 1 }), 'InvalidField'],
      [103, item('Create', createRequest({ Comment: 'a' })), 'InvalidField'],
      [104, item('Create', createRequest({ Comment: 'a' })), 'Success'],
      [
        101,
        item('Create', createRequest({ Link: { linkType: LinkType.ParentLink, linkedObjectIdentifier: 'a' } })),
        'InvalidField',
      ],
      [
        103,
        item('Create', createRequest({ 'Cryptographic Algorithm': CryptographicAlgorithm.ChaCha20 })),
        'InvalidField',
      ],
    ]
    for (const [version, asked, expected] of cases) {
      const [came] = outcomesOf(await send(under, alice, version, [asked]))
      assert.equal(came, expected, `${asked.operation} in ${version}`)
    }
  })

  test('nothing newer than the request is in any answer', async () => {
    // `send` checks every answer; here are objects with whatever is new, and every way to be told of them.
    const under = openDispatcher()
    const links = [LinkType.CertificateLink, LinkType.NextLink, LinkType.PKCS_12CertificateLink]
    const rich = {
      Link: links.map((linkType) => ({ linkType, linkedObjectIdentifier: 'elsewhere' })),
      Comment: 'a',
      'Alternative Name': { alternativeNameValue: 'a', alternativeNameType: 1 },
      'Cryptographic Parameters': [
        { randomIv: true, tagLength: 16 },
        { maskGenerator: 1, saltLength: 8 },
      ],
      'Object Group': 'rich',
    }
    const { Link: _, ...forTemplates } = rich
    const identifiers = [
      await createKey(under, rich),
      await createKey(under, { ...rich, Sensitive: true }),
      (await succeed(under, 'Register', secretRequest({ Comment: 'a', Link: rich.Link }))).uniqueIdentifier,
      (await succeed(under, 'Register', templateRequest('t', forTemplates))).uniqueIdentifier,
      (await succeed(under, 'CreateKeyPair', pairRequest())).privateKeyUniqueIdentifier,
      (await succeed(under, 'Register', keyRequest(rich))).uniqueIdentifier,
    ]
    for (const version of versions) {
      for (const uniqueIdentifier of identifiers) {
        const link = { attributeName: 'Link', attributeValue: rich.Link[0] }
        await send(
          under,
          alice,
          version,
          [
            item('GetAttributes', { uniqueIdentifier }),
            item('GetAttributes', { uniqueIdentifier, attributeName: ['Link', 'Comment', 'Cryptographic Parameters'] }),
            item('GetAttributeList', { uniqueIdentifier }),
            item('Get', { uniqueIdentifier }),
            item('Check', { uniqueIdentifier, leaseTime: 9999, cryptographicUsageMask: 0x7fff_ffff }),
            item('ModifyAttribute', { uniqueIdentifier, attribute: link }),
            item('AddAttribute', { uniqueIdentifier, attribute: { attributeName: 'State', attributeValue: 1 } }),
            item('Locate', { attribute: attributes({ 'Object Group': 'rich' }) }),
            item('Query', { queryFunction: [1, 2, 3, 4] }),
          ],
          continueOnError,
        )
      }
    }
    assert.deepEqual(under.failures, [])
  })

  test('reasons that came later have one that stands for them', async () => {
    const under = openDispatcher()
    const uniqueIdentifier = await createKey(under, { Extractable: false })
    for (const version of versions) {
      const expected = version === 104 ? 'NotExtractable' : 'PermissionDenied'
      assert.equal(await outcome(under, 'Get', { uniqueIdentifier }, { version }), expected)
    }
  })
})

describe('batches', () => {
  const failing = item('Get', { uniqueIdentifier: 'nobody' })
  const create = (group: string) => item('Create', createRequest({ 'Object Group': group }))
  const groupSize = async (under: DispatcherUnderTest, group: string) =>
    (await succeed(under, 'Locate', { attribute: attributes({ 'Object Group': group }) })).uniqueIdentifier.length

  test('identifiers come back as they were, in failures too', async () => {
    const under = openDispatcher()
    const identifiers = [Buffer.from('QLKC\0\0\0\x01'), Buffer.alloc(0), Buffer.alloc(100, 7), Buffer.from('a')]
    const items = identifiers.map((uniqueBatchItemId, index) => ({
      ...(index % 2 === 0 ? failing : query),
      uniqueBatchItemId,
    }))
    const { items: answered } = await send(under, alice, 100, items, continueOnError)
    assert.deepEqual(
      answered.map(({ uniqueBatchItemId }) => Buffer.from(uniqueBatchItemId ?? [])),
      identifiers,
    )
    const [alone] = (await send(under, alice, 100, [{ ...failing, uniqueBatchItemId: Buffer.from('b') }])).items
    assert.deepEqual(alone?.uniqueBatchItemId, Buffer.from('b'))
  })

  test('Stop, also when nothing is said: what was done stays, what follows is not answered', async () => {
    for (const header of [{}, { batchErrorContinuationOption: 2 as const }]) {
      const under = openDispatcher()
      const answer = await send(under, alice, 104, [create('g'), failing, create('g')], header)
      assert.deepEqual(outcomesOf(answer), ['Success', 'ItemNotFound'])
      assert.equal(await groupSize(under, 'g'), 1)
    }
  })

  test('Continue: all items are answered, and done where they can be', async () => {
    const under = openDispatcher()
    const answer = await send(under, alice, 104, [create('g'), failing, create('g')], continueOnError)
    assert.deepEqual(outcomesOf(answer), ['Success', 'ItemNotFound', 'Success'])
    assert.equal(await groupSize(under, 'g'), 2)
  })

  test('Undo: what was done is undone and says so without a payload; what follows is not answered', async () => {
    const under = openDispatcher()
    const changing = await createKey(under, { Comment: 'before', Name: name('n'), 'Object Group': 'h' })
    const destroyed = await createKey(under, { Name: name('d') })
    const active = await createKey(under, { 'Activation Date': 0 })
    const before = [changing, destroyed, active].map((each) => stored(under, each))
    const attribute = { attributeName: 'Comment', attributeValue: 'after' }
    const answer = await send(
      under,
      alice,
      104,
      [
        create('g'),
        item('Register', keyRequest({ 'Object Group': 'g' })),
        item('CreateKeyPair', pairRequest({ common: { 'Object Group': 'g' } })),
        item('ModifyAttribute', { uniqueIdentifier: changing, attribute }),
        item('DeleteAttribute', { uniqueIdentifier: changing, attributeName: 'Name' }),
        item('Activate', { uniqueIdentifier: changing }),
        item('Destroy', { uniqueIdentifier: destroyed }),
        item('Revoke', revocation(active)),
        item('Get', { uniqueIdentifier: active }),
        failing,
        create('g'),
      ],
      undoOnError,
    )
    assert.deepEqual(outcomesOf(answer), [...Array.from({ length: 9 }, () => 'OperationUndone'), 'ItemNotFound'])
    for (const { payload, status } of answer.items) if (status === 'OperationUndone') assert.equal(payload, undefined)
    assert.equal(await groupSize(under, 'g'), 0)
    assert.deepEqual(
      [changing, destroyed, active].map((each) => stored(under, each)),
      before,
    )
    assert.equal(await outcome(under, 'Create', createRequest({ Name: name('n') })), 'InvalidField')
  })

  test('Undo without a failure is done', async () => {
    const under = openDispatcher()
    const answer = await send(under, alice, 104, [create('g'), create('g')], undoOnError)
    assert.deepEqual(outcomesOf(answer), ['Success', 'Success'])
    assert.equal(await groupSize(under, 'g'), 2)
  })

  test('an item that fails leaves nothing of what it did before it failed', async () => {
    const under = openDispatcher()
    await createKey(under, { Name: name('taken') })
    const half = item(
      'CreateKeyPair',
      pairRequest({ private: { 'Object Group': 'g' }, public: { Name: name('taken') } }),
    )
    const answer = await send(under, alice, 104, [half, create('h')], continueOnError)
    assert.deepEqual(outcomesOf(answer), ['InvalidField', 'Success'])
    assert.equal(await groupSize(under, 'g'), 0)
  })

  test('items see what those before them did', async () => {
    const under = openDispatcher()
    const answer = await send(under, alice, 104, [
      item('Create', createRequest({ Name: name('n') })),
      item('Activate', {}),
      item('GetAttributes', { attributeName: ['State'] }),
      item('Create', createRequest({ Name: name('n') })),
    ])
    assert.deepEqual(outcomesOf(answer), ['Success', 'Success', 'Success', 'InvalidField'])
    const { attribute } = payloadOf(answer, 2, 'GetAttributes')
    assert.equal(attribute[0]?.attributeValue, State.Active)
  })

  test('made and destroyed in one batch: nothing in between is left', async () => {
    const under = openDispatcher({ policy: { hardDelete: true } })
    const answer = await send(under, alice, 104, [create('g'), item('Destroy', {})])
    assert.deepEqual(outcomesOf(answer), ['Success', 'Success'])
    assert.equal(await groupSize(under, 'g'), 0)
  })

  test('the ID Placeholder does not outlive the message', async () => {
    const under = openDispatcher()
    await succeed(under, 'Create', createRequest())
    assert.equal(await outcome(under, 'Get', {}), 'ItemNotFound')
  })

  test('a failed creation leaves the ID Placeholder as it was', async () => {
    const under = openDispatcher()
    const bad = item('Create', createRequest({ 'Cryptographic Length': 1 }))
    const answer = await send(under, alice, 104, [create('g'), bad, item('Get', {})], continueOnError)
    assert.deepEqual(outcomesOf(answer), ['Success', 'InvalidField', 'Success'])
  })

  test('a payload that cannot be read fails its item alone', async () => {
    const under = openDispatcher()
    const bytes = requestBytes(104, [create('g'), query, create('g')], continueOnError)
    const broken: readonly (readonly [string, (children: readonly Item[]) => readonly Item[], string])[] = [
      ['a missing field', (children) => children.filter(({ tag }) => tag !== Tag.ObjectType), 'InvalidMessage'],
      ['a field twice', (children) => [...children, ...children], 'InvalidMessage'],
      [
        'another type',
        (children) => children.map((child) => (child.tag === Tag.ObjectType ? text(Tag.ObjectType, 'key') : child)),
        'InvalidMessage',
      ],
      ['an unknown field', (children) => [...children, text(Tag.Comment, 'a')], 'InvalidField'],
      [
        'an unknown value',
        (children) =>
          children.map((child) =>
            child.tag === Tag.ObjectType ? { tag: child.tag, type: ItemType.Enumeration, value: 99 } : child,
          ),
        'InvalidField',
      ],
    ]
    for (const [given, change, reason] of broken) {
      const isCreate = (children: readonly Item[]) => children.some(({ tag }) => tag === Tag.TemplateAttribute)
      const faulty = edited(bytes, Tag.RequestPayload, (children) => (isCreate(children) ? change(children) : children))
      const answer = await sendBytes(under, alice, faulty)
      assert.deepEqual(outcomesOf(answer), [reason, 'Success', reason], given)
      assert.deepEqual(operationsAnswered(answer), ['Create', 'Query', 'Create'])
    }
  })

  test('an operation that the server does not have fails its item, whatever its payload', async () => {
    const under = openDispatcher({ operations: operations.filter(({ code }) => code !== Operation.Query) })
    const answer = await send(under, alice, 104, [query, item('DiscoverVersions', {})], continueOnError)
    assert.deepEqual(outcomesOf(answer), ['OperationNotSupported', 'Success'])
    const unknown = edited(requestBytes(104, [query]), Tag.BatchItem, (children) =>
      children.map((child) =>
        child.tag === Tag.Operation ? { tag: child.tag, type: ItemType.Enumeration, value: 0x8000_0007 } : child,
      ),
    )
    const { message } = await sendBytes(under, alice, unknown)
    assert.equal(message.batchItem[0]?.operation, 0x8000_0007)
    assert.equal(message.batchItem[0]?.resultReason, ResultReason.OperationNotSupported)
  })
})

test('a client whose clock is off is served, and the log told', async () => {
  const under = openDispatcher()
  for (const seconds of [-3600, -60, 0, 60, 61]) {
    const timeStamp = under.clock.nowSeconds() + seconds
    assert.deepEqual(outcomesOf(await send(under, alice, 100, [query], { timeStamp })), ['Success'])
  }
  assert.deepEqual(under.skews, [-3600, 61])
})
