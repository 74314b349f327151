/**
 * Instances of attributes (KMIP 1.4 §2.1.1, §3): indices of every attribute that may have several, and custom attributes of
 * every TTLV type (§3.39), in every version, through a store on disk. What it is: adding, reading, finding, changing and
 * deleting by index. What it is not: what is refused (add-attribute.test.ts and its siblings).
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { certificateTable } from '#identity/bootstrap'
import { attributeRows, hasAttribute } from '#kmip/attributes'
import { AlternativeNameType, BlockCipherMode, KeyValueLocationType, ObjectType } from '#kmip/enums'
import { Tag } from '#kmip/tags'
import { supportedVersions, type Version, versionText } from '#kmip/versions'
import { objectTable } from '#operations/object-table'
import { openStore, storeLimits } from '#store/lmdb/open'
import { type DispatcherUnderTest, openDispatcher, outcome, succeed } from '#test/dispatcher'
import { createKey, name, parentLink } from '#test/sample-objects'
import { openSealer } from '#test/store/lmdb/sealer'
import { type Item, ItemType } from '#ttlv/item'

const base = mkdtempSync(join(tmpdir(), 'kmipd-instances-'))
after(() => rmSync(base, { recursive: true, force: true }))
let directories = 0

/** Runs with a dispatcher on a store on disk. */
const onDisk = async (run: (under: DispatcherUnderTest) => Promise<void>): Promise<void> => {
  const directory = join(base, String(directories++))
  const store = await openStore({
    directory,
    sealer: openSealer(directory),
    tables: [objectTable, certificateTable],
    limits: storeLimits,
    onFault: (fault) => {
      throw fault
    },
  })
  try {
    const under = openDispatcher({ store })
    await run(under)
    assert.deepEqual(under.failures, [])
  } finally {
    await store.close()
  }
}

const tag = Tag.AttributeValue
const text = (value: string): Item => ({ tag, type: ItemType.TextString, value })

/** Two values of each type: what is set, and what it is changed to. */
const customValues: Readonly<Record<string, readonly [Item, Item]>> = {
  Integer: [
    { tag, type: ItemType.Integer, value: -0x8000_0000 },
    { tag, type: ItemType.Integer, value: 0x7fff_ffff },
  ],
  LongInteger: [
    { tag, type: ItemType.LongInteger, value: -(2n ** 63n) },
    { tag, type: ItemType.LongInteger, value: 2n ** 63n - 1n },
  ],
  BigInteger: [
    { tag, type: ItemType.BigInteger, value: -(2n ** 200n) },
    { tag, type: ItemType.BigInteger, value: 2n ** 200n },
  ],
  Enumeration: [
    { tag, type: ItemType.Enumeration, value: 1 },
    { tag, type: ItemType.Enumeration, value: 0xffff_ffff },
  ],
  Boolean: [
    { tag, type: ItemType.Boolean, value: false },
    { tag, type: ItemType.Boolean, value: true },
  ],
  TextString: [text(''), text('Zoë 𝄞')],
  ByteString: [
    { tag, type: ItemType.ByteString, value: Buffer.alloc(0) },
    { tag, type: ItemType.ByteString, value: Buffer.from('00ff7f', 'hex') },
  ],
  DateTime: [
    { tag, type: ItemType.DateTime, value: -5 },
    { tag, type: ItemType.DateTime, value: 253_402_300_799 },
  ],
  Interval: [
    { tag, type: ItemType.Interval, value: 0 },
    { tag, type: ItemType.Interval, value: 0xffff_ffff },
  ],
}

/** Structures of one field of each type, all under one tag. */
const structure = (index: 0 | 1): Item => ({
  tag,
  type: ItemType.Structure,
  value: Object.values(customValues).map((values) => ({ ...values[index], tag: Tag.CustomAttribute })),
})

const everyType = { ...customValues, Structure: [structure(0), structure(1)] as const }

const instancesOf = async (
  under: DispatcherUnderTest,
  uniqueIdentifier: string,
  attributeName: string,
  version: Version,
): Promise<readonly (readonly [number | undefined, unknown])[]> => {
  const told = await succeed(under, 'GetAttributes', { uniqueIdentifier, attributeName: [attributeName] }, { version })
  return told.attribute.map(({ attributeIndex, attributeValue }) => [attributeIndex, attributeValue] as const)
}

