/**
 * XML and JSON by the rules of a message (KMIP 1.4 §11.1): what cannot be read of an item spoils that item alone, as in TTLV.
 * What it is not: the encodings themselves (test/ttlv/).
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { awaitable } from '#actor/later'
import { Operation, ResultReason } from '#kmip/enums'
import { readResponse } from '#kmip/message'
import { vocabulary } from '#kmip/vocabulary'
import { type Encoding, jsonEncoding, xmlEncoding } from '#server/encodings'
import { alice, callerOf, continueOnError, item, openDispatcher, readerLimits, requestBytes } from '#test/dispatcher'
import { createRequest } from '#test/sample-objects'
import { decodeItem } from '#ttlv/binary'
import { encodeJson } from '#ttlv/json'
import { encodeXml } from '#ttlv/xml'

const answers = async (encoding: Encoding, text: string) => {
  const under = openDispatcher()
  const bytes = await awaitable(under.dispatcher.answer(Buffer.from(text), callerOf(under, alice), encoding))
  assert.deepEqual(under.failures, [])
  return readResponse(encoding.open(bytes, readerLimits))
}

const items = [item('Create', createRequest({ 'Object Group': 'noted' })), item('Query', { queryFunction: [1] })]
const sent = (version: number) => decodeItem(requestBytes(version, items, continueOnError), readerLimits)
const { InvalidField, InvalidMessage } = ResultReason

/** What is changed of the message: in XML, and in JSON. */
const faults: readonly (readonly [string, readonly [RegExp, string], readonly [RegExp, string], number])[] = [
  ['an enumeration value of no name', [/"SymmetricKey"/, '"Tree"'], [/"SymmetricKey"/, '"Tree"'], InvalidField],
  [
    'a bit of no name in a mask',
    [/"Encrypt Decrypt"/, '"Encrypt Fly"'],
    [/"Encrypt\|Decrypt"/, '"Encrypt|Fly"'],
    InvalidField,
  ],
  ['a number that is none', [/"128"/, '"many"'], [/:128\b/, ':"many"'], InvalidMessage],
  ['a field of no name', [/<ObjectType /, '<Tree '], [/"ObjectType"/, '"Tree"'], InvalidField],
  [
    'an item type of no name',
    [/type="TextString" value="noted"/, 'type="Note" value="noted"'],
    [/"TextString","value":"noted"/, '"Note","value":"noted"'],
    InvalidMessage,
  ],
  ['a value that is missing', [/ value="noted"/, ''], [/,"value":"noted"/, ''], InvalidMessage],
]

describe('what cannot be read of an item fails that item alone', () => {
  for (const [what, inXml, inJson, reason] of faults) {
    const forms = [
      ['XML', xmlEncoding, encodeXml(sent(102), vocabulary), inXml],
      ['JSON', jsonEncoding, encodeJson(sent(102), vocabulary), inJson],
    ] as const
    for (const [name, encoding, text, [from, to]] of forms) {
      test(`${name}: ${what}`, async () => {
        const faulty = text.replace(from, to)
        assert.notEqual(faulty, text)
        const { responseHeader, batchItem } = await answers(encoding, faulty)
        assert.equal(responseHeader.protocolVersion.protocolVersionMinor, 2)
        assert.deepEqual(
          batchItem.map((each) => [each.operation, each.resultReason, each.uniqueBatchItemId !== undefined]),
          [
            [Operation.Create, reason, true],
            [Operation.Query, undefined, true],
          ],
        )
      })
    }
  }

  test('a field of no name is passed over in a message of a newer minor version, as in TTLV', async () => {
    const text = encodeXml(sent(104), vocabulary).replace(/(Minor[^>]*value=")4"/, '$15"')
    const { batchItem } = await answers(xmlEncoding, text.replace('<ObjectType ', '<Tree><Leaf/></Tree><ObjectType '))
    assert.deepEqual(
      batchItem.map((each) => each.resultReason),
      [undefined, undefined],
    )
  })

  test('what is no message is refused as a whole', async () => {
    for (const text of ['<Tree/>', encodeXml(sent(102), vocabulary).replace(/"2"\/>/, '"two"/>')]) {
      const { batchItem } = await answers(xmlEncoding, text)
      assert.deepEqual(
        batchItem.map((each) => [each.operation, each.resultReason]),
        [[undefined, InvalidMessage]],
      )
    }
  })
})
