/**
 * For who distributes the server with a licence: makes the pair of keys, and signs licence texts. What it is not: part of the
 * server, which has the public key alone.
 *
 *     node tools/licence.ts keys licence.key                 writes the private key, prints the setting for the public one
 *     node tools/licence.ts sign licence.key --holder ACME [--installation ID] [--days 365]
 */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import yargs from 'yargs'
import { hideBin } from 'yargs/helpers'
import { systemClock } from '#actor/clock'
import { systemEntropy, uniqueIdentifier } from '#actor/entropy'
import { licensedFeature, signLicence } from '#identity/licence'

const secondsPerDay = 86_400

await yargs(hideBin(process.argv))
  .scriptName('licence')
  .command(
    'keys <file>',
    'Make a pair of keys',
    (command) => command.positional('file', { type: 'string', demandOption: true }).example('$0 keys licence.key', ''),
    ({ file }) => {
      const { privateKey, publicKey } = generateKeyPairSync('ed25519')
      // An older key is not written over: licences were signed with it.
      writeFileSync(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600, flag: 'wx' })
      const text = publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
      process.stdout.write(`--licence-public-key ${text}\n`)
    },
  )
  .command(
    'sign <file>',
    'Print a licence text',
    (command) =>
      command
        .positional('file', { type: 'string', demandOption: true })
        .option('holder', { type: 'string', demandOption: true, describe: 'For whom' })
        .option('installation', { type: 'string', describe: 'Installation (kmipctl features); any when not given' })
        .option('days', { type: 'number', describe: 'Days that it is good for; without end when not given' })
        .example('$0 sign licence.key --holder ACME --days 365', ''),
    ({ file, holder, installation, days }) => {
      const notBefore = systemClock.nowSeconds()
      const terms = {
        id: uniqueIdentifier(systemClock, systemEntropy),
        feature: licensedFeature,
        holder,
        notBefore,
        ...(installation === undefined ? {} : { installation }),
        ...(days === undefined ? {} : { notAfter: notBefore + days * secondsPerDay }),
      }
      process.stdout.write(`${signLicence(terms, createPrivateKey(readFileSync(file)))}\n`)
    },
  )
  .demandCommand(1)
  .strict()
  .help()
  .parse()
