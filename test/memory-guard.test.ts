/** What of the process's memory may come to lie on a disk: what a start says of it, and does about it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { guardMemory, type SystemFiles } from '#src/memory-guard'
import { startServerProcess } from '#test/running-server'

const filter = '/proc/self/coredump_filter'
const header = 'Filename\tType\tSize\tUsed\tPriority\n'
const limits = (core: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax core file size        ${core}                    unlimited            bytes\n`

/** @param isWritable whether the process may say what its dumps hold */
const system = (files: Readonly<Record<string, string>>, isWritable = true): SystemFiles => {
  const content = new Map(Object.entries({ [filter]: '00000033\n', ...files }))
  return {
    read: (path) => content.get(path),
    write(path, text) {
      if (!isWritable) throw new Error('EACCES')
      content.set(path, text === '0' ? '00000000\n' : text)
    },
  }
}

const told = (files: SystemFiles): readonly string[] => guardMemory(files).map(({ memory }) => memory)

describe('dumps', () => {
  test('hold nothing of the memory, whatever the limit is', () => {
    assert.deepEqual(told(system({ '/proc/self/limits': limits('unlimited') })), [])
  })

  test('that cannot be emptied are told of, unless there are none', () => {
    assert.deepEqual(told(system({ '/proc/self/limits': limits('unlimited') }, false)), ['dumps'])
    assert.deepEqual(told(system({ '/proc/self/limits': limits('0        ') }, false)), [])
  })
})

describe('swap', () => {
  const swap = `${header}/dev/sda2\tpartition\t8388604\t0\t-2\n`
  const group = '0::/system.slice/kmipd.service\n'

  test('that is on is told of', () => {
    assert.deepEqual(told(system({ '/proc/swaps': header })), [])
    assert.deepEqual(told(system({ '/proc/swaps': swap })), ['swap'])
    assert.deepEqual(told(system({ '/proc/swaps': `${header}/dev/zram0\tpartition\t1\t0\t100\n` })), [])
  })

  test('that the process may not use is not', () => {
    const at = (path: string, max: string) =>
      told(system({ '/proc/swaps': swap, '/proc/self/cgroup': group, [`/sys/fs/cgroup${path}/memory.swap.max`]: max }))
    assert.deepEqual(at('/system.slice/kmipd.service', '0\n'), [])
    assert.deepEqual(at('/system.slice', '0\n'), [])
    assert.deepEqual(at('/system.slice/kmipd.service', 'max\n'), ['swap'])
    assert.deepEqual(at('/other.slice', '0\n'), ['swap'])
  })
})

test('another system: nothing is looked at', () => {
  assert.deepEqual(guardMemory({ read: () => undefined, write: () => assert.fail('nothing is written') }), [])
})

test('a server that runs has no memory in its dumps', async () => {
  await using server = await startServerProcess()
  const { pid } = server.process
  if (process.platform === 'linux') {
    assert.equal(Number.parseInt(readFileSync(`/proc/${pid}/coredump_filter`, 'utf8'), 16), 0)
  }
})
