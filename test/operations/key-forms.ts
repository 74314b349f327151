/**
 * Sample keys in every Key Format Type that they have, made by the library, the openssl command and arithmetic alone: what the
 * server's conversions are compared with. What it is not: a use of the server's own conversions.
 */
import {
  createDiffieHellmanGroup,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { CryptographicAlgorithm as A, KeyFormatType as F, ObjectType, RecommendedCurve } from '#kmip/enums'
import { number, openssl, pkcs1, pkcs8, plain, raw, sec1, spki } from '#test/crypto/keys'

type Material = Uint8Array | Readonly<Record<string, unknown>>

/** A key: what it is registered as, and its material by format. */
export interface SampleKey {
  readonly name: string
  readonly objectType: ObjectType
  /** Undefined: the specification of 1.4 has no number for it, and the key tells. */
  readonly algorithm: A | undefined
  readonly lengthBits: number | undefined
  readonly forms: ReadonlyMap<F, Material>
  /** The half of a pair that it is, as the library has it. */
  readonly key?: KeyObject
}

const numberOf = (member: string | undefined): bigint => number(Buffer.from(member ?? '', 'base64url'))

const powerModulo = (base: bigint, exponent: bigint, modulus: bigint): bigint => {
  let result = 1n
  for (let [power, left] = [base % modulus, exponent]; left > 0n; power = (power * power) % modulus, left >>= 1n) {
    if (left % 2n === 1n) result = (result * power) % modulus
  }
  return result
}

const jwkOf = (key: KeyObject) => key.export({ format: 'jwk' })

const rsaForms = ({ privateKey, publicKey }: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }) => {
  const { n, e, d, p, q, dp, dq, qi } = jwkOf(privateKey)
  const structure = { modulus: numberOf(n), publicExponent: numberOf(e) }
  const secret = {
    ...structure,
    privateExponent: numberOf(d),
    p: numberOf(p),
    q: numberOf(q),
    primeExponentP: numberOf(dp),
    primeExponentQ: numberOf(dq),
    crtCoefficient: numberOf(qi),
  }
  return {
    private: new Map<F, Material>([
      [F.PKCS_1, pkcs1(privateKey)],
      [F.PKCS_8, pkcs8(privateKey)],
      [F.TransparentRSAPrivateKey, secret],
    ]),
    public: new Map<F, Material>([
      [F.PKCS_1, pkcs1(publicKey)],
      [F.X_509, spki(publicKey)],
      [F.TransparentRSAPublicKey, structure],
    ]),
  }
}

const ecPrivateFormats = [
  F.TransparentECDSAPrivateKey,
  F.TransparentECDHPrivateKey,
  F.TransparentECMQVPrivateKey,
  F.TransparentECPrivateKey,
]
const ecPublicFormats = [
  F.TransparentECDSAPublicKey,
  F.TransparentECDHPublicKey,
  F.TransparentECMQVPublicKey,
  F.TransparentECPublicKey,
]

const ecForms = ({ privateKey, publicKey }: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }) => {
  const { x, y, d } = jwkOf(privateKey)
  const qString = plain(
    Buffer.concat([Uint8Array.of(4), Buffer.from(x ?? '', 'base64url'), Buffer.from(y ?? '', 'base64url')]),
  )
  const recommendedCurve = RecommendedCurve.P_256
  return {
    private: new Map<F, Material>([
      [F.PKCS_8, pkcs8(privateKey)],
      [F.ECPrivateKey, sec1(privateKey)],
      ...ecPrivateFormats.map((format) => [format, { recommendedCurve, d: numberOf(d) }] as const),
    ]),
    public: new Map<F, Material>([
      [F.X_509, spki(publicKey)],
      ...ecPublicFormats.map((format) => [format, { recommendedCurve, qString }] as const),
    ]),
  }
}

/** The numbers of a DSA or DH key as openssl shows them in PKCS#8, in order; the last is the private one. */
const integersOf = (privateKey: KeyObject): readonly bigint[] => {
  const shown = openssl(['asn1parse', '-inform', 'DER'], pkcs8(privateKey)).toString()
  const [, ...domain] = [...shown.matchAll(/INTEGER +:([0-9A-F]+)/g)].map(([, digits]) => BigInt(`0x${digits}`))
  const [, dump = ''] = /HEX DUMP\]:([0-9A-F]+)/.exec(shown) ?? []
  const own = openssl(['asn1parse', '-inform', 'DER'], Buffer.from(dump, 'hex')).toString()
  return [...domain, BigInt(`0x${/INTEGER +:([0-9A-F]+)/.exec(own)?.[1]}`)]
}

