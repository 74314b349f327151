/**
 * What a job asks for, made of names: an operation, a mix of operations, or a profile. What it is: kinds of messages, their
 * order, and a look at a real answer of each. What it is not: the rows themselves (scenarios/), or the measuring (load.ts).
 */
import { encodeRequest } from '#client/client'
import { Transport } from '#client/transport'
import type { EchoSettings, Job, Step, Target } from './job.ts'
import { identifierIn, refusalIn } from './outcome.ts'
import { pack, packedAt } from './packed.ts'
import {
  type KeyKind,
  type RequestFrame,
  requestsOf,
  type ScenarioName,
  type Supplies,
  scenarioNames,
  scenarioOf,
} from './scenarios/index.ts'
import { type ProfileName, type ProfileStep, profileOf, templateOf } from './scenarios/profiles.ts'
import { filled, hasGaps } from './template.ts'

/** An operation and its share of a mix. */
export interface Share {
  readonly name: ScenarioName
  readonly weight: number
}

/** What is to be measured, before there are any requests. */
export type Plan =
  | { readonly kind: 'operation'; readonly operation: ScenarioName; readonly dataSize: number; readonly batch: number }
  | { readonly kind: 'mix'; readonly shares: readonly Share[]; readonly dataSize: number; readonly batch: number }
  | { readonly kind: 'profile'; readonly profile: ProfileName; readonly dataSize: number }

/** The part of a job that says what is asked. */
export interface Work extends Pick<Job, 'steps' | 'cycle' | 'scripted'> {
  readonly name: string
}

/** @throws Error for a name that no row has */
export const scenarioNamed = (text: string): ScenarioName => {
  const name = scenarioNames.find((known) => known === text)
  if (name === undefined) throw new Error(`no scenario is named ${text}; there are ${scenarioNames.join(', ')}`)
  return name
}

/** `get=80,create=15,locate=5`. @throws Error for another form, and for a name that no row has */
export const sharesOf = (text: string): Share[] =>
  text.split(',').map((part) => {
    const [name = '', weightText = '1'] = part.split('=')
    const weight = Number(weightText)
    if (!Number.isInteger(weight) || weight < 1)
      throw new Error(`${part} is no share of a mix: get=80,create=15,locate=5`)
    return { name: scenarioNamed(name.trim()), weight }
  })

/** The operations that a plan has. */
const operationsOf = (plan: Plan): ScenarioName[] => {
  if (plan.kind === 'operation') return [plan.operation]
  if (plan.kind === 'mix') return plan.shares.map(({ name }) => name)
  return profileOf(plan.profile).steps.flatMap((step) => ('scenario' in step ? [step.scenario] : []))
}

/** Whether a plan asks for objects that must be there. */
export const needsObjects = (plan: Plan): boolean => operationsOf(plan).some((name) => scenarioOf(name).needsObjects)

/** Whether all objects are to be asked for once before a plan is measured. */
export const changesAtFirst = (plan: Plan): boolean =>
  operationsOf(plan).some((name) => scenarioOf(name).changesAtFirst === true)

/** Whether messages of a plan are made of what answers to earlier ones gave: a script with gaps. */
export const followsAnswers = (plan: Plan): boolean =>
  plan.kind === 'profile' && profileOf(plan.profile).steps.some((step) => 'items' in step && hasGaps(step.items))

/** The keys that a plan computes with. */
export const keysOf = (plan: Plan): KeyKind[] => operationsOf(plan).flatMap((name) => scenarioOf(name).key ?? [])

const scenarioStep = (
  name: string,
  operation: ScenarioName,
  supplies: Supplies,
  frame: RequestFrame,
  batch: number,
): Step => {
  const requests = requestsOf(scenarioOf(operation), supplies, frame, batch)
  if (requests.length === 0) throw new Error('there is nothing to ask: --objects must be 1 or more')
  return { name, items: batch, requests: pack(requests) }
}

const nothing = pack([])

const profileStep = (step: ProfileStep, supplies: Supplies, frame: RequestFrame): Step =>
  'scenario' in step
    ? scenarioStep(step.name, step.scenario, supplies, frame, 1)
    : {
        name: step.name,
        items: step.items.length,
        requests: nothing,
        template: templateOf(step.items, frame),
      }

