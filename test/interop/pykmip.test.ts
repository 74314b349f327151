/**
 * The server as PyKMIP's own client sees it, in every protocol version that both have. What it is: a comparison of what
 * pykmip_session.py tells of each step. What it is not: a test of PyKMIP; where PyKMIP cannot read what the specification
 * wants to be sent, its error is what is expected, with the reason beside it.
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { type RunningServer, startServerProcess } from '#test/running-server'
import {
  broken,
  check,
  compareSteps,
  done,
  type Expectation,
  expectPykmip,
  identifier,
  reason,
  result,
  runSession,
  versions,
} from './pykmip.ts'

const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'pkcs1', format: 'der' },
  privateKeyEncoding: { type: 'pkcs8', format: 'der' },
})

interface Materials {
  readonly certificate: string
  readonly publicKey: string
  readonly privateKey: string
}

const materialsOf = (server: RunningServer): Materials => ({
  certificate: new X509Certificate(server.connection.cert).raw.toString('hex'),
  publicKey: keys.publicKey.toString('hex'),
  privateKey: keys.privateKey.toString('hex'),
})

const operations = [
  'ACTIVATE',
  'ADD_ATTRIBUTE',
  'CHECK',
  'CREATE',
  'CREATE_KEY_PAIR',
  'DELETE_ATTRIBUTE',
  'DESTROY',
  'GET',
  'GET_ATTRIBUTES',
  'GET_ATTRIBUTE_LIST',
  'LOCATE',
  'MODIFY_ATTRIBUTE',
  'QUERY',
  'REGISTER',
  'REVOKE',
]
const objectTypes = ['CERTIFICATE', 'OPAQUE_DATA', 'PRIVATE_KEY', 'PUBLIC_KEY', 'SECRET_DATA', 'SYMMETRIC_KEY']

const includesAll = (given: unknown, wanted: readonly string[]): void => {
  assert.ok(Array.isArray(given))
  assert.deepEqual(
    wanted.filter((name) => !given.includes(name)),
    [],
  )
}

const questions = (version: string): Readonly<Record<string, Expectation>> => ({
  connect: done,
  // Discover Versions came with 1.1; PyKMIP makes nothing of the refusal that it gets in 1.0.
  'discover versions': version === '1.0' ? broken('AttributeError') : result(['1.4', '1.3', '1.2', '1.1', '1.0']),
  query: check((value) => {
    const answer = value as { readonly operations: unknown; readonly objects: unknown; readonly vendor: unknown }
    includesAll(answer.operations, version === '1.0' ? operations : [...operations, 'DISCOVER_VERSIONS'])
    includesAll(answer.objects, objectTypes)
    assert.equal(answer.vendor, 'kmipd')
  }),
})

const attributeNames = [
  'Cryptographic Algorithm',
  'Cryptographic Length',
  'Cryptographic Usage Mask',
  'Digest',
  'Initial Date',
  'Last Change Date',
  'Name',
  'Object Type',
  'State',
  'Unique Identifier',
]

/** Names that a version must not be shown. */
const newerNames = (version: string): readonly string[] => [
  ...(version < '1.1' ? ['Fresh'] : []),
  ...(version < '1.2' ? ['Original Creation Date'] : []),
  ...(version < '1.3' ? ['Random Number Generator'] : []),
  ...(version < '1.4' ? ['Sensitive', 'Always Sensitive', 'Extractable', 'Never Extractable'] : []),
]

