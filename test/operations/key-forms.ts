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

/** The two halves of a pair, each in its formats. */
interface Forms {
  readonly private: ReadonlyMap<F, Material>
  readonly public: ReadonlyMap<F, Material>
}

/** A key: what it is registered as, and its material by format. */
export interface SampleKey {
  readonly name: string
  readonly objectType: ObjectType
  /** Undefined: the specification of 1.4 has no number for it, and the key tells. */
  readonly algorithm: A | undefined
  readonly lengthBits: number | undefined
  readonly forms: ReadonlyMap<F, Material>
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

/** A pair in DER: PrivateKeyInfo and SubjectPublicKeyInfo. */
interface DerPair {
  readonly private: Uint8Array
  readonly public: Uint8Array
}

const derOf = ({
  privateKey,
  publicKey,
}: {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}): DerPair => ({
  private: pkcs8(privateKey),
  public: spki(publicKey),
})

const shown = (der: Uint8Array): string => openssl(['asn1parse', '-inform', 'DER'], der).toString()

/** The numbers of a DSA or DH key as openssl shows them in PKCS#8, in order; the last is the private one. */
const integersOf = (der: Uint8Array): readonly bigint[] => {
  const whole = shown(der)
  const [, ...domain] = [...whole.matchAll(/INTEGER +:([0-9A-F]+)/g)].map(([, digits]) => BigInt(`0x${digits}`))
  const [, dump = ''] = /HEX DUMP\]:([0-9A-F]+)/.exec(whole) ?? []
  const own = shown(Buffer.from(dump, 'hex'))
  return [...domain, BigInt(`0x${/INTEGER +:([0-9A-F]+)/.exec(own)?.[1]}`)]
}

/** `names` are those of the domain parameters in the order of the DER. */
const finiteFieldForms = (der: DerPair, formats: readonly [F, F], names: readonly ('p' | 'q' | 'g')[]): Forms => {
  const numbers = integersOf(der.private)
  const domain = Object.fromEntries(names.map((name, index): [string, bigint] => [name, numbers[index] ?? 0n]))
  const x = numbers.at(-1) ?? 0n
  const y = powerModulo(domain['g'] ?? 0n, x, domain['p'] ?? 1n)
  return {
    private: new Map<F, Material>([
      [F.PKCS_8, der.private],
      [formats[0], { ...domain, x }],
    ]),
    public: new Map<F, Material>([
      [F.X_509, der.public],
      [formats[1], { ...domain, y }],
    ]),
  }
}

const octetForms = (bytes: Uint8Array) =>
  new Map<F, Material>([
    [F.Raw, bytes],
    [F.Opaque, bytes],
    [F.TransparentSymmetricKey, { key: bytes }],
  ])

const halves = (
  name: string,
  algorithm: A | undefined,
  lengthBits: number | undefined,
  forms: Forms,
): readonly SampleKey[] => [
  {
    name: `${name} Private Key`,
    objectType: ObjectType.PrivateKey,
    algorithm,
    lengthBits,
    forms: forms.private,
  },
  {
    name: `${name} Public Key`,
    objectType: ObjectType.PublicKey,
    algorithm,
    lengthBits,
    forms: forms.public,
  },
]

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const dsa = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 })
const dh = generateKeyPairSync('dh', { prime: createDiffieHellmanGroup('modp14').getPrime(), generator: 2 })

const dhx: DerPair = (() => {
  const parameters = ['-algorithm', 'DHX', '-pkeyopt', 'group:dh_2048_224', '-outform', 'DER']
  const secret = plain(openssl(['genpkey', ...parameters], new Uint8Array(0)))
  return { private: secret, public: plain(openssl(['pkey', '-inform', 'DER', '-pubout', '-outform', 'DER'], secret)) }
})()
const dsaFormats = [F.TransparentDSAPrivateKey, F.TransparentDSAPublicKey] as const
const dhFormats = [F.TransparentDHPrivateKey, F.TransparentDHPublicKey] as const

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
  return halves(`${type[0]?.toUpperCase()}${type.slice(1)}`, undefined, undefined, {
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

const ecHalves = (name: string, algorithm: A) => halves(`${name} (P-256)`, algorithm, 256, ecForms(ec))

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
  ...halves('RSA', A.RSA, 2048, rsaForms(rsa)),
  ...halves('DSA', A.DSA, 1024, finiteFieldForms(derOf(dsa), dsaFormats, ['p', 'q', 'g'])),
  ...halves('DH (PKCS#3)', A.DH, 2048, finiteFieldForms(derOf(dh), dhFormats, ['p', 'g'])),
  ...halves('DH (X9.42)', A.DH, 2048, finiteFieldForms(dhx, dhFormats, ['p', 'g', 'q'])),
  ...ecHalves('ECDSA', A.ECDSA),
  ...ecHalves('ECDH', A.ECDH),
  ...ecHalves('ECMQV', A.ECMQV),
  ...ecHalves('EC', A.EC),
  ...named('ed25519'),
  ...named('ed448'),
  ...named('x25519'),
]
