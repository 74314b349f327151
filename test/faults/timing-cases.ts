/**
 * Failures whose time must not tell them apart, a row each: two ways to fail that whoever attacks would like to know from one
 * another. What it is: requests to a dispatcher, or log-ins, as a server has them. What it is not: the measure (leak.ts), or the network.
 */
import assert from 'node:assert/strict'
import { constants, createCipheriv, createHash, createPublicKey, publicEncrypt } from 'node:crypto'
import { SettableClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { executeJob } from '#crypto/jobs'
import type { CryptoRunner } from '#crypto/run'
import { Attempts, attemptLimits } from '#identity/attempts'
import { hashPassword, Login } from '#identity/login'
import { type UserName, userKey, userTable } from '#identity/principals'
import { newRecord } from '#identity/records'
import { newUser } from '#identity/users'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  HashingAlgorithm,
  KeyFormatType,
  ObjectType,
  PaddingMethod,
  WrappingMethod,
} from '#kmip/enums'
import { MemoryStore } from '#store/memory'
import { everyUse, registerKey, usable } from '#test/computing'
import {
  alice,
  callerOf,
  type DispatcherUnderTest,
  item,
  openDispatcher,
  policy,
  requestBytes,
  succeed,
} from '#test/dispatcher'
import type { SeededRandom } from '#test/seeded-random'
import type { Timed } from './leak.ts'

/** Two ways to fail. */
export interface TimingCase {
  /** Samples of each for one of the cheapest: what costs more is asked less often. */
  readonly share: number
  /** How both end: a Result Reason, or `answered`. */
  readonly outcome: string
  readonly open: (random: SeededRandom) => Promise<readonly [Timed, Timed]>
}

/** So many different requests of each kind: what is compared is the way to fail, and not one text. */
const poolSize = 64

const here: CryptoRunner = { run: async (job) => executeJob(job), close: async () => undefined }

const dispatcher = (): DispatcherUnderTest =>
  openDispatcher({ crypto: here, policy: { wrapping: { ...policy.wrapping, registeredWrapped: 'unwrap' } } })

/** Sends one of a pool of requests after the other. */
const sending = (under: DispatcherUnderTest, requests: readonly Buffer[]): Timed => {
  const caller = callerOf(under, alice)
  let next = 0
  return () => {
    next = (next + 1) % requests.length
    return under.dispatcher.answer(requests[next] ?? Buffer.alloc(0), caller)
  }
}

const pool = (make: () => Buffer): readonly Buffer[] => Array.from({ length: poolSize }, make)

/** Bytes with one of them changed. */
const spoilt = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = new Uint8Array(bytes)
  copy[at] = (copy[at] ?? 0) ^ 0x55
  return copy
}

const macVerify = async (random: SeededRandom): Promise<readonly [Timed, Timed]> => {
  const under = dispatcher()
  const key = random.bytes(32)
  const uniqueIdentifier = await registerKey(under, {}, key, CryptographicAlgorithm.HMAC_SHA256)
  const cryptographicParameters = { cryptographicAlgorithm: CryptographicAlgorithm.HMAC_SHA256 }
  const data = random.bytes(64)
  const { macData = new Uint8Array() } = await succeed(under, 'MAC', {
    uniqueIdentifier,
    cryptographicParameters,
    data,
  })
  const wrongAt = (at: number) =>
    pool(() =>
      requestBytes(104, [
        item('MACVerify', { uniqueIdentifier, cryptographicParameters, data, macData: spoilt(macData, at) }),
      ]),
    )
  return [sending(under, wrongAt(0)), sending(under, wrongAt(macData.length - 1))]
}

/** Register of a key that is wrapped under AES, which does not open. */
const keyWrap = async (random: SeededRandom, at: readonly [number, number]): Promise<readonly [Timed, Timed]> => {
  const under = dispatcher()
  const wrappingKey = random.bytes(32)
  const wrapping = await registerKey(under, {}, wrappingKey)
  const request = (spoiltAt: number): Buffer => {
    const cipher = createCipheriv('id-aes256-wrap', wrappingKey, Buffer.alloc(8, 0xa6))
    const wrapped = Buffer.concat([cipher.update(random.bytes(32)), cipher.final()])
    const encryptionKeyInformation = {
      uniqueIdentifier: wrapping,
      cryptographicParameters: { blockCipherMode: BlockCipherMode.NISTKeyWrap },
    }
    return requestBytes(104, [
      item('Register', {
        objectType: ObjectType.SymmetricKey,
        templateAttribute: { attribute: usable(under) },
        symmetricKey: {
          keyBlock: {
            keyFormatType: KeyFormatType.Raw,
            keyValue: spoilt(wrapped, spoiltAt),
            cryptographicAlgorithm: CryptographicAlgorithm.AES,
            cryptographicLength: 256,
            keyWrappingData: { wrappingMethod: WrappingMethod.Encrypt, encryptionKeyInformation },
          },
        },
      }),
    ])
  }
  return [
    sending(
      under,
      pool(() => request(at[0])),
    ),
    sending(
      under,
      pool(() => request(at[1])),
    ),
  ]
}

