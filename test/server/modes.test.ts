/** Interface modes over real TLS: mode × certificate × credential, and who owns what is made; devices; auto registration. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import type { ClientOptions } from '#client/client'
import {
  findClient,
  findUser,
  type InterfaceMode,
  interfaceModes,
  type UserName,
  userTable,
} from '#identity/principals'
import { changeRecord, removeRecord } from '#identity/records'
import { setClientStatus } from '#identity/registration'
import { createToken } from '#identity/tokens'
import { CredentialType } from '#kmip/enums'
import {
  type Identity,
  type InterfacesUnderTest,
  isAuthenticationRefused,
  passwordCredential,
  startInterfaces,
} from '#test/interfaces'
import { createRequest } from '#test/sample-objects'

type Credential = NonNullable<ClientOptions['credentials']>[number]

const named = (user: string, domain = 'root'): UserName => ({ domain, connection: 'local', user })

let under: InterfacesUnderTest
const identities = new Map<string, Identity>()
const identity = (name: string): Identity => identities.get(name) ?? assert.fail(`no identity ${name}`)

before(async () => {
  under = await startInterfaces()
  for (const user of [named('joe'), named('ann'), named('eve', 'd1'), named('gone')]) {
    await under.addUser(user, `password of ${user.user}`)
  }
  await under.addUser(named('off'), 'password of off', { disabled: true })
  const registered: readonly (readonly [string, UserName | undefined, object])[] = [
    ['joe', named('joe'), {}],
    ['eve of d1', named('eve', 'd1'), {}],
    ['gone', named('gone'), {}],
    ['off', named('off'), {}],
    ['without a user', undefined, { mode: 'tls-pw-opt' }],
    ['disabled', named('joe'), { status: 'disabled' }],
    ['revoked', named('joe'), { status: 'revoked' }],
    ['expired', named('joe'), { notAfterSeconds: 1 }],
    ['early', named('joe'), { notBeforeSeconds: systemClock.nowSeconds() + 1_000 }],
  ]
  for (const [name, user, others] of registered) {
    const made = under.issue({ CN: name })
    identities.set(name, made)
    await under.register(made, user, others)
  }
  identities.set('unknown', under.issue({ CN: 'joe' }))
  await removeRecord(under.store, userTable, 'root|local|gone')
})

after(() => under[Symbol.asyncDispose]())

const credentials = {
  none: undefined,
  joe: passwordCredential('root||joe', 'password of joe'),
  ann: passwordCredential('root|local|ann', 'password of ann'),
  wrong: passwordCredential('root||joe', 'password of ann'),
  off: passwordCredential('root||off', 'password of off'),
  eve: passwordCredential('d1||eve', 'password of eve'),
} as const
type CredentialName = keyof typeof credentials

/** The owner of a key that is made so, or `refused`. */
const ownerMade = async (shown: Identity, options: Partial<ClientOptions>): Promise<string | undefined> => {
  const client = under.connect(shown, options)
  try {
    const { uniqueIdentifier } = await client.create(createRequest())
    return under.ownerOf(uniqueIdentifier)
  } catch (error) {
    assert.ok(isAuthenticationRefused(error), String(error))
    return 'refused'
  } finally {
    await client.close()
  }
}

const no = 'refused'
const joe = 'local|joe'
const ann = 'local|ann'
const eve = 'd1|local|eve'
const nobodyServes = [no, no, no, no, no, no] as const
const noneServes = {
  'tls-pw-opt': nobodyServes,
  'tls-pw-req': nobodyServes,
  'tls-cert-pw-opt': nobodyServes,
  'tls-cert-and-pw': nobodyServes,
} as const
const order: readonly CredentialName[] = ['none', 'joe', 'ann', 'wrong', 'off', 'eve']