describe('custom attributes', () => {
  test('every TTLV type is among them', () => {
    assert.deepEqual(
      Object.values(everyType)
        .map(([{ type }]) => type)
        .toSorted((a, b) => a - b),
      Object.values(ItemType).toSorted((a, b) => a - b),
    )
  })

  for (const version of supportedVersions) {
    test(`of every type in ${versionText(version)}: created, found, changed, deleted`, () =>
      onDisk(async (under) => {
        for (const [type, [first, second]] of Object.entries(everyType)) {
          const attributeName = `x-${type}`
          const uniqueIdentifier = await createKey(under, { [attributeName]: first }, { version })
          const now = () => instancesOf(under, uniqueIdentifier, attributeName, version)
          const found = async (attributeValue: Item) =>
            (await succeed(under, 'Locate', { attribute: [{ attributeName, attributeValue }] }, { version }))
              .uniqueIdentifier
          assert.deepEqual(await now(), [[undefined, first]], type)
          assert.deepEqual(await found(first), [uniqueIdentifier], type)
          assert.deepEqual(await found(second), [], type)
          await succeed(
            under,
            'ModifyAttribute',
            { uniqueIdentifier, attribute: { attributeName, attributeValue: second } },
            { version },
          )
          assert.deepEqual(await now(), [[undefined, second]], type)
          assert.deepEqual(await found(second), [uniqueIdentifier], type)
          await succeed(under, 'DeleteAttribute', { uniqueIdentifier, attributeName }, { version })
          assert.deepEqual(await now(), [], type)
        }
      }))
  }

  test('one name holds instances of several types', () =>
    onDisk(async (under) => {
      const values = Object.values(everyType)
        .slice(0, 4)
        .map(([first]) => first)
      const uniqueIdentifier = await createKey(under, { 'x-mixed': values })
      assert.deepEqual(
        await instancesOf(under, uniqueIdentifier, 'x-mixed', 104),
        values.map((value, index) => [index === 0 ? undefined : index, value]),
      )
    }))
})

/** Four values of every attribute that may have several instances and that a client sets. */
const severalValues: Readonly<Record<string, (index: number) => unknown>> = {
  Name: (index) => name(`name ${index}`),
  'Cryptographic Parameters': (index) => ({
    blockCipherMode: [BlockCipherMode.CBC, BlockCipherMode.ECB, BlockCipherMode.CTR, BlockCipherMode.GCM][index],
  }),
  'Object Group': (index) => `group ${index}`,
  Link: (index) => ({ ...parentLink(`object ${index}`), linkType: 0x101 + index }),
  'Application Specific Information': (index) => ({ applicationNamespace: 'ssl', applicationData: `data ${index}` }),
  'Custom Attribute': (index) => text(`custom ${index}`),
  'Alternative Name': (index) => ({
    alternativeNameValue: `name ${index}`,
    alternativeNameType: AlternativeNameType.UninterpretedTextString,
  }),
  'Key Value Location': (index) => ({
    keyValueLocationValue: `place ${index}`,
    keyValueLocationType: KeyValueLocationType.UninterpretedTextString,
  }),
}

/** What is given of a structure; codecs tell the fields that are not there as undefined. */
const given = (value: unknown): unknown =>
  typeof value !== 'object' || value === null
    ? value
    : Object.fromEntries(Object.entries(value).filter(([, content]) => content !== undefined))

describe('indices', () => {
  test('no attribute with several instances is left out', () => {
    const several = [...attributeRows.values()].filter(
      (row) => row.multiple && row.setByClient && row.objectTypes.has(ObjectType.SymmetricKey),
    )
    assert.deepEqual(several.map((row) => row.name).toSorted(), Object.keys(severalValues).toSorted())
  })

  for (const [row, valueOf] of Object.entries(severalValues)) {
    const attributeName = row === 'Custom Attribute' ? 'x-several' : row
    for (const version of supportedVersions.filter((each) => hasAttribute(attributeName, each))) {
      test(`of ${row} in ${versionText(version)}: an index stays with its instance and is not given again`, async () => {
        const under = openDispatcher()
        const [a, b, c, d] = [0, 1, 2, 3].map(valueOf)
        const uniqueIdentifier = await createKey(under, { [attributeName]: [a, b] }, { version })
        const now = async () =>
          (await instancesOf(under, uniqueIdentifier, attributeName, version)).map(([index, value]) => [
            index ?? 0,
            given(value),
          ])
        assert.deepEqual(await now(), [
          [0, a],
          [1, b],
        ])
        const added = await succeed(
          under,
          'AddAttribute',
          { uniqueIdentifier, attribute: { attributeName, attributeValue: c } },
          { version },
        )
        assert.equal(added.attribute.attributeIndex, 2)
        await succeed(
          under,
          'ModifyAttribute',
          { uniqueIdentifier, attribute: { attributeName, attributeIndex: 1, attributeValue: d } },
          { version },
        )
        assert.deepEqual(await now(), [
          [0, a],
          [1, d],
          [2, c],
        ])
        await succeed(under, 'DeleteAttribute', { uniqueIdentifier, attributeName, attributeIndex: 1 }, { version })
        assert.deepEqual(await now(), [
          [0, a],
          [2, c],
        ])
        const missing = { uniqueIdentifier, attribute: { attributeName, attributeIndex: 1, attributeValue: b } }
        assert.equal(await outcome(under, 'ModifyAttribute', missing, { version }), 'ItemNotFound')
        await succeed(
          under,
          'AddAttribute',
          { uniqueIdentifier, attribute: { attributeName, attributeValue: b } },
          { version },
        )
        assert.deepEqual(await now(), [
          [0, a],
          [2, c],
          [3, b],
        ])
        // Without an index, 0 is meant.
        await succeed(under, 'DeleteAttribute', { uniqueIdentifier, attributeName }, { version })
        assert.deepEqual(await now(), [
          [2, c],
          [3, b],
        ])
      })
    }
  }
})
