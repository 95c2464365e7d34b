// The gateway's figures for Prometheus. Labels take only names from the registry and the error table, so their number is
// bounded and no datum can become one. Children are kept, so that a count on the hot path is one addition.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { type ProviderId } from '#contracts/contract.ts'
import { type BreakerState } from './exchange/breaker.ts'
import { type Trail } from './exchange/trail.ts'

export interface Metrics {
  exchange(trail: Trail, durationMs: number): void
  shed(): void
  late(): void
  incident(provider: string, incident: string): void
  notesLost(count: number): void
  tokenIssued(client: string): void
  render(): Promise<string>
  readonly contentType: string
}

/** What is read when somebody asks. */
export interface Gauges {
  pending(): number
  notesWaiting(): number
  notesKept(): boolean
  /** undefined: there is no ledger. */
  ledgerBehindSeconds(): number | undefined
  inHand(): number
  roadOpen(): boolean
  countersShared(): boolean
  revocationsAgeSeconds(): number
  providers: readonly ProviderId[]
  breakerState(provider: ProviderId): BreakerState
  /** Exchanges held for it. */
  inFlight(provider: ProviderId): number
  /** Clients that follow an exchange. */
  streams(): number
}

const none = '-'

export function createMetrics(gauges: Gauges): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const exchanges = new Counter({
    name: 'ndx_exchanges_total',
    help: 'Requests concluded, by client, service, outcome and code',
    labelNames: ['client', 'service', 'outcome', 'code'] as const,
    registers,
  })
  const seconds = new Histogram({
    name: 'ndx_exchange_seconds',
    help: 'From receipt to answer',
    labelNames: ['service'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  const hops = new Histogram({
    name: 'ndx_hop_seconds',
    help: 'Where the time of answered exchanges went',
    labelNames: ['hop'] as const,
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
    registers,
  })
  const shed = new Counter({ name: 'ndx_shed_total', help: 'Requests refused before any work was done', registers })
  const late = new Counter({
    name: 'ndx_replies_late_total',
    help: 'Replies to exchanges that had timed out',
    registers,
  })
  const incidents = new Counter({
    name: 'ndx_incidents_total',
    help: 'Replies that broke a rule',
    labelNames: ['provider', 'incident'] as const,
    registers,
  })
  const notesLost = new Counter({ name: 'ndx_notes_lost_total', help: 'Notes dropped for want of room', registers })
  const tokens = new Counter({
    name: 'ndx_tokens_issued_total',
    help: 'Access tokens issued',
    labelNames: ['client'] as const,
    registers,
  })
  registerGauges(registers, gauges)
  const exchangeChild = keepChildren((client: string, service: string, outcome: string, code: string) =>
    exchanges.labels(client, service, outcome, code),
  )
  const secondsChild = keepChildren((service: string) => seconds.labels(service))
  const [decide, publish, reply, handle] = ['decide', 'publish', 'reply', 'handle'].map(hop => hops.labels(hop)) as [
    Histogram.Internal<'hop'>,
    Histogram.Internal<'hop'>,
    Histogram.Internal<'hop'>,
    Histogram.Internal<'hop'>,
  ]
  return {
    exchange(trail, durationMs) {
      exchangeChild(trail.client ?? none, trail.service ?? none, trail.outcome ?? none, trail.code ?? none).inc()
      secondsChild(trail.service ?? none).observe(durationMs / 1000)
      if (trail.outcome !== 'answered' || trail.first !== undefined) return
      decide.observe((trail.decidedAfterMs ?? 0) / 1000)
      if (trail.publishedAfterMs !== undefined)
        publish.observe((trail.publishedAfterMs - (trail.decidedAfterMs ?? 0)) / 1000)
      reply.observe(((trail.repliedAfterMs ?? 0) - (trail.decidedAfterMs ?? 0)) / 1000)
      handle.observe((trail.handledMs ?? 0) / 1000)
    },
    shed: () => shed.inc(),
    late: () => late.inc(),
    incident: (provider, incident) => incidents.labels(provider, incident).inc(),
    notesLost: count => notesLost.inc(count),
    tokenIssued: client => tokens.labels(client).inc(),
    render: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

function registerGauges(registers: Registry[], gauges: Gauges): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
  gauge('ndx_pending', 'Exchanges waiting for a reply', gauges.pending)
  gauge('ndx_in_hand', 'Exchanges that wait for the counters or to be on their way', gauges.inHand)
  gauge('ndx_notes_waiting', 'Notes that the broker has not acknowledged', gauges.notesWaiting)
  gauge('ndx_notes_kept', '1 while notes are on disk, 0 while they cannot be written and no answer is given', () =>
    Number(gauges.notesKept()),
  )
  if (gauges.ledgerBehindSeconds() !== undefined)
    gauge(
      'ndx_ledger_behind_seconds',
      'How far the ledger is behind, as far as is known',
      () => gauges.ledgerBehindSeconds() ?? 0,
    )
  gauge('ndx_road_open', '1 while a record of our own goes round the bus in time', () => Number(gauges.roadOpen()))
  gauge('ndx_counters_shared', '1 while the shared counters answer, 0 while limits are decided by this process', () =>
    Number(gauges.countersShared()),
  )
  gauge('ndx_revocations_age_seconds', 'Since the list of revoked tokens was read', gauges.revocationsAgeSeconds)
  gauge('ndx_streams', 'Clients that follow an exchange', gauges.streams)
  const gaugeEach = (name: string, help: string, read: (provider: ProviderId) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ['provider'] as const,
      registers,
      collect() {
        for (const provider of gauges.providers) this.set({ provider }, read(provider))
      },
    })
  }
  gaugeEach(
    'ndx_breaker_state',
    'Whether a provider is asked: 0 closed (asked), 1 half-open, 2 open (not asked)',
    provider => breakerStates.indexOf(gauges.breakerState(provider)),
  )
  gaugeEach('ndx_provider_pending', 'Exchanges held for a provider', gauges.inFlight)
}

const breakerStates: readonly BreakerState[] = ['closed', 'half-open', 'open']

/** prom-client hashes labels on each look-up; a map of joined names is cheaper. */
function keepChildren<Labels extends string[], Child>(
  make: (...labels: Labels) => Child,
): (...labels: Labels) => Child {
  const children = new Map<string, Child>()
  return (...labels) => {
    const key = labels.join(' ')
    let child = children.get(key)
    if (child === undefined) {
      child = make(...labels)
      children.set(key, child)
    }
    return child
  }
}
