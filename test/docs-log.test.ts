/** docs/log.md has every line of level WRN and above, and every reason not to start, that the source has, and no other. */
import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { textsIn } from '#test/log-texts'
import { readRepository, repositoryOf } from '#test/tidy/source'

const repository = readRepository(dirname(import.meta.dirname))
const page = repository.get('docs/log.md')?.text ?? ''
const made = textsIn(repository)
const rows = [...page.matchAll(/^\| (?:(WRN|ERR|FTL) \| )?`([^`]+)` \| [^|]+ \|$/gm)].map(([, level, text]) => [
  level ?? 'start',
  text ?? '',
])

test('every line of level WRN and above is on the page, and every reason not to start', () => {
  const wanted = made.map(({ kind, text }) => `${kind} ${text}`)
  assert.ok(wanted.length > 40)
  assert.deepEqual(rows.map((row) => row.join(' ')).toSorted(), wanted.toSorted())
})

test('the search finds what it is to find', () => {
  const code = [
    'logger.warn({ a: f(1) }, `A ${x.map((y) => ({ y }))} went: ${z}`)',
    "logger.error({ a }, 'It fell')",
    'throw new StoreRefused(`the store ${x} is gone`, { cause })',
    "logger.info({}, 'Nothing of note')",
  ].join('\n')
  assert.deepEqual(
    textsIn(repositoryOf({ 'src/store/a.ts': code })).map(({ kind, text }) => `${kind} ${text}`),
    ['ERR It fell', 'WRN A … went: …', 'start the store … is gone'],
  )
})
