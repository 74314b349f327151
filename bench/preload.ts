/**
 * The objects that a measurement asks for: made before it or found again, destroyed after it. What it is not: part of what
 * is measured.
 */
import { attribute, nameAttribute } from '#client/attribute'
import { type Client, type ClientOptions, createClient } from '#client/client'
import { ConnectionLost, KmipResponseError, RequestTimeout } from '#client/errors'
import type { BatchRequest } from '#client/operation-methods'
import { Transport } from '#client/transport'
import {
  CryptographicAlgorithm,
  CryptographicUsageMask,
  KeyFormatType,
  ObjectType,
  RecommendedCurve,
  RevocationReasonCode,
} from '#kmip/enums'
import { newestVersion } from '#kmip/versions'
import { interruption } from './interruption.ts'
import { type KeyKind, keyAttributes, type Preloaded, requestsOf, scenarioOf } from './scenarios/index.ts'

/** How fast objects are made. */
export interface LoaderOptions {
  readonly clients: number
  /** Messages in flight on each session: enough for a server that shares one disk write among many. */
  readonly pipeline: number
  /** Items of each message. */
  readonly batch: number
}

/** Fast with a server that takes batches; small enough for one that allows few items. */
export const defaultLoader: LoaderOptions = { clients: 4, pipeline: 4, batch: 64 }

/** Told now and then how many are done. */
export type OnCount = (done: number) => void

const progressEach = 50_000

/**
 * Work on every batch of indices below `count`, by a few clients at once.
 * @throws the first error of any, when what was under way beside it has ended: nothing is made behind its back
 */
const onEvery = async (
  options: ClientOptions,
  { clients: clientCount, pipeline, batch }: LoaderOptions,
  count: number,
  onCount: OnCount,
  work: (client: Client, indices: readonly number[]) => Promise<void>,
): Promise<void> => {
  const clients = Array.from({ length: clientCount }, () => createClient({ ...options, pipelineMax: pipeline }))
  let next = 0
  let done = 0
  let told = 0
  /** Does the next batch, and gives whether there is another one. */
  const turn = async (client: Client): Promise<boolean> => {
    const first = next
    next = Math.min(count, next + batch)
    const indices = Array.from({ length: next - first }, (_, index) => first + index)
    try {
      await work(client, indices)
    } catch (error) {
      next = count
      throw error
    }
    done += indices.length
    if (done - told >= progressEach) onCount((told = done))
    return next < count
  }
  const lane = async (client: Client): Promise<void> => {
    let isMore = next < count
    while (isMore) isMore = await turn(client)
  }
  try {
    // The first batch alone: a server that refuses it is not asked by all at once, each of them a guess where a password is wrong.
    const [client] = clients
    if (client !== undefined && count > 0) await turn(client)
    const lanes = clients.flatMap((each) => Array.from({ length: pipeline }, () => lane(each)))
    const failed = (await Promise.allSettled(lanes)).find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  } finally {
    for (const each of clients) each.transport.destroy()
  }
}

/**
 * The payloads of a batch's successes.
 * @param onSome told when the message was not refused as a whole, so that some of it was carried out or may have been
 * @throws the error of the first item that has none
 */
const payloadsOf = async (
  client: Client,
  items: readonly BatchRequest[],
  onSome: () => void = () => undefined,
): Promise<readonly unknown[]> => {
  const results = await client.batch(items).catch((error: unknown) => {
    const wasSent = !((error instanceof ConnectionLost || error instanceof RequestTimeout) && !error.sent)
    if (wasSent && !(error instanceof KmipResponseError)) onSome()
    throw error
  })
  onSome()
  return results.map((result) => {
    if (result.status === 'success') return result.payload
    throw result.status === 'failure' ? result.error : new Error(`the server stopped before ${result.operation}`)
  })
}

const nameOf = (prefix: string, index: number): string => `${prefix}-${index}`

/**
 * Makes AES-256 keys with names of their own: the prefix, a hyphen and a number from 0 on.
 * @param used how many of them are given back, evenly over all
 * @param onSome told when some are there, or may be
 * @throws the error of the first that cannot be made; those before it are there then (`unload`)
 */
