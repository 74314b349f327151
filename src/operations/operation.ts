/**
 * What an operation is: one row with its code, versions, shapes, permission, reasons and behaviour, and what it is given to
 * work with. What it is not: any operation, or the batch around it (server/dispatch.ts).
 */

import type { CryptoRunner } from '#crypto/run'
import type { RequestedCertificate } from '#identity/authority'
import { permits } from '#identity/permissions'
import { domainOfOwner, type Permission, type Principal } from '#identity/principals'
import type { Assertions } from '#kmip/assertions'
import type { Attribute, TemplateAttribute } from '#kmip/attribute'
import { type CancellationResult, ObjectType, Operation, ResultReason } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import type { ResponseBatchItem } from '#kmip/message'
import { type PayloadName, payloads } from '#kmip/payloads/index'
import type { Version } from '#kmip/versions'
import { enumerationNamed } from '#kmip/vocabulary'
import type { AttributeLimits } from '#objects/attributes'
import type { WrappingPolicy } from '#objects/key-wrapping'
import { claimsOf } from '#objects/locate-filter'
import { type ManagedObject, valueOf, withValue } from '#objects/managed-object'
import { afterChange } from '#objects/new-object'
import { templateAttributesOf } from '#objects/templates'
import type { Infer } from '#ttlv/schema'
import type { ComputingPolicy } from './computing-policy.ts'
import { domainField } from './object-table.ts'
import type { StreamTable } from './streams.ts'
import type { Transaction } from './transaction.ts'

/** What the server decides and a client cannot: settings, each with its row in config.ts. */
export interface Policy extends AttributeLimits {
  readonly leaseTimeSeconds: number
  /** Of objects that replace another; undefined: the same. */
  readonly replacementLeaseTimeSeconds: number | undefined
  /** Identifiers that one Locate returns at most. */
  readonly locateItemsMax: number
  /** What comes first where a request names Maximum Items or Offset Items. */
  readonly locatePages: 'newest' | 'oldest'
  /** Destroy leaves nothing of the object; otherwise its attributes stay with its state. */
  readonly hardDelete: boolean
  /** Bits of an RSA, DSA or DH key that is made here, and of a symmetric one. */
  readonly createdRsaBitsMax: number
  readonly createdSymmetricBitsMax: number
  /** Bytes of an object that is registered. */
  readonly keyMaterialBytesMax: number
  readonly vendorIdentification: string
  /** What the deployment says of itself, told by Query in place of what the server knows (§4.25). */
  readonly assertions: Assertions
  /** Operations in parts (§2.1.15: the server decides which there are). */
  readonly streaming: 'on' | 'off'
  readonly httpsServed: boolean
  /** Create of a Symmetric Key without a Cryptographic Usage Mask, which Table 165 requires. */
  readonly missingUsageMask: 'refuse' | 'none'
  readonly asynchronousOperations: 'none' | 'slow' | 'all'
  readonly computing: ComputingPolicy
  readonly wrapping: WrappingPolicy
  /** Whether Get Attributes tells of archived objects, which §11.13 refuses. */
  readonly archivedAttributes: 'refuse' | 'give'
}

/** Requests that were taken to be answered later: what Poll and Cancel ask (§4.27, §4.28, §6.8). */
export interface BackgroundRequests {
  /** The result, an item that says pending, or undefined when this user has no such request. */
  poll(
    user: string,
    correlationValue: Uint8Array,
  ): ResponseBatchItem | undefined | Promise<ResponseBatchItem | undefined>
  cancel(user: string, correlationValue: Uint8Array): CancellationResult | Promise<CancellationResult>
}

/** What an operation gives whose answer is the item of another one: Poll (§4.28). */
export class AnswerOfAnother {
  readonly item: ResponseBatchItem

  constructor(item: ResponseBatchItem) {
    this.item = item
  }
}

/** Random bytes that are no keys (§4.35, §4.36). */
export interface RandomSource {
  bytes(length: number): Uint8Array
  seed(material: Uint8Array): void
}

/** The authority that certifies public keys (§4.7), as far as operations know it. */
export interface CertificateIssuer {
  /** DER; undefined as long as nothing was certified. */
  readonly certificate: Uint8Array | undefined
  /** A certificate, valid from `nowSeconds` (since 1970) on. @throws CertificateError */
  certify(request: RequestedCertificate, nowSeconds: number): Promise<Uint8Array>
}

