/**
 * Times src/server/known-answers.ts as requests meet it: what is answered again from memory, since nothing that it tells of has
 * changed, with the session above it. What it is not: the same requests decided anew (dispatch.ts).
 */
import type { ScenarioName } from '#bench/scenarios/index'
import { openAsked, taskOf } from './asked.ts'
import type { Suite, SuiteOptions } from './suite.ts'

const cases: readonly ScenarioName[] = [
  'discover-versions',
  'query',
  'get',
  'get-attributes',
  'locate',
  'encrypt-cbc',
  'encrypt-gcm',
  'mac',
]

/** A task a kind of request that only reads. */
export const open = async ({ objects }: SuiteOptions): Promise<Suite> => {
  const asked = await openAsked(objects, [])
  const tasks = cases.map((name) => taskOf(asked, name, name, 1))
  // An answer is kept from the second time on that it is asked for.
  for (const name of cases)
    for (let turn = 0; turn < 2; turn += 1)
      for (const message of asked.requests(name, 1)) await asked.parts.answer(message)
  return { tasks, close: () => asked.parts.close() }
}
