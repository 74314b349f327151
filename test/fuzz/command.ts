/**
 * The command that fuzzes without a socket.
 *
 *     npm run fuzz -- --messages 1000000 --seed 1 --target dispatcher
 *
 * What it is: the command line and the report; without `--target`, all of them. What it is not: the targets (targets.ts). Exit
 * code 1: something came that must not be.
 */
import { commandLine } from '#test/command-line'
import { fuzzTarget, targets } from './targets.ts'

const values = commandLine({
  command: 'npm run fuzz',
  text: 'faulty messages to the parts of the server, without a socket',
  options: {
    messages: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string', multiple: true },
  },
  numbers: { messages: 1, seed: 0 },
  choices: { target: Object.keys(targets) },
})

const shownBytes = 2000
for (const [name, target] of Object.entries(targets)) {
  if (values.target !== undefined && !values.target.includes(name)) continue
  const options = { messages: Number(values.messages), seed: Number(values.seed) }
  const { messages, accepted, findings, slowestMs, slowest, tookMs } = await fuzzTarget(target, options)
  console.log(
    `${name}: ${messages} messages in ${(tookMs / 1000).toFixed(1)} s, ${accepted} accepted, ${findings.length} findings, slowest ${slowestMs.toFixed(1)} ms`,
  )
  if (slowestMs > 100) console.log(`    slowest ${slowest.slice(0, shownBytes)}`)
  for (const { what, index, message } of findings) {
    console.log(`    message ${index} of seed ${values.seed}: ${what}\n    ${message.slice(0, shownBytes)}`)
  }
  if (findings.length > 0) process.exitCode = 1
}
