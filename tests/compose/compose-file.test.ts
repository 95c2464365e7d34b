// What must be true of docker-compose.yml and the Dockerfile, read without starting anything. tests/integration/compose.test.ts
// asks the running containers.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadRegistry } from '#contracts/registry.ts'
import { readConfig } from '#runtime/config.ts'
import { listProviders } from '#services/handlers.ts'
import { kafkaProperties, toEnvironment } from '#tests/stack/kafka-settings.ts'
import { readComposeFile, root } from './compose-file.ts'

const { services, networks } = readComposeFile()
const entries = Object.entries(services)
const lasting = entries.filter(([, { restart }]) => restart === 'unless-stopped')
const steps = entries.filter(([, { restart }]) => restart === undefined)
const readText = (name: string): string => readFileSync(join(root, name), 'utf8')

describe('docker-compose.yml', () => {
  test('names these images and no other, each by a version', () => {
    const images = new Set(entries.map(([, { image }]) => image))
    expect([...images].toSorted()).toEqual(['apache/kafka:4.1.1', 'ndx:local', 'redis:8-alpine'])
  })

  test.each(entries)('confines %s', (_, service) => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      mem_limit: expect.stringMatching(/^\d+[mg]$/),
      logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '5' } },
    })
  })

  test('runs as root only steps that end and have no network', () => {
    const asRoot = entries.filter(([, { user }]) => user === 'root')
    expect(asRoot.map(([name]) => name).toSorted()).toEqual(['redis-secret', 'secrets'])
    for (const [name, { network_mode }] of asRoot) {
      expect(steps.map(([step]) => step)).toContain(name)
      expect(network_mode).toBe('none')
    }
    expect(entries.filter(([, { cap_add }]) => cap_add !== undefined)).toEqual(asRoot)
  })

  test('asks every process that stays for its health', () => {
    expect(lasting.filter(([, { healthcheck }]) => healthcheck === undefined)).toEqual([])
  })

  test('waits for the end of every step, so that --wait does not take it for a failure', () => {
    const awaited = entries.flatMap(([, { depends_on = {} }]) =>
      Object.entries(depends_on).filter(([, { condition }]) => condition === 'service_completed_successfully'),
    )
    expect(new Set(awaited.map(([name]) => name))).toEqual(new Set(steps.map(([name]) => name)))
  })

  test('publishes ports on 127.0.0.1 only, each of which can be moved', () => {
    const ports = Object.values(readComposeFile(false).services).flatMap(({ ports: published = [] }) => published)
    expect(ports.map(port => port.replaceAll(/\$\{(\w+):-\d+\}/g, '$1')).toSorted()).toEqual([
      '127.0.0.1:NDX_KAFKA_PORT:9092',
      '127.0.0.1:NDX_LEDGER_PORT:9470',
      '127.0.0.1:NDX_OPERATIONS_PORT:9464',
      '127.0.0.1:NDX_PORT:8080',
      '127.0.0.1:NDX_REDIS_PORT:6379',
    ])
  })

  test('has one adapter for each provider that has a contract and handlers', () => {
    const { providers } = loadRegistry({ idScheme: 'simulated' })
    const answering = listProviders().filter(provider => providers.includes(provider))
    const adapters = entries.filter(([name]) => name.startsWith('adapter-'))
    expect(adapters.map(([name]) => name).toSorted()).toEqual(answering.map(name => `adapter-${name}`).toSorted())
    for (const [name, { command }] of adapters)
      expect(command).toEqual(['node', 'services/main.ts', name.slice('adapter-'.length)])
  })

  test('lets adapters reach what is on the road and nothing else', () => {
    for (const [name, service] of entries.filter(([name]) => name.startsWith('adapter-')))
      expect({ name, networks: service.networks }).toEqual({ name, networks: ['road'] })
    expect(networks['road']).toEqual({ internal: true })
    expect(services['redis']?.networks).not.toContain('road')
  })

  test.each(entries.filter(([, { image }]) => image === 'ndx:local'))(
    'gives %s a valid configuration',
    (_, { environment = {} }) => {
      const texts = Object.entries(environment).map(([name, value]) => [name, String(value ?? '')])
      expect(() => readConfig(Object.fromEntries(texts))).not.toThrow()
    },
  )

  test('gives Kafka the settings that the tests run with', () => {
    const own = /LISTENER|QUORUM|LOG_DIRS/
    const tested = toEnvironment(kafkaProperties({ listener: '', advertised: '', controller: '', logDir: '' }))
    for (const [name, value] of Object.entries(tested).filter(([name]) => !own.test(name)))
      expect({ [name]: String(services['kafka']?.environment?.[name]) }).toEqual({ [name]: value })
  })
})

describe('the image', () => {
  test('is made from node:24-slim alone, by any builder, without scripts of packages, for a user who is not root', () => {
    const dockerfile = readText('Dockerfile')
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(match => match[1])
    expect(new Set(bases)).toEqual(new Set(['node:24-slim']))
    expect(dockerfile).not.toMatch(/^# *syntax|--mount|:latest/m)
    expect(dockerfile).toMatch(/npm ci --omit=dev --ignore-scripts/)
    expect(dockerfile).toMatch(/^USER node$/m)
  })

  test('holds every folder that the code imports, and no secret, log or test', () => {
    const manifest = JSON.parse(readText('package.json')) as { imports: Record<string, string> }
    const folders = Object.keys(manifest.imports).map(name => name.slice(1, -2))
    const used = folders.filter(name => !['tests', 'bench'].includes(name) && existsSync(join(root, name)))
    const [all, ...named] = readText('.dockerignore')
      .split('\n')
      .filter(line => !/^(#|$)/.test(line))
    expect(all).toBe('*')
    expect(named).toEqual(expect.arrayContaining(used.map(name => `!${name}`)))
    expect(named.filter(line => /data|tests|\*$|git/.test(line))).toEqual([])
  })
})
