/**
 * Every cell of what Get can be asked for: kind of key × the format that it was registered in × Key Format Type × version, each
 * either the material that the library and openssl make of the same key, or Key Format Type Not Supported, or Invalid Field
 * where the version has no such format. Register in each
 * format is the other direction; its Digest is that of the material as it came (§3.17). `docs/key-formats.md` shows the table; it is compared, too. KMIP 1.4 §4.11, §9.1.3.2.3.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { RequestPayload } from '#client/operation-methods'
import {
  CryptographicUsageMask,
  KeyFormatType as F,
  HashingAlgorithm,
  LinkType,
  ObjectType,
  SecretDataType,
  SplitKeyMethod,
} from '#kmip/enums'
import type { KeyBlock } from '#kmip/key-block'
import { inVersion } from '#kmip/row'
import { Tag } from '#kmip/tags'
import { supportedVersions, versionText } from '#kmip/versions'
import { enumerationNamed } from '#kmip/vocabulary'
import { plain } from '#test/crypto/keys'
import { ask, attributesOf, type DispatcherUnderTest, openDispatcher, outcome, succeed } from '#test/dispatcher'
import { type SampleKey, sampleKeys } from '#test/operations/key-forms'
import { attributes, certificateRequest, opaqueRequest, secretRequest, templateRequest } from '#test/sample-objects'

const directory = mkdtempSync(join(tmpdir(), 'kmipd-formats-'))
after(() => rmSync(directory, { recursive: true }))

const formats = enumerationNamed('KeyFormatType').values.filter((row) =>
  supportedVersions.some((version) => inVersion(row, version)),
)
const formatText = (value: number): string => formats.find((row) => row.value === value)?.text ?? ''

const fields: ReadonlyMap<ObjectType, 'symmetricKey' | 'privateKey' | 'publicKey'> = new Map([
  [ObjectType.SymmetricKey, 'symmetricKey'],
  [ObjectType.PrivateKey, 'privateKey'],
  [ObjectType.PublicKey, 'publicKey'],
])

/** A Register of a key in one of its formats. */
const requestFor = (key: SampleKey, keyFormatType: F, values: object): RequestPayload<'Register'> => {
  const keyBlock: KeyBlock = {
    keyFormatType,
    keyValue: { keyMaterial: key.forms.get(keyFormatType), attribute: [] },
    cryptographicAlgorithm: key.algorithm,
    cryptographicLength: key.lengthBits,
    keyCompressionType: undefined,
    keyWrappingData: undefined,
  }
  const attribute = attributes({ 'Cryptographic Usage Mask': CryptographicUsageMask.DeriveKey, ...values })
  const { objectType } = key
  const field = fields.get(objectType)
  const object =
    field === undefined
      ? { secretData: { secretDataType: SecretDataType.Password, keyBlock } }
      : { [field]: { keyBlock } }
  return { objectType, templateAttribute: { attribute }, ...object }
}

const withoutAbsent = (material: unknown): unknown =>
  material instanceof Uint8Array || typeof material !== 'object' || material === null
    ? material instanceof Uint8Array
      ? plain(material)
      : material
    : Object.fromEntries(
        Object.entries(material)
          .filter(([, value]) => value !== undefined)
          .map(([name, value]): [string, unknown] => [name, value instanceof Uint8Array ? plain(value) : value]),
      )

/** §2.1.7: fields of the structures, each before those that stand behind it in a table. */
const fieldTags: Readonly<Record<string, number>> = {
  key: Tag.Key,
  recommendedCurve: Tag.RecommendedCurve,
  modulus: Tag.Modulus,
  privateExponent: Tag.PrivateExponent,
  publicExponent: Tag.PublicExponent,
  p: Tag.P,
  q: Tag.Q,
  primeExponentP: Tag.PrimeExponentP,
  primeExponentQ: Tag.PrimeExponentQ,
  crtCoefficient: Tag.CRTCoefficient,
  g: Tag.G,
  x: Tag.X,
  y: Tag.Y,
  d: Tag.D,
  qString: Tag.QString,
}
const fieldNames = Object.keys(fieldTags)

/** TTLV, written out here so that nothing of the server's own encoder decides what the digest is of (§9.1.1). */
const ttlv = (tag: number, type: number, value: Uint8Array): Buffer => {
  const head = Buffer.alloc(8)
  head.writeUIntBE(tag, 0, 3)
  head[3] = type
  head.writeUInt32BE(value.length, 4)
  return Buffer.concat([head, value, Buffer.alloc((8 - (value.length % 8)) % 8)])
}

