/**
 * Wrapping on Get and unwrapping on Import and Get: the rows of KMIP 1.4 §11.12 on wrapping keys in their order, and every cell
 * of what is wrapped, opened here by the library itself and not by the code under test.
 */
import assert from 'node:assert/strict'
import {
  constants,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  privateDecrypt,
  publicEncrypt,
  verify,
} from 'node:crypto'
import { describe, test } from 'node:test'
import type { ResponsePayload } from '#client/operation-methods'
import type { CryptographicParameters } from '#kmip/attribute-values'
import {
  BlockCipherMode,
  CryptographicAlgorithm,
  CryptographicUsageMask,
  EncodingOption,
  HashingAlgorithm,
  KeyFormatType,
  KeyWrapType,
  ObjectType,
  PaddingMethod,
  WrappingMethod,
} from '#kmip/enums'
import type { KeyWrappingData, KeyWrappingSpecification } from '#kmip/key-block'
import { bob, type DispatcherUnderTest, openDispatcher, outcome, succeed } from '#test/dispatcher'
import { type OutcomeRow, testOutcomes } from '#test/outcome-table'
import {
  attributes,
  certificateRequest,
  keyBytes,
  keyRequest,
  name,
  pairRequest,
  secretRequest,
} from '#test/sample-objects'

const { WrapKey, UnwrapKey, MACGenerate, MACVerify, Sign, Verify } = CryptographicUsageMask
const nistKeyWrap: CryptographicParameters = { blockCipherMode: BlockCipherMode.NISTKeyWrap }
const padded: CryptographicParameters = { blockCipherMode: BlockCipherMode.AESKeyWrapPadding }
const secret = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, index) => index)

const registered = async (under: DispatcherUnderTest, request: ReturnType<typeof keyRequest>): Promise<string> =>
  (await succeed(under, 'Register', request)).uniqueIdentifier

/** An active AES key that wraps and unwraps. */
const wrappingKey = (
  under: DispatcherUnderTest,
  {
    bytes = 32,
    parameters = nistKeyWrap,
    ...values
  }: Readonly<Record<string, unknown>> & { bytes?: number; parameters?: CryptographicParameters | readonly [] } = {},
): Promise<string> =>
  registered(
    under,
    keyRequest(
      {
        'Cryptographic Usage Mask': WrapKey | UnwrapKey,
        'Cryptographic Parameters': parameters,
        'Activation Date': under.clock.nowSeconds(),
        ...values,
      },
      secret(bytes),
    ),
  )

const encryption = (
  uniqueIdentifier: string,
  cryptographicParameters?: CryptographicParameters,
  more: Partial<KeyWrappingSpecification> = {},
): KeyWrappingSpecification => ({
  wrappingMethod: WrappingMethod.Encrypt,
  encryptionKeyInformation: { uniqueIdentifier, cryptographicParameters },
  attributeName: [],
  encodingOption: EncodingOption.NoEncoding,
  ...more,
})

const mac = (
  uniqueIdentifier: string,
  cryptographicParameters?: CryptographicParameters,
): KeyWrappingSpecification => ({
  wrappingMethod: WrappingMethod.MACSign,
  macSignatureKeyInformation: { uniqueIdentifier, cryptographicParameters },
  attributeName: [],
  encodingOption: EncodingOption.NoEncoding,
})

const getting =
  (
    wrapped: () => ReturnType<typeof keyRequest>,
    by: (under: DispatcherUnderTest) => Promise<KeyWrappingSpecification>,
  ) =>
  async (under: DispatcherUnderTest): Promise<string> => {
    const uniqueIdentifier = await registered(under, wrapped())
    return outcome(under, 'Get', { uniqueIdentifier, keyWrappingSpecification: await by(under) })
  }

const gettingKey = (by: (under: DispatcherUnderTest) => Promise<KeyWrappingSpecification>) => getting(keyRequest, by)

