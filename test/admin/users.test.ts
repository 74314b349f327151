/** Users, groups and domains over kmipctl, at the local socket and over HTTPS. */
import assert from 'node:assert/strict'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type RunningAdministration, startAdministrationUnderTest } from '#test/admin/running-administration'

describe('users and domains', () => {
  let admin: RunningAdministration
  before(async () => {
    admin = await startAdministrationUnderTest()
  })
  after(() => admin[Symbol.asyncDispose]())

  const done = async (words: string): Promise<Record<string, unknown>> => {
    const result = await admin.line(words.split(' '))
    assert.equal(result.code, 0, `${words}: ${result.error}`)
    return (result.json ?? {}) as Record<string, unknown>
  }
  const refused = async (words: string, code: string): Promise<void> => {
    const result = await admin.line(words.split(' '))
    assert.notEqual(result.code, 0, words)
    assert.equal((JSON.parse(result.error) as { code: string }).code, code, `${words}: ${result.error}`)
  }

  test('the socket is the owner’s alone', async () => {
    assert.equal((await stat(join(admin.directory, 'admin.sock'))).mode & 0o777, 0o600)
  })

  test('a user is made, shown, changed and removed', async () => {
    await done('groups create -n staff')
    const made = await done('users create -n joe -p secret-of-joe -e joe@example.com -g staff')
    assert.equal(made['source'], 'local|joe')
    assert.deepEqual(made['groups'], ['staff'])
    assert.equal('password' in made, false)
    assert.deepEqual(await done('users get -i joe'), made)
    assert.deepEqual(await done(`users get -i ${String(made['user_id'])}`), made)
    assert.equal((await done('users modify -i joe --disabled true'))['disabled'], true)
    assert.equal((await done('users modify -i joe --disabled false'))['disabled'], false)
    assert.equal((await done('users list -g staff'))['total'], 1)
    await done('groups removeuser -n staff -u joe')
    assert.equal((await done('users list -g staff'))['total'], 0)
    await done('groups adduser -n staff -u joe')
    await done('groups delete -n staff')
    assert.deepEqual((await done('users get -i joe'))['groups'], [])
    await refused('users create -n joe', 'already_exists')
    await refused('users create -n a|b', 'invalid')
    await refused('users create -n bob -p short', 'invalid')
    await refused('users modify -i joe -g nobody', 'invalid')
    await done('users delete -i joe')
    await refused('users get -i joe', 'not_found')
  })

  test('the longest names that can be given are names of something that can be reached', async () => {
    const longest = ['u'.repeat(255), 'ü'.repeat(255), '%/?#'.repeat(63)]
    for (const name of longest) {
      await done(`users create -n ${name}`)
      assert.equal((await done(`users get -i ${name}`))['username'], name)
      await done(`groups create -n ${name}`)
      await done(`groups adduser -n ${name} -u ${name}`)
      await done(`groups delete -n ${name}`)
      await done(`users delete -i root|local|${name}`)
    }
  })

  test('a user is in so many groups and no more, however it gets into them', async () => {
    await done('users create -n joiner')
    for (let index = 0; index < 65; index += 1) await done(`groups create -n group${index}`)
    for (let index = 0; index < 64; index += 1) await done(`groups adduser -n group${index} -u joiner`)
    await refused('groups adduser -n group64 -u joiner', 'invalid')
    await done('groups adduser -n group0 -u joiner')
    assert.equal((await done('users modify -i joiner -e joiner@example.com'))['email'], 'joiner@example.com')
    await done('users delete -i joiner')
    for (let index = 0; index < 65; index += 1) await done(`groups delete -n group${index}`)
  })

  test('a user with clients stays', async () => {
    await refused('users delete -i kmip', 'conflict')
  })

  test('a list is told with skip, limit and total', async () => {
    const list = await done('users list --limit 1')
    assert.deepEqual(Object.keys(list), ['skip', 'limit', 'total', 'resources'])
    assert.equal((list['resources'] as unknown[]).length, 1)
    assert.equal(list['total'], 2)
  })

  test('what is not right is refused with what to do', async () => {
    await refused('users list --limit 0', 'invalid')
    await refused('users list --frob 1', 'usage')
    await refused('users', 'usage')
    await refused('users get -i nobody', 'not_found')
  })

  describe('over HTTPS', () => {
    const as = (username: string, password: string, more: Record<string, string> = {}) => ({
      KSCTL_USERNAME: username,
      KSCTL_PASSWORD: password,
      ...more,
    })

    test('a log-in opens what its user may do', async () => {
      const list = await admin.remoteLine(['users', 'list'], as('admin', admin.password))
      assert.equal(list.code, 0, list.error)
      await done('users create -n walter -p secret-of-walter')
      const other = await admin.remoteLine(['users', 'list'], as('walter', 'secret-of-walter'))
      assert.equal(other.code, 3)
      assert.match(other.error, /"forbidden"/)
      const features = await admin.remoteLine(['features'], as('walter', 'secret-of-walter'))
      assert.equal(features.code, 0, features.error)
      const wrong = await admin.remoteLine(['users', 'list'], as('admin', 'not-the-password'))
      assert.equal(wrong.code, 3)
      assert.match(wrong.error, /"unauthenticated"/)
    })

    test('a token is good for its time, and not after a change of the user', async () => {
      const made = await admin.remoteLine(['tokens', 'create', '-u', 'walter', '-p', 'secret-of-walter'], {})
      assert.equal(made.code, 0, made.error)
      const { jwt, duration } = made.json as { jwt: string; duration: number }
      assert.equal(duration, 60)
      assert.equal((await admin.remoteLine(['features'], { KSCTL_JWT: jwt })).code, 0)
      await done('users modify -i walter -p other-secret-of-walter')
      assert.equal((await admin.remoteLine(['features'], { KSCTL_JWT: jwt })).code, 3)
      const again = await admin.remoteLine(['tokens', 'create', '-u', 'walter', '-p', 'other-secret-of-walter'], {})
      const token = (again.json as { jwt: string }).jwt
      assert.equal((await admin.remoteLine(['features'], { KSCTL_JWT: token })).code, 0)
      admin.clock.advance(60_001)
      assert.equal((await admin.remoteLine(['features'], { KSCTL_JWT: token })).code, 3)
      const changed = await admin.remoteLine(
        ['users', 'password', '-p', 'other-secret-of-walter', '-w', 'third-secret-of-walter'],
        as('walter', 'other-secret-of-walter'),
      )
      assert.equal(changed.code, 0, changed.error)
    })

    test('a password that was changed while it was proved opens nothing', async () => {
      await done('users create -n quick -p first-of-quick')
      const { login } = admin.services
      const verify = login.verify.bind(login)
      login.verify = async (...given) => {
        const found = await verify(...given)
        await done('users modify -i quick -p second-of-quick')
        return found
      }
      const { error } = await admin.line('tokens create -u quick -p first-of-quick'.split(' '))
      login.verify = verify
      assert.match(error, /unauthenticated/)
      await done('tokens create -u quick -p second-of-quick')
      await done('users delete -i quick')
    })

    test('the server is not trusted without its authority', async () => {
      const stranger = await admin.remoteLine(['features'], { KMIPCTL_CA: '', KSCTL_JWT: 'x' })
      assert.equal(stranger.code, 6)
      const blind = await admin.remoteLine(['features'], { KMIPCTL_CA: '', KSCTL_NOSSLVERIFY: 'true', KSCTL_JWT: 'x' })
      assert.equal(blind.code, 3)
    })

    test('a configuration file says it all', async () => {
      const file = [
        `KSCTL_URL: https://127.0.0.1:${admin.port}`,
        'KSCTL_USERNAME: admin',
        `KSCTL_PASSWORD: ${admin.password}`,
        'KSCTL_NOSSLVERIFY: true',
        'KSCTL_TIMEOUT: 30',
        'KSCTL_RESP: json',
      ]
      await writeFile(join(admin.directory, 'config.yaml'), `${file.join('\n')}\n`)
      const result = await admin.line(['users', 'list', '--configfile', 'config.yaml'])
      assert.equal(result.code, 0, result.error)
      assert.equal(admin.events.at(-1)?.by, 'local|admin')
    })

    test('an administrator of a domain administers that alone; one of root all', async () => {
      const { id } = await done('domains create -n finance')
      const inDomain = { environment: { KSCTL_DOMAIN: 'finance' } }
      const made = await admin.line('users create -n fiona -p secret-of-fiona -a true'.split(' '), inDomain)
      assert.equal(made.code, 0, made.error)
      assert.equal((made.json as { source: string }).source, `${String(id)}|local|fiona`)
      const fiona = as('fiona', 'secret-of-fiona', { KSCTL_AUTH_DOMAIN: 'finance' })
      const own = await admin.remoteLine(['users', 'list'], fiona)
      assert.equal((own.json as { total: number }).total, 1)
      for (const words of ['domains list', 'domains create -n other', 'logs getlevel -s kmip', 'users get -i admin']) {
        const result = await admin.remoteLine(words.split(' '), fiona)
        assert.notEqual(result.code, 0, words)
      }
      const elsewhere = await admin.remoteLine(['users', 'list'], { ...fiona, KSCTL_DOMAIN: 'root' })
      assert.equal(elsewhere.code, 3)
      const root = await admin.remoteLine(['users', 'list'], as('admin', admin.password, { KSCTL_DOMAIN: 'finance' }))
      assert.equal((root.json as { total: number }).total, 1)
      await refused('domains delete -i finance', 'conflict')
      const gone = await admin.line(['users', 'delete', '-i', 'fiona'], inDomain)
      assert.equal(gone.code, 0, gone.error)
      await done('domains modify -i finance -n treasury')
      await done('domains delete -i treasury')
    })

    test('tries to log in are few', async () => {
      const answers = await Promise.all(
        Array.from({ length: 61 }, () =>
          admin.remoteLine(['tokens', 'create', '-u', 'nobody', '-p', 'wrong-password'], {}),
        ),
      )
      assert.ok(answers.some(({ error }) => error.includes('too_many_requests')))
    })
  })

  test('nothing failed within the server, and no secret was logged', () => {
    assert.deepEqual(admin.failures, [])
    assert.doesNotMatch(JSON.stringify(admin.events), /secret-of/)
  })
})
