/** Commands of the audit trail: the check of every line that is kept. */
import * as Type from 'typebox'
import { type CommandRow, command } from '#admin/command'

const verified = Type.Object({
  intact: Type.Boolean({ description: 'Whether every line is as it was written, and none is missing' }),
  files: Type.Integer(),
  lines: Type.Integer(),
  first: Type.Integer({ description: 'Number of the first line that is kept' }),
  last: Type.Integer({ description: 'Number of the last line' }),
  mended: Type.Integer({ description: 'Ends that a crash has cut off: nobody was answered before they were whole' }),
  breaks: Type.Array(Type.Object({ file: Type.String(), what: Type.String() }), {
    description: 'What is not as it was written, the first of it',
  }),
})

export const auditCommands: readonly CommandRow[] = [
  command({
    verbs: ['audit', 'verify'],
    method: 'POST',
    path: '/audit/verify',
    summary: 'Check every line of the audit trail: its hash, its place, and that none is missing',
    example: 'audit verify',
    parameters: {},
    result: verified,
    who: 'administrator',
    rootOnly: true,
    async handle(_values, context) {
      const { breaks, ...found } = await context.services.audit.verify()
      return { ...found, breaks: [...breaks] }
    },
  }),
]