const rows: readonly OutcomeRow[] = [
  ['the wrapping key does not exist', 'ItemNotFound', gettingKey(async () => encryption('nobody'))],
  [
    'the wrapping key of another user',
    'PermissionDenied',
    gettingKey(async (under) => {
      const request = keyRequest({ 'Cryptographic Usage Mask': WrapKey })
      return encryption((await succeed(under, 'Register', request, { who: bob })).uniqueIdentifier)
    }),
  ],
  [
    'what wraps is not a key',
    'IllegalOperation',
    gettingKey(async (under) => encryption((await succeed(under, 'Register', certificateRequest())).uniqueIdentifier)),
  ],
  [
    'no Wrap Key bit',
    'PermissionDenied',
    gettingKey(async (under) => encryption(await wrappingKey(under, { 'Cryptographic Usage Mask': UnwrapKey }))),
  ],
  [
    'a wrapping key that is not active yet',
    'PermissionDenied',
    gettingKey(async (under) =>
      encryption(await wrappingKey(under, { 'Activation Date': under.clock.nowSeconds() + 60 })),
    ),
  ],
  [
    'the MAC key is not a key',
    'IllegalOperation',
    gettingKey(async (under) => mac((await succeed(under, 'Register', secretRequest())).uniqueIdentifier)),
  ],
  [
    'the MAC key does not have the MAC Generate bit',
    'PermissionDenied',
    gettingKey(async (under) => mac(await wrappingKey(under))),
  ],
  [
    'parameters that the wrapping key does not have',
    'ItemNotFound',
    gettingKey(async (under) => encryption(await wrappingKey(under), padded)),
  ],
  [
    'a wrapping key without parameters',
    'ItemNotFound',
    gettingKey(async (under) => encryption(await wrappingKey(under, { parameters: [] }), nistKeyWrap)),
  ],
  [
    'the wrapping key is archived',
    'ObjectArchived',
    gettingKey(async (under) => {
      const uniqueIdentifier = await wrappingKey(under)
      await succeed(under, 'Archive', { uniqueIdentifier })
      return encryption(uniqueIdentifier)
    }),
  ],
  [
    'attributes without TTLV Encoding',
    'EncodingOptionError',
    gettingKey(async (under) =>
      encryption(await wrappingKey(under), nistKeyWrap, { attributeName: ['Cryptographic Usage Mask'] }),
    ),
  ],
  [
    'a structure without TTLV Encoding',
    'EncodingOptionError',
    async (under) => {
      const { uniqueIdentifier } = await succeed(under, 'Register', keyRequest())
      return outcome(under, 'Get', {
        uniqueIdentifier,
        keyFormatType: KeyFormatType.TransparentSymmetricKey,
        keyWrappingSpecification: encryption(await wrappingKey(under), nistKeyWrap),
      })
    },
  ],
  [
    'a sensitive object with a MAC alone, which hides nothing',
    'Sensitive',
    getting(
      () => keyRequest({ Sensitive: true }),
      async (under) => mac(await hmacKey(under)),
    ),
  ],
  [
    'an object that is not extractable',
    'NotExtractable',
    getting(
      () => keyRequest({ Extractable: false }),
      async (under) => encryption(await wrappingKey(under)),
    ),
  ],
  [
    'TR-31',
    'FeatureNotSupported',
    gettingKey(async (under) => ({ ...encryption(await wrappingKey(under)), wrappingMethod: WrappingMethod.TR_31 })),
  ],
  [
    'a method whose key is not named',
    'InvalidMessage',
    gettingKey(async (under) => ({ ...encryption(await wrappingKey(under)), wrappingMethod: WrappingMethod.MACSign })),
  ],
  [
    'secret data, which is not wrapped unless a setting says so',
    'PermissionDenied',
    async (under) => {
      const { uniqueIdentifier } = await succeed(under, 'Register', secretRequest())
      return outcome(under, 'Get', {
        uniqueIdentifier,
        keyWrappingSpecification: encryption(await wrappingKey(under, { parameters: padded })),
      })
    },
  ],
  [
    'a certificate',
    'IllegalOperation',
    async (under) => {
      const { uniqueIdentifier } = await succeed(under, 'Register', certificateRequest())
      return outcome(under, 'Get', {
        uniqueIdentifier,
        keyWrappingSpecification: encryption(await wrappingKey(under)),
      })
    },
  ],
  ['everything as it should be', 'Success', gettingKey(async (under) => encryption(await wrappingKey(under)))],
]

