/**
 * Writes `docs/wrapping.md` from the rows that the server decides by (`src/objects/wrapping-table.ts`) and the Wrapping Methods
 * (`src/objects/key-wrapping.ts`). What it is not: the rows of either. Run it from the repository's top:
 *
 *     node tools/wrapping-doc.ts            writes docs/wrapping.md
 *     node tools/wrapping-doc.ts --print    writes the text to standard output (test/docs.test.ts compares it)
 */

import { writeFileSync } from 'node:fs'
import { enumerationNamed } from '#kmip/vocabulary'
import { type MethodSteps, wrappingMethods } from '#objects/key-wrapping'
import { type WrappingRow, type WrappingWork, wrappingRows } from '#objects/wrapping-table'

/** The name that the specification has for a value. */
const text = (enumeration: string, value: number): string =>
  enumerationNamed(enumeration).values.find((row) => row.value === value)?.text ?? String(value)

const texts = (enumeration: string, values: readonly number[] | undefined): string =>
  values?.map((value) => text(enumeration, value)).join(', ') ?? ''

const tableRow = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

const table = (head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => [
  tableRow(head),
  tableRow(head.map(() => '---')),
  ...rows.map(tableRow),
]

const stepsText = ({ macFirst, encrypts, macLast }: MethodSteps): string =>
  [
    macFirst ? 'MAC or signature of the plain bytes' : '',
    encrypts ? 'encryption' : '',
    macLast ? 'MAC or signature of the encrypted bytes' : '',
  ]
    .filter((step) => step !== '')
    .join(', then ')

const works: Readonly<Record<WrappingWork, string>> = { encrypt: 'encrypts', mac: 'MACs', sign: 'signs' }

/** Methods of a setting in which a key does this work. */
const methodsWith = (work: WrappingWork, setting: string): string =>
  [...wrappingMethods]
    .filter(([, steps]) => setting === 'all' || steps.setting === 'common')
    .filter(([, steps]) => (work === 'encrypt' ? steps.encrypts : steps.macFirst || steps.macLast))
    .map(([method]) => text('WrappingMethod', method))
    .join(', ')

const each = (values: readonly number[] | undefined): readonly (readonly number[] | undefined)[] =>
  values?.map((value) => [value]) ?? [undefined]

/** The cells of a row, each as a row of its own. */
const cellsOf = (row: WrappingRow): readonly WrappingRow[] =>
  each(row.objectTypes).flatMap((objectTypes) =>
    each(row.lengthsBits).flatMap((lengthsBits) =>
      each(row.blockCipherModes).flatMap((blockCipherModes) =>
        each(row.paddingMethods).flatMap((paddingMethods) =>
          each(row.hashingAlgorithms).flatMap((hashingAlgorithms) =>
            each(row.digitalSignatureAlgorithms).map(
              (digitalSignatureAlgorithms) =>
                ({
                  ...row,
                  objectTypes,
                  lengthsBits,
                  blockCipherModes,
                  paddingMethods,
                  hashingAlgorithms,
                  digitalSignatureAlgorithms,
                }) as WrappingRow,
            ),
          ),
        ),
      ),
    ),
  )

const columns = ['the key', 'object', 'wrapping key', 'bits', 'mode', 'padding', 'hash', 'Digital Signature Algorithm']

const cellTexts = (row: WrappingRow): readonly string[] => [
  works[row.work],
  texts('ObjectType', row.objectTypes),
  text('CryptographicAlgorithm', row.cryptographicAlgorithm),
  row.lengthsBits?.join(', ') ?? 'any',
  texts('BlockCipherMode', row.blockCipherModes),
  texts('PaddingMethod', row.paddingMethods),
  texts('HashingAlgorithm', row.hashingAlgorithms),
  texts('DigitalSignatureAlgorithm', row.digitalSignatureAlgorithms),
]

const both = 'No Encoding, TTLV Encoding'
const ways = ['Get, Export wrap', 'Register, Import unwrap']

const wrappingDocument = (): string => {
  const common = wrappingRows.filter(({ setting }) => setting === 'common').flatMap(cellsOf)
  const further = wrappingRows.filter(({ setting }) => setting === 'all')
  return `${[
    '# Wrapping',
    '',
    'Made from `src/objects/wrapping-table.ts`, by which the server decides, and `src/objects/key-wrapping.ts`, by',
    '`node tools/wrapping-doc.ts`; a test keeps them equal. `test/operations/wrapping-table.test.ts` tries every cell: what Get',
    'wraps is opened by another party, what another party wraps is opened by Register; and what is in no cell is refused both',
    'ways. KMIP 1.4 §2.1.5, §2.1.6.',
    '',
    'The setting `wrappingAllowed` says which cells there are: `common`, or `all`, which has the others too. What no cell has is',
    'refused with Permission Denied, a Wrapping Method that is not there with Feature Not Supported. A cell whose mode does not',
    'take the length of the bytes (NIST Key Wrap wants multiples of 8, RSA has its size) gives Cryptographic Failure; so does,',
    'always with the same text, whatever does not open.',
    '',
    'A wrapping key is active, of the caller or given to it, and has the bit of its Cryptographic Usage Mask: Wrap Key, Unwrap',
    'Key (with the setting `unwrapMask`, also Wrap Key), MAC Generate, MAC Verify, Sign, Verify. To wrap, the parameters must be',
    "among the key's own Cryptographic Parameters; to unwrap, Key Wrapping Data tells them.",
    '',
    '## Methods',
    '',
    ...table(
      ['Wrapping Method', 'what is done', 'setting'],
      [...wrappingMethods].map(([method, steps]) => [
        text('WrappingMethod', method),
        stepsText(steps),
        `\`${steps.setting}\``,
      ]),
    ),
    '',
    'The order of the bytes: the authentication tag of GCM, CCM and ChaCha20-Poly1305 stands behind the encrypted bytes; the',
    'IV/Counter/Nonce is in Key Wrapping Data and is made here. A MAC or signature after encryption is of the encrypted bytes.',
    '',
    '## What is meant where nothing is named',
    '',
    'AES: NIST Key Wrap. RSA that encrypts: PKCS1 v1.5; OAEP: SHA-1. RSA that signs: PKCS1 v1.5 and SHA-256. The mask of OAEP',
    'and PSS: SHA-1 (KMIP 1.4 §3.6); where its hash is named, it is one of the hashes of the same cell. An HMAC key: its own',
    'hash. A block cipher key that MACs: CMAC. ECB and CBC: no padding. Encoding Option: TTLV Encoding.',
    '',
    `## The setting \`common\`: ${common.length} cells`,
    '',
    'Each with both Encoding Options, and both ways.',
    '',
    ...table(
      [...columns, 'Wrapping Method', 'Encoding Option', ...ways],
      common.map((row) => [...cellTexts(row), methodsWith(row.work, 'common'), both, 'yes', 'yes']),
    ),
    '',
    '## The setting `all`: what it has besides',
    '',
    'A row stands for every combination of what it lists; all methods, both Encoding Options, both ways. ECB, CBC, CFB, OFB, CTR',
    'and XTS do not notice a change of what they encrypted: use them with a MAC or a signature.',
    '',
    ...table(columns, further.map(cellTexts)),
  ].join('\n')}\n`
}

if (process.argv.includes('--print')) process.stdout.write(wrappingDocument())
else {
  const page = import.meta.resolve('#src/config').replace(/src\/config\.ts$/, 'docs/wrapping.md')
  writeFileSync(new URL(page), wrappingDocument())
}
