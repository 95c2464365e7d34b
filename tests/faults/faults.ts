// The faults: each breaks one thing and mends it again, and resolves when what was broken answers for itself. What must hold
// meanwhile is nobody's business here.
import { setTimeout as pass } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { until } from '#tests/bus/until.ts'
import { type Outage } from '#tests/stack/server.ts'
import { type Member } from './member.ts'
import { type Platform } from './platform.ts'
import { type RoadProxy } from './proxy.ts'

export interface Fault {
  readonly name: string
  strike(platform: Platform): Promise<void>
}

/** Longer than the deadline of the load's questions; of an adapter also longer than its group waits for it. */
const stoppedMs = 4_500
const abandonedMs = 8_000
const hungMs = 3_000
const holeMs = 4_000
const delayMs = 200
const delayedMs = 4_000
const deafTimes = 6
const deafMs = 400
const cutTimes = 8
const cutEveryMs = 250
const skewedMs = 3_000
const hourMs = 3_600_000
const fullMs = 4_000

/** SIGKILL, and started again at once. */
const killed = (name: string, of: (platform: Platform) => Outage): Fault => ({
  name: `${name} killed`,
  async strike(platform) {
    await of(platform).kill()
    await of(platform).start()
  },
})

/** Frozen, then thawed: it wakes up with what it had in hand, and with a clock that went on. */
const stopped = (name: string, forMs: number, of: (platform: Platform) => Outage): Fault => ({
  name: `${name} stopped`,
  async strike(platform) {
    await of(platform).pause()
    await pass(forMs)
    await of(platform).resume()
  },
})

const gateway1 = (platform: Platform): Member => platform.gateways[0]
const gateway2 = (platform: Platform): Member => platform.gateways[1]
const population1 = (platform: Platform): Member => platform.adapters[0]
const population2 = (platform: Platform): Member => platform.adapters[1]
const ledger = (platform: Platform): Member => platform.ledger

export const kills: readonly Fault[] = [
  killed('gateway-1', gateway1),
  killed('population-1', population1),
  killed('broker', ({ kafka }) => kafka),
  killed('redis', ({ redis }) => redis),
  killed('ledger', ledger),
  killed('gateway-2', gateway2),
  killed('population-2', population2),
]

export const stops: readonly Fault[] = [
  stopped('gateway-2', stoppedMs, gateway2),
  stopped('population-2', abandonedMs, population2),
  stopped('ledger', abandonedMs, ledger),
  stopped('broker', hungMs, ({ kafka }) => kafka),
]

const overProxy = (name: string, disturb: (proxy: RoadProxy) => Promise<void>): Fault[] =>
  (['gateway', 'adapter'] as const).map(side => ({
    name: `${side}’s road ${name}`,
    async strike({ proxies }) {
      await disturb(proxies[side])
      proxies[side].set('open')
    },
  }))

/** Records arrive, their acknowledgements do not, then the connection breaks: again and again. */
const acknowledgementsLost = overProxy('loses acknowledgements', async proxy => {
  for (let time = 0; time < deafTimes; time++) {
    proxy.set('deaf')
    await pass(deafMs)
    proxy.set('open')
    await pass(deafMs)
  }
})

const slow = overProxy('slow', async proxy => {
  proxy.set({ delayMs })
  await pass(delayedMs)
})

const cut = overProxy('cut', async proxy => {
  for (let time = 0; time < cutTimes; time++) {
    proxy.cut()
    await pass(cutEveryMs)
  }
})

const swallowed = overProxy('a black hole', async proxy => {
  proxy.set('hole')
  await pass(holeMs)
})

export const roads: readonly Fault[] = [...acknowledgementsLost, ...slow, ...cut, ...swallowed]

export const redisFaults: readonly Fault[] = [
  {
    name: 'redis flushed',
    async strike({ redis: { url } }) {
      const client = new Redis(url)
      await client.flushall()
      client.disconnect()
    },
  },
  stopped('redis', hungMs, ({ redis }) => redis),
]

const skewed = (name: string, hours: number, of: (platform: Platform) => Member): Fault => ({
  name: `${name}’s clock ${hours > 0 ? '+' : '−'}${Math.abs(hours)} h`,
  async strike(platform) {
    await restart(of(platform), hours * hourMs)
    await pass(skewedMs)
    await restart(of(platform), 0)
  },
})

async function restart(member: Member, clockShiftMs: number): Promise<void> {
  await member.kill()
  member.clockShiftMs = clockShiftMs
  await member.start()
}

export const clocks: readonly Fault[] = [
  skewed('population-1', 1, population1),
  skewed('gateway-1', 1, gateway1),
  skewed('population-2', -1, population2),
  skewed('gateway-2', -1, gateway2),
  skewed('ledger', 1, ledger),
  skewed('ledger', -1, ledger),
]

/** Only where there is a small disk (`platform.disk`). */
export const diskFull: Fault = {
  name: 'ledger’s disk full',
  async strike({ disk, ledger: { metric } }) {
    if (!('fill' in disk)) throw new Error(disk.missing)
    const before = await faultsOfIngestion(metric)
    await disk.fill()
    try {
      await until('the ledger could not write', async () => (await faultsOfIngestion(metric)) > before)
      await pass(fullMs)
    } finally {
      await disk.empty()
    }
  },
}

const faultsOfIngestion = (metric: Member['metric']): Promise<number> =>
  metric('ndx_ledger_faults_total{part="ingestion"}')

export const allFaults = ({ disk }: Pick<Platform, 'disk'>): readonly Fault[] => [
  ...kills,
  ...stops,
  ...roads,
  ...redisFaults,
  ...clocks,
  ...('fill' in disk ? [diskFull] : []),
]
