/**
 * What is fuzzed without a socket: framer, the three encodings, the dispatcher. What it is: for each a stream of faulty messages
 * from a seed, and what must hold for every one of them. What it is not: a server (live.ts), or the command (command.ts).
 */
import assert from 'node:assert/strict'
import { SettableClock } from '#actor/clock'
import { awaitable } from '#actor/later'
import { executeJob } from '#crypto/jobs'
import type { CryptoRunner } from '#crypto/run'
import { ResultReason } from '#kmip/enums'
import { type ResponseMessage, readRequest, readResponse } from '#kmip/message'
import { Tag } from '#kmip/tags'
import { vocabulary } from '#kmip/vocabulary'
import { binaryEncoding, type Encoding, jsonEncoding, xmlEncoding } from '#server/encodings'
import { alice, callerOf, type DispatcherUnderTest, openDispatcher, succeed } from '#test/dispatcher'
import { certificate, createKey, pairRequest, secretRequest } from '#test/sample-objects'
import { seededRandom } from '#test/seeded-random'
import { BinaryReader, decodeItem, encodeItem } from '#ttlv/binary'
import { TtlvError } from '#ttlv/error'
import { Framer } from '#ttlv/framer'
import { encodeJson } from '#ttlv/json'
import { encodeXml } from '#ttlv/xml'
import { makeCorpus, type Targets } from './corpus.ts'
import { mutations } from './mutate.ts'
import { textMutations } from './mutate-text.ts'

const limits = { nestingDepthMax: 32, itemCountMax: 5000 }

/** What became of one message: whether it was taken. Throws what must not be. */
type Trial = (message: Buffer) => boolean | Promise<boolean>

/** Something to fuzz. */
export interface Target {
  readonly messages: (seed: number) => Generator<Buffer, never>
  /** Ready to be tried; made anew now and then, so that what it keeps stays small. */
  readonly open: (seed: number) => Trial | Promise<Trial>
}

