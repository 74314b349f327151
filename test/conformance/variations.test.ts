/** What the table of variations forgives and what it does not, on both sides of each line that it draws. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { Operation, ResultStatus } from '#kmip/enums'
import { Tag } from '#kmip/tags'
import { vocabulary } from '#kmip/vocabulary'
import type { Item } from '#ttlv/item'
import { itemOfElement } from '#ttlv/xml'
import { parseXml, type XmlElement } from '#ttlv/xml-element'
import { Bindings, compareResponse, FactBook, patternOf, variations } from './subject.ts'

const limits = { textLengthMax: 100_000, attributeLengthMax: 10_000, nestingDepthMax: 32, itemCountMax: 1000 }
const xml = (text: string): XmlElement => parseXml(text, limits)
const item = (text: string): Item => itemOfElement(xml(text), vocabulary)

const value = (tag: string, type: string, text: string | number): string => `<${tag} type="${type}" value="${text}"/>`
const attribute = (name: string, inner: string): string =>
  `<Attribute>${value('AttributeName', 'TextString', name)}${inner}</Attribute>`
const simple = (name: string, type: string, text: string | number): string =>
  attribute(name, value('AttributeValue', type, text))
const id = value('UniqueIdentifier', 'TextString', 'key-1')
const nowSeconds = 1_700_000_000

const request = (operation: string, payload: string): string =>
  `<RequestMessage><BatchItem>${value('Operation', 'Enumeration', operation)}<RequestPayload>${payload}</RequestPayload></BatchItem></RequestMessage>`
const response = (operation: string, payload: string): string =>
  `<ResponseMessage><BatchItem>${value('Operation', 'Enumeration', operation)}${value('ResultStatus', 'Enumeration', 'Success')}` +
  `<ResponsePayload>${payload}</ResponsePayload></BatchItem></ResponseMessage>`

interface Setup {
  /** How the object came to be: Create (generated) or Register (given). */
  readonly by?: 'Create' | 'Register'
  /** What the request that made it named; a Symmetric Key when left out. */
  readonly objectType?: string
  /** Attributes of the request that made it. */
  readonly attributes?: string
  readonly inputWasOutput?: boolean
}

/** Whether an answer is taken for an expected one, for the object `key-1`. */
const takes = (operation: string, asked: string, expected: string, actual: string, setup: Setup = {}): boolean => {
  const book = new FactBook()
  const template = `${value('ObjectType', 'Enumeration', setup.objectType ?? 'SymmetricKey')}<TemplateAttribute>${setup.attributes ?? ''}</TemplateAttribute>`
  const made = item(request(setup.by ?? 'Create', template))
  const answered = item(response(setup.by ?? 'Create', id))
  if (made.type === 1 && answered.type === 1 && made.value[0] !== undefined && answered.value[0] !== undefined) {
    book.learn(made.value[0], answered.value[0])
  }
  const difference = compareResponse(patternOf(xml(response(operation, expected))), item(response(operation, actual)), {
    bindings: new Bindings(nowSeconds),
    book,
    sent: item(request(operation, asked)),
    inputsWereOutputs: [setup.inputWasOutput ?? false],
    asked: new Set(),
  })
  return difference === undefined
}

const registered: Setup = { by: 'Register' }
const key = (hex: string, format = 'Raw'): string =>
  `${id}<SymmetricKey><KeyBlock>${value('KeyFormatType', 'Enumeration', format)}<KeyValue>${value('KeyMaterial', 'ByteString', hex)}</KeyValue></KeyBlock></SymmetricKey>`
const digest = (hex: string, algorithm = 'SHA_256'): string =>
  id +
  attribute(
    'Digest',
    `<AttributeValue>${value('HashingAlgorithm', 'Enumeration', algorithm)}${value('DigestValue', 'ByteString', hex)}</AttributeValue>`,
  )

