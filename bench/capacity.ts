// What changes past one machine: from what an exchange was measured to cost, how many processes, partitions and bytes ten and a
// hundred times the platform's load need. Pure arithmetic; each assumption is an argument and is printed beside the table.
import { replyPartitions, requestPartitions } from '#bus/topics.ts'
import { type Part } from './target.ts'

/** Of one exchange, over a whole run. */
export interface Measured {
  cpuUs: Readonly<Partial<Record<Part, number>>>
  /** Bytes an exchange leaves behind; undefined: not measured. */
  requestAndReplyBytes: number | undefined
  noteBytes: number | undefined
  ledgerBytes: number | undefined
  redisBytes: number | undefined
  /** Share of the busiest provider, 0 … 1. */
  busiestShare: number
}

export interface Assumptions {
  exchangesPerDay: number
  /** The busiest second against the day's mean. */
  peakFactor: number
  /** Share of a core that a process is planned to use at the peak. */
  utilisation: number
  /** Copies that the broker keeps of each record. */
  replication: number
  /** Fewer than so many of a kind are never run: one may die. */
  leastProcesses: number
}

/** The real platform's 1.6 million exchanges a day (DESIGN section 10). */
export const usualAssumptions: Assumptions = {
  exchangesPerDay: 1_600_000,
  peakFactor: 5,
  utilisation: 0.6,
  replication: 3,
  leastProcesses: 2,
}

export interface CapacityRow {
  what: string
  /** What one deployment has now, where there is a bound. */
  now: string
  /** One cell for each of the loads. */
  cells: string[]
  /** What has to change, and from which of the loads on; '' when nothing has. */
  change: string
}

export const loads = [1, 10, 100] as const
const gb = 1e9
const secondsPerDay = 86_400
/** Retention of request and reply topics and of notes, days (bus/topics.ts). */
const exchangeDays = 1
const noteDays = 7
/** Three brokers of four cores. */
const smallBrokersCores = 12
/** A file that is still backed up and checked in hours. */
const ledgerBytesMax = 1e12

interface Demand {
  load: number
  perDay: number
  peak: number
  gateways: number
  adapters: number
  brokerCores: number
  redisProcesses: number
  ledgers: number
  ledgerCores: number
}

export function planCapacity(measured: Measured, assumptions: Assumptions = usualAssumptions): CapacityRow[] {
  const demands = loads.map(load => demandOf(load, measured, assumptions))
  return [
    {
      what: 'exchanges a day',
      now: '',
      cells: demands.map(({ perDay }) => grouped(perDay)),
      change: '',
    },
    {
      what: 'a second, mean / peak',
      now: '',
      cells: demands.map(({ perDay, peak }) => `${grouped(perDay / secondsPerDay)} / ${grouped(peak)}`),
      change: '',
    },
    ...planProcesses(demands, assumptions),
    ...planBytes(demands, measured, assumptions),
  ]
}

/** From the first load at which something is too small. */
function changeFrom(demands: readonly Demand[], isPast: (demand: Demand) => boolean, change: string): string {
  const first = demands.find(isPast)
  return first === undefined ? '' : `from ${first.load}×: ${change}`
}

function planProcesses(demands: readonly Demand[], { leastProcesses }: Assumptions): CapacityRow[] {
  const row = (
    [what, now]: [string, string],
    cell: (demand: Demand) => string | number,
    [isPast, change]: [(demand: Demand) => boolean, string],
  ): CapacityRow => ({
    what,
    now,
    cells: demands.map(demand => String(cell(demand))),
    change: changeFrom(demands, isPast, change),
  })
  return [
    row(['gateway processes', 'any number'], ({ gateways }) => gateways, [
      ({ gateways }) => gateways > leastProcesses,
      'more of them, stateless, behind a load balancer',
    ]),
    row(['reply partitions', String(replyPartitions)], ({ gateways }) => Math.max(replyPartitions, gateways), [
      ({ gateways }) => gateways > replyPartitions,
      'more reply partitions, or gateways read each other’s replies',
    ]),
    row(['adapter processes of the busiest provider', 'any number'], ({ adapters }) => adapters, [
      ({ adapters }) => adapters > leastProcesses,
      'more of them, in one group',
    ]),
    row(
      ['request partitions of the busiest provider', String(requestPartitions)],
      ({ adapters }) => Math.max(requestPartitions, adapters),
      [({ adapters }) => adapters > requestPartitions, 'more request partitions, or adapters stand idle'],
    ),
    row(['broker cores, all copies', ''], ({ brokerCores }) => brokerCores.toFixed(1), [
      ({ brokerCores }) => brokerCores > smallBrokersCores,
      `more than three brokers of ${smallBrokersCores / 3} cores`,
    ]),
    row(['Redis processes', '1'], ({ redisProcesses }) => redisProcesses, [
      ({ redisProcesses }) => redisProcesses > 1,
      'a cluster: all keys of a client have one hash tag',
    ]),
    row(['ledger, share of a core at the peak', 'one process'], d => `${Math.round(d.ledgerCores * 100)} %`, [
      ({ ledgers }) => ledgers > 1,
      'one process is not enough',
    ]),
    row(['ledgers', '1'], ({ ledgers }) => ledgers, [
      ({ ledgers }) => ledgers > 1,
      'a log for each group of providers',
    ]),
  ]
}

