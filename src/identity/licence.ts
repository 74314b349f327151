/**
 * The licence, for those who distribute the server with one. What it is: off unless a public key is set; then a trial from
 * the installation on, and licence texts, signed by the key's holder and checked here without asking anybody. What it is
 * not: a protection against whoever may change the program: only against a trial that goes on by a mistake.
 *
 *     licence text    base64url(JSON of LicenceTerms) . base64url(Ed25519 signature of these bytes)
 *     record          licence/state: installation, the latest time that was seen, the texts that were activated
 *     mark            the installation beside the data folder, so that another folder is not another trial
 *
 * Time never goes back here: what counts is the latest time that was seen, and while the server runs it advances at least
 * as the timers do. Setting the clock back gains nothing; setting it forward costs trial time.
 */
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import type { Clock } from '#actor/clock'
import { type Entropy, uniqueIdentifier } from '#actor/entropy'
import type { Store, Table } from '#store/store'
import { AdministrationError } from './administration-error.ts'
import { changeRecord, newRecord } from './records.ts'

/** The only feature that needs a licence. */
export const licensedFeature = 'KMIP'
export const trialDays = 90
const secondsPerDay = 86_400
/** How often the time is noted. */
const tickMs = 3_600_000
const licenceTextMax = 8_192
const licencesMax = 64

/** What a licence says. */
export interface LicenceTerms {
  readonly id: string
  readonly feature: string
  /** For whom. */
  readonly holder: string
  /** Identifier of the installation that it is for; absent: any. */
  readonly installation?: string
  /** Seconds since 1970. */
  readonly notBefore: number
  /** Seconds since 1970; absent: without end. */
  readonly notAfter?: number
}

export interface LicenceState {
  /** Of the installation: licences can be made for it. */
  readonly installation: string
  /** Seconds since 1970. */
  readonly installedSeconds: number
  /** The latest time that was seen, in seconds since 1970. */
  readonly latestSeconds: number
  /** Texts of licences. */
  readonly licences: readonly string[]
}

export const licenceTable: Table<LicenceState> = { name: 'licence', index: () => [], claims: () => [] }
const stateKey = 'state'

/** Where an installation is noted outside the data folder. */
export interface InstallationMark {
  read(): string | undefined
  write(text: string): void
}

export interface LicenceOptions {
  readonly store: Store
  readonly clock: Clock
  readonly entropy: Entropy
  /** SPKI DER in Base64, of an Ed25519 key; empty: no licence is needed. */
  readonly publicKey: string
  readonly mark: InstallationMark
  /** Told whenever clients may be served no longer, or again. */
  readonly onPermits?: (permits: boolean) => void
}

/** How it stands with the feature. */
export interface LicenceStatus {
  readonly state: 'Active' | 'Trial' | 'Expired'
  /** False: the server is given without a licence. */
  readonly needed: boolean
  readonly installation: string | undefined
  /** Until when, in seconds since 1970; undefined: without end. */
  readonly untilSeconds: number | undefined
  readonly terms: LicenceTerms | undefined
}

export class Licence {
  readonly #options: LicenceOptions
  readonly #key: KeyObject | undefined
  #status: LicenceStatus
  #stopTimer: () => void = () => undefined

  private constructor(options: LicenceOptions) {
    this.#options = options
    this.#key = options.publicKey === '' ? undefined : publicKeyOf(options.publicKey)
    this.#status = this.#statusNow()
  }

  /**
   * The licence of this server; notes the installation when there is none yet.
   * @throws AdministrationError when the public key is none; StoreUnavailable
   */
  static async open(options: LicenceOptions): Promise<Licence> {
    const licence = new Licence(options)
    if (licence.#key !== undefined) {
      await licence.#note(0)
      licence.#schedule()
    }
    return licence
  }

  /** How it stands now. */
  get status(): LicenceStatus {
    return this.#status
  }

  /** Whether the feature may be used: asked for every request. */
  get permits(): boolean {
    return this.#status.state !== 'Expired'
  }

  /** Texts that were activated, as what they say. */
  licences(): readonly LicenceTerms[] {
    return this.#terms()
  }

  /** Activates a licence text. @throws AdministrationError of kind invalid, already exists, conflict */
  async activate(text: string): Promise<LicenceTerms> {
    if (this.#key === undefined) throw new AdministrationError('conflict', 'This server needs no licence')
    const trimmed = text.trim()
    const terms = this.#read(trimmed)
    const { installation } = this.#state() ?? {}
    if (terms === undefined || terms.feature !== licensedFeature) {
      throw new AdministrationError(
        'invalid',
        'This is not a licence text for this server',
        'Copy the whole text, as it was given.',
      )
    }
    if (terms.installation !== undefined && terms.installation !== installation) {
      throw new AdministrationError(
        'invalid',
        'This licence is for another installation',
        `This one is ${installation ?? 'unknown'}.`,
      )
    }
    await changeRecord(this.#options.store, licenceTable, stateKey, 'licence', (state) => {
      if (state.licences.includes(trimmed))
        throw new AdministrationError('already exists', 'This licence is activated already')
      if (state.licences.length >= licencesMax)
        throw new AdministrationError('conflict', `There are ${licencesMax} licences`, 'Remove old ones.')
      return { ...state, licences: [...state.licences, trimmed] }
    })
    this.#look()
    return terms
  }