const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(certificate).toString('base64')}\n-----END CERTIFICATE-----\n`

const here: CryptoRunner = { run: async (job) => executeJob(job), close: async () => undefined }

/** A dispatcher with the objects that the messages name: time and luck are the same each time, and so are identifiers. */
const openWithObjects = async (): Promise<{ readonly under: DispatcherUnderTest; readonly targets: Targets }> => {
  const random = seededRandom(1)
  const entropy = { bytes: (length: number) => new Uint8Array(random.bytes(length)) }
  const under = openDispatcher({ crypto: here, entropy, clock: new SettableClock() })
  const symmetricKey = await createKey(under)
  const pair = await succeed(under, 'CreateKeyPair', pairRequest())
  const secret = await succeed(under, 'Register', secretRequest())
  const targets = {
    symmetricKey,
    privateKey: pair.privateKeyUniqueIdentifier,
    publicKey: pair.publicKeyUniqueIdentifier,
    secretData: secret.uniqueIdentifier,
  }
  return { under, targets }
}

const corpus = makeCorpus((await openWithObjects()).targets, pem)
const trees = corpus.map((message) => decodeItem(message, limits))
const xmlCorpus = trees.map((tree) => encodeXml(tree, vocabulary))
const jsonCorpus = trees.map((tree) => encodeJson(tree, vocabulary))

function* bytesOf(texts: Generator<string, never>): Generator<Buffer, never> {
  for (;;) yield Buffer.from(texts.next().value)
}

/** True when it does its work, false when it refuses with the codec's own error. @throws anything else */
const taken = (run: () => void): boolean => {
  try {
    run()
    return true
  } catch (error) {
    if (error instanceof TtlvError) return false
    throw error
  }
}

/** Whatever is read is written as something that is read as the same. */
const tryEncoding =
  (encoding: Encoding, encode: (tree: ReturnType<typeof decodeItem>) => Uint8Array): Trial =>
  (message) =>
    taken(() => {
      const tree = encoding.tree(message, limits)
      assert.deepEqual(encodeItem(encoding.tree(encode(tree), limits)), encodeItem(tree))
      readRequest(encoding.open(message, limits))
    })

const tryFramer =
  (seed: number): Trial =>
  (message) => {
    const random = seededRandom(seed + message.length)
    const framer = new Framer(Tag.RequestMessage, 65_536)
    let given = 0
    return taken(() => {
      for (let at = 0; at < message.length; ) {
        const next = at + 1 + random.below(random.pick([8, 200, message.length]))
        framer.push(message.subarray(at, next))
        at = next
        for (let whole = framer.next(); whole !== undefined; whole = framer.next()) {
          assert.equal(whole.readUInt32BE(4) + 8, whole.length)
          assert.ok(whole.equals(message.subarray(given, given + whole.length)))
          given += whole.length
        }
        assert.ok(framer.pendingBytes <= 65_536 + message.length)
      }
    })
  }

const encodingOf = (message: Buffer): Encoding => {
  const first = String.fromCharCode(message[0] ?? 0)
  return first === '<' ? xmlEncoding : first === '{' ? jsonEncoding : binaryEncoding
}

const tryDispatcher = async (): Promise<Trial> => {
  const { under } = await openWithObjects()
  const caller = callerOf(under, alice)
  return async (message) => {
    const encoding = encodingOf(message)
    const response = readAnswer(encoding, await awaitable(under.dispatcher.answer(message, caller, encoding)))
    const [failure] = under.failures.splice(0)
    assert.ok(failure === undefined, `a failure inside ${failure?.place}: ${errorText(failure?.error)}`)
    assert.equal(response.responseHeader.batchCount, response.batchItem.length)
    for (const { resultReason } of response.batchItem) assert.notEqual(resultReason, ResultReason.GeneralFailure)
    return response.batchItem.every(({ resultReason }) => resultReason === undefined)
  }
}

const errorText = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))

/** Messages of all encodings: as many binary ones as others. */
function* mixed(seed: number): Generator<Buffer, never> {
  const random = seededRandom(seed)
  const [binary, xml, json] = [
    mutations(seed, corpus),
    bytesOf(textMutations(seed, xmlCorpus)),
    bytesOf(textMutations(seed, jsonCorpus)),
  ]
  for (;;) yield random.pick([binary, binary, xml, json]).next().value
}

const readAnswer = (encoding: Encoding, answer: Buffer): ResponseMessage =>
  readResponse(encoding === binaryEncoding ? new BinaryReader(answer, limits) : encoding.open(answer, limits))

/** The targets by name. */
export const targets: Readonly<Record<string, Target>> = {
  framer: { messages: (seed) => mutations(seed, corpus), open: tryFramer },
  binary: { messages: (seed) => mutations(seed, corpus), open: () => tryEncoding(binaryEncoding, encodeItem) },
  xml: {
    messages: (seed) => bytesOf(textMutations(seed, xmlCorpus)),
    open: () => tryEncoding(xmlEncoding, (tree) => Buffer.from(encodeXml(tree, vocabulary))),
  },
  json: {
    messages: (seed) => bytesOf(textMutations(seed, jsonCorpus)),
    open: () => tryEncoding(jsonEncoding, (tree) => Buffer.from(encodeJson(tree, vocabulary))),
  },
  dispatcher: { messages: mixed, open: tryDispatcher },
}

/** What must not be, with the message that brought it about. */
export interface Finding {
  readonly what: string
  readonly index: number
  readonly message: string
}

export interface TargetReport {
  readonly messages: number
  readonly accepted: number
  readonly findings: readonly Finding[]
  readonly slowestMs: number
  readonly slowest: string
  readonly tookMs: number
}

export interface FuzzTargetOptions {
  readonly messages: number
  readonly seed: number
  /** Finds no more than so many. */
  readonly findingsMax?: number
}

/** After so many messages a target is opened anew. */
const openedFor = 1_000

/** Tries messages on a target. */
export const fuzzTarget = async (
  { messages, open }: Target,
  { messages: count, seed, findingsMax = 20 }: FuzzTargetOptions,
): Promise<TargetReport> => {
  const stream = messages(seed)
  const findings: Finding[] = []
  let [trial, accepted, slowestMs, slowest]: [Trial, number, number, string] = [await open(seed), 0, 0, '']
  const beganMs = performance.now()
  let index = 0
  for (; index < count && findings.length < findingsMax; index += 1) {
    const message = stream.next().value
    if (index % openedFor === 0) trial = await open(seed + index)
    const startedMs = performance.now()
    try {
      const outcome = trial(message)
      if (outcome instanceof Promise ? await outcome : outcome) accepted += 1
    } catch (error) {
      findings.push({ what: errorText(error), index, message: message.toString('hex') })
    }
    const tookMs = performance.now() - startedMs
    if (tookMs <= slowestMs) continue
    slowestMs = tookMs
    slowest = message.toString('hex')
  }
  return { messages: index, accepted, findings, slowestMs, slowest, tookMs: performance.now() - beganMs }
}
