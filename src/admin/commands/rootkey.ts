/** Commands of the root key: how it stands, its change while the server runs, and the end of a change. */
import * as Type from 'typebox'
import { type CommandRow, command, optional } from '#admin/command'
import type { RootKeyState } from '#admin/services'

const state = Type.Object({
  source: Type.Enum(['file', 'key', 'passphrase']),
  from: Type.String({ description: 'The file or the variable' }),
  root_key: Type.String({
    description: 'Name of the root key in force; backups name theirs. It says nothing of the key.',
  }),
  next_root_key: Type.Union([Type.String(), Type.Null()], {
    description: 'While a change is under way: both open the store',
  }),
})

const resource = ({ source, from, rootKey, next }: RootKeyState) => ({
  source,
  from,
  root_key: rootKey,
  next_root_key: next ?? null,
})

/** Parameters that say a root key or a passphrase. */
export const rootKeyParameters = (which: string) => ({
  root_key: optional(Type.String({ maxLength: 256, description: `${which} root key; @file reads it from a file` }), {
    secret: true,
  }),
  passphrase: optional(
    Type.String({ maxLength: 1024, description: `${which} passphrase; @file reads it from a file` }),
    {
      secret: true,
    },
  ),
})

export const rootKeyCommands: readonly CommandRow[] = [
  command({
    verbs: ['rootkey', 'show'],
    method: 'GET',
    path: '/rootkey',
    summary: 'Show where the root key comes from, and whether it is being changed',
    example: 'rootkey show',
    parameters: {},
    result: state,
    who: 'administrator',
    rootOnly: true,
    handle: (_values, { services }) => resource(services.upkeep.rootKey()),
  }),
  command({
    verbs: ['rootkey', 'rotate'],
    method: 'POST',
    path: '/rootkey/rotate',
    summary:
      'Change the root key while the server runs: a new key file at once, or a next key or passphrase beside the old one',
    example: 'rootkey rotate',
    parameters: rootKeyParameters('The next'),
    result: state,
    who: 'administrator',
    rootOnly: true,
    async handle({ root_key: key, passphrase }, { services }) {
      return resource(await services.upkeep.rotateRootKey({ key, passphrase }))
    },
  }),
  command({
    verbs: ['rootkey', 'finish'],
    method: 'POST',
    path: '/rootkey/finish',
    summary:
      'Make the next root key the only one: from then on the old one opens nothing, and a start needs the next one',
    example: 'rootkey finish',
    parameters: {},
    result: state,
    who: 'administrator',
    rootOnly: true,
    handle: async (_values, { services }) => resource(await services.upkeep.finishRootKey()),
  }),
]
