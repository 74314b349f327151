/**
 * The rows of the settings: name (unit last), default, bounds, reason. What it is: data, with the functions that spell a row.
 * What it is not: how a setting is read (`config.ts`), or documented (`settings-document.ts`).
 */

interface IntegerRow {
  readonly kind: 'integer'
  readonly value: number
  readonly min: number
  readonly max: number
}

interface ChoiceRow<V extends string> {
  readonly kind: 'choice'
  readonly value: V
  readonly choices: readonly V[]
}

interface TextRow {
  readonly kind: 'text'
  readonly value: string
  /** What a text must look like, and how to say it. */
  readonly pattern: RegExp
  readonly expected: string
}

interface ListRow {
  readonly kind: 'list'
  readonly value: readonly string[]
  readonly pattern: RegExp
  readonly expected: string
}

type Described<R> = R & { readonly reason: string; readonly flag?: string }
export type Row = Described<IntegerRow> | Described<ChoiceRow<string>> | Described<TextRow> | Described<ListRow>

function integer(value: number, min: number, max: number, reason: string): Described<IntegerRow> {
  return { kind: 'integer', value, min, max, reason }
}

function choice<const V extends string>(
  value: NoInfer<V>,
  choices: readonly V[],
  reason: string,
): Described<ChoiceRow<V>> {
  return { kind: 'choice', value, choices, reason }
}

function text(value: string, pattern: RegExp, expected: string, reason: string, flag?: string): Described<TextRow> {
  return { kind: 'text', value, pattern, expected, reason, ...(flag === undefined ? {} : { flag }) }
}

function list(pattern: RegExp, expected: string, reason: string, value: readonly string[] = []): Described<ListRow> {
  return { kind: 'list', value, pattern, expected, reason }
}

const KiB = 1_024
const MiB = 1_024 * KiB
const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs

