/**
 * The bare primitive in a loop: the limit of what so many threads of this machine could compute, without a server. What it
 * is: a thread's entry, and the function that runs some of them. What it is not: KMIP, TLS, or a queue.
 */
import {
  createCipheriv,
  createSecretKey,
  generateKeyPairSync,
  generateKeySync,
  type KeyObject,
  sign,
} from 'node:crypto'
import { once } from 'node:events'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'

/** What a loop computes; `bytes` of data each time, where there are data. */
export interface Primitive {
  readonly name: 'aes-256-gcm' | 'aes-256-cbc' | 'sign rsa' | 'sign p-256' | 'pair rsa'
  /** Data, or bits of the key for `pair rsa`. */
  readonly size: number
}

interface LoopJob extends Primitive {
  readonly durationMs: number
}

/** Operations a second of so many threads together. */
export const bareLoop = async (primitive: Primitive, threads: number, durationMs: number): Promise<number> => {
  const workers = Array.from({ length: threads }, () => new Worker(new URL(import.meta.url)))
  try {
    await Promise.all(workers.map((worker) => once(worker, 'message')))
    const rates = workers.map(async (worker) => {
      worker.postMessage({ ...primitive, durationMs } satisfies LoopJob, [])
      const [rate] = (await once(worker, 'message')) as [number]
      return rate
    })
    return (await Promise.all(rates)).reduce((sum, rate) => sum + rate, 0)
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

const cipherOnce = (name: 'aes-256-gcm' | 'aes-256-cbc', size: number): (() => void) => {
  const key: KeyObject = createSecretKey(generateKeySync('aes', { length: 256 }).export())
  const data = new Uint8Array(size)
  const iv = new Uint8Array(name === 'aes-256-gcm' ? 12 : 16)
  return () => {
    iv[0] = ((iv[0] ?? 0) + 1) % 256
    if (name === 'aes-256-gcm') {
      const cipher = createCipheriv(name, key, iv)
      cipher.update(data)
      cipher.final()
      cipher.getAuthTag()
      return
    }
    const cipher = createCipheriv(name, key, iv)
    cipher.update(data)
    cipher.final()
  }
}

const signOnce = (key: KeyObject, size: number): (() => void) => {
  const data = new Uint8Array(size)
  return () => void sign('sha256', data, key)
}

/** One operation of each primitive. */
const onceOf = ({ name, size }: Primitive): (() => void) => {
  if (name === 'sign rsa') return signOnce(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, size)
  if (name === 'sign p-256') return signOnce(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, size)
  if (name === 'pair rsa') return () => void generateKeyPairSync('rsa', { modulusLength: size })
  return cipherOnce(name, size)
}

/** Operations a second, after a tenth of the time that does not count. */
const run = ({ durationMs, ...primitive }: LoopJob): number => {
  const operation = onceOf(primitive)
  const loop = (forMs: number): number => {
    const startMs = performance.now()
    let count = 0
    let tookMs = 0
    do {
      operation()
      count += 1
      tookMs = performance.now() - startMs
    } while (tookMs < forMs)
    return (count / tookMs) * 1000
  }
  loop(durationMs / 10)
  return loop(durationMs)
}

const port = parentPort
if (!isMainThread && port !== null) {
  port.on('message', (job: LoopJob) => port.postMessage(run(job)))
  port.postMessage('ready')
}
