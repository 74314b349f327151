/**
 * The text of `docs/settings.md`. What it is: the rows of `config.ts` as a page. What it is not: a setting.
 */
import { flagOf, secretVariables, variableOf } from './config.ts'
import { type Row, settingGroups } from './setting-rows.ts'

/** The text of `docs/settings.md`. */
export function settingsDocument(): string {
  const lines = [
    '# Settings',
    '',
    'Made from the rows of `src/setting-rows.ts` by `node tools/settings-doc.ts`; a test keeps the two equal.',
    '',
    'A setting is taken from the command line, else from the environment, else it has its default.',
  ]
  for (const [group, members] of Object.entries<Record<string, Row>>(settingGroups)) {
    lines.push(
      '',
      `## ${group}`,
      '',
      '| flag | variable | default | allowed | why |',
      '| --- | --- | --- | --- | --- |',
    )
    for (const [name, row] of Object.entries(members)) {
      const initial = row.kind === 'list' && row.value.length === 0 ? '(none)' : `\`${row.value.toString()}\``
      const flag = `\`--${flagOf(name, row)}\``
      lines.push(`| ${flag} | \`${variableOf(name, row)}\` | ${initial} | ${allowed(row)} | ${row.reason} |`)
    }
  }
  lines.push('', '## Secrets', '', 'Taken from the environment alone, and removed from it when they are read.', '')
  lines.push('| variable | what |', '| --- | --- |')
  for (const { variable, reason } of Object.values(secretVariables)) lines.push(`| \`${variable}\` | ${reason} |`)
  return `${lines.join('\n')}\n`
}

function allowed(row: Row): string {
  if (row.kind === 'integer') return `${row.min} to ${row.max}`
  return row.kind === 'choice' ? row.choices.map((value) => `\`${value}\``).join(', ') : row.expected
}