/** What every message of the process shares. */
export interface Services {
  readonly policy: Policy
  readonly crypto: CryptoRunner
  /** Random bytes for clients, into which they may stir a seed. */
  readonly random: RandomSource
  /** Operations that come in parts and have not ended. */
  readonly streams: StreamTable
  /** A new Unique Identifier. */
  readonly newUniqueIdentifier: () => string
  /** Every operation of the server, and the object types that it keeps: what Query tells. */
  readonly operations: readonly OperationRow[]
  readonly objectTypes: ReadonlySet<number>
  readonly background: BackgroundRequests
  readonly issuer: CertificateIssuer
}

/** What an operation works with: one for all items of a message. */
export class Context {
  readonly version: Version
  /** Seconds since 1970: the time of the whole message. */
  readonly now: number
  readonly principal: Principal
  readonly transaction: Transaction
  readonly services: Services
  /** §4: the Unique Identifier that an item before this one returned; undefined after a Locate of several. */
  idPlaceholder: string | undefined

  constructor(version: Version, principal: Principal, transaction: Transaction, services: Services) {
    this.version = version
    this.now = transaction.now
    this.principal = principal
    this.transaction = transaction
    this.services = services
    this.idPlaceholder = undefined
  }

  /** Whether the request's version is this one or newer. */
  isAtLeast(version: Version): boolean {
    return this.version >= version
  }

  /**
   * The object that a request names, or the ID Placeholder's: existence and access are decided here and nowhere else.
   * @param storage `any` where an archived object is no refusal
   * @throws KmipError Item Not Found, Permission Denied, Object Archived
   */
  object(
    uniqueIdentifier: string | undefined,
    permission: Permission,
    storage: 'online' | 'any' = 'online',
  ): ManagedObject {
    const identifier = uniqueIdentifier ?? this.idPlaceholder
    if (identifier === undefined) {
      throw new KmipError(ResultReason.ItemNotFound, 'The request names no object and the ID Placeholder is empty')
    }
    const object = this.transaction.read(identifier)
    if (object === undefined) throw new KmipError(ResultReason.ItemNotFound)
    if (!permits(this.principal, object, permission)) throw new KmipError(ResultReason.PermissionDenied)
    if (storage === 'online' && object.attributes['Archive Date'] !== undefined)
      throw new KmipError(ResultReason.ObjectArchived)
    return object
  }

  /** Notes a change of an object, with the date of the change. */
  put(object: ManagedObject): void {
    this.transaction.put(this.#changed(object))
  }

  /**
   * Notes that an object is served, which is then fresh no longer (§3.34). Only a member of a group is ever looked for because
   * it is fresh, and must not be handed out twice: any other is served also while the disk is full.
   */
  served(object: ManagedObject): void {
    if (valueOf(object, 'Fresh') !== true) return
    const used = this.#changed(withValue(object, 'Fresh', false))
    if (valueOf(object, 'Object Group') === undefined) this.transaction.note(used)
    else this.transaction.put(used)
  }

  #changed(object: ManagedObject): ManagedObject {
    const attributes = { ...object.attributes, 'Last Change Date': [{ index: 0, value: this.now }] }
    return { ...object, attributes }
  }

  /** The object with what follows from a changed attribute. @throws KmipError Invalid Field for dates that now contradict one another. */
  afterChange(object: ManagedObject, before: ManagedObject): ManagedObject {
    return afterChange(object, before, this.now)
  }

  /** §3.2: no two objects of a domain have the same Name. @throws KmipError with the reason that the operation's table names. */
  checkNames(object: ManagedObject, reason: number): void {
    for (const claim of claimsOf(object)) {
      if (this.transaction.isClaimed(claim, object.uniqueIdentifier, claimsOf)) {
        throw new KmipError(reason, 'Another object has this Name already')
      }
    }
  }