/** The rows, by the name that the code uses. Groups are for the reader of the documentation. */
export const settingGroups = {
  'Place and interface': {
    dataDirectory: text(
      './data',
      /^[^\0]+$/,
      'a path',
      'Everything that the server keeps: store, root key, first-start files. One server at a time may have it.',
      'data',
    ),
    host: text(
      'all',
      /^(?:all|[0-9A-Za-z.:_-]+)$/,
      'all, an address, or a host name',
      'Address to listen on. `all` is every address of the machine, IPv6 and IPv4.',
    ),
    port: integer(5696, 0, 65_535, 'The port that IANA gave to KMIP. 0 lets the system choose a free one.'),
    httpsPort: integer(
      0,
      0,
      65_535,
      'Port of messages in HTTPS: POST /kmip, as text/xml, application/json or application/octet-stream. 0: none. The same rules for clients as on the KMIP port.',
    ),
    adminPort: integer(
      0,
      0,
      65_535,
      'Port of the administration over HTTPS, with log-in. 0: none; the local socket `admin.sock` in the data folder is always there.',
    ),
    logInLifetimeMs: integer(
      15 * minuteMs,
      1 * minuteMs,
      24 * hourMs,
      'How long a log-in to the administration over HTTPS is good for.',
    ),
    clientAddresses: list(
      /^[^,=]+=[0-9A-Za-z._:-]+:\d{1,5}$/,
      'users with an address, such as local|kmip=appliance.example:5697, with commas between them',
      'Where clients listen for requests of the server: Put of new objects of the user, Notify of changed ones. The listener must show the certificate of a registered client of the user. docs/server-to-client.md says when.',
    ),
    clientQuestions: list(
      /^(?:none|Query(?:Operations|Objects|ServerInformation|ExtensionList|ExtensionMap|AttestationTypes|RNGs|Validations|Profiles|Capabilities|ClientRegistrationMethods))$/,
      'Query Functions such as QueryOperations, with commas between them, or none',
      'What a client at such an address is asked before it is sent anything, beside the versions that it speaks. By the operations and object types that it tells, requests are left out; the rest goes to the log. none: no questions.',
      ['QueryOperations', 'QueryObjects'],
    ),
    interfaceMode: choice(
      'tls-cert-pw-opt',
      ['tls-pw-opt', 'tls-pw-req', 'tls-cert-pw-opt', 'tls-cert-and-pw'],
      'Whom a session acts as: docs/interfaces.md. The settings of this group are those of the interface kmip, where kmipctl has not set it otherwise.',
    ),
    minTlsVersion: choice(
      'TLSv1.2',
      ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'],
      'The oldest TLS that is spoken. Older than 1.2 needs `tlsProfile` compatible, and is for appliances that know no better.',
    ),
    tlsProfile: choice(
      'modern',
      ['modern', 'compatible'],
      'Cipher suites and signatures. `compatible` adds RSA key exchange, CBC suites and SHA-1 chains for old appliances.',
    ),
    certificateNames: list(
      /^[0-9A-Za-z.:_-]+$/,
      'DNS names and addresses, with commas between them',
      "More names for the server's certificate, beside localhost, 127.0.0.1, ::1 and the host's name: a load balancer's, say.",
    ),
  },
  Seal: {
    rootKeySource: choice(
      'file',
      ['file', 'environment', 'passphrase'],
      'Where the root key comes from, which seals everything: a file; the variable KMIPD_ROOT_KEY; a passphrase, from KMIPD_PASSPHRASE, from a file or typed at the start. docs/seal.md compares them.',
    ),
    rootKeyFile: text(
      '',
      /^[^\0]*$/,
      'a path',
      'File with the root key, 64 hexadecimal digits: on another disk, or a secret of the container such as /run/secrets/kmipd-root-key. It must be there. Empty: `root.key` in the data folder, which a first start makes.',
    ),
    passphraseFile: text(
      '',
      /^[^\0]*$/,
      'a path',
      'File with the passphrase, for `rootKeySource` passphrase. Nobody but its owner may read it. Empty: KMIPD_PASSPHRASE, else it is asked for at the terminal.',
    ),
  },
  'A message': {
    requestSizeMax: integer(
      1 * MiB,
      1 * KiB,
      64 * MiB,
      'Bytes of one request. Large enough for data of Encrypt and for certificates.',
    ),
    responseSizeMax: integer(
      8 * MiB,
      64 * KiB,
      256 * MiB,
      'Bytes of one answer. A batch of searches is small and its answer is not: it is given up while it grows, with Response Too Large, and nothing is changed. A client that names a smaller size is held to that.',
    ),
    nestingDepthMax: integer(32, 8, 64, 'Structures within structures, far deeper than the specification nests them.'),
    itemCountMax: integer(
      16_384,
      64,
      1_048_576,
      'TTLV items of one request: bounds what decoding allocates, and how long it holds the thread (some 5 ms). Raise it with `batchCountMax`.',
    ),
    batchCountMax: integer(256, 1, 10_000, 'Batch items of one request. Clients are seen to send 4.'),
    locatePages: choice(
      'newest',
      ['newest', 'oldest'],
      'What comes first in a Locate with Maximum Items or Offset Items; the specification names no order. `oldest`: what is made meanwhile comes behind the last page, so that no page moves.',
    ),
    locateItemsMax: integer(
      10_000,
      1,
      100_000,
      'Identifiers that one Locate returns; with Offset Items a client gets the rest.',
    ),
  },
  'A session': {
    sessionsMax: integer(10_000, 1, 1_000_000, 'Open sessions; one more is closed before its handshake.'),
    sessionsPerAddressMax: integer(
      5_000,
      1,
      1_000_000,
      'The same for one address and one thread with listeners, so that one machine cannot take the room of all others. Raise it to `sessionsMax` where all clients come by one address, such as that of a load balancer.',
    ),
    failedSessionsPerAddressMax: integer(
      5,
      0,
      1_000_000,
      'Connections of one address to one thread with listeners that come to nothing in a second (no handshake or a failed one, a session in which nothing is asked that can be read, bytes that are no messages, requests or answers that stick, clients without service). Four seconds of them may come at once; when there were more, so many of the address are begun in a second, one by one, and four seconds of them wait. 0: any number, for where all clients come by one address.',
    ),
    handshakeTimeoutMs: integer(10 * secondMs, 100, 5 * minuteMs, 'Time to finish the TLS handshake.'),
    requestTimeoutMs: integer(30 * secondMs, 100, hourMs, 'Time to complete a request once its first byte came.'),
    passwordLengthMin: integer(
      8,
      1,
      128,
      'Characters that a new password of a local user has at least. Passwords that are there stay good.',
    ),
    credentialMemoryMs: integer(
      minuteMs,
      0,
      hourMs,
      'How long a session may go on with a user name and password that were right, so that their cost is paid once. A change of the user ends it at once. 0: each request is checked anew.',
    ),
    idleTimeoutMs: integer(
      8 * hourMs,
      0,
      7 * 24 * hourMs,
      'Time without a request after which a session is closed; 0: never. Hours, because clients keep pools and take an unannounced close for a failure.',
    ),
    keepAliveDelayMs: integer(
      minuteMs,
      secondMs,
      2 * hourMs,
      'Silence before TCP keepalive asks whether the peer is still there.',
    ),
    unansweredRequestsMax: integer(
      64,
      1,
      4_096,
      'Requests of one session that may wait for their answers; at this many, reading stops. Pipelining clients send 8.',
    ),
    unansweredBytesMax: integer(
      4 * MiB,
      64 * KiB,
      256 * MiB,
      'Bytes of requests and answers that one session may hold in memory; at this many, reading stops.',
    ),
    heldBytesPerClientMax: integer(
      64 * MiB,
      1 * MiB,
      16_384 * MiB,
      'Bytes that all sessions of one client, told by its certificate, may hold in a thread with listeners: of requests from 16 KiB on, and as many of answers that are made and not taken. Beyond it the next ones wait.',
    ),
    heldBytesMax: integer(256 * MiB, 1 * MiB, 65_536 * MiB, 'The same for all clients together.'),
    tlsSessionLifetimeSeconds: integer(
      7_200,
      0,
      172_800,
      'How long a TLS session can be resumed without a full handshake; 0: not at all.',
    ),
    tlsSessionsCachedMax: integer(
      4_096,
      0,
      1_000_000,
      'TLS 1.2 sessions kept for clients that resume by identifier and not by ticket.',
    ),
  },
  Threads: {
    fronts: integer(
      0,
      0,
      64,
      'Threads with listeners of their own on every KMIP port, among which the system spreads the connections. 1: the main thread serves, and nothing crosses threads. 0: 1 on one or two cores, else one less than the cores, at most 16.',
    ),
    ticketKeysRotateMs: integer(
      hourMs,
      minuteMs,
      24 * hourMs,
      'How long TLS sessions are resumed under the same ticket keys: new ones are drawn then, for all threads at once, and who comes with an older ticket does a full handshake.',
    ),
  },
  'Work and disk': {
    storeQueueMax: integer(
      4_096,
      1,
      1_000_000,
      'Commits that may wait for the disk; one more is answered with an error that says to try again.',
    ),
    storeQueueBytesMax: integer(64 * MiB, 1 * MiB, 4_096 * MiB, 'Bytes of those commits.'),
    storeCacheBytesMax: integer(
      64 * MiB,
      0,
      65_536 * MiB,
      'Memory for records that were read lately, opened: keys in clear are among them. Shared out among the threads with listeners. 0: none are kept.',
    ),
    answerCacheBytesMax: integer(
      64 * MiB,
      0,
      65_536 * MiB,
      'Memory for answers to requests that only read, as they were sent: the same request of the same user has the same bytes again, as long as nothing that they tell has changed; and for what was decided of requests that encrypt, decrypt or compute codes, so that those which differ in their data alone are not decided again. Keys in clear are among them. Shared out among the threads with listeners. 0: none are kept.',
    ),
    cryptoPlacement: choice(
      'auto',
      ['auto', 'pool'],
      '`auto`: what costs less than a trip to a worker runs where it is. `pool`: everything goes to the workers.',
    ),
    cryptoWorkers: integer(
      0,
      0,
      256,
      'Threads for cryptography, and from the first RSA key pair on as many of low priority for what takes long; 0: one less than the cores, at least one.',
    ),
    cryptoQueueMax: integer(
      4_096,
      1,
      1_000_000,
      'Jobs that may wait for a crypto worker; one more is answered with an error that says to try again.',
    ),
    cryptoKeptKeysMax: integer(
      256,
      0,
      100_000,
      'Private and public keys of users that each thread keeps read after a use, which saves most of the cost of the next one. 0: none, so that a key leaves memory with each use.',
    ),
    cryptoKeptKeysIdleMs: integer(60_000, 100, 86_400_000, 'A kept key that was not used for so long is dropped.'),
    asynchronousOperations: choice(
      'slow',
      ['none', 'slow', 'all'],
      'Which operations a client that sets the Asynchronous Indicator is told to poll for: none; those that may take long (Locate, Archive, Recover, making key pairs); all. With none there is no Poll and no Cancel, and Query says so.',
    ),
    asynchronousRequestsMax: integer(
      1_000,
      1,
      100_000,
      'Asynchronous requests and kept results of all users. Beyond them, requests are answered at once.',
    ),
    asynchronousRequestsPerUserMax: integer(
      100,
      1,
      100_000,
      'The same for one user; a new request takes the place of the oldest result.',
    ),
    asynchronousRunningMax: integer(4, 1, 1_024, 'Asynchronous requests that run at once.'),
    asynchronousDelayMs: integer(
      100,
      0,
      minuteMs,
      'From taking an asynchronous request to its start: until then it can be cancelled, and others go first.',
    ),
    outgoingQueueMax: integer(1_000, 1, 100_000, 'Requests of the server to clients that wait; one more is dropped.'),
    outgoingAttemptsMax: integer(
      6,
      1,
      100,
      'How often a request of the server to a client is tried before it is given up. Those behind it wait: they come in order.',
    ),
    outgoingRetryMs: integer(
      1_000,
      10,
      minuteMs,
      'From the first failure of such a request to the next attempt; each wait is twice the one before, to a minute at most.',
    ),
    asynchronousKeepMs: integer(
      10 * minuteMs,
      secondMs,
      24 * hourMs,
      'How long the result of an asynchronous request is kept for Poll, in memory: a restart forgets it.',
    ),
    drainTimeoutMs: integer(
      15 * secondMs,
      0,
      10 * minuteMs,
      'After SIGTERM, time for requests that were taken to be answered.',
    ),
  },
  Objects: {
    attributeInstancesMax: integer(256, 1, 65_536, 'Instances of one attribute of one object.'),
    attributesPerObjectMax: integer(
      1_024,
      64,
      65_536,
      'Attribute instances of one object: bounds its record and its index entries.',
    ),
    attributeBytesMax: integer(
      128 * KiB,
      16 * KiB,
      16 * MiB,
      'Bytes of all attributes of one object, names included: the object is written whole with each change, and Get Attributes tells of all.',
    ),
    createdRsaBitsMax: integer(
      4_096,
      2_048,
      16_384,
      'RSA keys made here. A key of 8192 bits costs a worker many seconds. Registered keys may be larger.',
    ),
    createdSymmetricBitsMax: integer(
      4_096,
      256,
      65_536,
      'Symmetric keys made or derived here; the longest useful ones are for HMAC.',
    ),
    keyMaterialBytesMax: integer(
      256 * KiB,
      4 * KiB,
      16 * MiB,
      'Bytes of one registered object: keys, certificates, secrets, opaque data.',
    ),
    deriveIterationsMax: integer(
      1_000_000,
      1_000,
      100_000_000,
      'Iterations that a client may ask of PBKDF2, or with a PKCS#12 container that it registers: about a second of a worker.',
    ),
    pkcs12Iterations: integer(
      100_000,
      2_048,
      1_000_000,
      'Iterations of each of the three derivations from the password of a PKCS#12 container: 100,000 take a worker 0.1 s.',
    ),
    randomBytesMax: integer(64 * KiB, 32, 16 * MiB, 'Bytes that one RNG Retrieve returns.'),
    rngSeed: choice(
      'use',
      ['use', 'ignore', 'refuse'],
      'What becomes of the data of RNG Seed. `use` stirs it into what RNG Retrieve returns, which it cannot make worse; keys take nothing of it.',
    ),
    rngSeedBytesMax: integer(16, 1, 4_096, 'Bytes of a seed that are used: 128 bits by default. The rest is left.'),
    missingUsageMask: choice(
      'refuse',
      ['refuse', 'none'],
      'Create of a Symmetric Key without a Cryptographic Usage Mask, which the specification requires. `none`: the key is made and may be used for nothing until the mask is set.',
    ),
    missingIv: choice(
      'refuse',
      ['refuse', 'zeros'],
      'Encrypt and Decrypt in CBC mode without an IV. `zeros` is for clients that put the IV in front of the data and drop the first block of the answer.',
    ),
    unnamedPadding: choice(
      'none',
      ['none', 'PKCS5'],
      'Padding of Encrypt and Decrypt in ECB and CBC where a mode is named and no padding is.',
    ),
    streaming: choice(
      'on',
      ['on', 'off'],
      'Operations in parts (Init Indicator, Correlation Value). `off`: a part is answered with Feature Not Supported, and Query says so.',
    ),
    streamsPerUserMax: integer(
      64,
      1,
      65_536,
      'Operations in parts (Init Indicator, Correlation Value) that one user may have begun and not ended; one more is refused.',
    ),
    streamBytesMax: integer(
      16 * MiB,
      64 * KiB,
      1_024 * MiB,
      'Bytes of one operation in parts, all parts together: some modes keep them in memory to the end.',
    ),
    streamIdleTimeoutMs: integer(
      5 * minuteMs,
      secondMs,
      24 * hourMs,
      'Time without a part after which an operation in parts is forgotten.',
    ),
    filledGroups: list(
      /^[^,=:]{1,64}=\w{1,32}:\d{2,5}:\d{1,4}$/,
      'groups with algorithm, bits and number such as default=AES:256:10, with commas between them',
      'Object Groups in which the server keeps so many fresh symmetric keys ready, for clients that locate a fresh member of the group: the keys belong to nobody (`global`), are Pre-Active, and are made anew as clients take them.',
    ),
    groupKeysPerSecondMax: integer(
      16,
      1,
      1_000,
      'Keys that the server makes for such groups in a second: who takes key after key does not fill the disk faster.',
    ),
    leaseTimeSeconds: integer(3_600, 0, 31_536_000, 'Lease Time that Obtain Lease grants.'),
    replacementLeaseTimeSeconds: text(
      'same',
      /^(?:same|\d{1,8})$/,
      'same, or seconds up to 99999999',
      'Lease Time of an object that replaces another (Re-key, Re-key Key Pair, an Import over one that is there). 0: no lease, so that whoever changes to it need not come back. same: as all others.',
    ),
    destroyedObjects: choice(
      'keep',
      ['keep', 'remove'],
      'Whether Destroy keeps the attributes of an object, with its state, or leaves nothing of it.',
    ),
    archivedAttributes: choice(
      'refuse',
      ['refuse', 'give'],
      'Whether Get Attributes tells of archived objects; the specification refuses it.',
    ),
    wrappingAllowed: choice(
      'common',
      ['common', 'all'],
      'What is wrapped: symmetric keys under AES Key Wrap and RSA, private keys under AES-256 with RFC 5649; or all that works.',
    ),
    unwrapMask: choice(
      'unwrap',
      ['unwrap', 'either'],
      'Whether a key unwraps by its Unwrap Key bit alone, or also by its Wrap Key bit.',
    ),
    registeredWrapped: choice(
      'keep',
      ['keep', 'unwrap'],
      'What Register does with a wrapped key: keep it as it is, or unwrap it.',
    ),
  },
  Answers: {
    assertions: text(
      'none',
      /^[^\0]+$/,
      'none, or the path of a JSON file',
      'What the deployment asserts of its platform and certification, told in Query in place of what the server knows by itself: generators, validations, profiles, capabilities, ways of registration, extensions. docs/assertions.md has the form.',
    ),
    serverCorrelationValues: choice(
      'off',
      ['off', 'on'],
      'Whether responses of KMIP 1.4 carry a Server Correlation Value. Off, because clients exist that refuse a response with one.',
    ),
  },
  Operation: {
    logLevel: choice(
      'info',
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace'],
      'The least severe log lines that are written. No level shows key material or passwords. `kmipctl logs setlevel` changes it while the server runs.',
    ),
    logFileBytesMax: integer(
      8 * MiB,
      64 * KiB,
      256 * MiB,
      'Bytes of each of the two files of the log in the data folder, which take turns and are what `kmipctl logs download` gives.',
    ),
    licencePublicKey: text(
      '',
      /^[A-Za-z0-9+/=]*$/,
      'an Ed25519 public key (SPKI DER in Base64)',
      'For who distributes the server with a licence: after 90 days KMIP is served only with a licence text signed by this key. Empty: no licence is needed.',
    ),
    installationMark: text(
      '',
      /^[^\0]*$/,
      'a path',
      'File outside the data folder that notes the installation, so that another data folder is no other trial. Empty: `.kmipd-installation` in the home folder of the user who runs the server. Of use only with `licencePublicKey`.',
    ),
  },
  'Audit and watching': {
    audit: choice(
      'durable',
      ['off', 'relaxed', 'durable'],
      'The audit trail in the data folder. `durable`: no answer to what changes a key or gives one away leaves before its line is on the disk; the lines of all requests of a moment share one sync, at the same time as their changes. `relaxed`: no answer waits, and a power cut costs the lines of about a second. docs/audit.md says more.',
    ),
    auditFileBytesMax: integer(
      16 * MiB,
      64 * KiB,
      1_024 * MiB,
      'Bytes from which on a file of the audit trail is full and the next one begins. A start reads the last one.',
    ),
    auditFilesMax: integer(
      64,
      0,
      10_000_000,
      'Files of the audit trail that are kept: with more, the oldest goes. 0: all, and the disk is yours to watch.',
    ),
    metricsPort: integer(
      0,
      0,
      65_535,
      'Port of /metrics (Prometheus), /healthz and /readyz over plain HTTP, for a network that only operators reach. 0: none.',
    ),
    metricsHost: text(
      '127.0.0.1',
      /^(?:all|[0-9A-Za-z.:_-]+)$/,
      'all, an address, or a host name',
      'Address that the port of the metrics is on: this machine alone, unless it is told otherwise.',
    ),
    tracesUrl: text(
      '',
      /^(?:|https?:\/\/[^\s]+)$/,
      'a URL such as http://localhost:4318/v1/traces',
      'Where an OpenTelemetry collector takes traces (OTLP over HTTP). Empty: there are none, and nothing of it is loaded.',
    ),
    tracesPercent: integer(
      1,
      0,
      100,
      'Of a hundred messages, so many are traced. Those that failed or took longer than `tracesSlowMs` always are.',
    ),
    tracesSlowMs: integer(100, 1, hourMs, 'From when on a message is slow, and always traced.'),
  },
} as const satisfies Record<string, Record<string, Row>>
