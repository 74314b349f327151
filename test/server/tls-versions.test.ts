/** What the `openssl` command, a peer that is not our runtime, is offered by each profile: versions, suites, groups. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, test } from 'node:test'
import { type RunningServer, startServerProcess } from '#test/running-server'

/** The suite that was agreed upon, or undefined for a handshake that failed. */
const suiteOf = async (server: RunningServer, ...flags: readonly string[]): Promise<string | undefined> => {
  const own = ['-CAfile', server.caPath, '-cert', server.certPath, '-key', server.keyPath, '-verify_return_error']
  const place = ['-connect', `${server.host}:${server.port}`, '-servername', 'localhost']
  const peer = spawn('openssl', ['s_client', ...place, ...own, ...flags], { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  for await (const chunk of peer.stdout) text += String(chunk)
  const suite = /^(?:New|Reused), \S+, Cipher is (\S+)$/m.exec(text)?.[1]
  return suite === '(NONE)' ? undefined : suite
}

interface Peer {
  readonly name: string
  readonly flags: readonly string[]
  /** The suite by profile; absent: refused. */
  readonly modern?: RegExp
  readonly compatible?: RegExp
}

/** Flags for OpenSSL, which itself refuses the old ones otherwise, and what each profile answers. */
const peers: readonly Peer[] = [
  { name: 'TLS 1.3', flags: ['-tls1_3'], modern: /^TLS_AES_256_GCM_SHA384$/, compatible: /^TLS_AES_256_GCM_SHA384$/ },
  { name: 'TLS 1.2', flags: ['-tls1_2'], modern: /^ECDHE-ECDSA-AES256-GCM/, compatible: /^ECDHE-ECDSA-AES256-GCM/ },
  { name: 'TLS 1.1', flags: ['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'], compatible: /^ECDHE-ECDSA-AES256-SHA$/ },
  { name: 'TLS 1.0', flags: ['-tls1', '-cipher', 'ALL:@SECLEVEL=0'], compatible: /^ECDHE-ECDSA-AES256-SHA$/ },
  {
    name: 'CBC',
    flags: ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA256'],
    compatible: /^ECDHE-ECDSA-AES128-SHA256$/,
  },
  { name: 'RSA key exchange', flags: ['-tls1_2', '-cipher', 'AES256-GCM-SHA384'], compatible: /^AES256-GCM-SHA384$/ },
  { name: 'CBC, RSA key exchange', flags: ['-tls1_2', '-cipher', 'AES128-SHA'], compatible: /^AES128-SHA$/ },
  { name: 'a finite field', flags: ['-tls1_3', '-groups', 'ffdhe2048'], compatible: /^TLS_AES_256_GCM_SHA384$/ },
  { name: 'no encryption', flags: ['-tls1_2', '-cipher', 'eNULL:@SECLEVEL=0'] },
  { name: 'nobody', flags: ['-tls1_2', '-cipher', 'aNULL:@SECLEVEL=0'] },
]

describe('what is spoken with', () => {
  for (const [profile, settings] of [
    ['modern', []],
    ['compatible', ['--tls-profile', 'compatible', '--min-tls-version', 'TLSv1']],
  ] as const) {
    test(profile, async () => {
      await using server = await startServerProcess({ flags: settings })
      for (const peer of peers) {
        const suite = await suiteOf(server, ...peer.flags)
        const expected = peer[profile]
        if (expected === undefined) assert.equal(suite, undefined, peer.name)
        else assert.match(suite ?? '(none)', expected, peer.name)
      }
    })
  }
})
