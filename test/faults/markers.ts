/**
 * Secrets that are known by their bytes, and the search for them in any spelling. What it is: the search. What it is not: where is
 * searched (secrets.test.ts).
 */
import assert from 'node:assert/strict'

/** Each is long enough not to come about by itself. */
export const markers: Readonly<Record<string, Buffer>> = {
  'a key': Buffer.from('MARKER-of-a-registered-key-00001'),
  'a destroyed key': Buffer.from('MARKER-of-a-destroyed-key-000001'),
  'secret data': Buffer.from('MARKER of some secret data'),
  'a wrong password': Buffer.from('MARKER of a wrong password'),
  "a user's password": Buffer.from('MARKER of the right password'),
  'the password of a directory': Buffer.from('MARKER of the bind password'),
  'data to encrypt': Buffer.from('MARKER of what is to be encrypted'),
  'a key that is refused': Buffer.from('MARKER-of-a-key-that-is-refused!'),
}

/** How bytes may be written down. */
export const spellings = (marker: Buffer): readonly Buffer[] => {
  const base64 = (skipped: number): string => {
    // A marker within longer bytes begins at any of three places of Base64: what does not depend on its neighbours.
    const text = Buffer.concat([Buffer.alloc(skipped), marker]).toString('base64')
    return text.slice(skipped === 0 ? 0 : 4, -4)
  }
  const hex = marker.toString('hex')
  const texts = [hex, hex.toUpperCase(), base64(0), base64(1), base64(2)]
  const urls = texts.slice(2).map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))
  const list = [...marker].join(',')
  return [
    marker,
    Buffer.from(marker.toReversed()),
    Buffer.from(marker.toString('latin1'), 'utf16le'),
    ...[...texts, ...urls, list].map((text) => Buffer.from(text)),
  ]
}

/** Names of the secrets that bytes hold. */
export const found = (bytes: Buffer): readonly string[] =>
  Object.entries(markers)
    .filter(([, marker]) => spellings(marker).some((spelling) => bytes.includes(spelling)))
    .map(([name]) => name)

/** One of them. */
export const marker = (name: string): Buffer => {
  const bytes = markers[name]
  assert.ok(bytes !== undefined)
  return bytes
}
