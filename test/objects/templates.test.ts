/** Templates: what objects take from them (KMIP 1.4 §2.2.6). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ObjectType } from '#kmip/enums'
import type { ManagedObject } from '#objects/managed-object'
import { templateAttributesOf } from '#objects/templates'

const instances = (...values: readonly unknown[]) => values.map((value, index) => ({ index, value }))

const template: ManagedObject = {
  uniqueIdentifier: 'a',
  objectType: ObjectType.Template,
  owner: 'local|a',
  attributes: {
    Name: instances({ nameValue: 'a', nameType: 1 }),
    Comment: instances('now'),
    'Object Group': [...instances('a'), { index: 2, value: 'c' }],
    'Initial Date': instances(5),
  },
  value: {
    attribute: [
      { attributeName: 'Comment', attributeValue: 'then' },
      { attributeName: 'Object Group', attributeValue: 'a' },
      { attributeName: 'Object Group', attributeValue: 'b' },
      { attributeName: 'Description', attributeValue: 'deleted since' },
    ],
  },
}

test('the attributes of its structure, as they are now, with their indices; not its own', () => {
  assert.deepEqual(templateAttributesOf(template), [
    { attributeName: 'Comment', attributeIndex: undefined, attributeValue: 'now' },
    { attributeName: 'Object Group', attributeIndex: undefined, attributeValue: 'a' },
    { attributeName: 'Object Group', attributeIndex: 2, attributeValue: 'c' },
  ])
})

test('a Template without a structure gives nothing', () => {
  assert.deepEqual(templateAttributesOf({ ...template, value: undefined }), [])
})
