/**
 * Commands of keys: what is known of them, who may use them, and their end. None of them gives key material, to anybody:
 * administrators administer, and open nothing.
 */
import * as Type from 'typebox'
import type { AdminContext } from '#admin/command'
import { type CommandRow, command, listOf, nothing, optional, pageOf, pageParameters, required } from '#admin/command'
import { objectsWith, withPermissions } from '#admin/grants'
import { resourceFields, resourceOf, timeText } from '#admin/resource'
import { AdministrationError } from '#identity/administration-error'
import { accessField, groupName } from '#identity/permissions'
import {
  domainOfOwner,
  findUser,
  ownerName,
  type Permission,
  parseUserName,
  permissionNames,
  rootDomain,
} from '#identity/principals'
import { changeOf, changeRecord } from '#identity/records'
import { getGroup } from '#identity/user-groups'
import { getUser } from '#identity/users'
import { State } from '#kmip/enums'
import { KmipError } from '#kmip/errors'
import { enumerationNamed, enumerationValue } from '#kmip/vocabulary'
import { keyMetaOf } from '#objects/key-meta'
import { nextState, settle } from '#objects/lifecycle'
import { planOf } from '#objects/locate-filter'
import { type ManagedObject, valueOf, withValue } from '#objects/managed-object'
import { domainField, objectTable } from '#operations/object-table'
import type { Found, Query, Stored } from '#store/store'

const meta = Type.Object({
  kmip: Type.Record(Type.String(), Type.Unknown()),
  ownerId: Type.String(),
  permissions: Type.Record(Type.String(), Type.Array(Type.String())),
})

const key = Type.Object({
  ...resourceFields,
  name: Type.Union([Type.String(), Type.Null()]),
  objectType: Type.String(),
  algorithm: Type.Union([Type.String(), Type.Null()]),
  size: Type.Union([Type.Integer(), Type.Null()]),
  usageMask: Type.Union([Type.Integer(), Type.Null()]),
  state: Type.Union([Type.String(), Type.Null()]),
  owner: Type.String({ description: 'The user, or `global`' }),
  material: Type.Boolean({ description: 'False: it was destroyed' }),
  activationDate: Type.Optional(Type.String()),
  deactivationDate: Type.Optional(Type.String()),
  destroyDate: Type.Optional(Type.String()),
  meta,
})

const permissions = Type.Object({
  id: Type.String(),
  permissions: Type.Record(Type.String(), Type.Array(Type.String())),
})

const textOf = (enumeration: string, value: number | undefined): string | null =>
  value === undefined ? null : (enumerationValue(enumerationNamed(enumeration), value)?.text ?? String(value))

const dates = { activationDate: 'Activation Date', deactivationDate: 'Deactivation Date', destroyDate: 'Destroy Date' }

/** The owner as key meta names it: connection and identifier of the user; the owner's name when there is no such user. */
const ownerId = (owner: string, { services: { store } }: AdminContext): string => {
  const name = owner.includes('|') ? parseUserName(owner, rootDomain) : undefined
  const user = name === undefined ? undefined : findUser(store, name)?.value
  return user === undefined ? owner : `${user.connection}|${user.id}`
}

const resource = (stored: ManagedObject, context: AdminContext) => {
  const object = settle(stored, context.services.clock.nowSeconds())
  const name = valueOf<{ readonly nameValue: string }>(object, 'Name')?.nameValue
  const created = valueOf<number>(object, 'Initial Date') ?? 0
  const updated = valueOf<number>(object, 'Last Change Date') ?? created
  const known = Object.entries(dates).flatMap(([member, attribute]) => {
    const seconds = valueOf<number>(object, attribute)
    return seconds === undefined ? [] : [[member, timeText(seconds)] as const]
  })
  return {
    ...resourceOf(domainOfOwner(object.owner), 'vault', 'keys', object.uniqueIdentifier, {
      createdSeconds: created,
      updatedSeconds: updated,
    }),
    name: name ?? null,
    objectType: textOf('ObjectType', object.objectType) ?? '',
    algorithm: textOf('CryptographicAlgorithm', valueOf<number>(object, 'Cryptographic Algorithm')),
    size: valueOf<number>(object, 'Cryptographic Length') ?? null,
    usageMask: valueOf<number>(object, 'Cryptographic Usage Mask') ?? null,
    state: textOf('State', valueOf<number>(object, 'State')),
    owner: object.owner,
    material: object.value !== undefined,
    ...Object.fromEntries(known),
    meta: { ...metaOf(object), ownerId: ownerId(object.owner, context) },
  }
}

const metaOf = (object: ManagedObject) => {
  const { kmip, permissions: granted } = keyMetaOf(object)
  return { kmip: { ...kmip }, permissions: copied(granted) }
}

