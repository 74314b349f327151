/** The generated rows are what the generator makes of the specification's tables, and hold together. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { attributeRules } from '#kmip/attribute-rules'
import { attributeRows } from '#kmip/attributes'
import { enumerationRows } from '#kmip/enums'
import { tagRows } from '#kmip/tags'
import { enumerationByName, enumerationNamed, enumerationOfTag, tagByName, tagName, vocabulary } from '#kmip/vocabulary'
import { findCases, patternOf, readCase, tidyRequest } from '#test/conformance/subject'
import { generate, readRegistry } from '../../tools/registry.ts'

const root = new URL('../../', import.meta.url)

describe('registry', () => {
  for (const [path, text] of generate(readRegistry())) {
    test(`${path} is what the generator writes`, () => {
      assert.equal(readFileSync(new URL(path, root), 'utf8'), text)
    })
  }

  test('names lead to one number, and numbers to one name', () => {
    assert.equal(new Set(tagRows.map((row) => row.value)).size, tagRows.length)
    for (const row of tagRows) {
      assert.equal(tagByName(row.name)?.value, row.value)
      assert.equal(tagName(row.value), row.name)
      for (const alias of row.aliases ?? []) assert.equal(tagByName(alias)?.value, row.value)
    }
    for (const enumeration of enumerationRows) {
      assert.equal(
        new Set(enumeration.values.map((row) => row.value)).size,
        enumeration.values.length,
        enumeration.name,
      )
      for (const row of enumeration.values) {
        const values = enumeration.values.filter((other) => other.name === row.name)
        assert.equal(values.length, 1, `${enumeration.name}.${row.name}`)
      }
    }
  })

  test('what carries an enumeration or a mask is a tag', () => {
    for (const enumeration of enumerationRows) {
      for (const tag of enumeration.tags) assert(tagByName(tag) !== undefined, `${enumeration.name}: ${tag}`)
    }
  })

  test('a row ends after it began', () => {
    for (const row of [...tagRows, ...enumerationRows.flatMap((enumeration) => enumeration.values)]) {
      assert(row.until === undefined || row.until > row.since, row.name)
    }
  })

  test('the 51 attributes of 1.4 have a row each', () => {
    const rules = attributeRules.filter((rule) => rule.since <= 104)
    assert.equal(rules.length, 51)
    for (const rule of rules) assert(attributeRows.has(rule.name), rule.name)
  })
})

describe('vocabulary', () => {
  test('unknown numbers and names', () => {
    assert.equal(tagName(0x54abcd), '0x54ABCD')
    assert.equal(vocabulary.tagName(0x54abcd), undefined)
    assert.equal(vocabulary.tagByName('NoSuchTag'), undefined)
    assert.throws(() => enumerationNamed('NoSuchEnumeration'), TypeError)
  })

  test('earlier spellings lead to the same value', () => {
    const algorithms = enumerationNamed('CryptographicAlgorithm')
    for (const row of algorithms.values) {
      for (const alias of row.aliases ?? []) assert.equal(enumerationByName(algorithms, alias)?.value, row.value)
    }
  })

  test('masks and enumerations by the tag that carries them', () => {
    assert.equal(enumerationOfTag(tagByName('CryptographicUsageMask')?.value ?? 0)?.kind, 'mask')
    assert.equal(enumerationOfTag(tagByName('State')?.value ?? 0)?.kind, 'enumeration')
    assert.equal(enumerationOfTag(tagByName('NameValue')?.value ?? 0), undefined)
  })
})

const oasis = process.env['KMIPD_OASIS']

describe('the published cases', { skip: oasis === undefined ? 'KMIPD_OASIS names no folder' : false }, () => {
  test('use no name up to 2.1 that the vocabulary does not have, but for those of PKCS#11', () => {
    const unknown: string[] = []
    for (const file of findCases([oasis ?? ''])) {
      const { name, version, exchanges } = readCase(file)
      // KMIP names functions and return codes of PKCS#11 by reference; 3.0 is not in the registry.
      if (version >= 300 || name.startsWith('PKCS11-')) continue
      for (const message of exchanges.flatMap(({ request, expected }) => [request, expected])) {
        try {
          patternOf(tidyRequest(message))
        } catch (error) {
          unknown.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
        }
      }
    }
    assert.deepEqual(unknown, [])
  })
})
