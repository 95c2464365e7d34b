// The road and the adapter of a conformance run, and its report as a table. On real brokers the adapter is whoever reads the topic,
// or what the command line starts; without brokers it is this project's own, on the embedded bus.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Bus, PublishError, RoadError } from '#bus/bus.ts'
import { createKafkaBus } from '#bus/kafka-bus/kafka-bus.ts'
import { missingTopics } from '#bus/kafka-bus/topics-admin.ts'
import { MemoryBus } from '#bus/memory-bus.ts'
import { MemoryRoad } from '#bus/memory-road.ts'
import { planTopics } from '#bus/topics.ts'
import { type Candidate } from '#conformance/candidate.ts'
import { checkAdapter } from '#conformance/conformance.ts'
import { type Report } from '#conformance/report.ts'
import { type Service } from '#contracts/contract.ts'
import { type Registry } from '#contracts/registry.ts'
import { type Config } from '#runtime/config.ts'
import { listProviders } from '#services/handlers.ts'
import { OwnAdapter } from './adapter-own.ts'
import { AdapterProcess } from './adapter-process.ts'
import { CommandError } from './command.ts'
import { safeJson } from './safe-text.ts'
import { registryOf } from './surroundings.ts'
import { formatTable } from './table.ts'
import { type Terminal } from './terminal.ts'

export interface Check {
  provider: string
  /** As it was given: a service's id, or the provider alone. */
  service: string
  /** All services of the provider. */
  isWhole: boolean
  /** Starts the adapter. */
  line: string | undefined
  startMs: number
  isJson: boolean
  config: Config
}

const titles = ['CHECK', 'OF', 'RESULT', 'SEEN', 'WHAT TO DO']
/** A run asks some hundred questions. */
const retentionMax = 5_000

export async function checkOnRoad(check: Check, terminal: Terminal): Promise<number> {
  const { config, provider, isJson } = check
  const registry = registryOf(config)
  const services = servicesOf(check, registry)
  const report =
    config.kafkaBrokers === undefined
      ? await checkEmbedded(check, registry, services, terminal)
      : await checkOnKafka(check, config.kafkaBrokers, services, terminal)
  const rows = report.findings.map(({ check, about, result, seen, advice = '-' }) => [
    check,
    about,
    result,
    seen,
    advice,
  ])
  await terminal.write(isJson ? `${safeJson(report, 2)}\n` : formatTable(titles, rows))
  terminal.say(conclude(report, provider))
  return report.isConformant ? 0 : 1
}

/** Throws CommandError when there is no contract. */
function servicesOf({ provider, service: id, isWhole }: Check, { services }: Registry): Service[] {
  const found = services.filter(one => (isWhole ? one.providerId === provider : one.contract.id === id))
  if (found.length > 0) return found
  const known = [...new Set(services.map(one => one.providerId))].join(', ')
  throw new CommandError(
    `no contract names ${id}. Providers: ${known}\nA new one: npx ndx adapter new <provider>/<service>; contracts of your own: NDX_CONTRACTS_DIR.`,
  )
}

async function checkEmbedded(
  { provider, config, startMs }: Check,
  registry: Registry,
  services: readonly Service[],
  terminal: Terminal,
): Promise<Report> {
  if (!listProviders(config.servicesDir).some(known => known === provider))
    throw new CommandError(
      `there are no handlers in services/${provider}.\nAn adapter of its own is asked over Kafka: NDX_KAFKA_BROKERS=127.0.0.1:9092 npx ndx adapter check ${provider}`,
    )
  const road = new MemoryRoad(retentionMax)
  const bus = new MemoryBus({ road })
  const dataDir = mkdtempSync(join(tmpdir(), 'ndx-check-'))
  try {
    const candidate = new OwnAdapter({ road, registry, provider: services[0]?.providerId ?? '', dataDir, config })
    return await run({ services, bus, startMs, candidate }, terminal)
  } finally {
    await bus.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function checkOnKafka(
  { line, startMs, config, provider }: Check,
  brokers: readonly string[],
  services: readonly Service[],
  terminal: Terminal,
): Promise<Report> {
  await expectTopics(brokers, services)
  const bus = createKafkaBus({ brokers, clientId: config.instance })
  const candidate = line === undefined ? undefined : new AdapterProcess(line, terminal.environment)
  try {
    return await run({ services, bus, startMs, ...(candidate === undefined ? {} : { candidate }) }, terminal)
  } catch (cause) {
    if (!(cause instanceof PublishError || cause instanceof RoadError)) throw cause
    throw new CommandError(`${provider} could not be asked: ${cause.message}\nIs Kafka running?`, { cause })
  } finally {
    await bus.close()
  }
}

async function expectTopics(brokers: readonly string[], services: readonly Service[]): Promise<void> {
  const plan = planTopics([...new Set(services.map(service => service.providerId))])
  const missing = await missingTopics(brokers, plan).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CommandError(`no broker of ${brokers.join(', ')} answers: ${reason}\nIs Kafka running?`, { cause })
  })
  if (missing.length > 0)
    throw new CommandError(`these topics are missing: ${missing.join(', ')}\n\`npx ndx topics create\` makes them.`)
}

interface Run {
  services: readonly Service[]
  bus: Bus
  startMs: number
  candidate?: Candidate
}

const run = (parts: Run, terminal: Terminal): Promise<Report> =>
  checkAdapter({ ...parts, onCheck: (check, about) => terminal.say(`checking ${about}: ${check}`) })

function conclude({ findings, isConformant }: Report, provider: string): string {
  const many = (result: string): number => findings.filter(one => one.result === result).length
  const counts = `${many('ok')} ok, ${many('fault')} faults, ${many('skipped')} skipped`
  return `${provider} ${isConformant ? 'is conformant' : 'is not conformant'}: ${counts}`
}
