// Every NDX_* variable, once: its schema, its default, what it is for. Read once by each process's main, checked as a whole
// (all faults reported together, unknown NDX_* names refused), frozen, and handed on as an argument. README's table is
// generated from here. No secret has a default; secrets are files under the data directory (runtime/secrets.ts).
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import Ajv from 'ajv'

interface Setting {
  schema: {
    type: 'string' | 'integer'
    minimum?: number
    maximum?: number
    minLength?: number
    enum?: readonly string[]
    pattern?: string
  }
  fallback?: string | number
  about: string
}

const port = (fallback: number, about: string): Setting => ({
  schema: { type: 'integer', minimum: 0, maximum: 65_535 },
  fallback,
  about,
})
const text = (fallback: string | undefined, about: string): Setting => ({
  schema: { type: 'string', minLength: 1 },
  ...(fallback === undefined ? {} : { fallback }),
  about,
})
const count = (fallback: number, maximum: number, about: string): Setting => ({
  schema: { type: 'integer', minimum: 1, maximum },
  fallback,
  about,
})

export const settings = Object.freeze({
  NDX_HOST: text('127.0.0.1', 'address the gateway listens on'),
  NDX_PORT: port(8080, 'port the gateway listens on; 0: any free one'),
  NDX_OPERATIONS_HOST: text(
    '127.0.0.1',
    'address of the operations listener (metrics, counters, health); never a public one',
  ),
  NDX_OPERATIONS_PORT: port(9464, 'port of the operations listener; 0: any free one'),
  NDX_INNER_HOSTS: {
    schema: { type: 'string', pattern: '^[A-Za-z0-9._, -]+$' },
    about:
      'names, comma-separated, under which ledger, witness and operations listeners may be asked; always: addresses, localhost, the machine’s own name, that of NDX_LEDGER_URL',
  },
  NDX_DATA_DIR: text(
    'data',
    'folder of generated secrets, the simulated clients’ keys, the log, and notes that the broker does not have yet',
  ),
  NDX_CONTRACTS_DIR: text(undefined, 'folder of contracts and agreements; default: the ones that come with NDX'),
  NDX_SERVICES_DIR: text(undefined, 'folder of adapters; default: the ones that come with NDX'),
  NDX_KAFKA_BROKERS: text(undefined, 'comma-separated host:port; unset: the embedded bus'),
  NDX_REDIS_URL: text(undefined, 'redis://host:port; unset: the embedded counters'),
  NDX_REDIS_PASSWORD_FILE: text(undefined, 'file that holds the Redis password'),
  NDX_INSTANCE: {
    schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,60}$' },
    about: 'name of this process; default: host name and process id',
  },
  NDX_INSTANCES: count(1, 1000, 'gateways that share the limits while Redis is away'),
  NDX_REPLY_PARTITION: {
    schema: { type: 'integer', minimum: 0, maximum: 7 },
    about: 'reply partition of this gateway; default: from the instance name',
  },
  NDX_ISSUER: text('http://localhost:8080', 'issuer (iss) of access tokens'),
  NDX_AUDIENCE: text('ndx', 'audience (aud) of access tokens'),
  NDX_ISSUER_JWKS_URL: text(undefined, 'key set of an external issuer; set: the token endpoint is off'),
  NDX_ID_SCHEME: {
    schema: { type: 'string', enum: ['simulated', 'real'] },
    fallback: 'simulated',
    about: 'which personal numbers and enterprise codes are accepted',
  },
  NDX_NATION_SEED: count(1, 4_294_967_295, 'seed of the synthetic nation'),
  NDX_PENDING_MAX: count(10_000, 1_000_000, 'exchanges a gateway holds at once; more are shed with 503'),
  NDX_INTAKE_MAX: count(
    512,
    1_000_000,
    'questions a gateway has in hand before they are on their way; more are shed with 503',
  ),
  NDX_EVENT_LOOP_DELAY_MAX_MS: count(1000, 60_000, 'event-loop delay (p99 of a second) above which a gateway sheds'),
  NDX_PROVIDER_PENDING_MAX: count(2000, 1_000_000, 'exchanges a gateway holds at once for one provider'),
  NDX_GATEWAY_URL: text(undefined, 'where registers ask other registers; default: the gateway of this process'),
  NDX_LEDGER_URL: text(undefined, 'where gateways ask the ledger; default: the one of this process'),
  NDX_LEDGER_BEHIND_MAX_MS: count(
    3_600_000,
    82_800_000,
    'how far the ledger may be behind before a gateway discloses and effects nothing; without NDX_LEDGER_URL there is no bound',
  ),
  NDX_ADDRESS_REFUSALS_PER_SECOND: {
    schema: { type: 'integer', minimum: 0, maximum: 1_000_000 },
    fallback: 50,
    about:
      'refusals without an identified client that one address may cause, four times as many at once; past them only verified tokens pass; 0: no bound',
  },
  NDX_LEDGER_HOST: text('127.0.0.1', 'address the ledger listens on; never a public one'),
  NDX_LEDGER_PORT: port(9470, 'port the ledger listens on; 0: any free one'),
  NDX_LOG_ORIGIN: {
    schema: { type: 'string', pattern: '^[a-z0-9][a-z0-9./-]{0,99}$' },
    fallback: 'ndx.example/ledger',
    about: 'name of the ledger’s log, in every checkpoint',
  },
  NDX_WITNESS_URLS: text(undefined, 'comma-separated addresses of witnesses that cosign checkpoints'),
  NDX_WITNESSES_MIN: {
    schema: { type: 'integer', minimum: 0, maximum: 16 },
    fallback: 0,
    about:
      'cosignatures that the log’s newest head needs for the ledger to be ready; 0: witnesses are asked, not needed',
  },
  NDX_WITNESS_PORT: port(9480, 'port a witness listens on; 0: any free one'),
  NDX_CALLBACK_NETWORKS: text(undefined, 'private networks (CIDR, comma-separated) that callbacks may go to'),
  NDX_POOL_SIZE: count(64, 10_000, 'questions an adapter handles at once'),
  NDX_DRAIN_MS: {
    schema: { type: 'integer', minimum: 0, maximum: 60_000 },
    fallback: 0,
    about: 'time between “not ready” and closing the listener, for a load balancer to notice',
  },
  NDX_LOG_LEVEL: {
    schema: { type: 'string', enum: ['debug', 'info', 'warn', 'error', 'silent'] },
    fallback: 'info',
    about: 'least level of log lines; exchange lines are info',
  },
  NDX_LOG_FILE: text(undefined, 'file the log is appended to; default: standard output'),
} satisfies Record<string, Setting>)

