/** Registration against a real server: what is registered connects and makes keys, what is removed or revoked does not. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { attribute } from '#client/attribute'
import { createClient, encodeRequest } from '#client/client'
import { createAuthority, issueClientCertificate, privateKeyPem } from '#identity/authority'
import { certificateToPem, parseCertificate } from '#identity/certificates'
import { createRevocationList, revocationListToPem } from '#identity/revocation-list'
import { CredentialType, CryptographicAlgorithm, CryptographicUsageMask, ObjectType, Operation } from '#kmip/enums'
import { lineOf } from '#test/admin/running-administration'
import { chainedCertificates } from '#test/identity/chained'
import { freePort, type RunningServer, startServerProcess } from '#test/running-server'

type Answer = Readonly<Record<string, unknown>>

/** A client's certificate and key, PEM. */
interface Shown {
  readonly cert: string
  readonly key: string
}

const key = {
  objectType: ObjectType.SymmetricKey,
  templateAttribute: {
    attribute: [
      attribute('Cryptographic Algorithm', CryptographicAlgorithm.AES),
      attribute('Cryptographic Length', 256),
      attribute('Cryptographic Usage Mask', CryptographicUsageMask.Encrypt),
    ],
  },
}

const discoverVersions = encodeRequest({
  requestHeader: { protocolVersion: { protocolVersionMajor: 1, protocolVersionMinor: 4 }, batchCount: 1 },
  batchItem: [{ operation: Operation.DiscoverVersions, requestPayload: { protocolVersion: [] } }],
})

