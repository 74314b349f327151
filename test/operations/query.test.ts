/** Query: the answers of KMIP 1.4 §4.25 to each function, in each version what it has. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DestroyAction, ObjectType, Operation, QueryFunction } from '#kmip/enums'
import { operations } from '#operations/index'
import { openDispatcher, outcome, succeed } from '#test/dispatcher'
import { testOutcomes } from '#test/outcome-table'

const versions = [100, 101, 102, 103, 104]
const all = Object.values(QueryFunction)
/** Functions of each version: §4.25 of 1.0 to 1.4. */
const known = (version: number) =>
  all.filter((each) => each <= (version >= 103 ? 12 : version === 102 ? 7 : version === 101 ? 6 : 4))

describe('Query: reasons', () => {
  testOutcomes([
    [
      'a function that nobody knows',
      'InvalidField',
      (under) => outcome(under, 'Query', { queryFunction: [99 as QueryFunction] }),
    ],
    [
      'a function that came later',
      'InvalidField',
      (under) => outcome(under, 'Query', { queryFunction: [QueryFunction.QueryRNGs] }, { version: 102 }),
    ],
    ['all functions', 'Success', (under) => outcome(under, 'Query', { queryFunction: known(104) })],
  ])
})

describe('Query', () => {
  for (const version of versions) {
    test(`all that version ${version} can ask is answered with what it can read`, async () => {
      const under = openDispatcher()
      const answer = await succeed(under, 'Query', { queryFunction: known(version) }, { version })
      const own = operations.filter(({ since, until }) => since <= version && version < until)
      assert.deepEqual(
        answer.operation,
        own.map(({ code }) => code),
      )
      assert.equal(answer.operation.includes(Operation.DiscoverVersions), version >= 101)
      assert.deepEqual(
        answer.objectType.toSorted((left, right) => left - right),
        [
          ObjectType.Certificate,
          ObjectType.SymmetricKey,
          ObjectType.PublicKey,
          ObjectType.PrivateKey,
          ObjectType.Template,
          ObjectType.SecretData,
          ObjectType.OpaqueObject,
        ],
      )
      assert.equal(answer.vendorIdentification, 'kmipd')
      assert.ok(answer.serverInformation)
      // The server generates no Application Data, has no extensions, attests and registers nobody.
      assert.deepEqual(answer.applicationNamespace, [])
      assert.deepEqual(answer.extensionInformation, [])
      assert.deepEqual(answer.attestationType, [])
      assert.deepEqual(answer.clientRegistrationMethod, [])
      assert.equal(answer.rngParameters.length, version >= 103 ? 1 : 0)
      assert.equal(answer.capabilityInformation.length, version >= 103 ? 1 : 0)
    })
  }

  test('what is not asked is not answered', async () => {
    const under = openDispatcher()
    const asked: Readonly<Record<string, QueryFunction>> = {
      operation: QueryFunction.QueryOperations,
      objectType: QueryFunction.QueryObjects,
      vendorIdentification: QueryFunction.QueryServerInformation,
      rngParameters: QueryFunction.QueryRNGs,
      capabilityInformation: QueryFunction.QueryCapabilities,
    }
    for (const [field, queryFunction] of Object.entries(asked)) {
      const answer = await succeed(under, 'Query', { queryFunction: [queryFunction] })
      const answered = Object.entries(answer)
        .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
        .map(([key]) => key)
      assert.deepEqual(answered, field === 'vendorIdentification' ? [field, 'serverInformation'] : [field])
    }
  })

  test('capabilities are true: Undo and Continue, and what Destroy leaves', async () => {
    const actions = new Map([
      [false, DestroyAction.KeyMaterialDeleted],
      [true, DestroyAction.Deleted],
    ])
    for (const [hardDelete, destroyAction] of actions) {
      const under = openDispatcher({ policy: { hardDelete } })
      const request = { queryFunction: [QueryFunction.QueryCapabilities] }
      const [told] = (await succeed(under, 'Query', request)).capabilityInformation
      assert.equal(told?.batchUndoCapability, true)
      assert.equal(told?.batchContinueCapability, true)
      assert.equal(told?.destroyAction, destroyAction)
    }
  })
})
