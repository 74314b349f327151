/**
 * Writes `docs/errors.md`: every Result Reason from the table of `src/kmip/errors.ts`, and which operation gives it, from the
 * rows of `src/operations/`. What it is not: the table of either. Run it from the repository's top:
 *
 *     node tools/errors-doc.ts            writes docs/errors.md
 *     node tools/errors-doc.ts --print    writes the text to standard output (test/docs.test.ts compares it)
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type ReasonRow, reasonRows } from '#kmip/errors'
import { newestVersion, supportedVersions, versionText } from '#kmip/versions'
import { operations } from '#operations/index'

/** A reason that a message can be refused with, whatever its operations: rules of the header, the batch and the session. */
interface MessageReason {
  readonly reason: string
  readonly when: string
}

const messageReasons: readonly MessageReason[] = [
  {
    reason: 'InvalidMessage',
    when: 'The message cannot be read, passes a bound of the server, has a wrong Batch Count, or lacks a Unique Batch Item ID',
  },
  { reason: 'InvalidField', when: 'A field has a value that its type or its enumeration does not allow' },
  {
    reason: 'AuthenticationNotSuccessful',
    when: 'The client certificate has no service here, or a credential of the request is not right',
  },
  { reason: 'OperationNotSupported', when: 'The server, or the version of the request, does not have the operation' },
  {
    reason: 'OperationCanceledByRequester',
    when: 'Poll asks for an asynchronous request that was cancelled before it began',
  },
  { reason: 'FeatureNotSupported', when: 'A Message Extension is critical' },
  {
    reason: 'ResponseTooLarge',
    when: 'The answer would be larger than the Maximum Response Size, or than what the server sends (`responseSizeMax`); nothing was changed, and the session goes on',
  },
  {
    reason: 'GeneralFailure',
    when: 'The server is busy or has failed; when it failed, the Result Message ends with a correlation id, which the log has too',
  },
]

const repository = new URL('.', import.meta.resolve('#src/config').replace(/src\/config\.ts$/, ''))

/** Reasons that the code of `src/server/` names, so that the list above cannot fall behind it. */
const reasonsOfServer = (): Set<string> => {
  const folder = fileURLToPath(new URL('src/server/', repository))
  const texts = readdirSync(folder).map((name) => readFileSync(`${folder}${name}`, 'utf8'))
  return new Set(texts.flatMap((text) => [...text.matchAll(/\bResultReason\.(\w+)/g)].map((match) => match[1] ?? '')))
}

/** Who gives a reason: any message, and the operations that list it. */
const givers = (row: ReasonRow): string => {
  const anyMessage = messageReasons.some(({ reason }) => reason === row.name) ? ['any message'] : []
  const names = operations.filter(({ reasons }) => reasons.includes(row.name)).map(({ name }) => name)
  return [...anyMessage, ...names].join(', ') || '–'
}

/** What somebody does about a reason who is asked why a client fails. */
const remedies: Readonly<Record<string, string>> = {
  ItemNotFound:
    "The identifier is of no object, or of one that the user may not see: `kmipctl keys show ID`, and whose the client is, `kmipctl kmip getclient`. A Name that is another user's is not found either",
  ResponseTooLarge: 'The client takes no more bytes: let it ask for less (fewer attributes, Maximum Items)',
  AuthenticationNotSuccessful: 'The log says what was wrong: [tls.md](tls.md#behind-the-handshake)',
  InvalidMessage:
    'The client speaks another KMIP than the specification, or passes a bound of the server: the text says which, settings.md has the bounds. `kmipctl logs setlevel --service kmip --level debug` shows the message',
  OperationNotSupported:
    'The client asks for what its version of KMIP or this server has not: [coverage.md](coverage.md)',
  InvalidField: 'The text names the field; the message is in the log at level debug',
  FeatureNotSupported:
    'The text names the feature. Operations in parts can be switched off by a setting (`--streaming`)',
  OperationCanceledByRequester: 'The client has cancelled it itself',
  CryptographicFailure:
    'Mode, padding, algorithm or length do not fit the key or the data, or what was to be opened was changed: [computing.md](computing.md)',
  IllegalOperation: "The object's state does not allow it, or its type: `kmipctl keys show ID`",
  PermissionDenied:
    'The user may see the object and not do this: `kmipctl keys permissions list ID`. Also: the key is not Active, is Active and to be destroyed (Revoke comes first), or its usage mask lacks the use; or a licence is missing',
  ObjectArchived: 'Recover comes first',
  IndexOutOfBounds: '`attributeInstancesMax`, `attributesPerObjectMax`',
  ApplicationNamespaceNotSupported:
    'The server makes Application Data for no namespace of this name: the client has to give it',
  KeyFormatTypeNotSupported: 'The key has no such form: [key-formats.md](key-formats.md)',
  KeyCompressionTypeNotSupported: 'The key cannot be given in this compression: ask for another, or for none',
  EncodingOptionError: 'Keys that are structures, and keys with attributes, are wrapped with TTLV Encoding',
  KeyValueNotPresent: 'The key itself is elsewhere: it was registered without',
  Sensitive: 'Get it wrapped, with a Key Wrapping Specification: [wrapping.md](wrapping.md)',
  NotExtractable: 'It leaves the server by no way: that is what the attribute is for',
  ObjectAlreadyExists: 'Import with Replace Existing, or another identifier',
  GeneralFailure:
    'The text tells of a queue that is full: the client asks again. With a correlation id: look for it in the log, [log.md](log.md)',
}

