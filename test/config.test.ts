/** Settings: their sources, their bounds, and that the documentation is the rows. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { readSecrets, readSettings, SettingError, unknownVariables } from '#src/config'
import { settingsDocument } from '#src/settings-document'

test('secrets come from the environment and are no settings', () => {
  const environment = { KMIPD_ROOT_KEY: '', KMIPD_PASSPHRASE: 'a long passphrase' }
  assert.deepEqual(readSecrets(environment), { rootKey: undefined, passphrase: 'a long passphrase' })
  assert.deepEqual(unknownVariables(environment), [])
  assert.ok(!JSON.stringify(readSettings(environment, [])).includes('a long passphrase'))
  assert.throws(() => readSettings({}, ['--root-key', '00']), SettingError)
})

describe('readSettings', () => {
  test('defaults', () => {
    const settings = readSettings({}, [])
    assert.equal(settings.port, 5696)
    assert.equal(settings.dataDirectory, './data')
    assert.equal(settings.minTlsVersion, 'TLSv1.2')
    assert.equal(settings.interfaceMode, 'tls-cert-pw-opt')
    assert.equal(settings.requestSizeMax, 1_048_576)
    assert.deepEqual(settings.certificateNames, [])
  })

  test('the command line is over the environment, the environment over the default', () => {
    const environment = { KMIPD_DATA: '/srv/a', KMIPD_PORT: '1', KMIPD_LOG_LEVEL: 'debug', KMIPD_HOST: '' }
    const settings = readSettings(environment, [
      '--data',
      '/srv/b',
      '--port=2',
      '--certificate-names',
      'a.example, ::1',
    ])
    assert.equal(settings.dataDirectory, '/srv/b')
    assert.equal(settings.port, 2)
    assert.equal(settings.logLevel, 'debug')
    assert.equal(settings.host, 'all')
    assert.deepEqual(settings.certificateNames, ['a.example', '::1'])
  })

  const refused: readonly (readonly [string, Record<string, string>, string[], RegExp])[] = [
    ['not a number', { KMIPD_PORT: '5e3' }, [], /KMIPD_PORT: "5e3" is not a whole number from 0 to 65535/],
    ['above the maximum', {}, ['--port', '65536'], /--port/],
    ['below the minimum', {}, ['--request-size-max', '1'], /from 1024 to/],
    ['negative', {}, ['--port=-1'], /--port/],
    ['no such choice', { KMIPD_MIN_TLS_VERSION: 'SSLv3' }, [], /one of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3/],
    ['no such flag', {}, ['--prot', '1'], /--prot/],
    ['a stray word', {}, ['serve'], /serve/],
    ['a flag without value', {}, ['--port'], /port/],
    ['a list with a hole', {}, ['--certificate-names', 'a,,b'], /certificate-names/],
    ['old TLS in the modern profile', {}, ['--min-tls-version', 'TLSv1'], /needs tlsProfile compatible/],
    ['memory below one request', {}, ['--unanswered-bytes-max', '65536'], /at least requestSizeMax/],
    ['a Service link', { KMIPD_PORT: 'tcp://10.0.0.1:5696' }, [], /enableServiceLinks/],
  ]
  for (const [name, environment, flags, message] of refused) {
    test(`refused: ${name}`, () => {
      assert.throws(
        () => readSettings(environment, flags),
        (error) => error instanceof SettingError && message.test(error.message),
      )
    })
  }

  test('a variable that names no setting is told', () => {
    assert.deepEqual(unknownVariables({ KMIPD_PORT: '1', KMIPD_PROT: '1', PATH: '' }), ['KMIPD_PROT'])
  })
})

test('docs/settings.md is made from the rows', () => {
  const file = import.meta.resolve('#src/config').replace(/src\/config\.ts$/, 'docs/settings.md')
  assert.equal(readFileSync(new URL(file), 'utf8'), settingsDocument(), 'run: node tools/settings-doc.ts')
})
