// The two books compared: what is alike, and every way in which they can differ.
import { describe, expect, test } from 'vitest'
import { type Attempt, type Result } from '#cli/simulate/asking.ts'
import { createBooks } from '#cli/simulate/books.ts'
import { type LedgerBooks, type LedgerExchange } from '#cli/simulate/ledger-books.ts'
import { type Errand } from '#cli/simulate/plan.ts'
import { isWhole, reconcile } from '#cli/simulate/reconciliation.ts'

const service = 'population/identity-verification'
const attempt = (exchangeId: string, end: Attempt['end'], client = 'bank'): Attempt => ({
  client,
  service,
  exchangeId,
  end,
})
const settled: LedgerExchange = { client: 'bank', service, isAccepted: true, settled: 'answered' }
const refused: LedgerExchange = { client: 'bank', service, isAccepted: false, refused: 'NDX_RATE_EXCEEDED' }
const ledgerOf = (exchanges: Record<string, LedgerExchange>): LedgerBooks => ({
  exchanges: new Map(Object.entries(exchanges)),
  officers: [],
  events: 0,
})

function booksOf(attempts: readonly Attempt[]) {
  const books = createBooks()
  for (const one of attempts) books.attempt(one)
  return books
}

const resultOf = (
  exchangeId: string,
  changes: Partial<Result> = {},
  wanted: Result['outcome'] = 'answered',
): Result => ({
  asked: { client: 'bank', service, counted: service, envelope: {}, headers: {}, wanted, expects: { matched: true } },
  outcome: 'answered',
  exchangeId,
  reply: { matched: true },
  tookMs: 1,
  again: 0,
  ...changes,
})

test('what agrees is reconciled, with what was sent again and told again', () => {
  const books = booksOf([attempt('a', 'accepted'), attempt('b', 'NDX_RATE_EXCEEDED'), attempt('a', 'repeated')])
  books.result(resultOf('a'), { kind: 'ask' } as Errand)
  books.result(resultOf('a', { outcome: 'repeated' }, 'repeated'), { kind: 'retry' } as Errand)
  const ledger = ledgerOf({ a: settled, b: refused })
  expect(isWhole(books, ledger)).toBe(true)
  const { confirmed, ...balance } = reconcile(books, ledger, [])
  expect(balance).toEqual({
    isReconciled: true,
    sent: 3,
    accepted: 1,
    refused: 1,
    repeated: 1,
    settled: 1,
    ledger: { accepted: 1, refused: 1, settled: 1 },
    differences: [],
    differenceCount: 0,
  })
  expect(books.rows().map(({ outcome, questions }) => [outcome, questions])).toEqual([
    ['answered', 1],
    ['repeated', 1],
  ])
  expect([...confirmed.values()]).toEqual([1, 1])
  expect(books.counts.surprises).toBe(0)
})

test('an answer whose first telling was lost is accounted for by its second', () => {
  const books = booksOf([attempt('a', 'repeated')])
  expect(reconcile(books, ledgerOf({ a: settled }), []).isReconciled).toBe(true)
})

describe.each<[string, Attempt, LedgerExchange | undefined, string]>([
  ['an exchange that the ledger does not have', attempt('a', 'accepted'), undefined, 'the ledger does not have it'],
  ['another client', attempt('a', 'accepted', 'vneid'), settled, 'the ledger has it as bank’s'],
  [
    'another service',
    attempt('a', 'accepted'),
    { ...settled, service: 'land/parcel-record' },
    'asked of land/parcel-record',
  ],
  ['an answer never accepted', attempt('a', 'accepted'), refused, 'told it was accepted, the ledger does not say so'],
  [
    'a refusal that was accepted',
    attempt('a', 'NDX_RATE_EXCEEDED'),
    settled,
    'told NDX_RATE_EXCEEDED, the ledger says accepted',
  ],
  ['another refusal', attempt('a', 'NDX_QUOTA_EXCEEDED'), refused, 'the ledger says NDX_RATE_EXCEEDED'],
  [
    'an open exchange',
    attempt('a', 'accepted'),
    { client: 'bank', service, isAccepted: true },
    'accepted, not settled',
  ],
])('%s', (_, ours, theirs, text) => {
  test('is told', () => {
    const { isReconciled, differences } = reconcile(
      booksOf([ours]),
      ledgerOf(theirs === undefined ? {} : { a: theirs }),
      [],
    )
    expect([isReconciled, differences]).toEqual([false, [expect.stringContaining(text)]])
  })
})

test('a gap of the ledger’s own is a difference', () => {
  expect(reconcile(booksOf([]), ledgerOf({}), ['x unsettled: …'])).toMatchObject({
    isReconciled: false,
    differences: ['gap: x unsettled: …'],
  })
})

test('the reading goes on while something is missing or open', () => {
  const books = booksOf([attempt('a', 'accepted')])
  expect(isWhole(books, ledgerOf({}))).toBe(false)
  expect(isWhole(books, ledgerOf({ a: { client: 'bank', service, isAccepted: true } }))).toBe(false)
  expect(isWhole(books, ledgerOf({ a: settled }))).toBe(true)
})

test('another outcome and another answer than planned are surprises', () => {
  const books = createBooks()
  books.result(resultOf('a', { outcome: 'NDX_PROVIDER_FAILED', reply: undefined }), { kind: 'ask' } as Errand)
  books.result(resultOf('b', { reply: { matched: false } }), { kind: 'ask' } as Errand)
  books.result(resultOf('c', { reply: {} }), { kind: 'ask' } as Errand)
  expect(books.surprises.map(({ wanted, got, exchangeId }) => [wanted, got, exchangeId])).toEqual([
    ['answered', 'NDX_PROVIDER_FAILED', 'a'],
    ['answered', 'another answer than the nation’s', 'b'],
    ['answered', 'another answer than the nation’s', 'c'],
  ])
})