const tableRow = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`

const inOlderVersions = (row: ReasonRow): string =>
  supportedVersions.every((version) => version >= row.since) ? '' : (reasonRows.get(row.substitute)?.name ?? '')

/** @throws Error when a reason that is given has none */
const remedyOf = (name: string): string => {
  const remedy = remedies[name]
  if (remedy === undefined) throw new Error(`say in tools/errors-doc.ts what to do about ${name}`)
  return remedy
}

const reasonTable = (rows: readonly ReasonRow[]): string[] => [
  tableRow(['reason', 'number', 'since', 'in older versions', 'Result Message, when nothing more is said', 'given by']),
  tableRow(['---', '---', '---', '---', '---', '---']),
  ...rows.map((row) =>
    tableRow([row.name, row.reason, versionText(row.since), inOlderVersions(row), row.text, givers(row)]),
  ),
]

/** The page. @throws Error when the code of the server names a reason for any message that is not explained here */
const errorsDocument = (): string => {
  for (const reason of reasonsOfServer()) {
    if (!messageReasons.some((row) => row.reason === reason)) {
      throw new Error(`src/server/ names ${reason}: say in tools/errors-doc.ts when a message is refused with it`)
    }
  }
  const given = [...reasonRows.values()].filter((row) => givers(row) !== '–')
  const other = [...reasonRows.values()].filter((row) => givers(row) === '–')
  const byName = operations.toSorted((left, right) => left.name.localeCompare(right.name, 'en'))
  return `${[
    '# Errors',
    '',
    'Made from `src/kmip/errors.ts` and the rows of `src/operations/` by `node tools/errors-doc.ts`; a test keeps them equal.',
    '',
    'A refusal is a Batch Item with Result Status Operation Failed, a Result Reason and a Result Message (KMIP 1.4 §6.9, §6.10,',
    '§11). The Result Message says what to do about it and is meant for people: programs compare the reason. A client of a',
    'version that does not have the reason gets the one in the column "in older versions".',
    '',
    '## Reasons that this server gives',
    '',
    ...reasonTable(given),
    '',
    '## What to do',
    '',
    tableRow(['reason', 'what to do']),
    tableRow(['---', '---']),
    ...given.map(({ name }) => tableRow([name, remedyOf(name)])),
    '',
    '## For any message',
    '',
    tableRow(['reason', 'when']),
    tableRow(['---', '---']),
    ...messageReasons.map(({ reason, when }) => tableRow([reason, when])),
    '',
    '## By operation',
    '',
    'Beside those for any message.',
    '',
    tableRow(['operation', `section of KMIP ${versionText(newestVersion)}`, 'since', 'reasons']),
    tableRow(['---', '---', '---', '---']),
    ...byName.map(({ name, section, since, reasons }) =>
      tableRow([name, `§${section}`, versionText(since), reasons.join(', ') || '–']),
    ),
    '',
    '## Other reasons of the specification',
    '',
    'Known to the client and to the conformance runner; this server does not give them.',
    '',
    tableRow(['reason', 'number', 'since']),
    tableRow(['---', '---', '---']),
    ...other.map((row) => tableRow([row.name, row.reason, versionText(row.since)])),
  ].join('\n')}\n`
}

if (process.argv.includes('--print')) process.stdout.write(errorsDocument())
else writeFileSync(new URL('docs/errors.md', repository), errorsDocument())
