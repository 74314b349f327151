/** A line tells what it was given, whatever is in the names that peers choose. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { type AuditRecord, bodyOf } from '#audit/record'

test('the text is JSON with every member, names cut short', () => {
  const name = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ minLength: 120, maxLength: 300 }))
  fc.assert(
    fc.property(name, name, fc.array(name, { maxLength: 20 }), (user, operation, objects) => {
      const record: AuditRecord = {
        event: 'operation',
        atMs: 1_780_000_000_123,
        user,
        operation,
        objects,
        result: 'success',
      }
      const body = bodyOf(record)
      assert.ok(!/[\n\r]/.test(body), 'one line')
      const cut = (text: string): string => text.slice(0, 128)
      assert.deepEqual(JSON.parse(body), {
        time: '2026-05-28T20:26:40.123Z',
        event: 'operation',
        user: cut(user),
        operation: cut(operation),
        result: 'success',
        ...(objects.length === 0 ? {} : { objects: objects.slice(0, 16).map(cut) }),
        ...(objects.length > 16 ? { found: objects.length } : {}),
      })
    }),
  )
})

test('time goes on from line to line', () => {
  const timeOf = (atMs: number): unknown => JSON.parse(bodyOf({ event: 'withdrawn', atMs })).time
  assert.equal(timeOf(0), '1970-01-01T00:00:00.000Z')
  assert.equal(timeOf(1), '1970-01-01T00:00:00.001Z')
  assert.equal(timeOf(1), '1970-01-01T00:00:00.001Z')
  assert.equal(timeOf(0), '1970-01-01T00:00:00.000Z')
})
