/**
 * A first key with the project's own client: make it, use it, end its life. What it is: the example of the README, run by
 * the tests. What it is not: part of the server.
 *
 *     npm run first-key -- --data ./data --port 5696
 *     npm run first-key -- --ca ca.pem --cert array-7.pem --key array-7.key        as another client
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import yargs from 'yargs'
import { hideBin } from 'yargs/helpers'
import { attribute } from '#client/attribute'
import { createClient } from '#client/client'
import {
  CredentialType,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  NameType,
  ObjectType,
  RevocationReasonCode,
} from '#kmip/enums'

const { data, host, port, name, ca, cert, key, user, password, keep } = await yargs(hideBin(process.argv))
  .option('data', { type: 'string', default: './data', describe: "the server's data directory" })
  .option('host', { type: 'string', default: 'localhost' })
  .option('port', { type: 'number', default: 5696 })
  .option('name', { type: 'string', default: 'first-key' })
  .option('ca', { type: 'string', describe: 'PEM file; the one of the first start when not given, as the next two' })
  .option('cert', { type: 'string', describe: 'PEM file' })
  .option('key', { type: 'string', describe: 'PEM file' })
  .option('user', { type: 'string', describe: 'user name of the credential in each request' })
  .option('password', { type: 'string', default: '', describe: 'its password' })
  .option('keep', { type: 'boolean', default: false, describe: 'leave the key there, Active' })
  .strict()
  .parse()

/** An error and what caused it. */
const told = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${told(error.cause)}`
}
process.on('uncaughtException', (error) => {
  console.error(`first-key: ${told(error)}`)
  process.exit(1)
})
const read = (given: string | undefined, made: string): string =>
  readFileSync(given ?? join(data, 'bootstrap', made), 'utf8')
const credentials =
  user === undefined
    ? []
    : [{ credentialType: CredentialType.UsernameAndPassword, credentialValue: { username: user, password } }]

const client = createClient({
  host,
  port,
  ca: read(ca, 'ca.pem'),
  cert: read(cert, 'client.pem'),
  key: read(key, 'client.key'),
  ...(credentials.length === 0 ? {} : { credentials }),
})

const { uniqueIdentifier } = await client.create({
  objectType: ObjectType.SymmetricKey,
  templateAttribute: {
    attribute: [
      attribute('Name', { nameValue: name, nameType: NameType.UninterpretedTextString }),
      attribute('Cryptographic Algorithm', CryptographicAlgorithm.AES),
      attribute('Cryptographic Length', 256),
      attribute('Cryptographic Usage Mask', CryptographicUsageMask.Encrypt | CryptographicUsageMask.Decrypt),
    ],
  },
})
console.log('created  ', uniqueIdentifier)

await client.activate({ uniqueIdentifier })
const located = await client.locate({
  attribute: [attribute('Name', { nameValue: name, nameType: NameType.UninterpretedTextString })],
})
console.log('located  ', located.uniqueIdentifier.join(', '))

const { symmetricKey } = await client.get({ uniqueIdentifier })
const keyValue = symmetricKey?.keyBlock.keyValue
const material = keyValue !== undefined && 'keyMaterial' in keyValue ? (keyValue.keyMaterial as Uint8Array) : undefined
console.log('got      ', `${material?.length} bytes of key material`)

if (!keep) {
  const revocationReason = { revocationReasonCode: RevocationReasonCode.CessationOfOperation }
  await client.revoke({ uniqueIdentifier, revocationReason })
  await client.destroy({ uniqueIdentifier })
  console.log('destroyed', uniqueIdentifier)
}
await client.close()
