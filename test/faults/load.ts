/**
 * The load that a server dies under: clients that make keys, pairs, secrets and batches, and change those that there are, and
 * write down what was promised and what they were not told. What it is: the clients. What it is not: the death or the comparison
 * (rounds.ts), or the administration (administrator.ts).
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
  SecretDataType,
  State,
} from '#kmip/enums'
import type { RunningServer } from '#test/running-server'
import type { SeededRandom } from '#test/seeded-random'
import { changes, usageLimits, usageTotal } from './changes.ts'
import { type Attempt, type Facts, type Promised, promisedObject, somebody } from './ledger.ts'

/** What the clients know. */
export interface Load {
  readonly server: RunningServer
  readonly ledger: Promised[]
  /** Objects that were changed, or were to be. */
  readonly touched: Set<Promised>
  /** Sent and not answered. */
  readonly attempts: Set<Attempt>
  /** Something was acknowledged: operation and object, as a line of the audit trail names them. */
  readonly acknowledge: (what: string) => void
  readonly random: SeededRandom
  /** Makes names that nothing had before. */
  readonly newName: () => string
  /** Requests that are sent and not answered. */
  inFlight: number
  /** From here on a lost connection is what must happen. */
  dying: boolean
}

/**
 * One client: makes objects, changes some and some of those that were given to it, until the server is gone.
 * @param given objects that nobody else changes meanwhile
 */
export const work = async (load: Load, given: readonly Promised[]): Promise<void> => {
  const client = createClient({ ...load.server.connection, pipelineMax: 1 })
  const own = [...given]
  try {
    for (;;) await oneRequest(client, load, own)
  } catch (error) {
    // Only the death may break a connection; whatever came before it is a finding.
    if (!load.dying || !(error instanceof ConnectionLost)) throw error
  } finally {
    client.transport.destroy()
  }
}

const oneRequest = async (client: Client, load: Load, own: Promised[]): Promise<void> => {
  const kind = load.random.below(16)
  if (kind === 0) return onePair(client, load)
  if (kind === 1) return oneActiveKey(client, load)
  if (kind === 2) return oneSecret(client, load)
  if (kind > 9 && own.length > 0) {
    const changed = load.random.pick(own)
    return load.random.below(8) === 0 ? oneReplacement(client, load, own, changed) : oneChange(client, load, changed)
  }
  const material = load.random.below(2) === 0 ? load.random.bytes(32) : undefined
  const isLimited = load.random.below(4) === 0
  const name = load.newName()
  const more = isLimited ? [usageLimits] : []
  const make = material === undefined ? create(client, name, more) : register(client, material, name, more)
  const { uniqueIdentifier } = await attempted(load, { kind: 'key', names: [name] }, make)
  note(load, material === undefined ? 'Create' : 'Register', uniqueIdentifier)
  const facts: Facts = { state: State.PreActive, name, left: isLimited ? usageTotal : undefined }
  const promised = promisedObject(uniqueIdentifier, facts, material)
  load.ledger.push(promised)
  own.push(promised)
}

/** Something that may be done to it. */
const oneChange = async (client: Client, load: Load, promised: Promised): Promise<void> => {
  const { uniqueIdentifier, facts } = promised
  const possible = changes.filter(({ may }) => may(facts))
  const { operation, next, send } = load.random.pick(possible)
  const value = load.newName()
  load.touched.add(promised)
  promised.asked = next(facts, value)
  await counted(load, send(client, uniqueIdentifier, value))
  note(load, operation, uniqueIdentifier)
  promised.facts = promised.asked
  promised.asked = undefined
}

/** A key takes the place and the Name of another, in one commit. */
const oneReplacement = async (client: Client, load: Load, own: Promised[], replaced: Promised): Promise<void> => {
  const { uniqueIdentifier, facts } = replaced
  const { state, name, left } = facts
  const isReplaceable = replaced.isSymmetricKey && (state === State.PreActive || state === State.Active)
  if (name === undefined || !isReplaceable) return
  load.touched.add(replaced)
  replaced.asked = { ...facts, name: undefined, replacedBy: somebody }
  const attempt: Attempt = { kind: 'replacement', names: [name], replaces: uniqueIdentifier }
  const made = await attempted(load, attempt, client.reKey({ uniqueIdentifier }))
  note(load, 'ReKey', made.uniqueIdentifier)
  replaced.facts = { ...replaced.asked, replacedBy: made.uniqueIdentifier }
  replaced.asked = undefined
  const promised = promisedObject(made.uniqueIdentifier, {
    ...facts,
    left: left === undefined ? undefined : usageTotal,
  })
  load.ledger.push(promised)
  own.push(promised)
}

const oneSecret = async (client: Client, load: Load): Promise<void> => {
  const [name, material] = [load.newName(), load.random.bytes(24)]
  const make = client.register({
    objectType: ObjectType.SecretData,
    templateAttribute: {
      attribute: [attribute('Cryptographic Usage Mask', CryptographicUsageMask.DeriveKey), nameAttribute(name)],
    },
    secretData: {
      secretDataType: SecretDataType.Password,
      keyBlock: { keyFormatType: KeyFormatType.Opaque, keyValue: { keyMaterial: material, attribute: [] } },
    },
  })
  const { uniqueIdentifier } = await attempted(load, { kind: 'key', names: [name] }, make)
  note(load, 'Register', uniqueIdentifier)
  const promised = promisedObject(uniqueIdentifier, { state: State.PreActive, name }, material)
  load.ledger.push({ ...promised, isSymmetricKey: false })
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
  note(load, 'CreateKeyPair', pair.privateKeyUniqueIdentifier)
  const made: readonly (readonly [string, string])[] = [
    [pair.privateKeyUniqueIdentifier, privateName],
    [pair.publicKeyUniqueIdentifier, publicName],
  ]
  for (const [uniqueIdentifier, name] of made) {
    const promised = promisedObject(uniqueIdentifier, { state: State.PreActive, name })
    load.ledger.push({ ...promised, isSymmetricKey: false })
  }
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
  note(load, 'Create', uniqueIdentifier)
  note(load, 'Activate', uniqueIdentifier)
  load.ledger.push(promisedObject(uniqueIdentifier, { state: State.Active, name }))
}

const note = ({ acknowledge }: Load, operation: string, uniqueIdentifier: string): void =>
  acknowledge(`${operation} ${uniqueIdentifier}`)

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
export const create = (
  client: Client,
  name?: string,
  more: readonly Attribute[] = [],
): Promise<{ readonly uniqueIdentifier: string }> => client.create(keyRequest([...named(name), ...more]))

/** A key that the client brings. */
export const register = (
  client: Client,
  material: Buffer,
  name?: string,
  more: readonly Attribute[] = [],
): Promise<{ readonly uniqueIdentifier: string }> =>
  client.register({
    ...keyRequest([...named(name), ...more]),
    symmetricKey: {
      keyBlock: {
        keyFormatType: KeyFormatType.Raw,
        keyValue: { keyMaterial: material, attribute: [] },
        cryptographicAlgorithm: CryptographicAlgorithm.AES,
        cryptographicLength: 256,
      },
    },
  })
