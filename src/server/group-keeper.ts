/**
 * The keeper of filled groups (KMIP 1.4 §3.33, §3.34, §4.9): Object Groups in which the server keeps so many fresh keys ready, for
 * clients that locate a fresh member and take it. What it is: a count of what is fresh, and Create requests for what is
 * missing, so many a second. What it is not: another way to make keys: its requests go the way of a client's, as
 * nobody's own (`global`), so that all users of the domain may take them.
 *
 *     a client takes a key by Get ─▶ not fresh ─▶ one is missing ─▶ the next round makes one
 */
import type { Cancel, Clock } from '#actor/clock'
import { errorText } from '#actor/error-text'
import type { Attribute } from '#kmip/attribute'
import { CryptographicAlgorithm, CryptographicUsageMask, ObjectType, Operation, ResultStatus } from '#kmip/enums'
import { readResponse, writeRequest } from '#kmip/message'
import { majorOf, minorOf, newestVersion } from '#kmip/versions'
import { enumerationByName, enumerationNamed } from '#kmip/vocabulary'
import { storageStatus } from '#objects/locate-filter'
import { instancesOf, type ManagedObject, valueOf } from '#objects/managed-object'
import type { DurableChange } from '#operations/server-requests'
import { Transaction } from '#operations/transaction'
import type { Store, Table } from '#store/store'
import { BinaryReader, BinaryWriter } from '#ttlv/binary'

/** A group that the server fills. */
export interface FilledGroup {
  readonly name: string
  readonly cryptographicAlgorithm: number
  /** Bits. */
  readonly cryptographicLength: number
  /** Fresh keys that are kept ready. */
  readonly freshCount: number
}

/** A row of the setting that names no group that can be filled. */
export class FilledGroupRefused extends Error {
  override readonly name = 'FilledGroupRefused'
}

/** What becomes of the filling that somebody should know. */
export interface GroupKeeperLog {
  /** Keys could not be made: the group stays as it is until the next round. */
  groupNotFilled(group: string, reason: string): void
}

export interface GroupKeeperOptions {
  readonly groups: readonly FilledGroup[]
  /** The owner of the keys: nobody's. */
  readonly owner: string
  readonly store: Store
  readonly table: Table<ManagedObject>
  readonly clock: Clock
  /** Answers a request message as that owner's. */
  readonly answer: (request: Buffer) => Buffer | Promise<Buffer>
  /** Keys that are made in one second at most: a client that takes key after key must not fill the disk faster. */
  readonly keysPerSecondMax: number
  readonly log: GroupKeeperLog
}

const roundMs = 1_000
/** What was counted is counted anew after so long: a change may have come by another way. */
const recountMs = 600_000
/** After keys could not be made. */
const failureMs = 60_000
const answerLimits = { nestingDepthMax: 16, itemCountMax: 256 }

/**
 * A row of the setting: `default=AES:256:10`, ten AES keys of 256 bits in the group `default`.
 * @throws FilledGroupRefused for an algorithm that nobody knows
 */
export const filledGroupOf = (row: string): FilledGroup => {
  const [name = '', key = ''] = row.split('=')
  const [algorithm = '', length = '', count = ''] = key.split(':')
  const known = enumerationByName(enumerationNamed('CryptographicAlgorithm'), algorithm)
  if (known === undefined) throw new FilledGroupRefused(`${row}: ${algorithm} is no Cryptographic Algorithm`)
  return {
    name,
    cryptographicAlgorithm: known.value,
    cryptographicLength: Number(length),
    freshCount: Number(count),
  }
}

interface Kept {
  readonly group: FilledGroup
  /** Identifiers of the fresh keys. */
  readonly fresh: Set<string>
}

export class GroupKeeper {
  readonly #options: GroupKeeperOptions
  readonly #kept: readonly Kept[]
  #cancel: Cancel = () => undefined
  #stopped = false
  /** What the timer that runs will do. */
  #next: 'nothing' | 'round' | 'recount' | 'retry' = 'nothing'
  #working: Promise<void> = Promise.resolve()

  constructor(options: GroupKeeperOptions) {
    this.#options = options
    this.#kept = options.groups.map((group) => ({ group, fresh: new Set() }))
  }

