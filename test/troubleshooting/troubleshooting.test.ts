/** docs/tls.md says what happens: each of its symptoms is provoked on a real server, and both lines are as the page has them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Bench, symptoms } from './symptoms.ts'

const page = readFileSync(fileURLToPath(new URL('../../docs/tls.md', import.meta.url)), 'utf8')
const shown = new Map(
  [...page.matchAll(/^### (.+)\n\n {4}client {2}(.*)\n {4}server {2}(.*)$/gm)].map(
    ([, heading = '', client, server]) => [heading, { client, server }],
  ),
)

/** What differs from one run, and one machine, to the next. */
const masked = (text: string | undefined): string =>
  (text ?? '')
    .replace(/"time":"[^"]+"/, '"time":"TIME"')
    .replace(/"fingerprint":"[0-9a-f]{64}"/, '"fingerprint":"FINGERPRINT"')
    .replace(/"refused":\d+/, '"refused":COUNT')
    .replace(/altnames: DNS:.*$/, 'altnames: NAMES')

let bench: Bench
before(async () => {
  bench = await Bench.start()
})
after(() => bench.stop())

test('every section of the page is provoked here, and nothing else', () => {
  assert.equal([...page.matchAll(/^### /gm)].length, shown.size, 'a section without its two lines')
  assert.deepEqual([...shown.keys()].toSorted(), Object.keys(symptoms).toSorted())
})

for (const [heading, provoke] of Object.entries(symptoms)) {
  test(heading, async () => {
    const { client, server } = await provoke(bench)
    const expected = shown.get(heading)
    assert.equal(masked(client), masked(expected?.client))
    assert.equal(masked(server === undefined ? 'nothing' : JSON.stringify(server)), masked(expected?.server))
  })
}
