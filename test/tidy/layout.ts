/**
 * The layout as data: which room may import which, what is confined to named files, and every exception with its reason.
 * What it is not: the rules that read it (`rules.ts`). ARCHITECTURE.md shows the rooms to people.
 */

/** What a room may import beside itself: rooms (`kmip`) or files (`crypto/run`, a path below `src/` without `.ts`). */
export interface Room {
  readonly imports: readonly string[]
  /** Packages, beside Node's own modules. */
  readonly packages: readonly string[]
}

const wire = ['client', 'kmip', 'ttlv']

/** The rooms. A folder of `src/` is a room; so are the three files beside them, and the folders beside `src/`. */
export const rooms: Readonly<Record<string, Room>> = {
  actor: { imports: [], packages: [] },
  ttlv: { imports: [], packages: ['saxes'] },
  kmip: { imports: ['ttlv'], packages: [] },
  objects: { imports: ['kmip', 'ttlv/item', 'ttlv/schema', 'ttlv/weight'], packages: [] },
  crypto: { imports: ['actor', 'kmip'], packages: ['piscina'] },
  store: { imports: ['actor'], packages: ['lmdb', 'msgpackr'] },
  identity: { imports: ['actor', 'kmip', 'store/store'], packages: ['asn1js', 'ldapts', 'pkijs'] },
  operations: {
    imports: [
      'actor/clock',
      'actor/slices',
      'kmip',
      'objects',
      'identity',
      'crypto/run',
      'store/store',
      'ttlv/binary',
      'ttlv/schema',
      'ttlv/weight',
    ],
    packages: [],
  },
  server: {
    imports: [
      'actor',
      'kmip',
      'ttlv',
      'audit',
      'identity',
      'operations',
      'objects/locate-filter',
      'objects/managed-object',
      'store/store',
    ],
    packages: [
      '@opentelemetry/api',
      '@opentelemetry/exporter-trace-otlp-http',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-trace',
      'pino',
      'prom-client',
    ],
  },
  audit: { imports: ['actor', 'store/store'], packages: [] },
  admin: {
    imports: ['actor', 'identity', 'kmip', 'objects', 'operations', 'store/store'],
    packages: ['@fastify/rate-limit', '@fastify/swagger', 'cli-table3', 'fastify', 'typebox', 'yaml', 'yargs'],
  },
  backup: { imports: ['actor', 'crypto/key-file', 'crypto/seal', 'crypto/store-seal', 'store'], packages: [] },
  client: { imports: ['kmip', 'ttlv'], packages: [] },
  upkeep: {
    imports: ['actor', 'admin/services', 'backup', 'crypto', 'identity', 'operations/object-table', 'store'],
    packages: [],
  },
  'setting-rows': { imports: [], packages: [] },
  config: { imports: ['setting-rows'], packages: [] },
  'settings-document': { imports: ['config', 'setting-rows'], packages: [] },
  terminal: { imports: [], packages: [] },
  tables: { imports: ['audit/anchor', 'identity', 'operations', 'store/store'], packages: [] },
  offline: {
    imports: ['actor', 'backup', 'config', 'crypto', 'root-key', 'store', 'tables'],
    packages: [],
  },
  collector: { imports: [], packages: [] },
  'memory-guard': { imports: [], packages: [] },
  'root-key': { imports: ['config', 'crypto', 'terminal'], packages: [] },
  'front-parts': {
    imports: ['actor', 'config', 'crypto', 'identity', 'kmip', 'operations', 'server', 'store/store'],
    packages: ['pino'],
  },
  front: {
    imports: [
      'actor',
      'audit',
      'config',
      'crypto',
      'front-parts',
      'identity/ldap',
      'operations',
      'server',
      'store',
      'tables',
    ],
    packages: [],
  },
  fronts: {
    imports: [
      'actor',
      'audit/open',
      'config',
      'crypto',
      'front',
      'front-parts',
      'identity',
      'operations',
      'server',
      'store',
    ],
    packages: ['pino'],
  },
  watching: {
    imports: ['actor', 'admin/services', 'audit', 'config', 'front-parts', 'identity', 'operations', 'server', 'store'],
    packages: ['pino'],
  },
  serve: {
    imports: [
      'actor',
      'admin',
      'config',
      'front-parts',
      'fronts',
      'root-key',
      'tables',
      'upkeep',
      'watching',
      'crypto',
      'identity',
      'kmip',
      'objects',
      'operations',
      'server',
      'store',
      'ttlv',
    ],
    packages: ['pino'],
  },
  'kept-code': { imports: [], packages: [] },
  'runtime-flags': { imports: [], packages: [] },
  main: { imports: ['kept-code', 'kmipd-process'], packages: [] },
  'kmipd-process': {
    imports: [
      'actor/error-text',
      'backup/refused',
      'collector',
      'config',
      'memory-guard',
      'offline',
      'serve',
      'server/process-log',
    ],
    packages: ['yargs'],
  },
  kmipctl: { imports: ['kept-code', 'kmipctl-process'], packages: [] },
  'kmipctl-process': { imports: ['admin/cli', 'terminal'], packages: [] },
  health: { imports: ['config'], packages: [] },
  'workers/audit': { imports: ['actor/clock', 'audit'], packages: [] },
  'workers/crypto': { imports: ['crypto'], packages: [] },
  'workers/check': { imports: ['backup', 'store/store', 'tables'], packages: [] },
  'workers/front': { imports: ['front'], packages: [] },
  'workers/store': { imports: ['store/lmdb/messages', 'store/lmdb/writer'], packages: [] },
  // Not the project's own wrapper of pkijs: a black box must not be built of what it measures.
  bench: { imports: [...wire, 'runtime-flags'], packages: ['asn1js', 'pkijs', 'tinybench', 'uplot', 'yargs'] },
  conformance: { imports: wire, packages: ['yargs'] },
  docs: { imports: wire, packages: ['yargs'] },
  tools: {
    imports: ['actor', 'admin', 'client', 'config', 'identity', 'kmip', 'objects', 'operations', 'settings-document'],
    packages: ['yargs'],
  },
}

