/** Commands of domains: only administrators of the root domain make, rename and remove them. */
import * as Type from 'typebox'
import { type CommandRow, command, listOf, nothing, pageOf, pageParameters, required } from '#admin/command'
import { pageOfTable, resourceFields, resourceOf } from '#admin/resource'
import { createDomain, type DomainRecord, deleteDomain, domainTable, getDomain, renameDomain } from '#identity/domains'
import { domainField, objectTable } from '#operations/object-table'

const domain = Type.Object({ ...resourceFields, name: Type.String() })

const resource = (record: DomainRecord) => ({
  ...resourceOf(record.id, 'admin', 'domains', record.id, record),
  name: record.name,
})

const which = required(Type.String({ description: 'Identifier or name of the domain' }), { flag: 'id', short: 'i' })
const name = required(Type.String({ description: 'What people call the domain' }), { short: 'n' })

export const domainCommands: readonly CommandRow[] = [
  command({
    verbs: ['domains', 'create'],
    method: 'POST',
    path: '/domains',
    summary: 'Make a domain, whose users and keys see nothing of the others',
    example: 'domains create --name finance',
    parameters: { name },
    result: domain,
    who: 'administrator',
    rootOnly: true,
    handle: async (values, { services }) => resource(await createDomain(values.name, services)),
  }),
  command({
    verbs: ['domains', 'list'],
    method: 'GET',
    path: '/domains',
    summary: 'List the domains beside root',
    example: 'domains list --limit 50',
    parameters: pageParameters,
    result: listOf(domain),
    who: 'administrator',
    rootOnly: true,
    handle: (values, { services: { store } }) =>
      pageOfTable(store, domainTable, [], pageOf(values), ({ value }) => resource(value)),
  }),
  command({
    verbs: ['domains', 'get'],
    method: 'GET',
    path: '/domains/:domain',
    summary: 'Show a domain',
    example: 'domains get --id finance',
    parameters: { domain: which },
    result: domain,
    who: 'administrator',
    rootOnly: true,
    handle: (values, { services: { store } }) => resource(getDomain(values.domain, store).value),
  }),
  command({
    verbs: ['domains', 'modify'],
    method: 'PATCH',
    path: '/domains/:domain',
    summary: 'Give a domain another name',
    example: 'domains modify --id finance --name treasury',
    parameters: { domain: which, name },
    result: domain,
    who: 'administrator',
    rootOnly: true,
    handle: async (values, { services }) => resource(await renameDomain(values.domain, values.name, services)),
  }),
  command({
    verbs: ['domains', 'delete'],
    method: 'DELETE',
    path: '/domains/:domain',
    summary: 'Remove a domain that has no users, clients and keys left',
    example: 'domains delete --id finance',
    parameters: { domain: which },
    result: nothing,
    who: 'administrator',
    rootOnly: true,
    async handle(values, { services }) {
      const holdsObjects = (id: string): boolean =>
        services.store.find(objectTable, { all: [{ field: domainField, equals: id }], any: [], offset: 0, limit: 1 })
          .total > 0
      await deleteDomain(values.domain, holdsObjects, services)
      return null
    },
  }),
]
