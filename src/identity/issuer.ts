/**
 * The authority that certifies public keys of clients (Certify, Re-certify). What it is: an authority of its own, made when it is
 * first needed and kept in the store: what it signs opens no session here, whose peers another authority vouches for. What
 * it is not: the authority of the server's own certificates and clients (`bootstrap.ts`).
 */
import type { Entropy } from '#actor/entropy'
import type { Store, Stored } from '#store/store'
import {
  type CertificateWithKey,
  createAuthorityOf,
  issueRequestedCertificate,
  newRsaAuthorityKeys,
  type RequestedCertificate,
} from './authority.ts'
import { certificateTable, type OwnCertificate } from './bootstrap.ts'
import { certificateToPem } from './certificates.ts'
import { newRecord } from './records.ts'

const issuerKey = 'issuer'

export interface IssuerOptions {
  readonly store: Store
  readonly entropy: Entropy
  /** Told of the authority's certificate (PEM) when it was made. */
  readonly onMade: (pem: string) => void
}

export class Issuer {
  readonly #options: IssuerOptions

  constructor(options: IssuerOptions) {
    this.#options = options
  }

  /** The authority's certificate as DER, or undefined as long as nothing was certified. */
  get certificate(): Uint8Array | undefined {
    return this.#stored()?.value.certificate
  }

  /**
   * A certificate, valid from `nowSeconds` (since 1970) on.
   * @throws CertificateError when the subject cannot be written; StoreUnavailable
   */
  async certify(request: RequestedCertificate, nowSeconds: number): Promise<Uint8Array> {
    const authority = this.#stored()?.value ?? (await this.#make(nowSeconds))
    return issueRequestedCertificate(authority, request, nowSeconds, this.#options.entropy)
  }

  #stored(): Stored<OwnCertificate> | undefined {
    return this.#options.store.read(certificateTable, issuerKey)
  }

  async #make(nowSeconds: number): Promise<CertificateWithKey> {
    const { store, entropy, onMade } = this.#options
    const label = Buffer.from(entropy.bytes(4)).toString('hex')
    const subject = { CN: `kmipd issuing CA ${label}`, O: 'kmipd' }
    const made = createAuthorityOf(await newRsaAuthorityKeys(), subject, nowSeconds, entropy)
    const value: OwnCertificate = { ...made, names: [] }
    const { done } = await store.commit([newRecord(certificateTable.name, issuerKey, value)])
    if (done) onMade(certificateToPem(made.certificate))
    // Whoever was first has made the one that stays.
    return this.#stored()?.value ?? made
  }
}
