/**
 * Answers as texts: JSON, YAML, or a table for people. What it is: pure functions; nothing of an answer reaches a terminal
 * as a control sequence. What it is not: a choice of members: JSON has them all.
 */
import Table from 'cli-table3'
import { stringify } from 'yaml'
import type { AnswerForm } from './cli-connection.ts'

/** Members that say nothing to a person. */
const unseen = new Set(['uri', 'account', 'application', 'devAccount'])
const columnsDefault = 120
const cellMin = 12
/** Blanks and line of a cell. */
const cellFrame = 3

/** An answer as it is printed; empty for an answer without content. */
export const shown = (answer: unknown, form: AnswerForm, columnsTold: number | undefined): string => {
  // Some terminals say that they have none.
  const columns = columnsTold === undefined || columnsTold === 0 ? columnsDefault : columnsTold
  if (answer === null || answer === undefined) return ''
  if (typeof answer === 'string') return form === 'table' ? harmless(answer, true) : answer
  if (form === 'json') return harmless(JSON.stringify(answer, undefined, 2), true)
  if (form === 'yaml') return harmless(stringify(answer), true)
  const members = answer as Readonly<Record<string, unknown>>
  const { resources, total, skip } = members
  if (!Array.isArray(resources)) return pairs(members, columns)
  const rows = resources as readonly Readonly<Record<string, unknown>>[]
  const from = Number(skip)
  const note =
    rows.length === total
      ? ''
      : `\n${from + 1} to ${from + rows.length} of ${String(total)}; --skip and --limit show others`
  return rows.length === 0 ? 'There are none.' : `${listed(rows, columns)}${note}`
}

/** A list: a line each, of as many members as the terminal has room for. */
const listed = (rows: readonly Readonly<Record<string, unknown>>[], columns: number): string => {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((name) => !unseen.has(name))
  let room = columns - 1
  const fitting = names.filter((name) => {
    const width = Math.max(name.length, ...rows.map((row) => cell(row[name]).length)) + cellFrame
    if (width > room) return false
    room -= width
    return true
  })
  // A terminal of no width is better given one member than none.
  const head = fitting.length === 0 ? names.slice(0, 1) : fitting
  const table = new Table({ head, style: { head: [], border: [], compact: true } })
  for (const row of rows) table.push(head.map((name) => cell(row[name])))
  const left = names.length - head.length
  return left === 0 ? table.toString() : `${table.toString()}\n${left} more members: --json shows them`
}

/** One resource: a line a member. */
const pairs = (answer: Readonly<Record<string, unknown>>, columns: number): string => {
  const entries = Object.entries(answer).filter(([name]) => !unseen.has(name))
  const left = Math.max(0, ...entries.map(([name]) => name.length)) + 2
  const table = new Table({
    style: { head: [], border: [], compact: true },
    colWidths: [left, Math.max(cellMin, columns - left - 3)],
    wordWrap: true,
    wrapOnWordBoundary: false,
  })
  for (const [name, value] of entries) table.push([name, cell(value, true)])
  return table.toString()
}

const cell = (value: unknown, lines = false): string => {
  if (value === null || value === undefined) return ''
  return harmless(typeof value === 'object' ? JSON.stringify(value) : `${value as string | number | boolean}`, lines)
}

/** Names come from clients, and a terminal obeys what it is shown: control characters and marks of direction are spelled out. */
const harmless = (text: string, lines: boolean): string =>
  text.replaceAll(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, (character) =>
    lines && (character === '\n' || character === '\t')
      ? character
      : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
