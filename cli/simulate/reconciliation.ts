// Whether the two books are one: everything sent was accepted, refused or told again; everything accepted is settled; and of each
// exchange the ledger says what its client was told. Pure.
import { type Books, keyOf } from './books.ts'
import { type LedgerBooks, type LedgerExchange } from './ledger-books.ts'

export interface Reconciled {
  isReconciled: boolean
  sent: number
  accepted: number
  /** Not accepted: refused, or not taken because the platform was away. */
  refused: number
  /** Told once more for the same Idempotency-Key: no exchange of its own. */
  repeated: number
  settled: number
  /** Of the same attempts, as the ledger has them. */
  ledger: { accepted: number; refused: number; settled: number }
  /** By row of the table, how many of its questions the ledger confirms. */
  confirmed: ReadonlyMap<string, number>
  /** What is not so, at most 100; and how much in all. */
  differences: readonly string[]
  differenceCount: number
}

const differencesMax = 100

/** Enough to reconcile: each exchange is there, and the accepted are settled. */
export const isWhole = ({ attempts }: Pick<Books, 'attempts'>, { exchanges }: LedgerBooks): boolean =>
  exchanges.size === attempts.size &&
  [...exchanges.values()].every(({ isAccepted, settled, refused }) =>
    isAccepted ? settled !== undefined : refused !== undefined,
  )

export function reconcile(books: Books, ledger: LedgerBooks, gaps: readonly string[]): Reconciled {
  const differences: string[] = []
  let differenceCount = 0
  const differ = (text: string): void => {
    differenceCount++
    if (differences.length < differencesMax) differences.push(text)
  }
  const ours = { accepted: 0, refused: 0, settled: 0 }
  const theirs = { accepted: 0, refused: 0, settled: 0 }
  for (const attempt of books.attempts.values()) {
    const found = ledger.exchanges.get(attempt.exchangeId)
    if (attempt.end === 'accepted') ours.accepted++
    else ours.refused++
    if (found?.isAccepted === true) theirs.accepted++
    else if (found?.refused !== undefined) theirs.refused++
    if (found?.isAccepted === true && found.settled !== undefined) theirs.settled++
    const fault = faultOf(attempt, found)
    if (fault !== undefined) differ(`${attempt.exchangeId} ${attempt.client} ${attempt.service}: ${fault}`)
  }
  for (const { exchangeId, client, service } of books.repeated)
    if (ledger.exchanges.get(exchangeId)?.settled !== 'answered')
      differ(`${exchangeId} ${client} ${service}: told again, but the ledger has no answer`)
  for (const gap of gaps) differ(`gap: ${gap}`)
  const confirmed = confirm(books, ledger)
  const repeated = books.repeated.length
  return {
    isReconciled: differenceCount === 0 && theirs.accepted === theirs.settled,
    sent: books.attempts.size + repeated,
    ...ours,
    settled: theirs.settled,
    repeated,
    ledger: theirs,
    confirmed,
    differences,
    differenceCount,
  }
}

type OneAttempt = Books['attempts'] extends ReadonlyMap<string, infer T> ? T : never

function faultOf({ client, service, end }: OneAttempt, found: LedgerExchange | undefined): string | undefined {
  if (found === undefined) return 'the ledger does not have it'
  if (found.client !== client) return `the ledger has it as ${found.client}’s`
  if (service !== '-' && found.service !== service) return `the ledger has it as asked of ${found.service}`
  if (end !== 'accepted' && found.isAccepted && found.settled !== 'failed' && found.settled !== 'expired')
    return `its client was told ${end}, the ledger says accepted`
  if (end === 'accepted' && !found.isAccepted) return 'its client was told it was accepted, the ledger does not say so'
  if (found.isAccepted) return found.settled === undefined ? 'accepted, not settled' : undefined
  return found.refused === end ? undefined : `its client was told ${end}, the ledger says ${found.refused}`
}

/** How many questions of each row the ledger tells alike. */
function confirm(books: Books, ledger: LedgerBooks): Map<string, number> {
  const confirmed = new Map<string, number>()
  for (const { row, exchangeId } of books.finals) {
    const found = ledger.exchanges.get(exchangeId)
    if (found === undefined) continue
    const [client = '', service = '', outcome = ''] = row.split('\t')
    const told = found.settled ?? (found.isAccepted ? 'accepted' : (found.refused ?? ''))
    const isSo = outcome === told || (outcome === 'repeated' && told === 'answered')
    const isSame = keyOf(found.client, service === '-' ? '-' : found.service, '') === keyOf(client, service, '')
    if (isSo && isSame) confirmed.set(row, (confirmed.get(row) ?? 0) + 1)
  }
  return confirmed
}
