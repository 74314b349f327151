/**
 * The one door to cryptography for operations. What it is: jobs in, results out, with the choice of the place: here, if
 * that costs less than the hop to a worker, else in the pool. What it is not: the work (jobs.ts), nor the pool's inside
 * (job-pool.ts).
 */

import { extname } from 'node:path'
import { systemClock } from '#actor/clock'
import { plainCryptoError, revivedCryptoError } from './errors.ts'
import { createJobPool } from './job-pool.ts'
import { type CryptoJob, type CryptoJobKind, type CryptoResult, costOf, executeJob } from './jobs.ts'
import { KeptKeys, type KeptKeysLimits } from './kept-keys.ts'
import { keepKeysIn } from './key-use.ts'

export { AlgorithmError, CryptoBusy, CryptoFailure, KeyFormatError, KeyUseError, KeyWrapError } from './errors.ts'
export type { GeneratedKey, GeneratedKeyPair, KeyPairRequest, SymmetricKeyRequest } from './generate.ts'
export type { CryptoJob, CryptoJobKind, CryptoResult } from './jobs.ts'
export { KeptCipher } from './kept-cipher.ts'
export type { ConvertedKey, KeyForm, ParsedKey } from './key-format.ts'
export { containerCertificatesMax, type OpenedContainer } from './pkcs12.ts'
export type { KeyMaterial, TransparentKey } from './transparent.ts'

/** Settings of a runner. */
export interface CryptoRunnerOptions {
  /** `auto`: what is cheap runs where it is asked for. `pool`: every job goes to a worker. */
  readonly placement: 'auto' | 'pool'
  /** Number of worker threads, at least 1. */
  readonly workers: number
  /** Jobs that the workers may have taken and not yet answered; one more is refused with CryptoBusy. */
  readonly queueMax: number
  /** Keys that this thread and each worker keep read; undefined: every job reads its key anew. */
  readonly keptKeys?: KeptKeysLimits | undefined
  /** Told of a worker that died. */
  readonly onWorkerError?: ((error: Error) => void) | undefined
}

/** Runs cryptographic jobs. */
export interface CryptoRunner {
  /**
   * Does a job. Rejects with KeyFormatError, AlgorithmError, KeyWrapError or KeyUseError where the job is at fault, with CryptoBusy when
   * too many wait, with CryptoFailure when its worker died or the library failed. What is done in place gives its result, or throws
   * the same, at once.
   */
  run<Kind extends CryptoJobKind>(job: CryptoJob<Kind>): CryptoResult<Kind> | Promise<CryptoResult<Kind>>
  /** Waits for the jobs taken, then ends the workers. */
  close(): Promise<void>
}

/** A runner that counts. */
export interface CountedCryptoRunner extends CryptoRunner {
  /** Jobs since the start by the place where they ran, and jobs that workers have now. */
  counts(): { readonly here: number; readonly pool: number; readonly waiting: number }
}

/** Starts the workers, and gives the runner. */
export function createCryptoRunner({ placement, ...options }: CryptoRunnerOptions): CountedCryptoRunner {
  // The worker is TypeScript in the repository and JavaScript in a package: like this file.
  const workerUrl = new URL(`../../workers/crypto${extname(import.meta.url)}`, import.meta.url).href
  const pool = createJobPool({ ...options, workerUrl })
  const { keptKeys } = options
  if (keptKeys !== undefined) keepKeysIn(new KeptKeys(keptKeys, systemClock))
  let here = 0
  let pooled = 0
  return {
    run<Kind extends CryptoJobKind>(job: CryptoJob<Kind>) {
      const { microseconds, inPlace } = costOf(job)
      if (placement === 'auto' && inPlace) {
        here += 1
        return executedHere(job)
      }
      pooled += 1
      return pool.run(job, microseconds) as Promise<CryptoResult<Kind>>
    },
    counts: () => ({ here, pool: pooled, waiting: pool.outstanding }),
    async close() {
      if (keptKeys !== undefined) keepKeysIn(undefined)
      await pool.close()
    },
  }
}

/** Does a job in place, with the errors that it would have had on its way through a worker. */
function executedHere<Kind extends CryptoJobKind>(job: CryptoJob<Kind>): CryptoResult<Kind> {
  try {
    return executeJob(job)
  } catch (error) {
    throw revivedCryptoError(plainCryptoError(error))
  }
}
