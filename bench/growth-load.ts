// What an exchange costs on the real stack when there are more gateways, more adapters or more clients: one platform after the
// other, each with a Kafka and a Redis of its own, warmed up, then measured a few times. A measurement counts when every answer
// was right and answers = records on both topics = settled.
import { type Agreement } from '#contracts/contract.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { readMemoryMb } from './accounting.ts'
import { cpuUsOf, readCpu, sumByPart } from './cost.ts'
import { createEnding, type Ending } from './ending.ts'
import { startMixGenerator } from './mix-generator-process.ts'
import { type MixAssignment } from './mix-load.ts'
import { type Platform, startPlatform } from './platform.ts'
import { client as modelClient, service } from './questions.ts'
import { type GrowthOptions } from './studies.ts'
import { type Part } from './target.ts'
import { getTokens } from './tokens.ts'
import { createWorld, raised, type World } from './world.ts'

export interface Shape {
  gateways: number
  adapters: number
  /** With agreements, asking in turn. */
  clients: number
}

export interface LoadRow extends Shape {
  perSecond: number
  p50Ms: number
  p99Ms: number
  /** µs an exchange, all processes of a part together. */
  cpuUs: Partial<Record<Part, number>>
  gatewayMemoryMb: number
  /** Empty: valid. */
  faults: string[]
}

/** Numbers of exchanges: those of one measurement are not asked again in the next. */
const stride = 10_000_000

/** A row a round. */
export async function measureShape(
  shape: Shape,
  options: GrowthOptions,
  ending: Ending,
  say: (line: string) => void,
): Promise<LoadRow[]> {
  const own = createEnding(say)
  ending.add(own.run)
  try {
    return await measureIn(shape, options, own, say)
  } finally {
    await own.run()
  }
}

async function measureIn(
  shape: Shape,
  options: GrowthOptions,
  own: Ending,
  say: (line: string) => void,
): Promise<LoadRow[]> {
  const { gateways, adapters } = shape
  const world = createWorld({ more: makeAgreements(shape.clients), edit: agreement => raise(agreement) })
  own.add(world.remove)
  const platform = await startPlatform({ name: 'growth', world, ending: own, gateways, adapters })
  const generator = await startMixGenerator()
  own.add(generator.stop)
  const clients = namesOf(shape.clients)
  const assignment = await assign(platform, world, clients, options)
  await generator.run({ ...assignment, seconds: options.warmUpSeconds, rampSeconds: options.warmUpSeconds / 2 })
  const rows: LoadRow[] = []
  for (let round = 1; round <= options.rounds; round++) {
    const countsBefore = await platform.countRecords()
    const cpuBefore = readCpu(platform.processes)
    const tally = await generator.run({ ...assignment, first: round * stride, seconds: options.seconds })
    // It waits for the ledger, whose work counts too.
    const counts = await platform.countRecords()
    const cpuUs = sumByPart(cpuUsOf(cpuBefore, readCpu(platform.processes), tally.asked), platform.processes)
    const row = {
      ...shape,
      perSecond: (tally.asked / tally.tookMs) * 1000,
      p50Ms: tally.latencies.p50Ms ?? 0,
      p99Ms: tally.latencies.p99Ms ?? 0,
      cpuUs,
      gatewayMemoryMb: readMemoryMb(platform.pids.gateway) ?? 0,
      faults: [
        ...Object.entries(tally.unexpected).map(([what, count]) => `${count} × ${what}`),
        ...Object.entries(counts)
          .map(([name, count]) => [name, count - (countsBefore[name] ?? 0)] as const)
          .filter(([, count]) => count !== tally.latencies.count)
          .map(([name, count]) => `${tally.latencies.count} answers but ${count} ${name}`),
      ],
    }
    rows.push(row)
    say(describeRow(row))
  }
  return rows
}

async function assign(
  platform: Platform,
  world: World,
  clients: readonly string[],
  { concurrent }: GrowthOptions,
): Promise<MixAssignment> {
  const tokens = await getTokens(platform, world, clients)
  const { contractsDir } = world
  return { urls: platform.urls, contractsDir, tokens, seed: 1, first: 0, exchanges: stride, concurrent, only: service }
}

const raise = ({ grants }: Agreement): void => {
  for (const grant of grants) Object.assign(grant, raised)
}

/** One client is social insurance itself; more are copies of it under other names. */
const namesOf = (count: number): string[] =>
  count === 1 ? [modelClient] : Array.from({ length: count }, (_, i) => `growth-${i + 1}`)

function makeAgreements(count: number): Agreement[] {
  const model = [...loadRegistry({ idScheme: 'simulated' }).agreements.values()].find(one => one.client === modelClient)
  if (model === undefined) throw new Error(`there is no agreement of ${modelClient}`)
  const grants = model.grants.filter(grant => grant.service === service).map(grant => ({ ...grant, ...raised }))
  return namesOf(count).map(name => ({ ...model, client: name as Agreement['client'], keys: [], grants }))
}

function describeRow({ gateways, adapters, clients, perSecond, p99Ms, cpuUs, faults }: LoadRow): string {
  const cpu = Object.entries(cpuUs).map(([part, us]) => `${part} ${Math.round(us)}`)
  const notes = faults.length === 0 ? '' : `  VOID: ${faults.join('; ')}`
  const shape = `${gateways} gateway(s), ${adapters} adapter(s), ${clients} client(s)`
  return `${shape}: ${Math.round(perSecond)}/s, p99 ${p99Ms.toFixed(1)} ms, CPU µs ${cpu.join(' ')}${notes}`
}
