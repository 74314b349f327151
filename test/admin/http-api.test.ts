/** The HTTP interface as it stands on the network: who may ask for what, row by row, and what odd requests come to. */
import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { after, before, describe, test } from 'node:test'
import { commands } from '#admin/api'
import type { CommandRow } from '#admin/command'
import { type RunningAdministration, startAdministrationUnderTest } from '#test/admin/running-administration'

interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

describe('the HTTP interface', () => {
  let admin: RunningAdministration
  const tokens: Record<string, string> = {}
  before(async () => {
    admin = await startAdministrationUnderTest()
    const done = async (words: string, environment: Record<string, string> = {}): Promise<void> => {
      const { code, error } = await admin.line(words.split(' '), { environment })
      assert.equal(code, 0, error)
    }
    await done('users create -n user -p password-of-user')
    await done('domains create -n finance')
    await done('users create -n fiona -p password-of-fiona -a true', { KSCTL_DOMAIN: 'finance' })
    for (const [name, words] of Object.entries({
      user: '-u user -p password-of-user',
      fiona: '-u fiona -p password-of-fiona --auth-domain finance',
      admin: `-u admin -p ${admin.password}`,
    })) {
      const { json, error } = await admin.line(['tokens', 'create', ...words.split(' ')])
      tokens[name] = (json as { readonly jwt: string }).jwt
      assert.equal(error, '')
    }
  })
  after(() => admin[Symbol.asyncDispose]())

  const send = (
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body?: string,
  ): Promise<Answered> =>
    new Promise((resolve, reject) => {
      const sent = request(
        { host: '127.0.0.1', port: admin.port, ca: admin.ca, method, path, headers, agent: false },
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => {
            text += chunk
          })
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })
  const as = (name: string): Record<string, string> => ({ authorization: `Bearer ${tokens[name] ?? ''}` })
  const ask = async ({ method, path }: CommandRow, headers: Readonly<Record<string, string>>): Promise<number> =>
    (await send(method, `/api/v1${path.replaceAll(/:\w+/g, 'x')}`, headers)).status

  for (const row of commands.filter(({ who }) => who !== 'anyone')) {
    test(`${row.verbs.join(' ')}: who may ask`, async () => {
      assert.equal(await ask(row, {}), 401)
      assert.equal(await ask(row, { authorization: 'Bearer wrong' }), 401)
      assert.equal(await ask(row, { authorization: 'Basic YWRtaW46eA==' }), 401)
      const asUser = await ask(row, as('user'))
      assert.equal(asUser === 403, row.who === 'administrator')
      const asFiona = await ask(row, as('fiona'))
      assert.equal(asFiona === 403, row.rootOnly === true, `${asFiona}`)
      assert.ok(asFiona !== 401 && asUser !== 401)
    })
  }

  test('what belongs to the whole server is for the root domain alone', () => {
    const rooted = commands.filter(({ rootOnly }) => rootOnly === true).map(({ verbs }) => verbs.join(' '))
    for (const line of [
      'interfaces create',
      'interfaces modify',
      'interfaces delete',
      'domains create',
      'logs setlevel',
    ]) {
      assert.ok(rooted.includes(line), line)
    }
  })

  test('the header of a domain changes none: it is the one of the log-in, or the request is refused', async () => {
    const users = (domain: string) =>
      send('GET', '/api/v1/usermgmt/users', { ...as('fiona'), 'kmipd-domain': encodeURIComponent(domain) })
    const { body } = await users('finance')
    assert.equal((JSON.parse(body) as { readonly total: number }).total, 1)
    for (const domain of ['root', 'sales', 'no such domain']) {
      const refused = await users(domain)
      assert.equal(refused.status, 400, domain)
      assert.match(refused.body, /log-in is for another domain/)
    }
  })

  test('what was built is described', async () => {
    const { status, body } = await send('GET', '/openapi.json')
    assert.equal(status, 200)
    assert.equal((JSON.parse(body) as { readonly openapi: string }).openapi, '3.1.0')
  })

  test('odd requests are refused in one form', async () => {
    const json = { ...as('admin'), 'content-type': 'application/json' }
    const odd: readonly (readonly [string, string, Record<string, string>, string | undefined, number])[] = [
      ['GET', '/nothing', {}, undefined, 404],
      ['PATCH', '/api/v1/domains', json, '{}', 404],
      ['POST', '/api/v1/domains', json, '{', 400],
      ['POST', '/api/v1/domains', json, '[]', 400],
      ['POST', '/api/v1/domains', json, '{"name":7}', 400],
      ['POST', '/api/v1/domains', json, '{"name":"a","more":1}', 400],
      ['POST', '/api/v1/domains', json, '{"name":"a","__proto__":{"x":1}}', 400],
      ['POST', '/api/v1/domains', { ...json, 'content-type': 'text/plain' }, '{"name":"a"}', 400],
      ['POST', '/api/v1/domains', { ...json, 'content-type': 'application/x-www-form-urlencoded' }, 'name=a', 400],
      ['POST', '/api/v1/domains', json, `{"name":"${'a'.repeat(70_000)}"}`, 400],
      ['GET', '/api/v1/domains?limit=0', json, undefined, 400],
      ['GET', '/api/v1/domains?limit=1&limit=2', json, undefined, 400],
      ['GET', '/api/v1/domains?limit=1001', json, undefined, 400],
      ['GET', '/api/v1/domains/%ff', json, undefined, 400],
      ['GET', '/api/v1/domains/x', json, undefined, 404],
    ]
    for (const [method, path, headers, body, status] of odd) {
      const answered = await send(method, path, headers, body)
      assert.equal(answered.status, status, `${method} ${path} ${body?.slice(0, 40) ?? ''}: ${answered.body}`)
      const { code, message, remedy } = JSON.parse(answered.body) as Record<string, unknown>
      assert.ok(typeof code === 'string' && typeof message === 'string' && typeof remedy === 'string', answered.body)
      assert.equal(answered.headers['cache-control'], 'no-store')
    }
  })

  test('what is made is named where it is told of, and what a stranger types in vain is not', async () => {
    const about = async (path: string, headers: Readonly<Record<string, string>>, body: unknown): Promise<unknown> => {
      await send('POST', path, { ...headers, 'content-type': 'application/json' }, JSON.stringify(body))
      return admin.events.at(-1)?.objects
    }
    const users = '/api/v1/usermgmt/users'
    assert.deepEqual(await about(users, as('admin'), { username: 'named', password: 'secret-of-named' }), ['named'])
    assert.deepEqual(await about(users, as('admin'), { username: 'named', password: 'secret-of-named' }), ['named'])
    assert.deepEqual(await about(users, as('user'), { username: 'other', password: 'secret-of-other' }), [])
    assert.deepEqual(await about(users, as('admin'), { username: 'x'.repeat(2_000) }), ['x'.repeat(128)])
    assert.deepEqual(await about('/api/v1/usermgmt/groups', as('admin'), { name: 'staff' }), ['staff'])
    const login = { username: 'a password in the wrong field', password: 'x' }
    assert.deepEqual(await about('/api/v1/auth/tokens', {}, login), [])
    assert.doesNotMatch(JSON.stringify(admin.events), /secret-of|wrong field/)
  })

  test('who is nobody cannot fill the trail: beyond a bound one line says so, and log-ins go on', async () => {
    const { length } = admin.events
    const statuses = new Map<number, number>()
    for (let round = 0; round < 400; round += 1) {
      const { status } = await send(
        'GET',
        '/api/v1/usermgmt/users',
        round % 2 === 0 ? {} : { authorization: 'Bearer x' },
      )
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    const told = admin.events.slice(length).map(({ outcome }) => outcome)
    assert.deepEqual([...statuses.keys()], [401, 429])
    assert.equal(told.length, (statuses.get(401) ?? 0) + 1)
    assert.deepEqual([told.length <= 301, told.at(-1)], [true, 'too_many_requests'])
    const logIn = { username: 'admin', password: admin.password }
    const json = { 'content-type': 'application/json' }
    assert.equal((await send('POST', '/api/v1/auth/tokens', json, JSON.stringify(logIn))).status, 201)
    assert.equal((await send('GET', '/api/v1/usermgmt/users', as('admin'))).status, 200)
  })

  test('refusals are logged, and nothing failed within', () => {
    assert.ok(admin.events.some(({ outcome, by }) => outcome === 'forbidden' && by === 'local|user'))
    assert.ok(admin.events.some(({ outcome, by }) => outcome === 'unauthenticated' && by === 'nobody'))
    assert.deepEqual(admin.failures, [])
  })
})