  /** Removes a licence. @throws AdministrationError of kind not found */
  async remove(id: string): Promise<void> {
    if (!this.#terms().some((terms) => terms.id === id)) {
      throw new AdministrationError('not found', `There is no licence ${JSON.stringify(id)}`)
    }
    await changeRecord(this.#options.store, licenceTable, stateKey, 'licence', (state) => ({
      ...state,
      licences: state.licences.filter((text) => this.#read(text)?.id !== id),
    }))
    this.#look()
  }

  /** Notes the time no more. */
  stop(): void {
    this.#stopTimer()
  }

  #schedule(): void {
    this.#stopTimer = this.#options.clock.after(tickMs, () => {
      this.#schedule()
      // A store that cannot take it now takes it at the next tick; what was seen stays in memory meanwhile.
      this.#note(tickMs / 1_000).catch(() => {
        this.#look()
      })
    })
  }

  /** Notes installation and time, in the store and in the mark. */
  async #note(ranSeconds: number): Promise<void> {
    const { store, clock, entropy, mark } = this.#options
    const nowSeconds = clock.nowSeconds()
    const marked = markOf(mark.read())
    const first: LicenceState = {
      installation: marked?.installation ?? uniqueIdentifier(clock, entropy),
      installedSeconds: marked?.installedSeconds ?? nowSeconds,
      latestSeconds: nowSeconds,
      licences: [],
    }
    // Somebody else's record is as good as ours.
    if (this.#state() === undefined) await store.commit([newRecord(licenceTable.name, stateKey, first)])
    const { value } = await changeRecord(store, licenceTable, stateKey, 'licence', (state) => ({
      ...state,
      installedSeconds: Math.min(state.installedSeconds, marked?.installedSeconds ?? Infinity),
      latestSeconds: Math.max(nowSeconds, state.latestSeconds + ranSeconds, marked?.latestSeconds ?? 0),
    }))
    const { installation, installedSeconds, latestSeconds } = value
    mark.write(`${JSON.stringify({ installation, installedSeconds, latestSeconds })}\n`)
    this.#look()
  }

  #state(): LicenceState | undefined {
    return this.#options.store.read(licenceTable, stateKey)?.value
  }

  /** Looks at how it stands, and tells of a change. */
  #look(): void {
    const before = this.permits
    this.#status = this.#statusNow()
    if (this.permits !== before) this.#options.onPermits?.(this.permits)
  }

  #statusNow(): LicenceStatus {
    const state = this.#key === undefined ? undefined : this.#state()
    const installation = state?.installation
    if (this.#key === undefined || state === undefined) {
      return {
        state: 'Active',
        needed: this.#key !== undefined,
        installation,
        untilSeconds: undefined,
        terms: undefined,
      }
    }
    const now = Math.max(this.#options.clock.nowSeconds(), state.latestSeconds)
    const terms = this.#terms().find(({ notBefore, notAfter = Infinity }) => notBefore <= now && now <= notAfter)
    if (terms !== undefined) return { state: 'Active', needed: true, installation, untilSeconds: terms.notAfter, terms }
    const untilSeconds = state.installedSeconds + trialDays * secondsPerDay
    return {
      state: now < untilSeconds ? 'Trial' : 'Expired',
      needed: true,
      installation,
      untilSeconds,
      terms: undefined,
    }
  }

  /** Licences of this installation, those without end first. */
  #terms(): readonly LicenceTerms[] {
    const state = this.#state()
    const all = (state?.licences ?? []).map((text) => this.#read(text)).filter((terms) => terms !== undefined)
    return all
      .filter(({ installation }) => installation === undefined || installation === state?.installation)
      .toSorted((one, other) => (other.notAfter ?? Infinity) - (one.notAfter ?? Infinity) || 0)
  }

  /** What a text says, or undefined when its signature is not the key's. */
  #read(text: string): LicenceTerms | undefined {
    if (this.#key === undefined || text.length > licenceTextMax) return undefined
    const [, payload, signature] = /^([\w-]+)\.([\w-]+)$/.exec(text) ?? []
    if (payload === undefined || signature === undefined) return undefined
    const bytes = Buffer.from(payload, 'base64url')
    return verify(null, bytes, this.#key, Buffer.from(signature, 'base64url'))
      ? termsOf(bytes.toString('utf8'))
      : undefined
  }
}

/** A licence text that says this, signed with an Ed25519 key: what who distributes the server does. */
export function signLicence(terms: LicenceTerms, privateKey: KeyObject): string {
  const payload = Buffer.from(JSON.stringify(terms))
  return `${payload.toString('base64url')}.${sign(null, payload, privateKey).toString('base64url')}`
}

function publicKeyOf(text: string): KeyObject {
  let key: KeyObject | undefined
  try {
    key = createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' })
  } catch {
    key = undefined
  }
  if (key?.asymmetricKeyType === 'ed25519') return key
  throw new AdministrationError('invalid', 'licencePublicKey is not an Ed25519 public key (SPKI DER in Base64)')
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function termsOf(text: string): LicenceTerms | undefined {
  const { id, feature, holder, installation, notBefore, notAfter } = parsed(text) ?? {}
  if (typeof id !== 'string' || typeof feature !== 'string' || typeof holder !== 'string') return undefined
  if (typeof notBefore !== 'number' || (notAfter !== undefined && typeof notAfter !== 'number')) return undefined
  if (installation !== undefined && typeof installation !== 'string') return undefined
  return {
    id,
    feature,
    holder,
    notBefore,
    ...(installation === undefined ? {} : { installation }),
    ...(notAfter === undefined ? {} : { notAfter }),
  }
}

/** What a mark says; one that cannot be read is none. */
function markOf(text: string | undefined): Omit<LicenceState, 'licences'> | undefined {
  const { installation, installedSeconds, latestSeconds } = parsed(text ?? '') ?? {}
  const whole =
    typeof installation === 'string' && Number.isSafeInteger(installedSeconds) && Number.isSafeInteger(latestSeconds)
  return whole
    ? { installation, installedSeconds: Number(installedSeconds), latestSeconds: Number(latestSeconds) }
    : undefined
}
