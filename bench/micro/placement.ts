/**
 * Where cryptography should run: what each algorithm costs in place, for several sizes, and what the hop to a worker costs.
 * What it is: the measurement behind `auto`, and with --write the writer of src/crypto/measured-costs.ts. What it is not: a
 * measurement of a server (kmip-bench crypto). For figures to keep, the machine should have nothing else to do.
 */
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Bench } from 'tinybench'
import { systemClock } from '#actor/clock'
import { asymmetricCostName, cipherCostName, hashCostName, measuredRsaBits } from '#crypto/costs'
import { hashRows } from '#crypto/digest'
import { type CryptoJob, executeJob } from '#crypto/jobs'
import { KeptKeys } from '#crypto/kept-keys'
import type { KeyForm } from '#crypto/key-format'
import { keepKeysIn } from '#crypto/key-use'
import { createCryptoRunner } from '#crypto/run'
import {
  CryptographicAlgorithm as A,
  KeyFormatType as F,
  BlockCipherMode as M,
  ObjectType,
  RecommendedCurve,
} from '#kmip/enums'

const { values } = parseArgs({
  options: {
    time: { type: 'string', default: '100' },
    write: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
})
const timeMs = Number(values.time)
if (!Number.isFinite(timeMs) || timeMs <= 0) throw new Error(`--time ${values.time} is not a number of milliseconds`)

const smallBytes = 64
const middleBytes = 65_536
const largeBytes = 1_048_576
const sizes = [smallBytes, middleBytes, largeBytes]

/** Milliseconds of a call's median, as microseconds, of each task by its name. */
async function medians(
  tasks: ReadonlyMap<string, () => unknown>,
  options: { readonly iterations?: number; readonly warmup?: boolean } = {},
): Promise<ReadonlyMap<string, number>> {
  const bench = new Bench({ time: timeMs, warmupTime: timeMs / 4, iterations: 8, throws: true, ...options })
  for (const [name, run] of tasks) bench.add(name, run)
  await bench.run()
  return new Map(
    bench.tasks.map(({ name, result }) => {
      if (result.state !== 'completed') throw new Error(`${name} did not complete`)
      return [name, result.latency.p50 * 1000]
    }),
  )
}

const data = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(7)
const symmetric = (cryptographicAlgorithm: A, bytes: number): KeyForm => ({
  objectType: ObjectType.SymmetricKey,
  keyFormatType: F.Raw,
  keyMaterial: Uint8Array.from({ length: bytes }, (_, index) => index * 11),
  cryptographicAlgorithm,
})

/** The jobs of each row: so many bytes of data in, a job out. */
const bySize = new Map<string, (bytes: number) => CryptoJob>()
const cipher = (algorithm: A, keyBytes: number, ivBytes: number, mode?: M): void => {
  const request = {
    kind: 'encrypt',
    key: symmetric(algorithm, keyBytes),
    parameters: mode === undefined ? {} : { blockCipherMode: mode },
    iv: data(ivBytes),
  } as const
  bySize.set(cipherCostName(algorithm, mode), (bytes) => ({ ...request, data: data(bytes) }))
}
// Of a cipher's modes the one that goes block by block stands for all but GCM.
cipher(A.AES, 32, 16, M.CBC)
cipher(A.AES, 32, 12, M.GCM)
cipher(A.DES3, 24, 8, M.CBC)
cipher(A.Camellia, 32, 16, M.CBC)
cipher(A.ARIA, 32, 16, M.CBC)
cipher(A.SM4, 16, 16, M.CBC)
cipher(A.ChaCha20, 32, 12)
cipher(A.ChaCha20Poly1305, 32, 12)
for (const { value, library } of hashRows.values()) {
  if (library === undefined) continue
  bySize.set(hashCostName(value), (bytes) => ({ kind: 'hash', hashingAlgorithm: value, data: data(bytes) }))
}

const pairs: readonly (readonly [string, A, { privateKey: KeyForm; publicKey: KeyForm }])[] = [
  ...measuredRsaBits.map((bits) => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: bits,
      privateKeyEncoding: { format: 'der', type: 'pkcs1' },
      publicKeyEncoding: { format: 'der', type: 'pkcs1' },
    })
    return [`RSA ${bits}`, A.RSA, forms(A.RSA, bits, F.PKCS_1, F.PKCS_1, privateKey, publicKey)] as const
  }),
  ['P_256', A.ECDSA, curveForms(A.ECDSA, 256, generateKeyPairSync('ec', { namedCurve: 'prime256v1', ...encodings() }))],
  [
    'otherCurve',
    A.ECDSA,
    curveForms(A.ECDSA, 384, generateKeyPairSync('ec', { namedCurve: 'secp384r1', ...encodings() })),
  ],
  ['Ed25519', A.Ed25519, curveForms(A.Ed25519, 256, generateKeyPairSync('ed25519', encodings()))],
  ['Ed448', A.Ed448, curveForms(A.Ed448, 456, generateKeyPairSync('ed448', encodings()))],
]

