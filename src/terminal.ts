/**
 * Questions at a terminal. What it is: the one way of the commands to ask a person. What it is not: what is asked, or a place
 * that keeps answers.
 */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** Whether a question would be seen and answered. */
export const canAsk = (): boolean => process.stdin.isTTY && process.stderr.isTTY

/**
 * Asks on the terminal; what is typed is not shown when it is a secret. Written to stderr, for stdout is the answer's.
 * @returns the line; empty when the input ended or was interrupted
 */
export const ask = async (question: string, secret: boolean): Promise<string> => {
  let muted = false
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!muted) process.stderr.write(chunk)
      done()
    },
  })
  const lines = createInterface({ input: process.stdin, output, terminal: true })
  try {
    const answer = lines.question(question)
    muted = secret
    // The end of the input, or an interrupt, is no answer.
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
    return await Promise.race([answer, ended])
  } finally {
    lines.close()
    if (secret) process.stderr.write('\n')
  }
}
