/** A root, a CA below it, and clients of that CA, made by `openssl`: the server's own authorities issue for no other CA. */
import { execFileSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CertificateWithKey } from '#identity/authority'
import { certificatesFromPem } from '#identity/certificates'

export interface ChainedCertificates {
  readonly root: CertificateWithKey
  readonly intermediate: CertificateWithKey
  /** A root with the intermediate's name and key. */
  readonly twin: CertificateWithKey
  /** Named as they were asked for. */
  readonly clients: readonly CertificateWithKey[]
}

/** Certificates of today, valid for a month. */
export function chainedCertificates(...clients: readonly string[]): ChainedCertificates {
  const directory = mkdtempSync(join(tmpdir(), 'kmipd-chain-'))
  const path = (name: string): string => join(directory, name)
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout']
  const made = (name: string, issuer: string | undefined, constraint: string, isTwin = false): CertificateWithKey => {
    const key = [...(isTwin ? ['-key'] : newKey), path(`${name}.key`)]
    const by = issuer === undefined ? [] : ['-CA', path(`${issuer}.pem`), '-CAkey', path(`${issuer}.key`)]
    const what = ['-subj', `/CN=${name}`, '-days', '30', '-addext', `basicConstraints=critical,${constraint}`]
    execFileSync('openssl', ['req', '-x509', ...key, ...by, ...what, '-out', path(`${name}.pem`)], { stdio: 'pipe' })
    const [certificate = new Uint8Array()] = certificatesFromPem(readFileSync(path(`${name}.pem`), 'utf8'))
    const privateKey = createPrivateKey(readFileSync(path(`${name}.key`))).export({ format: 'der', type: 'pkcs8' })
    return { certificate, privateKey: new Uint8Array(privateKey) }
  }
  try {
    const root = made('Offline Root', undefined, 'CA:TRUE')
    const intermediate = made('Issuing CA', 'Offline Root', 'CA:TRUE')
    const leaves = clients.map((name) => made(name, 'Issuing CA', 'CA:FALSE'))
    return { root, intermediate, clients: leaves, twin: made('Issuing CA', undefined, 'CA:TRUE', true) }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
