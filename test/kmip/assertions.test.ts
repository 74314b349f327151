/** What a deployment asserts: read by the declarations of Query's answer, and refused with the place when it is not understood. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { AssertionsRefused, readAssertions } from '#kmip/assertions'
import { ClientRegistrationMethod, DRBGAlgorithm, RNGAlgorithm, ShreddingAlgorithm } from '#kmip/enums'

const read = (value: unknown) => readAssertions(JSON.stringify(value))
const validation = {
  validationAuthorityType: 'NISTCMVP',
  validationVersionMajor: 3,
  validationType: 'Software',
  validationLevel: 1,
}

describe('assertions', () => {
  test('are read with their names', () => {
    assert.deepEqual(read({}), {})
    const assertions = read({
      rngParameters: [{ rngAlgorithm: 'DRBG', drbgAlgorithm: 'Hash', predictionResistance: true }],
      capabilityInformation: { shreddingAlgorithm: 'Cryptographic' },
      clientRegistrationMethod: ['ClientGenerated'],
      extensionInformation: [{ extensionName: 'SITE', extensionTag: '0x54AA01', extensionType: 'TextString' }],
      validationInformation: [{ ...validation, validationProfile: ['one', 'two'] }, validation],
    })
    assert.deepEqual(assertions.rngParameters, [
      { rngAlgorithm: RNGAlgorithm.DRBG, drbgAlgorithm: DRBGAlgorithm.Hash, predictionResistance: true },
    ])
    assert.deepEqual(assertions.capabilityInformation, { shreddingAlgorithm: ShreddingAlgorithm.Cryptographic })
    assert.deepEqual(assertions.clientRegistrationMethod, [ClientRegistrationMethod.ClientGenerated])
    assert.deepEqual(assertions.extensionInformation, [
      { extensionName: 'SITE', extensionTag: 0x54aa01, extensionType: 7 },
    ])
    assert.deepEqual(
      assertions.validationInformation?.map(({ validationProfile }) => validationProfile),
      [['one', 'two'], []],
    )
  })

  const refused: readonly (readonly [string, unknown, RegExp])[] = [
    ['another member', { rng: [] }, /the statement has a member "rng", which is none of rngParameters, /],
    ['an array', [], /the statement is no object/],
    ['an object for a list', { rngParameters: {} }, /rngParameters is no array/],
    [
      'a member of an element that nobody knows',
      { rngParameters: [{ seed: 1 }] },
      /rngParameters\[0\] has a member "seed"/,
    ],
    ['a missing member', { rngParameters: [{}] }, /rngParameters\[0\]\.rngAlgorithm is missing/],
    ['a name of no enumeration', { clientRegistrationMethod: ['Mail'] }, /clientRegistrationMethod\[0\] is no name/],
    ['the number of an enumeration', { clientRegistrationMethod: [2] }, /is no name of the enumeration/],
    [
      'a text for a number',
      { validationInformation: [{ ...validation, validationLevel: 'two' }] },
      /Level is no whole/,
    ],
    ['a fraction', { validationInformation: [{ ...validation, validationLevel: 1.5 }] }, /Level is no whole/],
    ['an empty text', { extensionInformation: [{ extensionName: '' }] }, /is no text of 1 to/],
    [
      'a tag of the specification',
      { extensionInformation: [{ extensionName: 'A', extensionTag: 0x420001 }] },
      /Tag is no/,
    ],
    ['a type that is none', { extensionInformation: [{ extensionName: 'A', extensionType: 'Text' }] }, /no item type/],
    ['what settings decide', { capabilityInformation: { streamingCapability: true } }, /follows from the settings/],
    ['a word for a Boolean', { capabilityInformation: { attestationCapability: 'yes' } }, /neither true nor false/],
  ]
  for (const [name, value, text] of refused) {
    test(`${name} is refused`, () => {
      assert.throws(
        () => read(value),
        (error) => error instanceof AssertionsRefused && text.test(error.message),
      )
    })
  }

  test('what is no JSON is refused', () => {
    assert.throws(() => readAssertions('{'), /the statement is no JSON/)
    assert.throws(() => readAssertions(' '.repeat(262_145)), /longer than/)
  })

  test('the files of the test cases are understood', () => {
    const folder = fileURLToPath(new URL('../../conformance/assertions/', import.meta.url))
    const files = readdirSync(folder)
    assert.ok(files.length > 10)
    for (const file of files)
      assert.ok(Object.keys(readAssertions(readFileSync(`${folder}${file}`, 'utf8'))).length > 0)
  })
})