const symmetricKey = (version: string): Readonly<Record<string, Expectation>> => ({
  create: identifier,
  'create another': result(true),
  'create duplicate name': reason('INVALID_FIELD'),
  'create wrong length': reason('INVALID_FIELD'),
  get: check((value) => {
    const { value: material, ...rest } = value as { readonly value: string }
    assert.match(material, /^[0-9a-f]{64}$/)
    assert.deepEqual(rest, {
      cryptographic_algorithm: 'AES',
      cryptographic_length: 256,
      key_format_type: 'RAW',
      object_type: 'SYMMETRIC_KEY',
    })
  }),
  'get as RAW': result('RAW'),
  // PyKMIP reads a transparent key and then refuses its own structure.
  'get as TRANSPARENT_SYMMETRIC_KEY': broken('TypeError'),
  'get as PKCS_8': reason('KEY_FORMAT_TYPE_NOT_SUPPORTED'),
  'get attribute list': check((names) => {
    includesAll(names, attributeNames)
    const tooNew = newerNames(version).filter((name) => (names as readonly string[]).includes(name))
    assert.deepEqual(tooNew, [], `attributes that ${version} does not know`)
  }),
  'get attributes': result([
    ['Cryptographic Algorithm', null, 'AES'],
    ['Cryptographic Length', null, 256],
    ['Cryptographic Usage Mask', null, 12],
    ['Name', null, `pykmip-${version}-aes`],
    ['Object Type', null, 'SYMMETRIC_KEY'],
    ['State', null, 'PRE_ACTIVE'],
  ]),
  'get all attributes': allAttributes(version),
  'get unknown attributes': result([]),
})

const allAttributes = (version: string): Expectation => {
  // PyKMIP wants the Key Format Type of a Digest that 1.0 does not have.
  if (version === '1.0') return broken('error')
  // PyKMIP does not know Original Creation Date, which 1.2 brought.
  if (version >= '1.2') return broken('ValueError')
  return check((names) => includesAll(names, attributeNames))
}

const attributeChanges = (version: string): Readonly<Record<string, Expectation>> => ({
  'add attribute': result(['x-shelf', null, 'upper']),
  'add second instance': result(['Name', 1, `pykmip-${version}-aes-too`]),
  'add a name that another has': reason('ILLEGAL_OPERATION'),
  'add read-only attribute': reason('PERMISSION_DENIED'),
  'modify attribute': result(['x-shelf', null, 'lower']),
  'modify second instance': result(['Name', 1, `pykmip-${version}-aes-again`]),
  'modify missing attribute': reason('INVALID_FIELD'),
  'attributes changed': result([
    ['Name', 1, `pykmip-${version}-aes-again`],
    ['Name', null, `pykmip-${version}-aes`],
    ['x-shelf', null, 'lower'],
  ]),
  'delete attribute': result(['x-shelf', null, 'lower']),
  'delete missing attribute': reason('ITEM_NOT_FOUND'),
  'delete required attribute': reason('PERMISSION_DENIED'),
  // Set Attribute is an operation of 2.0, and PyKMIP knows.
  'set attribute': broken('VersionNotSupported'),
})

const locates: Readonly<Record<string, Expectation>> = {
  'locate by name': result(true),
  'locate by second name': result(true),
  'locate nothing': result([]),
  'register page 0': result(true),
  'register page 1': result(true),
  'register page 2': result(true),
  'locate by type': check((found) => assert.ok(Array.isArray(found))),
  'locate by type count': check((count) => assert.ok(Number(count) >= 3)),
  'locate at most two': result(true),
  'locate the rest': result(true),
  'locate by two attributes': result(true),
}

const life: Readonly<Record<string, Expectation>> = {
  check: result(true),
  activate: done,
  'activate again': reason('PERMISSION_DENIED'),
  'state active': result([['State', null, 'ACTIVE']]),
  'destroy active': reason('PERMISSION_DENIED'),
  revoke: done,
  'state revoked': result([['State', null, 'DEACTIVATED']]),
  destroy: done,
  'get destroyed': reason('ILLEGAL_OPERATION'),
  'create to compromise': identifier,
  'revoke compromised': done,
  'state compromised': result([['State', null, 'COMPROMISED']]),
}

const rsaKey = (objectType: string): Expectation =>
  check((value) => {
    const { value: material, ...rest } = value as { readonly value: string }
    assert.match(material, /^3082/)
    assert.deepEqual(rest, {
      cryptographic_algorithm: 'RSA',
      cryptographic_length: 2048,
      key_format_type: 'PKCS_1',
      object_type: objectType,
    })
  })

