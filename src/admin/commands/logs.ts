/** Commands of the log: its level, which changes at once and until the next start, and its text. */
import * as Type from 'typebox'
import { type CommandRow, command, optional, required } from '#admin/command'
import { logLevels } from '#admin/services'
import { AdministrationError } from '#identity/administration-error'

/** What writes a log: one service, as long as the server is one process. */
const services = ['kmip'] as const

const service = Type.String({ description: `Service: ${services.join(', ')}` })
const state = Type.Object({ level: Type.Enum(Object.keys(logLevels)), service: Type.String() })

const checkService = (name: string): void => {
  if (services.some((known) => known === name)) return
  throw new AdministrationError(
    'not found',
    `There is no service ${JSON.stringify(name)}`,
    `It is ${services.join(', ')}.`,
  )
}

/** Names that a level goes by: `ERR` and `error`. */
const levelOf = (text: string): keyof typeof logLevels => {
  const found = Object.entries(logLevels).find(([short, long]) => short === text || long === text)
  if (found !== undefined) return found[0] as keyof typeof logLevels
  const known = Object.entries(logLevels).map(([short, long]) => `${long} or ${short}`)
  throw new AdministrationError(
    'invalid',
    `There is no level ${JSON.stringify(text)}`,
    `Levels are ${known.join(', ')}.`,
  )
}

export const logCommands: readonly CommandRow[] = [
  command({
    verbs: ['logs', 'getlevel'],
    method: 'GET',
    path: '/logs/level/:service',
    summary: 'Show how much is logged',
    example: 'logs getlevel --service kmip',
    parameters: { service: required(service, { short: 's' }) },
    result: state,
    who: 'administrator',
    rootOnly: true,
    handle(values, context) {
      checkService(values.service)
      return { level: context.services.logs.level(), service: values.service }
    },
  }),
  command({
    verbs: ['logs', 'setlevel'],
    method: 'PUT',
    path: '/logs/level/:service',
    summary: 'Set how much is logged, from now to the next start of the server',
    example: 'logs setlevel --service kmip --level debug',
    parameters: {
      service: required(service, { short: 's' }),
      level: required(Type.String({ description: 'error or ERR, info or INF, debug or DBG' }), { short: 'l' }),
    },
    result: state,
    who: 'administrator',
    rootOnly: true,
    handle(values, context) {
      checkService(values.service)
      const level = levelOf(values.level)
      context.services.logs.setLevel(level)
      return { level, service: values.service }
    },
  }),
  command({
    verbs: ['logs', 'download'],
    method: 'GET',
    path: '/logs',
    summary: 'Download the log: a line of JSON an event, the newest last',
    example: 'logs download --file kmipd.log',
    parameters: {
      contains: optional(
        Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
          description: 'Only lines that hold all these texts: ERR,tls',
          maxItems: 8,
        }),
        { short: 'c' },
      ),
    },
    result: Type.String({ description: 'Lines of JSON' }),
    who: 'administrator',
    rootOnly: true,
    outFiles: { '': { flag: 'file', short: 'f', description: 'File to write instead of showing it' } },
    async handle({ contains = [] }, context) {
      const text = await context.services.logs.read()
      if (contains.length === 0) return text
      const lines = text.split('\n').filter((line) => contains.every((part) => line.includes(part)))
      return lines.map((line) => `${line}\n`).join('')
    },
  }),
]
