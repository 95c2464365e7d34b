// What every refusal has in common, asserted whole: status, body, media type, the exchange's id in both places, nothing cached.
// every-code.test.ts reads the calls of these functions to know which codes have a test, so the code stands there as a literal.
import { expect } from 'vitest'
import { type ErrorCode, type ErrorFacts, errorTable } from '#contracts/errors.ts'
import { type Answered } from '#tests/asker.ts'

export const exchangeIdForm = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** The problem of this code with these facts, and no other member. */
export function expectProblem(
  answered: Answered,
  code: ErrorCode,
  facts: Omit<ErrorFacts, 'retryAfterSeconds'> = {},
): void {
  const { status, vi, en, fault, retryable } = errorTable[code]
  const exchangeId = answered.headers.get('exchange-id')
  expect(answered.body).toEqual({
    type: `/problems/${code}`,
    title: en,
    titles: { vi, en },
    status,
    code,
    exchangeId: exchangeId ?? '-',
    fault,
    retryable,
    ...facts,
  })
  expect(answered.status).toBe(status)
  expect(answered.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  expect(answered.headers.get('cache-control')).toBe('no-store')
  expect(exchangeId).toMatch(exchangeIdForm)
}

const oauthErrors: Partial<Record<ErrorCode, string>> = {
  NDX_GRANT_TYPE_UNSUPPORTED: 'unsupported_grant_type',
  NDX_SCOPE_UNKNOWN: 'invalid_scope',
  NDX_ASSERTION_INVALID: 'invalid_client',
  NDX_ASSERTION_REPLAYED: 'invalid_client',
  NDX_BODY_MALFORMED: 'invalid_request',
  NDX_COUNTERS_UNAVAILABLE: 'temporarily_unavailable',
  NDX_RATE_EXCEEDED: 'temporarily_unavailable',
  NDX_ADDRESS_LIMITED: 'temporarily_unavailable',
}

/** The token endpoint's error (RFC 6749 section 5.2) of this code. */
export function expectOAuthError(answered: Answered, code: ErrorCode, description: string): void {
  const { status, retryable } = errorTable[code]
  expect(answered.body).toEqual({
    error: oauthErrors[code],
    error_description: description,
    code,
    exchangeId: answered.headers.get('exchange-id'),
    retryable,
  })
  expect(answered.status).toBe(status)
  expect(answered.headers.get('cache-control')).toBe('no-store')
}

/** What is answered on a bare socket, to what never became a request and so has no exchange. */
export function expectRawProblem(problem: unknown, code: ErrorCode): void {
  const { status, vi, en, fault, retryable } = errorTable[code]
  const titles = { vi, en }
  expect(problem).toEqual({
    type: `/problems/${code}`,
    title: en,
    titles,
    status,
    code,
    exchangeId: '-',
    fault,
    retryable,
  })
}

/** Of one that nobody hears, since its client has hung up, the log has the only word. */
export function expectUnheard(line: object | undefined, code: ErrorCode, facts: object): void {
  expect(line).toMatchObject({ level: 'info', event: 'exchange', code, status: errorTable[code].status, ...facts })
}
