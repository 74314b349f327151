/**
 * `kmip-bench profile` as a command: a server under load with the runtime's profiler, and where its time went. What it is not:
 * a measurement of speed; the profiler costs some.
 */
import type { Argv } from 'yargs'
import { flamePage } from '#bench/flame'
import { load } from '#bench/load'
import {
  filesIn,
  profileClockUs,
  readText,
  removeDirectory,
  temporaryDirectory,
  uniquePrefix,
  writeText,
} from '#bench/machine'
import { frameOf, measureOptions, measureOptionsOf, print, progressOfProcess, targetOptions } from '#bench/options'
import { startOwnServer } from '#bench/own-server'
import { readProfile, type Span, type ThreadProfile, topLines } from '#bench/profile'
import { operationsPerSecond } from '#bench/report'
import { scenarioNamed } from '#bench/work'

/** A thread that did next to nothing has no lines. */
const busyUsMin = 10_000

/** Profiles of a server's threads in a span, the busiest first. */
const threadsIn = (directory: string, span: Span): ThreadProfile[] =>
  filesIn(directory, '.cpuprofile')
    .map((path) => readProfile(readText(path), span))
    .filter(({ busyUs }) => busyUs >= busyUsMin)
    .sort((a, b) => b.busyUs - a.busyUs)

/** Adds `profile`. */
export const withProfile = <T>(commands: Argv<T>): Argv<T> =>
  commands.command(
    'profile',
    'where the time of a server goes: runs one that it starts under --cpu-prof and an operation, and tells the top functions',
    (command) =>
      command.options({
        operation: { type: 'string', default: 'get', describe: 'what it is asked; the names are those of load' },
        sessions: { type: 'number', default: 16, describe: 'TLS sessions at once' },
        batch: { type: 'number', default: 1, describe: 'items of each message' },
        'data-size': { type: 'number', default: 64, describe: 'bytes of data to encrypt, sign and the like' },
        objects: { type: 'number', default: 10_000, describe: 'objects that are made for get and locate' },
        seconds: measureOptions.seconds,
        warmup: { ...measureOptions.warmup, default: 2 },
        protocol: targetOptions.protocol,
        'server-flag': targetOptions['server-flag'],
        top: { type: 'number', default: 10, describe: 'functions to tell of each thread' },
        html: { type: 'string', describe: 'write flame graphs into this file' },
        keep: { type: 'string', describe: 'a directory for the profiles themselves, for other readers' },
      }),
    async (values) => {
      const directory = values.keep ?? temporaryDirectory()
      const operation = scenarioNamed(values.operation)
      try {
        const server = await startOwnServer(values['server-flag'], { profileDirectory: directory })
        let span: Span = { fromUs: 0, toUs: 0 }
        try {
          const { seconds, warmup } = values
          const settings = { seconds, warmup, connections: [String(values.sessions)], runs: 1, pipeline: 1 }
          await load(
            {
              ...measureOptionsOf({ ...settings, threads: 1, processes: 1, timeout: measureOptions.timeout.default }),
              target: server.target,
              pid: server.pid,
              frame: frameOf({ protocol: values.protocol }),
              plans: [{ kind: 'operation', operation, dataSize: values['data-size'], batch: values.batch }],
              objectCount: values.objects,
              objectsUsed: values.objects,
              objectPrefix: uniquePrefix(),
              reuse: false,
              keep: true,
              withLimit: false,
            },
            ({ measured }) => {
              const toUs = profileClockUs()
              span = { fromUs: toUs - measured.elapsedMs * 1000, toUs }
              const us = measured.processorUs?.server
              print(
                `${operation}, ${values.sessions} sessions: ${operationsPerSecond(measured).toFixed(0)} messages/s under the profiler` +
                  (us === undefined ? '' : `, ${us.toFixed(1)} us of processor time each`),
              )
            },
            { ...progressOfProcess(), say: () => undefined },
          )
        } finally {
          // The profiles are written when it ends.
          await server.stop()
        }
        const threads = threadsIn(directory, span)
        if (threads.length === 0) throw new Error('the server has left no profile')
        for (const thread of threads) for (const text of topLines(thread, values.top)) print(text)
        if (values.html !== undefined) {
          writeText(values.html, flamePage(`${operation}, ${values.sessions} sessions`, threads))
        }
      } finally {
        if (values.keep === undefined) removeDirectory(directory)
      }
    },
  )
