/**
 * Whether the server of this machine takes requests: 0 or 1 as the exit code, for the health check of a container. What it
 * is: one question, at the port of those who watch, or at the administration's socket where that port is off. What it is not:
 * a look at the store or at TLS (`kmipctl store check`, a client).
 *
 *     node src/health.ts --data /data --metrics-port 9464      the settings that the server has, as flags or variables
 */
import { type RequestOptions, request } from 'node:http'
import { join } from 'node:path'
import { readSettings, SettingError, type Settings } from './config.ts'

/** A server that has not answered by then does not turn its loop. */
const timeoutMs = 5_000

/** What is asked, and which answers are good. */
interface Question {
  readonly where: RequestOptions
  readonly isGood: (status: number) => boolean
}

const questionOf = ({ metricsPort, metricsHost, dataDirectory }: Settings): Question => {
  if (metricsPort !== 0) {
    const host = metricsHost === 'all' ? '127.0.0.1' : metricsHost
    return { where: { host, port: metricsPort, path: '/readyz' }, isGood: (status) => status === 200 }
  }
  // It has no page for this: that it answers at all is the answer, since it listens last.
  return { where: { socketPath: join(dataDirectory, 'admin.sock'), path: '/' }, isGood: (status) => status < 500 }
}

const told = (text: string, exitCode: number): void => {
  process.stdout.write(`${text.trim()}\n`)
  process.exitCode = exitCode
}

const ask = ({ where, isGood }: Question): void => {
  const asked = request({ ...where, timeout: timeoutMs, agent: false }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => void chunks.push(chunk))
    response.on('end', () => {
      const good = isGood(response.statusCode ?? 0)
      told(good ? 'The server takes requests' : Buffer.concat(chunks).toString(), good ? 0 : 1)
    })
  })
  asked.on('timeout', () => asked.destroy(new Error(`no answer within ${timeoutMs} ms`)))
  asked.on('error', (error) => told(`The server does not answer: ${error.message}`, 1))
  asked.end()
}

try {
  ask(questionOf(readSettings(process.env, process.argv.slice(2))))
} catch (error) {
  if (!(error instanceof SettingError)) throw error
  told(error.message, 1)
}