const copied = (granted: Readonly<Record<string, readonly string[]>>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(granted).map(([name, names]) => [name, [...names]]))

/** A key of the domain by identifier, or by name when no other key has it. @throws AdministrationError of kind not found */
const keyOf = (idOrName: string, { domain, services: { store } }: AdminContext): Stored<ManagedObject> => {
  const byId = store.read(objectTable, idOrName)
  if (byId !== undefined && domainOfOwner(byId.value.owner) === domain) return byId
  const all = [{ field: domainField, equals: domain }, ...termsOf('Name', { nameValue: idOrName })]
  const { keys, total } = store.find(objectTable, { all, any: [], offset: 0, limit: 1 })
  const byName = total === 1 && keys[0] !== undefined ? store.read(objectTable, keys[0]) : undefined
  if (byName !== undefined) return byName
  throw new AdministrationError('not found', `There is no key ${JSON.stringify(idOrName)} in the domain`)
}

/** What the index has for an attribute with this value. */
const termsOf = (name: string, value: unknown) => planOf([{ name, values: [value] }]).terms

const which = required(Type.String({ description: 'Unique Identifier or name of the key' }), { positional: true })

/** To whom something is granted. */
const grantee = (
  { user, group }: { readonly user: string | undefined; readonly group: string | undefined },
  { domain, services: { store } }: AdminContext,
): string => {
  if ((user === undefined) === (group === undefined)) {
    throw new AdministrationError('invalid', 'Either a user or a group is needed')
  }
  if (group !== undefined) return groupName(domain, getGroup(domain, group, store).value.name)
  const { connection, name } = getUser(user ?? '', domain, store).value
  return ownerName({ domain, connection, user: name })
}

const namesOf = (given: readonly string[]): readonly Permission[] => {
  const unknown = given.filter((name) => !permissionNames.some((known) => known === name))
  if (unknown.length > 0) {
    throw new AdministrationError(
      'invalid',
      `There is no permission ${unknown.join(', ')}`,
      `They are ${permissionNames.join(', ')}.`,
    )
  }
  return given as readonly Permission[]
}

const change = async (idOrName: string, context: AdminContext, next: (object: ManagedObject) => ManagedObject) => {
  const { store, objectsChanged } = context.services
  const before = keyOf(idOrName, context)
  let previous = before.value
  const { value } = await changeRecord(store, objectTable, before.key, 'key', (object) => {
    previous = object
    return next(object)
  })
  objectsChanged([{ previous, value }])
  return value
}

/** Leaves nothing of a key, under the same rules of its state as of when it goes. */
const remove = async (idOrName: string, context: AdminContext): Promise<void> => {
  const { store, clock, objectsChanged } = context.services
  for (;;) {
    const found = keyOf(idOrName, context)
    if (found.value.value !== undefined) destroyed(found.value, clock.nowSeconds())
    // A conflict means that somebody changed it meanwhile, so each round is somebody's progress.
    if (!(await store.commit([changeOf(objectTable, found, undefined)])).done) continue
    objectsChanged([{ previous: found.value, value: undefined }])
    return
  }
}

const permissionParameters = {
  key: which,
  permission: required(Type.Array(Type.String(), { description: `Of ${permissionNames.join(', ')}`, minItems: 1 }), {
    short: 'p',
  }),
  user: optional(Type.String({ description: 'Identifier or name of a user' }), { short: 'u' }),
  group: optional(Type.String({ description: 'Name of a group' }), { short: 'g' }),
}

