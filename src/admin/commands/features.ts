/** Commands of the licence: how it stands, and activating a licence text. */
import * as Type from 'typebox'
import { type CommandRow, command, listOf, nothing, pageOf, pageParameters, required } from '#admin/command'
import { noTime, pageOfList, timeText } from '#admin/resource'
import { type LicenceTerms, licensedFeature } from '#identity/licence'

const feature = Type.Object({
  feature: Type.String(),
  state: Type.Enum(['Active', 'Trial', 'Expired']),
  licence_needed: Type.Boolean(),
  valid_until: Type.String({ description: `${noTime}: without end` }),
  licence_id: Type.Union([Type.String(), Type.Null()]),
  installation: Type.Union([Type.String(), Type.Null()], { description: 'What a licence can be bound to' }),
})

const licence = Type.Object({
  id: Type.String(),
  feature: Type.String(),
  holder: Type.String(),
  valid_from: Type.String(),
  valid_until: Type.String(),
})

const until = (seconds: number | undefined): string => (seconds === undefined ? noTime : timeText(seconds))

const resource = ({ id, feature: name, holder, notBefore, notAfter }: LicenceTerms) => ({
  id,
  feature: name,
  holder,
  valid_from: timeText(notBefore),
  valid_until: until(notAfter),
})

export const featureCommands: readonly CommandRow[] = [
  command({
    verbs: ['features'],
    method: 'GET',
    path: '/licensing/features',
    summary: 'Show the features that need a licence, and how it stands with them',
    example: 'features',
    parameters: pageParameters,
    result: listOf(feature),
    who: 'user',
    handle(values, { services }) {
      const { state, needed, installation, untilSeconds, terms } = services.licence.status
      const one = {
        feature: licensedFeature,
        state,
        licence_needed: needed,
        valid_until: until(untilSeconds),
        licence_id: terms?.id ?? null,
        installation: installation ?? null,
      }
      return pageOfList([one], pageOf(values), (entry) => entry)
    },
  }),
  command({
    verbs: ['licences', 'add'],
    method: 'POST',
    path: '/licensing/licences',
    summary: 'Activate a licence text',
    example: 'licences add --licence @kmipd.licence',
    parameters: {
      licence: required(Type.String({ description: 'The text; @file reads it from a file' }), {
        short: 'l',
        secret: true,
      }),
    },
    result: licence,
    who: 'administrator',
    rootOnly: true,
    handle: async (values, { services }) => resource(await services.licence.activate(values.licence)),
  }),
  command({
    verbs: ['licences', 'list'],
    method: 'GET',
    path: '/licensing/licences',
    summary: 'List the licences that were activated',
    example: 'licences list',
    parameters: pageParameters,
    result: listOf(licence),
    who: 'administrator',
    rootOnly: true,
    handle: (values, { services }) => pageOfList(services.licence.licences(), pageOf(values), resource),
  }),
  command({
    verbs: ['licences', 'delete'],
    method: 'DELETE',
    path: '/licensing/licences/:id',
    summary: 'Remove a licence',
    example: 'licences delete --id 0f8fad5b-d9cb-469f-a165-70867728950e',
    parameters: { id: required(Type.String({ description: 'Identifier of the licence' }), { short: 'i' }) },
    result: nothing,
    who: 'administrator',
    rootOnly: true,
    async handle(values, { services }) {
      await services.licence.remove(values.id)
      return null
    },
  }),
]
