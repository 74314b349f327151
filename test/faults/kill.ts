/**
 * The command that kills the server again and again under load, and counts what was promised and is lost.
 *
 *     node test/faults/kill.ts --rounds 20 --connections 64 --seed 1
 *
 * What it is: the command line and the table. What it is not: the rounds (rounds.ts). Exit code 1: something is lost.
 */
import { parseArgs } from 'node:util'
import { type KillRound, killRounds } from './rounds.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    connections: { type: 'string', default: '64' },
    seed: { type: 'string', default: '1' },
  },
})

const columns = ['round', 'load ms', 'acknowledged', 'in flight', 'checked', 'lost', 'restart ms']
const line = (cells: readonly (string | number)[]): string =>
  cells.map((cell, index) => String(cell).padStart(columns[index]?.length ?? 0)).join('  ')

const show = ({ round, loadMs, acknowledged, inFlight, checked, wrong, restartMs }: KillRound): void => {
  console.log(line([round, loadMs, acknowledged, inFlight, checked, wrong.length, restartMs.toFixed(0)]))
  for (const what of wrong.slice(0, 10)) console.log(`    ${what}`)
}

console.log(line(columns))
const rounds = await killRounds({
  rounds: Number(values.rounds),
  connections: Number(values.connections),
  seed: Number(values.seed),
  loadMs: [100, 1500],
  sampleMax: 5000,
  onRound: show,
})
const total = (count: (round: KillRound) => number): number => rounds.reduce((sum, round) => sum + count(round), 0)
const lost = total(({ wrong }) => wrong.length)
console.log(`${total(({ acknowledged }) => acknowledged)} objects acknowledged, ${lost} lost`)
process.exitCode = lost > 0 ? 1 : 0
