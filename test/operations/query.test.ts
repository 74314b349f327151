/** Query: the answers of KMIP 1.4 §4.25 to each function, in each version what it has. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  AttestationType,
  ClientRegistrationMethod,
  DestroyAction,
  HashingAlgorithm,
  ObjectType,
  Operation,
  ProfileName,
  QueryFunction,
  RNGAlgorithm,
  RNGMode,
  UnwrapMode,
  ValidationAuthorityType,
  ValidationType,
} from '#kmip/enums'
import { operations } from '#operations/index'
import type { Policy } from '#operations/operation'
import { attributesOf, openDispatcher, outcome, policy as policyOfTests, succeed } from '#test/dispatcher'
import { testOutcomes } from '#test/outcome-table'
import { createRequest } from '#test/sample-objects'

const versions = [100, 101, 102, 103, 104]
const all = Object.values(QueryFunction)
/** Functions of each version: §4.25 of 1.0 to 1.4. */
const known = (version: number) =>
  all.filter((each) => each <= (version >= 103 ? 12 : version === 102 ? 7 : version === 101 ? 6 : 4))

describe('Query: reasons', () => {
  testOutcomes([
    ['a function that nobody knows', 'InvalidField', (under) => outcome(under, 'Query', { queryFunction: [99] })],
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
      assert.deepEqual(answer.operation, [...own.map(({ code }) => code), Operation.Notify, Operation.Put])
      assert.equal(answer.operation.includes(Operation.DiscoverVersions), version >= 101)
      assert.deepEqual(
        answer.objectType.toSorted((left, right) => left - right),
        [
          ObjectType.Certificate,
          ObjectType.SymmetricKey,
          ObjectType.PublicKey,
          ObjectType.PrivateKey,
          ObjectType.SplitKey,
          ObjectType.Template,
          ObjectType.SecretData,
          ObjectType.OpaqueObject,
          ...(version >= 102 ? [ObjectType.PGPKey] : []),
        ],
      )
      assert.equal(answer.vendorIdentification, 'kmipd')
      assert.ok(answer.serverInformation)
      // The server generates no Application Data, has no extensions, and attests nobody.
      assert.deepEqual(answer.applicationNamespace, [])
      assert.deepEqual(answer.extensionInformation, [])
      assert.deepEqual(answer.attestationType, [])
      assert.deepEqual(
        answer.clientRegistrationMethod,
        version >= 103 ? [ClientRegistrationMethod.ServerPreGenerated] : [],
      )
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
      profileInformation: QueryFunction.QueryProfiles,
      clientRegistrationMethod: QueryFunction.QueryClientRegistrationMethods,
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

  test('the Unwrap Mode is what Register does with a wrapped key', async () => {
    const modes = [
      ['keep', UnwrapMode.NotProcessed],
      ['unwrap', UnwrapMode.Processed],
    ] as const
    for (const [registeredWrapped, unwrapMode] of modes) {
      const under = openDispatcher({ policy: { wrapping: { ...policyOfTests.wrapping, registeredWrapped } } })
      const request = { queryFunction: [QueryFunction.QueryCapabilities] }
      const [told] = (await succeed(under, 'Query', request)).capabilityInformation
      assert.equal(told?.unwrapMode, unwrapMode)
    }
  })

  test('profiles follow from the operations, HTTPS and the settings, each in the versions that name it', async () => {
    const told = async (policy: Partial<Policy>, version = 104): Promise<readonly number[]> => {
      const request = { queryFunction: [QueryFunction.QueryProfiles] }
      const answer = await succeed(openDispatcher({ policy }), 'Query', request, { version })
      return answer.profileInformation.map(({ profileName }) => profileName)
    }
    const all = await told({})
    assert.ok(all.includes(ProfileName.TapeLibraryServerKMIPV1_4))
    assert.ok(!all.includes(ProfileName.XMLServerKMIPV1_4))
    assert.ok(!(await told({}, 103)).includes(ProfileName.TapeLibraryServerKMIPV1_4))
    assert.ok((await told({ httpsServed: true })).includes(ProfileName.XMLServerKMIPV1_4))
    const profileInformation = [
      { profileName: ProfileName.TapeLibraryServerKMIPV1_4 },
      { profileName: ProfileName.XMLServerKMIPV1_0, serverPort: 443 },
    ]
    const asserted = { assertions: { profileInformation } }
    assert.deepEqual(await told(asserted), [ProfileName.TapeLibraryServerKMIPV1_4, ProfileName.XMLServerKMIPV1_0])
    assert.deepEqual(await told(asserted, 103), [ProfileName.XMLServerKMIPV1_0])
  })

  test('extensions are listed by name, and mapped to tag and type', async () => {
    const extension = { extensionName: 'SITE', extensionTag: 0x54aa01, extensionType: 7 }
    const under = openDispatcher({ policy: { assertions: { extensionInformation: [extension] } } })
    const told = async (...queryFunction: QueryFunction[]) =>
      (await succeed(under, 'Query', { queryFunction })).extensionInformation.map((each) => ({ ...each }))
    const { QueryExtensionList, QueryExtensionMap } = QueryFunction
    assert.equal((await told(QueryExtensionList))[0]?.extensionTag, undefined)
    assert.equal((await told(QueryExtensionList))[0]?.extensionName, 'SITE')
    assert.deepEqual(await told(QueryExtensionList, QueryExtensionMap), [extension])
  })

  test('what the deployment asserts is told in place of what the server knows, and new keys name that generator', async () => {
    const rngParameters = [{ rngAlgorithm: RNGAlgorithm.FIPS186_2, hashingAlgorithm: HashingAlgorithm.SHA_1 }]
    const assertions = {
      rngParameters,
      clientRegistrationMethod: [ClientRegistrationMethod.ClientGenerated],
      attestationType: [AttestationType.TPMQuote],
      validationInformation: [
        {
          validationAuthorityType: ValidationAuthorityType.NISTCMVP,
          validationVersionMajor: 2,
          validationType: ValidationType.Software,
          validationLevel: 1,
          validationProfile: [],
        },
      ],
      capabilityInformation: { attestationCapability: true, rngMode: RNGMode.Unspecified },
    }
    const under = openDispatcher({ policy: { assertions } })
    const told = await succeed(under, 'Query', {
      queryFunction: [
        QueryFunction.QueryRNGs,
        QueryFunction.QueryValidations,
        QueryFunction.QueryCapabilities,
        QueryFunction.QueryClientRegistrationMethods,
        QueryFunction.QueryAttestationTypes,
      ],
    })
    assert.equal(told.rngParameters[0]?.rngAlgorithm, RNGAlgorithm.FIPS186_2)
    assert.equal(told.rngParameters.length, 1)
    assert.equal(told.validationInformation[0]?.validationLevel, 1)
    assert.deepEqual(told.clientRegistrationMethod, [ClientRegistrationMethod.ClientGenerated])
    assert.deepEqual(told.attestationType, [AttestationType.TPMQuote])
    const [capabilities] = told.capabilityInformation
    assert.equal(capabilities?.attestationCapability, true)
    assert.equal(capabilities?.rngMode, RNGMode.Unspecified)
    assert.equal(capabilities?.streamingCapability, true)
    const { uniqueIdentifier } = await succeed(under, 'Create', createRequest())
    const [rng] = (await attributesOf(under, uniqueIdentifier))['Random Number Generator'] ?? []
    assert.equal((rng as { rngAlgorithm: number }).rngAlgorithm, RNGAlgorithm.FIPS186_2)
  })

  test('without asynchronous requests there is no Poll and no Cancel, and Query says so', async () => {
    const under = openDispatcher({
      policy: { asynchronousOperations: 'none' },
      asynchronous: { asynchronousOperations: 'none' },
    })
    const told = await succeed(under, 'Query', {
      queryFunction: [QueryFunction.QueryOperations, QueryFunction.QueryCapabilities],
    })
    assert.ok(!told.operation.includes(Operation.Poll) && !told.operation.includes(Operation.Cancel))
    assert.equal(told.capabilityInformation[0]?.asynchronousCapability, false)
    const asynchronousCorrelationValue = Uint8Array.of(1)
    assert.equal(await outcome(under, 'Poll', { asynchronousCorrelationValue }), 'OperationNotSupported')
    assert.equal(await outcome(under, 'Cancel', { asynchronousCorrelationValue }), 'OperationNotSupported')
  })

  test('without streaming a part is refused, the whole is not, and Query says so', async () => {
    const under = openDispatcher({ policy: { streaming: 'off' } })
    const told = await succeed(under, 'Query', { queryFunction: [QueryFunction.QueryCapabilities] })
    assert.equal(told.capabilityInformation[0]?.streamingCapability, false)
    const hash = { cryptographicParameters: { hashingAlgorithm: HashingAlgorithm.SHA_256 }, data: Buffer.from('abc') }
    assert.equal(await outcome(under, 'Hash', hash), 'Success')
    assert.equal(await outcome(under, 'Hash', { ...hash, initIndicator: true, finalIndicator: true }), 'Success')
    assert.equal(await outcome(under, 'Hash', { ...hash, initIndicator: true }), 'FeatureNotSupported')
    const later = { correlationValue: Uint8Array.of(1), data: Buffer.from('abc') }
    assert.equal(await outcome(under, 'Encrypt', later), 'FeatureNotSupported')
  })
})