describe('key values', () => {
  test('of a generated object vary, but keep their length', () => {
    assert(takes('Get', id, key('00112233'), key('44556677')))
    assert(!takes('Get', id, key('00112233'), key('4455667788')))
  })
  test('of a generated object are bytes or a structure', () => {
    const material = (inner: string): string =>
      `${id}<PrivateKey><KeyBlock><KeyValue>${inner}</KeyValue></KeyBlock></PrivateKey>`
    const printed = material(value('KeyMaterial', 'ByteString', '00112233'))
    const modulus = value('Modulus', 'BigInteger', '0000000000000007')
    assert(takes('Get', id, printed, material(`<KeyMaterial>${modulus}</KeyMaterial>`), { objectType: 'PrivateKey' }))
    assert(!takes('Get', id, printed, material(value('KeyMaterial', 'Integer', 7)), { objectType: 'PrivateKey' }))
  })
  test('of a registered object do not vary', () => {
    assert(takes('Get', id, key('00112233'), key('00112233'), registered))
    assert(!takes('Get', id, key('00112233'), key('44556677'), registered))
  })
  test('the format varies for generated objects, unless the request asked for one', () => {
    assert(takes('Get', id, key('00', 'Raw'), key('00', 'Opaque')))
    assert(!takes('Get', id + value('KeyFormatType', 'Enumeration', 'Raw'), key('00', 'Raw'), key('00', 'Opaque')))
    assert(!takes('Get', id, key('00', 'Raw'), key('00', 'Opaque'), registered))
  })
  test('digests follow the key', () => {
    assert(takes('GetAttributes', id, digest('00'), digest('11', 'SHA_512')))
    assert(!takes('GetAttributes', id, digest('00'), digest('11'), registered))
    assert(!takes('GetAttributes', id, digest('00'), digest('00', 'SHA_512'), registered))
  })
})

describe('dates', () => {
  const activation = (text: string | number): string => id + simple('Activation Date', 'DateTime', text)
  const at = (seconds: number): string => `0x${seconds.toString(16)}`
  const set: Setup = { attributes: simple('Activation Date', 'DateTime', at(nowSeconds - 3600)) }

  test('that a request set come back', () => {
    assert(takes('GetAttributes', id, activation('$NOW-3600'), activation(at(nowSeconds - 3600)), set))
    assert(!takes('GetAttributes', id, activation('$NOW-3600'), activation(at(nowSeconds - 3599)), set))
    assert(!takes('GetAttributes', id, activation('2010-02-11T14:12:23+00:00'), activation(at(nowSeconds)), set))
  })
  test('that the server set are near $NOW, or any where an old one is printed', () => {
    assert(takes('GetAttributes', id, activation('$NOW'), activation(at(nowSeconds + 200))))
    assert(!takes('GetAttributes', id, activation('$NOW'), activation(at(nowSeconds + 400))))
    assert(takes('GetAttributes', id, activation('2010-02-11T14:12:23+00:00'), activation(at(nowSeconds))))
    assert(!takes('GetAttributes', id, activation('$NOW'), id + simple('Activation Date', 'LongInteger', nowSeconds)))
  })
  test('of custom attributes are never the server’s', () => {
    const custom = (seconds: number): string => id + simple('x-date', 'DateTime', at(seconds))
    assert(!takes('GetAttributes', id, custom(1), custom(2)))
  })
})

describe('outputs', () => {
  const data = (hex: string): string => id + value('Data', 'ByteString', hex)

  test('of a generated key vary, of a registered key do not', () => {
    assert(takes('Encrypt', data('00'), data('aa'), data('bb')))
    assert(!takes('Encrypt', data('00'), data('aa'), data('bb'), registered))
  })
  test('computed from an output of the same case do not vary', () => {
    assert(!takes('Decrypt', data('00'), data('aa'), data('bb'), { inputWasOutput: true }))
  })
  test('that differ each time vary for registered keys too', () => {
    const signature = (hex: string): string => id + value('SignatureData', 'ByteString', hex)
    const elliptic: Setup = { by: 'Register', attributes: simple('Cryptographic Algorithm', 'Enumeration', 'ECDSA') }
    const rsa: Setup = { by: 'Register', attributes: simple('Cryptographic Algorithm', 'Enumeration', 'RSA') }
    assert(takes('Sign', data('00'), signature('aa'), signature('bb'), elliptic))
    assert(!takes('Sign', data('00'), signature('aa'), signature('bb'), rsa))
    assert(takes('Encrypt', data('00'), data('aa'), data('bb'), rsa))
    const random = (hex: string): string => value('Data', 'ByteString', hex)
    assert(takes('RNGRetrieve', value('DataLength', 'Integer', 1), random('aa'), random('bb')))
  })
})

