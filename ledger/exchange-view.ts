// How one exchange stands, as far as the ledger has read: what its events, in the order of the log, add up to. Nothing else is
// needed, so a view can always be made again from the log. The first terminal record of the reply partition that the request
// named is the outcome; all after it is late (exchange-events.ts decides that once, when the event is made).
import { type ExchangeId, type ReplyOutcome, requestTypeOf } from '#bus/message.ts'
import { replyTopic } from '#bus/topics.ts'
import { type ClientId, type ProviderId, type ServiceId } from '#contracts/contract.ts'
import { type ExchangeState } from '#contracts/exchange-status.ts'
import { type EventDetail, type LedgerEvent } from './event.ts'

/** What is known of a request: enough to tell how it stands, to settle it and to call back. */
export interface AcceptedRequest {
  client: ClientId
  provider: ProviderId
  service: ServiceId
  /** CloudEvents type. */
  type: string
  contractHash: string
  agreement: string
  subject: string
  fields: readonly string[]
  traceparent: string
  acceptedMs: number
  deadlineMs: number
  replyPartition: number
  callback?: true
  parent?: ExchangeId
}

/** The record that is the outcome, and where it is on the provider's reply topic. */
export interface ViewOutcome {
  outcome: ReplyOutcome
  code?: string
  settledMs: number
  road: string
  partition: number
  offset: string
}

export interface ExchangeView {
  exchange: ExchangeId
  /** When the first event of it happened, epoch ms. */
  firstMs: number
  /** Undefined while only notes or replies of it were read. */
  request?: AcceptedRequest
  outcome?: ViewOutcome
  /** Replies read before the request, in the order of their partitions. */
  early?: LedgerEvent[]
  isDeferred?: true
  isLate?: true
  /** Why it never was accepted, as its gateway noted. */
  refused?: { client?: string; provider?: string; service?: string; parent?: ExchangeId; code: string; atMs: number }
  /** Which replies gateways say they delivered: `<topic>/<partition>/<offset>`; more than one would be a fault. */
  delivered: string[]
  /** Notes read: `<kind>`, of incidents `incident:<which>`. */
  told: string[]
  /** Indexes of its entries in the log. */
  leaves: number[]
}

/** More replies than this before the request are a provider's fault; the first counts anyway. */
const earlyMax = 16
/** More distinct ones are as much a fault as two. */
const deliveredMax = 4

export const emptyView = (exchange: ExchangeId, firstMs: number): ExchangeView => ({
  exchange,
  firstMs,
  delivered: [],
  told: [],
  leaves: [],
})

/** Undefined: there is no event. */
export function viewOf(events: readonly LedgerEvent[], leaves: readonly number[]): ExchangeView | undefined {
  const [first] = events
  if (first === undefined) return undefined
  const view = emptyView(first.exchange as ExchangeId, first.at)
  for (const event of events) evolve(view, event)
  view.leaves.push(...leaves)
  return view
}

/** Adds one event of its exchange to the view. */
export function evolve(view: ExchangeView, event: LedgerEvent): void {
  switch (event.kind) {
    case 'accepted':
      view.request ??= requestOf(event)
      return
    case 'answered':
    case 'failed':
    case 'expired':
      view.outcome ??= outcomeOf(event, event.kind)
      return
    case 'early':
      view.early = [...(view.early ?? []), event].slice(0, earlyMax)
      return
    case 'late':
      if (event['misplaced'] !== true) view.isLate = true
      return
    case 'repeated':
    case 'unreadable':
    case 'gap':
      return
    default:
      noted(view, event)
  }
}

function noted(view: ExchangeView, event: LedgerEvent): void {
  const mark = markOf(event.kind, event['incident'])
  if (!view.told.includes(mark)) view.told.push(mark)
  if (event.kind === 'deferred') view.isDeferred = true
  if (event.kind === 'delivered') {
    const reply = textOf(event['reply'])
    if (reply !== '' && !view.delivered.includes(reply) && view.delivered.length < deliveredMax)
      view.delivered.push(reply)
  }
  if (event.kind === 'refused' || (event.kind === 'undelivered' && event['sent'] === false))
    view.refused = refusalOf(event)
}