const modulusBytes = 256
type OaepFault = 'the first byte' | 'the hash of the label' | 'no end of the padding'

/** An OAEP encoding (RFC 8017 §7.1.1) with a fault. */
const faultyOaep = (hash: string, maskHash: string, fault: OaepFault, random: SeededRandom): Buffer => {
  const digest = createHash(hash).digest()
  const block = Buffer.alloc(modulusBytes - digest.length - 1)
  digest.copy(block)
  if (fault === 'the hash of the label') block[0] = (block[0] ?? 0) ^ 1
  if (fault !== 'no end of the padding') {
    block[block.length - 17] = 1
    random.bytes(16).copy(block, block.length - 16)
  }
  const seed = random.bytes(digest.length)
  const masked = xored(block, mask(maskHash, seed, block.length))
  const maskedSeed = xored(seed, mask(maskHash, masked, seed.length))
  return Buffer.concat([Buffer.of(fault === 'the first byte' ? 1 : 0), maskedSeed, masked])
}

const mask = (hash: string, seed: Buffer, length: number): Buffer => {
  const blocks: Buffer[] = []
  for (let count = 0; Buffer.concat(blocks).length < length; count += 1) {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(count)
    blocks.push(createHash(hash).update(seed).update(counter).digest())
  }
  return Buffer.concat(blocks).subarray(0, length)
}

const xored = (left: Buffer, right: Buffer): Buffer => Buffer.from(left.map((byte, at) => byte ^ (right[at] ?? 0)))

/** Decrypt with an RSA key of what has one fault, or another. */
const oaep = async (
  random: SeededRandom,
  faults: readonly [OaepFault, OaepFault],
  maskHash: 'sha256' | 'sha1',
): Promise<readonly [Timed, Timed]> => {
  const under = dispatcher()
  const attribute = usable(under, {
    'Cryptographic Algorithm': CryptographicAlgorithm.RSA,
    'Cryptographic Length': 2048,
  })
  const common = attribute.filter(({ attributeName }) => attributeName !== 'Cryptographic Usage Mask')
  const masked = (bits: number) => ({
    attribute: [{ attributeName: 'Cryptographic Usage Mask', attributeValue: bits }],
  })
  const pair = await succeed(under, 'CreateKeyPair', {
    commonTemplateAttribute: { attribute: common },
    privateKeyTemplateAttribute: masked(CryptographicUsageMask.Decrypt),
    publicKeyTemplateAttribute: masked(everyUse & CryptographicUsageMask.Encrypt),
  })
  const { publicKey } = await succeed(under, 'Get', {
    uniqueIdentifier: pair.publicKeyUniqueIdentifier,
    keyFormatType: KeyFormatType.X_509,
  })
  assert.ok(publicKey !== undefined)
  const { keyMaterial } = publicKey.keyBlock.keyValue as { readonly keyMaterial: Uint8Array }
  const key = createPublicKey({ key: Buffer.from(keyMaterial), format: 'der', type: 'spki' })
  const requestWith = (fault: OaepFault): Buffer => {
    const encoded = faultyOaep('sha256', maskHash, fault, random)
    return requestBytes(104, [
      item('Decrypt', {
        uniqueIdentifier: pair.privateKeyUniqueIdentifier,
        cryptographicParameters: {
          cryptographicAlgorithm: CryptographicAlgorithm.RSA,
          paddingMethod: PaddingMethod.OAEP,
          hashingAlgorithm: HashingAlgorithm.SHA_256,
          maskGeneratorHashingAlgorithm: maskHash === 'sha1' ? HashingAlgorithm.SHA_1 : HashingAlgorithm.SHA_256,
        },
        data: publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded),
      }),
    ])
  }
  return [
    sending(
      under,
      pool(() => requestWith(faults[0])),
    ),
    sending(
      under,
      pool(() => requestWith(faults[1])),
    ),
  ]
}