describe('attributes', () => {
  const name = (text: string, index?: number): string =>
    `<Attribute>${value('AttributeName', 'TextString', 'Name')}${index === undefined ? '' : value('AttributeIndex', 'Integer', index)}` +
    `<AttributeValue>${value('NameValue', 'TextString', text)}${value('NameType', 'Enumeration', 'UninterpretedTextString')}</AttributeValue></Attribute>`
  const state = simple('State', 'Enumeration', 'Active')
  const fresh = simple('Fresh', 'Boolean', 'true')
  const asked = (...names: readonly string[]): string =>
    id + names.map((text) => value('AttributeName', 'TextString', text)).join('')

  test('may be more than printed where the request asked for all, never fewer', () => {
    assert(takes('GetAttributes', id, id + state, id + fresh + state))
    assert(!takes('GetAttributes', id, id + state + fresh, id + state))
  })
  test('may not be more than the request asked for', () => {
    assert(!takes('GetAttributes', asked('State'), id + state, id + state + fresh))
    assert(takes('GetAttributes', asked('State', 'Fresh'), id + state, id + state + fresh))
  })
  test('have no further instances but of groups and digests', () => {
    assert(!takes('GetAttributes', id, id + name('a'), id + name('a') + name('b', 1)))
    const group = (text: string): string => simple('Object Group', 'TextString', text)
    assert(takes('GetAttributes', id, id + group('a'), id + group('a') + group('default')))
  })
  test('are told once each', () => {
    assert(!takes('GetAttributeList', id, asked('State'), asked('State', 'State')))
    assert(!takes('GetAttributeList', id, asked('State'), asked('State', 'Fresh', 'Fresh')))
    assert(!takes('GetAttributes', id, digest('00'), digest('00') + digest('00').slice(id.length)))
    assert(takes('GetAttributes', id, digest('00'), digest('00') + digest('00', 'SHA_512').slice(id.length)))
  })
  test('come in any order', () => {
    assert(takes('GetAttributes', id, id + name('a') + name('b', 1) + state, id + state + name('b', 1) + name('a')))
    const list = (...names: readonly string[]): string => asked(...names)
    assert(takes('GetAttributeList', id, list('State', 'Name'), list('Fresh', 'Name', 'State')))
    assert(!takes('GetAttributeList', id, list('State', 'Name'), list('Fresh', 'State')))
  })
  test('index 0 may be there or not; another index must be equal', () => {
    assert(takes('GetAttributes', id, id + name('a', 0), id + name('a')))
    assert(takes('GetAttributes', id, id + name('a'), id + name('a', 0)))
    assert(!takes('GetAttributes', id, id + name('a'), id + name('a', 1)))
    assert(!takes('GetAttributes', id, id + name('a', 1), id + name('a')))
  })
  test('Lease Time is compared', () => {
    const lease = (seconds: number): string => id + simple('Lease Time', 'Interval', seconds)
    assert(!takes('GetAttributes', id, lease(3600), lease(3601)))
  })
  test('the generator of a generated key is the server’s, that of a registered one was given', () => {
    const generator = (algorithm: string): string =>
      id +
      attribute(
        'Random Number Generator',
        `<AttributeValue>${value('RNGAlgorithm', 'Enumeration', algorithm)}</AttributeValue>`,
      )
    assert(takes('GetAttributes', id, generator('ANSIX9_31'), generator('DRBG')))
    assert(!takes('GetAttributes', id, generator('ANSIX9_31'), generator('DRBG'), registered))
    assert(!takes('GetAttributes', id, generator('ANSIX9_31'), id + simple('Random Number Generator', 'Integer', 7)))
  })
})

