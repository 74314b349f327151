/**
 * What is deployed fits the server: metrics that are asked for exist, and image, composition and unit name files, settings and
 * ports that there are. `npm run image:try` tries the image itself. Where there is a `promtool` (Debian: prometheus), it has a look, too.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { metricRows } from '#server/metrics'
import { readSettings, type Settings, unknownVariables } from '#src/config'
import { runtimeFlags } from '#src/runtime-flags'

const root = dirname(import.meta.dirname)
const read = (path: string): string => readFileSync(join(root, 'deploy', path), 'utf8')

/** Names of the server's own metrics in an expression, as a histogram's parts where they are. */
const checkNames = (expression: string): void => {
  for (const [name] of expression.matchAll(/\bkmipd_\w+/g)) {
    const histogram = metricRows[name.replace(/_(?:bucket|sum|count)$/, '')]
    assert.ok(Object.hasOwn(metricRows, name) || histogram?.type === 'histogram', `${name} in ${expression}`)
  }
}

test('every alert asks for metrics that there are, and says what to do', () => {
  const { groups } = parse(read('prometheus/kmipd.rules.yml')) as {
    groups: { rules: { alert: string; expr: string; annotations: { summary: string; remedy: string } }[] }[]
  }
  const rules = groups.flatMap((group) => group.rules)
  assert.ok(rules.length > 0)
  for (const { alert, expr, annotations } of rules) {
    checkNames(expr)
    assert.ok(annotations.summary.length > 0 && annotations.remedy.length > 0, alert)
  }
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length)
})

test('whatever starts a server names the flags of the runtime', () => {
  const words = `node ${runtimeFlags.join(' ')}`
  const of = (path: string): string => readFileSync(join(root, path), 'utf8')
  const { scripts } = JSON.parse(of('package.json')) as { readonly scripts: Readonly<Record<string, string>> }
  assert.ok(of('src/main.ts').startsWith(`#!/usr/bin/env -S ${words}\n`), 'src/main.ts')
  assert.ok(scripts['start']?.includes(`${words} src/main.ts serve`), 'npm start')
  assert.ok(of('deploy/kmipd.service').includes(`${words} src/main.ts serve`), 'the unit')
  const entry = JSON.stringify(['node', ...runtimeFlags, 'src/main.ts']).replaceAll(',', ', ')
  assert.ok(of('Dockerfile').includes(`ENTRYPOINT ${entry}`), entry)
})

/** Runs promtool; undefined where there is none. @throws Error with what it says against a file */
const promtool = (...words: readonly string[]): string | undefined => {
  const { error, status, stdout, stderr } = spawnSync('promtool', words, { encoding: 'utf8' })
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') return undefined
  assert.equal(status, 0, `${stdout}${stderr}${error?.message ?? ''}`)
  return stdout
}

test('Prometheus takes the configuration, the rules and the expressions of the dashboard as they are', () => {
  const told = promtool('check', 'config', join(root, 'deploy/prometheus/prometheus.yml'))
  if (told !== undefined) assert.match(told, /SUCCESS: \d+ rules found/)
  const { panels } = JSON.parse(read('grafana/kmipd.json')) as { panels: { targets?: { expr: string }[] }[] }
  const rules = panels
    .flatMap(({ targets = [] }) => targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '1m')))
    .map((expr, place) => ({ record: `panel:${place}`, expr }))
  assert.ok(rules.length > 20)
  const directory = mkdtempSync(join(tmpdir(), 'kmipd-deploy-'))
  try {
    const path = join(directory, 'panels.yml')
    writeFileSync(path, stringify({ groups: [{ name: 'panels', rules }] }))
    promtool('check', 'rules', path)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

test('every panel of the dashboard asks for metrics that there are, and has a place of its own', () => {
  const { panels, uid } = JSON.parse(read('grafana/kmipd.json')) as {
    uid: string
    panels: {
      id: number
      title: string
      gridPos: { x: number; y: number; w: number; h: number }
      targets?: { expr: string }[]
    }[]
  }
  assert.equal(uid, 'kmipd')
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  const taken = new Set<string>()
  for (const { title, gridPos, targets = [] } of panels) {
    for (const { expr } of targets) checkNames(expr)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
      assert.ok(x < 24 && !taken.has(`${x} ${gridPos.y}`), title)
      taken.add(`${x} ${gridPos.y}`)
    }
  }
})