function encodings() {
  return {
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
    publicKeyEncoding: { format: 'der', type: 'spki' },
  } as const
}

function forms(
  cryptographicAlgorithm: A,
  cryptographicLength: number,
  privateFormat: F,
  publicFormat: F,
  privateKey: Uint8Array,
  publicKey: Uint8Array,
): { readonly privateKey: KeyForm; readonly publicKey: KeyForm } {
  const shared = { cryptographicAlgorithm, cryptographicLength }
  return {
    privateKey: {
      ...shared,
      objectType: ObjectType.PrivateKey,
      keyFormatType: privateFormat,
      keyMaterial: Uint8Array.from(privateKey),
    },
    publicKey: {
      ...shared,
      objectType: ObjectType.PublicKey,
      keyFormatType: publicFormat,
      keyMaterial: Uint8Array.from(publicKey),
    },
  }
}

function curveForms(
  algorithm: A,
  bits: number,
  pair: { readonly privateKey: Uint8Array; readonly publicKey: Uint8Array },
) {
  return forms(algorithm, bits, F.PKCS_8, F.X_509, pair.privateKey, pair.publicKey)
}

for (const [name, , { privateKey, publicKey }] of pairs) {
  bySize.set(`sign ${name}`, (bytes) => ({ kind: 'sign', key: privateKey, parameters: {}, data: data(bytes) }))
  bySize.set(`verify ${name}`, (bytes) => {
    const request = { parameters: {}, data: data(bytes) }
    const { signature } = executeJob({ kind: 'sign', key: privateKey, ...request })
    return { kind: 'verifySignature', key: publicKey, ...request, signature }
  })
}

const generations = new Map<string, CryptoJob>([
  ...measuredRsaBits.map((bits): [string, CryptoJob] => [
    asymmetricCostName('generate', 'RSA', bits),
    { kind: 'generateKeyPair', cryptographicAlgorithm: A.RSA, cryptographicLength: bits },
  ]),
  [
    asymmetricCostName('generate', 'P_256'),
    { kind: 'generateKeyPair', cryptographicAlgorithm: A.ECDSA, recommendedCurve: RecommendedCurve.P_256 },
  ],
  [
    asymmetricCostName('generate', 'otherCurve'),
    { kind: 'generateKeyPair', cryptographicAlgorithm: A.ECDSA, recommendedCurve: RecommendedCurve.P_384 },
  ],
  [asymmetricCostName('generate', 'Ed25519'), { kind: 'generateKeyPair', cryptographicAlgorithm: A.Ed25519 }],
  [asymmetricCostName('generate', 'Ed448'), { kind: 'generateKeyPair', cryptographicAlgorithm: A.Ed448 }],
])

/** The three figures of a line through the two ends of what was measured. */
interface Line {
  readonly fixedUs: number
  readonly perKibUs: number
}
const lineOf = (smallUs: number, largeUs: number): Line => {
  const perKibUs = Math.max(0, (largeUs - smallUs) / ((largeBytes - smallBytes) / 1024))
  return { fixedUs: smallUs, perKibUs }
}

/** A front that computes holds up all its sessions: for no longer than this, whatever the hop costs. */
const inPlaceUsMax = 100

/** Up to how many bytes the work costs less than the hop; -1: never. Nothing above the largest size was measured. */
function inPlaceBytesMax(work: Line, hop: Line): number {
  if (work.fixedUs > Math.min(hop.fixedUs, inPlaceUsMax)) return -1
  const slope = work.perKibUs - hop.perKibUs
  const kib = Math.min(
    slope <= 0 ? Number.POSITIVE_INFINITY : (hop.fixedUs - work.fixedUs) / slope,
    work.perKibUs <= 0 ? Number.POSITIVE_INFINITY : (inPlaceUsMax - work.fixedUs) / work.perKibUs,
  )
  return Math.min(largeBytes, Math.floor(kib * 16) * 64)
}

