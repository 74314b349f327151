/**
 * What of the process's memory may come to lie on a disk. What it is: the start's look at dumps and swap, and the switching off of what a
 * process can switch off by itself (Linux). What it is not: a promise: memory that Node has cannot be locked, so swap is only
 * looked at; docs/seal.md says what each finding is about.
 */

/** Files of the system as the guard uses them. `read`: undefined for one that is not there. */
export interface SystemFiles {
  read(path: string): string | undefined
  /** @throws what the system says */
  write(path: string, text: string): void
}

/** A line for the log: something is open that somebody else must close. */
export interface MemoryFinding {
  readonly memory: 'dumps' | 'swap'
  readonly text: string
}

/** Which mappings a core file holds: none. Threads share it, programs that are started inherit it. */
const dumpFilter = '/proc/self/coredump_filter'

/** Takes memory out of core files, and tells what stays open. */
export const guardMemory = (files: SystemFiles): readonly MemoryFinding[] => {
  const findings: MemoryFinding[] = []
  if (files.read(dumpFilter) === undefined) {
    // Another system: nothing is known of it.
    return findings
  }
  if (!emptyDumps(files) && dumpsAreOn(files.read('/proc/self/limits') ?? '')) {
    findings.push({
      memory: 'dumps',
      text: 'A core dump of this process would hold keys: set `ulimit -c 0` (LimitCORE=0 in a unit, ulimits.core 0 in compose)',
    })
  }
  if (swapIsOn(files.read('/proc/swaps') ?? '') && !isKeptFromSwap(files)) {
    findings.push({
      memory: 'swap',
      text: 'Swap is on, and may hold keys: encrypt it or switch it off, or keep the server from it (MemorySwapMax=0 in a unit)',
    })
  }
  return findings
}

/** Whether core files of this process hold nothing of its memory from now on. */
const emptyDumps = (files: SystemFiles): boolean => {
  try {
    files.write(dumpFilter, '0')
  } catch {
    // A system that does not let it: what it has then is what counts.
  }
  return Number.parseInt(files.read(dumpFilter) ?? '', 16) === 0
}

/** Whether the soft limit lets the system write one. */
const dumpsAreOn = (limits: string): boolean => {
  const soft = /^Max core file size\s+(\S+)/m.exec(limits)?.[1]
  return soft !== undefined && soft !== '0'
}

/** A header, then a line for each place; memory that is compressed and never leaves it is not meant. */
const swapIsOn = (swaps: string): boolean =>
  swaps
    .split('\n')
    .slice(1)
    .some((line) => line !== '' && !line.startsWith('/dev/zram'))

/** Whether the group of processes, or one above it, may use no swap. */
const isKeptFromSwap = (files: SystemFiles): boolean => {
  const own = /^0::(\/.*)$/m.exec(files.read('/proc/self/cgroup') ?? '')?.[1] ?? '/'
  const names = own.split('/').filter((name) => name !== '')
  return [...names.keys(), names.length].some((depth) => {
    const path = ['/sys/fs/cgroup', ...names.slice(0, depth), 'memory.swap.max'].join('/')
    return files.read(path)?.trim() === '0'
  })
}
