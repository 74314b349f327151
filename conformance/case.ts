/**
 * Test cases as files: finding them, their order, and their reading into exchanges. What it is: the form of the files
 * (KMIP XML with remarks between the messages). What it is not: placeholders (bindings.ts) or what a server must answer
 * (compare.ts).
 *
 *     <KMIP>                        or KmipTestCase
 *     # TIME 0                      remarks: who sends ([Client-B]), the other direction ([Server-to-Client]), [REPEAT]
 *       <RequestMessage>…           one exchange: a request and the response that answers it
 *       <ResponseMessage>…
 *     </KMIP>
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { versionOf } from '#kmip/versions'
import { parseXml, type XmlElement, type XmlLimits } from '#ttlv/xml-element'

/** One request and the response that it must get. */
export interface Exchange {
  readonly request: XmlElement
  readonly expected: XmlElement
  /** Who sends: the cases have one client or several, each with a session of its own. */
  readonly client: string
  /** The server sends the request, on a connection that it opens. */
  readonly serverToClient: boolean
  /** The request is sent again as long as the answer is Operation Pending. */
  readonly repeat: boolean
}

export interface TestCase {
  /** The file's name without its ending. */
  readonly name: string
  readonly file: string
  /** Protocol version of the first request: 100 x major + minor; 0 of a file that cannot be read. */
  readonly version: number
  /** Part of the name in front of its numbers, `TL-M` of `TL-M-2-14`. */
  readonly family: string
  readonly exchanges: readonly Exchange[]
  /** Why the file cannot be read, or undefined. */
  readonly fault: string | undefined
}

/** Bounds of a case file: far beyond any that exists, far below what a process bears. */
const xmlLimits: XmlLimits = {
  textLengthMax: 8_000_000,
  attributeLengthMax: 2_000_000,
  nestingDepthMax: 64,
  itemCountMax: 200_000,
}

const natural = new Intl.Collator('en', { numeric: true })

/**
 * Cases that stand on others although their names do not say it. Each row is a chain: the files run in this order, at
 * the place of the first one.
 */
const chains: readonly (readonly string[])[] = [
  [
    'TC-OTP-SETUP-1',
    'TC-OTP-1',
    'TC-OTP-2',
    'TC-OTP-CLEANUP-1',
    'TC-OTP-SETUP-2',
    'TC-OTP-3',
    'TC-OTP-4',
    'TC-OTP-5',
    'TC-OTP-6',
    'TC-OTP-CLEANUP-2',
  ],
]

/**
 * Cases that build on one that the published set lacks, and the one of ours that stands in for it
 * (`preconditions/<name>-<version>.xml`).
 */
const stoodInFor: Readonly<Record<string, string>> = {
  'SASED-M-3': 'SASED-M-2',
  'TC-OTP-1': 'TC-OTP-SETUP-1',
  'TC-OTP-2': 'TC-OTP-SETUP-1',
  // A server asks a client of what it can once it has something to send.
  'TC-Q-S2C-1': 'S2C-CREATE',
  'TC-Q-S2C-2': 'S2C-CREATE',
  'TC-Q-S2C-PROF-1': 'S2C-CREATE',
  'TC-Q-S2C-PROF-2': 'S2C-CREATE',
}

/** Our file that makes what a case builds on, unless the case that does so is among `files`; undefined for most cases. */
export const preconditionOf = (name: string, files: readonly string[]): string | undefined => {
  const before = stoodInFor[unversioned(name)]
  if (before === undefined) return undefined
  const file = `${before}${name.slice(unversioned(name).length)}.xml`
  if (files.some((path) => basename(path) === file)) return undefined
  return fileURLToPath(new URL(`preconditions/${file}`, import.meta.url))
}

/** The name without the protocol version at its end: `TC-OTP-1` of `TC-OTP-1-14`. */
const unversioned = (name: string): string => name.replace(/-\d\d$/, '')

/** What a file is sorted by within its folder. */
const placeOf = (file: string): string => {
  const name = basename(file, '.xml')
  for (const chain of chains) {
    const link = chain.indexOf(unversioned(name))
    if (link >= 0) return `${chain[1] ?? ''} ${link}`
  }
  return name
}

