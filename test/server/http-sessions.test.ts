/** HTTPS follows the interface `kmip`: its mode at the next request; sessions that are no longer allowed end. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { after, before, test } from 'node:test'
import { systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { decodeResponse } from '#client/client'
import { addExternalAuthority } from '#identity/authorities'
import { createAuthority } from '#identity/authority'
import { certificateToPem } from '#identity/certificates'
import { firstInterface } from '#identity/interfaces'
import type { UserName } from '#identity/principals'
import { HttpsInterface } from '#server/http'
import { item, requestBytes } from '#test/dispatcher'
import { type Identity, type InterfacesUnderTest, startInterfaces } from '#test/interfaces'
import { createRequest } from '#test/sample-objects'

const joe: UserName = { domain: 'root', connection: 'local', user: 'joe' }

let under: InterfacesUnderTest
let https: HttpsInterface
let port: number
let own: Identity
const agents: Agent[] = []

before(async () => {
  under = await startInterfaces({
    onChanged: () => https.renew(),
    onSessionsEnd: (fingerprint) => https.endSessionsOf(fingerprint),
  })
  const settings = () => under.set.settingsOf(firstInterface)
  https = new HttpsInterface({ ...under.listener, host: '127.0.0.1', settings })
  port = await https.start(0, (reason) => {
    throw reason
  })
  await under.addUser(joe, 'password of joe')
  own = under.issue({ CN: 'joe' })
  await under.register(own, joe)
})
after(async () => {
  for (const agent of agents) agent.destroy()
  await https.stop(1_000)
  await under[Symbol.asyncDispose]()
})

const create = requestBytes(104, [item('Create', createRequest())])

/** A client that keeps one session for as long as the server does: what a request gives is the owner, and its session. */
const clientOf = (shown: Identity, maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3') => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, maxCachedSessions: 0 })
  agents.push(agent)
  return async (): Promise<{ readonly owner: string | undefined; readonly session: number | undefined }> => {
    const sent = request({
      host: '127.0.0.1',
      port,
      path: '/kmip',
      method: 'POST',
      agent,
      ca: certificateToPem(under.authority.certificate),
      cert: shown.cert,
      key: shown.key,
      maxVersion,
      headers: { 'Content-Type': 'application/octet-stream' },
    })
    sent.end(create)
    const [response] = await once(sent, 'response')
    const session = sent.socket?.localPort
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    const [answer] = decodeResponse(Buffer.concat(chunks)).batchItem
    const made = answer?.responsePayload as { readonly uniqueIdentifier?: string } | undefined
    return { owner: under.ownerOf(made?.uniqueIdentifier ?? ''), session }
  }
}

test('the mode of the interface is that of the next request, in the same session', async () => {
  const ask = clientOf(own)
  const { owner, session } = await ask()
  assert.equal(owner, 'local|joe')
  await under.set.modify(firstInterface, { mode: 'tls-pw-opt' })
  assert.deepEqual(await ask(), { owner: 'global', session })
  await under.set.modify(firstInterface, { mode: 'tls-cert-pw-opt' })
  assert.deepEqual(await ask(), { owner: 'local|joe', session })
})

test('a newer TLS ends the sessions of older versions alone', async () => {
  const [old, newer] = [clientOf(own, 'TLSv1.2'), clientOf(own)]
  await old()
  const { session } = await newer()
  await under.set.modify(firstInterface, { minimumTlsVersion: 'tls_1_3' })
  assert.equal((await newer()).session, session)
  await assert.rejects(old())
  await under.set.modify(firstInterface, { minimumTlsVersion: 'tls_1_2' })
  assert.equal((await old()).owner, 'local|joe')
})

test('a CA that is trusted no longer takes its sessions with it, and no others', async () => {
  const context = { store: under.store, clock: systemClock, entropy: systemEntropy }
  const other = createAuthority({ CN: 'another CA' }, systemClock.nowSeconds(), systemEntropy)
  const { key } = await addExternalAuthority(context, 'root', certificateToPem(other.certificate))
  const theirs = under.issue({ CN: 'joe' }, other)
  await under.register(theirs, joe)
  await under.set.modify(firstInterface, { trustedExternal: [key] })
  const [guest, ask] = [clientOf(theirs), clientOf(own)]
  assert.equal((await guest()).owner, 'local|joe')
  const { session } = await ask()
  await under.set.modify(firstInterface, { trustedExternal: [] })
  assert.equal((await ask()).session, session)
  await assert.rejects(guest())
})

test('deleting a client ends its sessions', async () => {
  const [ask, beside] = [clientOf(own), clientOf(under.issue({ CN: 'nobody' }))]
  const { session } = await ask()
  assert.equal((await beside()).owner, undefined)
  under.set.endSessionsOf(own.fingerprint)
  // The client that sees its session end opens another one.
  const next = await ask().catch(() => ask())
  assert.notEqual(next.session, session)
})