export const keyCommands: readonly CommandRow[] = [
  command({
    verbs: ['keys', 'list'],
    method: 'GET',
    path: '/vault/keys',
    summary: 'List the keys of the domain',
    example: 'keys list --owner joe --limit 50',
    parameters: {
      ...pageParameters,
      name: optional(Type.String({ description: 'Only keys of this name' }), { short: 'n' }),
      owner: optional(Type.String({ description: 'Only keys of this user, or of `global`' }), { short: 'o' }),
      state: optional(Type.String({ description: `Only keys in this state: ${Object.keys(State).join(', ')}` }), {
        short: 's',
      }),
    },
    result: listOf(key),
    who: 'administrator',
    async handle(values, context) {
      const { store } = context.services
      const { skip, limit } = pageOf(values)
      const owner = values.owner === undefined ? undefined : ownerNamed(values.owner, context)
      const all = [
        { field: domainField, equals: context.domain },
        ...(values.name === undefined ? [] : termsOf('Name', { nameValue: values.name })),
        ...(owner === undefined ? [] : [{ field: accessField, equals: owner }]),
        ...(values.state === undefined ? [] : termsOf('State', stateNamed(values.state))),
      ]
      const query = { all, any: [], offset: skip, limit }
      const found = await (owner === undefined
        ? store.findInTurns(objectTable, query)
        : ownedBy(owner, query, context.services))
      const objects = found.keys
        .map((id) => store.read(objectTable, id)?.value)
        .filter((object) => object !== undefined)
      return { skip, limit, total: found.total, resources: objects.map((object) => resource(object, context)) }
    },
  }),
  command({
    verbs: ['keys', 'show'],
    method: 'GET',
    path: '/vault/keys/:key',
    summary: 'Show what is known of a key, with its key meta; never the key itself',
    example: 'keys show 0198c2de-7c1a-7cc3-98c4-dc0c0c07398f',
    parameters: { key: which },
    result: key,
    who: 'administrator',
    handle: (values, context) => resource(keyOf(values.key, context).value, context),
  }),
  command({
    verbs: ['keys', 'destroy'],
    method: 'DELETE',
    path: '/vault/keys/:key',
    summary: 'Destroy a key: its material goes, and with --hard all that is known of it',
    example: 'keys destroy 0198c2de-7c1a-7cc3-98c4-dc0c0c07398f',
    parameters: {
      key: which,
      hard: optional(Type.Boolean({ description: 'Whether what is known of it goes, too' })),
    },
    result: nothing,
    who: 'administrator',
    async handle(values, context) {
      const { clock } = context.services
      if (values.hard === true) await remove(values.key, context)
      else await change(values.key, context, (object) => destroyed(object, clock.nowSeconds()))
      return null
    },
  }),
  command({
    verbs: ['keys', 'permissions', 'list'],
    method: 'GET',
    path: '/vault/keys/:key/permissions',
    summary: 'Show to whom a key is opened beside its owner',
    example: 'keys permissions list 0198c2de-7c1a-7cc3-98c4-dc0c0c07398f',
    parameters: { key: which },
    result: permissions,
    who: 'administrator',
    handle(values, context) {
      const { key: id, value } = keyOf(values.key, context)
      return { id, permissions: copied(value.permissions ?? {}) }
    },
  }),
  ...(['grant', 'revoke'] as const).map((verb) =>
    command({
      verbs: ['keys', 'permissions', verb],
      method: 'POST',
      path: `/vault/keys/:key/permissions/${verb}`,
      summary: verb === 'grant' ? 'Open a key to a user or a group' : 'Close a key to a user or a group',
      example: `keys permissions ${verb} 0198c2de-7c1a-7cc3-98c4-dc0c0c07398f --permission read,export --group staff`,
      parameters: permissionParameters,
      result: permissions,
      who: 'administrator',
      async handle(values, context) {
        const who = grantee(values, context)
        const names = namesOf(values.permission)
        const object = await change(values.key, context, (before) =>
          withPermissions(before, names, who, verb === 'grant'),
        )
        return { id: object.uniqueIdentifier, permissions: copied(object.permissions ?? {}) }
      },
    }),
  ),
]

const ownerNamed = (given: string, { domain, services: { store } }: AdminContext): string => {
  if (given === 'global') return domain === rootDomain ? given : `${domain}||${given}`
  const { connection, name } = getUser(given, domain, store).value
  return ownerName({ domain, connection, user: name })
}

/** What a query finds that is an owner's: the index has what others have opened to it, too. */
const ownedBy = async (owner: string, query: Query, { store }: AdminContext['services']): Promise<Found> => {
  const owned: string[] = []
  for await (const { key, value } of objectsWith(store, query.all)) if (value.owner === owner) owned.push(key)
  return { keys: owned.slice(query.offset, query.offset + query.limit), total: owned.length }
}

const stateNamed = (given: string): number => {
  const plain = given.replaceAll(/[ -]/g, '').toLowerCase()
  const found = Object.entries(State).find(([name]) => name.toLowerCase() === plain)
  if (found !== undefined) return found[1]
  throw new AdministrationError(
    'invalid',
    `There is no state ${JSON.stringify(given)}`,
    `They are ${Object.keys(State).join(', ')}.`,
  )
}

/** The object as Destroy leaves it (KMIP 1.4 §4.21), under the same rules of its state. @throws AdministrationError of kind conflict */
const destroyed = (stored: ManagedObject, now: number): ManagedObject => {
  const object = settle(stored, now)
  try {
    const state = nextState(object, 'destroy')
    return { ...withValue(withValue(object, 'State', state), 'Destroy Date', now), value: undefined }
  } catch (error) {
    if (!(error instanceof KmipError)) throw error
    throw new AdministrationError(
      'conflict',
      `The key cannot be destroyed: ${error.message}`,
      'An active key is revoked first.',
    )
  }
}