test("the dashboard has every member that Grafana's schema requires of what is in it", () => {
  const { panels, templating } = JSON.parse(read('grafana/kmipd.json')) as {
    readonly panels: readonly { type: string; options?: { legend?: object } }[]
    readonly templating: { readonly list: readonly { name: string; current?: object }[] }
  }
  const has = (given: object | undefined, names: readonly string[], what: string): void => {
    for (const name of names) assert.ok(given !== undefined && name in given, `${what} has no ${name}`)
  }
  for (const { name, current } of templating.list) {
    if (current !== undefined) has(current, ['text', 'value'], `the current value of ${name}`)
  }
  const looks = ['colorMode', 'graphMode', 'justifyMode', 'orientation', 'textMode', 'wideLayout']
  const ofStat = [...looks, 'percentChangeColorMode', 'reduceOptions', 'showPercentChange']
  for (const [place, { type, options }] of panels.entries()) {
    if (type === 'stat') has(options, ofStat, `panel ${place}`)
    if (type === 'timeseries')
      has(options?.legend, ['calcs', 'displayMode', 'placement', 'showLegend'], `panel ${place}`)
  }
})

/** The instructions of the Dockerfile, each on one line. */
const instructions = readFileSync(join(root, 'Dockerfile'), 'utf8')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/ *\\\n */g, ' ')
  .split('\n')
  .filter((line) => line !== '')
const the = (instruction: string): string => {
  const found = instructions.findLast((line) => line.startsWith(`${instruction} `))
  assert.ok(found !== undefined, `the Dockerfile has no ${instruction}`)
  return found.slice(instruction.length + 1)
}
const imageVariables: Readonly<Record<string, string>> = Object.fromEntries(
  instructions.flatMap((line) =>
    [...line.matchAll(/(?<=^ENV .*)\b([A-Z_]+)=(\S+)/g)].map(([, name, value]) => [name, value]),
  ),
)

/** The settings of a server with these variables. */
const settingsWith = (variables: Readonly<Record<string, string>>): Settings => {
  assert.deepEqual(unknownVariables(variables), [])
  return readSettings(variables, [])
}

describe('the image', () => {
  test('is no root, stops in good order, and has settings that there are', () => {
    const settings = settingsWith(imageVariables)
    assert.equal(the('USER'), 'kmipd')
    assert.equal(the('STOPSIGNAL'), 'SIGTERM')
    assert.equal(the('VOLUME'), settings.dataDirectory)
    assert.equal(imageVariables['KMIPCTL_SOCKET'], join(settings.dataDirectory, 'admin.sock'))
    assert.equal(the('EXPOSE'), `${settings.port} ${settings.metricsPort}`)
    assert.notEqual(settings.metricsPort, 0, 'the health check asks it')
  })

  test('runs programs that it has, and copies what .dockerignore lets in', () => {
    const named = ['ENTRYPOINT', 'HEALTHCHECK', 'RUN'].flatMap((name) =>
      instructions.filter((line) => line.startsWith(name)).flatMap((line) => line.match(/\bsrc\/\w+\.ts\b/g) ?? []),
    )
    const programs = [...new Set(named)]
    assert.deepEqual(programs.toSorted(), ['src/health.ts', 'src/kmipctl.ts', 'src/main.ts'])
    const admitted = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')
    const copied = instructions
      .filter((line) => /^COPY (?!--from)/.test(line))
      .flatMap((line) => line.split(' ').slice(1, -1))
    for (const path of [...copied, ...programs]) assert.ok(existsSync(join(root, path)), path)
    for (const path of copied) assert.ok(admitted.includes(`!${path}`) || admitted.includes(`!${path}/**`), path)
  })
})

interface Composition {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly environment?: Readonly<Record<string, string>>
        readonly secrets?: readonly string[]
        readonly volumes: readonly string[]
        readonly networks: readonly string[]
        readonly ports: readonly string[]
        readonly depends_on?: Readonly<Record<string, unknown>> | readonly string[]
        readonly read_only?: boolean
        readonly cap_drop: readonly string[]
        readonly security_opt: readonly string[]
        readonly stop_grace_period?: string
      }
    >
  >
  readonly networks: Readonly<Record<string, null>>
  readonly volumes: Readonly<Record<string, null>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
}

