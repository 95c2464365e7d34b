// What a reading means for its exchange: the events it gives, in the order of the log. Pure. Whether a reply is the outcome, early
// or late is decided here once and stands in its event; what the events add up to is exchange-view.ts.
import { replyTypeOf } from '#bus/message.ts'
import { replyTopic } from '#bus/topics.ts'
import { type EventDetail, type EventKind, type LedgerEvent } from './event.ts'
import { type AcceptedRequest, type ExchangeView, markOf, placeOf } from './exchange-view.ts'
import { type NoteRead, type Reading, type ReplyRead, type RequestRead, type UnreadableRead } from './reading.ts'

/** Does not change the view. */
export function eventsOf(view: ExchangeView, reading: Reading): LedgerEvent[] {
  if (reading.is === 'request') return accept(view, reading)
  if (reading.is === 'reply') return [settle(view, reading)]
  if (reading.is === 'note') return note(view, reading)
  return [unreadable(reading)]
}

/** Replies that were read before it are what they would have been after it. */
function accept({ request, early = [] }: ExchangeView, read: RequestRead): LedgerEvent[] {
  if (request !== undefined) return [eventOf('repeated', read, { size: read.size })]
  const arePlaced = early.map(event => isInPlace(placeOf(event.origin), read))
  const outcomeAt = arePlaced.indexOf(true)
  const replies = early.map((event, i) => {
    const { type, outcome, ...details } = event
    if (i !== outcomeAt) return { ...details, kind: 'late', ...misplacedUnless(arePlaced[i] === true) } as const
    return isReplyTo(event, read) ? { ...details, kind: outcome as EventKind } : { ...details, ...invalid }
  })
  return [accepted(read), ...replies]
}

type Expected = Pick<AcceptedRequest, 'provider' | 'replyPartition' | 'contractHash' | 'type'>

const invalid = { kind: 'failed' as const, code: 'REPLY_INVALID' }

function settle({ request, outcome }: ExchangeView, reply: ReplyRead): LedgerEvent {
  if (request === undefined) return replyEvent('early', reply, { outcome: reply.outcome, type: reply.type })
  const isPlaced = isInPlace(reply, request)
  if (outcome !== undefined || !isPlaced) return replyEvent('late', reply, misplacedUnless(isPlaced))
  const given = { contract: reply.contractHash, type: reply.type }
  return isReplyTo(given, request)
    ? replyEvent(reply.outcome, reply)
    : replyEvent(invalid.kind, { ...reply, code: invalid.code })
}

const misplacedUnless = (isPlaced: boolean): { misplaced?: true } => (isPlaced ? {} : { misplaced: true })

const isInPlace = (place: { topic: string; partition: number }, request: Expected): boolean =>
  place.topic === replyTopic(request.provider) && place.partition === request.replyPartition

/** Of the same service and contract; whoever settles for a provider (the reaper) says so too. */
const isReplyTo = (
  { contract, type }: { readonly [detail: string]: EventDetail | undefined },
  request: Expected,
): boolean => contract === request.contractHash && type === replyTypeOf(request.type)

/** A note that a host or the ledger writes again is no news; what a gateway numbers is news each time. */
function note({ told }: ExchangeView, reading: NoteRead): LedgerEvent[] {
  const { kind, facts, isNumbered } = reading
  if (!isNumbered && told.includes(markOf(kind, facts['incident']))) return []
  return [kind === 'delivered' ? delivered(reading) : eventOf(kind, reading, facts)]
}

/** Members in the order in which they are encoded: there is one of nearly every exchange. */
const delivered = ({ at, exchange, facts, origin, source }: NoteRead): LedgerEvent => ({
  at,
  client: facts['client'],
  exchange,
  fields: facts['fields'],
  kind: 'delivered',
  officer: facts['officer'],
  origin,
  reply: facts['reply'],
  source,
  status: facts['status'],
  withheld: facts['withheld'],
})

const unreadable = (reading: UnreadableRead): LedgerEvent => eventOf('unreadable', reading, { reason: reading.reason })

/** Members in the order in which they are encoded. */
const accepted = (request: RequestRead): LedgerEvent => ({
  agreement: request.agreement,
  at: request.at,
  callback: request.callback ? true : undefined,
  client: request.client,
  contract: request.contractHash,
  deadline: request.deadlineMs,
  exchange: request.exchange,
  fields: request.fields,
  kind: 'accepted',
  major: request.major,
  officer: request.officer,
  origin: request.origin,
  parent: request.parent,
  procedure: request.procedure,
  provider: request.provider,
  purpose: request.purpose,
  replyPartition: request.replyPartition,
  request: request.commitment,
  service: request.service,
  size: request.size,
  source: request.source,
  subject: request.subject,
  traceparent: request.traceparent,
})

/** Members in the order in which they are encoded. */
const replyEvent = (
  kind: EventKind,
  reply: ReplyRead,
  { misplaced, outcome, type }: { misplaced?: true; outcome?: string; type?: string } = {},
): LedgerEvent => ({
  at: reply.at,
  code: reply.code,
  contract: reply.contractHash,
  exchange: reply.exchange,
  handledMs: reply.handledMs,
  kind,
  misplaced,
  origin: reply.origin,
  outcome,
  released: reply.released,
  reply: reply.commitment,
  size: reply.size,
  source: reply.source,
  type,
  waitedMs: reply.waitedMs,
})

/** What every event has comes last, so that no fact of a note can pass for it. Numbers are whole. */
export function eventOf(
  kind: EventKind,
  { exchange, at, source, origin }: Pick<LedgerEvent, 'exchange' | 'at' | 'source' | 'origin'>,
  details: Readonly<Record<string, EventDetail | undefined>>,
): LedgerEvent {
  const event: Record<string, EventDetail | undefined> = {}
  for (const name in details) {
    const value = details[name]
    if (value !== undefined) event[name] = typeof value === 'number' ? Math.round(value) : value
  }
  return Object.assign(event, { kind, exchange, at: Number.isSafeInteger(at) ? at : 0, source, origin })
}
