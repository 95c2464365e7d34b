// The end of every exchange and refusal: one log line of allow-listed fields, its metrics, its audit counter, its note. The
// line is built here and nowhere else; a field that is not named here cannot reach the log.
import { type NoteMessage } from '#bus/note.ts'
import { type ClientId } from '#contracts/contract.ts'
import { type ErrorCode, type ExchangeError, errorTable } from '#contracts/errors.ts'
import { describeError, type Log } from '#runtime/log.ts'
import { type Counters } from './counters/counters.ts'
import { quotaDay } from './counters/quota-day.ts'
import { type Trail } from './exchange/trail.ts'
import { type Metrics } from './metrics.ts'

export interface AuditLog {
  /** Concludes a trail, once; later calls for the same trail do nothing. `error` is what ended it, when it was not answered. */
  conclude(trail: Trail, status: number, error?: ExchangeError): void
  /** The answer of `trail.first` was told once more, at its status. No new exchange, so nothing is counted. */
  tellAgain(trail: Trail): void
}

export interface AuditLogParts {
  log: Log
  metrics: Metrics
  counters: Pick<Counters, 'count'>
  note(message: Pick<NoteMessage, 'kind' | 'exchangeId' | 'facts'>): void
  now(): number
  clock(): number
}

export function createAuditLog({ log, metrics, counters, note, now, clock }: AuditLogParts): AuditLog {
  return {
    conclude(trail, status, error) {
      if (trail.concluded) return
      trail.concluded = true
      trail.status = status
      if (error !== undefined) {
        trail.code = error.code
        trail.outcome = outcomeOf(error.code, trail)
      }
      const durationMs = clock() - trail.startedMs
      metrics.exchange(trail, durationMs)
      if (trail.isShed) return
      if (trail.client !== undefined)
        counters.count(quotaDay(now()), trail.client as ClientId, trail.service ?? '-', trail.outcome ?? '-')
      noteEnd(trail, note)
      write(log, trail, durationMs, error)
    },
    tellAgain(trail) {
      noteEnd(trail, note)
      write(log, trail, clock() - trail.startedMs)
    },
  }
}

/** Who hung up after the question was sent does not know what came of it, as after a timeout. */
function outcomeOf(code: ErrorCode, { dispatched }: Trail): NonNullable<Trail['outcome']> {
  if (code === 'NDX_REPLY_TIMEOUT' || (code === 'NDX_CLIENT_GONE' && dispatched === true)) return 'unknown'
  if (code === 'NDX_REQUEST_EXPIRED') return 'expired'
  return errorTable[code].fault === 'client' ? 'refused' : 'failed'
}

/** Accepted needs none: the ledger sees the record itself. */
const noteKinds: Readonly<Record<Exclude<NonNullable<Trail['outcome']>, 'accepted'>, NoteMessage['kind']>> = {
  answered: 'delivered',
  unknown: 'timed-out',
  refused: 'refused',
  failed: 'undelivered',
  expired: 'undelivered',
}

/** Whatever is told of an earlier exchange, its own notes have said before; but that its answer was told is noted each time. */
function noteEnd(trail: Trail, note: AuditLogParts['note']): void {
  const { outcome = 'refused', exchangeId, first = exchangeId } = trail
  if (outcome === 'accepted' || (first !== exchangeId && outcome !== 'answered')) return
  note({
    kind: noteKinds[outcome],
    exchangeId: first,
    facts: outcome === 'answered' ? deliveryOf(trail) : factsOf(trail),
  })
}

/** To whom which reply was told and how much of it. All else of an answered exchange is in its request, which the ledger has. */
const deliveryOf = ({ client, officer, status, fields, withheld, reply }: Trail): NoteMessage['facts'] => ({
  client,
  officer,
  status,
  fields,
  withheld,
  reply,
})

/** Codes, names, pseudonyms. The same for the line and the note. */
const factsOf = (trail: Trail) => ({
  client: trail.client,
  provider: trail.provider,
  service: trail.service,
  version: trail.version,
  purpose: trail.purpose,
  procedure: trail.procedure,
  officer: trail.officer,
  subject: trail.subject,
  agreement: trail.agreement,
  parent: trail.parent,
  decision: trail.decision,
  outcome: trail.outcome,
  code: trail.code,
  status: trail.status,
  fields: trail.fields,
  withheld: trail.withheld,
  /** Of what ended without an answer: whether the request may be on its topic all the same. */
  sent: trail.outcome === 'answered' ? undefined : trail.dispatched === true,
  reply: trail.reply,
})

function write(log: Log, trail: Trail, durationMs: number, error?: ExchangeError): void {
  const isOurs = error !== undefined && errorTable[error.code].fault !== 'client'
  log[isOurs ? 'warn' : 'info']({
    event: 'exchange',
    exchangeId: trail.exchangeId,
    first: trail.first,
    traceparent: trail.traceparent,
    route: trail.route,
    ...factsOf(trail),
    limits: trail.verdict?.source,
    decidedMs: round(trail.decidedAfterMs),
    publishedMs: round(trail.publishedAfterMs),
    repliedMs: round(trail.repliedAfterMs),
    waitedMs: round(trail.waitedMs),
    handledMs: round(trail.handledMs),
    totalMs: round(durationMs),
    error: error?.cause === undefined ? undefined : describeError(error.cause),
  })
}

const round = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : Math.round(ms * 100) / 100
