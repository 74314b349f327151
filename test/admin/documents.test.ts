/** What is written about the commands is what the rows say, and the rows hold together. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { commandGroups, commands } from '#admin/api'
import { flagOf } from '#admin/command'
import { openApiDocument, referencePage } from '#admin/documents'

const docs = join(dirname(dirname(import.meta.dirname)), 'docs')

describe('documents', () => {
  test('docs/administration.md is made from the rows', () => {
    assert.ok(readFileSync(join(docs, 'administration.md'), 'utf8') === referencePage(), 'run: npm run openapi')
  })

  test('docs/openapi.json is made from the rows', async () => {
    const made = `${JSON.stringify(await openApiDocument(), undefined, 2)}\n`
    assert.ok(readFileSync(join(docs, 'openapi.json'), 'utf8') === made, 'run: npm run openapi')
  })

  test('the document has every row, with its answer and its refusals', async () => {
    const { paths } = (await openApiDocument()) as {
      readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>>
    }
    for (const { method, path } of commands) {
      const operation = paths[`/api/v1${path.replaceAll(/:(\w+)/g, '{$1}')}`]?.[method.toLowerCase()]
      assert.ok(operation !== undefined, `${method} ${path}`)
      assert.ok('default' in operation.responses)
    }
  })
})

describe('rows', () => {
  const flagsOf = (row: (typeof commands)[number]): readonly string[] =>
    Object.entries(row.parameters).flatMap(([name, form]) =>
      form.positional === true ? [] : [flagOf(name, form), ...(form.short === undefined ? [] : [form.short])],
    )

  test('a line and a route are of one row', () => {
    const lines = commands.map(({ verbs }) => verbs.join(' '))
    assert.equal(new Set(lines).size, lines.length)
    const routes = commands.map(({ method, path }) => `${method} ${path.replaceAll(/:\w+/g, ':')}`)
    assert.equal(new Set(routes).size, routes.length)
  })

  test('flags are told apart, and not taken from those that every line has', () => {
    for (const row of commands) {
      const flags = [
        ...flagsOf(row),
        ...Object.values(row.outFiles ?? {}).flatMap(({ flag, short }) =>
          short === undefined ? [flag] : [flag, short],
        ),
      ]
      assert.equal(new Set(flags).size, flags.length, row.verbs.join(' '))
      for (const taken of ['configfile', 'url', 'socket', 'json', 'help', 'h', 'version']) {
        assert.ok(!flags.includes(taken), `${row.verbs.join(' ')}: ${taken}`)
      }
    }
  })

  test('an example is a line of its row, with flags that it has', () => {
    for (const row of commands) {
      const words = row.example.split(' ')
      assert.deepEqual(words.slice(0, row.verbs.length), row.verbs, row.example)
      const flags = words.filter((word) => /^--?[A-Za-z]/.test(word)).map((word) => word.replace(/^--?/, ''))
      const known = [...flagsOf(row), ...Object.values(row.outFiles ?? {}).map(({ flag }) => flag)]
      assert.deepEqual(
        flags.filter((flag) => !known.includes(flag)),
        [],
        row.example,
      )
    }
  })

  test('a group says what it is about', () => {
    const groups = new Set(
      commands.flatMap(({ verbs }) => verbs.slice(0, -1).map((_, index) => verbs.slice(0, index + 1).join(' '))),
    )
    assert.deepEqual(
      [...groups].filter((group) => commandGroups[group] === undefined),
      [],
    )
  })

  test('every parameter and every answer is described', () => {
    for (const row of commands) {
      for (const [name, { schema }] of Object.entries(row.parameters)) {
        assert.ok('description' in schema, `${row.verbs.join(' ')}: ${name}`)
      }
    }
  })
})