/** A positive Big Integer: a sign bit, and as many zeros in front as make whole eights of bytes. */
const bigIntegerBytes = (value: bigint): Buffer => {
  const digits = value.toString(16)
  const bytes = Math.ceil((digits.length * 4 + 1 - (Number.parseInt(digits[0] ?? '0', 16) < 8 ? 1 : 0)) / 64) * 8
  return Buffer.from(digits.padStart(bytes * 2, '0'), 'hex')
}

const encodedMaterial = (material: unknown): Uint8Array => {
  if (material instanceof Uint8Array) return material
  const parts = Object.entries(material as Readonly<Record<string, unknown>>)
    .toSorted(([left], [right]) => fieldNames.indexOf(left) - fieldNames.indexOf(right))
    .map(([name, value]) => {
      const tag = fieldTags[name] ?? assert.fail(name)
      if (value instanceof Uint8Array) return ttlv(tag, 8, value)
      if (typeof value === 'bigint') return ttlv(tag, 4, bigIntegerBytes(value))
      const number = Buffer.alloc(4)
      number.writeUInt32BE(Number(value))
      return ttlv(tag, 5, number)
    })
  return ttlv(Tag.KeyMaterial, 1, Buffer.concat(parts))
}

const passwordText = 'open sesame'
let containers = 0
/** The PKCS#8 that openssl finds in a container. */
const keyIn = (container: Uint8Array): Uint8Array => {
  containers += 1
  const path = join(directory, `${containers}.p12`)
  writeFileSync(path, container)
  const flags = ['-passin', `pass:${passwordText}`, '-nodes', '-nocerts']
  const text = execFileSync('openssl', ['pkcs12', '-in', path, ...flags], { encoding: 'utf8', stdio: 'pipe' })
  const [, base64 = ''] = /-----BEGIN PRIVATE KEY-----([^-]+)-----END/.exec(text) ?? []
  return plain(Buffer.from(base64, 'base64'))
}

/** A key that was registered in one of its formats, and how it is asked for. */
interface Registered {
  readonly under: DispatcherUnderTest
  readonly key: SampleKey
  readonly from: F
  readonly uniqueIdentifier: string
}

const isHalf = ({ objectType }: SampleKey): boolean =>
  objectType === ObjectType.PrivateKey || objectType === ObjectType.PublicKey

/** Without a name of its algorithm the bytes of such a key say nothing: they are only given back. */
const isBytesAlone = ({ key, from }: Pick<Registered, 'key' | 'from'>): boolean => from === F.Raw && isHalf(key)

const register = async (key: SampleKey, from: F): Promise<Registered> => {
  const under = openDispatcher()
  const secret = await succeed(under, 'Register', secretRequest({ 'Activation Date': 0 }, passwordText))
  const link = { linkType: LinkType.PKCS_12PasswordLink, linkedObjectIdentifier: secret.uniqueIdentifier }
  const values = key.objectType === ObjectType.PrivateKey ? { Link: link } : {}
  const { uniqueIdentifier } = await succeed(under, 'Register', requestFor(key, from, values))
  return { under, key, from, uniqueIdentifier }
}

/** The material that Get gives in a format, or its reason. */
const given = async (
  { under, uniqueIdentifier }: Registered,
  keyFormatType: F,
  version: number,
): Promise<Readonly<Record<'format' | 'material' | 'reason', unknown>>> => {
  const answer = await ask(under, 'Get', { uniqueIdentifier, keyFormatType }, { version })
  if (answer.status !== 'Success') return { format: undefined, material: undefined, reason: answer.reason }
  const { symmetricKey, privateKey, publicKey, secretData } = answer.payload as Readonly<
    Record<string, { readonly keyBlock: KeyBlock } | undefined>
  >
  const keyBlock = (symmetricKey ?? privateKey ?? publicKey ?? secretData)?.keyBlock
  const keyValue = keyBlock?.keyValue
  const material = keyValue instanceof Uint8Array ? keyValue : keyValue?.keyMaterial
  return { format: keyBlock?.keyFormatType, material: withoutAbsent(material), reason: undefined }
}

/** What a cell must be: the material, `container`, or nothing. */
const expected = ({ key, from }: Registered, format: F): unknown => {
  const stored = key.forms.get(from)
  if (format === from) return stored
  if (format === F.Opaque && stored instanceof Uint8Array) return stored
  if (isBytesAlone({ key, from })) return undefined
  if (format === F.PKCS_12) return key.objectType === ObjectType.PrivateKey ? 'container' : undefined
  return format === F.Opaque && isHalf(key) ? undefined : key.forms.get(format)
}