export const preload = async (
  options: ClientOptions,
  count: number,
  prefix: string,
  used: number,
  loader: LoaderOptions,
  onCount: OnCount,
  onSome: () => void = () => undefined,
): Promise<Preloaded[]> => {
  const stride = Math.max(1, Math.ceil(count / Math.max(1, used)))
  const objects: Preloaded[] = []
  await onEvery(options, loader, count, onCount, async (client, indices) => {
    interruption.throwIfAborted()
    const payloads = await payloadsOf(
      client,
      indices.map((index) => ({
        operation: 'Create',
        payload: {
          objectType: ObjectType.SymmetricKey,
          templateAttribute: { attribute: [...keyAttributes, nameAttribute(nameOf(prefix, index))] },
        },
      })),
      onSome,
    )
    payloads.forEach((payload, at) => {
      const index = indices[at] ?? 0
      const { uniqueIdentifier } = payload as { readonly uniqueIdentifier: string }
      if (index % stride === 0) objects[index / stride] = { uniqueIdentifier, name: nameOf(prefix, index) }
    })
  })
  return objects
}

/**
 * Finds objects again that an earlier measurement kept.
 * @throws Error when one of them is not there
 */
export const refind = async (
  options: ClientOptions,
  count: number,
  prefix: string,
  used: number,
  loader: LoaderOptions,
): Promise<Preloaded[]> => {
  const stride = Math.max(1, Math.ceil(count / Math.max(1, used)))
  const objects = await named(options, count, prefix, stride, loader)
  objects.forEach((object, index) => {
    if (object === undefined)
      throw new Error(`there is no object named ${nameOf(prefix, index * stride)}: was it kept?`)
  })
  return objects.filter((object) => object !== undefined)
}

/** Looks for objects by their names, every how-manieth; undefined in the place of one that is not there. */
const named = async (
  options: ClientOptions,
  count: number,
  prefix: string,
  stride: number,
  loader: LoaderOptions,
): Promise<(Preloaded | undefined)[]> => {
  const objects: (Preloaded | undefined)[] = Array.from({ length: Math.ceil(count / stride) }, () => undefined)
  const silent = (): void => undefined
  await onEvery(options, loader, objects.length, silent, async (client, indices) => {
    const payloads = await payloadsOf(
      client,
      indices.map((index) => ({
        operation: 'Locate',
        payload: { attribute: [nameAttribute(nameOf(prefix, index * stride))] },
      })),
    )
    payloads.forEach((payload, at) => {
      const index = indices[at] ?? 0
      const name = nameOf(prefix, index * stride)
      const [uniqueIdentifier] = (payload as { readonly uniqueIdentifier: readonly string[] }).uniqueIdentifier
      objects[index] = uniqueIdentifier === undefined ? undefined : { uniqueIdentifier, name }
    })
  })
  return objects
}

/**
 * Has each of these objects given out once, with as many requests under way as a server shares a disk write among. What
 * becomes of them is not looked at: what is refused now is refused, and counted, later.
 * @throws ConnectionLost, RequestTimeout when the server does not answer
 */
export const fetchOnce = async (options: ClientOptions, objects: readonly Preloaded[]): Promise<void> => {
  const frame = {
    version: options.version ?? newestVersion,
    ...(options.credentials && { credentials: options.credentials }),
  }
  const requests = requestsOf(scenarioOf('get'), { objects, keys: {}, dataSize: 0 }, frame, 1)
  const transports = Array.from(
    { length: fetchSessions },
    () => new Transport({ ...options, pipelineMax: fetchPipeline }),
  )
  let next = 0
  const lane = async (transport: Transport): Promise<void> => {
    for (let request = requests[next]; request !== undefined; request = requests[next]) {
      interruption.throwIfAborted()
      next += 1
      await transport.send(request)
    }
  }
  try {
    await Promise.all(transports.flatMap((transport) => Array.from({ length: fetchPipeline }, () => lane(transport))))
  } finally {
    for (const transport of transports) transport.destroy()
  }
}

const fetchSessions = 8
const fetchPipeline = 32

