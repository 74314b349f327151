/**
 * The load that a server dies under: clients that make keys, pairs and batches, change and destroy some, and write down what
 * was promised and what they were not told. What it is: the clients. What it is not: the death or the comparison (rounds.ts).
 */
import assert from 'node:assert/strict'
import { attribute, nameAttribute } from '#client/attribute'
import { type Client, createClient } from '#client/client'
import { ConnectionLost } from '#client/errors'
import type { Attribute } from '#kmip/attribute'
import {
  CryptographicAlgorithm,
  CryptographicUsageMask,
  KeyFormatType,
  ObjectType,
  RecommendedCurve,
  State,
} from '#kmip/enums'
import type { RunningServer } from '#test/running-server'
import type { SeededRandom } from '#test/seeded-random'
import type { Attempt, Promised } from './ledger.ts'

/** What the clients know. */
export interface Load {
  readonly server: RunningServer
  readonly ledger: Promised[]
  /** Sent and not answered. */
  readonly attempts: Set<Attempt>
  readonly random: SeededRandom
  /** Makes names that nothing had before. */
  readonly newName: () => string
  /** Requests that are sent and not answered. */
  inFlight: number
  /** From here on a lost connection is what must happen. */
  dying: boolean
}

/** One client: makes objects, activates some, destroys some, until the server is gone. */
export const work = async (load: Load): Promise<void> => {
  const client = createClient({ ...load.server.connection, pipelineMax: 1 })
  try {
    for (;;) await oneRequest(client, load)
  } catch (error) {
    // Only the death may break a connection; whatever came before it is a finding.
    if (!load.dying || !(error instanceof ConnectionLost)) throw error
  } finally {
    client.transport.destroy()
  }
}

const oneRequest = async (client: Client, load: Load): Promise<void> => {
  const kind = load.random.below(16)
  if (kind === 0) return onePair(client, load)
  if (kind === 1) return oneActiveKey(client, load)
  const material = load.random.below(2) === 0 ? load.random.bytes(32) : undefined
  const name = load.newName()
  const make = material === undefined ? create(client, name) : register(client, material, name)
  const { uniqueIdentifier } = await attempted(load, { kind: 'key', names: [name] }, make)
  const promised: Promised = { uniqueIdentifier, name, material, state: State.PreActive, uncertain: false }
  load.ledger.push(promised)
  const fate = load.random.below(8)
  if (fate > 1) return
  promised.uncertain = true
  if (fate === 0) await counted(load, client.activate({ uniqueIdentifier }))
  else await counted(load, client.destroy({ uniqueIdentifier }))
  promised.state = fate === 0 ? State.Active : State.Destroyed
  promised.uncertain = false
}

/** Two objects that one commit makes. */
const onePair = async (client: Client, load: Load): Promise<void> => {
  const [privateName, publicName] = [load.newName(), load.newName()]
  const template = (name: string, mask: number) => ({
    attribute: [nameAttribute(name), attribute('Cryptographic Usage Mask', mask)],
  })
  const make = client.createKeyPair({
    commonTemplateAttribute: {
      attribute: [
        attribute('Cryptographic Algorithm', CryptographicAlgorithm.ECDSA),
        attribute('Cryptographic Domain Parameters', { recommendedCurve: RecommendedCurve.P_256 }),
      ],
    },
    privateKeyTemplateAttribute: template(privateName, CryptographicUsageMask.Sign),
    publicKeyTemplateAttribute: template(publicName, CryptographicUsageMask.Verify),
  })
  const pair = await attempted(load, { kind: 'pair', names: [privateName, publicName] }, make)
  const made = { material: undefined, state: State.PreActive, uncertain: false }
  load.ledger.push({ ...made, uniqueIdentifier: pair.privateKeyUniqueIdentifier, name: privateName })
  load.ledger.push({ ...made, uniqueIdentifier: pair.publicKeyUniqueIdentifier, name: publicName })
}

/** A batch, whose items are one commit too. */
const oneActiveKey = async (client: Client, load: Load): Promise<void> => {
  const name = load.newName()
  const make = client.batch([
    { operation: 'Create', payload: keyRequest([nameAttribute(name)]) },
    { operation: 'Activate' },
  ])
  const [made, activated] = await attempted(load, { kind: 'active key', names: [name] }, make)
  assert.ok(made.status === 'success' && activated.status === 'success')
  const { uniqueIdentifier } = made.payload
  load.ledger.push({ uniqueIdentifier, name, material: undefined, state: State.Active, uncertain: false })
}

/** Notes what is asked for until it is answered. */
const attempted = async <T>(load: Load, attempt: Attempt, request: Promise<T>): Promise<T> => {
  load.attempts.add(attempt)
  const answer = await counted(load, request)
  load.attempts.delete(attempt)
  return answer
}

const counted = async <T>(load: Load, request: Promise<T>): Promise<T> => {
  load.inFlight += 1
  try {
    return await request
  } finally {
    load.inFlight -= 1
  }
}

const keyAttributes = [
  attribute('Cryptographic Algorithm', CryptographicAlgorithm.AES),
  attribute('Cryptographic Length', 256),
  attribute('Cryptographic Usage Mask', CryptographicUsageMask.Encrypt | CryptographicUsageMask.Decrypt),
]

const keyRequest = (more: readonly Attribute[]) => ({
  objectType: ObjectType.SymmetricKey,
  templateAttribute: { attribute: [...keyAttributes, ...more] },
})

const named = (name: string | undefined): readonly Attribute[] => (name === undefined ? [] : [nameAttribute(name)])

/** A key that the server makes. */
export const create = (client: Client, name?: string): Promise<{ readonly uniqueIdentifier: string }> =>
  client.create(keyRequest(named(name)))

/** A key that the client brings. */
export const register = (
  client: Client,
  material: Buffer,
  name?: string,
): Promise<{ readonly uniqueIdentifier: string }> =>
  client.register({
    ...keyRequest(named(name)),
    symmetricKey: {
      keyBlock: {
        keyFormatType: KeyFormatType.Raw,
        keyValue: { keyMaterial: material, attribute: [] },
        cryptographicAlgorithm: CryptographicAlgorithm.AES,
        cryptographicLength: 256,
      },
    },
  })
