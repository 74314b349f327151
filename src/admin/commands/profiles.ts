/** Commands of client profiles: the properties by which `kmip register` makes a client. */
import { Type } from 'typebox'
import { type CommandRow, command, listOf, nothing, optional, pageOf, pageParameters, required } from '#admin/command'
import { pageOfTable, resourceFields, resourceOf } from '#admin/resource'
import { shownDeviceCredential } from '#identity/device-credential'
import { createProfile, deleteProfile, getProfile, type ProfileRecord, profileTable } from '#identity/profiles'

const profile = Type.Object({
  ...resourceFields,
  name: Type.String(),
  properties: Type.Record(Type.String(), Type.String(), { description: 'As they were given' }),
  device_credential: Type.Optional(
    Type.Record(Type.String(), Type.String(), { description: 'What devices must say, without the password' }),
  ),
})

const resource = (record: ProfileRecord) => ({
  ...resourceOf(record.domain, 'kmip', 'kmip_profile', record.id, record, record.name),
  name: record.name,
  properties: { ...record.properties },
  ...(record.deviceCredential === undefined
    ? {}
    : { device_credential: { ...shownDeviceCredential(record.deviceCredential) } }),
})

const which = required(Type.String({ description: 'Name or identifier of the profile' }), {
  flag: 'profile-name',
  short: 'p',
})

export const profileCommands: readonly CommandRow[] = [
  command({
    verbs: ['kmip', 'createprofile'],
    method: 'POST',
    path: '/kmip/profiles',
    summary: 'Make a profile of clients; the user whom it names must exist',
    example: 'kmip createprofile -p kmipprofile1 -c profile.json -d device_cred.json',
    parameters: {
      profile_name: required(Type.String({ description: 'Name of the profile' }), { short: 'p' }),
      properties: required(
        Type.Record(Type.String(), Type.String(), {
          description:
            'cert_user_field, and either csr or csr_cn, csr_org_name, csr_uid, csr_org_unit, csr_email, csr_city, csr_state, csr_country',
        }),
        { flag: 'config-file', short: 'c', file: 'json' },
      ),
      device_credential: optional(
        Type.Record(Type.String(), Type.String(), {
          description:
            'What devices must say: one or more of serial_no, password, device_id, network_id, machine_id, media_id',
        }),
        { flag: 'device-cred-file', short: 'd', file: 'json' },
      ),
    },
    result: profile,
    who: 'administrator',
    async handle({ profile_name: name, properties, device_credential: deviceCredential }, { domain, services }) {
      return resource(await createProfile(services, { domain, name, properties, deviceCredential }, services.knowsUser))
    },
  }),
  command({
    verbs: ['kmip', 'listprofiles'],
    method: 'GET',
    path: '/kmip/profiles',
    summary: 'List the profiles of clients',
    example: 'kmip listprofiles',
    parameters: pageParameters,
    result: listOf(profile),
    who: 'administrator',
    handle: (values, { domain, services: { store } }) =>
      pageOfTable(store, profileTable, [{ field: 'domain', equals: domain }], pageOf(values), ({ value }) =>
        resource(value),
      ),
  }),
  command({
    verbs: ['kmip', 'getprofile'],
    method: 'GET',
    path: '/kmip/profiles/:profile_name',
    summary: 'Show a profile of clients',
    example: 'kmip getprofile -p kmipprofile1',
    parameters: { profile_name: which },
    result: profile,
    who: 'administrator',
    handle: (values, { domain, services: { store } }) => resource(getProfile(store, domain, values.profile_name).value),
  }),
  command({
    verbs: ['kmip', 'deleteprofile'],
    method: 'DELETE',
    path: '/kmip/profiles/:profile_name',
    summary: 'Remove a profile; its clients stay, its tokens register nobody any more',
    example: 'kmip deleteprofile -p kmipprofile1',
    parameters: { profile_name: which },
    result: nothing,
    who: 'administrator',
    async handle(values, { domain, services: { store } }) {
      await deleteProfile(store, domain, values.profile_name)
      return null
    },
  }),
]