describe('compose.yaml', () => {
  const composition = parse(readFileSync(join(root, 'compose.yaml'), 'utf8')) as Composition
  const { kmipd, prometheus, grafana } = composition.services
  assert.ok(kmipd !== undefined && prometheus !== undefined && grafana !== undefined)

  test('names networks, volumes, secrets, services and files that there are', () => {
    for (const [name, service] of Object.entries(composition.services)) {
      for (const network of service.networks) assert.ok(network in composition.networks, `${name}: ${network}`)
      for (const secret of service.secrets ?? []) assert.ok(secret in composition.secrets, `${name}: ${secret}`)
      for (const volume of service.volumes) {
        const [from = ''] = volume.split(':')
        const known = from.startsWith('./') ? existsSync(join(root, from)) : from in composition.volumes
        assert.ok(known, `${name}: ${volume}`)
      }
      const needed = service.depends_on ?? []
      for (const other of Array.isArray(needed) ? needed : Object.keys(needed)) assert.ok(other in composition.services)
      assert.deepEqual(service.cap_drop, ['ALL'], name)
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name)
    }
    for (const { file } of Object.values(composition.secrets)) assert.match(file, /^\.\/secrets\//)
    assert.match(readFileSync(join(root, '.gitignore'), 'utf8'), /^\/secrets\/$/m)
  })

  test('gives the server settings that there are, and time to drain', () => {
    const settings = settingsWith({ ...imageVariables, ...kmipd.environment, KMIPD_CERTIFICATE_NAMES: 'kmipd' })
    assert.equal(settings.rootKeyFile, `/run/secrets/${kmipd.secrets?.[0]}`)
    assert.equal(kmipd.read_only, true)
    assert.deepEqual(kmipd.ports, [`${settings.port}:${settings.port}`], 'and no port for those who watch')
    assert.ok(Number.parseInt(kmipd.stop_grace_period ?? '', 10) * 1_000 > settings.drainTimeoutMs)
  })

  test('lets Prometheus reach it, and Grafana reach Prometheus', () => {
    const { scrape_configs, rule_files } = parse(read('prometheus/prometheus.yml')) as {
      readonly scrape_configs: readonly {
        readonly static_configs: readonly { readonly targets: readonly string[] }[]
      }[]
      readonly rule_files: readonly string[]
    }
    const targets = scrape_configs.flatMap(({ static_configs }) => static_configs.flatMap((each) => each.targets))
    assert.deepEqual(targets, [`kmipd:${settingsWith(imageVariables).metricsPort}`])
    for (const file of rule_files) assert.ok(existsSync(join(root, 'deploy/prometheus', file)), file)
    assert.ok(prometheus.networks.includes('watching') && kmipd.networks.includes('watching'))

    const { datasources } = parse(read('grafana/provisioning/datasources/kmipd.yml')) as {
      readonly datasources: readonly { readonly type: string; readonly url: string }[]
    }
    assert.deepEqual(
      datasources.map(({ type, url }) => [type, url]),
      [['prometheus', 'http://prometheus:9090']],
    )
    const { providers } = parse(read('grafana/provisioning/dashboards/kmipd.yml')) as {
      readonly providers: readonly { readonly options: { readonly path: string } }[]
    }
    const folder = providers[0]?.options.path ?? ''
    const dashboard = grafana.volumes.find((volume) => volume.startsWith('./deploy/grafana/kmipd.json:'))
    assert.equal(dashboard?.split(':')[1], `${folder}/kmipd.json`)
    assert.equal(grafana.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'], `${folder}/kmipd.json`)
  })
})

describe('the unit of systemd', () => {
  const lines = read('kmipd.service')
    .split('\n')
    .filter((line) => /^\w+=/.test(line))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const)
  const valueOf = (name: string): string => lines.findLast(([each]) => each === name)?.[1] ?? assert.fail(`no ${name}`)

  test('is no root, may nothing, and leaves no memory on a disk', () => {
    const wanted = {
      User: 'kmipd',
      NoNewPrivileges: 'yes',
      CapabilityBoundingSet: '',
      AmbientCapabilities: '',
      ProtectSystem: 'strict',
      LimitCORE: '0',
      MemorySwapMax: '0',
      UMask: '0077',
    }
    for (const [name, value] of Object.entries(wanted)) assert.equal(valueOf(name), value, name)
  })

  test('has room for the sessions, time to drain, and starts again when that helps', () => {
    const variables = Object.fromEntries(
      lines.filter(([name]) => name === 'Environment').map(([, text]) => text.split('=') as [string, string]),
    )
    const settings = settingsWith(variables)
    assert.equal(settings.dataDirectory, valueOf('ReadWritePaths'))
    assert.equal(settings.dataDirectory, `/var/lib/${valueOf('StateDirectory')}`)
    assert.ok(Number(valueOf('LimitNOFILE')) >= settings.sessionsMax * 1.5)
    assert.ok(Number.parseInt(valueOf('TimeoutStopSec'), 10) * 1_000 > settings.drainTimeoutMs)
    assert.equal(valueOf('Restart'), 'on-failure')
    assert.equal(valueOf('RestartPreventExitStatus'), '78')
    const [, program = ''] = /^\/opt\/kmipd\/\S+ (?:--\S+ )*(src\/\S+\.ts) serve$/.exec(valueOf('ExecStart')) ?? []
    assert.ok(existsSync(join(root, program)), program)
  })
})
