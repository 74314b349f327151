/** PKCS#12 containers both ways against the openssl command and the TLS of the library, and what is refused. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { createSecureContext } from 'node:tls'
import * as fc from 'fast-check'
import { octetsOf, readBer } from '#crypto/ber'
import { derElement } from '#crypto/der'
import { KeyFormatError, KeyUseError } from '#crypto/errors'
import { costOf } from '#crypto/jobs'
import { openContainer, writeContainer } from '#crypto/pkcs12'
import { ContainerPassword, macData } from '#crypto/pkcs12-protection'
import { KeyFormatType as F } from '#kmip/enums'
import { dh, dsa, ec, ed448, ed25519, pkcs8, plain, privateForm, refuses, rsa, x25519 } from '#test/crypto/keys'

const directory = mkdtempSync(join(tmpdir(), 'kmipd-pkcs12-'))
after(() => rmSync(directory, { recursive: true }))
const file = (name: string): string => join(directory, name)
const run = (...args: readonly string[]): string =>
  execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

/** Not ASCII, not of the first plane: each derivation has its own form of it. */
const passwordText = 'pässwörd 😀'
const password = new TextEncoder().encode(passwordText)
const iterations = 2_048
const iterationsMax = 50_000

const pemOf = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' })

/** An authority and a certificate under it, of a key. */
const chainOf = (name: string, key: KeyObject): readonly Uint8Array[] => {
  writeFileSync(file('ca.key'), pemOf(ec.privateKey))
  writeFileSync(file(`${name}.key`), pemOf(key))
  run('req', '-x509', '-key', file('ca.key'), '-subj', '/CN=Root', '-days', '2', '-out', file('ca.pem'))
  const request = ['-key', file(`${name}.key`), '-subj', `/CN=${name}`, '-out', file('request.pem')]
  run('req', '-new', ...request)
  const signing = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-days', '1', '-out', file(`${name}.pem`)]
  run('x509', '-req', '-in', file('request.pem'), ...signing)
  return [`${name}.pem`, 'ca.pem'].map((pem) => plain(new X509Certificate(readFileSync(file(pem))).raw))
}

const rsaChain = chainOf('rsa', rsa.privateKey)
const rsaRequest = {
  key: privateForm(F.PKCS_8, pkcs8(rsa.privateKey)),
  certificates: rsaChain,
  friendlyName: 'my key é',
  password,
  iterations,
}

/** What openssl makes of a container. */
const listed = (container: Uint8Array): string => {
  writeFileSync(file('out.p12'), container)
  return run('pkcs12', '-in', file('out.p12'), '-passin', `pass:${passwordText}`, '-nodes')
}

const keys = { rsa, ec, ed25519, ed448, x25519, dsa, dh }

describe('a container that is made', () => {
  for (const [name, { privateKey }] of Object.entries(keys)) {
    test(`${name}: openssl finds the key`, () => {
      const key = privateForm(F.PKCS_8, pkcs8(privateKey))
      const text = listed(writeContainer({ ...rsaRequest, key, certificates: [] }))
      const found = createPrivateKey(text.slice(text.indexOf('-----BEGIN')))
      assert.deepEqual(pkcs8(found), pkcs8(privateKey))
    })
  }

  test('holds the chain in order, names on the key and its own certificate, PBES2 with AES-256', () => {
    const container = writeContainer(rsaRequest)
    const text = listed(container)
    const found = [...text.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)]
    assert.deepEqual(
      found.map(([pem]) => plain(new X509Certificate(pem).raw)),
      rsaChain,
    )
    assert.equal(text.match(/friendlyName/g)?.length, 2)
    const identifiers = [...text.matchAll(/localKeyID: (.+)/g)].map(([, identifier]) => identifier)
    assert.equal(identifiers.length, 2)
    assert.equal(identifiers[0], identifiers[1])
    const encrypted = container.toString()
    assert.equal(encrypted.split('96,134,72,1,101,3,4,1,42').length, 3, 'AES-256-CBC for key and certificates')
    assert.equal(encrypted.includes(pkcs8(rsa.privateKey).subarray(-64).toString()), false)
    assert.equal(encrypted.includes(rsaChain[0]?.subarray(-64).toString() ?? ''), false)
  })

  test('opens a TLS context', () => {
    const pfx = Buffer.from(writeContainer({ ...rsaRequest, password: new TextEncoder().encode('secret') }))
    createSecureContext({ pfx, passphrase: 'secret', ciphers: 'DEFAULT@SECLEVEL=0' })
    assert.throws(() => createSecureContext({ pfx, passphrase: 'another' }))
  })

  test('is another one each time, and opens here', () => {
    const container = writeContainer(rsaRequest)
    assert.notDeepEqual(container, writeContainer(rsaRequest))
    assert.deepEqual(openContainer({ container, password, iterationsMax: 3 * iterations }), {
      privateKeyInfo: pkcs8(rsa.privateKey),
      certificates: rsaChain,
      friendlyName: 'my key é',
    })
  })

  test('is not made for a certificate that is not the key’s, a public key, a key that is encrypted already', () => {
    const other = privateForm(F.PKCS_8, pkcs8(ec.privateKey))
    refuses('invalid', () => writeContainer({ ...rsaRequest, key: other }))
    refuses('unsupported', () => writeContainer({ ...rsaRequest, key: privateForm(F.Opaque, Uint8Array.of(1)) }))
    const encrypted = rsa.privateKey.export({ format: 'der', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'a' })
    refuses('unsupported', () => writeContainer({ ...rsaRequest, key: privateForm(F.PKCS_8, plain(encrypted)) }))
  })
})

