/**
 * Messages with gaps. What it is: a copy of a message in which `{id}` and `{name}` stand for what a session knows. What it is
 * not: an encoding.
 */
import type { Input } from '#client/operation-methods'
import type { RequestMessage } from '#kmip/message'

const gap = /\{(id|name)\}/

const fill = (value: unknown, words: Readonly<Record<string, string>>): unknown => {
  if (typeof value === 'string') return value.replace(gap, (_, word: string) => words[word] ?? '')
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map((entry) => fill(entry, words))
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, fill(entry, words)]))
}

/** Whether a text within has a gap. */
export const hasGaps = (value: unknown): boolean => {
  if (typeof value === 'string') return gap.test(value)
  return (
    typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && Object.values(value).some(hasGaps)
  )
}

/** The message with its gaps filled. */
export const filled = (
  template: Input<RequestMessage>,
  words: { readonly id: string; readonly name: string },
): Input<RequestMessage> => fill(template, { ...words }) as Input<RequestMessage>