/** By certificate and mode: who owns a key that is made with each of the credentials, in the order above. */
const matrix: Readonly<Record<string, Readonly<Record<InterfaceMode, readonly string[]>>>> = {
  //                           none       joe  ann  wrong off eve
  joe: {
    'tls-pw-opt': /*      */ ['global', joe, ann, no, no, eve],
    'tls-pw-req': /*      */ [no, joe, ann, no, no, eve],
    'tls-cert-pw-opt': /* */ [joe, joe, ann, no, no, no],
    'tls-cert-and-pw': /* */ [no, joe, no, no, no, no],
  },
  'eve of d1': {
    'tls-pw-opt': /*      */ ['d1||global', joe, ann, no, no, eve],
    'tls-pw-req': /*      */ [no, joe, ann, no, no, eve],
    'tls-cert-pw-opt': /* */ [eve, no, no, no, no, eve],
    'tls-cert-and-pw': /* */ [no, no, no, no, no, eve],
  },
  gone: {
    'tls-pw-opt': /*      */ ['global', joe, ann, no, no, eve],
    'tls-pw-req': /*      */ [no, joe, ann, no, no, eve],
    'tls-cert-pw-opt': nobodyServes,
    'tls-cert-and-pw': nobodyServes,
  },
  off: {
    'tls-pw-opt': /*      */ ['global', joe, ann, no, no, eve],
    'tls-pw-req': /*      */ [no, joe, ann, no, no, eve],
    'tls-cert-pw-opt': nobodyServes,
    'tls-cert-and-pw': nobodyServes,
  },
  'without a user': {
    'tls-pw-opt': /*      */ ['global', joe, ann, no, no, eve],
    'tls-pw-req': nobodyServes,
    'tls-cert-pw-opt': nobodyServes,
    'tls-cert-and-pw': nobodyServes,
  },
  unknown: noneServes,
  disabled: noneServes,
  expired: noneServes,
  early: noneServes,
}