const finiteFieldForms = (
  { privateKey, publicKey }: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
  formats: readonly [F, F],
  nameNumbers: (numbers: readonly bigint[]) => { readonly p: bigint; readonly q?: bigint; readonly g: bigint },
) => {
  const numbers = integersOf(privateKey)
  const domain = nameNumbers(numbers)
  const x = numbers.at(-1) ?? 0n
  return {
    private: new Map<F, Material>([
      [F.PKCS_8, pkcs8(privateKey)],
      [formats[0], { ...domain, x }],
    ]),
    public: new Map<F, Material>([
      [F.X_509, spki(publicKey)],
      [formats[1], { ...domain, y: powerModulo(domain.g, x, domain.p) }],
    ]),
  }
}

const octetForms = (bytes: Uint8Array) =>
  new Map<F, Material>([
    [F.Raw, bytes],
    [F.Opaque, bytes],
    [F.TransparentSymmetricKey, { key: bytes }],
  ])

interface Forms {
  readonly private: ReadonlyMap<F, Material>
  readonly public: ReadonlyMap<F, Material>
}

const halves = (
  name: string,
  algorithm: A | undefined,
  lengthBits: number | undefined,
  pair: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
  forms: Forms,
): readonly SampleKey[] => [
  {
    name: `${name} Private Key`,
    objectType: ObjectType.PrivateKey,
    algorithm,
    lengthBits,
    forms: forms.private,
    key: pair.privateKey,
  },
  {
    name: `${name} Public Key`,
    objectType: ObjectType.PublicKey,
    algorithm,
    lengthBits,
    forms: forms.public,
    key: pair.publicKey,
  },
]

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const dsa = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 })
const dh = generateKeyPairSync('dh', { prime: createDiffieHellmanGroup('modp14').getPrime(), generator: 2 })

/** Another curve form of the specification: Edwards and Montgomery keys, which 1.4 cannot name but PKCS#8 and X.509 can. */
const named = (type: 'ed25519' | 'ed448' | 'x25519'): readonly SampleKey[] => {
  const made =
    type === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : type === 'ed448'
        ? generateKeyPairSync('ed448')
        : generateKeyPairSync('x25519')
  // Read back from bytes, so that what is compared does not depend on how it was made.
  const pair = {
    privateKey: createPrivateKey({ key: Buffer.from(pkcs8(made.privateKey)), format: 'der', type: 'pkcs8' }),
    publicKey: createPublicKey({ key: Buffer.from(spki(made.publicKey)), format: 'der', type: 'spki' }),
  }
  return halves(`${type[0]?.toUpperCase()}${type.slice(1)}`, undefined, undefined, pair, {
    private: new Map([
      [F.PKCS_8, pkcs8(pair.privateKey)],
      [F.Raw, raw(pair.privateKey)],
    ]),
    public: new Map([
      [F.X_509, spki(pair.publicKey)],
      [F.Raw, raw(pair.publicKey)],
    ]),
  })
}

const ecHalves = (name: string, algorithm: A) => halves(`${name} (P-256)`, algorithm, 256, ec, ecForms(ec))

const symmetric = (name: string, algorithm: A, lengthBits: number, bytes: number): SampleKey => ({
  name,
  objectType: ObjectType.SymmetricKey,
  algorithm,
  lengthBits,
  forms: octetForms(Uint8Array.from({ length: bytes }, (_, at) => (at * 37 + 2) & 0xfe)),
})

/** Every kind of key of KMIP 1.4 that has formats. */
export const sampleKeys: readonly SampleKey[] = [
  symmetric('AES key', A.AES, 256, 32),
  symmetric('Triple DES key', A.DES3, 168, 24),
  symmetric('HMAC key', A.HMAC_SHA256, 256, 32),
  {
    name: 'Secret Data',
    objectType: ObjectType.SecretData,
    algorithm: undefined,
    lengthBits: undefined,
    forms: octetForms(new TextEncoder().encode('open sesame')),
  },
  ...halves('RSA', A.RSA, 2048, rsa, rsaForms(rsa)),
  ...halves(
    'DSA',
    A.DSA,
    1024,
    dsa,
    finiteFieldForms(dsa, [F.TransparentDSAPrivateKey, F.TransparentDSAPublicKey], ([p = 0n, q = 0n, g = 0n]) => ({
      p,
      q,
      g,
    })),
  ),
  ...halves(
    'DH',
    A.DH,
    2048,
    dh,
    finiteFieldForms(dh, [F.TransparentDHPrivateKey, F.TransparentDHPublicKey], ([p = 0n, g = 0n]) => ({ p, g })),
  ),
  ...ecHalves('ECDSA', A.ECDSA),
  ...ecHalves('ECDH', A.ECDH),
  ...ecHalves('ECMQV', A.ECMQV),
  ...ecHalves('EC', A.EC),
  ...named('ed25519'),
  ...named('ed448'),
  ...named('x25519'),
]
