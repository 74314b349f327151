/**
 * Writes `docs/settings.md` from the rows of `src/setting-rows.ts`. What it is not: the text itself (`settingsDocument`).
 * Run it from the repository's top: `node tools/settings-doc.ts`.
 */

import { writeFileSync } from 'node:fs'
import { settingsDocument } from '#src/settings-document'

const page = import.meta.resolve('#src/config').replace(/src\/config\.ts$/, 'docs/settings.md')
writeFileSync(new URL(page), settingsDocument())
