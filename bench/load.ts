// What the generator is told and what it tells: one load on one target for a time, and what came of it.
import { type Topic } from './questions.ts'

/** closed: each connection sends its next request when it has its answer · open: requests are sent when due, whatever. */
export type Load = { kind: 'closed'; concurrent: number } | { kind: 'open'; perSecond: number }

export interface Assignment {
  url: string
  token: string
  load: Load
  seconds: number
  /** What is asked; default identity. */
  about?: Topic
}

/** Nothing is in flight before it begins or after it has ended, so its counts are exact. */
export interface Tally {
  /** Answers by HTTP status; 0: a connection that broke, no answer within ten seconds, or never sent. */
  statuses: Record<number, number>
  /** Other answers than 200 by their problem's code; unsent: ten seconds after it was due no connection was free. */
  codes: Record<string, number>
  /** Of all answers those with 200. */
  answered: number
  /** 200 with another reply than the nation's truth. */
  wrong: number
  /** 200 within the time, a second. */
  perSecond: number
  /** Of answers with 200, ms; in an open loop from the moment the request was due. Undefined without an answer. */
  p50Ms: number | undefined
  p95Ms: number | undefined
  p99Ms: number | undefined
  maxMs: number | undefined
  /** Open loop only: how late the generator itself sent, ms. */
  sentLateP99Ms?: number | undefined
}

export const nameOf = (load: Load): string =>
  load.kind === 'closed' ? `${load.concurrent} at once` : `${load.perSecond} a second`