/** A container of openssl's with a key, its certificate and that of the authority. */
const exported = (...flags: readonly string[]): Uint8Array => {
  const parts = ['-inkey', file('rsa.key'), '-in', file('rsa.pem'), '-certfile', file('ca.pem'), '-name', 'Näme']
  run('pkcs12', '-export', ...parts, '-passout', `pass:${passwordText}`, '-out', file('in.p12'), ...flags)
  return plain(readFileSync(file('in.p12')))
}

const opened = (container: Uint8Array) => openContainer({ container, password, iterationsMax })

/** The elements of DER with indefinite lengths, and strings in pieces, as far as `depth`. */
const asBer = (der: Uint8Array, depth: number): Uint8Array => {
  const out: Uint8Array[] = []
  for (let offset = 0; offset < der.length; ) {
    const tag = der[offset] ?? 0
    const first = der[offset + 1] ?? 0
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f
    const start = offset + 2 + lengthBytes
    const length = lengthBytes === 0 ? first : Buffer.from(der).readUIntBE(offset + 2, lengthBytes)
    const end = start + length
    const content = der.subarray(start, end)
    const isOctets = tag === 0x04 || tag === 0x80
    if (depth > 0 && (tag & 0x20) !== 0) {
      out.push(Uint8Array.of(tag, 0x80), asBer(content, depth - 1), Uint8Array.of(0, 0))
    } else if (depth > 0 && isOctets && length > 1 && length < 200) {
      const halves = [content.subarray(0, 1), content.subarray(1)]
      const pieces = halves.flatMap((half) => [Uint8Array.of(0x04, 0x81, half.length), half])
      out.push(Uint8Array.of(tag | 0x20, 0x80), ...pieces, Uint8Array.of(0, 0))
    } else out.push(der.subarray(offset, end))
    offset = end
  }
  return plain(Buffer.concat(out))
}

describe('a container of openssl', () => {
  const protections: Readonly<Record<string, readonly string[]>> = {
    'as it makes them': [],
    'with AES-128, AES-192 and SHA-512': ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-192-CBC', '-macalg', 'sha512'],
    'as older ones made them': ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'],
    'with two-key Triple DES and SHA-384': ['-keypbe', 'PBE-SHA1-2DES', '-macalg', 'sha384'],
    'with a key and certificates in the clear': ['-keypbe', 'NONE', '-certpbe', 'NONE'],
    'with one iteration': ['-noiter', '-nomaciter'],
  }
  for (const [name, flags] of Object.entries(protections)) {
    test(`${name} is opened`, () => {
      assert.deepEqual(opened(exported(...flags)), {
        privateKeyInfo: pkcs8(rsa.privateKey),
        certificates: rsaChain,
        friendlyName: 'Näme',
      })
    })
  }

  test('in BER of indefinite lengths, with strings in pieces, is opened', () => {
    const der = exported()
    const ber = asBer(der, 8)
    assert.ok(ber.length > der.length + 20)
    assert.deepEqual(opened(ber), opened(der))
  })

  test('gives the key of a name, in whatever case, and no other', () => {
    const container = exported()
    const named = (friendlyName: string) => openContainer({ container, password, iterationsMax, friendlyName })
    assert.deepEqual(named('NÄME'), opened(container))
    refuses('invalid', () => named('another'))
  })

  const fails = (container: Uint8Array, secret: Uint8Array): void => {
    assert.throws(
      () => openContainer({ container, password: secret, iterationsMax }),
      (error) => error instanceof KeyUseError && error.kind === 'failed',
    )
  }

  test('does not open with another password, or changed', () => {
    const container = exported()
    fails(container, new TextEncoder().encode('another'))
    const changed = container.slice()
    changed[container.length >> 1] = (changed[container.length >> 1] ?? 0) ^ 1
    fails(changed, password)
  })

  test('without a code, under RC2, or with too many iterations is refused as not supported', () => {
    const unsupported = (flags: readonly string[]) => refuses('unsupported', () => opened(exported(...flags)))
    unsupported(['-nomac'])
    unsupported(['-iter', '60000'])
    unsupported(['-iter', '20000'])
    const legacy = ['-provider', 'legacy', '-provider', 'default']
    unsupported([...legacy, '-certpbe', 'PBE-SHA1-RC2-40', '-macalg', 'sha1'])
  })
})