/** Destroys objects again. Where only some are known, or not all were made, those that are there are found by their names. */
export const unload = async (
  options: ClientOptions,
  count: number,
  prefix: string,
  objects: readonly Preloaded[],
  loader: LoaderOptions,
): Promise<void> => {
  const all =
    objects.length >= count
      ? objects
      : (await named(options, count, prefix, 1, loader)).filter((object) => object !== undefined)
  const silent = (): void => undefined
  await onEvery(options, loader, all.length, silent, async (client, indices) => {
    await payloadsOf(
      client,
      indices.map((index) => ({
        operation: 'Destroy',
        payload: { uniqueIdentifier: all[index]?.uniqueIdentifier },
      })),
    )
  })
}

/** A Create of an AES-256 key, and a Register of one for HMAC-SHA-256. */
export const aesKey = { objectType: ObjectType.SymmetricKey, templateAttribute: { attribute: keyAttributes } }

export const hmacKey = {
  objectType: ObjectType.SymmetricKey,
  templateAttribute: {
    attribute: [attribute('Cryptographic Usage Mask', CryptographicUsageMask.MACGenerate)],
  },
  symmetricKey: {
    keyBlock: {
      keyFormatType: KeyFormatType.Raw,
      cryptographicAlgorithm: CryptographicAlgorithm.HMAC_SHA256,
      cryptographicLength: 256,
      keyValue: { keyMaterial: Buffer.alloc(32, 0x5a) },
    },
  },
} as const

const pairAttributes = {
  rsa: [attribute('Cryptographic Algorithm', CryptographicAlgorithm.RSA), attribute('Cryptographic Length', 2048)],
  p256: [
    attribute('Cryptographic Algorithm', CryptographicAlgorithm.ECDSA),
    attribute('Cryptographic Domain Parameters', { recommendedCurve: RecommendedCurve.P_256 }),
  ],
} as const

const makePair = async (client: Client, kind: 'rsa' | 'p256'): Promise<readonly string[]> => {
  const { privateKeyUniqueIdentifier, publicKeyUniqueIdentifier } = await client.createKeyPair({
    commonTemplateAttribute: { attribute: pairAttributes[kind] },
    privateKeyTemplateAttribute: {
      attribute: [attribute('Cryptographic Usage Mask', CryptographicUsageMask.Sign)],
    },
    publicKeyTemplateAttribute: {
      attribute: [attribute('Cryptographic Usage Mask', CryptographicUsageMask.Verify)],
    },
  })
  return [privateKeyUniqueIdentifier, publicKeyUniqueIdentifier]
}

const makeKey = async (client: Client, kind: KeyKind): Promise<readonly string[]> => {
  if (kind === 'aes') return [(await client.create(aesKey)).uniqueIdentifier]
  if (kind === 'hmac') return [(await client.register(hmacKey)).uniqueIdentifier]
  return makePair(client, kind)
}

/** Keys to compute with, and their end. */
export interface Keys {
  readonly identifiers: Readonly<Partial<Record<KeyKind, string>>>
  destroy(): Promise<void>
}

/** Makes an active key of each kind. @throws the error of the first that cannot be made; those before it are destroyed */
export const makeKeys = async (options: ClientOptions, kinds: readonly KeyKind[]): Promise<Keys> => {
  const identifiers: Partial<Record<KeyKind, string>> = {}
  const made: string[] = []
  const active: string[] = []
  const destroy = async (): Promise<void> => {
    const last = createClient(options)
    try {
      for (const uniqueIdentifier of active) {
        await last.revoke({
          uniqueIdentifier,
          revocationReason: { revocationReasonCode: RevocationReasonCode.CessationOfOperation },
        })
      }
      for (const uniqueIdentifier of made) await last.destroy({ uniqueIdentifier })
    } finally {
      last.transport.destroy()
    }
  }
  const client = createClient(options)
  try {
    for (const kind of new Set(kinds)) {
      const ids = await makeKey(client, kind).catch((cause: unknown) => {
        throw new Error(`a key of the kind ${kind} cannot be made`, { cause })
      })
      const [first] = ids
      made.push(...ids)
      if (first === undefined) continue
      await client.activate({ uniqueIdentifier: first })
      active.push(first)
      identifiers[kind] = first
    }
  } catch (error) {
    // The error that is told is the one that stopped it; these keys can hardly be destroyed where it breaks that too.
    await destroy().catch(() => undefined)
    throw error
  } finally {
    client.transport.destroy()
  }
  return { identifiers, destroy }
}
