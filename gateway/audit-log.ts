// The end of every exchange and refusal: one log line of allow-listed fields, its metrics, its audit counter, its note. The
// line is built here and nowhere else; a field that is not named here cannot reach the log.
import { type NoteFacts, type NoteKind } from '#bus/note.ts'
import { type ClientId } from '#contracts/contract.ts'
import { type ErrorCode, type ExchangeError, errorTable } from '#contracts/errors.ts'
import { describeError, type Log } from '#runtime/log.ts'
import { type Counters } from './counters/counters.ts'
import { quotaDay } from './counters/quota-day.ts'
import { evidenceUnavailable } from './exchange/evidence.ts'
import { replyTimeout } from './exchange/pending.ts'
import { type Trail } from './exchange/trail.ts'
import { type Metrics } from './metrics.ts'
import { type Notes } from './notes/notes.ts'

export interface AuditLog {
  /**
   * Concludes a trail, once; later calls for the same trail do nothing. `error` is what ended it, when it was not answered. Resolves
   * when it is written down, and only then may the client be told. Rejects for an answer that cannot be: it is not to be given, and
   * the trail is still to be concluded.
   */
  conclude(trail: Trail, status: number, error?: ExchangeError): Promise<void>
  /** The answer of `trail.first` is told once more, at its status. No new exchange, so nothing is counted. Rejects as `conclude`. */
  tellAgain(trail: Trail): Promise<void>
  /** What could not be read as a request was refused with this code. Resolves when it is counted. */
  refuseUnread(code: ErrorCode): Promise<void>
}

export interface AuditLogParts {
  log: Log
  metrics: Pick<Metrics, 'exchange'>
  counters: Pick<Counters, 'count'>
  notes: Pick<Notes, 'note' | 'refuse'>
  now(): number
  clock(): number
}

/** Lines a second and code for refusals of nobody in particular; the others are in a line that counts them. */
export const unidentifiedLinesMax = 10

export function createAuditLog({ log, metrics, counters, notes, now, clock }: AuditLogParts): AuditLog {
  return {
    async conclude(trail, status, error) {
      if (trail.concluded) return
      trail.concluded = true
      trail.status = status
      if (error !== undefined) {
        trail.code = error.code
        trail.outcome = outcomeOf(error.code, trail)
      }
      const durationMs = clock() - trail.startedMs
      if (trail.isShed) return metrics.exchange(trail, durationMs)
      const facts = factsOf(trail)
      const { nth, written } = noteEnd(trail, facts, notes)
      if (!(await written) && trail.outcome === 'answered') {
        trail.concluded = false
        throw notWritten(trail)
      }
      metrics.exchange(trail, durationMs)
      if (trail.client !== undefined)
        counters.count(quotaDay(now()), trail.client as ClientId, trail.service ?? '-', trail.outcome ?? '-')
      if (nth <= unidentifiedLinesMax) write(log, trail, facts, durationMs, error)
    },
    async tellAgain(trail) {
      const facts = factsOf(trail)
      const { written } = noteEnd(trail, facts, notes)
      if (!(await written)) throw notWritten(trail)
      write(log, trail, facts, clock() - trail.startedMs)
    },
    async refuseUnread(code) {
      await notes.refuse(code).written
    },
  }
}

/** What was sent may have its effect, so it is no failure: its client learns it at its status. */
const notWritten = ({ dispatched }: Trail): ExchangeError =>
  dispatched === true ? replyTimeout(evidenceUnavailable()) : evidenceUnavailable()

/** Who hung up after the question was sent does not know what came of it, as after a timeout. */
function outcomeOf(code: ErrorCode, { dispatched }: Trail): NonNullable<Trail['outcome']> {
  if (code === 'NDX_REPLY_TIMEOUT' || (code === 'NDX_CLIENT_GONE' && dispatched === true)) return 'unknown'
  if (code === 'NDX_REQUEST_EXPIRED') return 'expired'
  return errorTable[code].fault === 'client' ? 'refused' : 'failed'
}

/** Accepted needs none: the ledger sees the record itself. */
const noteKinds: Readonly<Record<Exclude<NonNullable<Trail['outcome']>, 'accepted'>, NoteKind>> = {
  answered: 'delivered',
  unknown: 'timed-out',
  refused: 'refused',
  failed: 'undelivered',
  expired: 'undelivered',
}

const needsNone = { nth: 1, written: Promise.resolve(true) }

/**
 * How an earlier exchange failed, its own notes have said before; but that its answer was told is noted each time, and a refusal is
 * of whoever was refused. Refusals of nobody in particular are counted: no exchange of theirs can be asked for.
 */
function noteEnd(trail: Trail, facts: NoteFacts, notes: AuditLogParts['notes']) {
  const { outcome = 'refused', exchangeId, first = exchangeId, client, code } = trail
  const isRefused = outcome === 'refused' || trail.status === 503
  if (outcome === 'accepted' || (first !== exchangeId && outcome !== 'answered' && !isRefused)) return needsNone
  if (client === undefined && code !== undefined) return notes.refuse(code)
  const isAnswered = outcome === 'answered'
  const about = isRefused ? exchangeId : first
  const note = { kind: noteKinds[outcome], exchangeId: about, facts: isAnswered ? deliveryOf(trail) : facts }
  return { nth: 1, written: notes.note(note) }
}

/** To whom which reply was told and how much of it. All else of an answered exchange is in its request, which the ledger has. */
const deliveryOf = ({ client, officer, status, fields, withheld, reply }: Trail): NoteFacts => ({
  client,
  officer,
  status,
  fields,
  withheld,
  reply,
})

/** Codes, names, pseudonyms. The same for the line and the note. */
const factsOf = (trail: Trail): NoteFacts => ({
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

function write(log: Log, trail: Trail, facts: NoteFacts, durationMs: number, error?: ExchangeError): void {
  const isOurs = error !== undefined && errorTable[error.code].fault !== 'client'
  log[isOurs ? 'warn' : 'info']({
    event: 'exchange',
    exchangeId: trail.exchangeId,
    first: trail.first,
    traceparent: trail.traceparent,
    route: trail.route,
    ...facts,
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