/**
 * Every case file at or below the paths, folder by folder in natural order, so that a case comes behind those it builds
 * on. @throws Error when a path does not exist
 */
export const findCases = (paths: readonly string[]): readonly string[] => {
  const files = paths.flatMap((path) => filesBelow(resolve(path)))
  return [...new Set(files)].sort(
    (a, b) =>
      natural.compare(dirname(a), dirname(b)) || natural.compare(placeOf(a), placeOf(b)) || natural.compare(a, b),
  )
}

const filesBelow = (path: string): string[] => {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const inner = join(path, entry.name)
    if (entry.isDirectory()) return filesBelow(inner)
    return entry.name.endsWith('.xml') ? [inner] : []
  })
}

/** Reads a case file. What cannot be read is said in `fault`: one bad file does not stop a run. */
export const readCase = (file: string): TestCase => {
  const name = basename(file, '.xml')
  try {
    const exchanges = exchangesOf(readDocument(readFileSync(file, 'utf8')), serverToClientName.test(name))
    return { name, file, version: versionOfExchanges(exchanges), family: familyOf(name), exchanges, fault: undefined }
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error)
    return { name, file, version: 0, family: familyOf(name), exchanges: [], fault }
  }
}

/** The document up to the end of its root: there are published files with a second end tag behind it. */
const readDocument = (text: string): XmlElement => {
  const end = /<\/(?:KMIP|KmipTestCase)\s*>/.exec(text)
  return parseXml(end === null ? text : text.slice(0, end.index + end[0].length), xmlLimits)
}

/** These files lack the remark: their names say that the server asks the client (KMIP 1.4 §5.3, §5.4). */
const serverToClientName = /-S2C-/

const exchangesOf = (root: XmlElement, serverToClient: boolean): readonly Exchange[] => {
  const messages = root.children
  const exchanges: Exchange[] = []
  for (let index = 0; index < messages.length; index += 2) {
    const request = messages[index]
    const expected = messages[index + 1]
    if (request?.name !== 'RequestMessage') throw new TypeError(`line ${request?.line}: a RequestMessage is expected`)
    if (expected?.name !== 'ResponseMessage') throw new TypeError(`line ${request.line}: the request has no response`)
    exchanges.push({
      request,
      expected,
      client: /\[Client-([A-Z])\]/.exec(request.before)?.[1] ?? 'A',
      serverToClient: serverToClient || request.before.includes('[Server-to-Client]') || isSentByServers(request),
      repeat: request.before.includes('[REPEAT]'),
    })
  }
  if (exchanges.length === 0) throw new TypeError('the file has no exchange')
  if (versionOfExchanges(exchanges) === 0) throw new TypeError('the first request names no protocol version')
  return exchanges
}

/** Some files lack the remark: Notify and Put are sent by servers alone (KMIP 1.4 §5). */
const isSentByServers = (request: XmlElement): boolean => {
  const operation = childNamed(childNamed(request, 'BatchItem'), 'Operation')?.attributes.get('value')
  return operation === 'Put' || operation === 'Notify'
}

/** The first child with a name, or undefined. */
export const childNamed = (element: XmlElement | undefined, name: string): XmlElement | undefined =>
  element?.children.find((child) => child.name === name)

const versionOfExchanges = (exchanges: readonly Exchange[]): number => {
  const version = childNamed(childNamed(exchanges[0]?.request, 'RequestHeader'), 'ProtocolVersion')
  const major = Number(childNamed(version, 'ProtocolVersionMajor')?.attributes.get('value'))
  const minor = Number(childNamed(version, 'ProtocolVersionMinor')?.attributes.get('value'))
  return versionOf(major, minor)
}

const familyOf = (name: string): string => {
  const parts = name.split(/[-_]/)
  const end = parts.findIndex((part) => /^\d/.test(part))
  return parts.slice(0, end < 0 ? parts.length : Math.max(end, 1)).join('-')
}