/** Spreads shares evenly: of 80 and 20, every fifth is of the second. */
const spread = (shares: readonly Share[]): number[] => {
  const total = shares.reduce((sum, { weight }) => sum + weight, 0)
  const credit = shares.map(() => 0)
  return Array.from({ length: total }, () => {
    shares.forEach(({ weight }, index) => (credit[index] = (credit[index] ?? 0) + weight))
    const next = credit.indexOf(Math.max(...credit))
    credit[next] = (credit[next] ?? 0) - total
    return next
  })
}

/** What a case is called in reports. */
export const planName = (plan: Plan): string => {
  if (plan.kind === 'profile') return plan.profile
  const batched = plan.batch === 1 ? '' : `x${plan.batch}`
  if (plan.kind === 'mix') return `${plan.shares.map(({ name, weight }) => `${name}=${weight}`).join(',')}${batched}`
  const sized = scenarioOf(plan.operation).hasData ? `-${plan.dataSize}` : ''
  return `${plan.operation}${sized}${batched}`
}

/** Makes the requests of a plan. @throws Error when it needs objects and there are none */
export const workOf = (plan: Plan, supplies: Omit<Supplies, 'dataSize'>, frame: RequestFrame): Work => {
  const all: Supplies = { ...supplies, dataSize: plan.dataSize }
  const name = planName(plan)
  if (plan.kind === 'operation') {
    return { name, steps: [scenarioStep(name, plan.operation, all, frame, plan.batch)], cycle: [0], scripted: false }
  }
  if (plan.kind === 'mix') {
    const steps = plan.shares.map((share) => scenarioStep(share.name, share.name, all, frame, plan.batch))
    return { name, steps, cycle: spread(plan.shares), scripted: false }
  }
  const steps = profileOf(plan.profile).steps.map((step) => profileStep(step, all, frame))
  return { name, steps, cycle: steps.map((_, index) => index), scripted: true }
}

/** What messages of a work look like on the wire, and the same work for the echo. */
export interface Sample extends EchoSettings {
  readonly echoWork: Work
  /** Means over the cycle. */
  readonly requestBytes: number
  readonly responseBytes: number
}

/** Where the echo looks for which answer is wanted (echo.ts). */
const choiceOffset = 16

/** A request of the same size that says which answer it wants. */
const echoRequest = (request: Uint8Array, answer: number): Uint8Array => {
  const copy = Buffer.from(request)
  if (copy.length >= choiceOffset + 4) copy.writeUInt32BE(answer, choiceOffset)
  return copy
}

/**
 * Asks once for each kind of message, to know what answers look like and what TLS agreed on.
 * @param namePrefix of the objects that a script makes on its way
 * @throws Error when the server cannot be reached
 */
export const sampleOf = async (
  target: Target,
  timeoutMs: number,
  work: Work,
  namePrefix: string,
  onRefusal: (text: string) => void,
): Promise<Sample> => {
  const transport = new Transport({ ...target, timeoutMs })
  const words = { id: '', name: `${namePrefix}-sample` }
  const exchanges: { readonly request: Uint8Array; readonly response: Uint8Array }[] = []
  try {
    for (const step of work.steps) {
      const request =
        step.template === undefined ? packedAt(step.requests, 0) : encodeRequest(filled(step.template, words))
      const response = Uint8Array.from(await transport.send(request))
      const refusal = refusalIn(response)
      if (refusal !== undefined) onRefusal(`${step.name} is refused: ${refusal}`)
      words.id = identifierIn(response) ?? words.id
      exchanges.push({ request, response })
    }
  } finally {
    transport.destroy()
  }
  const { protocol, cipher } = transport.facts ?? { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }
  const meanOf = (size: (exchange: (typeof exchanges)[number]) => number): number =>
    Math.round(
      work.cycle.reduce((sum, index) => {
        const exchange = exchanges[index]
        return sum + (exchange === undefined ? 0 : size(exchange))
      }, 0) / work.cycle.length,
    )
  return {
    responses: exchanges.map(({ response }) => response),
    protocol: protocol === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2',
    cipher,
    requestBytes: meanOf(({ request }) => request.length),
    responseBytes: meanOf(({ response }) => response.length),
    echoWork: {
      ...work,
      steps: work.steps.map(({ name, items }, index) => ({
        name,
        items,
        requests: pack([echoRequest(exchanges[index]?.request ?? new Uint8Array(0), index)]),
      })),
    },
  }
}
