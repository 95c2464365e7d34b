// The ledger's side: its export from where it stood when the run began, read until every exchange of the run is settled in it.
// Of other exchanges nothing is kept but how many questions each officer asked about how many people.
import { decodeEntry, type LedgerEvent } from '#ledger/event.ts'
import { checkpointLineBytesMax } from '#ledger/proof/text-lines.ts'
import { CommandError } from '../command.ts'
import { memberOf, send } from '../simulated-client.ts'
import { wait } from './pace.ts'

export interface LedgerExchange {
  client: string
  service: string
  isAccepted: boolean
  /** answered, failed, expired. */
  settled?: string
  /** Of what was never accepted. */
  refused?: string
}

/** What the ledger knows of one officer, by pseudonym. */
export interface Officer {
  client: string
  officer: string
  questions: number
  subjects: Set<string>
  /** Guesses past the day's budget about one person. */
  guessesRefused: number
}

export interface LedgerBooks {
  exchanges: ReadonlyMap<string, LedgerExchange>
  officers: readonly Officer[]
  /** Events read. */
  events: number
}

const lookAgainMs = 300
const entryForm = /^\d+ \S+ (\{.*\})$/

/** The number of entries under the newest checkpoint; 0: none yet. Throws CommandError when no ledger answers. */
export async function readLedgerSize(ledgerUrl: string): Promise<number> {
  const { status, text } = await send(`${ledgerUrl}/v1/audit/checkpoint`).catch(cause => {
    throw new CommandError(`no ledger answers at ${ledgerUrl}; name it with --ledger or NDX_LEDGER_URL.`, { cause })
  })
  if (status === 404) return 0
  const size = Number(text.split('\n')[1])
  if (status !== 200 || !Number.isSafeInteger(size))
    throw new CommandError(`what answers at ${ledgerUrl} is no ledger.`)
  return size
}

/** @param isWhole told after each reading; it is read again until then, at most so long */
export async function readLedger(
  ledgerUrl: string,
  options: {
    from: number
    ids: ReadonlySet<string>
    isWhole(books: LedgerBooks): boolean
    withinMs: number
    clock(): number
  },
): Promise<LedgerBooks> {
  const reader = createReader(options.ids)
  const untilMs = options.clock() + options.withinMs
  let next = options.from
  for (;;) {
    next = await readFrom(ledgerUrl, next, reader.event)
    const books = reader.books()
    if (options.isWhole(books) || options.clock() > untilMs) return books
    await wait(lookAgainMs)
  }
}

/** Returns the index to read next. */
async function readFrom(ledgerUrl: string, from: number, onEvent: (event: LedgerEvent) => void): Promise<number> {
  if ((await readLedgerSize(ledgerUrl)) <= from) return from
  const response = await fetch(`${ledgerUrl}/v1/audit/export?from=${from}`, { redirect: 'error' })
  if (response.status !== 200 || response.body === null)
    throw new CommandError(`the ledger at ${ledgerUrl} gave no export (status ${response.status}).`)
  let next = from
  let rest = ''
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > checkpointLineBytesMax)
      throw new CommandError(`the export of ${ledgerUrl} has a line that is too long.`)
    for (const line of lines) {
      const entry = entryForm.exec(line)?.[1]
      if (entry === undefined) continue
      next++
      for (const event of decodeEntry(entry) ?? []) onEvent(event)
    }
  }
  return next
}

function createReader(ids: ReadonlySet<string>) {
  const exchanges = new Map<string, LedgerExchange>()
  const officers = new Map<string, Officer>()
  let events = 0
  const exchangeOf = (id: string): LedgerExchange => {
    const known = exchanges.get(id) ?? { client: '', service: '', isAccepted: false }
    exchanges.set(id, known)
    return known
  }
  return {
    event(event: LedgerEvent): void {
      events++
      const id = textOf(event, 'exchange')
      const kind = textOf(event, 'kind')
      watchOfficer(event, kind, officers)
      if (!ids.has(id)) return
      const exchange = exchangeOf(id)
      exchange.client ||= textOf(event, 'client')
      exchange.service ||= textOf(event, 'service')
      if (kind === 'accepted') exchange.isAccepted = true
      if (kind === 'answered' || kind === 'failed' || kind === 'expired') exchange.settled ??= kind
      if (kind === 'refused' || kind === 'undelivered') exchange.refused ??= textOf(event, 'code')
    },
    books: (): LedgerBooks => ({ exchanges, officers: [...officers.values()], events }),
  }
}

function watchOfficer(event: LedgerEvent, kind: string, officers: Map<string, Officer>): void {
  const officer = textOf(event, 'officer')
  if (officer === '' || (kind !== 'accepted' && kind !== 'refused')) return
  const client = textOf(event, 'client')
  const known = officers.get(officer) ?? { client, officer, questions: 0, subjects: new Set(), guessesRefused: 0 }
  officers.set(officer, known)
  known.questions++
  if (textOf(event, 'code') === 'NDX_GUESSES_EXCEEDED') known.guessesRefused++
  if (textOf(event, 'subject') !== '') known.subjects.add(textOf(event, 'subject'))
}

const textOf = (event: LedgerEvent, name: string): string => {
  const value = event[name]
  return typeof value === 'string' ? value : ''
}

/** The ledger's own reconciliation of everything it has ever read: gaps by name. */
export async function readGaps(ledgerUrl: string): Promise<string[]> {
  const { status, body } = await send(`${ledgerUrl}/v1/audit/reconciliation`)
  const gaps = memberOf(body, 'gaps')
  if (status !== 200 || !Array.isArray(gaps))
    throw new CommandError(`the ledger at ${ledgerUrl} gave no reconciliation.`)
  return gaps.map(gap => `${memberOf(gap, 'exchange')} ${memberOf(gap, 'kind')}: ${memberOf(gap, 'detail')}`)
}
