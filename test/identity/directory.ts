/**
 * A real directory for tests: OpenLDAP's slapd as a process of its own, in a folder of its own, plain and with TLS. What it
 * is: start, entries, stop. What it is not: a stand-in; what the tests learn of LDAP is what slapd does.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#actor/clock'
import { systemEntropy } from '#actor/entropy'
import { createAuthority, issueServerCertificate, privateKeyPem } from '#identity/authority'
import { certificateToPem } from '#identity/certificates'
import { freePort } from '#test/running-server'

export interface Directory extends AsyncDisposable {
  readonly port: number
  /** Of LDAP in TLS. */
  readonly securePort: number
  /** PEM of the CA of its certificate, which is for `localhost` alone. */
  readonly ca: string
  /** Ends it; the ports then refuse. */
  stop(): Promise<void>
}

export const rootDn = 'dc=example'
export const bindDn = 'cn=reader,dc=example'
export const bindPassword = 'password of the reader'

/** Users by uid, with their passwords; two entries have the uid `twin`. */
const people = [
  ['joe', 'ou=people', 'password of joe'],
  ['ann', 'ou=people', 'pässword of ann'],
  ['star*(name)', 'ou=people', 'password of star'],
  ['twin', 'ou=people', 'password of twin'],
  ['twin', 'ou=machines', 'password of twin'],
] as const

const entries = `dn: dc=example
objectClass: domain
dc: example

dn: ou=people,dc=example
objectClass: organizationalUnit
ou: people

dn: ou=machines,dc=example
objectClass: organizationalUnit
ou: machines

dn: cn=reader,dc=example
objectClass: person
cn: reader
sn: reader
userPassword: ${bindPassword}

dn: cn=no password,ou=people,dc=example
objectClass: inetOrgPerson
cn: no password
sn: none
uid: nobody

${people
  .map(
    ([uid, unit, password], index) => `dn: cn=entry ${index},${unit},dc=example
objectClass: inetOrgPerson
cn: entry ${index}
sn: entry
uid: ${uid}
userPassword:: ${Buffer.from(password).toString('base64')}
`,
  )
  .join('\n')}`

/** Starts one with the entries above. Only who has bound may search. */
export const startDirectory = async (): Promise<Directory> => {
  const folder = await mkdtemp(join(tmpdir(), 'kmipd-slapd-'))
  const path = (name: string): string => join(folder, name)
  const now = systemClock.nowSeconds()
  const authority = createAuthority({ CN: 'the directory CA' }, now, systemEntropy)
  const server = issueServerCertificate(authority, ['localhost'], now, systemEntropy)
  const ca = certificateToPem(authority.certificate)
  await mkdir(path('data'))
  await writeFile(path('ca.pem'), ca)
  await writeFile(path('server.pem'), certificateToPem(server.certificate))
  await writeFile(path('server.key'), privateKeyPem(server), { mode: 0o600 })
  await writeFile(path('entries.ldif'), entries)
  await writeFile(
    path('slapd.conf'),
    `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${path('slapd.pid')}
TLSCACertificateFile ${path('ca.pem')}
TLSCertificateFile ${path('server.pem')}
TLSCertificateKeyFile ${path('server.key')}
database mdb
maxsize 16777216
suffix "dc=example"
directory ${path('data')}
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=reader,dc=example" read by * none
`,
  )
  execFileSync('slapadd', ['-f', path('slapd.conf'), '-l', path('entries.ldif')], { stdio: 'pipe' })
  const port = await freePort()
  const securePort = await freePort()
  const urls = `ldap://127.0.0.1:${port}/ ldaps://127.0.0.1:${securePort}/`
  const child = spawn('slapd', ['-d', '0', '-f', path('slapd.conf'), '-h', urls], { stdio: 'ignore' })
  const killAtExit = (): void => void child.kill('SIGKILL')
  process.once('exit', killAtExit)
  const stop = async (): Promise<void> => {
    process.off('exit', killAtExit)
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
  }
  await listening(child, port)
  return {
    port,
    securePort,
    ca,
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const waitMs = 20
const waitsMax = 500

const listening = async (child: ChildProcess, port: number): Promise<void> => {
  for (let waits = 0; waits < waitsMax; waits++) {
    assert.equal(child.exitCode, null, 'slapd did not start')
    const socket = connect(port, '127.0.0.1')
    const reached = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (reached) return
    await new Promise<void>((resolve) => systemClock.after(waitMs, resolve))
  }
  assert.fail('slapd does not listen')
}
