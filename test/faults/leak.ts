/**
 * Whether the time of two things tells them apart: samples in an order that luck decides, and Welch's t of them, as dudect has it
 * (Reparaz, Balasch, Verbauwhede, 2017). What it is: the measure. What it is not: what is compared (timing-cases.ts).
 */
import type { SeededRandom } from '#test/seeded-random'

/** Something to be timed, made ready anew each time: what makes ready is not counted. */
export type Timed = () => unknown

export interface Comparison {
  readonly samples: number
  /** Medians, in microseconds. */
  readonly medianUs: readonly [number, number]
  /** The greatest of Welch's t, over all samples and over those below each of some quantiles: what is slow by accident is noise. */
  readonly t: number
}

/** Beyond this, two times are not of one distribution: the bound of dudect and of ISO/IEC 17825. */
export const tMax = 4.5
/** Parts of the samples, the fastest of both together. */
const parts = [1, 0.99, 0.95, 0.9, 0.75, 0.5]
const warmUpShare = 0.1

/** Times both, so often each. Rejects with what they reject with. */
export const compare = async (
  [one, other]: readonly [Timed, Timed],
  samples: number,
  random: SeededRandom,
): Promise<Comparison> => {
  const warmUp = Math.ceil(samples * warmUpShare)
  const tookUs: readonly [number[], number[]] = [[], []]
  const left = [samples + warmUp, samples + warmUp]
  for (let count = 0; count < 2 * (samples + warmUp); count += 1) {
    const [ones = 0, others = 0] = left
    const which = random.below(ones + others) < ones ? 0 : 1
    left[which] = (left[which] ?? 0) - 1
    const act = which === 0 ? one : other
    const began = process.hrtime.bigint()
    const result = act()
    if (result instanceof Promise) await result
    tookUs[which].push(Number(process.hrtime.bigint() - began) / 1000)
  }
  const kept = tookUs.map((times) => times.slice(warmUp))
  const [ones = [], others = []] = kept
  const all = [...ones, ...others].sort((left, right) => left - right)
  const t = Math.max(
    ...parts.map((part) => {
      const limit = all[Math.ceil(all.length * part) - 1] ?? Number.POSITIVE_INFINITY
      return Math.abs(
        welch(
          ones.filter((us) => us <= limit),
          others.filter((us) => us <= limit),
        ),
      )
    }),
  )
  return { samples, medianUs: [medianOf(ones), medianOf(others)], t }
}

const medianOf = (numbers: readonly number[]): number =>
  numbers.toSorted((left, right) => left - right)[Math.floor(numbers.length / 2)] ?? Number.NaN

/** Welch's t: 0 where there are too few to tell. */
export const welch = (ones: readonly number[], others: readonly number[]): number => {
  if (ones.length < 2 || others.length < 2) return 0
  const [one, other] = [momentsOf(ones), momentsOf(others)]
  const spread = one.variance / ones.length + other.variance / others.length
  return spread === 0 ? 0 : (one.mean - other.mean) / Math.sqrt(spread)
}

const momentsOf = (numbers: readonly number[]): { readonly mean: number; readonly variance: number } => {
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length
  const variance = numbers.reduce((sum, number) => sum + (number - mean) ** 2, 0) / (numbers.length - 1)
  return { mean, variance }
}
