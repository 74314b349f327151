/**
 * Writes `docs/administration.md` and `docs/openapi.json` from the table of commands. What it is: the page and the document
 * as texts, and their writing. What it is not: the rows (`src/admin/api.ts`).
 * Run it from the repository's top: `node tools/administration-doc.ts`; with `--print openapi` or `--print page` it writes nothing.
 */
import { writeFileSync } from 'node:fs'
import { openApiDocument, referencePage } from '#admin/documents'

const root = import.meta.resolve('#src/config').replace(/src\/config\.ts$/, '')
const texts: Readonly<Record<string, string>> = {
  'docs/administration.md': referencePage(),
  'docs/openapi.json': `${JSON.stringify(await openApiDocument(), undefined, 2)}\n`,
}
if (process.argv.includes('--print')) process.stdout.write(texts[process.argv.at(-1) ?? ''] ?? '')
else for (const [path, text] of Object.entries(texts)) writeFileSync(new URL(path, root), text)