const keyPair = (version: string): Readonly<Record<string, Expectation>> => ({
  'create key pair': check((pair) => {
    assert.ok(Array.isArray(pair))
    assert.equal(new Set(pair).size, 2)
  }),
  'get public key': rsaKey('PUBLIC_KEY'),
  'get private key': rsaKey('PRIVATE_KEY'),
  'get public key as PKCS_1': result('PKCS_1'),
  'get public key as X_509': result('X_509'),
  'get private key as PKCS_1': result('PKCS_1'),
  'get private key as PKCS_8': result('PKCS_8'),
  'private key attributes': result([
    ['Cryptographic Algorithm', null, 'RSA'],
    ['Cryptographic Length', null, 2048],
    ['Cryptographic Usage Mask', null, 1],
    ['Name', null, `pykmip-${version}-private`],
    ['Object Type', null, 'PRIVATE_KEY'],
    ['State', null, 'PRE_ACTIVE'],
  ]),
})

/** What comes back of each object that is registered, and the last part of its name. */
const registeredObjects = (materials: Materials): Readonly<Record<string, readonly [string, object]>> => ({
  'symmetric key': [
    'registered-aes',
    {
      cryptographic_algorithm: 'AES',
      cryptographic_length: 128,
      key_format_type: 'RAW',
      object_type: 'SYMMETRIC_KEY',
      value: '000102030405060708090a0b0c0d0e0f',
    },
  ],
  'secret data': [
    'secret',
    { data_type: 'PASSWORD', object_type: 'SECRET_DATA', value: Buffer.from('pass word').toString('hex') },
  ],
  'opaque object': ['opaque', { opaque_type: 'NONE', object_type: 'OPAQUE_DATA', value: '000102' }],
  certificate: ['certificate', { certificate_type: 'X_509', object_type: 'CERTIFICATE', value: materials.certificate }],
  'public key': [
    'registered-public',
    {
      cryptographic_algorithm: 'RSA',
      cryptographic_length: 2048,
      key_format_type: 'PKCS_1',
      object_type: 'PUBLIC_KEY',
      value: materials.publicKey,
    },
  ],
  'private key': [
    'registered-private',
    {
      cryptographic_algorithm: 'RSA',
      cryptographic_length: 2048,
      key_format_type: 'PKCS_8',
      object_type: 'PRIVATE_KEY',
      value: materials.privateKey,
    },
  ],
})

const registered = (version: string, materials: Materials): Readonly<Record<string, Expectation>> => {
  const expected: Record<string, Expectation> = { 'register wrong length': reason('INVALID_FIELD') }
  for (const [kind, [name, described]] of Object.entries(registeredObjects(materials))) {
    const { object_type: objectType } = described as { readonly object_type: string }
    expected[`register ${kind}`] = identifier
    expected[`get registered ${kind}`] = result(described)
    expected[`attributes of registered ${kind}`] = result([
      ['Name', null, `pykmip-${version}-${name}`],
      ['Object Type', null, objectType],
      ['State', null, 'PRE_ACTIVE'],
    ])
  }
  return expected
}

const refusals: Readonly<Record<string, Expectation>> = {
  'get unknown': reason('ITEM_NOT_FOUND'),
  'get attributes unknown': reason('ITEM_NOT_FOUND'),
  'get without identifier': reason('ITEM_NOT_FOUND'),
  'activate unknown': reason('ITEM_NOT_FOUND'),
  'destroy unknown': reason('ITEM_NOT_FOUND'),
  'session lives': result([]),
  close: done,
  'connect with a wrong password': done,
  'locate with a wrong password': reason('AUTHENTICATION_NOT_SUCCESSFUL'),
  'close with a wrong password': done,
}

const expectations = (version: string, materials: Materials): Readonly<Record<string, Expectation>> => ({
  ...questions(version),
  ...symmetricKey(version),
  ...attributeChanges(version),
  ...locates,
  ...life,
  ...keyPair(version),
  ...registered(version, materials),
  ...refusals,
})

describe("PyKMIP's client", () => {
  let server: RunningServer
  before(async () => {
    await expectPykmip()
    server = await startServerProcess()
  })
  after(() => server?.kill())

  for (const version of versions) {
    test(`KMIP ${version}`, async (context) => {
      const materials = materialsOf(server)
      const steps = await runSession(server, 'pykmip_session.py', version, materials)
      await compareSteps(context, steps, expectations(version, materials))
    })
  }

  test('nothing failed inside the server', () => {
    assert.ok(server.alive)
    assert.deepEqual(server.failures, [])
  })
})
