/**
 * Changes of a key that is there, a row each: which operation, when it may be asked for, and what it makes of what is known of the
 * key. What it is: the rules as KMIP 1.4 §3.22 and §4 have them. What it is not: the server's; the harness knows none of them.
 */
import { attribute, customAttribute } from '#client/attribute'
import type { Client } from '#client/client'
import { RevocationReasonCode, State, UsageLimitsUnit } from '#kmip/enums'
import { type Facts, markName } from './ledger.ts'

export interface Change {
  /** As the audit trail names it. */
  readonly operation: string
  readonly may: (facts: Facts) => boolean
  /** @param value that no other change of the key has */
  readonly next: (facts: Facts, value: string) => Facts
  readonly send: (client: Client, uniqueIdentifier: string, value: string) => Promise<unknown>
}

/** Of the keys that have Usage Limits: all that may be allocated, and how much is asked for at a time. */
export const usageTotal = 100n
const usageStep = 7n

const revoked = (code: RevocationReasonCode, next: State): Pick<Change, 'operation' | 'next' | 'send'> => ({
  operation: 'Revoke',
  next: (facts) => ({ ...facts, state: next }),
  send: (client, uniqueIdentifier) =>
    client.revoke({
      uniqueIdentifier,
      revocationReason: { revocationReasonCode: code },
      ...(code === RevocationReasonCode.KeyCompromise ? { compromiseOccurrenceDate: 0 } : {}),
    }),
})

const isIn =
  (...states: readonly State[]) =>
  ({ state }: Facts): boolean =>
    states.includes(state)

export const changes: readonly Change[] = [
  {
    operation: 'Activate',
    may: isIn(State.PreActive),
    next: (facts) => ({ ...facts, state: State.Active }),
    send: (client, uniqueIdentifier) => client.activate({ uniqueIdentifier }),
  },
  { ...revoked(RevocationReasonCode.CessationOfOperation, State.Deactivated), may: isIn(State.Active) },
  { ...revoked(RevocationReasonCode.KeyCompromise, State.Compromised), may: isIn(State.Active, State.Deactivated) },
  {
    operation: 'Destroy',
    may: isIn(State.PreActive, State.Deactivated),
    next: (facts) => ({ ...facts, state: State.Destroyed, name: undefined }),
    send: (client, uniqueIdentifier) => client.destroy({ uniqueIdentifier }),
  },
  {
    operation: 'Destroy',
    may: isIn(State.Compromised),
    next: (facts) => ({ ...facts, state: State.DestroyedCompromised, name: undefined }),
    send: (client, uniqueIdentifier) => client.destroy({ uniqueIdentifier }),
  },
  {
    operation: 'AddAttribute',
    may: ({ mark }) => mark === undefined,
    next: (facts, mark) => ({ ...facts, mark }),
    send: (client, uniqueIdentifier, mark) =>
      client.addAttribute({ uniqueIdentifier, attribute: customAttribute(markName, mark) }),
  },
  {
    operation: 'ModifyAttribute',
    may: ({ mark }) => mark !== undefined,
    next: (facts, mark) => ({ ...facts, mark }),
    send: (client, uniqueIdentifier, mark) =>
      client.modifyAttribute({ uniqueIdentifier, attribute: customAttribute(markName, mark) }),
  },
  {
    operation: 'DeleteAttribute',
    may: ({ mark }) => mark !== undefined,
    next: (facts) => ({ ...facts, mark: undefined }),
    send: (client, uniqueIdentifier) => client.deleteAttribute({ uniqueIdentifier, attributeName: markName }),
  },
  {
    operation: 'GetUsageAllocation',
    may: ({ state, left = 0n }) => state === State.Active && left >= usageStep,
    next: (facts) => ({ ...facts, left: (facts.left ?? 0n) - usageStep }),
    send: (client, uniqueIdentifier) => client.getUsageAllocation({ uniqueIdentifier, usageLimitsCount: usageStep }),
  },
]

/** Usage Limits of a key that is asked to be made. */
export const usageLimits = attribute('Usage Limits', {
  usageLimitsTotal: usageTotal,
  usageLimitsUnit: UsageLimitsUnit.Object,
})