/** Rooms that no other room imports; tests may. */
export const roots: readonly string[] = [
  'main',
  'kmipctl',
  'health',
  'workers/audit',
  'workers/check',
  'workers/crypto',
  'workers/front',
  'workers/store',
  'bench',
  'conformance',
  'docs',
  'tools',
]

/** Something that may be written in named files only. */
export interface Confined {
  readonly what: string
  readonly pattern: RegExp
  /** Where the rule holds, as beginnings of paths. */
  readonly within: readonly string[]
  readonly instead: string
  /** Files where it is allowed, each with its reason. An entry that no longer needs it is a breach. */
  readonly files: Readonly<Record<string, string>>
}

const everywhereButTests = ['src/', 'workers/', 'bench/', 'conformance/', 'docs/', 'tools/']

export const confined: readonly Confined[] = [
  {
    what: 'reading the clock',
    pattern: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bhrtime\b/,
    within: everywhereButTests,
    instead: 'take a Clock (actor/clock.ts)',
    files: {
      'src/actor/clock.ts': 'the machine clock of the server',
      'src/client/clock.ts': 'the machine clock of the client',
      'bench/generator-thread.ts': 'what it measures is time',
      'bench/bare-loop.ts': 'what it measures is time',
      'bench/machine.ts': 'the clock of what is timed from outside',
      'conformance/main.ts': 'the machine clock of the runner',
      'tools/image-trial.ts': 'how long a container takes to start',
    },
  },
  {
    what: 'a timer',
    pattern: /\bset(?:Timeout|Interval)\b|\bnode:timers\b/,
    within: everywhereButTests,
    instead: 'take a Clock (actor/clock.ts), whose timers a test can move',
    files: {
      'src/actor/clock.ts': 'the timers of the server',
      'src/client/clock.ts': 'the timers of the client',
      'bench/generator-thread.ts': 'a load is paced by the machine clock',
      'bench/machine.ts': 'waits between looks at a server',
      'tools/image-trial.ts': 'waits between looks at a container',
      'bench/connector.ts': 'the time limit of a socket',
      'bench/wire-session.ts': 'the time limits of sockets',
      'conformance/main.ts': 'the timers of the runner',
    },
  },
  {
    what: 'a random number',
    pattern: /\bMath\.random\b|\brandom(?:Bytes|UUID|Int|Fill(?:Sync)?)\b|\bgetRandomValues\b/,
    within: [...everywhereButTests, 'test/'],
    instead: 'take an Entropy (actor/entropy.ts); in a test, a seed',
    files: {
      'src/actor/entropy.ts': 'the entropy of the server',
      'src/client/clock.ts': 'spreads the reconnections of clients that lost the same server',
      'bench/machine.ts': 'names of the objects of one run, on a server where other runs left theirs',
    },
  },
  {
    what: 'the environment',
    pattern: /\bprocess\.env\b/,
    within: everywhereButTests,
    instead: 'add a row to src/setting-rows.ts and take the setting',
    files: {
      'src/kmipd-process.ts': 'hands the environment to config.ts',
      'src/kmipctl-process.ts': 'hands the environment to the command line',
      'src/kept-code.ts': 'a variable of the runtime',
      'src/health.ts': 'hands the environment to config.ts',
    },
  },
  {
    what: 'the network',
    pattern: /['"]node:(?:net|tls|https?|http2|dgram|dns)(?:\/\w+)?['"]/,
    within: everywhereButTests,
    instead: 'speak through an output, as server/connection.ts does',
    files: {
      'src/server/http.ts': 'the listener of messages in HTTPS',
      'src/health.ts': 'asks the server for its health',
      'src/server/watch-port.ts': 'the listener of those who watch',
      'src/admin/listeners.ts': 'types of the listener that fastify is',
      'src/admin/transport.ts': 'the way of kmipctl to the server',
      'src/server/client-session.ts': 'sessions that the server opens to clients',
      'src/server/outgoing.ts': 'the secure context of those sessions',
      'conformance/https.ts': 'cases that are sent in HTTPS',
      'conformance/listener.ts': 'where the requests of the server under test come in',
      'src/server/interface.ts': 'the listener',
      'src/server/entrance.ts': 'types of the sockets that wait',
      'src/identity/ldap.ts': 'the connection to a directory, to be cut when the time is over',
      'src/server/tls.ts': 'types of the TLS options that it makes',
      'src/server/kept-sessions.ts': 'types of the listener whose sessions it keeps',
      'src/server/session-socket.ts': 'types of the socket that it writes to',
      'src/server/spread-interface.ts': 'whether a port is free, before several threads share it',
      'src/client/transport.ts': 'the connection of the client',
      'bench/echo.ts': 'the bare TLS echo that servers are compared with',
      'bench/connector.ts': 'counts handshakes, which the client hides',
      'bench/wire-session.ts': 'sessions of the load generator, as cheap as they can be',
    },
  },
  {
    what: 'the file system',
    pattern: /['"]node:fs(?:\/promises)?['"]/,
    within: everywhereButTests,
    instead: 'let the caller read it and hand in the content',
    files: {
      'src/serve.ts': 'a file that notes the installation',
      'src/kmipd-process.ts': 'hands files of the system to memory-guard.ts',
      'src/front-parts.ts': 'reads what the deployment says of itself, writes the authority that was made',
      'src/kmipctl-process.ts': 'files that a command line names',
      'src/admin/listeners.ts': 'the socket file of the administration',
      'src/server/log-file.ts': 'the log is files',
      'src/audit/files.ts': 'the audit trail is files',
      'src/audit/journal.ts': 'the newest of it once more, in a file',
      'src/audit/verify.ts': 'the audit trail is files',
      'src/backup/archive.ts': 'a backup is a file',
      'src/backup/create.ts': 'a backup is a file',
      'src/backup/opened.ts': 'a backup is a file',
      'src/backup/place.ts': 'a backup is a file',
      'src/backup/restore.ts': 'fills a data directory',
      'src/backup/verify.ts': 'takes the store out of a backup',
      'src/upkeep.ts': 'the folder of backups',
      'src/offline.ts': 'whether the root key is there',
      'src/root-key.ts': 'a passphrase can be in a file',
      'src/crypto/key-file.ts': 'root key and keyring are files',
      'src/crypto/store-seal.ts': 'root key and keyring are files',
      'src/identity/bootstrap.ts': 'writes what a first start hands out',
      'src/store/lmdb/environment.ts': 'modes of the files of LMDB',
      'src/store/lmdb/whole.ts': 'whether the file of LMDB has all its pages',
      'src/store/lmdb/directory.ts': 'makes the data directory',
      'src/store/lmdb/lock.ts': 'the lock of the data directory',
      'src/store/lmdb/open.ts': 'finds or makes the data directory',
      'src/store/lmdb/writer.ts': 'room on the disk',
      'bench/machine.ts': 'certificates in, reports out, data directories of servers that are started to be measured',
      'conformance/main.ts': 'certificates in, report out',
      'conformance/case.ts': 'test cases are files',
      'docs/examples/first-key.ts': 'certificates in',
      'tools/registry.ts': 'writes generated files',
      'tools/settings-doc.ts': 'writes generated files',
      'tools/administration-doc.ts': 'writes generated files',
      'tools/licence.ts': 'the key that licences are signed with',
      'tools/coverage-doc.ts': 'writes docs/coverage.md',
      'tools/errors-doc.ts': 'writes generated files',
      'tools/wrapping-doc.ts': 'writes docs/wrapping.md',
      'tools/image.ts': 'the tree of a base image',
      'tools/package.ts': 'writes the package that others install',
      'tools/image-trial.ts': 'the secret of a container, and what its volume has',
    },
  },
  {
    what: 'threads and processes',
    pattern: /['"]node:(?:worker_threads|child_process|cluster)['"]/,
    within: everywhereButTests,
    instead: 'send a message to an actor or give a job to the crypto runner',
    files: {
      'src/store/lmdb/open.ts': "starts the store's thread",
      'src/store/lmdb/front.ts': 'types of the ports to the writer',
      'src/store/lmdb/messages.ts': 'types of the ports to the writer',
      'src/store/lmdb/writer.ts': 'types of the ports to the fronts',
      'src/front.ts': 'types of the ports that it is given',
      'src/fronts.ts': 'starts threads with listeners',
      'workers/front.ts': 'is a thread',
      'src/audit/open.ts': "starts the auditor's thread",
      'src/audit/front.ts': 'types of the ports to the auditor',
      'src/audit/messages.ts': 'types of the ports to the auditor',
      'src/audit/auditor.ts': 'types of the ports to the fronts',
      'workers/audit.ts': 'is a thread',
      'src/backup/check-thread.ts': 'starts the thread that looks through a store',
      'workers/check.ts': 'is a thread',
      'workers/store.ts': 'is a thread',
      'bench/generator.ts': 'one thread of load per core',
      'bench/processes.ts': 'starts the echo and the load generator',
      'bench/own-server.ts': 'starts the server that is measured',
      'tools/image.ts': 'starts debootstrap and buildah',
      'tools/package.ts': 'starts tsc',
      'tools/image-trial.ts': 'starts podman and PyKMIP',
      'bench/pykmip-server.ts': 'starts the server that ours is compared with',
      'bench/bare-loop.ts': 'is a thread, and starts some of its kind',
      'bench/generator-thread.ts': 'is a thread',
    },
  },
  {
    what: 'new Error(',
    pattern: /\bnew Error\(/,
    within: ['src/objects/', 'src/operations/', 'src/store/', 'src/crypto/'],
    instead: 'throw a KmipError for the client, a class of the folder for the caller, a TypeError for our own mistakes',
    files: {},
  },
  {
    what: 'comparing protocol versions',
    pattern: /\b[vV]ersion\s*(?:[<>]=?|[!=]==)\s|(?:(?<!=)[<>]=?|[!=]==)\s*(?:[\w.]*\b[vV]ersion|v[1-3]_\d)\b/,
    within: ['src/'],
    instead: 'put since and until on a row and ask inVersion (kmip/row.ts)',
    files: {
      'src/ttlv/schema.ts': 'leaves out what a version has not',
      'src/kmip/row.ts': 'inVersion itself',
      'src/kmip/attributes.ts': 'whether a version has an attribute',
      'src/kmip/protocol-version.ts': 'a request of a newer version is read up to what is known',
      'src/operations/operation.ts': 'what the version of a request knows of a row, for all operations',
      'src/server/dispatch.ts': 'whether a version has an operation',
      'src/store/lmdb/schema.ts': "the schema's version, which is not the protocol's",
    },
  },
  {
    what: '../',
    pattern: /(?:\bfrom\s*|\bimport\s*\(?\s*)['"`]\.\.\//,
    within: [...everywhereButTests, 'test/'],
    instead: 'import across folders as #room/file',
    files: {
      'test/kmip/registry.test.ts': 'tools/ has no #name: the tool is tried as it is',
      'test/conformance/subject.ts': 'conformance/ has no #name: this is the one door to it',
    },
  },
  {
    what: 'a URL upwards',
    pattern: /\bURL\(\s*['"`]\.\.\//,
    within: everywhereButTests,
    instead: 'resolve #room/file',
    files: {
      'src/store/lmdb/open.ts': 'the thread, which lies beside src/ or beside what src/ was compiled to',
      'src/audit/open.ts': 'the thread, which lies beside src/ or beside what src/ was compiled to',
      'src/backup/check-thread.ts': 'the thread, which lies beside src/ or beside what src/ was compiled to',
      'src/fronts.ts': 'the thread, which lies beside src/ or beside what src/ was compiled to',
      'src/crypto/run.ts': 'the worker, which lies beside src/ or beside what src/ was compiled to',
      'tools/registry.ts': 'the files that it writes',
    },
  },
]

/** Tests that may be left out where what they need is not part of the project, each with its reason. */
export const conditionalTests: Readonly<Record<string, string>> = {
  'test/kmip/registry.test.ts': 'the same cases, read for the names that they use',
  'test/admin/reference.test.ts':
    "the reference's text is not ours to give away; KMIPD_REFERENCE names its folder, as .ci/run does",
  'test/conformance/run.test.ts':
    "OASIS's cases are not ours to give away; KMIPD_OASIS names their folder, as .ci/run does",
}

/** Names that say nothing of what a file holds. */
export const bannedFileNames = ['utils', 'helpers', 'common', 'misc', 'types', 'manager', 'service']

/** Lines of a file at most, and the generated tables that may have more. */
export const linesMax = 600
export const workerLinesMax = 40
export const generatedFiles: readonly string[] = [
  'src/kmip/tags.ts',
  'src/kmip/enums.ts',
  'src/kmip/attribute-rules.ts',
]

/** Files from which everything else must be reached, beside the tests: commands and threads. */
export const entryFiles: readonly RegExp[] = [
  /^src\/(?:main|kmipctl|health)\.ts$/,
  /^(?:bench|conformance)\/main\.ts$/,
  /^bench\/micro\/[\w-]+\.ts$/,
  /^docs\/examples\/[\w-]+\.ts$/,
  /^tools\/[\w-]+\.ts$/,
  /^workers\/[\w-]+\.ts$/,
  /^test\/(?:faults\/(?:attacks|kill|timing)|store\/fixtures\/make|fuzz\/(?:command|live)|sim\/sim)\.ts$/,
]

/** Files of `src/` that only tests reach, each with its reason. */
export const reachedByTestsOnly: Readonly<Record<string, string>> = {}

/** Payloads of operations that servers send (KMIP 1.4 §5): no operation of ours answers them. */
export const sentByServers: readonly string[] = ['notify', 'put']

/** Files that name operations beside the operations themselves. */
export const operationNamers: readonly string[] = [
  'src/kmip/profiles.ts',
  'src/kmip/enums.ts',
  'src/kmip/attribute-rules.ts',
  'src/kmip/payloads/index.ts',
  'src/operations/index.ts',
  'src/operations/server-requests.ts',
  'src/server/group-keeper.ts',
]

/** Hosts that files may name, each with its reason. */
export const hosts: Readonly<Record<string, string>> = {
  'www.apache.org': 'LICENSE',
  'csrc.nist.gov': 'conformance/assertions: what a test case prints of a validation',
  'github.com': 'package-lock.json: whom to fund',
  'opencollective.com': 'package-lock.json: whom to fund',
  'paulmillr.com': 'package-lock.json: whom to fund',
}

/** Data of others: not searched for words, hosts and paths. */
export const foreignData: readonly RegExp[] = [/^tools\/specification\//, /^conformance\/cases\//, /^test\/vectors\//]
