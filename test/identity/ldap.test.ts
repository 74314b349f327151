/** Log-ins proved by a real slapd: right and wrong passwords, TLS, and directories that are away, hang or refuse. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '#actor/clock'
import { type LdapSettings, ldapDefaults } from '#identity/connections'
import { DirectoryUnavailable, ldapPasswordMatches, testDirectory } from '#identity/ldap'
import { freePort } from '#test/running-server'
import { bindDn, bindPassword, type Directory, rootDn, startDirectory } from './directory.ts'

let directory: Directory
let plain: LdapSettings
before(async () => {
  directory = await startDirectory()
  const serverUrl = `ldap://127.0.0.1:${directory.port}`
  plain = { ...ldapDefaults, serverUrl, rootDn, bindDn, bindPassword }
})
after(() => directory[Symbol.asyncDispose]())

const matches = (settings: LdapSettings, user: string, password: string) =>
  ldapPasswordMatches(settings, user, password, systemClock)

/** The settings in the three ways to speak to it. */
const ways = (): Readonly<Record<string, LdapSettings>> => {
  const rootCas = directory.ca
  const named = plain.serverUrl.replace('127.0.0.1', 'localhost')
  return {
    plain,
    StartTLS: { ...plain, serverUrl: named, startTls: true, rootCas },
    TLS: { ...plain, serverUrl: `ldaps://localhost:${directory.securePort}`, rootCas },
  }
}

for (const way of ['plain', 'StartTLS', 'TLS']) {
  describe(way, () => {
    const rows: readonly (readonly [string, string, string, boolean])[] = [
      ['right', 'joe', 'password of joe', true],
      ['right, beyond ASCII', 'ann', 'pässword of ann', true],
      ['right, a name that is a filter', 'star*(name)', 'password of star', true],
      ['a name that would match others', 'star*', 'password of star', false],
      ['a name that would be a filter', '*)(uid=joe', 'password of joe', false],
      ['a name that the directory writes otherwise', 'JOE', 'password of joe', false],
      ['a name that the directory has without its blanks', ' joe  ', 'password of joe', false],
      ['wrong', 'joe', 'password of ann', false],
      ['empty, which slapd would let in as nobody', 'joe', '', false],
      ['of an unknown user', 'eve', 'password of joe', false],
      ['of a user who has none', 'nobody', 'anything', false],
      ['of a name that two entries have', 'twin', 'password of twin', false],
    ]
    for (const [name, user, password, expected] of rows) {
      test(`${name}: ${expected ? 'accepted' : 'refused'}`, async () => {
        assert.equal(await matches(ways()[way] ?? plain, user, password), expected)
      })
    }

    test('the connection can be tried', async () => {
      await testDirectory(ways()[way] ?? plain, systemClock)
    })
  })
}

test('a search filter, and a place in the tree, tell entries apart', async () => {
  const password = 'password of twin'
  assert.equal(await matches({ ...plain, rootDn: `ou=people,${rootDn}` }, 'twin', password), true)
  assert.equal(await matches({ ...plain, searchFilter: '(cn=entry 3)' }, 'twin', password), true)
  assert.equal(await matches({ ...plain, searchFilter: '(cn=entry 0)' }, 'twin', password), false)
  assert.equal(await matches({ ...plain, uidField: 'cn' }, 'entry 0', 'password of joe'), true)
})

