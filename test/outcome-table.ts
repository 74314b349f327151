/**
 * Expected outcomes as tables: given, request, expected Result Reason, in the order of precedence of the specification's
 * error table, the valid case last. What it is: rows as tests, each on a dispatcher of its own. What it is not: rows.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestPayload } from '#client/operation-methods'
import { CryptoFailure, type CryptoRunner } from '#crypto/run'
import type { PayloadName } from '#kmip/payloads/index'
import { archive, bob, type DispatcherUnderTest, openDispatcher, outcome, succeed } from '#test/dispatcher'
import { createKey, createRequest, templateRequest } from '#test/sample-objects'

/** What is given, the reason's name or `Success`, and the request, which gives what came of it. */
export type OutcomeRow = readonly [
  given: string,
  expected: string,
  run: (under: DispatcherUnderTest) => Promise<string>,
]

/** A test for each row. */
export const testOutcomes = (rows: readonly OutcomeRow[]): void => {
  for (const [given, expected, run] of rows) {
    test(`${given}: ${expected}`, async () => {
      const under = openDispatcher()
      assert.equal(await run(under), expected)
      assert.deepEqual(under.failures, [], 'nothing failed inside the server')
    })
  }
}

/** Rows of every operation on an object: it must be there, accessible and on-line. */
export const objectRows = <N extends PayloadName>(
  operation: N,
  payloadFor: (uniqueIdentifier: string | undefined) => RequestPayload<N>,
): readonly OutcomeRow[] => [
  ['no object has the identifier', 'ItemNotFound', (under) => outcome(under, operation, payloadFor('nobody'))],
  [
    'no identifier, and the ID Placeholder is empty',
    'ItemNotFound',
    (under) => outcome(under, operation, payloadFor(undefined)),
  ],
  [
    'the object of another user',
    'PermissionDenied',
    async (under) => outcome(under, operation, payloadFor(await createKey(under)), { who: bob }),
  ],
  [
    'the object is archived',
    'ObjectArchived',
    async (under) => {
      const key = await createKey(under)
      await archive(under, key)
      return outcome(under, operation, payloadFor(key))
    },
  ],
]

/** The identifier of a Template with some attributes. */
export const registerTemplate = async (
  under: DispatcherUnderTest,
  own: string,
  within: Readonly<Record<string, unknown>>,
): Promise<string> => (await succeed(under, 'Register', templateRequest(own, within))).uniqueIdentifier

/** Rows of the operations that take attributes from Templates: they must be there, accessible and on-line. */
export const templateRows = (
  run: (under: DispatcherUnderTest, template: string) => Promise<string>,
): readonly OutcomeRow[] => [
  ['a Template that does not exist', 'ItemNotFound', (under) => run(under, 'no template')],
  [
    'a Name that is not of a Template',
    'ItemNotFound',
    async (under) => {
      await succeed(under, 'Create', createRequest({ Name: { nameValue: 'a key', nameType: 1 } }))
      return run(under, 'a key')
    },
  ],
  [
    'a Template of another user',
    'PermissionDenied',
    async (under) => {
      await succeed(under, 'Register', templateRequest('of bob', { Comment: 'a' }), { who: bob })
      return run(under, 'of bob')
    },
  ],
  [
    'an archived Template',
    'ObjectArchived',
    async (under) => {
      await archive(under, await registerTemplate(under, 'archived', { Comment: 'a' }))
      return run(under, 'archived')
    },
  ],
]

/** The same objects behind a server whose library fails at every job. */
export const withFailingCryptography = ({ store, clock }: DispatcherUnderTest): DispatcherUnderTest => {
  const crypto: CryptoRunner = {
    run: () => Promise.reject(new CryptoFailure('ERR_OSSL')),
    close: () => Promise.resolve(),
  }
  return openDispatcher({ store, clock, crypto })
}