const hmacAlgorithms = {
  sha1: [CryptographicAlgorithm.HMAC_SHA1, HashingAlgorithm.SHA_1],
  sha256: [CryptographicAlgorithm.HMAC_SHA256, HashingAlgorithm.SHA_256],
  sha384: [CryptographicAlgorithm.HMAC_SHA384, HashingAlgorithm.SHA_384],
  sha512: [CryptographicAlgorithm.HMAC_SHA512, HashingAlgorithm.SHA_512],
} as const
type Hash = keyof typeof hmacAlgorithms

const hmacKey = async (under: DispatcherUnderTest, hash: Hash = 'sha256'): Promise<string> => {
  const request = keyRequest(
    {
      'Cryptographic Usage Mask': MACGenerate | MACVerify,
      'Cryptographic Parameters': { hashingAlgorithm: hmacAlgorithms[hash][1] },
      'Activation Date': under.clock.nowSeconds(),
    },
    secret(64),
  )
  request.symmetricKey.keyBlock.cryptographicAlgorithm = hmacAlgorithms[hash][0] as never
  return registered(under, request)
}

interface Wrapped {
  readonly keyValue: unknown
  readonly keyWrappingData: KeyWrappingData
}

/** The Key Block of a key that Get gives wrapped. */
const wrappedBlock = async (
  under: DispatcherUnderTest,
  uniqueIdentifier: string,
  keyWrappingSpecification: KeyWrappingSpecification,
): Promise<Wrapped> => {
  const given: ResponsePayload<'Get'> = await succeed(under, 'Get', { uniqueIdentifier, keyWrappingSpecification })
  const block = (given.symmetricKey ?? given.privateKey)?.keyBlock
  assert.ok(block?.keyWrappingData)
  return { keyValue: block.keyValue, keyWrappingData: block.keyWrappingData }
}

const bytesOf = (value: unknown): Uint8Array => {
  assert.ok(value instanceof Uint8Array)
  return value
}

/** RFC 3394 and RFC 5649 by the library. */
const opened = (cipher: 'wrap' | 'wrap-pad', key: Uint8Array, data: Uint8Array): Buffer => {
  const initial = cipher === 'wrap' ? Buffer.alloc(8, 0xa6) : Buffer.from('a65959a6', 'hex')
  const decipher = createDecipheriv(`id-aes${key.length * 8}-${cipher}`, key, initial)
  return Buffer.concat([decipher.update(data), decipher.final()])
}

/** TTLV of a Key Value that holds these bytes and nothing else: written here by hand (KMIP 1.4 §9.1). */
const ttlv = (material: Uint8Array): Buffer => {
  const padding = (8 - (material.length % 8)) % 8
  const header = Buffer.from('42004501000000004200430800000000', 'hex')
  header.writeUInt32BE(8 + material.length + padding, 4)
  header.writeUInt32BE(material.length, 12)
  return Buffer.concat([header, material, Buffer.alloc(padding)])
}

/** An import of a key that somebody wrapped. */
const importing = (keyValue: unknown, keyWrappingData: KeyWrappingData, keyWrapType?: KeyWrapType) => ({
  uniqueIdentifier: 'imported',
  keyWrapType,
  attribute: attributes({ 'Cryptographic Usage Mask': 12 }),
  symmetricKey: {
    keyBlock: {
      keyFormatType: KeyFormatType.Raw,
      keyValue: keyValue as Uint8Array,
      cryptographicAlgorithm: CryptographicAlgorithm.AES,
      cryptographicLength: 128,
      keyWrappingData,
    },
  },
})