  /**
   * Counts, and makes one key of each group that lacks some: what a setting gets wrong shows at the start.
   * @throws FilledGroupRefused when a key cannot be made
   */
  async start(): Promise<void> {
    if (this.#kept.length === 0) return
    await this.#count()
    for (const kept of this.#kept.filter(isLacking)) {
      const refusal = await this.#make(kept)
      if (refusal !== undefined)
        throw new FilledGroupRefused(`the group ${kept.group.name} cannot be filled: ${refusal}`)
    }
    this.#schedule(true)
  }

  /** Takes changes that are durable: what was taken, destroyed or made. */
  changed(changes: readonly DurableChange[]): void {
    if (this.#kept.length === 0) return
    for (const { previous, value } of changes) {
      const identifier = (value ?? previous)?.uniqueIdentifier
      if (identifier === undefined) continue
      for (const kept of this.#kept) {
        if (value !== undefined && this.#counts(value, kept.group)) kept.fresh.add(identifier)
        else kept.fresh.delete(identifier)
      }
    }
    if (this.#next === 'recount' && this.#kept.some(isLacking)) this.#schedule(true)
  }

  /** Resolves when the round that runs is done. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#working
  }

  /** Another setting than the last start's makes keys of another kind: those that are there are no part of its number. */
  #counts(object: ManagedObject, { name, cryptographicAlgorithm, cryptographicLength }: FilledGroup): boolean {
    return (
      object.owner === this.#options.owner &&
      valueOf(object, 'Cryptographic Algorithm') === cryptographicAlgorithm &&
      valueOf(object, 'Cryptographic Length') === cryptographicLength &&
      valueOf(object, 'Fresh') === true &&
      storageStatus(object) === 'online' &&
      instancesOf(object, 'Object Group').some(({ value }) => value === name)
    )
  }

  #schedule(good: boolean): void {
    this.#cancel()
    this.#next = 'nothing'
    if (this.#stopped) return
    const lacking = this.#kept.some(isLacking)
    const next = lacking ? (good ? 'round' : 'retry') : 'recount'
    this.#next = next
    this.#cancel = this.#options.clock.after({ round: roundMs, retry: failureMs, recount: recountMs }[next], () => {
      this.#next = 'nothing'
      this.#working = this.#round(next === 'recount').then((done) => this.#schedule(done))
    })
  }

  /** One second's work: the groups in turn, so that none waits for another to be full. False: it failed. Never rejects. */
  async #round(recount: boolean): Promise<boolean> {
    try {
      if (recount) await this.#count()
    } catch (error) {
      this.#tellAll(error)
      return false
    }
    let left = this.#options.keysPerSecondMax
    for (let lacking = this.#kept.filter(isLacking); lacking.length > 0; lacking = lacking.filter(isLacking)) {
      for (const kept of lacking) {
        if (left === 0 || this.#stopped) return true
        left -= 1
        const refusal = await this.#make(kept)
        if (refusal === undefined) continue
        this.#options.log.groupNotFilled(kept.group.name, refusal)
        return false
      }
    }
    return true
  }

  #tellAll(error: unknown): void {
    const reason = errorText(error)
    for (const { group } of this.#kept) this.#options.log.groupNotFilled(group.name, reason)
  }

  async #count(): Promise<void> {
    const { store, table, clock, owner } = this.#options
    for (const { group, fresh } of this.#kept) {
      const transaction = new Transaction(store, table, clock)
      const filters = [
        { name: 'Object Group', values: [group.name] },
        { name: 'Cryptographic Algorithm', values: [group.cryptographicAlgorithm] },
        { name: 'Cryptographic Length', values: [group.cryptographicLength] },
        { name: 'Fresh', values: [true] },
      ]
      const scope = {
        claimant: owner,
        access: [{ field: 'access', equals: owner }],
        storage: ['online'],
        permits: (object: ManagedObject) => object.owner === owner,
      }
      const { keys } = await transaction.find(filters, scope, 0, group.freshCount)
      fresh.clear()
      for (const key of keys) fresh.add(key)
    }
  }

  /** Makes one key; gives why it could not be made, or undefined. The change that it is counts it. */
  async #make({ group }: Kept): Promise<string | undefined> {
    try {
      const answer = await this.#options.answer(createRequest(group))
      const [item] = readResponse(new BinaryReader(answer, answerLimits, newestVersion)).batchItem
      return item?.resultStatus === ResultStatus.Success
        ? undefined
        : (item?.resultMessage ?? 'the request was refused')
    } catch (error) {
      return errorText(error)
    }
  }
}

const isLacking = ({ group, fresh }: Kept): boolean => fresh.size < group.freshCount

const { Encrypt, Decrypt, MACGenerate, MACVerify } = CryptographicUsageMask

/** What such a key is for: ciphers encrypt, the others make codes. */
const usageMaskOf = (cryptographicAlgorithm: number): number => {
  const [name] = Object.entries(CryptographicAlgorithm).find(([, value]) => value === cryptographicAlgorithm) ?? ['']
  return name.startsWith('HMAC') || name === 'Poly1305' ? MACGenerate | MACVerify : Encrypt | Decrypt
}

const createRequest = ({ name, cryptographicAlgorithm, cryptographicLength }: FilledGroup): Buffer => {
  const attribute: readonly Attribute[] = [
    { attributeName: 'Cryptographic Algorithm', attributeValue: cryptographicAlgorithm },
    { attributeName: 'Cryptographic Length', attributeValue: cryptographicLength },
    { attributeName: 'Cryptographic Usage Mask', attributeValue: usageMaskOf(cryptographicAlgorithm) },
    { attributeName: 'Object Group', attributeValue: name },
  ]
  const writer = new BinaryWriter(newestVersion)
  writeRequest(writer, {
    requestHeader: {
      protocolVersion: { protocolVersionMajor: majorOf(newestVersion), protocolVersionMinor: minorOf(newestVersion) },
      attestationType: [],
      batchCount: 1,
    },
    batchItem: [
      {
        operation: Operation.Create,
        requestPayload: { objectType: ObjectType.SymmetricKey, templateAttribute: { name: [], attribute } },
      },
    ],
  })
  return writer.bytes()
}
