// Handlers found by their contract's name, and every example of every contract asked of the handler that answers it: over the
// bus, all fields granted, the reply equal to the example's, on the day of the examples. An example is documentation, so it must
// be true; one of a service that defers comes when its register has settled it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { MemoryBus } from '#bus/memory-bus.ts'
import { type ExchangeId, exchangeIdOf, readReply, writeRequest } from '#bus/message.ts'
import { replyTopic, requestTopic } from '#bus/topics.ts'
import { type ClientId, type Example, type ProviderId, type Service } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { makeExchangeId } from '#gateway/plugins/correlation.ts'
import { createNation } from '#nation/nation.ts'
import { createLog } from '#runtime/log.ts'
import { type AdapterTools, type Errand, pickFields, type Standing } from '#services/adapter.ts'
import { listProviders, loadRoutes } from '#services/handlers.ts'
import { type Host } from '#services/host.ts'
import { startProvider } from '#services/provider.ts'
import { until } from '#tests/bus/until.ts'
import { pseudonymOf } from '#tests/pseudonym.ts'

const registry = loadRegistry({ idScheme: 'simulated' })
const nation = createNation({ seed: 1 })
/** The day on which examples that tell a day were asked. */
const exampleDayMs = Date.UTC(2026, 0, 12)
const now = (): number => exampleDayMs + Math.floor(performance.now())

describe('examples of the contracts', async () => {
  const bus = new MemoryBus({ now })
  const dataDir = mkdtempSync(join(tmpdir(), 'ndx-handlers-'))
  const hosts = await Promise.all(registry.providers.map(startHost))
  const replies = new Map<string, JsonObject | undefined>()
  bus.readReplies({
    topics: registry.providers.map(replyTopic),
    partition: 0,
    sinceMs: 0,
    onRecord: record => void replies.set(exchangeIdOf(record) ?? '-', readReply(record).data),
  })
  afterAll(async () => {
    await Promise.all(hosts.map(host => host.stop()))
    await bus.close()
    rmSync(dataDir, { recursive: true })
  })

  async function startHost(provider: ProviderId): Promise<Host> {
    const log = createLog({ level: 'silent', instance: 'test' })
    const clock = (): number => performance.now()
    const options = { provider, registry, nation, dataDir, bus, instance: 'test', poolSize: 4, log, now, clock }
    const host = await startProvider({ ...options, ask: askOther })
    await host.ready
    return host
  }

  /** What a register asks of another goes the same way: the same errand is the same exchange. */
  async function askOther({ service, envelope, key }: Errand): Promise<Standing> {
    const reply = replies.get(idOf(key)) ?? (await ask(registry.find(service) as Service, JSON.parse(envelope), key))
    return { outcome: 'answered', exchangeId: idOf(key), reply: reply as JsonObject }
  }

  /** The same text is the same exchange. */
  const ids = new Map<string, ExchangeId>()
  const idOf = (text: string): ExchangeId => {
    const id = ids.get(text) ?? makeExchangeId()
    ids.set(text, id)
    return id
  }

  async function ask(
    { contract, providerId, hash, requestType }: Service,
    { request, purpose }: Pick<Example, 'request' | 'purpose'>,
    name: string,
  ) {
    const id = idOf(name)
    const record = writeRequest({
      exchangeId: id,
      type: requestType,
      source: '/gateway/test',
      acceptedMs: now(),
      deadlineMs: now() + contract.deadlineMs,
      replyTopic: replyTopic(providerId),
      replyPartition: 0,
      traceparent: '',
      client: 'test' as ClientId,
      purpose,
      subject: pseudonymOf(id.slice(-12)),
      agreement: 'test@1',
      contractHash: hash,
      fields: contract.fields.map(field => field.name),
      data: request,
    })
    await bus.publish(requestTopic(providerId), record)
    await until(`the reply to ${name}`, () => replies.has(id))
    return replies.get(id)
  }

  const examples = registry.services.flatMap(service =>
    service.contract.examples.map(
      (example, i) => [`${service.contract.id} ${i + 1}: ${example.title}`, service, example] as const,
    ),
  )

  test.each(examples)('%s', async (id, service, example) => {
    expect(await ask(service, example, id)).toEqual(example.reply)
  })

  test('stand in every contract', () => {
    expect(registry.services.filter(({ contract }) => contract.examples.length === 0)).toEqual([])
  })
})

/** Nothing is asked of them before a handler is made. */
const toolsOf = (provider: ProviderId): AdapterTools => ({ provider }) as AdapterTools

describe('a folder of handlers', () => {
  test('has one provider a folder', () => {
    expect(listProviders().toSorted()).toEqual([...registry.providers].toSorted())
  })

  test('without a handler for a contract names the file that is missing', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ndx-handlers-'))
    const provider = 'population' as ProviderId
    await expect(loadRoutes(registry, toolsOf(provider), directory)).rejects.toThrow(
      `no handler for: ${join(directory, 'population/citizen-record.ts')}, ${join(directory, 'population/identity-verification.ts')}, ${join(directory, 'population/personal-id-issuance.ts')}, ${join(directory, 'population/relative-verification.ts')}, ${join(directory, 'population/residence-confirmation.ts')}`,
    )
    rmSync(directory, { recursive: true })
  })

  test('with a file that exports no createHandler names it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ndx-handlers-'))
    mkdirSync(join(directory, 'business-registration'))
    const file = join(directory, 'business-registration/enterprise-record.ts')
    writeFileSync(file, 'export const handler = 1\n')
    writeFileSync(
      join(directory, 'business-registration/representative-verification.ts'),
      'export const createHandler = () => () => ({})\n',
    )
    const provider = 'business-registration' as ProviderId
    await expect(loadRoutes(registry, toolsOf(provider), directory)).rejects.toThrow(
      `${file} does not export createHandler`,
    )
    rmSync(directory, { recursive: true })
  })

  test('of a provider that no contract names is refused', async () => {
    const provider = 'weather' as ProviderId
    await expect(loadRoutes(registry, toolsOf(provider))).rejects.toThrow('no contract names the provider weather')
  })
})

test('pickFields keeps what was granted and is known', () => {
  const record = { a: 1, b: undefined, c: null, d: 4 } as unknown as JsonObject
  expect(pickFields(record, new Set(['a', 'b', 'c', 'e']))).toEqual({ a: 1, c: null })
})