function planBytes(demands: readonly Demand[], measured: Measured, { replication }: Assumptions): CapacityRow[] {
  const { requestAndReplyBytes, noteBytes, ledgerBytes, redisBytes } = measured
  const onBroker = kept(requestAndReplyBytes, exchangeDays) + kept(noteBytes, noteDays)
  const aYear = ({ perDay }: Demand): number => perDay * kept(ledgerBytes, 365)
  return [
    {
      what: `topics on disk: requests and replies ${exchangeDays} day, notes ${noteDays}, all copies`,
      now: '',
      cells: demands.map(({ perDay }) => sizeOf(perDay * onBroker * replication)),
      change: '',
    },
    {
      what: 'the ledger grows by, a year',
      now: 'one SQLite file',
      cells: demands.map(demand => sizeOf(aYear(demand))),
      change: changeFrom(
        demands,
        demand => aYear(demand) > ledgerBytesMax,
        `more than ${sizeOf(ledgerBytesMax)} a year: a log a year, or PostgreSQL behind the store’s port`,
      ),
    },
    {
      what: 'Redis memory for a day’s keys',
      now: '',
      cells: demands.map(({ perDay }) => sizeOf(perDay * kept(redisBytes, 1))),
      change: '',
    },
  ]
}

function demandOf(load: number, { cpuUs, busiestShare }: Measured, assumptions: Assumptions): Demand {
  const { exchangesPerDay, peakFactor, utilisation, replication, leastProcesses } = assumptions
  const perDay = exchangesPerDay * load
  const peak = (perDay / secondsPerDay) * peakFactor
  const coresOf = (part: Part): number => (peak * (cpuUs[part] ?? 0)) / 1e6
  const processes = (cores: number, least: number): number => Math.max(least, Math.ceil(cores / utilisation))
  return {
    load,
    perDay,
    peak,
    gateways: processes(coresOf('gateway'), leastProcesses),
    adapters: processes(coresOf('adapter') * busiestShare, leastProcesses),
    // Each copy costs a broker about what the first one does.
    brokerCores: (coresOf('broker') * replication) / utilisation,
    redisProcesses: processes(coresOf('redis'), 1),
    ledgers: processes(coresOf('ledger'), 1),
    ledgerCores: coresOf('ledger'),
  }
}

const kept = (bytes: number | undefined, days: number): number => (bytes ?? Number.NaN) * days

const grouped = (count: number): string => Math.round(count).toLocaleString('en-US')

function sizeOf(bytes: number): string {
  if (Number.isNaN(bytes)) return 'not measured'
  if (bytes >= 1000 * gb) return `${(bytes / gb / 1000).toFixed(1)} TB`
  return bytes >= 10 * gb ? `${Math.round(bytes / gb)} GB` : `${(bytes / gb).toFixed(2)} GB`
}

/** As Markdown, with what it assumes and what it was computed from. */
export function renderCapacity(measured: Measured, assumptions: Assumptions = usualAssumptions): string {
  const rows = planCapacity(measured, assumptions)
  const { exchangesPerDay, peakFactor, utilisation, replication, leastProcesses } = assumptions
  const cpu = Object.entries(measured.cpuUs).map(([part, us]) => `${part} ${Math.round(us)} µs`)
  return [
    `| | now | ${loads.map(load => `${load}×`).join(' | ')} | what changes |`,
    `| --- | --- | ${loads.map(() => '---').join(' | ')} | --- |`,
    ...rows.map(({ what, now, cells, change }) => `| ${what} | ${now} | ${cells.join(' | ')} | ${change} |`),
    '',
    `Computed from the CPU of an exchange (${cpu.join(', ')}) and what it left behind. Assumed: 1× is ${grouped(exchangesPerDay)} exchanges a`,
    `day, the busiest second has ${peakFactor} times the mean, a process is planned to use ${Math.round(utilisation * 100)} % of a core, brokers keep ${replication} copies,`,
    `never fewer than ${leastProcesses} gateways or adapters. The cost is that of a busy machine; where little is asked batches are small and an exchange costs more, of\ncores that are idle. The busiest provider answers ${Math.round(measured.busiestShare * 100)} % of all.`,
  ].join('\n')
}
