/**
 * What commands stand on. What it is: the type of what serve.ts hands to the administration interface. Rooms that the
 * administration must not know (listeners, the process's log) are ports here: an interface that serve.ts fills. What it is
 * not: the parts themselves.
 */
import type { Clock } from '#actor/clock'
import type { Entropy } from '#actor/entropy'
import type { BearerTokens } from '#identity/bearer-tokens'
import type { Store } from '#store/store'

export interface AdminServices {
  readonly store: Store
  readonly clock: Clock
  readonly entropy: Entropy
  readonly bearerTokens: BearerTokens
}
