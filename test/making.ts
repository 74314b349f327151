/**
 * Every operation that makes objects from a Template-Attribute, a row each: what must be there before, and the request. What
 * it is: for tests that hold for all of them (Template names, Undo). What it is not: the operations' own tests.
 */
import type { RequestPayload } from '#client/operation-methods'
import type { TemplateAttribute } from '#kmip/attribute'
import { CryptographicUsageMask, DerivationMethod, HashingAlgorithm, ObjectType, SplitKeyMethod } from '#kmip/enums'
import type { PayloadName } from '#kmip/payloads/index'
import { registerKey } from '#test/computing'
import { type DispatcherUnderTest, item, type RequestedItem, succeed } from '#test/dispatcher'
import { aes, attributes, createKey, keyRequest, pairRequest } from '#test/sample-objects'

/** Makes what the operation needs, and gives its request with a Template-Attribute. */
export type Making = (under: DispatcherUnderTest, template: TemplateAttribute) => Promise<RequestedItem>

const together = (
  own: Readonly<Record<string, unknown>>,
  { name, attribute }: TemplateAttribute,
): TemplateAttribute => ({
  name,
  attribute: [...attributes(own), ...attribute],
})

const making =
  <N extends PayloadName>(
    operation: N,
    request: (under: DispatcherUnderTest, template: TemplateAttribute) => Promise<RequestPayload<N>>,
  ): Making =>
  async (under, template) =>
    item(operation, await request(under, template))

const splitting = (template: TemplateAttribute): RequestPayload<'CreateSplitKey'> => ({
  objectType: ObjectType.SplitKey,
  splitKeyParts: 3,
  splitKeyThreshold: 2,
  splitKeyMethod: SplitKeyMethod.PolynomialSharingGF2_8,
  templateAttribute: together(aes, template),
})

/** Operations whose request has a Template-Attribute, by name. */
export const makings = {
  Create: making('Create', async (_, template) => ({
    objectType: ObjectType.SymmetricKey,
    templateAttribute: together(aes, template),
  })),
  CreateKeyPair: making('CreateKeyPair', async (_, template) => {
    const request = pairRequest()
    return {
      ...request,
      commonTemplateAttribute: {
        ...template,
        attribute: [...request.commonTemplateAttribute.attribute, ...template.attribute],
      },
    }
  }),
  Register: making('Register', async (_, template) => ({
    ...keyRequest(),
    templateAttribute: together({ 'Cryptographic Usage Mask': CryptographicUsageMask.Encrypt }, template),
  })),
  ReKey: making('ReKey', async (under, templateAttribute) => ({
    uniqueIdentifier: await createKey(under),
    templateAttribute,
  })),
  ReKeyKeyPair: making('ReKeyKeyPair', async (under, commonTemplateAttribute) => {
    const { privateKeyUniqueIdentifier } = await succeed(under, 'CreateKeyPair', pairRequest())
    return { privateKeyUniqueIdentifier, commonTemplateAttribute }
  }),
  DeriveKey: making('DeriveKey', async (under, template) => ({
    objectType: ObjectType.SymmetricKey,
    uniqueIdentifier: [await registerKey(under)],
    derivationMethod: DerivationMethod.HASH,
    derivationParameters: { cryptographicParameters: { hashingAlgorithm: HashingAlgorithm.SHA_256 } },
    templateAttribute: together(aes, template),
  })),
  Certify: making('Certify', async (under, templateAttribute) => {
    const { publicKeyUniqueIdentifier } = await succeed(under, 'CreateKeyPair', pairRequest())
    return { uniqueIdentifier: publicKeyUniqueIdentifier, templateAttribute }
  }),
  ReCertify: making('ReCertify', async (under, templateAttribute) => {
    const { publicKeyUniqueIdentifier } = await succeed(under, 'CreateKeyPair', pairRequest())
    const { uniqueIdentifier } = await succeed(under, 'Certify', { uniqueIdentifier: publicKeyUniqueIdentifier })
    return { uniqueIdentifier, templateAttribute }
  }),
  CreateSplitKey: making('CreateSplitKey', async (_, template) => splitting(template)),
  JoinSplitKey: making('JoinSplitKey', async (under, template) => {
    const { uniqueIdentifier } = await succeed(under, 'CreateSplitKey', splitting({ name: [], attribute: [] }))
    return { objectType: ObjectType.SymmetricKey, uniqueIdentifier, templateAttribute: template }
  }),
} as const satisfies Partial<Record<PayloadName, Making>>

/** The identifiers of what was made, from the response's payload. */
export const madeBy = (payload: unknown): readonly string[] =>
  Object.entries(payload as Readonly<Record<string, unknown>>).flatMap(([key, value]) =>
    key.toLowerCase().endsWith('uniqueidentifier') ? (value as string | readonly string[]) : [],
  )
