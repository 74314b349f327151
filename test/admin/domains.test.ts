/** The wall between domains, as administrators meet it: nothing of the root domain is seen, changed or used from another. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { systemEntropy } from '#actor/entropy'
import { createAuthority } from '#identity/authority'
import { certificateRequestToPem, createCertificateRequest } from '#identity/certificate-request'
import { certificateToPem } from '#identity/certificates'
import { CryptographicAlgorithm, ObjectType } from '#kmip/enums'
import { type RunningAdministration, startAdministrationUnderTest } from '#test/admin/running-administration'
import { alice, openDispatcher, succeed } from '#test/dispatcher'

/** Commands that make a page, and show, change or remove one thing of it. */
interface Group {
  readonly list: string
  /** Lines with ID in the place of the identifier. */
  readonly one: readonly string[]
}

const groups: Readonly<Record<string, Group>> = {
  user: {
    list: 'users list',
    one: ['users get -i ID', 'users modify -i ID -a true', 'users delete -i ID --force true'],
  },
  group: {
    list: 'groups list',
    one: ['groups get -n ID', 'groups adduser -n ID -u fiona', 'groups delete -n ID'],
  },
  token: { list: 'clientmgmt tokens list', one: ['clientmgmt tokens get -i ID', 'clientmgmt tokens delete -i ID'] },
  profile: {
    list: 'kmip listprofiles',
    one: ['kmip getprofile -p ID', 'kmip createkmipregtoken -p ID', 'kmip deleteprofile -p ID'],
  },
  client: {
    list: 'kmip listclients',
    one: ['kmip getclient -i ID', 'kmip modifyclient -i ID -e false', 'kmip deleteclient -i ID'],
  },
  authority: {
    list: 'ca locals list',
    one: ['ca locals get -i ID', 'clientmgmt tokens create --ca-id ID', 'ca crls get -i ID', 'ca locals delete -i ID'],
  },
  external: { list: 'ca externals list', one: ['ca externals get -i ID', 'ca externals delete -i ID'] },
  connection: {
    list: 'connections list',
    one: [
      'connections get -n ID',
      'connections modify -n ID --root-dn dc=x',
      'connections test -n ID',
      'connections delete -n ID',
    ],
  },
  key: {
    list: 'keys list',
    one: [
      'keys show ID',
      'keys permissions list ID',
      'keys permissions grant ID -p read,export -u fiona',
      'keys destroy ID',
    ],
  },
}

