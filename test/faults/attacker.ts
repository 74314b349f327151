/**
 * A process that attacks: it is told whom and how, and goes on until it is told to stop. What it is: the entry of a process of its
 * own, so that attackers and the client that is measured share no thread. What it is not: the attacks (attackers.ts).
 */
import { type AttackTarget, attacks } from './attackers.ts'

/** What the process is told first. */
export interface AttackOrder {
  readonly attack: string
  readonly target: AttackTarget
}

const over = new AbortController()
const attackAsOrdered = async ({ attack, target }: AttackOrder): Promise<void> => {
  const act = attacks[attack]
  if (act === undefined) throw new RangeError(`there is no attack ${attack}`)
  const attempts = await act(target, over.signal)
  process.send?.({ attempts }, () => process.exit())
}

process.once('message', (order: AttackOrder) => {
  process.once('message', () => over.abort())
  process.send?.('begun')
  void attackAsOrdered(order)
})
// Whoever ordered it is gone.
process.once('disconnect', () => process.exit())
