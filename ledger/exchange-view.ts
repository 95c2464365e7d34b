// How one exchange stands, as far as the ledger has read: what a reading makes of it, and which events it gives. Pure. The first
// terminal record of the reply partition that the request named is the outcome; all after it is late. Order between topics is
// not promised by any road, so a reply may be read before its request: it is held until the request is there.
import { type ExchangeId, isExchangeId, type ReplyOutcome, replyTypeOf } from '#bus/message.ts'
import { replyTopic } from '#bus/topics.ts'
import { type ExchangeState } from '#contracts/exchange-status.ts'
import { type EventDetail, type EventKind, type LedgerEvent } from './event.ts'
import { type NoteRead, type Reading, type ReplyRead, type RequestRead, type UnreadableRead } from './reading.ts'

/** What is kept of a request: enough to tell how it stands, to settle it and to call back. */
export type AcceptedRequest = Pick<
  RequestRead,
  | 'client'
  | 'provider'
  | 'service'
  | 'type'
  | 'contractHash'
  | 'agreement'
  | 'subject'
  | 'fields'
  | 'traceparent'
  | 'deadlineMs'
  | 'replyPartition'
  | 'idempotency'
  | 'parent'
> & { acceptedMs: number; callback?: true }

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
  /** When the first reading of it happened, epoch ms. */
  firstMs: number
  /** Undefined while only notes or replies of it were read. */
  request?: AcceptedRequest
  outcome?: ViewOutcome
  /** Replies read before the request, in the order of their partitions. */
  held?: ReplyRead[]
  isDeferred?: true
  isLate?: true
  /** Why it never was accepted, as its gateway noted. */
  refused?: { client?: string; provider?: string; service?: string; parent?: ExchangeId; code: string; atMs: number }
  /** Which reply gateways say they delivered: `<topic>/<partition>/<offset>`; more than one would be a fault. */
  delivered?: string
  /** By whom and when, the last time: tells a note that was written twice from one delivered twice. */
  lastDelivery?: string
  /** Notes read: `<kind>`, of incidents `incident:<which>`. A repeated one gives no event. */
  told: string[]
  /** Indexes of its events in the log. */
  leaves: number[]
}

/** More replies than this before the request are a provider's fault; the first counts anyway. */
const heldMax = 16

export interface Applied {
  view: ExchangeView
  events: LedgerEvent[]
}

export const emptyView = (exchange: ExchangeId, firstMs: number): ExchangeView => ({
  exchange,
  firstMs,
  told: [],
  leaves: [],
})

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
  return delivered === undefined || delivered === '' || delivered === record ? undefined : 'delivered-another'
}

/** Its client was told that the outcome is unknown, and its request never came: the road did not take it. Nobody answered it. */
const isNeverSent = ({ told, held }: ExchangeView): boolean =>
  held === undefined && told.length > 0 && told.every(mark => mark === 'timed-out')

/** Does not change what it is given. */
export function applyReading(view: ExchangeView, reading: Reading): Applied {
  if (reading.is === 'request') return accept(view, reading)
  if (reading.is === 'reply') return settle(view, reading)
  if (reading.is === 'note') return note(view, reading)
  return { view, events: [unreadable(reading)] }
}

function accept(view: ExchangeView, request: RequestRead): Applied {
  if (view.request !== undefined) return { view, events: [eventOf('repeated', request, { bytes: request.bytes })] }
  const { held = [], ...rest } = view
  const accepted: Applied = { view: { ...rest, request: keptOf(request) }, events: [acceptedEvent(request)] }
  return held.reduce((applied, reply) => {
    const next = settle(applied.view, reply)
    return { view: next.view, events: [...applied.events, ...next.events] }
  }, accepted)
}

function keptOf({ at, callback, idempotency, parent, ...request }: RequestRead): AcceptedRequest {
  const { client, provider, service, type, contractHash, agreement, subject, fields, traceparent } = request
  return {
    client,
    provider,
    service,
    type,
    contractHash,
    agreement,
    subject,
    fields,
    traceparent,
    acceptedMs: at,
    deadlineMs: request.deadlineMs,
    replyPartition: request.replyPartition,
    ...(callback ? { callback } : {}),
    ...(idempotency === undefined ? {} : { idempotency }),
    ...(parent === undefined ? {} : { parent }),
  }
}

