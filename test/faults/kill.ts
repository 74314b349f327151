/**
 * The command that kills the server again and again under load, and counts what was promised and is lost.
 *
 *     node test/faults/kill.ts --rounds 20 --connections 64 --seed 1 --at all
 *
 * `--sample 5000`: objects of earlier rounds that each round looks at; the last looks at all.
 * `--flag=--fronts --flag=2`: flags of the server. `--at any`: at random times; `--at points`: at the named points of the writer's way, in turn; `--at all`: both in turn.
 * What it is: the command line and the table. What it is not: the rounds (rounds.ts). Exit code 1: something is lost.
 */
import { commandLine } from '#test/command-line'
import type { SeededRandom } from '#test/seeded-random'
import { type Death, points } from './death.ts'
import { acknowledgedIn, type KillRound, killRounds } from './rounds.ts'

const values = commandLine({
  command: 'npm run faults',
  text: 'kills a server under load again and again, and compares what it has then with what it had acknowledged',
  options: {
    rounds: { type: 'string', default: '20' },
    connections: { type: 'string', default: '64' },
    seed: { type: 'string', default: '1' },
    'load-ms': { type: 'string', default: '1500' },
    at: { type: 'string', default: 'all' },
    sample: { type: 'string', default: '5000' },
    flag: { type: 'string', multiple: true, default: [] },
  },
  numbers: { rounds: 1, connections: 1, seed: 0, 'load-ms': 100, sample: 1 },
  choices: { at: ['any', 'points', 'all'] },
})

const columns = ['round', 'point     ', 'load ms', 'acknowledged', 'in flight', 'checked', 'lost', 'restart ms']
const line = (cells: readonly (string | number)[]): string =>
  cells.map((cell, index) => String(cell).padStart(columns[index]?.length ?? 0)).join('  ')

const show = (killed: KillRound): void => {
  const { round, point, loadMs, inFlight, checked, wrong, restartMs } = killed
  console.log(
    line([round, point, loadMs, acknowledgedIn(killed), inFlight, checked, wrong.length, restartMs.toFixed(0)]),
  )
  for (const what of wrong.slice(0, 10)) console.log(`    ${what}`)
}

/** Random times and points in turn; a point's transaction is one of the first thousands, so that stores of every size die. */
const deathOf = (round: number, random: SeededRandom): Death | undefined => {
  const atAny = values.at === 'any' || (values.at === 'all' && round % 2 === 0)
  const point = points[Math.floor(values.at === 'all' ? round / 2 : round) % points.length]
  if (atAny || point === undefined) return undefined
  return { point, transaction: 10 + random.below(random.pick([50, 500])), microseconds: random.below(3000) }
}

console.log(line(columns))
const rounds = await killRounds({
  rounds: Number(values.rounds),
  connections: Number(values.connections),
  seed: Number(values.seed),
  loadMs: [100, Number(values['load-ms'])],
  deaths: deathOf,
  flags: values.flag,
  isAudited: !values.flag.some((word) => word === 'off' || word === 'relaxed'),
  sampleMax: Number(values.sample),
  onRound: show,
})
const total = (count: (round: KillRound) => number): number => rounds.reduce((sum, round) => sum + count(round), 0)
const restarts = rounds.map(({ restartMs }) => restartMs).toSorted((left, right) => left - right)
const lost = total(({ wrong }) => wrong.length)
console.log(`${rounds.length} kills, ${total(acknowledgedIn)} changes acknowledged, ${lost} lost or half done`)
const operations = [...new Set(rounds.flatMap(({ acknowledged }) => Object.keys(acknowledged)))].toSorted()
console.log(operations.map((name) => `${name} ${total(({ acknowledged }) => acknowledged[name] ?? 0)}`).join(', '))
const quantile = (part: number): string => (restarts[Math.floor((restarts.length - 1) * part)] ?? 0).toFixed(0)
console.log(`from restart to first answer: median ${quantile(0.5)} ms, ${quantile(0)} to ${quantile(1)} ms`)
process.exitCode = lost > 0 ? 1 : 0