const importedBytes = async (under: DispatcherUnderTest, wrapped: Wrapped): Promise<unknown> => {
  await succeed(under, 'Import', importing(wrapped.keyValue, wrapped.keyWrappingData, KeyWrapType.NotWrapped))
  const given = await succeed(under, 'Get', { uniqueIdentifier: 'imported' })
  const keyValue = given.symmetricKey?.keyBlock.keyValue
  return keyValue instanceof Uint8Array ? undefined : keyValue?.keyMaterial
}

describe('wrapping on Get: reasons', () => testOutcomes(rows))

describe('what is wrapped opens elsewhere, and comes back by Import', () => {
  for (const bytes of [16, 24, 32]) {
    for (const [cipher, parameters] of [
      ['wrap', nistKeyWrap],
      ['wrap-pad', padded],
    ] as const) {
      for (const encodingOption of [EncodingOption.NoEncoding, EncodingOption.TTLVEncoding, undefined]) {
        test(`AES-${bytes * 8} ${cipher}, encoding ${encodingOption ?? 'not named'}`, async () => {
          const under = openDispatcher()
          const key = await registered(under, keyRequest())
          const by = await wrappingKey(under, { bytes, parameters })
          const wrapped = await wrappedBlock(under, key, encryption(by, parameters, { encodingOption }))
          const plain = opened(cipher, secret(bytes), bytesOf(wrapped.keyValue))
          const expected = encodingOption === EncodingOption.NoEncoding ? Buffer.from(keyBytes) : ttlv(keyBytes)
          assert.deepEqual(plain, expected)
          assert.deepEqual(await importedBytes(under, wrapped), Buffer.from(keyBytes))
        })
      }
    }
  }

  test('the attributes that are named travel in the wrapped Key Value', async () => {
    const under = openDispatcher()
    const key = await registered(under, keyRequest({ Name: name('a') }))
    const by = await wrappingKey(under)
    const attributeName = ['Cryptographic Usage Mask', 'Name', 'Contact Information']
    const wrapped = await wrappedBlock(
      under,
      key,
      encryption(by, undefined, { attributeName, encodingOption: undefined }),
    )
    const plain = opened('wrap', secret(32), bytesOf(wrapped.keyValue))
    for (const text of ['Cryptographic Usage Mask', 'Name']) assert.ok(plain.includes(text))
    assert.ok(!plain.includes('Contact Information'))
    assert.deepEqual(await importedBytes(under, wrapped), Buffer.from(keyBytes))
  })

  test('an attribute that the version of the request does not have does not travel', async () => {
    const under = openDispatcher()
    const by = await hmacKey(under, 'sha256')
    const uniqueIdentifier = await registered(under, keyRequest({ Comment: 'of 1.4', 'Contact Information': 'Joe' }))
    const attributeName = ['Comment', 'Fresh', 'Contact Information']
    const keyWrappingSpecification = { ...mac(by), attributeName, encodingOption: undefined }
    const named = async (version: number) => {
      const { symmetricKey } = await succeed(under, 'Get', { uniqueIdentifier, keyWrappingSpecification }, { version })
      const keyValue = symmetricKey?.keyBlock.keyValue
      assert.ok(keyValue !== undefined && !(keyValue instanceof Uint8Array))
      return keyValue.attribute.map((each) => each.attributeName)
    }
    assert.deepEqual(await named(100), ['Contact Information'])
    assert.deepEqual(await named(101), ['Fresh', 'Contact Information'])
    assert.deepEqual(await named(104), attributeName)
  })

  test('a private key under AES-256 with RFC 5649, and under nothing else', async () => {
    const under = openDispatcher()
    const { privateKeyUniqueIdentifier: key } = await succeed(under, 'CreateKeyPair', pairRequest())
    const by = await wrappingKey(under, { parameters: padded })
    const { keyValue } = await wrappedBlock(under, key, encryption(by))
    const der = opened('wrap-pad', secret(32), bytesOf(keyValue))
    const given = await succeed(under, 'Get', { uniqueIdentifier: key })
    const plain = given.privateKey?.keyBlock.keyValue
    assert.deepEqual(plain instanceof Uint8Array ? undefined : plain?.keyMaterial, der)
    for (const weaker of [{ bytes: 16, parameters: padded }, { parameters: nistKeyWrap }]) {
      const keyWrappingSpecification = encryption(await wrappingKey(under, weaker))
      assert.equal(await outcome(under, 'Get', { uniqueIdentifier: key, keyWrappingSpecification }), 'PermissionDenied')
    }
  })

  for (const hash of Object.keys(hmacAlgorithms) as Hash[]) {
    test(`MAC with HMAC ${hash}, and after encryption`, async () => {
      const under = openDispatcher()
      const key = await registered(under, keyRequest())
      const by = await hmacKey(under, hash)
      const maced = await wrappedBlock(under, key, mac(by))
      const hmac = (data: Uint8Array) => createHmac(hash, secret(64)).update(data).digest()
      assert.deepEqual(maced.keyValue, { keyMaterial: Buffer.from(keyBytes), attribute: [] })
      assert.deepEqual(maced.keyWrappingData.macSignature, hmac(keyBytes))
      const both = { ...encryption(await wrappingKey(under)), wrappingMethod: WrappingMethod.EncryptThenMACSign }
      const { macSignatureKeyInformation } = mac(by)
      const wrapped = await wrappedBlock(under, key, { ...both, macSignatureKeyInformation })
      assert.deepEqual(wrapped.keyWrappingData.macSignature, hmac(bytesOf(wrapped.keyValue)))
      assert.deepEqual(await importedBytes(under, wrapped), Buffer.from(keyBytes))
    })
  }

  test('a changed MAC and a changed cipher text open nothing, and tell nothing', async () => {
    const under = openDispatcher()
    const key = await registered(under, keyRequest())
    const maced = await wrappedBlock(under, key, mac(await hmacKey(under)))
    const wrapped = await wrappedBlock(under, key, encryption(await wrappingKey(under)))
    const changed = (bytes: Uint8Array): Uint8Array => bytes.map((byte, index) => (index === 3 ? byte ^ 1 : byte))
    const { macSignature = new Uint8Array() } = maced.keyWrappingData
    for (const [keyValue, data] of [
      [maced.keyValue, { ...maced.keyWrappingData, macSignature: changed(macSignature) }],
      [changed(bytesOf(wrapped.keyValue)), wrapped.keyWrappingData],
    ] as const) {
      const request = importing(keyValue, data, KeyWrapType.NotWrapped)
      assert.equal(await outcome(under, 'Import', request), 'CryptographicFailure')
    }
  })

  test('what opens and is not the key that it is said to be is refused like what does not open', async () => {
    const under = openDispatcher()
    const long = await registered(under, keyRequest({}, secret(32)))
    const { keyValue, keyWrappingData } = await wrappedBlock(under, long, encryption(await wrappingKey(under)))
    const request = importing(keyValue, keyWrappingData, KeyWrapType.NotWrapped)
    assert.equal(await outcome(under, 'Import', request), 'CryptographicFailure')
  })

  test('Usage Limits of the wrapping key are counted down', async () => {
    const under = openDispatcher()
    const key = await registered(under, keyRequest())
    const limits = { usageLimitsTotal: 1n, usageLimitsUnit: 2 }
    const keyWrappingSpecification = encryption(await wrappingKey(under, { 'Usage Limits': limits }))
    const get = () => outcome(under, 'Get', { uniqueIdentifier: key, keyWrappingSpecification })
    assert.deepEqual([await get(), await get()], ['Success', 'PermissionDenied'])
  })
})

