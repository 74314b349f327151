/**
 * Removing what a failed case left behind, so that it does not spoil the cases after it (KMIP Profiles 1.4 lets objects
 * be removed by a separate mechanism). What it is: only objects that the case itself would have destroyed; what a
 * case leaves on purpose, for the next one, stays.
 */
import { Operation, RevocationReasonCode } from '#kmip/enums'
import { Tag } from '#kmip/tags'
import { majorOf, minorOf } from '#kmip/versions'
import { encodeItem } from '#ttlv/binary'
import { type Item, ItemType } from '#ttlv/item'
import type { XmlElement } from '#ttlv/xml-element'
import type { Bindings } from './bindings.ts'
import { childNamed, type TestCase } from './case.ts'
import type { Send } from './run.ts'

const structure = (tag: number, value: readonly Item[]): Item => ({ tag, type: ItemType.Structure, value })
const integer = (tag: number, value: number): Item => ({ tag, type: ItemType.Integer, value })
const enumeration = (tag: number, value: number): Item => ({ tag, type: ItemType.Enumeration, value })

/** A request of one batch item. */
const request = (version: number, operation: number, payload: readonly Item[]): Buffer =>
  encodeItem(
    structure(Tag.RequestMessage, [
      structure(Tag.RequestHeader, [
        structure(Tag.ProtocolVersion, [
          integer(Tag.ProtocolVersionMajor, majorOf(version)),
          integer(Tag.ProtocolVersionMinor, minorOf(version)),
        ]),
        integer(Tag.BatchCount, 1),
      ]),
      structure(Tag.BatchItem, [enumeration(Tag.Operation, operation), structure(Tag.RequestPayload, payload)]),
    ]),
  )

/** Placeholders that the file's own Destroy requests name. */
const destroyedNames = (testCase: TestCase): ReadonlySet<string> => {
  const items: XmlElement[] = testCase.exchanges.flatMap((exchange) => [...exchange.request.children])
  const destroys = items.filter((item) => childNamed(item, 'Operation')?.attributes.get('value') === 'Destroy')
  return new Set(
    destroys.flatMap((item) => {
      const identifier = childNamed(childNamed(item, 'RequestPayload'), 'UniqueIdentifier')?.attributes.get('value')
      return identifier === undefined ? [] : [identifier]
    }),
  )
}

/**
 * Revokes and destroys what the case would have destroyed. Refusals are expected: some of it may be gone already.
 * @throws ConnectionLost and its kin, by rejection
 */
export const cleanUp = async (testCase: TestCase, bindings: Bindings, send: Send): Promise<void> => {
  for (const name of destroyedNames(testCase)) {
    const value = bindings.get(name)
    if (value === undefined) continue
    const identifier: Item = { tag: Tag.UniqueIdentifier, type: ItemType.TextString, value }
    const reason = structure(Tag.RevocationReason, [
      enumeration(Tag.RevocationReasonCode, RevocationReasonCode.CessationOfOperation),
    ])
    await send(request(testCase.version, Operation.Revoke, [identifier, reason]), 'A')
    await send(request(testCase.version, Operation.Destroy, [identifier]), 'A')
  }
}
