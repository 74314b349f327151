/** What the server decides of the operations that compute: settings, each with its row in config.ts. Not the operations. */

export interface ComputingPolicy {
  /** Iterations that a client may ask of PBKDF2, or with a PKCS#12 container that it registers. */
  readonly deriveIterationsMax: number
  /** Iterations of each derivation of a PKCS#12 container that is made here. */
  readonly pkcs12Iterations: number
  /** Bytes that one RNG Retrieve returns. */
  readonly randomBytesMax: number
  /** What becomes of a client's seed (§4.36), and how many bytes of it are used. */
  readonly rngSeed: 'use' | 'ignore' | 'refuse'
  readonly rngSeedBytesMax: number
  /** CBC without an IV: refused, or done with zeros. */
  readonly missingIv: 'refuse' | 'zeros'
  /** The padding in ECB and CBC where a mode is named and no padding. */
  readonly unnamedPadding: 'none' | 'PKCS5'
}
