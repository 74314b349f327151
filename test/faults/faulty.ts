/**
 * A server with faults built in, by its environment. What it is: loaded before the server's own modules, in each of its
 * threads (`NODE_OPTIONS`), it puts modules of this folder in the place of the server's. What it is not: a fault by itself, or
 * a change of the server: `src/` knows nothing of it.
 *
 *     FAULT_DEATH=<JSON>               the process dies at a point of the writer's way (dying-environment.ts)
 *     FAULT_AUDITOR=<JSON>             the same of the auditor's (dying-files.ts)
 *     FAULT_JOBS=<marker>              a crypto worker dies of a job that holds the marker (dying-task.ts)
 *     FAULT_ANSWERS=<marker>           a session's responder throws at a request that holds the marker (throwing-session.ts)
 *     FAULT_CLOCK=<path>               the clock is ahead by as many milliseconds as the file says (moved-clock.ts)
 *     FAULT_FRONT=<marker>             the thread of a session dies of a request that holds the marker (dying-front.ts)
 */
import { registerHooks } from 'node:module'
import { moveClock } from './moved-clock.ts'

/** Which module, asked for by which, becomes which. */
const replaced = [
  ['FAULT_DEATH', './environment.ts', '/src/store/lmdb/writer.ts', './dying-environment.ts'],
  ['FAULT_AUDITOR', './files.ts', '/src/audit/auditor.ts', './dying-files.ts'],
  ['FAULT_JOBS', '#crypto/worker-task', '/workers/crypto.ts', './dying-task.ts'],
  ['FAULT_ANSWERS', './session.ts', '/src/server/interface.ts', './throwing-session.ts'],
  ['FAULT_FRONT', './session.ts', '/src/server/interface.ts', './dying-front.ts'],
] as const

registerHooks({
  resolve(specifier, context, next) {
    const row = replaced.find(
      ([variable, asked, parent]) =>
        process.env[variable] !== undefined && asked === specifier && context.parentURL?.endsWith(parent) === true,
    )
    return row === undefined ? next(specifier, context) : next(row[3], { ...context, parentURL: import.meta.url })
  },
})

const clock = process.env['FAULT_CLOCK']
if (clock !== undefined) moveClock(clock)
