// Whether what the generator counted is what the ledger wrote down, to the last exchange: by client, service and outcome. Pure.
import { type Reconciliation, type ServiceBalance } from '#ledger/reconciliation.ts'

/**
 * What a client saw: answered 200 · accepted 202 · failed 502 · expired 504, not executed · refused any other 4xx or 503, nothing
 * was sent · unknown 504, 500 or no answer at all: it may have come about or not. Unknown are also the two refusals that the
 * counters can give before a question and after its answer came (NDX_COUNTERS_UNAVAILABLE, NDX_GUESSES_EXCEEDED).
 */
export type Outcome = 'answered' | 'accepted' | 'failed' | 'expired' | 'refused' | 'unknown'

export interface Count {
  client: string
  /** '' when it named a service that there is not. */
  service: string
  outcome: Outcome
  /** Of a refusal or failure its code. */
  code: string
  count: number
}

/** What one client saw of one service, beside what the ledger says. */
export interface BookLine {
  client: string
  service: string
  seen: Readonly<Record<Outcome, number>>
  /** Undefined: the ledger knows nothing of the two together. */
  books: ServiceBalance | undefined
}

const nothing = { answered: 0, accepted: 0, failed: 0, expired: 0, refused: 0, unknown: 0 }

/** Sorted by client and service; every pair that either side knows. */
export function joinBooks(counts: readonly Count[], services: readonly ServiceBalance[]): BookLine[] {
  const lines = new Map<
    string,
    { client: string; service: string; seen: Record<Outcome, number>; books?: ServiceBalance }
  >()
  const lineOf = (client: string, service: string) => {
    const name = `${client}\n${service}`
    const line = lines.get(name) ?? { client, service, seen: { ...nothing } }
    lines.set(name, line)
    return line
  }
  for (const { client, service, outcome, count } of counts) lineOf(client, service).seen[outcome] += count
  for (const balance of services) lineOf(balance.client, balance.service).books = balance
  return Array.from(lines.values(), line => ({ ...line, books: line.books })).sort((a, b) =>
    `${a.client}\n${a.service}` < `${b.client}\n${b.service}` ? -1 : 1,
  )
}

const settledKinds = ['answered', 'failed', 'expired'] as const

/** One sentence each; none: the books agree. `records`: written to the topics, of the requests and the replies. */
export function findDifferences(
  lines: readonly BookLine[],
  { accepted, settled, refused, gaps }: Pick<Reconciliation, 'accepted' | 'settled' | 'refused' | 'gaps'>,
  records: { requests: number; replies: number },
): string[] {
  const seen = lines.reduce((sum, line) => sum + sumOf(line.seen), 0)
  const differ = (what: string, a: number, b: number): string[] => (a === b ? [] : [`${what}: ${a} and ${b}`])
  return [
    ...lines.flatMap(findLineDifferences),
    ...differ('all that was asked, and accepted + refused in the ledger', seen, accepted + refused),
    ...differ('accepted and settled', accepted, settled),
    ...differ('accepted in the ledger, and records on the request topics', accepted, records.requests),
    ...differ('settled in the ledger, and records on the reply topics', settled, records.replies),
    ...gaps.map(({ exchange, kind, detail }) => `${kind} ${exchange}: ${detail}`),
  ]
}

/** Where the client did not learn the outcome (accepted, unknown) any will do, but each exchange must be there once. */
function findLineDifferences({ client, service, seen, books }: BookLine): string[] {
  const name = `${client} × ${service === '' ? 'no such service' : service}`
  const inLedger = books ?? { answered: 0, failed: 0, expired: 0, refused: 0, unsettled: 0 }
  const all = inLedger.answered + inLedger.failed + inLedger.expired + inLedger.refused + inLedger.unsettled
  const found: string[] = []
  if (inLedger.unsettled > 0) found.push(`${name}: ${inLedger.unsettled} accepted and not settled`)
  if (sumOf(seen) !== all) found.push(`${name}: ${sumOf(seen)} asked, ${all} in the ledger`)
  for (const kind of settledKinds) {
    const most = seen[kind] + seen.accepted + seen.unknown
    if (inLedger[kind] < seen[kind] || inLedger[kind] > most)
      found.push(`${name}: ${seen[kind]} ${kind}, ${inLedger[kind]} in the ledger`)
  }
  if (inLedger.refused < seen.refused || inLedger.refused > seen.refused + seen.unknown)
    found.push(`${name}: ${seen.refused} refused, ${inLedger.refused} in the ledger`)
  return found
}

const sumOf = (seen: Readonly<Record<Outcome, number>>): number =>
  Object.values(seen).reduce((sum, count) => sum + count, 0)

const beforeOrAfter = ['NDX_COUNTERS_UNAVAILABLE', 'NDX_GUESSES_EXCEEDED']

/** What a client saw, from the status and code of its answer; status 0: none. */
export function outcomeOf(status: number, code: string): Outcome {
  if (status === 200) return 'answered'
  if (status === 202) return 'accepted'
  if (status === 502) return 'failed'
  if (code === 'NDX_REQUEST_EXPIRED') return 'expired'
  if (beforeOrAfter.includes(code)) return 'unknown'
  return (status >= 400 && status < 500) || status === 503 ? 'refused' : 'unknown'
}
