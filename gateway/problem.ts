// An ExchangeError as an RFC 9457 problem. Titles in both languages; what a client needs to mend it; never personal data.
import { type ErrorFacts, type ExchangeError, errorTable } from '#contracts/errors.ts'

export interface Problem extends Omit<ErrorFacts, 'retryAfterSeconds'> {
  /** Where the code is explained: GET it. */
  type: string
  title: string
  titles: { vi: string; en: string }
  status: number
  code: string
  exchangeId: string
  fault: string
  retryable: boolean
}

export function toProblem({ code, facts }: ExchangeError, exchangeId: string): Problem {
  const { status, en, vi, fault, retryable } = errorTable[code]
  const { retryAfterSeconds: _, ...shown } = facts
  return {
    type: `/problems/${code}`,
    title: en,
    titles: { vi, en },
    status,
    code,
    exchangeId,
    fault,
    retryable,
    ...shown,
  }
}
