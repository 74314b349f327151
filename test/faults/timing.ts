/**
 * The command that looks for secrets in times.
 *
 *     npm run timing -- --samples 20000 --case "MAC Verify: first byte, last byte wrong"
 *
 * What it is: the command line and the table. What it is not: the measure (leak.ts) or what is compared (timing-cases.ts). Exit code 1:
 * something differs by more than luck gives. A machine that does other work at the time hides differences, and may show some.
 */
import { commandLine } from '#test/command-line'
import { seededRandom } from '#test/seeded-random'
import { compare, tMax } from './leak.ts'
import { timingCases } from './timing-cases.ts'

const values = commandLine({
  command: 'npm run timing',
  text: 'times failures that must look alike',
  options: {
    samples: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    case: { type: 'string', multiple: true },
  },
  numbers: { samples: 1, seed: 0 },
  choices: { case: Object.keys(timingCases) },
})

for (const [name, { share, open }] of Object.entries(timingCases)) {
  if (values.case !== undefined && !values.case.includes(name)) continue
  const random = seededRandom(Number(values.seed))
  const { samples, medianUs, t } = await compare(await open(random), Math.ceil(Number(values.samples) * share), random)
  const [one, other] = medianUs.map((us) => us.toFixed(2))
  console.log(`${name.padEnd(70)} ${samples} each, medians ${one} and ${other} µs, |t| ${t.toFixed(2)}`)
  if (t > tMax) process.exitCode = 1
}
