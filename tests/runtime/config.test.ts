// The configuration: every fault at once, unknown names refused, each limit at its border, nothing left to chance or to change.
import { describe, expect, test } from 'vitest'
import { ConfigError, readConfig, settings } from '#runtime/config.ts'

const faultsOf = (environment: Record<string, string>): readonly string[] => {
  try {
    readConfig(environment)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

test('nothing set gives the defaults', () => {
  const { dataDir, instance, ...config } = readConfig({})
  expect(config).toEqual({
    host: '127.0.0.1',
    port: 8080,
    operationsHost: '127.0.0.1',
    operationsPort: 9464,
    instances: 1,
    issuer: 'http://localhost:8080',
    audience: 'ndx',
    idScheme: 'simulated',
    nationSeed: 1,
    pendingMax: 10_000,
    intakeMax: 512,
    eventLoopDelayMaxMs: 1000,
    providerPendingMax: 2000,
    ledgerBehindMaxMs: 3_600_000,
    addressRefusalsPerSecond: 50,
    ledgerHost: '127.0.0.1',
    ledgerPort: 9470,
    logOrigin: 'ndx.example/ledger',
    innerHosts: [],
    witnessesMin: 0,
    witnessUrls: [],
    witnessPort: 9480,
    callbackNetworks: [],
    poolSize: 64,
    drainMs: 0,
    logLevel: 'info',
  })
  expect(dataDir).toMatch(/^\/.*data$/)
  expect(instance).toMatch(/^[A-Za-z0-9.-]+-\d+$/)
})

test('everything set is read', () => {
  const config = readConfig({
    NDX_KAFKA_BROKERS: 'a:1, b:2',
    NDX_REDIS_URL: 'redis://r:6379',
    NDX_REDIS_PASSWORD_FILE: '/run/p',
    NDX_CONTRACTS_DIR: '/c',
    NDX_SERVICES_DIR: '/s',
    NDX_ISSUER_JWKS_URL: 'http://i/keys',
    NDX_REPLY_PARTITION: '7',
    NDX_INSTANCE: 'gateway-1',
    NDX_LOG_FILE: '/l',
    NDX_ID_SCHEME: 'real',
  })
  expect(config).toMatchObject({
    kafkaBrokers: ['a:1', 'b:2'],
    redisUrl: 'redis://r:6379',
    redisPasswordFile: '/run/p',
    contractsDir: '/c',
    servicesDir: '/s',
    issuerJwksUrl: 'http://i/keys',
    replyPartition: 7,
    instance: 'gateway-1',
    logFile: '/l',
    idScheme: 'real',
  })
})

test('every fault is named at once, with its variable', () => {
  const faults = faultsOf({
    NDX_PROT: '1',
    NDX_PORT: 'http',
    NDX_OPERATIONS_PORT: '65536',
    NDX_INSTANCE: 'a b',
    NDX_ID_SCHEME: 'both',
    NDX_PENDING_MAX: '0',
    NDX_LOG_LEVEL: 'verbose',
    NDX_REPLY_PARTITION: '8',
    PATH: '/bin',
  })
  expect(faults.map(fault => fault.split(':')[0])).toEqual([
    'NDX_PROT',
    'NDX_PORT',
    'NDX_OPERATIONS_PORT',
    'NDX_INSTANCE',
    'NDX_REPLY_PARTITION',
    'NDX_ID_SCHEME',
    'NDX_PENDING_MAX',
    'NDX_LOG_LEVEL',
  ])
  expect(faults[0]).toBe('NDX_PROT: there is no such variable')
})

test.each([
  ['NDX_PORT', ['0', '65535'], ['-1', '65536', '80.5', '8o8o']],
  ['NDX_PENDING_MAX', ['1', '1000000'], ['0', '1000001']],
  ['NDX_PROVIDER_PENDING_MAX', ['1', '1000000'], ['0', '1000001']],
  ['NDX_LEDGER_PORT', ['0', '65535'], ['-1', '65536']],
  ['NDX_LOG_ORIGIN', ['a', 'a'.repeat(100)], ['a'.repeat(101), 'A', '/a', 'a b']],
  ['NDX_POOL_SIZE', ['1', '10000'], ['0', '10001']],
  ['NDX_INSTANCES', ['1', '1000'], ['0', '1001']],
  ['NDX_DRAIN_MS', ['0', '60000'], ['-1', '60001']],
  ['NDX_REPLY_PARTITION', ['0', '7'], ['-1', '8']],
  ['NDX_INTAKE_MAX', ['1', '1000000'], ['0', '1000001']],
  ['NDX_EVENT_LOOP_DELAY_MAX_MS', ['1', '60000'], ['0', '60001']],
  ['NDX_NATION_SEED', ['1', '4294967295'], ['0', '4294967296']],
  ['NDX_INSTANCE', ['a', 'a'.repeat(60)], ['a'.repeat(61), 'a/b', 'ä']],
])('%s has limits', (name, good, bad) => {
  for (const value of good) expect([value, faultsOf({ [name]: value })]).toEqual([value, []])
  for (const value of bad) expect([value, faultsOf({ [name]: value }).length]).toEqual([value, 1])
})

test('a variable set to nothing counts as not set', () => {
  expect(readConfig({ NDX_PORT: '', NDX_LOG_FILE: '', NDX_NONE: '' }).port).toBe(8080)
})

test('the result is frozen', () => {
  expect(() => Object.assign(readConfig({}), { port: 1 })).toThrow(TypeError)
})

describe('the settings', () => {
  test.each(Object.entries(settings))('%s says what it is for', (name, { about }) => {
    expect(name).toMatch(/^NDX_[A-Z_]+$/)
    expect(about.length).toBeGreaterThan(10)
  })

  test('hold no default for a secret', () => {
    const secrets = Object.entries(settings).filter(([name]) => /SECRET|PASSWORD|KEY(?!S)/.test(name))
    expect(secrets.filter(([, setting]) => 'fallback' in setting)).toEqual([])
  })
})