function settle(view: ExchangeView, reply: ReplyRead): Applied {
  const { request, outcome, held = [] } = view
  if (request === undefined) return { view: { ...view, held: [...held, reply].slice(0, heldMax) }, events: [] }
  const isInPlace = reply.topic === replyTopic(request.provider) && reply.partition === request.replyPartition
  if (outcome !== undefined || !isInPlace) {
    return {
      view: isInPlace ? { ...view, isLate: true } : view,
      events: [replyEvent('late', reply, { misplaced: isInPlace ? undefined : true })],
    }
  }
  const judged = isReplyTo(reply, request) ? reply : { ...reply, outcome: 'failed' as const, code: 'REPLY_INVALID' }
  const { partition, offset, code } = judged
  const road = judged.origin.slice(0, judged.origin.indexOf(':'))
  const settled = {
    outcome: judged.outcome,
    ...(code === undefined ? {} : { code }),
    settledMs: judged.at,
    road,
    partition,
    offset,
  }
  return { view: { ...view, outcome: settled }, events: [replyEvent(judged.outcome, judged)] }
}

/** Of the same service and contract; whoever settles for a provider (the reaper) says so too. */
const isReplyTo = (reply: ReplyRead, request: AcceptedRequest): boolean =>
  reply.contractHash === request.contractHash && reply.type === replyTypeOf(request.type)

function note(view: ExchangeView, reading: NoteRead): Applied {
  const { kind, facts } = reading
  if (kind === 'delivered') return deliver(view, reading)
  const mark = kind === 'incident' ? `incident:${String(facts['incident'])}` : kind
  if (view.told.includes(mark)) return { view, events: [] }
  const told = { ...view, told: [...view.told, mark] }
  const events = [eventOf(kind, reading, facts)]
  if (kind === 'deferred') return { view: { ...told, isDeferred: true }, events }
  const isRefused = kind === 'refused' || (kind === 'undelivered' && facts['sent'] === false)
  if (!isRefused) return { view: told, events }
  const text = (name: string) => (typeof facts[name] === 'string' ? { [name]: facts[name] } : {})
  const refused = {
    ...text('client'),
    ...text('provider'),
    ...text('service'),
    ...(isExchangeId(facts['parent']) ? { parent: facts['parent'] } : {}),
    code: String(facts['code'] ?? ''),
    atMs: reading.at,
  }
  return { view: { ...told, refused }, events }
}

/** An answer may be told more than once (a retry, a status): each is a disclosure, but for a note that was written twice. */
function deliver(view: ExchangeView, reading: NoteRead): Applied {
  const lastDelivery = `${reading.source} ${reading.at}`
  if (view.lastDelivery === lastDelivery) return { view, events: [] }
  const { reply } = reading.facts
  const told = view.told.includes('delivered') ? view.told : [...view.told, 'delivered']
  const isNews = typeof reply === 'string' && view.delivered !== reply
  const delivered = [view.delivered, reply].filter(Boolean).join(' ')
  return {
    view: { ...view, told, lastDelivery, ...(isNews ? { delivered } : {}) },
    events: [eventOf('delivered', reading, reading.facts)],
  }
}

const unreadable = (reading: UnreadableRead): LedgerEvent => eventOf('unreadable', reading, { reason: reading.reason })

const acceptedEvent = (request: RequestRead): LedgerEvent =>
  eventOf('accepted', request, {
    client: request.client,
    provider: request.provider,
    service: request.service,
    contract: request.contractHash,
    agreement: request.agreement,
    purpose: request.purpose,
    procedure: request.procedure,
    officer: request.officer,
    subject: request.subject,
    fields: request.fields,
    traceparent: request.traceparent,
    parent: request.parent,
    deadline: request.deadlineMs,
    request: request.commitment,
    bytes: request.bytes,
  })

const replyEvent = (
  kind: EventKind,
  reply: ReplyRead,
  more: Record<string, EventDetail | undefined> = {},
): LedgerEvent =>
  eventOf(kind, reply, {
    code: reply.code,
    contract: reply.contractHash,
    released: reply.released,
    reply: reply.commitment,
    bytes: reply.bytes,
    waitedMs: reply.waitedMs,
    handledMs: reply.handledMs,
    ...more,
  })

/** What every event has comes last, so that no fact of a note can pass for it. Numbers are whole. */
function eventOf(
  kind: EventKind,
  { exchange, at, source, origin }: Reading,
  details: Readonly<Record<string, EventDetail | undefined>>,
): LedgerEvent {
  const event: Record<string, EventDetail | undefined> = {}
  for (const name in details) {
    const value = details[name]
    event[name] = typeof value === 'number' ? Math.round(value) : value
  }
  const common = { v: 1 as const, kind, exchange, at: Number.isFinite(at) ? Math.round(at) : 0, source, origin }
  return Object.assign(event, common)
}
