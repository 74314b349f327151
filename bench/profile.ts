/**
 * Profiles of the runtime (--cpu-prof), read: where the time of a thread went, function by function, and the tree of calls.
 * What it is not: the measurement that the server was under (load.ts), or the drawing (flame.ts).
 */

interface CallFrame {
  readonly functionName: string
  readonly url: string
  /** Counts from 0. */
  readonly lineNumber: number
}

/** A `.cpuprofile`, as far as it is read here. Times in microseconds. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: CallFrame
    readonly children?: readonly number[]
  }[]
  readonly startTime: number
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** A span of the runtime's clock. */
export interface Span {
  readonly fromUs: number
  readonly toUs: number
}

/** Calls of one function from one place, and what they called. */
export interface Call {
  readonly name: string
  /** With those beneath. */
  totalUs: number
  readonly calls: Map<string, Call>
}

/** A function, with the share of the thread's busy time. */
export interface FunctionTime {
  readonly name: string
  readonly selfUs: number
  readonly totalUs: number
}

/** What a thread did in a span. */
export interface ThreadProfile {
  /** `main`, or the thread's file in workers/. */
  readonly thread: string
  readonly busyUs: number
  readonly idleUs: number
  /** The most expensive first, by their own time. */
  readonly functions: readonly FunctionTime[]
  readonly root: Call
}

/** A module of the runtime by its name; of a path the end that tells enough: folder and file. */
const placeOf = (url: string): string => (url.startsWith('node:') ? url : url.split('/').slice(-2).join('/'))

const nameOf = ({ functionName, url, lineNumber }: CallFrame): string => {
  const name = functionName === '' ? '(anonymous)' : functionName
  return url === '' ? name : `${name} ${placeOf(url)}:${lineNumber + 1}`
}

const threadOf = ({ nodes }: CpuProfile): string => {
  for (const { callFrame } of nodes) {
    const name = /\/workers\/([\w-]+)\.[jt]s$/.exec(callFrame.url)?.[1]
    if (name !== undefined) return name
  }
  return 'main'
}

/**
 * Adds up the samples of a span.
 * @throws SyntaxError for a text that is no JSON, TypeError for one that is no profile
 */
export const readProfile = (text: string, { fromUs, toUs }: Span): ThreadProfile => {
  const profile = JSON.parse(text) as CpuProfile
  if (!Array.isArray(profile.nodes) || !Array.isArray(profile.samples)) throw new TypeError('the file is no profile')
  const ways = waysOf(profile)
  const self = new Map<string, number>()
  const total = new Map<string, number>()
  const root: Call = { name: 'all', totalUs: 0, calls: new Map() }
  let idleUs = 0
  let atUs = profile.startTime
  profile.samples.forEach((id, index) => {
    const tookUs = profile.timeDeltas[index] ?? 0
    atUs += tookUs
    const way = ways.get(id) ?? []
    const name = way.at(-1)
    if (atUs < fromUs || atUs > toUs || name === undefined) return
    if (name === '(idle)') {
      idleUs += tookUs
      return
    }
    add(self, name, tookUs)
    for (const each of new Set(way)) add(total, each, tookUs)
    root.totalUs += tookUs
    let call = root
    for (const each of way) {
      const next: Call = call.calls.get(each) ?? { name: each, totalUs: 0, calls: new Map() }
      next.totalUs += tookUs
      call.calls.set(each, next)
      call = next
    }
  })
  const functions = [...total].map(([name, totalUs]) => ({ name, selfUs: self.get(name) ?? 0, totalUs }))
  functions.sort((a, b) => b.selfUs - a.selfUs)
  return { thread: threadOf(profile), busyUs: root.totalUs, idleUs, functions, root }
}

const add = (sums: Map<string, number>, name: string, us: number): void =>
  void sums.set(name, (sums.get(name) ?? 0) + us)

/** For each node the names from below the root down to it. */
const waysOf = ({ nodes }: CpuProfile): Map<number, readonly string[]> => {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const ways = new Map<number, readonly string[]>()
  const [top] = nodes
  const left = top === undefined ? [] : [{ id: top.id, way: [] as readonly string[] }]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { id, way } = next
    ways.set(id, way)
    for (const child of byId.get(id)?.children ?? []) {
      const node = byId.get(child)
      if (node !== undefined) left.push({ id: child, way: [...way, nameOf(node.callFrame)] })
    }
  }
  return ways
}

const line = (cells: readonly string[]): string => `  ${cells.map((cell) => cell.padStart(7)).join(' ')}`

/** The first functions of a thread by their own time, then by the time with what they called. */
export const topLines = ({ thread, busyUs, idleUs, functions }: ThreadProfile, count: number): string[] => {
  const percent = (us: number): string => `${((us / busyUs) * 100).toFixed(1)}%`
  const all = busyUs + idleUs
  const rows = (sorted: readonly FunctionTime[]): string[] =>
    sorted.slice(0, count).map(({ name, selfUs, totalUs }) => line([percent(selfUs), percent(totalUs), ` ${name}`]))
  return [
    `thread ${thread}: busy ${((busyUs / all) * 100).toFixed(0)}% of ${(all / 1e6).toFixed(1)} s; shares of that:`,
    line(['self', 'total', ' by own time']),
    ...rows(functions),
    line(['self', 'total', ' by time with what they called']),
    ...rows(functions.toSorted((a, b) => b.totalUs - a.totalUs)),
  ]
}
