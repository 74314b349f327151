/**
 * Operations in parts across sessions (KMIP 1.4 §2.1.15): a stream is its user's, whichever connection a part comes by, and
 * ends with the silence that the setting allows. What it is not: what a stream computes (test/operations/computing-table.test.ts).
 */
import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { test } from 'node:test'
import { systemClock } from '#actor/clock'
import { attribute } from '#client/attribute'
import { createClient } from '#client/client'
import { KmipResponseError } from '#client/errors'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  KeyFormatType,
  ObjectType,
  PaddingMethod,
  ResultReason,
} from '#kmip/enums'
import { startServerProcess } from '#test/running-server'

const keyMaterial = new Uint8Array(32).fill(5)
const cryptographicParameters = { blockCipherMode: BlockCipherMode.CBC, paddingMethod: PaddingMethod.PKCS5 }
const ivCounterNonce = new Uint8Array(16).fill(9)

test('the parts of one encryption come by three sessions; a silent stream is forgotten', async () => {
  await using server = await startServerProcess({ flags: ['--stream-idle-timeout-ms', '1000'] })
  const clients = Array.from({ length: 3 }, () => createClient(server.connection))
  const [first, second, third] = clients
  assert.ok(first && second && third)
  const { uniqueIdentifier } = await first.register({
    objectType: ObjectType.SymmetricKey,
    templateAttribute: {
      attribute: [
        attribute('Cryptographic Usage Mask', CryptographicUsageMask.Encrypt),
        attribute('Activation Date', 1),
      ],
    },
    symmetricKey: {
      keyBlock: {
        keyFormatType: KeyFormatType.Raw,
        keyValue: { keyMaterial, attribute: [] },
        cryptographicAlgorithm: CryptographicAlgorithm.AES,
        cryptographicLength: 256,
      },
    },
  })
  const data = new Uint8Array(50).map((_, index) => index)
  const open = { uniqueIdentifier, cryptographicParameters, ivCounterNonce, initIndicator: true }
  const begun = await first.encrypt({ ...open, data: data.subarray(0, 20) })
  const { correlationValue } = begun
  assert.ok(correlationValue)
  const going = await second.encrypt({ uniqueIdentifier, correlationValue, data: data.subarray(20, 40) })
  const ended = await third.encrypt({
    uniqueIdentifier,
    correlationValue,
    data: data.subarray(40),
    finalIndicator: true,
  })
  const cipher = createCipheriv('aes-256-cbc', keyMaterial, ivCounterNonce)
  const expected = Buffer.concat([cipher.update(data), cipher.final()])
  const given = [begun, going, ended].map((part) => part.data ?? new Uint8Array(0))
  assert.deepEqual(Buffer.concat(given), expected)

  const silent = await first.encrypt({ ...open, data })
  await new Promise<void>((resolve) => void systemClock.after(1_500, resolve))
  await assert.rejects(
    second.encrypt({ uniqueIdentifier, correlationValue: silent.correlationValue, data, finalIndicator: true }),
    (error) => error instanceof KmipResponseError && error.reason === ResultReason.ItemNotFound,
  )
  await Promise.all(clients.map((client) => client.close()))
  assert.deepEqual(server.failures, [])
})