/** Decrypt in CBC of what ends in one padding that is none, or in another. */
const cbcPadding = async (
  random: SeededRandom,
  endings: readonly [readonly number[], readonly number[]],
): Promise<readonly [Timed, Timed]> => {
  const under = dispatcher()
  const key = random.bytes(16)
  const uniqueIdentifier = await registerKey(under, {}, key)
  const requestWith = (ending: readonly number[]): Buffer => {
    const ivCounterNonce = random.bytes(16)
    const cipher = createCipheriv('aes-128-cbc', key, ivCounterNonce).setAutoPadding(false)
    const plain = random.bytes(64)
    Buffer.from(ending).copy(plain, plain.length - ending.length)
    return requestBytes(104, [
      item('Decrypt', {
        uniqueIdentifier,
        cryptographicParameters: { blockCipherMode: BlockCipherMode.CBC, paddingMethod: PaddingMethod.PKCS5 },
        ivCounterNonce,
        data: Buffer.concat([cipher.update(plain), cipher.final()]),
      }),
    ])
  }
  return [
    sending(
      under,
      pool(() => requestWith(endings[0])),
    ),
    sending(
      under,
      pool(() => requestWith(endings[1])),
    ),
  ]
}

const local = (user: string): UserName => ({ domain: 'root', connection: 'local', user })

/** Log-ins that do not succeed. */
const passwords = async (names: readonly [string, string]): Promise<readonly [Timed, Timed]> => {
  const store = new MemoryStore([userTable])
  const clock = new SettableClock()
  const password = await hashPassword('the right password', systemEntropy)
  const records = [
    newUser(local('known'), { administrator: false, password }, { clock, entropy: systemEntropy }),
    {
      ...newUser(local('disabled'), { administrator: false, password }, { clock, entropy: systemEntropy }),
      disabled: true,
    },
  ]
  await store.commit(records.map((record) => newRecord(userTable.name, userKey(local(record.name)), record)))
  const login = new Login({
    store,
    clock,
    entropy: systemEntropy,
    directories: { passwordMatches: async () => false, generationOf: () => 1 },
    rememberMs: 0,
    attempts: new Attempts(clock, { ...attemptLimits, freePerUser: 1_000_000, freePerAddress: 1_000_000 }),
  })
  const trying =
    (username: string): Timed =>
    () =>
      login.verify({ username, password: 'a wrong password' }, 'root', '192.0.2.1')
  return [trying(names[0]), trying(names[1])]
}

const lastByteWrong = Array.from({ length: 16 }, (_, at) => (at === 0 ? 0x11 : 0x10))

/** What is compared, by name. */
export const timingCases: Readonly<Record<string, TimingCase>> = {
  'a password: unknown user, wrong password': {
    share: 0.015,
    outcome: 'refused',
    open: () => passwords(['unknown', 'known']),
  },
  'a password: disabled user, wrong password': {
    share: 0.015,
    outcome: 'refused',
    open: () => passwords(['disabled', 'known']),
  },
  'a password: no name of a user, wrong password': {
    share: 0.015,
    outcome: 'refused',
    open: () => passwords(['', 'known']),
  },
  'MAC Verify: first byte, last byte wrong': { share: 1, outcome: 'answered', open: macVerify },
  'AES Key Wrap: first byte, last byte wrong': {
    share: 0.5,
    outcome: 'CryptographicFailure',
    open: (random) => keyWrap(random, [0, 39]),
  },
  'OAEP: first byte, hash of the label wrong': {
    share: 0.1,
    outcome: 'CryptographicFailure',
    open: (random) => oaep(random, ['the first byte', 'the hash of the label'], 'sha256'),
  },
  'OAEP: hash of the label wrong, no end': {
    share: 0.1,
    outcome: 'CryptographicFailure',
    open: (random) => oaep(random, ['the hash of the label', 'no end of the padding'], 'sha256'),
  },
  'OAEP, hash of the mask another: first byte, hash of the label wrong': {
    share: 0.1,
    outcome: 'CryptographicFailure',
    open: (random) => oaep(random, ['the first byte', 'the hash of the label'], 'sha1'),
  },
  'OAEP, hash of the mask another: hash of the label wrong, no end': {
    share: 0.1,
    outcome: 'CryptographicFailure',
    open: (random) => oaep(random, ['the hash of the label', 'no end of the padding'], 'sha1'),
  },
  'CBC: a padding of 0, of 17': {
    share: 1,
    outcome: 'CryptographicFailure',
    open: (random) => cbcPadding(random, [[0], [17]]),
  },
  'CBC: a padding too long, one byte of it wrong': {
    share: 1,
    outcome: 'CryptographicFailure',
    open: (random) => cbcPadding(random, [[17], lastByteWrong]),
  },
}
