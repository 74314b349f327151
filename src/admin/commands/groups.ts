/** Commands of groups of users. */
import * as Type from 'typebox'
import { type CommandRow, command, listOf, nothing, optional, pageOf, pageParameters, required } from '#admin/command'
import { closeAllTo } from '#admin/grants'
import { pageOfTable, stampFields, stampsOf } from '#admin/resource'
import { groupName } from '#identity/permissions'
import { createGroup, deleteGroup, type GroupRecord, getGroup, groupTable, setMembership } from '#identity/user-groups'
import { getUser } from '#identity/users'

const group = Type.Object({ name: Type.String(), description: Type.Optional(Type.String()), ...stampFields })

const resource = (record: GroupRecord) => ({
  name: record.name,
  ...(record.description === undefined ? {} : { description: record.description }),
  ...stampsOf(record),
})

const name = required(Type.String({ description: 'Name of the group' }), { short: 'n' })
const user = required(Type.String({ description: 'Identifier or name of the user' }), { short: 'u' })

export const groupCommands: readonly CommandRow[] = [
  command({
    verbs: ['groups', 'create'],
    method: 'POST',
    path: '/usermgmt/groups',
    summary: 'Make a group, to which permissions on keys can be granted',
    example: 'groups create --name staff',
    parameters: { name, description: optional(Type.String({ description: 'What it is for' }), { short: 'd' }) },
    result: group,
    who: 'administrator',
    handle: async (values, { domain, services }) =>
      resource(await createGroup(domain, values.name, values.description, services)),
  }),
  command({
    verbs: ['groups', 'list'],
    method: 'GET',
    path: '/usermgmt/groups',
    summary: 'List the groups of the domain',
    example: 'groups list',
    parameters: pageParameters,
    result: listOf(group),
    who: 'administrator',
    handle: (values, { domain, services: { store } }) =>
      pageOfTable(store, groupTable, [{ field: 'domain', equals: domain }], pageOf(values), ({ value }) =>
        resource(value),
      ),
  }),
  command({
    verbs: ['groups', 'get'],
    method: 'GET',
    path: '/usermgmt/groups/:name',
    summary: 'Show a group',
    example: 'groups get --name staff',
    parameters: { name },
    result: group,
    who: 'administrator',
    handle: (values, { domain, services: { store } }) => resource(getGroup(domain, values.name, store).value),
  }),
  command({
    verbs: ['groups', 'delete'],
    method: 'DELETE',
    path: '/usermgmt/groups/:name',
    summary: 'Remove a group; its users stay, and keys that were opened to it are closed',
    example: 'groups delete --name staff',
    parameters: { name },
    result: nothing,
    who: 'administrator',
    patient: true,
    async handle(values, { domain, services }) {
      const { value } = getGroup(domain, values.name, services.store)
      // First, so that what is cut short is done again by the same command.
      await closeAllTo(domain, groupName(domain, value.name), services)
      await deleteGroup(domain, value.name, services)
      return null
    },
  }),
  command({
    verbs: ['groups', 'adduser'],
    method: 'POST',
    path: '/usermgmt/groups/:name/users/:user',
    summary: 'Take a user into a group',
    example: 'groups adduser --name staff --user joe',
    parameters: { name, user },
    result: group,
    who: 'administrator',
    async handle(values, { domain, services }) {
      const { value } = getGroup(domain, values.name, services.store)
      await setMembership(getUser(values.user, domain, services.store).key, value.name, true, services)
      return resource(value)
    },
  }),
  command({
    verbs: ['groups', 'removeuser'],
    method: 'DELETE',
    path: '/usermgmt/groups/:name/users/:user',
    summary: 'Take a user out of a group',
    example: 'groups removeuser --name staff --user joe',
    parameters: { name, user },
    result: nothing,
    who: 'administrator',
    async handle(values, { domain, services }) {
      await setMembership(getUser(values.user, domain, services.store).key, values.name, false, services)
      return null
    },
  }),
]