describe('RSA', () => {
  const rsaPair = async (under: DispatcherUnderTest, parameters: CryptographicParameters) => {
    const common = {
      'Cryptographic Algorithm': CryptographicAlgorithm.RSA,
      'Cryptographic Length': 2048,
      'Cryptographic Domain Parameters': [],
      'Cryptographic Parameters': parameters,
      'Activation Date': under.clock.nowSeconds(),
    }
    const pair = await succeed(
      under,
      'CreateKeyPair',
      pairRequest({
        common,
        private: { 'Cryptographic Usage Mask': Sign | UnwrapKey },
        public: { 'Cryptographic Usage Mask': Verify | WrapKey },
      }),
    )
    const given = await succeed(under, 'Get', {
      uniqueIdentifier: pair.privateKeyUniqueIdentifier,
      keyFormatType: KeyFormatType.PKCS_8,
    })
    const keyValue = given.privateKey?.keyBlock.keyValue
    assert.ok(keyValue !== undefined && !(keyValue instanceof Uint8Array))
    const key = createPrivateKey({ key: Buffer.from(bytesOf(keyValue.keyMaterial)), format: 'der', type: 'pkcs8' })
    return { ...pair, key }
  }

  for (const [hash, hashingAlgorithm] of [
    [undefined, undefined],
    ['sha1', HashingAlgorithm.SHA_1],
    ['sha256', HashingAlgorithm.SHA_256],
    ['sha384', HashingAlgorithm.SHA_384],
    ['sha512', HashingAlgorithm.SHA_512],
  ] as const) {
    test(hash === undefined ? 'PKCS#1 v1.5 opens' : `OAEP with ${hash} opens`, async () => {
      const under = openDispatcher()
      const parameters =
        hash === undefined
          ? { paddingMethod: PaddingMethod.PKCS1V1_5 }
          : { paddingMethod: PaddingMethod.OAEP, hashingAlgorithm, maskGeneratorHashingAlgorithm: hashingAlgorithm }
      const pair = await rsaPair(under, parameters)
      const key = await registered(under, keyRequest())
      const wrapped = await wrappedBlock(under, key, encryption(pair.publicKeyUniqueIdentifier, parameters))
      const options =
        hash === undefined
          ? { key: pair.key, padding: constants.RSA_PKCS1_PADDING }
          : { key: pair.key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash }
      assert.deepEqual(privateDecrypt(options, bytesOf(wrapped.keyValue)), Buffer.from(keyBytes))
      const theirs = publicEncrypt({ ...options, key: createPublicKey(pair.key) }, keyBytes)
      assert.deepEqual(await importedBytes(under, { ...wrapped, keyValue: theirs }), Buffer.from(keyBytes))
    })
  }

  test('a signature over the Key Value, named by either half', async () => {
    const under = openDispatcher()
    const parameters = { paddingMethod: PaddingMethod.PKCS1V1_5, hashingAlgorithm: HashingAlgorithm.SHA_256 }
    const pair = await rsaPair(under, parameters)
    const key = await registered(under, keyRequest())
    for (const half of [pair.privateKeyUniqueIdentifier, pair.publicKeyUniqueIdentifier]) {
      const { keyWrappingData } = await wrappedBlock(under, key, mac(half, parameters))
      const { macSignature = new Uint8Array() } = keyWrappingData
      assert.ok(verify('sha256', keyBytes, createPublicKey(pair.key), macSignature))
    }
  })

  test('a private key is not wrapped under RSA', async () => {
    const under = openDispatcher()
    const parameters = { paddingMethod: PaddingMethod.PKCS1V1_5 }
    const { publicKeyUniqueIdentifier } = await rsaPair(under, parameters)
    const { privateKeyUniqueIdentifier } = await succeed(under, 'CreateKeyPair', pairRequest())
    const keyWrappingSpecification = encryption(publicKeyUniqueIdentifier, parameters)
    const asked = { uniqueIdentifier: privateKeyUniqueIdentifier, keyWrappingSpecification }
    assert.equal(await outcome(under, 'Get', asked), 'PermissionDenied')
  })
})