const checkCell = async (registered: Registered, format: F, version: number): Promise<void> => {
  const row = formats.find(({ value }) => value === format)
  const cell = `${formatText(registered.from)} as ${formatText(format)} in ${version}`
  const { format: told, material, reason } = await given(registered, format, version)
  // A number that the version does not have is no value of the field at all.
  if (row === undefined || !inVersion(row, version)) {
    assert.equal(reason, 'InvalidField', cell)
    return
  }
  const should = expected(registered, format)
  if (should === undefined) {
    assert.equal(reason, 'KeyFormatTypeNotSupported', cell)
    return
  }
  assert.deepEqual([told, reason], [format, undefined], cell)
  if (should !== 'container') assert.deepEqual(material, should, cell)
  else assert.deepEqual(keyIn(material as Uint8Array), registered.key.forms.get(F.PKCS_8), cell)
}

for (const key of sampleKeys) {
  describe(key.name, () => {
    for (const [index, from] of [...key.forms.keys()].entries()) {
      test(`registered as ${formatText(from)}`, async () => {
        const registered = await register(key, from)
        const [digest] = (await attributesOf(registered.under, registered.uniqueIdentifier))['Digest'] ?? []
        assert.deepEqual(digest, {
          hashingAlgorithm: HashingAlgorithm.SHA_256,
          digestValue: createHash('sha256')
            .update(encodedMaterial(key.forms.get(from)))
            .digest(),
          keyFormatType: from,
        })
        // The versions differ in which formats they have, not in how one becomes another.
        const versions = index === 0 ? supportedVersions : supportedVersions.slice(0, 1)
        for (const version of versions) {
          for (const { value } of formats) await checkCell(registered, value as F, version)
        }
        assert.deepEqual(registered.under.failures, [])
      })
    }
  })
}

describe('objects without formats', () => {
  const reasonsOf = async (request: RequestPayload<'Register'>): Promise<ReadonlySet<string>> => {
    const under = openDispatcher()
    const { uniqueIdentifier } = await succeed(under, 'Register', request)
    const reasons = formats.map(({ value }) => outcome(under, 'Get', { uniqueIdentifier, keyFormatType: value }))
    return new Set(await Promise.all(reasons))
  }
  for (const [name, request] of Object.entries({
    'a Certificate': certificateRequest(),
    'an Opaque Object': opaqueRequest(),
    'a Template': templateRequest('a', { Comment: 'b' }),
  })) {
    test(`${name} has none`, async () => {
      assert.deepEqual(await reasonsOf(request), new Set(['KeyFormatTypeNotSupported']))
    })
  }

  test('a part of a Split Key is bytes', async () => {
    const under = openDispatcher()
    const keyMaterial = new Uint8Array(16).fill(3)
    const { uniqueIdentifier } = await succeed(under, 'Register', {
      objectType: ObjectType.SplitKey,
      templateAttribute: { attribute: attributes({ 'Cryptographic Usage Mask': 4 }) },
      splitKey: {
        splitKeyParts: 2,
        keyPartIdentifier: 1,
        splitKeyThreshold: 2,
        splitKeyMethod: SplitKeyMethod.XOR,
        keyBlock: {
          keyFormatType: F.Raw,
          keyValue: { keyMaterial, attribute: [] },
          cryptographicAlgorithm: 3,
          cryptographicLength: 128,
        },
      },
    })
    for (const { value } of formats) {
      const is = await outcome(under, 'Get', { uniqueIdentifier, keyFormatType: value })
      const should = value === F.Raw || value === F.Opaque ? 'Success' : 'KeyFormatTypeNotSupported'
      assert.equal(is, should, formatText(value))
    }
  })
})

test('docs/key-formats.md shows this table', () => {
  const names = (key: SampleKey): string => {
    const all = formats.filter(({ value }) =>
      [...key.forms.keys()].some((from) => expected({ key, from } as Registered, value as F) !== undefined),
    )
    return all.map(({ text, since }) => (since > 100 ? `${text} (${versionText(since)})` : text)).join(', ')
  }
  const rows = sampleKeys.map((key) => `| ${key.name} | ${names(key)} |`)
  const page = readFileSync(
    new URL(import.meta.resolve('#src/main').replace('src/main.ts', 'docs/key-formats.md')),
    'utf8',
  )
  const shown = page.split('\n').filter((line) => line.startsWith('| ') && !/^\| (?:Key|---) /.test(line))
  assert.deepEqual(shown, rows, rows.join('\n'))
})
