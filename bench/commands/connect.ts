/**
 * `kmip-bench connect` as a command: its options and its table. What it is not: the measurement (bench/connect.ts).
 */
import type { Argv } from 'yargs'
import {
  bareRate,
  bytesPerSession,
  type HandshakeRow,
  type HeldRow,
  handshakeRatio,
  handshakesPerSecond,
  measureHandshakes,
  measureHeld,
} from '#bench/connect'
import { writeText } from '#bench/machine'
import { frameOf, measureOptions, print, targetOptions, withServer } from '#bench/options'
import { aligned, machineFacts } from '#bench/report'

const widths = [10, 4, 14, 14, 7, 9, 9, 9, 0]

const handshakeLine = (row: HandshakeRow): string => {
  const { latency, resumed, completed, errors } = row.server
  const failed = Object.entries(errors).map(([name, count]) => `${name} ${count}`)
  return aligned(
    [
      row.kind,
      String(row.run),
      handshakesPerSecond(row.server).toFixed(0),
      bareRate(row).toFixed(0),
      handshakeRatio(row).toFixed(2),
      completed === 0 ? '-' : `${((resumed / completed) * 100).toFixed(0)}%`,
      completed === 0 ? '-' : (latency.p50 / 1e6).toFixed(2),
      completed === 0 ? '-' : (latency.p99 / 1e6).toFixed(2),
      failed.length === 0 ? 'none' : failed.join(', '),
    ],
    widths,
  )
}

const mebibytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1)

const heldLines = ({ server, bare }: HeldRow): string[] => [
  `${server.sessions} idle sessions, opened in ${(server.tookMs / 1000).toFixed(1)} s (bare: ${(bare.tookMs / 1000).toFixed(1)} s)`,
  `server ${mebibytes(server.beforeBytes)} to ${mebibytes(server.heldBytes)} MiB, ${(bytesPerSession(server) / 1024).toFixed(1)} KiB a session`,
  `bare   ${mebibytes(bare.beforeBytes)} to ${mebibytes(bare.heldBytes)} MiB, ${(bytesPerSession(bare) / 1024).toFixed(1)} KiB a session`,
  `ratio  ${(server.heldBytes / bare.heldBytes).toFixed(2)} in all, ${(bytesPerSession(server) / bytesPerSession(bare)).toFixed(2)} a session`,
]

/** Adds `connect`. */
export const withConnect = <T>(commands: Argv<T>): Argv<T> =>
  commands.command(
    'connect',
    'measures handshakes with a client certificate, full and resumed, and idle sessions, beside a bare TLS server',
    (command) =>
      command.options({
        ...targetOptions,
        lanes: { type: 'number', default: 8, describe: 'handshakes at once' },
        seconds: measureOptions.seconds,
        warmup: measureOptions.warmup,
        runs: measureOptions.runs,
        timeout: measureOptions.timeout,
        json: measureOptions.json,
        handshakes: { type: 'boolean', default: true, describe: 'measure handshakes (--no-handshakes)' },
        held: { type: 'number', default: 0, describe: 'sessions that are held idle; needs --own or --pid' },
      }),
    async (values) => {
      await withServer(values, async (target, pid) => {
        const options = {
          target,
          frame: frameOf(values),
          runs: values.runs,
          lanes: values.lanes,
          warmupMs: values.warmup * 1000,
          durationMs: values.seconds * 1000,
          timeoutMs: values.timeout * 1000,
        }
        if (values.held > 0 && pid === undefined) throw new Error('whose memory? --held needs --own or --pid')
        const rows: HandshakeRow[] = []
        if (values.handshakes) {
          print(
            aligned(
              ['handshake', 'run', 'sessions/s', 'bare/s', 'ratio', 'resumed', 'p50 ms', 'p99 ms', 'errors'],
              widths,
            ),
          )
          await measureHandshakes(options, ['full', 'resumed'], (row) => {
            rows.push(row)
            print(handshakeLine(row))
          })
        }
        const held = values.held > 0 && pid !== undefined ? await measureHeld(options, pid, values.held) : undefined
        if (held !== undefined) for (const line of heldLines(held)) print(line)
        if (values.json === undefined) return
        const { target: _, frame: _frame, ...settings } = options
        const report = { tool: 'kmip-bench', machine: machineFacts(), settings, rows, held }
        writeText(values.json, `${JSON.stringify(report, undefined, 2)}\n`)
      })
    },
  )