describe('registration on a real server', () => {
  let server: RunningServer
  before(async () => {
    server = await startServerProcess()
    await done('users create -n joe -p secret-of-joe')
  })
  after(() => server.stop())

  const environment = () => ({ KMIPCTL_SOCKET: join(server.directory, 'admin.sock') })
  const done = async (words: string, domain?: string): Promise<Answer> => {
    const surroundings = { environment: { ...environment(), ...(domain && { KMIPCTL_DOMAIN: domain }) } }
    const result = await lineOf(words.split(' '), server.directory, surroundings)
    assert.equal(result.code, 0, `${words}: ${result.error}`)
    return (result.json ?? {}) as Answer
  }
  const put = (name: string, content: string): Promise<void> => writeFile(join(server.directory, name), content)
  const read = (name: string): Promise<string> => readFile(join(server.directory, name), 'utf8')

  /** Whether a client with this certificate makes a key, and whose it is as an administrator sees it. */
  const creates = async (shown: Shown, port: number, device?: Readonly<Record<string, string>>): Promise<string> => {
    const { host, ca } = server.connection
    const credentials = device && [{ credentialType: CredentialType.Device, credentialValue: device }]
    await using client = createClient({ host, ca, ...shown, port, ...(credentials && { credentials }) })
    const { uniqueIdentifier } = await client.create(key)
    return uniqueIdentifier
  }
  const refusedFor = async (shown: Shown, port: number, text: RegExp): Promise<void> => {
    await assert.rejects(creates(shown, port))
    await soon(() => server.log.some((line) => text.test(JSON.stringify(line))), `${String(text)} in the log`)
  }
  /** A session that the server has answered once: until then it may have the handshake's end before it, whatever the client has seen. */
  const sessionOf = async (shown: Shown, port: number): Promise<TLSSocket> => {
    const { host, ca } = server.connection
    const socket = connect({ host, port, ca, cert: shown.cert, key: shown.key })
    socket.write(discoverVersions)
    await once(socket, 'data')
    return socket.resume()
  }

  test('a client registered by token and profile makes a key with its device credential, until it is deleted', async () => {
    await put('profile.json', '{"csr_cn": "joe"}')
    await put('device.json', '{"serial_no": "12345", "password": "of-device"}')
    await done('kmip createprofile -p p -c profile.json -d device.json')
    const { token } = await done('kmip createkmipregtoken -p p')
    await done(`kmip register -n array -t ${String(token)} --kmipCertOutFile c.pem --kmipKeyOutFile k.pem`)
    const shown = { cert: await read('c.pem'), key: await read('k.pem') }
    const device = { deviceSerialNumber: '12345', password: 'of-device' }
    const identifier = await creates(shown, server.port, device)
    assert.match(JSON.stringify(await done(`keys show ${identifier}`)), /local\|joe/)
    const notAuthenticated = { reasonName: 'AuthenticationNotSuccessful' }
    await assert.rejects(creates(shown, server.port), notAuthenticated)
    await assert.rejects(creates(shown, server.port, { ...device, password: 'other' }), notAuthenticated)

    const session = await sessionOf(shown, server.port)
    const closed = once(session, 'close')
    await done('kmip deleteclient --id array')
    await closed
    await refusedFor(shown, server.port, /not registered/)
    assert.equal(JSON.stringify(server.log).includes('of-device'), false)
    assert.equal(JSON.stringify(server.log).includes(String(token)), false)
  })

  test('a certificate of an external CA registers itself, and is refused once it is revoked', async () => {
    const now = systemClock.nowSeconds()
    const pair = createAuthority({ CN: 'Corporate CA' }, now, systemEntropy)
    await put('corporate.pem', certificateToPem(pair.certificate))
    const authority = String((await done('ca externals create -c corporate.pem'))['id'])
    const { token, id } = await done('clientmgmt tokens create --max-clients 2')
    const port = await freePort()
    const settings = `--trusted-external-cas ${authority} -a true -r ${String(token)}`
    await done(`interfaces create -o ${port} -y kmip ${settings}`)
    const issued = (CN: string) => {
      const made = issueClientCertificate(pair, { CN }, now, systemEntropy)
      return { der: made.certificate, shown: { cert: certificateToPem(made.certificate), key: privateKeyPem(made) } }
    }
    const [joe, nobody, third] = [issued('joe'), issued('nobody'), issued('joe')]
    await creates(joe.shown, port)
    await creates(joe.shown, port)
    assert.equal((await done(`clientmgmt tokens get -i ${String(id)}`))['clients_registered'], 1)
    await refusedFor(nobody.shown, port, /nobody/)
    // The first interface trusts the server's own CA alone.
    await refusedFor(joe.shown, server.port, /not issued by a CA that this interface trusts/)

    const session = await sessionOf(joe.shown, port)
    const closed = once(session, 'close')
    const revoked = [joe, third].map(({ der }) => ({
      serialHex: parseCertificate(der).serialHex,
      revokedSeconds: now,
      reason: 1,
    }))
    await put('corporate.crl', revocationListToPem(createRevocationList(pair, revoked, now)))
    await done(`ca crls set -i ${authority} -c corporate.crl`)
    await closed
    await refusedFor(joe.shown, port, /revoked/)
    await refusedFor(third.shown, port, /certificate is revoked/)
    await done(`interfaces delete -n kmip_all_${port}`)
  })

  test('whoever is below a CA that is revoked is shut out, also where clients alone have its certificate', async () => {
    const { root, intermediate, clients } = chainedCertificates('joe')
    const [client = root] = clients
    await put('root.pem', certificateToPem(root.certificate))
    await put('client.pem', certificateToPem(client.certificate))
    const authority = String((await done('ca externals create -c root.pem'))['id'])
    const port = await freePort()
    await done(`interfaces create -o ${port} -y kmip --trusted-external-cas ${authority}`)
    await done('kmip createclient -n below --cert-file client.pem --user joe')
    const cert = [client, intermediate].map(({ certificate }) => certificateToPem(certificate)).join('')
    const shown = { cert, key: privateKeyPem(client) }
    await creates(shown, port)
    const session = await sessionOf(shown, port)
    const closed = once(session, 'close')
    const { serialHex } = parseCertificate(intermediate.certificate)
    const revoked = [{ serialHex, revokedSeconds: systemClock.nowSeconds(), reason: 2 }]
    await put('root.crl', revocationListToPem(createRevocationList(root, revoked, systemClock.nowSeconds())))
    const before = server.log.length
    await done(`ca crls set -i ${authority} -c root.crl`)
    await closed
    await assert.rejects(creates(shown, port))
    await soon(() => /CERT_REVOKED/.test(JSON.stringify(server.log.slice(before))), 'the refusal in the log')
    await done(`interfaces delete -n kmip_all_${port}`)
  })

  test('a client of another domain comes by the CA of its own, once the interface trusts it', async () => {
    const domain = String((await done('domains create -n finance'))['id'])
    await done('users create -n joe -p secret-of-finance', 'finance')
    const own = await done('ca locals create --cn Finance', 'finance')
    await put('finance.json', '{"csr_cn": "joe"}')
    await done('kmip createprofile -p f -c finance.json', 'finance')
    const { token } = await done('kmip createkmipregtoken -p f', 'finance')
    await done(`kmip register -n array -t ${String(token)} --kmipCertOutFile f.pem --kmipKeyOutFile f.key`)
    const shown = { cert: await read('f.pem'), key: await read('f.key') }
    await refusedFor(shown, server.port, /not issued by a CA that this interface trusts/)
    const builtIn = (await done('ca locals list'))['resources'] as readonly Answer[]
    const trusted = [...builtIn, own].map((each) => String(each['id'])).join(',')
    await done(`interfaces modify -n kmip --trusted-local-cas ${trusted}`)
    const identifier = await creates(shown, server.port)
    assert.ok(JSON.stringify(await done(`keys show ${identifier}`, 'finance')).includes(`${domain}|local|joe`))
    const elsewhere = await lineOf(['keys', 'show', identifier], server.directory, { environment: environment() })
    assert.match(elsewhere.error, /not_found/)
    const removed = await lineOf(['ca', 'locals', 'delete', '-i', 'Finance'], server.directory, {
      environment: { ...environment(), KMIPCTL_DOMAIN: 'finance' },
    })
    assert.match(removed.error, /interface \\"kmip\\" uses this CA/)
  })
})

const soon = async (isSo: () => boolean, what: string): Promise<void> => {
  for (let tries = 0; tries < 200; tries++) {
    if (isSo()) return
    await new Promise<void>((resolve) => void systemClock.after(20, resolve))
  }
  assert.fail(`waited in vain for ${what}`)
}