/** A server that does with each connection what a test wants. */
const listenTo = async (take: (socket: Socket) => void) => {
  const server = createServer(take)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    // That the other side cuts it is what some tests are about.
    socket.on('error', () => socket.destroy())
  })
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('a directory that does not say', () => {
  /** What operators are told. */
  const refusal = async (settings: LdapSettings): Promise<string> => {
    const found = await matches(settings, 'joe', 'password of joe').catch((error: unknown) => error)
    assert.ok(found instanceof DirectoryUnavailable, String(found))
    assert.ok(found.remedy !== '')
    assert.ok(!`${found.message} ${found.remedy}`.includes('password of'), found.message)
    return found.message
  }

  test('is away', async () => {
    assert.match(await refusal({ ...plain, serverUrl: `ldap://127.0.0.1:${await freePort()}` }), /nobody listens there/)
    assert.match(await refusal({ ...plain, serverUrl: 'ldap://directory.invalid' }), /name is not known/)
  })

  test('hangs: plain, in the handshake of TLS, and behind StartTLS', async () => {
    // Read and thrown away: the end of a connection is only seen by who reads.
    await using silent = await listenTo((socket) => void socket.resume())
    const timeoutMs = 200
    const host = `localhost:${silent.port}`
    const settings = { ...plain, timeoutMs, rootCas: directory.ca }
    assert.match(await refusal({ ...settings, serverUrl: `ldap://${host}` }), /did not answer within 200 ms/)
    assert.match(await refusal({ ...settings, serverUrl: `ldaps://${host}` }), /did not answer within 200 ms/)
    assert.match(await refusal({ ...settings, serverUrl: `ldap://${host}`, startTls: true }), /within 200 ms/)
    await Promise.all([...silent.sockets].map(async (socket) => socket.destroyed || once(socket, 'close')))
  })

  test('closes at once, or speaks something else', async () => {
    await using closing = await listenTo((socket) => socket.destroy())
    assert.match(await refusal({ ...plain, serverUrl: `ldap://127.0.0.1:${closing.port}` }), /cannot be asked/)
    await using other = await listenTo((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const timeoutMs = 500
    await refusal({ ...plain, timeoutMs, serverUrl: `ldap://127.0.0.1:${other.port}` })
    assert.match(
      await refusal({ ...plain, timeoutMs, serverUrl: `ldaps://127.0.0.1:${other.port}` }),
      /TLS could not be agreed on|connection was lost/,
    )
  })

  const toTheFirst = (...answers: readonly Buffer[]) =>
    listenTo((socket) => void socket.once('data', () => socket.write(Buffer.concat(answers))))

  test('answers without end, in one message or in ever so many', async () => {
    const references = Buffer.from('30050201097300'.repeat(9_000), 'hex')
    for (const answer of [references, Buffer.from('30847fffffff', 'hex')]) {
      const more = Buffer.alloc(65_536, references)
      await using endless = await listenTo((socket) => {
        const write = (): void => {
          while (!socket.destroyed && socket.write(more));
        }
        socket.on('drain', write)
        socket.once('data', () => {
          socket.write(answer)
          write()
        })
      })
      const settings = { ...plain, serverUrl: `ldap://127.0.0.1:${endless.port}` }
      assert.match(await refusal(settings), /answers more than 65536 bytes/)
    }
  })

  test('does not show the name of an entry', async () => {
    const entry = Buffer.from('300e02010264090405', 'hex')
    const done = Buffer.from('300c02010265070a010004000400', 'hex')
    await using hiding = await toTheFirst(entry, Buffer.from('uid=x'), Buffer.from('3000', 'hex'), done)
    const settings = { ...plain, serverUrl: `ldap://127.0.0.1:${hiding.port}`, bindDn: '', bindPassword: '' }
    assert.match(await refusal(settings), /does not show uid_field/)
  })

  test('has a certificate of another CA, or for another name', async () => {
    const { TLS = plain, StartTLS = plain } = ways()
    for (const settings of [TLS, StartTLS]) {
      assert.match(await refusal({ ...settings, rootCas: '' }), /certificate is not trusted/)
      const serverUrl = settings.serverUrl.replace('localhost', '127.0.0.1')
      assert.match(await refusal({ ...settings, serverUrl }), /certificate is not trusted/)
      assert.equal(
        await matches({ ...settings, serverUrl, rootCas: '', insecureSkipVerify: true }, 'joe', 'password of joe'),
        true,
      )
    }
  })

  test('refuses who searches', async () => {
    assert.match(await refusal({ ...plain, bindPassword: 'wrong' }), /refuses bind_dn/)
    assert.match(await refusal({ ...plain, rootDn: 'dc=elsewhere' }), /no entry root_dn/)
    assert.equal(
      await matches({ ...plain, bindDn: '', bindPassword: '' }, 'joe', 'password of joe').catch(() => false),
      false,
    )
  })
})

test('a directory that goes and comes back is asked anew', async () => {
  await using other = await startDirectory()
  const settings = { ...plain, serverUrl: `ldap://127.0.0.1:${other.port}` }
  assert.equal(await matches(settings, 'joe', 'password of joe'), true)
  await other.stop()
  await assert.rejects(matches(settings, 'joe', 'password of joe'), DirectoryUnavailable)
  await assert.rejects(testDirectory(settings, systemClock), DirectoryUnavailable)
})
