/**
 * Compiled code, kept from one start to the next. What it is: where it lies. What it is not: what is compiled, which the
 * runtime decides.
 *
 * TypeScript run as it stands is stripped of its types by each thread anew, with a compiler that stays in its memory: 45 MiB
 * of the server's, and a third of the time of a `kmipctl` command.
 */
import { enableCompileCache } from 'node:module'
import { extname, join } from 'node:path'

/**
 * Beside the code, so that whoever can change the one can change the other and nobody else. A folder that cannot be written
 * only means that nothing is kept.
 */
const folder = join(import.meta.dirname, '../node_modules/.cache/kmipd')

/**
 * Keeps what this process and its threads compile; to be called before anything else is imported. The runtime's own variables
 * go before (NODE_COMPILE_CACHE names another folder, NODE_DISABLE_COMPILE_CACHE keeps nothing). A package has JavaScript,
 * and leaves its folder as it was installed.
 */
export const keepCode = (): void => {
  if (extname(import.meta.filename) !== '.ts') return
  // Threads and child processes read it where they begin.
  process.env['NODE_COMPILE_CACHE'] ??= folder
  enableCompileCache(process.env['NODE_COMPILE_CACHE'])
}