/** Names with our prefix that belong to the compose file, the command line or the tests. */
const foreignNames = [
  'NDX_URL',
  'NDX_OPERATIONS_URL',
  'NDX_TEST_STACK',
  'NDX_KAFKA_PORT',
  'NDX_REDIS_PORT',
  'NDX_REDIS_PASSWORD',
  'NDX_IMAGE',
]

export interface Config {
  host: string
  port: number
  operationsHost: string
  operationsPort: number
  innerHosts: string[]
  dataDir: string
  contractsDir?: string
  servicesDir?: string
  kafkaBrokers?: string[]
  redisUrl?: string
  redisPasswordFile?: string
  instance: string
  instances: number
  replyPartition?: number
  issuer: string
  audience: string
  issuerJwksUrl?: string
  idScheme: 'simulated' | 'real'
  nationSeed: number
  pendingMax: number
  intakeMax: number
  providerPendingMax: number
  gatewayUrl?: string
  ledgerUrl?: string
  ledgerBehindMaxMs: number
  addressRefusalsPerSecond: number
  ledgerHost: string
  ledgerPort: number
  logOrigin: string
  witnessUrls: string[]
  witnessesMin: number
  witnessPort: number
  callbackNetworks: string[]
  eventLoopDelayMaxMs: number
  poolSize: number
  drainMs: number
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  logFile?: string
}

/** All that is wrong with the environment, one line a fault. */
export class ConfigError extends Error {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(`configuration: ${faults.length} fault(s)\n  ${faults.join('\n  ')}\nREADME lists every NDX_* variable.`)
    this.name = 'ConfigError'
    this.faults = faults
  }
}

type Name = keyof typeof settings
type Values = Partial<Record<string, string | number>>

/** Only environment values are coerced (they are all text); nothing else in NDX is. */
const isValid = new Ajv.default({ coerceTypes: true, useDefaults: true, allErrors: true }).compile<Values>({
  type: 'object',
  properties: Object.fromEntries(
    Object.entries<Setting>(settings).map(([name, { schema, fallback }]) => [
      name,
      { ...schema, ...(fallback === undefined ? {} : { default: fallback }) },
    ]),
  ),
})

