/**
 * The command that simulates worlds, from one seed or many, until something is wrong.
 *
 *     npm run sim -- --seeds 1000          seeds 1 to 1000
 *     npm run sim -- --seed 17             one of them again
 *
 * What it is: the command line. What it is not: a world (world.ts). Exit code 1: something is wrong; the seed is told.
 */
import { commandLine } from '#test/command-line'
import { simulate } from './world.ts'

const values = commandLine({
  command: 'npm run sim',
  text: 'simulates worlds, from one seed or many, until something is wrong',
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '100' },
    steps: { type: 'string', default: '3000' },
    clients: { type: 'string', default: '6' },
    fronts: { type: 'string', default: '3' },
  },
  numbers: { seed: 1, seeds: 1, steps: 1, clients: 1, fronts: 1 },
})

const first = Number(values.seed ?? 1)
const last = values.seed === undefined ? Number(values.seeds) : first
const totals: Record<string, number> = {}
for (let seed = first; seed <= last; seed += 1) {
  const { wrong, trace, counts } = await simulate({
    seed,
    steps: Number(values.steps),
    clients: Number(values.clients),
    fronts: Number(values.fronts),
  })
  for (const [label, count] of Object.entries(counts)) totals[label] = (totals[label] ?? 0) + count
  if (values.seed !== undefined) console.log(`seed ${seed}: trace ${trace}`)
  if (wrong.length === 0) continue
  console.log(
    `seed ${seed}:\n${wrong.join('\n')}\nagain: npm run sim -- --seed ${seed} --steps ${values.steps} --clients ${values.clients} --fronts ${values.fronts}`,
  )
  process.exitCode = 1
  break
}
const worlds = last - first + 1
if (process.exitCode === undefined)
  console.log(`${worlds} world${worlds === 1 ? '' : 's'}, nothing wrong; what happened in them:`)
for (const [label, count] of Object.entries(totals)) console.log(`${String(count).padStart(10)}  ${label}`)
