/**
 * DSA and Diffie-Hellman keys: numbers, their structures and their DER. What it is: the one form of such keys here, plain
 * numbers with the checks that cost no power of a number. What it is not: the library's key type, which would compute
 * g ^ x for every private key that a client sends, however long. KMIP 1.4 §2.1.7.2, .3, .6, .7; RFC 3279 §2.3.2,
 * §2.3.3; PKCS #3 §9.
 */

import {
  algorithmIdentifier,
  contentOf,
  derElements,
  derInteger,
  integerOf,
  type KeyInfo,
  tagInteger,
  tagSequence,
  writePrivateKeyInfo,
  writePublicKeyInfo,
} from './der.ts'
import { KeyFormatError } from './errors.ts'
import { bitLength } from './integers.ts'
import { required, type TransparentDHKey, type TransparentKey } from './transparent.ts'

/** A DSA or DH key; `x` of a private one, `y` of a public one. */
export interface FiniteFieldKey extends TransparentDHKey {
  readonly kind: 'dsa' | 'dh'
}

/** Object identifiers, as the hex of their content. */
export const oidDsa = '2a8648ce380401'
export const oidDhPkcs3 = '2a864886f70d010301'
export const oidDhX942 = '2a8648ce3e0201'

/** The library takes no longer prime either. */
const primeBitsMax = 10000

const outOfRange = (): KeyFormatError => new KeyFormatError('invalid', 'The key has a number out of range')

/** Checks the numbers against each other and gives the key back. Throws KeyFormatError. */
function checked(key: FiniteFieldKey): FiniteFieldKey {
  const { p, q, g, j, x, y } = key
  if (p <= 3n || p % 2n === 0n || g <= 1n || g >= p) throw outOfRange()
  if (bitLength(p) > primeBitsMax) throw new KeyFormatError('unsupported', 'The prime is too long')
  if (q !== undefined && (q <= 1n || q >= p || (p - 1n) % q !== 0n)) throw outOfRange()
  if (j !== undefined && (q === undefined || j * q !== p - 1n)) throw outOfRange()
  if (x !== undefined && (x <= 0n || x >= (q ?? p))) throw outOfRange()
  if (y !== undefined && (y <= 1n || y >= p - 1n)) throw outOfRange()
  return key
}

/** A key from its structure. Throws KeyFormatError. KMIP 1.4 §2.1.7.2, .3, .6, .7. */
export function finiteFieldKeyOf(
  kind: 'dsa' | 'dh',
  half: 'private' | 'public',
  structure: TransparentKey,
): FiniteFieldKey {
  const domain = { kind, p: required(structure, 'p'), g: required(structure, 'g') }
  const own = half === 'private' ? { x: required(structure, 'x') } : { y: required(structure, 'y') }
  const q = kind === 'dsa' ? required(structure, 'q') : structure.q
  const j = kind === 'dsa' ? undefined : structure.j
  return checked({ ...domain, ...(q === undefined ? {} : { q }), ...(j === undefined ? {} : { j }), ...own })
}

/** The structure of a key. */
export function transparentFiniteFieldKey({ p, q, g, j, x, y }: FiniteFieldKey): TransparentDHKey {
  return {
    p,
    ...(q === undefined ? {} : { q }),
    g,
    ...(j === undefined ? {} : { j }),
    ...(x === undefined ? {} : { x }),
    ...(y === undefined ? {} : { y }),
  }
}

/** A key from its SubjectPublicKeyInfo or PrivateKeyInfo; undefined if it is of another kind. Throws KeyFormatError. */
export function readFiniteFieldKey(info: KeyInfo, half: 'private' | 'public'): FiniteFieldKey | undefined {
  if (info.oid !== oidDsa && info.oid !== oidDhPkcs3 && info.oid !== oidDhX942) return undefined
  if (info.parameters === undefined) throw new KeyFormatError('unsupported', 'The key has no domain parameters')
  const parameters = derElements(contentOf(info.parameters, tagSequence))
  // Behind the integers of X9.42 the seed of the prime may stand, a SEQUENCE.
  const numbers = parameters.filter(({ tag }) => tag === tagInteger).map(integerOf)
  const [own, ...rest] = derElements(info.key)
  const value = integerOf(own)
  if (rest.length > 0) throw outOfRange()
  return finiteFieldKeyOf(info.oid === oidDsa ? 'dsa' : 'dh', half, {
    ...domainOf(info.oid, numbers),
    ...(half === 'private' ? { x: value } : { y: value }),
  })
}

function domainOf(oid: string, numbers: readonly bigint[]): TransparentKey {
  if (oid === oidDsa) return { p: numbers[0], q: numbers[1], g: numbers[2] }
  if (oid === oidDhPkcs3) return { p: numbers[0], g: numbers[1] }
  return { p: numbers[0], g: numbers[1], q: numbers[2], j: numbers[3] }
}

/** SubjectPublicKeyInfo or PrivateKeyInfo of a key: DH with Q after X9.42, without it after PKCS #3. */
export function writeFiniteFieldKey(key: FiniteFieldKey): Uint8Array {
  const { kind, p, q, g, j, x, y } = key
  const algorithm =
    q === undefined
      ? algorithmIdentifier(oidDhPkcs3, [p, g])
      : kind === 'dsa'
        ? algorithmIdentifier(oidDsa, [p, q, g])
        : algorithmIdentifier(oidDhX942, j === undefined ? [p, g, q] : [p, g, q, j])
  if (x !== undefined) return writePrivateKeyInfo(algorithm, derInteger(x))
  if (y !== undefined) return writePublicKeyInfo(algorithm, derInteger(y))
  throw new KeyFormatError('invalid', 'The key has no half')
}
