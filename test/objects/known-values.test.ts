/** Which values a version can carry: enumerations at any depth, in the fields that the version has. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  KeyFormatType,
  KeyRoleType,
  LinkType,
  MaskGenerator,
  RecommendedCurve,
} from '#kmip/enums'
import { keyMaterialCodec } from '#kmip/key-block'
import { Tag } from '#kmip/tags'
import { isAttributeKnown, isEnumerationKnown, isStructureKnown } from '#objects/known-values'

const firstVersion = (known: (version: number) => boolean): number | undefined =>
  [100, 101, 102, 103, 104].find((version) => known(version))

describe('attributes', () => {
  const rows = [
    ['Cryptographic Algorithm', CryptographicAlgorithm.AES, 100],
    ['Cryptographic Algorithm', CryptographicAlgorithm.EC, 102],
    ['Cryptographic Algorithm', CryptographicAlgorithm.ChaCha20, 104],
    ['Cryptographic Algorithm', 0x8000_0001, 100],
    ['Cryptographic Algorithm', 0x7fff_ffff, undefined],
    ['Link', { linkType: LinkType.CertificateLink, linkedObjectIdentifier: 'a' }, 100],
    ['Link', { linkType: LinkType.NextLink, linkedObjectIdentifier: 'a' }, 102],
    ['Cryptographic Parameters', { blockCipherMode: BlockCipherMode.CBC }, 100],
    ['Cryptographic Parameters', { blockCipherMode: BlockCipherMode.AEAD }, 104],
    ['Cryptographic Parameters', { keyRoleType: KeyRoleType.DUKPT }, 104],
    // A field that the version has not is left out by the codec: its value does not matter.
    ['Cryptographic Parameters', { maskGenerator: MaskGenerator.MGF1 }, 100],
    ['Digest', { hashingAlgorithm: 6, keyFormatType: KeyFormatType.Raw }, 100],
    ['Digest', { hashingAlgorithm: 6, keyFormatType: KeyFormatType.TransparentECPublicKey }, 100],
    ['Fresh', true, 101],
    ['Comment', 'a', 104],
    ['x-custom', { tag: 1, type: 5, value: 99 }, 100],
    ['Colour', 'red', undefined],
  ] as const
  for (const [attributeName, attributeValue, first] of rows) {
    test(`${attributeName} ${JSON.stringify(attributeValue)}: ${first ?? 'never'}`, () => {
      assert.equal(
        firstVersion((version) => isAttributeKnown({ attributeName, attributeValue }, version)),
        first,
      )
    })
  }

  test('a version between may not have what those around it have', () => {
    // 1.0 does not send the format of a digest, 1.1 and 1.2 would have to send one that they do not have.
    const digest = { hashingAlgorithm: 6, keyFormatType: KeyFormatType.TransparentECPublicKey }
    const known = [100, 101, 102, 103].map((version) =>
      isAttributeKnown({ attributeName: 'Digest', attributeValue: digest }, version),
    )
    assert.deepEqual(known, [true, false, false, true])
  })
})

test('structures: a curve within key material', () => {
  const codec = keyMaterialCodec(KeyFormatType.TransparentECDSAPublicKey)
  const first = (recommendedCurve: RecommendedCurve) =>
    firstVersion((version) => isStructureKnown(codec, { recommendedCurve, qString: new Uint8Array(1) }, version))
  assert.equal(first(RecommendedCurve.P_256), 100)
  assert.equal(first(RecommendedCurve.SECP256K1), 102)
})

test('enumerations by tag', () => {
  assert.ok(!isEnumerationKnown(Tag.CryptographicAlgorithm, CryptographicAlgorithm.EC, 101))
  assert.ok(isEnumerationKnown(Tag.CryptographicAlgorithm, CryptographicAlgorithm.EC, 102))
  assert.ok(isEnumerationKnown(Tag.NameValue, 99, 100), 'a tag that carries no enumeration')
})