test('a password that is not UTF-8 opens what it protects', () => {
  const secret = Uint8Array.of(0xff, 0x80, 0x41)
  const container = writeContainer({ ...rsaRequest, password: secret })
  assert.equal(openContainer({ container, password: secret, iterationsMax }).certificates.length, 2)
})

/** The AuthenticatedSafe of a container. */
const octetsWithin = (bytes: Uint8Array): Uint8Array =>
  plain(octetsOf(readBer(bytes).children[1]?.children[1]?.children[0]))

test('both ways are work for a worker', () => {
  assert.equal(costOf({ kind: 'writeContainer', ...rsaRequest }).inPlace, false)
  assert.equal(costOf({ kind: 'openContainer', container: exported(), password, iterationsMax }).inPlace, false)
})

test('whatever bytes come, the answer is a key or an error of ours', () => {
  const container = exported('-noiter', '-nomaciter')
  const tolerate = (bytes: Uint8Array): void => {
    try {
      opened(bytes)
    } catch (error) {
      assert.ok(error instanceof KeyFormatError || error instanceof KeyUseError, String(error))
    }
  }
  for (let length = 0; length < 120; length += 1) tolerate(container.subarray(0, length))
  // Behind the code nothing is looked at that it does not fit: what is changed here is the outside.
  const places = fc.integer({ min: 0, max: container.length - 1 })
  fc.assert(
    fc.property(
      fc.array(fc.tuple(places, fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
      (edits) => {
        const changed = container.slice()
        for (const [at, byte] of edits) changed[at < 60 ? at : container.length - 1 - (at % 60)] = byte
        tolerate(changed)
      },
    ),
    { numRuns: 300 },
  )
  // Whoever knows the password can make anything of the inside.
  const secret = new ContainerPassword(password, Number.MAX_SAFE_INTEGER)
  const oid = (hex: string) => derElement(0x06, Buffer.from(hex, 'hex'))
  const dataOf = (content: Uint8Array) =>
    derElement(0x30, oid('2a864886f70d010701'), derElement(0xa0, derElement(0x04, content)))
  const sealed = (inside: Uint8Array) =>
    derElement(0x30, Uint8Array.of(0x02, 1, 3), dataOf(inside), macData(inside, secret, 1))
  const inside = octetsWithin(exported('-noiter', '-nomaciter', '-keypbe', 'NONE', '-certpbe', 'NONE'))
  assert.deepEqual(opened(sealed(inside)).certificates, rsaChain)
  const positions = fc.integer({ min: 0, max: inside.length - 1 })
  fc.assert(
    fc.property(fc.array(fc.tuple(positions, fc.nat(255)), { minLength: 1, maxLength: 3 }), fc.nat(4), (edits, cut) => {
      const changed = inside.slice(0, inside.length - (cut === 4 ? (edits[0]?.[0] ?? 0) : 0))
      for (const [at, byte] of edits) if (at < changed.length) changed[at] = byte
      tolerate(sealed(changed))
    }),
    { numRuns: 500 },
  )
  tolerate(new Uint8Array(100_000).fill(0x30))
  tolerate(Uint8Array.from({ length: 10_000 }, (_, at) => (at % 2 === 0 ? 0x30 : 0x80)))
})
