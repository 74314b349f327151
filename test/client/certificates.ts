/**
 * Certificates for tests over real TLS, made once a process by the `openssl` command in a directory that is removed.
 * What it is not: the project's own authority (identity/).
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** PEM texts of an authority, and of a server (localhost, 127.0.0.1) and a client that it signed. */
export interface TestCertificates {
  readonly ca: string
  readonly serverCert: string
  readonly serverKey: string
  readonly clientCert: string
  readonly clientKey: string
}

/** Makes them; some tens of milliseconds. */
export const makeCertificates = (): TestCertificates => {
  const directory = mkdtempSync(join(tmpdir(), 'kmipd-client-test-'))
  const openssl = (...parameters: string[]) => execFileSync('openssl', parameters, { cwd: directory, stdio: 'pipe' })
  const ecKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  try {
    openssl(
      'req',
      '-x509',
      ...ecKey,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-days',
      '2',
      '-subj',
      '/CN=Test Authority',
    )
    writeFileSync(join(directory, 'server.ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
    writeFileSync(join(directory, 'client.ext'), 'extendedKeyUsage=clientAuth\n')
    for (const name of ['server', 'client']) {
      openssl('req', ...ecKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=Test ${name}`)
      const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`]
      openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...signing)
    }
    const read = (name: string) => readFileSync(join(directory, name), 'utf8')
    return {
      ca: read('ca.pem'),
      serverCert: read('server.pem'),
      serverKey: read('server.key'),
      clientCert: read('client.pem'),
      clientKey: read('client.key'),
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
}
