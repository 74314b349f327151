/**
 * What the measurement of cryptography asks for: one row a case, with the bare primitive that it stands beside. What it is
 * not: how it is measured (bench/crypto.ts).
 */

import type { Primitive } from '#bench/bare-loop'
import { attribute } from '#client/attribute'
import { type Client, encodeRequest } from '#client/client'
import type { RequestPayload } from '#client/operation-methods'
import type { Attribute } from '#kmip/attribute'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  DigitalSignatureAlgorithm,
  ObjectType,
  Operation,
  PaddingMethod,
  RecommendedCurve,
} from '#kmip/enums'
import type { PayloadName } from '#kmip/payloads/index'
import { majorOf, minorOf, v1_4 } from '#kmip/versions'

/** The version of these requests: all that they use is in 1.4. */
export const cryptoVersion = v1_4

/** One case. */
export interface CryptoScenario {
  readonly text: string
  readonly primitive: Primitive
  /** Makes the keys, if any, and gives the request. */
  readonly request: (client: Client) => Promise<Uint8Array>
}

const message = <Name extends PayloadName>(operation: Name, requestPayload: RequestPayload<Name>): Uint8Array =>
  encodeRequest({
    requestHeader: {
      protocolVersion: { protocolVersionMajor: majorOf(cryptoVersion), protocolVersionMinor: minorOf(cryptoVersion) },
      batchCount: 1,
    },
    batchItem: [{ operation: Operation[operation], requestPayload }],
  })

const active = attribute('Activation Date', 1)

const encryption = (mode: 'GCM' | 'CBC', bytes: number, text: string): CryptoScenario => ({
  text,
  primitive: { name: mode === 'GCM' ? 'aes-256-gcm' : 'aes-256-cbc', size: bytes },
  async request(client) {
    const { uniqueIdentifier } = await client.create({
      objectType: ObjectType.SymmetricKey,
      templateAttribute: {
        attribute: [
          attribute('Cryptographic Algorithm', CryptographicAlgorithm.AES),
          attribute('Cryptographic Length', 256),
          attribute('Cryptographic Usage Mask', CryptographicUsageMask.Encrypt),
          active,
        ],
      },
    })
    const blockCipherMode = BlockCipherMode[mode]
    const padding = mode === 'CBC' ? { paddingMethod: PaddingMethod.PKCS5 } : {}
    return message('Encrypt', {
      uniqueIdentifier,
      cryptographicParameters: { blockCipherMode, randomIv: true, ...padding },
      data: new Uint8Array(bytes),
    })
  },
})

const pairOf = (attributes: readonly Attribute[]) => ({
  commonTemplateAttribute: { attribute: [...attributes, active] },
  privateKeyTemplateAttribute: {
    attribute: [attribute('Cryptographic Usage Mask', CryptographicUsageMask.Sign)],
  },
  publicKeyTemplateAttribute: {
    attribute: [attribute('Cryptographic Usage Mask', CryptographicUsageMask.Verify)],
  },
})

const rsaPairOf = (bits: number) =>
  pairOf([attribute('Cryptographic Algorithm', CryptographicAlgorithm.RSA), attribute('Cryptographic Length', bits)])

const p256Pair = pairOf([
  attribute('Cryptographic Algorithm', CryptographicAlgorithm.ECDSA),
  attribute('Cryptographic Domain Parameters', { recommendedCurve: RecommendedCurve.P_256 }),
])

const signedBytes = 64

const signature = (
  name: 'sign rsa' | 'sign p-256',
  pair: ReturnType<typeof pairOf>,
  digitalSignatureAlgorithm: DigitalSignatureAlgorithm,
  text: string,
): CryptoScenario => ({
  text,
  primitive: { name, size: signedBytes },
  async request(client) {
    const { privateKeyUniqueIdentifier } = await client.createKeyPair(pair)
    return message('Sign', {
      uniqueIdentifier: privateKeyUniqueIdentifier,
      cryptographicParameters: { digitalSignatureAlgorithm },
      data: new Uint8Array(signedBytes),
    })
  },
})

/** The request for a key pair of RSA. */
export const rsaPairRequest = (bits: number): Uint8Array => message('CreateKeyPair', rsaPairOf(bits))

/** A Get of a new AES key. */
export const getRequest = async (client: Client): Promise<Uint8Array> => {
  const { uniqueIdentifier } = await client.create({
    objectType: ObjectType.SymmetricKey,
    templateAttribute: {
      attribute: [
        attribute('Cryptographic Algorithm', CryptographicAlgorithm.AES),
        attribute('Cryptographic Length', 256),
        attribute('Cryptographic Usage Mask', CryptographicUsageMask.Encrypt),
      ],
    },
  })
  return message('Get', { uniqueIdentifier })
}

const D = DigitalSignatureAlgorithm

/** Every case, by the name that `--operation` takes. */
export const cryptoScenarios = {
  'cbc-64': encryption('CBC', 64, 'Encrypt with AES-256-CBC, 64 bytes'),
  'gcm-64': encryption('GCM', 64, 'Encrypt with AES-256-GCM, 64 bytes'),
  'gcm-1k': encryption('GCM', 1024, 'the same, 1 KiB'),
  'gcm-64k': encryption('GCM', 65_536, 'the same, 64 KiB'),
  'sign-rsa': signature('sign rsa', rsaPairOf(2048), D.SHA_256WithRSAEncryption, 'Sign with RSA-2048'),
  'sign-p256': signature('sign p-256', p256Pair, D.ECDSAWithSHA256, 'Sign with ECDSA on P-256'),
  'pair-rsa': {
    text: 'Create Key Pair of RSA-2048, durable when answered',
    primitive: { name: 'pair rsa', size: 2048 },
    request: () => Promise.resolve(rsaPairRequest(2048)),
  },
} as const satisfies Readonly<Record<string, CryptoScenario>>
export type CryptoScenarioName = keyof typeof cryptoScenarios

/** The names, in the order of the table. */
export const cryptoScenarioNames = Object.keys(cryptoScenarios) as readonly CryptoScenarioName[]