describe('the wall between domains', () => {
  let admin: RunningAdministration
  /** What the root domain has, by kind. */
  const root: Record<string, string> = {}
  const inFinance = { KSCTL_DOMAIN: 'finance' }
  const fiona: Record<string, string> = {
    KSCTL_USERNAME: 'fiona',
    KSCTL_PASSWORD: 'password-of-fiona',
    KSCTL_AUTH_DOMAIN: 'finance',
  }

  const made = async (words: string, environment: Record<string, string> = {}): Promise<Record<string, string>> => {
    const { code, error, json } = await admin.line(words.split(' '), { environment })
    assert.equal(code, 0, `${words}: ${error}`)
    return (json ?? {}) as Record<string, string>
  }

  before(async () => {
    admin = await startAdministrationUnderTest()
    const put = (name: string, text: string) => writeFile(join(admin.directory, name), text)
    await made('domains create -n finance')
    await made('users create -n fiona -p password-of-fiona -a true', inFinance)
    root['user'] = (await made('users create -n alice'))['user_id'] ?? ''
    await made('groups create -n staff')
    root['group'] = 'staff'
    root['token'] = (await made('clientmgmt tokens create'))['id'] ?? ''
    await put('profile.json', JSON.stringify({ csr_cn: 'alice' }))
    root['profile'] = (await made('kmip createprofile -p arrays -c profile.json'))['id'] ?? ''
    const { token } = await made('kmip createkmipregtoken -p arrays')
    root['client'] = (await made(`kmip register -n array -t ${token}`))['client_id'] ?? ''
    root['authority'] = (await made('ca locals create -c Storage'))['id'] ?? ''
    const external = createAuthority({ CN: 'Corporate CA' }, admin.clock.nowSeconds(), systemEntropy)
    await put('external.pem', certificateToPem(external.certificate))
    root['external'] = (await made('ca externals create -c external.pem'))['id'] ?? ''
    root['connection'] =
      (await made('connections create -n directory --server-url ldap://127.0.0.1:1 --root-dn dc=x'))['name'] ?? ''
    const under = openDispatcher({ store: admin.services.store, clock: admin.clock })
    const { uniqueIdentifier } = await succeed(
      under,
      'Create',
      {
        objectType: ObjectType.SymmetricKey,
        templateAttribute: {
          name: [],
          attribute: [
            { attributeName: 'Cryptographic Algorithm', attributeValue: CryptographicAlgorithm.AES },
            { attributeName: 'Cryptographic Length', attributeValue: 128 },
            { attributeName: 'Cryptographic Usage Mask', attributeValue: 0xc },
          ],
        },
      },
      { who: alice },
    )
    root['key'] = uniqueIdentifier
  })
  after(() => admin[Symbol.asyncDispose]())

  for (const [kind, { list, one }] of Object.entries(groups)) {
    test(`${kind}: lists have nothing of others`, async () => {
      const { json, error } = await admin.remoteLine(list.split(' '), fiona)
      const { resources } = json as { readonly resources: readonly Readonly<Record<string, unknown>>[] }
      assert.equal(error, '')
      for (const resource of resources) {
        for (const member of ['id', 'user_id', 'name']) assert.notEqual(resource[member], root[kind] ?? 'none', list)
      }
    })

    for (const line of one) {
      test(line, async () => {
        const id = root[kind] ?? ''
        const result = await admin.remoteLine(line.replace('ID', id).split(' '), fiona)
        assert.equal((JSON.parse(result.error) as { readonly code: string }).code, 'not_found', result.error)
      })
    }
  }

  test('a user of the root domain is nobody’s to act as', async () => {
    const put = (name: string, text: string) => writeFile(join(admin.directory, name), text)
    for (const name of ['root||alice', 'root|local|alice', 'alice']) {
      await put('stolen.json', JSON.stringify({ csr_cn: name }))
      const { code } = await admin.remoteLine('kmip createprofile -p stolen -c stolen.json'.split(' '), fiona)
      assert.notEqual(code, 0, name)
    }
    for (const name of ['root||alice', 'root|local|alice']) {
      const words = ['kmip', 'createclient', '-n', 'stolen', '-c', 'bootstrap/client.pem', '-u', name]
      assert.notEqual((await admin.remoteLine(words, fiona)).code, 0, name)
    }
  })

  test('a certificate that the CA of another domain has issued is that domain’s to register', async () => {
    await made('domains create -n sales')
    const inSales = { KSCTL_DOMAIN: 'sales' }
    await made('users create -n sam', inSales)
    await made('ca locals create -c Sales', inSales)
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const request = certificateRequestToPem(createCertificateRequest({ CN: 'sam' }, keys))
    await writeFile(join(admin.directory, 'sam.csr'), request)
    await made('ca certs issue -c sam.csr --cert-out-file sam.pem', inSales)
    const taken = await admin.remoteLine('kmip createclient -n taken -c sam.pem -u fiona'.split(' '), fiona)
    assert.equal((JSON.parse(taken.error) as { readonly code: string }).code, 'forbidden', taken.error)
    const { user } = await made('kmip createclient -n sam -c sam.pem', inSales)
    assert.match(user ?? '', /\|local\|sam$/)
  })

  test('what was tried has changed nothing', async () => {
    for (const [kind, { one }] of Object.entries(groups)) {
      const [show = ''] = one
      await made(show.replace('ID', root[kind] ?? ''))
    }
    assert.deepEqual(admin.failures, [])
  })

  test('a token administers the domain of its log-in, and another that is named beside it is refused', async () => {
    const logIn = { KSCTL_USERNAME: 'admin', KSCTL_PASSWORD: admin.password, KSCTL_DOMAIN: 'finance' }
    const words = ['tokens', 'create', '--username', 'admin', '--password', admin.password, '--domain', 'finance']
    const { json, error } = await admin.remoteLine(words, {})
    const jwt = (json as { readonly jwt?: string } | undefined)?.jwt ?? assert.fail(error)
    const list = (environment: Record<string, string>) =>
      admin.remoteLine(['users', 'list'], { ...environment, KSCTL_JWT: jwt })
    for (const environment of [{}, { KSCTL_DOMAIN: 'finance' }, logIn]) assert.equal((await list(environment)).code, 0)
    for (const domain of ['root', 'sales']) {
      const refused = await list({ KSCTL_DOMAIN: domain })
      assert.equal(refused.code, 2)
      assert.match(refused.error, /log-in is for another domain/)
    }
  })

  test('an administrator of root administers the domain by name', async () => {
    const environment = { KSCTL_USERNAME: 'admin', KSCTL_PASSWORD: admin.password, KSCTL_DOMAIN: 'finance' }
    const { json } = await admin.remoteLine(['users', 'list'], environment)
    assert.deepEqual(
      (json as { readonly resources: readonly { readonly username: string }[] }).resources.map(
        ({ username }) => username,
      ),
      ['fiona'],
    )
  })
})
