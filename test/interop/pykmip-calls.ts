/**
 * Calls of pykmip_calls.py: how they are written, the keys that they use, and a session of them in each version. What it is
 * not: the calls (pykmip-cryptography.test.ts, pykmip-keys.test.ts).
 */
import assert from 'node:assert/strict'
import * as node from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { type RunningServer, startServerProcess } from '#test/running-server'
import {
  check,
  compareSteps,
  done,
  type Expectation,
  expectPykmip,
  identifier,
  reason,
  runSession,
  versions,
} from './pykmip.ts'

/** What a call is given. */
export type Given = Readonly<Record<string, unknown>>

/** A call of pykmip_calls.py, and what is expected of it. */
export interface Call {
  readonly step: string
  readonly call: string
  readonly with: Given
  readonly expected: Expectation
}

/** A call, and what is expected of it. */
export const call = (step: string, name: string, given: Given, expected: Expectation): Call => ({
  step,
  call: name,
  with: given,
  expected,
})

/** Bytes as calls and results have them. */
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
/** Bytes from hex. */
export const bytes = (value: string): Buffer => Buffer.from(value, 'hex')
/** One behind the other. */
export const concatenated = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts)

/** What is registered as `aes`. */
export const aesKey = bytes('000102030405060708090a0b0c0d0e0f')
/** What is registered as `des`. */
export const desKey = bytes('0123456789abcdeffedcba987654321000112233445566aa')
/** What is registered as `hmac` and as `secret`. */
export const macKey = bytes('0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b')
/** An initialization vector of a block. */
export const iv = bytes('f0e0d0c0b0a090807060504030201000')
/** Two blocks. */
export const blocks = Buffer.from('the first block, and the second.', 'utf8')
/** One and a half blocks. */
export const text = blocks.subarray(0, 24)
/** What is registered as `public` and `private`. */
export const rsa = node.generateKeyPairSync('rsa', { modulusLength: 2048 })

/** The keys that the calls use, known here and active there. */
const registered = (version: string): readonly Call[] => {
  const register = (step: string, name: string, value: Uint8Array, usage: readonly string[], given: Given = {}) => [
    call(step, name, { value: hex(value), usage, name: `cryptography-${version}-${step}`, ...given }, identifier),
    call(`activate ${step}`, 'activate', { key: `@${step}` }, done),
  ]
  const both = ['ENCRYPT', 'DECRYPT']
  return [
    ...register('aes', 'register_key', aesKey, [...both, 'MAC_GENERATE', 'DERIVE_KEY'], { algorithm: 'AES' }),
    ...register('des', 'register_key', desKey, both, { algorithm: 'TRIPLE_DES' }),
    ...register('hmac', 'register_key', macKey, ['MAC_GENERATE', 'DERIVE_KEY'], { algorithm: 'HMAC_SHA256' }),
    ...register('secret', 'register_secret', macKey, ['DERIVE_KEY']),
    ...register('public', 'register_public_key', rsa.publicKey.export({ type: 'pkcs1', format: 'der' }), [
      'VERIFY',
      'ENCRYPT',
    ]),
    ...register('private', 'register_private_key', rsa.privateKey.export({ type: 'pkcs8', format: 'der' }), [
      'SIGN',
      'DECRYPT',
    ]),
  ]
}

/** What the library's cipher makes of the data, without padding, in hex. */
export const ciphered = (name: string, key: Uint8Array, vector: Uint8Array | null, data: Uint8Array): string => {
  const cipher = node.createCipheriv(name, key, vector).setAutoPadding(false)
  return hex(concatenated(cipher.update(data), cipher.final()))
}

/** What the library has no name for, or what belongs to other keys: refused as §11.30 says. */
export const refused = reason('CRYPTOGRAPHIC_FAILURE')
/** A value of an enumeration that the version does not have. */
export const unknown = reason('INVALID_FIELD')

/** The code of some data, or of `text`, under `macKey`. */
export const hmac = (hash: string, data: Uint8Array = text): Buffer =>
  node.createHmac(hash, macKey).update(data).digest()

/** The result of an earlier step, told when the steps are there. */
const earlier = new Map<string, unknown>()
/** The same result as that of an earlier step, or a form of it. */
export const identityOf = (step: string, form: (value: unknown) => unknown = (value) => value): Expectation =>
  check((value) => assert.deepEqual(value, form(earlier.get(step))))

/** Has the calls done in each version, and compares what came of them. */
export const testCalls = (title: string, calls: (version: string) => readonly Call[]): void => {
  describe(title, () => {
    let server: RunningServer
    before(async () => {
      await expectPykmip()
      server = await startServerProcess()
    })
    after(() => server?.kill())

    for (const version of versions) {
      test(`KMIP ${version}`, async (context) => {
        const asked = [...registered(version), ...calls(version)]
        const steps = await runSession(server, 'pykmip_calls.py', version, asked)
        for (const { step, result: told } of steps) earlier.set(step, told)
        await compareSteps(context, steps, Object.fromEntries(asked.map(({ step, expected }) => [step, expected])))
      })
    }

    test('nothing failed inside the server', () => {
      assert.ok(server.alive)
      assert.deepEqual(server.failures, [])
    })
  })
}