/** What tells one note of an exchange from another. */
export const markOf = (kind: string, incident: EventDetail | undefined): string =>
  kind === 'incident' ? `incident:${textOf(incident)}` : kind

function requestOf(event: LedgerEvent): AcceptedRequest {
  const service = textOf(event['service']) as ServiceId
  return {
    client: textOf(event['client']) as ClientId,
    provider: textOf(event['provider']) as ProviderId,
    service,
    type: requestTypeOf(service, Number(event['major'])),
    contractHash: textOf(event['contract']),
    agreement: textOf(event['agreement']),
    subject: textOf(event['subject']),
    fields: (event['fields'] ?? []) as readonly string[],
    traceparent: textOf(event['traceparent']),
    acceptedMs: event.at,
    deadlineMs: Number(event['deadline']),
    replyPartition: Number(event['replyPartition']),
    ...(event['callback'] === true ? { callback: true } : {}),
    ...(event['parent'] === undefined ? {} : { parent: event['parent'] as ExchangeId }),
  }
}

function outcomeOf(event: LedgerEvent, outcome: ReplyOutcome): ViewOutcome {
  const { road, partition, offset } = placeOf(event.origin)
  const code = event['code']
  return {
    outcome,
    ...(code === undefined ? {} : { code: textOf(code) }),
    settledMs: event.at,
    road,
    partition,
    offset,
  }
}

function refusalOf(event: LedgerEvent): NonNullable<ExchangeView['refused']> {
  const { client, provider, service, parent, code } = event
  return {
    ...(client === undefined ? {} : { client: textOf(client) }),
    ...(provider === undefined ? {} : { provider: textOf(provider) }),
    ...(service === undefined ? {} : { service: textOf(service) }),
    ...(parent === undefined ? {} : { parent: parent as ExchangeId }),
    code: textOf(code),
    atMs: event.at,
  }
}

const textOf = (value: EventDetail | undefined): string => (typeof value === 'string' ? value : '')

/** Of a record's origin, `<bus>:<topic>/<partition>/<offset>`. */
export function placeOf(origin: string): { road: string; topic: string; partition: number; offset: string } {
  const colon = origin.indexOf(':')
  const offsetAt = origin.lastIndexOf('/')
  const partitionAt = origin.lastIndexOf('/', offsetAt - 1)
  return {
    road: origin.slice(0, colon),
    topic: origin.slice(colon + 1, partitionAt),
    partition: Number(origin.slice(partitionAt + 1, offsetAt)),
    offset: origin.slice(offsetAt + 1),
  }
}

/** `stray`: an outcome or a note, but no acceptance; normal for a moment, a gap when it lasts. */
export type ViewState = ExchangeState | 'stray'

export function stateOf({ request, outcome, refused }: ExchangeView): ViewState {
  if (request !== undefined) return outcome?.outcome ?? 'accepted'
  return refused === undefined ? 'stray' : 'refused'
}

/** The exchange in whose course it was asked, as its client said. */
export const parentOf = ({ request, refused }: ExchangeView): ExchangeId | undefined =>
  request?.parent ?? refused?.parent

/** What cannot be, or cannot last: an operator must look. Undefined: nothing of the kind. */
export type Gap = 'stray' | 'refused-yet-accepted' | 'delivered-yet-not-answered' | 'delivered-another'

export function gapOf(view: ExchangeView): Gap | undefined {
  const { request, outcome, refused, told, delivered } = view
  if (request === undefined) return refused !== undefined || isNeverSent(view) ? undefined : 'stray'
  if (refused !== undefined) return 'refused-yet-accepted'
  if (outcome === undefined || !told.includes('delivered')) return undefined
  if (outcome.outcome !== 'answered') return 'delivered-yet-not-answered'
  const record = `${replyTopic(request.provider)}/${outcome.partition}/${outcome.offset}`
  return delivered.every(place => place === record) ? undefined : 'delivered-another'
}

/** Its client was told that the outcome is unknown, and its request never came: the bus did not take it. Nobody answered it. */
const isNeverSent = ({ told, early }: ExchangeView): boolean =>
  early === undefined && told.length > 0 && told.every(mark => mark === 'timed-out')