/** Reads the environment. Throws ConfigError. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const named = Object.entries(environment).filter(
    ([name, value]) => name.startsWith('NDX_') && value !== undefined && value !== '',
  )
  const unknown = named
    .map(([name]) => name)
    .filter(name => !Object.hasOwn(settings, name) && !foreignNames.includes(name))
  const values = Object.fromEntries(named) as Values
  const faults = unknown.map(name => `${name}: there is no such variable`)
  if (!isValid(values))
    faults.push(...(isValid.errors ?? []).map(error => `${error.instancePath.slice(1)}: ${error.message}`))
  if (faults.length > 0) throw new ConfigError(faults)
  return Object.freeze(toConfig(values))
}

function toConfig(values: Values): Config {
  const text = (name: Name): string => String(values[name])
  const number = (name: Name): number => Number(values[name])
  const optional = (name: Name, key: keyof Config): Partial<Config> =>
    values[name] === undefined ? {} : { [key]: values[name] }
  const brokers = values['NDX_KAFKA_BROKERS']
  return {
    host: text('NDX_HOST'),
    port: number('NDX_PORT'),
    operationsHost: text('NDX_OPERATIONS_HOST'),
    operationsPort: number('NDX_OPERATIONS_PORT'),
    innerHosts: [...listOf(values['NDX_INNER_HOSTS']), ...hostOf(values['NDX_LEDGER_URL'])].filter(name => name !== ''),
    dataDir: resolve(text('NDX_DATA_DIR')),
    ...optional('NDX_CONTRACTS_DIR', 'contractsDir'),
    ...optional('NDX_SERVICES_DIR', 'servicesDir'),
    ...(brokers === undefined ? {} : { kafkaBrokers: listOf(brokers) }),
    ...optional('NDX_REDIS_URL', 'redisUrl'),
    ...optional('NDX_REDIS_PASSWORD_FILE', 'redisPasswordFile'),
    instance: values['NDX_INSTANCE'] === undefined ? ownName() : text('NDX_INSTANCE'),
    instances: number('NDX_INSTANCES'),
    ...optional('NDX_REPLY_PARTITION', 'replyPartition'),
    issuer: text('NDX_ISSUER'),
    audience: text('NDX_AUDIENCE'),
    ...optional('NDX_ISSUER_JWKS_URL', 'issuerJwksUrl'),
    idScheme: text('NDX_ID_SCHEME') as Config['idScheme'],
    nationSeed: number('NDX_NATION_SEED'),
    pendingMax: number('NDX_PENDING_MAX'),
    intakeMax: number('NDX_INTAKE_MAX'),
    providerPendingMax: number('NDX_PROVIDER_PENDING_MAX'),
    ...optional('NDX_GATEWAY_URL', 'gatewayUrl'),
    ...optional('NDX_LEDGER_URL', 'ledgerUrl'),
    ledgerBehindMaxMs: number('NDX_LEDGER_BEHIND_MAX_MS'),
    addressRefusalsPerSecond: number('NDX_ADDRESS_REFUSALS_PER_SECOND'),
    ledgerHost: text('NDX_LEDGER_HOST'),
    ledgerPort: number('NDX_LEDGER_PORT'),
    logOrigin: text('NDX_LOG_ORIGIN'),
    witnessUrls: listOf(values['NDX_WITNESS_URLS']),
    witnessesMin: number('NDX_WITNESSES_MIN'),
    witnessPort: number('NDX_WITNESS_PORT'),
    callbackNetworks: listOf(values['NDX_CALLBACK_NETWORKS']),
    eventLoopDelayMaxMs: number('NDX_EVENT_LOOP_DELAY_MAX_MS'),
    poolSize: number('NDX_POOL_SIZE'),
    drainMs: number('NDX_DRAIN_MS'),
    logLevel: text('NDX_LOG_LEVEL') as Config['logLevel'],
    ...optional('NDX_LOG_FILE', 'logFile'),
  }
}

const listOf = (value: string | number | undefined): string[] =>
  value === undefined
    ? []
    : String(value)
        .split(',')
        .map(item => item.trim())

const hostOf = (url: string | number | undefined): string[] => {
  const text = String(url ?? '')
  return URL.canParse(text) ? [new URL(text).hostname] : []
}

const ownName = (): string =>
  `${hostname()
    .replaceAll(/[^A-Za-z0-9.-]/g, '-')
    .slice(0, 40)}-${process.pid}`
