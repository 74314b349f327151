/** Compiled code is kept from one start to the next, for commands and for the threads of the server. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const outputBytesMax = 16 * 1024 * 1024

/** What a command prints, and what the runtime says of code that it keeps. */
const help = async (program: string, environment: NodeJS.ProcessEnv = {}) => {
  const { NODE_COMPILE_CACHE: _, ...others } = process.env
  const { stdout, stderr } = await run(process.execPath, [join(root, 'src', program), '--help'], {
    env: { ...others, NODE_DEBUG_NATIVE: 'COMPILE_CACHE', ...environment },
    maxBuffer: outputBytesMax,
  })
  return stdout + stderr
}

for (const [program, own] of [
  ['main.ts', 'kmipd-process.ts'],
  ['kmipctl.ts', 'kmipctl-process.ts'],
] as const) {
  test(`${program} finds what an earlier one compiled, beside the code`, async () => {
    await help(program)
    const said = await help(program)
    const found = said.split('\n').filter((line) => line.includes(`/src/${own}`) && line.includes('success'))
    assert.equal(
      found.some((line) => line.includes(join(root, 'node_modules/.cache/kmipd'))),
      true,
      said.slice(0, 2000),
    )
  })
}

test('where nothing can be kept, a command runs all the same', async () => {
  assert.match(
    await help('kmipctl.ts', { NODE_COMPILE_CACHE: join(root, 'package.json/none'), NODE_DEBUG_NATIVE: '' }),
    /kmipctl/,
  )
})