describe('keys that were registered wrapped', () => {
  const registerWrapped = async (under: DispatcherUnderTest, by: string): Promise<string> => {
    const key = await registered(under, keyRequest())
    const { keyValue, keyWrappingData } = await wrappedBlock(under, key, encryption(by, nistKeyWrap))
    const { symmetricKey } = importing(keyValue, keyWrappingData)
    return (
      await succeed(under, 'Register', {
        objectType: ObjectType.SymmetricKey,
        templateAttribute: { attribute: attributes({ 'Cryptographic Usage Mask': 12 }) },
        symmetricKey,
      })
    ).uniqueIdentifier
  }

  test('are given as they are, and opened when that is asked for', async () => {
    const under = openDispatcher()
    const by = await wrappingKey(under)
    const uniqueIdentifier = await registerWrapped(under, by)
    const asRegistered = await succeed(under, 'Get', { uniqueIdentifier, keyWrapType: KeyWrapType.AsRegistered })
    assert.equal(asRegistered.symmetricKey?.keyBlock.keyWrappingData?.encryptionKeyInformation?.uniqueIdentifier, by)
    const { symmetricKey } = await succeed(under, 'Get', { uniqueIdentifier, keyWrapType: KeyWrapType.NotWrapped })
    assert.equal(symmetricKey?.keyBlock.keyWrappingData, undefined)
    assert.deepEqual(symmetricKey?.keyBlock.keyValue, { keyMaterial: Buffer.from(keyBytes), attribute: [] })
  })

  for (const [unwrapMask, expected] of [
    ['unwrap', 'PermissionDenied'],
    ['either', 'Success'],
  ] as const) {
    test(`a key with the Wrap Key bit alone, with the setting ${unwrapMask}: ${expected}`, async () => {
      const wrapping = { wrappingAllowed: 'common', unwrapMask, registeredWrapped: 'keep' } as const
      const under = openDispatcher({ policy: { wrapping } })
      const by = await wrappingKey(under, { 'Cryptographic Usage Mask': WrapKey })
      const uniqueIdentifier = await registerWrapped(under, by)
      assert.equal(await outcome(under, 'Get', { uniqueIdentifier, keyWrapType: KeyWrapType.NotWrapped }), expected)
    })
  }

  test('are unwrapped by Register where a setting says so', async () => {
    const wrapping = { wrappingAllowed: 'common', unwrapMask: 'unwrap', registeredWrapped: 'unwrap' } as const
    const under = openDispatcher({ policy: { wrapping } })
    const uniqueIdentifier = await registerWrapped(under, await wrappingKey(under))
    const { symmetricKey } = await succeed(under, 'Get', { uniqueIdentifier })
    assert.deepEqual(symmetricKey?.keyBlock.keyValue, { keyMaterial: Buffer.from(keyBytes), attribute: [] })
  })
})

test('a setting opens other modes and other objects', async () => {
  const wrapping = { wrappingAllowed: 'all', unwrapMask: 'unwrap', registeredWrapped: 'keep' } as const
  const under = openDispatcher({ policy: { wrapping } })
  const parameters = { blockCipherMode: BlockCipherMode.GCM, tagLength: 16 }
  const by = await wrappingKey(under, { parameters })
  const wrapped = await wrappedBlock(under, await registered(under, keyRequest()), encryption(by, parameters))
  assert.ok(wrapped.keyWrappingData.ivCounterNonce)
  assert.deepEqual(await importedBytes(under, wrapped), Buffer.from(keyBytes))
  const { uniqueIdentifier } = await succeed(under, 'Register', secretRequest())
  const keyWrappingSpecification = encryption(await wrappingKey(under, { parameters: padded }))
  assert.equal(await outcome(under, 'Get', { uniqueIdentifier, keyWrappingSpecification }), 'Success')
})
