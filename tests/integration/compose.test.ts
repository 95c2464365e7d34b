// What a newcomer gets from `docker compose up --wait`: the whole platform in containers, asked from outside, and whether the
// containers are confined as docker-compose.yml says. Where there is no Docker only the file is checked
// (tests/compose/compose-file.test.ts).
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listProviders } from '#services/handlers.ts'
import { ask } from '#tests/client.ts'
import { type Container, startWholeStack, type WholeStack } from '#tests/compose/whole-stack.ts'
import { enterpriseOf, identityOf } from '#tests/questions.ts'
import { run } from '#tests/shell.ts'

import { stackOfWorker } from '#tests/stack/stack-of-worker.ts'

const steps = ['redis-secret', 'secrets', 'topics']
const servers = ['kafka', 'redis']
const processes = ['gateway', 'ledger', 'witness', ...listProviders().map(provider => `adapter-${provider}`)]

describe.runIf((await stackOfWorker()).kind === 'compose')('docker compose up', () => {
  let stack: WholeStack
  let containers: Container[]

  beforeAll(async () => {
    stack = await startWholeStack()
    containers = await stack.containers()
  }, 9 * 60_000)

  afterAll(() => stack?.remove(), 90_000)

  const command = (line: string) =>
    run(`node cli/ndx.ts ${line}`, {
      environment: { NDX_DATA_DIR: stack.dataDir, NDX_URL: stack.url, NDX_LEDGER_URL: stack.ledgerUrl },
    })
  const tokenOf = async (client: string): Promise<string> => (await command(`token ${client}`)).stdout.trim()

  test('answers clients whose tokens the command line made, and logs nothing of whom they asked about', async () => {
    const { purpose, request } = identityOf(4711)
    const verified = await ask(stack.url, await tokenOf('social-insurance'), 'population/identity-verification', {
      purpose,
      request,
    })
    expect(verified).toMatchObject({ status: 200, body: { outcome: 'answered', reply: { matched: true } } })
    const disclosed = await ask(
      stack.url,
      await tokenOf('public-service-portal'),
      'business-registration/enterprise-record',
      enterpriseOf(7),
    )
    expect(disclosed).toMatchObject({ status: 200, body: { outcome: 'answered', reply: { found: true } } })
    const logs = await stack.logs()
    expect(logs).toContain(verified.body['exchangeId'])
    for (const secret of [request.personalId, request.fullName]) expect(logs).not.toContain(secret)
  })

  test('passes the tour of `ndx demo`', async () => {
    expect(await command('demo')).toMatchObject({ status: 0, stderr: '' })
  }, 60_000)

  test('is healthy throughout: what stays, runs; what is done, ended with 0', async () => {
    const states = containers.map(({ service, state: { Status, ExitCode, Health } }) => ({
      service,
      state: Health?.Status ?? `${Status} ${ExitCode}`,
    }))
    expect(new Map(states.map(({ service, state }) => [service, state]))).toEqual(
      new Map([
        ...[...servers, ...processes].map(service => [service, 'healthy'] as const),
        ...steps.map(service => [service, 'exited 0'] as const),
      ]),
    )
    expect((await fetch(`${stack.operationsUrl}/health/ready`)).status).toBe(200)
    expect(await (await fetch(`${stack.operationsUrl}/metrics`)).text()).toContain('ndx_')
  })

  test('is confined: read-only, no capabilities, bounded memory, published on 127.0.0.1 alone', () => {
    for (const { service, host } of containers) {
      expect({ service, ...host }).toMatchObject({
        service,
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges:true'],
      })
      expect(host.Memory).toBeGreaterThan(0)
      const addresses = Object.values(host.PortBindings ?? {}).flatMap(bindings => bindings.map(({ HostIp }) => HostIp))
      expect(addresses.filter(address => address !== '127.0.0.1')).toEqual([])
    }
  })

  test.each([...servers, ...processes])('%s is not root and cannot change what it runs', async service => {
    expect((await stack.exec(service, 'id', '-u')).trim()).toBe('1000')
    const tried = await stack.exec(service, 'sh', '-c', 'touch /ndx /app/ndx 2>&1; cat /proc/1/status')
    expect(tried).toMatch(/Read-only file system/)
    expect(tried).toMatch(/CapEff:\s0+\n/)
    expect(tried).toMatch(/NoNewPrivs:\s1\n/)
  })

  test('an adapter reaches Kafka, and neither Redis nor a secret', async () => {
    const look = `const names = new (require('node:dns').promises.Resolver)({ timeout: 5_000, tries: 1 })
      for (const name of ['kafka', 'redis', 'gateway']) names.resolve4(name).then(() => console.log('reaches', name), () => {})`
    const reached = await stack.exec('adapter-population', 'node', '-e', look)
    expect(reached.trim().split('\n').toSorted()).toEqual(['reaches gateway', 'reaches kafka'])
    await expect(stack.exec('adapter-business-registration', 'ls', '/data')).rejects.toThrow()
    expect((await stack.exec('adapter-population', 'ls', '/data')).trim()).toBe('registers')
    const keys = await stack.exec('adapter-civil-status', 'ls', '/data/clients')
    expect(keys.trim()).toBe('civil-status.private.json')
  })

  test('the ledger has the pseudonyms’ keys and the callbacks’ secrets, and nothing else of the gateway’s', async () => {
    const inside = await stack.exec('ledger', 'find', '/data', '-type', 'f', '-printf', '%U %m %p\n')
    const others = inside
      .trim()
      .split('\n')
      .filter(
        line =>
          !/ 600 \/data\/(secrets\/pseudonym-keys\/\d{6}|clients\/[a-z-]+\.callback-secret)$/.test(line) &&
          !line.includes(' /data/ledger/'),
      )
    expect(others).toEqual([])
  })

  test('an auditor outside verifies the log with two public keys', async () => {
    const file = join(stack.dataDir, 'day.ndx')
    expect(await command(`audit export --out ${file}`)).toMatchObject({ status: 0 })
    const keys = `--key ${join(stack.dataDir, 'ledger/log-key.pub')} --witness ${join(stack.dataDir, 'witness/witness-key.pub')}`
    const verified = await command(`audit verify ${file} ${keys}`)
    expect(verified).toMatchObject({ status: 0 })
    expect(verified.stdout + verified.stderr).toContain('cosigned by')
  })

  test('secrets are their users’ alone: the gateway gets public keys only, the clients’ keys are the host’s', async () => {
    const inside = await stack.exec('gateway', 'find', '/data', '/redis-secret', '-type', 'f', '-printf', '%U %m %p\n')
    expect(inside.split('\n').filter(line => line.includes('private'))).toEqual([])
    expect(inside.split('\n').filter(line => line.includes('secret'))).toEqual(
      expect.arrayContaining(['1000 600 /data/secrets/issuer-key.json', '1000 600 /redis-secret/password']),
    )
    const key = statSync(join(stack.dataDir, 'clients/bank.private.json'))
    expect({ uid: key.uid, mode: key.mode & 0o777 }).toEqual({ uid: process.getuid?.(), mode: 0o600 })
  })

  test('ends with 0 on SIGTERM, and comes back with the same keys', async () => {
    const token = await tokenOf('social-insurance')
    await stack.compose('stop', 'gateway', 'adapter-population')
    const stopped = (await stack.containers()).filter(({ state }) => state.Status === 'exited')
    const states = stopped.map(({ service, state }) => [service, state.ExitCode] as const)
    expect(new Map(states)).toEqual(
      new Map([...steps, 'gateway', 'adapter-population'].map(service => [service, 0] as const)),
    )
    await stack.compose('up', '--wait')
    const answer = await ask(stack.url, token, 'population/identity-verification', identityOf(4712))
    expect(answer).toMatchObject({ status: 200, body: { reply: { matched: true } } })
  }, 180_000)
})
