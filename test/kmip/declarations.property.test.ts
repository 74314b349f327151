/**
 * Every declaration × version × encoding: a value generated from the declaration, encoded and decoded, is the same value.
 * Declarations are found by reading src/kmip: a new one is covered by being there.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as fc from 'fast-check'
import { attributeRows, hasAttribute } from '#kmip/attributes'
import { Operation } from '#kmip/enums'
import { payloads } from '#kmip/payloads/index'
import { inVersion } from '#kmip/row'
import { Tag } from '#kmip/tags'
import { supportedVersions, type Version, versionText } from '#kmip/versions'
import { enumerationNamed, vocabulary } from '#kmip/vocabulary'
import { BinaryReader, BinaryWriter } from '#ttlv/binary'
import type { Item } from '#ttlv/item'
import { decodeJson, encodeJson } from '#ttlv/json'
import type { Codec, StructCodec } from '#ttlv/schema'
import { TreeReader, TreeWriter } from '#ttlv/tree'
import { decodeXml, encodeXml } from '#ttlv/xml'
import { canonical, type Presence, valuesOf, variantsOf, walk } from './arbitrary.ts'

const folder = fileURLToPath(new URL('../../src/kmip/', import.meta.url))
const limits = { nestingDepthMax: 32, itemCountMax: 100_000 }
const textLimits = { ...limits, textLengthMax: 1 << 24, attributeLengthMax: 1 << 24 }

/** A declared structure, and the versions that have it. */
interface Declaration {
  readonly name: string
  readonly codec: StructCodec<unknown>
  readonly versions: readonly Version[]
}

const operationRows = new Map(enumerationNamed('Operation').values.map((row) => [row.value, row]))
const payloadRanges = new Map<unknown, (version: Version) => boolean>(
  Object.entries(payloads).flatMap(([name, { request, response }]) => {
    const row = operationRows.get(Operation[name as keyof typeof payloads])
    assert.ok(row !== undefined, name)
    const has = (version: Version): boolean => inVersion(row, version)
    return [[request, has] as const, [response, has] as const]
  }),
)

const isDeclaration = (value: unknown): value is StructCodec<unknown> =>
  typeof value === 'object' && value !== null && 'fields' in value && 'read' in value

/** Every structure that a module of src/kmip exports. A structure of no operation is tried in every version. */
const readDeclarations = async (): Promise<readonly Declaration[]> => {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
  const modules = await Promise.all(
    paths.toSorted().map(async (path) => {
      const exported = (await import(pathToFileURL(`${folder}${path}`).href)) as Readonly<Record<string, unknown>>
      return { path, exported }
    }),
  )
  return modules.flatMap(({ path, exported }) =>
    Object.entries(exported).flatMap(([name, codec]) => {
      if (!isDeclaration(codec)) return []
      const versions = supportedVersions.filter(payloadRanges.get(codec) ?? (() => true))
      return [{ name: `${path.replace(/\.ts$/, '')} ${name}`, codec, versions }]
    }),
  )
}

type RoundTrip = (codec: Codec<unknown>, version: Version, value: unknown) => unknown

const writeTree = (codec: Codec<unknown>, version: Version, value: unknown): Item => {
  const writer = new TreeWriter(version)
  codec.write(writer, Tag.RequestPayload, value)
  const [root, ...rest] = writer.items()
  assert.ok(root !== undefined && rest.length === 0)
  return root
}

const readTree = (codec: Codec<unknown>, version: Version, item: Item): unknown => {
  const reader = new TreeReader(item, limits, version)
  const value = codec.read(reader, Tag.RequestPayload)
  assert.ok(reader.atEnd())
  return value
}

