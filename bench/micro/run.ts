/**
 * Times src/crypto/run.ts: the main kinds of jobs in place and in a worker, alone and in company. What it is: what the choice
 * of the place is worth. What it is not: the measurement that `auto` goes by (placement.ts), which has all algorithms and sizes.
 */
import { generateKeyPairSync } from 'node:crypto'
import { type CryptoJob, executeJob } from '#crypto/jobs'
import type { KeyForm } from '#crypto/key-format'
import { createCryptoRunner } from '#crypto/run'
import { BlockCipherMode, CryptographicAlgorithm, HashingAlgorithm, KeyFormatType, ObjectType } from '#kmip/enums'
import type { Suite, Task } from './suite.ts'

const together = 64
const data = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(7)

const symmetric = (cryptographicAlgorithm: CryptographicAlgorithm): KeyForm => ({
  objectType: ObjectType.SymmetricKey,
  keyFormatType: KeyFormatType.Raw,
  keyMaterial: data(32),
  cryptographicAlgorithm,
})

const rsaKey = (): KeyForm => ({
  objectType: ObjectType.PrivateKey,
  keyFormatType: KeyFormatType.PKCS_1,
  keyMaterial: Uint8Array.from(
    generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { format: 'der', type: 'pkcs1' },
      publicKeyEncoding: { format: 'der', type: 'pkcs1' },
    }).privateKey,
  ),
  cryptographicAlgorithm: CryptographicAlgorithm.RSA,
  cryptographicLength: 2048,
})

const encryption = (bytes: number): CryptoJob => ({
  kind: 'encrypt',
  key: symmetric(CryptographicAlgorithm.AES),
  parameters: { blockCipherMode: BlockCipherMode.GCM },
  iv: data(12),
  data: data(bytes),
})

const jobs: readonly (readonly [string, CryptoJob])[] = [
  ['AES-256-GCM, 64 B', encryption(64)],
  ['AES-256-GCM, 64 KiB', encryption(65_536)],
  [
    'HMAC-SHA-256, 64 B',
    { kind: 'mac', key: symmetric(CryptographicAlgorithm.HMAC_SHA256), parameters: {}, data: data(64) },
  ],
  ['SHA-256, 64 B', { kind: 'hash', hashingAlgorithm: HashingAlgorithm.SHA_256, data: data(64) }],
  ['sign RSA-2048', { kind: 'sign', key: rsaKey(), parameters: {}, data: data(64) }],
]

/** Three tasks a kind of job. */
export const open = (): Promise<Suite> => {
  const pool = createCryptoRunner({ placement: 'pool', workers: 1, queueMax: 1000 })
  const tasks = jobs.flatMap(([name, job]): Task[] => [
    { name: `${name}, here`, run: () => Object.keys(executeJob(job)).length },
    { name: `${name}, in a worker`, run: async () => Object.keys(await pool.run(job)).length },
    {
      name: `${name}, in a worker, one of ${together}`,
      operations: together,
      run: async () => (await Promise.all(Array.from({ length: together }, async () => pool.run(job)))).length,
    },
  ])
  return Promise.resolve({ tasks, close: () => pool.close() })
}