describe('Query, Discover Versions and Locate', () => {
  const operations = (...names: readonly string[]): string =>
    names.map((name) => value('Operation', 'Enumeration', name)).join('')
  const version = (minor: number): string =>
    `<ProtocolVersion>${value('ProtocolVersionMajor', 'Integer', 1)}${value('ProtocolVersionMinor', 'Integer', minor)}</ProtocolVersion>`
  const located = (count: number): string => value('LocatedItems', 'Integer', count)

  const asks = (...functions: readonly string[]): string =>
    functions.map((name) => value('QueryFunction', 'Enumeration', name)).join('')

  test('lists may be longer and in another order, never shorter', () => {
    const asked = asks('QueryOperations')
    assert(takes('Query', asked, operations('Get', 'Create'), operations('Create', 'Locate', 'Get')))
    assert(!takes('Query', asked, operations('Get', 'Create'), operations('Create', 'Locate')))
  })
  test('lists have nothing twice, and nothing that was not asked for', () => {
    const objects = (name: string): string => value('ObjectType', 'Enumeration', name)
    const all = asks('QueryOperations', 'QueryObjects')
    assert(takes('Query', all, operations('Get'), operations('Get', 'Create') + objects('PublicKey')))
    assert(!takes('Query', all, operations('Get', 'Create'), operations('Get', 'Create', 'Get')))
    assert(!takes('Query', all, operations('Get'), operations('Get', 'Create', 'Create')))
    assert(!takes('Query', asks('QueryObjects'), objects('PublicKey'), operations('Get') + objects('PublicKey')))
  })
  test('the vendor is free, capabilities are not', () => {
    const vendor = (text: string): string => value('VendorIdentification', 'TextString', text)
    assert(takes('Query', '', vendor('a'), vendor('b')))
    assert(takes('Query', asks('QueryServerInformation'), '', vendor('b')))
    assert(!takes('Query', asks('QueryOperations'), '', vendor('b')))
    assert(!takes('Query', asks('QueryServerInformation'), vendor('a'), vendor('a') + vendor('b')))
    assert(
      takes(
        'Query',
        '',
        `${vendor('a')}<ServerInformation/>`,
        `${vendor('b')}<ServerInformation>${vendor('c')}</ServerInformation>`,
      ),
    )
    const capability = (text: string): string =>
      `<CapabilityInformation>${value('StreamingCapability', 'Boolean', text)}</CapabilityInformation>`
    assert(!takes('Query', '', capability('true'), capability('false')))
  })
  test('further versions only where the request listed none, in the printed order', () => {
    assert(takes('DiscoverVersions', '', version(1) + version(0), version(4) + version(1) + version(0)))
    assert(!takes('DiscoverVersions', '', version(1) + version(0), version(4) + version(0) + version(1)))
    assert(!takes('DiscoverVersions', version(1), version(1), version(4) + version(1)))
  })
  test('Located Items may be left out, not be wrong', () => {
    assert(takes('Locate', '', located(2), ''))
    assert(takes('Locate', '', '', located(2)))
    assert(!takes('Locate', '', located(2), located(3)))
  })
  test('located objects are neither more nor fewer, and in order', () => {
    const found = (...names: readonly string[]): string =>
      names.map((name) => value('UniqueIdentifier', 'TextString', name)).join('')
    assert(!takes('Locate', '', found('a'), found('a', 'b')))
    assert(!takes('Locate', '', found('a', 'b'), found('a')))
    assert(!takes('Locate', '', found('a', 'b'), found('b', 'a')))
  })
})

describe('the Result Message', () => {
  const refused = (...messages: readonly string[]): string =>
    `<ResponseMessage><BatchItem>${value('Operation', 'Enumeration', 'Get')}${value('ResultStatus', 'Enumeration', 'OperationFailed')}` +
    `${value('ResultReason', 'Enumeration', 'ItemNotFound')}${messages.join('')}</BatchItem></ResponseMessage>`
  const difference = (...messages: readonly string[]) =>
    compareResponse(patternOf(xml(refused(value('ResultMessage', 'TextString', 'a')))), item(refused(...messages)), {
      bindings: new Bindings(nowSeconds),
      book: new FactBook(),
      sent: item(request('Get', id)),
      inputsWereOutputs: [],
      asked: new Set(),
    })

  test('is any text or none, but one, and a text', () => {
    assert.equal(difference(value('ResultMessage', 'TextString', 'b')), undefined)
    assert.equal(difference(), undefined)
    assert.notEqual(difference(value('ResultMessage', 'Integer', 7)), undefined)
    const [a, b] = [value('ResultMessage', 'TextString', 'a'), value('ResultMessage', 'TextString', 'b')]
    assert.notEqual(difference(a, b), undefined)
  })
})

describe('the table', () => {
  test('each row has a name of its own, and says where and why', () => {
    assert.equal(new Set(variations.map((row) => row.name)).size, variations.length)
    for (const row of variations) assert(row.where !== '' && row.reason !== '' && row.kinds.length > 0, row.name)
  })
  test('is the one that the README prints', () => {
    const readme = readFileSync(new URL('../../conformance/README.md', import.meta.url), 'utf8')
    for (const row of variations) {
      assert(readme.includes(`| ${row.name} | ${row.kinds.join(', ')} | ${row.where} | ${row.reason} |`), row.name)
    }
  })
  test('permits nothing in an empty place', () => {
    const place = {
      path: [],
      tag: Tag.ResultStatus,
      operation: Operation.Get,
      attribute: undefined,
      object: undefined,
      wrapping: undefined,
      request: undefined,
      inputWasOutput: false,
      parent: undefined,
      expected: undefined,
      actual: { tag: Tag.ResultStatus, type: 5, value: ResultStatus.Success } as const,
      nowSeconds,
    }
    for (const row of variations) {
      for (const kind of row.kinds) assert(!row.permits(place, kind), row.name)
    }
  })
})