const encodings: Readonly<Record<string, RoundTrip>> = {
  binary: (codec, version, value) => {
    const writer = new BinaryWriter(version)
    codec.write(writer, Tag.RequestPayload, value)
    const reader = new BinaryReader(writer.bytes(), limits, version)
    const read = codec.read(reader, Tag.RequestPayload)
    assert.ok(reader.atEnd())
    return read
  },
  XML: (codec, version, value) => {
    const text = encodeXml(writeTree(codec, version, value), vocabulary)
    return readTree(codec, version, decodeXml(text, vocabulary, textLimits))
  },
  JSON: (codec, version, value) => {
    const text = encodeJson(writeTree(codec, version, value), vocabulary)
    return readTree(codec, version, decodeJson(text, vocabulary, textLimits))
  },
}

const declarations = await readDeclarations()
/** What was tried: `declaration, version, encoding`. */
const tried = new Map<string, number>()
/** Fields of the structures that were met, by version: whether a value had them. */
const met = new Map<StructCodec<unknown>, Map<string, boolean>>()

const note =
  (version: Version) =>
  (codec: StructCodec<unknown>, key: string, isThere: boolean): void => {
    const fields = met.get(codec) ?? new Map<string, boolean>()
    met.set(codec, fields)
    const name = `${key} in ${versionText(version)}`
    fields.set(name, isThere || fields.get(name) === true)
  }

const tryOut = ({ name, codec }: Declaration, version: Version, presence: Presence, numRuns: number): void => {
  for (const given of variantsOf(codec, version)) {
    fc.assert(
      fc.property(valuesOf(codec, version, presence, given), (value) => {
        walk(codec, value, version, note(version))
        const expected = canonical(value)
        for (const [encoding, roundTrip] of Object.entries(encodings)) {
          assert.deepEqual(canonical(roundTrip(codec, version, value)), expected, encoding)
          const key = `${name}, ${versionText(version)}, ${encoding}`
          tried.set(key, (tried.get(key) ?? 0) + 1)
        }
      }),
      { numRuns },
    )
  }
}

describe('a value of a declaration is the same after encoding and decoding', () => {
  for (const declaration of declarations) {
    test(declaration.name, () => {
      for (const version of declaration.versions) {
        tryOut(declaration, version, 'all', 1)
        tryOut(declaration, version, 'any', 6)
      }
    })
  }

  test('every declaration was tried in every version that has it and in every encoding', () => {
    const expected = declarations.flatMap(({ name, versions }) =>
      versions.flatMap((version) =>
        Object.keys(encodings).map((encoding) => `${name}, ${versionText(version)}, ${encoding}`),
      ),
    )
    assert.ok(expected.length > 1000, `${expected.length} is too few: the declarations were not found`)
    assert.deepEqual([...tried.keys()].toSorted(), expected.toSorted())
  })

  test('every payload is among the declarations', () => {
    const found = new Set<unknown>(declarations.map(({ codec }) => codec))
    for (const [name, { request, response }] of Object.entries(payloads)) {
      assert.ok(found.has(request) && found.has(response), name)
    }
  })

  test('every attribute was tried in every version that has it', () => {
    for (const version of supportedVersions) {
      for (const { name } of attributeRows.values()) {
        if (!hasAttribute(name, version)) continue
        assert.ok(
          variants(version).has(name === 'Custom Attribute' ? 'x-a' : name),
          `${name} in ${versionText(version)}`,
        )
      }
    }
  })

  test('every field of every structure was there in every version that has it', () => {
    const never = [...met].flatMap(([codec, fields]) =>
      [...fields].filter(([, isThere]) => !isThere).map(([key]) => `${nameOf(codec)}: ${key}`),
    )
    assert.deepEqual(never, [])
  })
})

const nameOf = (codec: StructCodec<unknown>): string =>
  declarations.find((declaration) => declaration.codec === codec)?.name ?? `{ ${Object.keys(codec.fields).join(', ')} }`

/** The Attribute Names that the declaration of an Attribute was tried with. */
const variants = (version: Version): ReadonlySet<unknown> => {
  const attribute = declarations.find(({ name }) => name === 'attribute attribute')
  assert.ok(attribute !== undefined)
  return new Set(variantsOf(attribute.codec, version).map(({ attributeName }) => attributeName))
}
