/**
 * Values of attributes as text that compares. What it is: one canonical form for equality and for index terms. What it is
 * not: an encoding; nothing reads it back.
 */

/** Two values of an attribute are the same instance of it. */
export const sameValue = (left: unknown, right: unknown): boolean => canonical(left) === canonical(right)

/** A value as text that is equal exactly when the value is. */
export const canonical = (value: unknown): string => {
  if (value instanceof Uint8Array)
    return `#${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(
      ([, content]) => content !== undefined && !(Array.isArray(content) && content.length === 0),
    )
    return `{${fields
      .map(([key, content]) => `${key}:${canonical(content)}`)
      .sort()
      .join(',')}}`
  }
  return JSON.stringify(value) ?? 'undefined'
}
