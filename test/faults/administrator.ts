/**
 * An administrator at work while a server dies: users, groups and registered clients made, changed and removed by kmipctl, and
 * the comparison of what was acknowledged with what is there afterwards. What it is: lines of the command at the local socket, and
 * the record of them. What it is not: keys (ledger.ts, load.ts).
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type LineResult, lineOf } from '#test/admin/running-administration'
import type { RunningServer } from '#test/running-server'
import type { SeededRandom } from '#test/seeded-random'

/** What is known of one user, group or client: undefined where there is none of this name. */
type Known = string | undefined

interface Administered {
  readonly kind: 'user' | 'group' | 'client'
  readonly name: string
  /** As it was last acknowledged. */
  known: Known
  /** As a command would make it that was not answered. */
  asked: { readonly known: Known } | undefined
}

/** A command of kmipctl, and what it makes of what is known. */
interface Command {
  readonly words: readonly string[]
  readonly next: Known
}

const line = ({ directory }: RunningServer, words: readonly string[]): Promise<LineResult> =>
  lineOf(words, directory, { environment: { KMIPCTL_SOCKET: join(directory, 'admin.sock') } })

const answerOf = async (
  server: RunningServer,
  words: readonly string[],
): Promise<Readonly<Record<string, unknown>>> => {
  const { code, error, json } = await line(server, words)
  assert.equal(code, 0, `${words.join(' ')}: ${error}`)
  return (json ?? {}) as Readonly<Record<string, unknown>>
}

/** What the server's own check finds wrong with its audit trail. */
export const brokenIn = async (server: RunningServer): Promise<readonly string[]> => {
  const { intact, breaks } = await answerOf(server, ['audit', 'verify'])
  return intact === true ? [] : [`the audit trail is broken: ${JSON.stringify(breaks)}`]
}

/** The administrator of one data directory, over all lives of its server. */
export class Administrator {
  readonly #random: SeededRandom
  readonly #administered: Administered[] = []
  #names = 0
  #token = ''

  constructor(random: SeededRandom) {
    this.#random = random
  }

  /** Before the first death: what clients are registered with. */
  async prepare(server: RunningServer): Promise<void> {
    const profile = { cert_user_field: 'CN', csr_cn: 'kmip', csr_org_name: 'ACME', csr_country: 'IN' }
    await writeFile(join(server.directory, 'profile.json'), JSON.stringify(profile))
    await answerOf(server, ['kmip', 'createprofile', '-p', 'arrays', '-c', 'profile.json'])
    const made = await answerOf(server, ['kmip', 'createkmipregtoken', '-p', 'arrays'])
    this.#token = String(made['token'])
  }

  /**
   * One command after the other until the server is gone.
   * @param acknowledged is told of each, as the audit trail names them
   * @param isDying whether the server may be gone
   */
  async work(server: RunningServer, acknowledged: (what: string) => void, isDying: () => boolean): Promise<void> {
    for (;;) {
      const administered = this.#next()
      const { words, next } = this.#commandFor(administered)
      administered.asked = { known: next }
      const { code, error } = await line(server, words)
      if (code !== 0) {
        // A refusal would be a finding; no answer is what the death brings.
        assert.match(error, /"code": ?"(?:unreachable|unavailable)"/, `${words.join(' ')}: ${error}`)
        assert.ok(isDying(), error)
        return
      }
      administered.known = next
      administered.asked = undefined
      acknowledged(`${words.slice(0, 2).join(' ')} ${administered.name}`)
    }
  }

  /** What is not there as it was acknowledged. */
  async verify(server: RunningServer): Promise<readonly string[]> {
    const found = await knownTo(server)
    const wrong: string[] = []
    for (const administered of this.#administered) {
      const { kind, name, known, asked } = administered
      const seen = found.get(`${kind} ${name}`)
      if (seen !== known && (asked === undefined || seen !== asked.known)) {
        wrong.push(`the ${kind} ${name} is ${seen ?? 'absent'} and was ${known ?? 'absent'}`)
      }
      administered.known = seen
      administered.asked = undefined
    }
    return wrong
  }

  #next(): Administered {
    const present = this.#administered.filter(({ known }) => known !== undefined)
    if (present.length > 0 && this.#random.below(3) > 0) return this.#random.pick(present)
    this.#names += 1
    const kind = this.#random.pick(['user', 'user', 'group', 'client'] as const)
    const administered: Administered = { kind, name: `${kind}-${this.#names}`, known: undefined, asked: undefined }
    this.#administered.push(administered)
    return administered
  }

  #commandFor({ kind, name, known }: Administered): Command {
    const isRemoved = known !== undefined && this.#random.below(2) === 0
    this.#names += 1
    const value = `note-${this.#names}@example.com`
    switch (kind) {
      case 'user':
        if (known === undefined) return { words: ['users', 'create', '-n', name, '-e', value], next: value }
        if (isRemoved) return { words: ['users', 'delete', '-i', name], next: undefined }
        return { words: ['users', 'modify', '-i', name, '-e', value], next: value }
      case 'group':
        if (known === undefined) return { words: ['groups', 'create', '-n', name, '-d', value], next: value }
        return { words: ['groups', 'delete', '-n', name], next: undefined }
      case 'client': {
        if (known === undefined) return { words: ['kmip', 'register', '-n', name, '-t', this.#token], next: 'active' }
        if (isRemoved) return { words: ['kmip', 'deleteclient', '-i', name], next: undefined }
        const isOn = known === 'disabled'
        return {
          words: ['kmip', 'modifyclient', '-i', name, '-e', String(isOn)],
          next: isOn ? 'active' : 'disabled',
        }
      }
    }
  }
}

/** Entries of a list that are given at once. */
const pageMax = 1000

interface Listed {
  readonly resources: readonly Readonly<Record<string, unknown>>[]
}

/** Everybody whom the server knows: kind and name, and what there is to know. */
const knownTo = async (server: RunningServer): Promise<ReadonlyMap<string, string>> => {
  const all = async (...words: string[]): Promise<Listed['resources']> => {
    const found: Readonly<Record<string, unknown>>[] = []
    for (;;) {
      const page = ['--skip', String(found.length), '--limit', String(pageMax)]
      const { resources } = (await answerOf(server, [...words, ...page])) as unknown as Listed
      found.push(...resources)
      if (resources.length < pageMax) return found
    }
  }
  const [users, groups, clients] = await Promise.all([
    all('users', 'list'),
    all('groups', 'list'),
    all('kmip', 'listclients'),
  ])
  return new Map([
    ...users.map((user) => [`user ${String(user['username'])}`, String(user['email'])] as const),
    ...groups.map((group) => [`group ${String(group['name'])}`, String(group['description'])] as const),
    ...clients.map((client) => [`client ${String(client['name'])}`, String(client['state'])] as const),
  ])
}