for (const mode of interfaceModes) {
  test(`${mode}: who owns what is made, by certificate and credential`, async () => {
    await under.set.modify('kmip', { mode })
    const found: Record<string, readonly (string | undefined)[]> = {}
    for (const certificate of Object.keys(matrix)) {
      found[certificate] = await Promise.all(
        order.map((name) => {
          const credential = credentials[name]
          return ownerMade(identity(certificate), credential === undefined ? {} : { credentials: [credential] })
        }),
      )
    }
    assert.deepEqual(found, Object.fromEntries(Object.entries(matrix).map(([name, rows]) => [name, [...rows[mode]]])))
  })

  test(`${mode}: no certificate, one of a foreign CA and a revoked one are refused in the handshake, which the log tells`, async () => {
    await under.set.modify('kmip', { mode })
    const foreign = (await startForeign()).issue({ CN: 'joe' })
    const cases = [
      [undefined, 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'],
      [foreign, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT'],
      [identity('revoked'), 'CERT_REVOKED'],
    ] as const
    for (const [shown, code] of cases) {
      const before = under.events.length
      await assert.rejects(under.connect(shown, { timeoutMs: 5_000 }).create(createRequest()), /./)
      const event = under.events.slice(before).find((each) => each.event === 'handshakeRefused')
      assert.match(String(event?.fields['code']), new RegExp(code))
      assert.ok(String(event?.fields['reason']) !== '' && String(event?.fields['remedy']) !== '')
      assert.equal(event?.fields['interface'], 'kmip')
      assert.equal(event?.fields['address'], '127.0.0.1')
    }
  })
}

let foreign: Promise<InterfacesUnderTest> | undefined
const startForeign = (): Promise<InterfacesUnderTest> => (foreign ??= startInterfaces())
after(async () => (await foreign)?.[Symbol.asyncDispose]())

describe('a session', () => {
  const optional = { mode: 'tls-cert-pw-opt' } as const

  test('forgets a password that was right when its user changes', async () => {
    await under.set.modify('kmip', optional)
    const key = await under.addUser(named('ben'), 'password of ben')
    const client = under.connect(identity('joe'), { credentials: [passwordCredential('ben', 'password of ben')] })
    const owner = async () => under.ownerOf((await client.create(createRequest())).uniqueIdentifier)
    for (let count = 0; count < 5; count++) assert.equal(await owner(), 'local|ben')
    await changeRecord(under.store, userTable, key, 'user', (user) => ({ ...user, disabled: true }))
    await assert.rejects(owner(), isAuthenticationRefused)
    await changeRecord(under.store, userTable, key, 'user', (user) => ({ ...user, disabled: false }))
    assert.equal(await owner(), 'local|ben', 'a refused credential does not end the session')
  })

  test('follows what becomes of its client and user, and of the mode', async () => {
    await under.set.modify('kmip', optional)
    const shown = under.issue({ CN: 'kim' })
    await under.addUser(named('kim'), 'password of kim')
    await under.register(shown, named('kim'))
    const client = under.connect(shown)
    const owner = async () => under.ownerOf((await client.create(createRequest())).uniqueIdentifier)
    assert.equal(await owner(), 'local|kim')
    await under.set.modify('kmip', { mode: 'tls-pw-opt' })
    assert.equal(await owner(), 'global')
    await under.set.modify('kmip', { mode: 'tls-cert-and-pw' })
    await assert.rejects(owner(), isAuthenticationRefused)
    await under.set.modify('kmip', optional)
    assert.equal(await owner(), 'local|kim')
    await setClientStatus(under.store, 'root', shown.fingerprint, 'disabled')
    await assert.rejects(owner(), isAuthenticationRefused)
    const refused = under.events.findLast(({ event }) => event === 'clientRefused')
    assert.equal(refused?.fields['reason'], 'client disabled')
  })

  test('that sends several credentials is one user, or refused', async () => {
    await under.set.modify('kmip', optional)
    const twice = [credentials.joe, credentials.ann]
    assert.equal(await ownerMade(identity('joe'), { credentials: twice }), 'refused')
    const attestation = {
      credentialType: CredentialType.Attestation,
      credentialValue: { nonce: { nonceId: Uint8Array.of(1), nonceValue: Uint8Array.of(2) }, attestationType: 1 },
    }
    assert.equal(await ownerMade(identity('joe'), { credentials: [attestation] }), 'refused')
  })
})

describe('a device credential of the client', () => {
  const right = { deviceSerialNumber: '12345', password: 'of the device', networkIdentifier: 'beside' }
  const device = (credentialValue: object): Credential => ({
    credentialType: CredentialType.Device,
    credentialValue,
  })
  let shown: Identity

  before(async () => {
    shown = under.issue({ CN: 'tape library' })
    await under.register(shown, named('joe'), { deviceCredential: { serial_no: '12345', password: 'of the device' } })
  })

  const rows: readonly (readonly [string, InterfaceMode, readonly Credential[], string])[] = [
    ['missing', 'tls-cert-pw-opt', [], no],
    ['right', 'tls-cert-pw-opt', [device(right)], joe],
    ['wrong in one field', 'tls-cert-pw-opt', [device({ ...right, deviceSerialNumber: '12346' })], no],
    ['without the password', 'tls-cert-pw-opt', [device({ deviceSerialNumber: '12345' })], no],
    ['empty', 'tls-cert-pw-opt', [device({})], no],
    ['right, beside a user', 'tls-cert-pw-opt', [device(right), credentials.ann], ann],
    ['right, behind a user', 'tls-cert-pw-opt', [credentials.ann, device(right)], ann],
    ['wrong, beside a user', 'tls-cert-pw-opt', [device({}), credentials.ann], no],
    ['missing, beside a user', 'tls-cert-pw-opt', [credentials.ann], no],
    ['twice', 'tls-cert-pw-opt', [device(right), device(right)], no],
    ['right', 'tls-pw-opt', [device(right)], 'global'],
    ['missing', 'tls-pw-opt', [], no],
    ['right, without a user', 'tls-pw-req', [device(right)], no],
    ['right, beside a user', 'tls-pw-req', [device(right), credentials.ann], ann],
    ['right, without a user', 'tls-cert-and-pw', [device(right)], no],
    ['right, beside the user', 'tls-cert-and-pw', [device(right), credentials.joe], joe],
  ]
  for (const [name, mode, sent, expected] of rows) {
    test(`${mode}, ${name}: ${expected}`, async () => {
      await under.set.modify('kmip', { mode })
      assert.equal(await ownerMade(shown, sent.length === 0 ? {} : { credentials: sent }), expected)
    })
  }

  test('of a client that has none is refused', async () => {
    await under.set.modify('kmip', { mode: 'tls-cert-pw-opt' })
    assert.equal(await ownerMade(identity('joe'), { credentials: [device(right)] }), no)
  })
})

describe('auto registration', () => {
  const context = () => ({ store: under.store, clock: systemClock, entropy: systemEntropy })

  test('registers who connects with a certificate of a trusted CA, counted on the token', async () => {
    const { token, record } = await createToken(context(), { domain: 'root', maxClients: 2 })
    await under.set.modify('kmip', { mode: 'tls-cert-pw-opt', autoRegistration: true, registrationToken: token })
    const first = under.issue({ CN: 'joe', OU: 'one' })
    assert.equal(await ownerMade(first, {}), joe)
    assert.equal(findClient(under.store, first.fingerprint)?.value.tokenId, record.id)
    await under.set.modify('kmip', { certUserField: 'OU' })
    assert.equal(await ownerMade(under.issue({ CN: 'joe', OU: 'ann' }), {}), ann)
    assert.equal(await ownerMade(under.issue({ CN: 'joe', OU: 'ann' }), {}), no, 'the token is used up')
    const refused = under.events.findLast(({ event }) => event === 'autoRegistrationEnded')
    assert.ok(refused?.fields['refused'])
    await under.set.modify('kmip', { autoRegistration: false, certUserField: 'CN' })
  })

  test('does so by connecting alone, once for many sessions at once', async () => {
    const { token, record } = await createToken(context(), { domain: 'root' })
    await under.set.modify('kmip', { mode: 'tls-cert-pw-opt', autoRegistration: true, registrationToken: token })
    const shown = under.issue({ CN: 'joe', OU: 'many' })
    const owners = await Promise.all(Array.from({ length: 8 }, () => ownerMade(shown, {})))
    assert.deepEqual(
      owners,
      Array.from({ length: 8 }, () => joe),
    )
    const found = under.store.read({ name: 'registration-token', index: () => [], claims: () => [] }, record.id)
    assert.equal((found?.value as { clientsRegistered?: number } | undefined)?.clientsRegistered, 1)
    await under.set.modify('kmip', { autoRegistration: false })
  })

  test('of a certificate that names nobody makes no client, and under tls-pw-opt one for that mode alone', async () => {
    const { token } = await createToken(context(), { domain: 'root' })
    await under.set.modify('kmip', { mode: 'tls-cert-pw-opt', autoRegistration: true, registrationToken: token })
    const shown = under.issue({ CN: 'nobody here' })
    assert.equal(await ownerMade(shown, {}), no)
    assert.equal(findClient(under.store, shown.fingerprint), undefined)
    await under.set.modify('kmip', { mode: 'tls-pw-opt' })
    assert.equal(await ownerMade(shown, {}), 'global')
    for (const mode of ['tls-pw-req', 'tls-cert-pw-opt', 'tls-cert-and-pw'] as const) {
      await under.set.modify('kmip', { mode })
      assert.equal(await ownerMade(shown, { credentials: [credentials.joe] }), no, mode)
    }
    await under.set.modify('kmip', { mode: 'tls-cert-pw-opt', autoRegistration: false })
    assert.equal(findUser(under.store, named('nobody here')), undefined)
  })
})
