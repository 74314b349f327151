/** PyKMIP's client with certificates that `kmip register` made, with user name and password, and with device credentials. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { lineOf } from '#test/admin/running-administration'
import { type RunningServer, startServerProcess } from '#test/running-server'
import { compareSteps, expectPykmip, identifier, reason, runSession } from './pykmip.ts'

const device = { 'Device Serial Number': '12345', Password: 'of-device', 'Media Identifier': 'tape 7' }

describe('PyKMIP says who it is', () => {
  let server: RunningServer
  before(async () => {
    await expectPykmip()
    server = await startServerProcess()
    await writeFile(join(server.directory, 'joe.json'), '{"csr_cn": "joe"}')
    await writeFile(join(server.directory, 'device.json'), '{"serial_no": "12345", "password": "of-device"}')
    await done('users create -n joe -p secret-of-joe')
    await done('users create -n ann -p secret-of-ann')
    await registered('plain', '')
    await registered('library', '-d device.json')
  })
  after(() => server.stop())

  const done = async (words: string): Promise<Readonly<Record<string, unknown>>> => {
    const environment = { KMIPCTL_SOCKET: join(server.directory, 'admin.sock') }
    const { code, error, json } = await lineOf(words.trim().split(' '), server.directory, { environment })
    assert.equal(code, 0, `${words}: ${error}`)
    return (json ?? {}) as Readonly<Record<string, unknown>>
  }
  const registered = async (name: string, more: string): Promise<void> => {
    await done(`kmip createprofile -p ${name} -c joe.json ${more}`)
    const { token } = await done(`kmip createkmipregtoken -p ${name}`)
    await done(
      `kmip register -n ${name} -t ${String(token)} --kmipCertOutFile ${name}.pem --kmipKeyOutFile ${name}.key`,
    )
  }

  test('with a certificate, with a password, with a device', async (context) => {
    const shown = (name: string) => ({
      cert: join(server.directory, `${name}.pem`),
      key: join(server.directory, `${name}.key`),
    })
    const refused = reason('AUTHENTICATION_NOT_SUCCESSFUL')
    const rows = [
      { step: 'certificate', ...shown('plain') },
      { step: 'password of the same user', ...shown('plain'), username: 'joe', password: 'secret-of-joe' },
      { step: 'password of another user', ...shown('plain'), username: 'ann', password: 'secret-of-ann' },
      { step: 'wrong password', ...shown('plain'), username: 'ann', password: 'secret-of-joe' },
      { step: 'device', ...shown('library'), device },
      { step: 'no device', ...shown('library') },
      { step: 'another device', ...shown('library'), device: { ...device, 'Device Serial Number': '1' } },
      { step: 'device without password', ...shown('library'), device: { 'Device Serial Number': '12345' } },
    ]
    const steps = await runSession(server, 'pykmip_credentials.py', '1.4', rows)
    await compareSteps(context, steps, {
      certificate: identifier,
      'password of the same user': identifier,
      'password of another user': identifier,
      'wrong password': refused,
      device: identifier,
      'no device': refused,
      'another device': refused,
      'device without password': refused,
    })
    const ownerOf = async (name: string): Promise<string> => {
      const id = String(steps.find(({ step }) => step === name)?.result)
      return JSON.stringify(await done(`keys show ${id}`))
    }
    assert.match(await ownerOf('certificate'), /local\|joe/)
    assert.match(await ownerOf('password of another user'), /local\|ann/)
    assert.match(await ownerOf('device'), /local\|joe/)
  })
})