/** What the hop costs: the same jobs in a worker, less what they cost here. */
async function measureHop(inPlaceUs: (bytes: number) => number): Promise<{ hop: Line; inCompanyUs: number }> {
  const runner = createCryptoRunner({ placement: 'pool', workers: 1, queueMax: 1000 })
  const company = 64
  const job = (bytes: number) => bySize.get(cipherCostName(A.AES, M.GCM))?.(bytes) ?? fail()
  const tasks = new Map<string, () => unknown>(
    sizes.map((bytes) => {
      const made = job(bytes)
      return [String(bytes), () => runner.run(made)]
    }),
  )
  const small = job(smallBytes)
  tasks.set('company', () => Promise.all(Array.from({ length: company }, async () => runner.run(small))))
  const took = await medians(tasks)
  await runner.close()
  const hopUs = (bytes: number) => Math.max(0, (took.get(String(bytes)) ?? fail()) - inPlaceUs(bytes))
  return {
    hop: lineOf(hopUs(smallBytes), hopUs(largeBytes)),
    inCompanyUs: Math.max(0, (took.get('company') ?? fail()) / company - inPlaceUs(smallBytes)),
  }
}

function fail(): never {
  throw new Error('a figure is missing')
}

keepKeysIn(new KeptKeys({ keysMax: 1000, idleMs: 3_600_000 }, systemClock))
const inPlace = await medians(
  new Map(
    [...bySize].flatMap(([name, jobOf]) =>
      sizes.map((bytes) => {
        const job = jobOf(bytes)
        return [`${name} ${bytes}`, () => executeJob(job)]
      }),
    ),
  ),
)
const usOf = (name: string, bytes: number): number => inPlace.get(`${name} ${bytes}`) ?? fail()
const generated = await medians(new Map([...generations].map(([name, job]) => [name, () => executeJob(job)])), {
  iterations: timeMs >= 50 ? 5 : 1,
  warmup: false,
})
const { hop, inCompanyUs } = await measureHop((bytes) => usOf(cipherCostName(A.AES, M.GCM), bytes))
keepKeysIn(undefined)

const rows = [
  ...[...bySize.keys()].map((name) => ({ name, line: lineOf(usOf(name, smallBytes), usOf(name, largeBytes)) })),
  ...[...generated].map(([name, fixedUs]) => ({ name, line: { fixedUs, perKibUs: 0 } })),
].map(({ name, line }) => ({ name, ...line, inPlaceBytesMax: inPlaceBytesMax(line, hop) }))

/** Three digits: more is noise. */
const rounded = (value: number): number => Number(value.toPrecision(3))

process.stdout.write(
  `hop alone ${rounded(hop.fixedUs)} us + ${rounded(hop.perKibUs)} us/KiB, in company ${rounded(inCompanyUs)} us\n` +
    `${'work'.padEnd(28)} ${'us'.padStart(10)} ${'us/KiB'.padStart(8)} ${'in place up to'.padStart(16)}\n`,
)
for (const row of rows) {
  const limit = row.inPlaceBytesMax < 0 ? 'never' : `${row.inPlaceBytesMax} bytes`
  process.stdout.write(
    `${row.name.padEnd(28)} ${String(rounded(row.fixedUs)).padStart(10)} ${row.perKibUs.toFixed(2).padStart(8)} ${limit.padStart(16)}\n`,
  )
}
if (values.json !== undefined) {
  const report = { node: process.version, hop, inCompanyUs, rows }
  writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`)
}
if (values.write) writeFileSync(fileURLToPath(import.meta.resolve('#crypto/measured-costs')), measuredCostsFile())

/** The text of src/crypto/measured-costs.ts. */
function measuredCostsFile(): string {
  const figures = { aloneUs: hop.fixedUs, perKibUs: hop.perKibUs, inCompanyUs }
  const hopText = Object.entries(figures).map(([name, value]) => `${name}: ${rounded(value)}`)
  const rowTexts = rows.map(
    (row) =>
      `  '${row.name}': { fixedUs: ${rounded(row.fixedUs)}, perKibUs: ${rounded(row.perKibUs)}, inPlaceBytesMax: ${row.inPlaceBytesMax} },`,
  )
  return `/**
 * What jobs and the hop to a worker cost, as measured. Generated by \`node bench/micro/placement.ts --write\`: not to be
 * edited. What it is not: the choice that is made by it (costs.ts). Microseconds; \`inPlaceBytesMax\` is the largest size that
 * costs less in place than the hop, and no more than ${inPlaceUsMax} µs; -1 where none does. Keys of pairs had been read before.
 */

/** Of one job in a task of its own, for each KiB of its data, and of one among 64 of a task. */
export const measuredHop = { ${hopText.join(', ')} }

/** Work, and what it costs in place. */
export interface MeasuredCost {
  readonly fixedUs: number
  readonly perKibUs: number
  readonly inPlaceBytesMax: number
}

/** Node ${process.version}, ${process.arch}, ${availableParallelism()} cores. */
export const measuredCosts: Readonly<Record<string, MeasuredCost>> = {
${rowTexts.join('\n')}
}
`
}
