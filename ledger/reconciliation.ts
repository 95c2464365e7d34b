// Whether the books balance: everything accepted is settled or still has time, nothing is settled that was not accepted, nobody was
// told what did not happen, and nothing is missing. Counts by provider and client, by client and service, and every gap by name.
import { decodeEntry } from './event.ts'
import { type ExchangeView, gapOf } from './exchange-view.ts'
import { missingOf } from './missing.ts'
import { whyUnsettleable } from './overdue.ts'
import { graceMs } from './reaper.ts'
import { type LedgerStore } from './store.ts'

export interface Reconciliation {
  /** Everything written before this moment (epoch ms on the road's clock) is in it. */
  caughtUpMs: number
  accepted: number
  settled: number
  /** Not settled, deadline not passed. */
  open: number
  /** Not settled though deadline and grace have passed. */
  overdue: number
  refused: number
  /** Refused before it was known who asked: no exchanges. */
  unidentified: number
  providers: ProviderBalance[]
  services: ServiceBalance[]
  /** At most 100; what is missing comes first, and names no exchange. */
  gaps: { exchange: string; kind: string; detail: string }[]
}

export interface ProviderBalance {
  provider: string
  client: string
  accepted: number
  answered: number
  failed: number
  expired: number
  open: number
  overdue: number
}

/** `unsettled`: open or overdue. Of what was refused service is '' when it named none that there is. */
export interface ServiceBalance {
  client: string
  service: string
  answered: number
  failed: number
  expired: number
  unsettled: number
  refused: number
}

const gapsMax = 100
const overdueMax = 10_000
/** Younger strays have a request on its way. */
const strayAgeMs = 10_000

export function reconcile(store: LedgerStore, caughtUpMs: number): Reconciliation {
  const overdue = store.overdue(caughtUpMs - graceMs, overdueMax)
  const providers = balancesOf(store, overdue)
  const sum = (pick: (balance: ProviderBalance) => number): number =>
    providers.reduce((total, balance) => total + pick(balance), 0)
  const countOf = (wanted: string): number =>
    store.tallies().reduce((total, { state, count }) => total + (state === wanted ? count : 0), 0)
  const flagged = store.contradicted(caughtUpMs - strayAgeMs, gapsMax)
  return {
    caughtUpMs,
    accepted: sum(balance => balance.accepted),
    settled: sum(({ answered, failed, expired }) => answered + failed + expired),
    open: sum(balance => balance.open),
    overdue: sum(balance => balance.overdue),
    refused: countOf('refused'),
    unidentified: countOf('unidentified'),
    providers,
    services: servicesOf(store),
    gaps: [
      ...store.gaps(gapsMax).flatMap(({ index, entry }) =>
        (decodeEntry(entry) ?? []).flatMap(event => {
          const missing = missingOf(index, event)
          return missing === undefined ? [] : [{ exchange: '', ...missing }]
        }),
      ),
      ...flagged.map(view => ({ exchange: view.exchange, kind: gapOf(view) ?? '', detail: detailOf(view) })),
      ...unsettledOf(overdue),
    ].slice(0, gapsMax),
  }
}

/** Those first that stay so whatever is done. */
function unsettledOf(overdue: readonly ExchangeView[]): Reconciliation['gaps'] {
  const gaps = overdue.map(({ exchange, request }) => {
    const why = request === undefined ? undefined : whyUnsettleable(request)
    const kind = why === undefined ? 'unsettled' : 'unsettleable'
    const deadline = new Date(request?.deadlineMs ?? 0).toISOString()
    return { exchange, kind, detail: `accepted, deadline ${deadline}, ${why ?? 'no outcome'}` }
  })
  return [...gaps.filter(({ kind }) => kind === 'unsettleable'), ...gaps.filter(({ kind }) => kind === 'unsettled')]
}

function balancesOf(store: LedgerStore, overdue: readonly ExchangeView[]): ProviderBalance[] {
  const balances = new Map<string, ProviderBalance>()
  const balanceOf = (provider: string, client: string): ProviderBalance => {
    const name = `${provider}\n${client}`
    const found = balances.get(name) ?? newBalance(provider, client)
    balances.set(name, found)
    return found
  }
  for (const { provider, client, state, count } of store.tallies()) {
    if (state !== 'accepted' && state !== 'answered' && state !== 'failed' && state !== 'expired') continue
    const balance = balanceOf(provider, client)
    balance.accepted += count
    if (state === 'accepted') balance.open += count
    else balance[state] += count
  }
  for (const { request } of overdue) {
    const balance = balanceOf(request?.provider ?? '', request?.client ?? '')
    balance.open -= 1
    balance.overdue += 1
  }
  return [...balances.values()]
}

function servicesOf(store: LedgerStore): ServiceBalance[] {
  const balances = new Map<string, ServiceBalance>()
  for (const { client, service, state, count } of store.tallies()) {
    if (state === 'stray' || state === 'unidentified') continue
    const none = { client, service, answered: 0, failed: 0, expired: 0, unsettled: 0, refused: 0 }
    const balance = balances.get(`${client}\n${service}`) ?? none
    balance[state === 'accepted' ? 'unsettled' : (state as 'answered')] += count
    balances.set(`${client}\n${service}`, balance)
  }
  return [...balances.values()]
}

const newBalance = (provider: string, client: string): ProviderBalance => ({
  provider,
  client,
  accepted: 0,
  answered: 0,
  failed: 0,
  expired: 0,
  open: 0,
  overdue: 0,
})

function detailOf({ request, outcome, told, refused }: ExchangeView): string {
  const parts = [
    request === undefined ? 'no acceptance was read' : `accepted for ${request.service}`,
    ...(outcome === undefined ? [] : [`outcome ${outcome.outcome}`]),
    ...(refused === undefined ? [] : [`refused with ${refused.code}`]),
    ...(told.length === 0 ? [] : [`told: ${told.join(', ')}`]),
  ]
  return parts.join('; ')
}
