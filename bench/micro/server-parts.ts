/**
 * A server without sockets, on a store of its own on the disk: settings, seal, LMDB, account, cryptography, dispatcher, and one
 * session of its first client. What it is: the composition of src/serve.ts as far as a request goes between two sockets, and a
 * way to ask it. What it is not: a server that anybody could reach.
 */
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { awaitable } from '#actor/later'
import { keyAttributes, type Preloaded, requestHeader } from '#bench/scenarios/index'
import { nameAttribute } from '#client/attribute'
import { decodeResponse, encodeRequest } from '#client/client'
import type { BatchRequest, RequestPayload } from '#client/operation-methods'
import { openKeyFiles } from '#crypto/key-file'
import { SeededRandom } from '#crypto/random'
import { openStream } from '#crypto/stream'
import { Attempts } from '#identity/attempts'
import { bootstrap } from '#identity/bootstrap'
import { LdapDirectories } from '#identity/ldap'
import { ObjectType, Operation, ResultStatus } from '#kmip/enums'
import type { PayloadName } from '#kmip/payloads/index'
import { newestVersion } from '#kmip/versions'
import { Streams } from '#operations/streams'
import { type Answer, bytesOf } from '#server/connection'
import { binaryEncoding } from '#server/encodings'
import { Holdings } from '#server/holdings'
import { serverLog } from '#server/log'
import { PeerSession } from '#server/session'
import { readSettings } from '#src/config'
import {
  cryptoWorkersOf,
  newCrypto,
  newDispatcher,
  newLogin,
  newSessionParts,
  newUniqueIdentifier,
} from '#src/front-parts'
import { tables } from '#src/tables'
import { startWatching } from '#src/watching'
import { type LmdbStore, openStore, storeLimits } from '#store/lmdb/open'
import type { Sealer } from '#store/store'

/** What a suite works with. */
export interface ServerParts {
  readonly store: LmdbStore
  readonly sealer: Sealer
  /** Answers one whole message as a TLS session of the first client would have it answered. */
  answer(message: Uint8Array): Answer | Promise<Answer>
  /** One operation's response payload. @throws Error when it is refused */
  ask<Name extends PayloadName>(operation: Name, payload: RequestPayload<Name>): Promise<unknown>
  /** Makes so many AES-256 keys with names, in messages of 64. */
  makeKeys(count: number): Promise<Preloaded[]>
  close(): Promise<void>
}

const itemsOfMessage = 64

const fail = (reason: string): never => {
  throw new Error(reason)
}

/**
 * Starts one in a new directory, which goes with it.
 * @param flags of `kmipd serve`
 */
export const openServerParts = async (flags: readonly string[]): Promise<ServerParts> => {
  const directory = mkdtempSync(join(tmpdir(), 'kmipd-micro-'))
  const settings = readSettings({}, ['--data', directory, ...flags])
  const logger = pino({ level: 'silent' })
  const { keyring } = openKeyFiles(
    { rootKeyPath: join(directory, 'root.key'), keyringPath: join(directory, 'keyring') },
    systemEntropy,
    true,
  )
  const limits = {
    ...storeLimits,
    commitsWaitingMax: settings.storeQueueMax,
    commitBytesWaitingMax: settings.storeQueueBytesMax,
    cacheBytesMax: settings.storeCacheBytesMax,
  }
  const store = await openStore({ directory, sealer: keyring, tables, limits, onFault: ({ message }) => fail(message) })
  await bootstrap({
    directory,
    store,
    clock: systemClock,
    entropy: systemEntropy,
    hostName: 'localhost',
    certificateNames: [],
    rsaToo: false,
  })
  const crypto = newCrypto(settings, logger, cryptoWorkersOf(settings), settings.cryptoQueueMax)
  const watching = await startWatching({ settings, store, sealer: keyring, logger, onFailure: fail })
  const log = watching.counted(serverLog(logger, newUniqueIdentifier))
  const streams = new Streams({
    openStream,
    monotonicMs: () => systemClock.monotonicMs(),
    newCorrelationValue: () => systemEntropy.bytes(16),
    perUserMax: settings.streamsPerUserMax,
    bytesMax: settings.streamBytesMax,
    idleTimeoutMs: settings.streamIdleTimeoutMs,
  })
  const random = new SeededRandom(systemEntropy)
  const { accounts } = watching
  const answers = new Holdings(settings)
  const dispatcher = newDispatcher({ settings, log, store, crypto, streams, random, accounts, answers })
  const directories = new LdapDirectories({ store, clock: systemClock, onUnavailable: log.directoryUnavailable })
  const login = newLogin(settings, store, directories, new Attempts(systemClock))
  const sessionParts = newSessionParts(settings, { dispatcher, store, login, answers, log }, directories, () => true)
  const { raw } = new X509Certificate(readFileSync(join(directory, 'bootstrap', 'client.pem')))
  const fingerprint = createHash('sha256').update(raw).digest('hex')
  const session = new PeerSession(
    sessionParts,
    { address: '127.0.0.1', fingerprint, certificate: () => raw, isBelowRevoked: false },
    () => ({
      mode: settings.interfaceMode,
      hardDelete: undefined,
      autoRegistration: undefined,
    }),
  )
  const answer = (message: Uint8Array): Answer | Promise<Answer> => awaitable(session.answer(message, binaryEncoding))
  const askAll = async (items: readonly BatchRequest[]): Promise<unknown[]> => {
    const given = await answer(
      encodeRequest({
        requestHeader: requestHeader({ version: newestVersion }, items.length),
        batchItem: items.map((item, index) => ({
          operation: Operation[item.operation],
          ...(items.length === 1 ? {} : { uniqueBatchItemId: Uint8Array.of(index) }),
          requestPayload: item.payload ?? {},
        })),
      }),
    )
    return decodeResponse(bytesOf(given)).batchItem.map(({ resultStatus, resultMessage, responsePayload }) =>
      resultStatus === ResultStatus.Success ? responsePayload : fail(resultMessage ?? 'a request is refused'),
    )
  }
  return {
    store,
    sealer: keyring,
    answer,
    ask: async (operation, payload) => (await askAll([{ operation, payload } as BatchRequest]))[0],
    async makeKeys(count) {
      const objects: Preloaded[] = []
      while (objects.length < count) {
        const names = Array.from(
          { length: Math.min(itemsOfMessage, count - objects.length) },
          (_, index) => `volume ${objects.length + index}`,
        )
        const made = await askAll(
          names.map((name) => ({
            operation: 'Create',
            payload: {
              objectType: ObjectType.SymmetricKey,
              templateAttribute: { attribute: [...keyAttributes, nameAttribute(name)] },
            },
          })),
        )
        made.forEach((payload, index) => {
          const { uniqueIdentifier } = payload as { readonly uniqueIdentifier: string }
          objects.push({ uniqueIdentifier, name: names[index] ?? '' })
        })
      }
      return objects
    },
    async close() {
      await dispatcher.stop()
      await watching.stop()
      await crypto.close()
      await store.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