  /**
   * The attributes of each Template that a Template-Attribute names, in order.
   * @throws KmipError `reason` for a Template that does not exist, Permission Denied, Object Archived
   */
  async templateAttributes(
    given: TemplateAttribute | undefined,
    reason: number = ResultReason.ItemNotFound,
  ): Promise<readonly (readonly Attribute[])[]> {
    const attributes: (readonly Attribute[])[] = []
    for (const name of given?.name ?? []) {
      const filters = [
        { name: 'Name', values: [name] },
        { name: 'Object Type', values: [ObjectType.Template] },
      ]
      // A Template that is there and not open is told from one that is not there; those of other domains are not there.
      const { domain } = this.principal
      const scope = {
        claimant: this.principal.user,
        access: [{ field: domainField, equals: domain }],
        storage: ['online', 'archived'],
        permits: ({ owner }: { readonly owner: string }) => domainOfOwner(owner) === domain,
      }
      const [key] = (await this.transaction.find(filters, scope, 0, 1)).keys
      if (key === undefined) throw new KmipError(reason, 'The Template does not exist')
      attributes.push(templateAttributesOf(this.object(key, 'read')))
    }
    return attributes
  }
}

type Request<N extends PayloadName> = Infer<(typeof payloads)[N]['request']>
type Response<N extends PayloadName> = Infer<(typeof payloads)[N]['response']>

/** Fields of a request's payload in which requests may differ that are the same otherwise: each a Byte String. */
export type VaryingField = 'data' | 'ivCounterNonce' | 'authenticatedEncryptionTag' | 'macData'
export type Varying = { readonly [Field in VaryingField]?: Uint8Array | undefined }

/** An operation that was decided but for what varies. */
export interface Prepared<Answer = unknown> {
  /** Seconds since 1970 from which on it is to be decided anew, beside what the dates of a State say. */
  readonly untilSeconds: number
  /** Does it. What is done in place gives its answer at once. @throws what `handle` throws because of what varies */
  readonly run: (varying: Varying) => Answer | Promise<Answer>
}

/** How an operation is decided for many requests at once. */
export interface Preparation<Request, Answer> {
  /** In what these requests may differ. */
  readonly varies: readonly VaryingField[]
  /** Decides all else; undefined where such a request does more than give a result. @throws what `handle` throws */
  readonly prepare: (request: Request, context: Context) => Prepared<Answer> | undefined
}

/** An operation, as its file declares it. */
export interface OperationDeclaration<N extends PayloadName> {
  readonly name: N
  /** Section of KMIP 1.4. */
  readonly section: string
  /** Result Reasons of the specification's error table that this operation raises. */
  readonly reasons: readonly (keyof typeof ResultReason)[]
  /**
   * `slow`: worth waiting for asynchronously. `control`: about asynchronous requests (§4.27, §4.28), so always answered at
   * once, and not there where none are asynchronous.
   */
  readonly asynchronous?: 'slow' | 'control'
  /** Its answer holds a key: no such answer leaves before its line of the audit trail is on the disk. */
  readonly reveals?: true
  /**
   * Whether its answer to this payload depends on nothing but version, sender, settings and store, so that the same request
   * has the same answer as long as these stay. Left out: never.
   */
  readonly repeatable?: (request: Request<N>) => boolean
  readonly handle: (request: Request<N>, context: Context) => Response<N> | Promise<Response<N>>
  /** Left out: every request is decided by itself. */
  readonly preparation?: Preparation<Request<N>, Response<N>>
}

/** Of operations that only read. */
export const always = (): boolean => true
const never = (): boolean => false

/** An operation's row. */
export interface OperationRow {
  readonly name: string
  readonly code: number
  readonly since: Version
  readonly until: Version
  readonly section: string
  readonly reasons: readonly string[]
  readonly asynchronous: 'slow' | 'control' | undefined
  readonly reveals: boolean
  readonly repeatable: (request: unknown) => boolean
  readonly handle: (request: unknown, context: Context) => unknown
  readonly preparation: Preparation<unknown, unknown> | undefined
}

const operationValues = enumerationNamed('Operation').values

/** Completes a declaration with what the registry knows of the operation. */
export const operation = <N extends PayloadName>(declaration: OperationDeclaration<N>): OperationRow => {
  const code = Operation[declaration.name]
  const row = operationValues.find((value) => value.value === code)
  if (row === undefined) throw new TypeError(`the registry has no operation ${declaration.name}`)
  return {
    name: declaration.name,
    code,
    since: row.since,
    until: row.until ?? Number.MAX_SAFE_INTEGER,
    section: declaration.section,
    reasons: declaration.reasons,
    asynchronous: declaration.asynchronous,
    reveals: declaration.reveals ?? false,
    repeatable: (declaration.repeatable as OperationRow['repeatable'] | undefined) ?? never,
    handle: declaration.handle as OperationRow['handle'],
    preparation: declaration.preparation as OperationRow['preparation'],
  }
}
