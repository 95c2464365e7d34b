// The actions of `ndx audit` that ask a ledger. It is asked over HTTP and not believed: what can be verified is.
import { createWriteStream, existsSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type ReadableStream } from 'node:stream/web'
import { isJsonObject, type JsonObject } from '#contracts/json.ts'
import { readJson } from '#contracts/strict-json.ts'
import { exportSource } from '#ledger/export-source.ts'
import { openCheckpoint, parseCheckpoint } from '#ledger/notes/checkpoint.ts'
import { decodeSize } from '#ledger/notes/encoding.ts'
import { NoteError, noteBytesMax, parseNote } from '#ledger/notes/note.ts'
import { writeExport } from '#ledger/proof/export.ts'
import { type ReceiptVerdict, receiptBytesMax, verifyReceipt } from '#ledger/proof/receipt.ts'
import { openSqliteStore } from '#ledger/sqlite-store.ts'
import { operatorHeader } from '#runtime/inner-host.ts'
import { type AuditOptions } from './audit-trust.ts'
import { tellFinding, tellReceipt } from './audit-verify.ts'
import { readAnswer } from './bounded-reading.ts'
import { CommandError, UsageError } from './command.ts'
import { escapeText } from './safe-text.ts'
import { configOf } from './surroundings.ts'
import { formatTable } from './table.ts'
import { type Terminal } from './terminal.ts'

const defaultLedgerUrl = 'http://127.0.0.1:9470'
/** Until an answer begins; an export may take as long as it takes. */
const answerMaxMs = 30_000
/** Members of an event that have a column of their own, or say nothing to a reader. */
const shownApart: readonly string[] = ['v', 'kind', 'exchange', 'at', 'source', 'origin']

export async function prove(exchange: string, options: AuditOptions, terminal: Terminal): Promise<number> {
  const policy = options.trust()
  const path = `/v1/audit/proof/inclusion?exchange=${encodeURIComponent(exchange)}`
  const text = await readAnswer(await askLedger(path, options, terminal), receiptBytesMax)
  if (options.out !== undefined) writeFileSync(options.out, text)
  const verdict = verifyReceipt(text, policy)
  if (!verdict.ok) {
    await terminal.write(tellFinding(verdict))
    return 1
  }
  if (verdict.exchange !== exchange) throw new CommandError('the ledger sent the receipt of another exchange.')
  await terminal.write(tableOf(verdict))
  terminal.say(tellReceipt(verdict, policy.logKey.name).trimEnd())
  return 0
}

export async function exportLog({ from = '0', ...options }: AuditOptions, terminal: Terminal): Promise<number> {
  if (decodeSize(from) === undefined) throw new UsageError('--from is a whole number.')
  if (options.store !== undefined) return exportStore(options.store, Number(from), options, terminal)
  const { body } = await askLedger(`/v1/audit/export?from=${from}`, options, terminal)
  if (body === null) throw new CommandError('the ledger answered with nothing.')
  const chunks = Readable.fromWeb(body as ReadableStream)
  try {
    await (options.out === undefined ? print(chunks, terminal) : save(chunks, options.out))
  } catch (cause) {
    chunks.on('error', () => {}).destroy()
    if (cause instanceof Error && 'syscall' in cause) throw cause
    throw new CommandError('the export broke off before its end; nothing was kept. Try again.', { cause })
  }
  if (options.out !== undefined) terminal.say(`npx ndx audit verify ${escapeText(options.out)} verifies it`)
  return 0
}

/** Of a ledger that does not run: one that was set aside, or a backup. */
async function exportStore(path: string, from: number, { out }: AuditOptions, terminal: Terminal): Promise<number> {
  if (!existsSync(path)) throw new UsageError(`there is no ${escapeText(path)}.`)
  const store = openSqliteStore(path)
  try {
    const checkpoint = store.lastCheckpoint()
    if (checkpoint === undefined || from >= checkpoint.size)
      throw new CommandError(`nothing from entry ${from} on is signed in ${escapeText(path)}.`)
    const { origin } = parseCheckpoint(parseNote(checkpoint.note).text)
    const chunks = Readable.from(writeExport(exportSource(store, origin, checkpoint.size), from))
    await (out === undefined ? print(chunks, terminal) : save(chunks, out))
    return 0
  } finally {
    store.close()
  }
}

export async function checkpoint(options: AuditOptions, terminal: Terminal): Promise<number> {
  const policy = options.trust()
  const note = await readAnswer(await askLedger('/v1/audit/checkpoint', options, terminal), noteBytesMax)
  try {
    const { size, cosignatures } = openCheckpoint(note, [policy.logKey], policy.witnessKeys)
    await terminal.write(note)
    terminal.say(
      `${size} entries, signed by ${[policy.logKey, ...cosignatures.map(({ key }) => key)].map(({ name }) => escapeText(name)).join(', ')}`,
    )
    return cosignatures.length >= (policy.witnessesMin ?? 0) ? 0 : 1
  } catch (error) {
    if (error instanceof NoteError)
      throw new CommandError(`the ledger’s checkpoint is not right: ${escapeText(error.message)}`)
    throw error
  }
}

export async function reconcile(options: AuditOptions, terminal: Terminal): Promise<number> {
  const body = readJson(await readAnswer(await askLedger('/v1/audit/reconciliation', options, terminal)))
  const { providers, gaps } = isJsonObject(body) ? body : {}
  if (!isJsonObject(body) || !Array.isArray(providers) || !Array.isArray(gaps))
    throw new CommandError('what answers there is not a ledger: it gave no reconciliation.')
  const totals = ['accepted', 'settled', 'open', 'overdue', 'refused']
  const columns = ['provider', 'client', 'accepted', 'answered', 'failed', 'expired', 'open', 'overdue']
  await terminal.write(
    `${formatTable(['UP TO', ...totals.map(upper)], [[timeOf(body['caughtUpMs']), ...cellsOf(body, totals)]])}
${formatTable(
  columns.map(upper),
  providers.map(row => cellsOf(row, columns)),
)}`,
  )
  if (gaps.length === 0) {
    terminal.say('no gaps: all that was accepted is settled, or open within its deadline')
    return 0
  }
  const gapColumns = ['exchange', 'kind', 'detail']
  await terminal.write(
    `\n${formatTable(
      gapColumns.map(upper),
      gaps.map(row => cellsOf(row, gapColumns)),
    )}`,
  )
  terminal.say(`${gaps.length} gaps`)
  return 1
}

/** Throws CommandError when it is not answered with 200. */
export async function askLedger(
  path: string,
  { ledger }: Pick<AuditOptions, 'ledger'>,
  terminal: Terminal,
  { method = 'GET', withinMs = answerMaxMs }: { method?: 'GET' | 'POST'; withinMs?: number } = {},
): Promise<Response> {
  const url = ledgerUrlOf(ledger, terminal)
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), withinMs)
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { [operatorHeader]: 'cli' },
      redirect: 'error',
      signal: abort.signal,
    })
    if (response.status === 200) return response
    const said = escapeText((await readAnswer(response)).slice(0, 300).trim())
    throw new CommandError(
      response.status === 404
        ? `the ledger at ${url} has nothing of that yet${said === '' ? '' : `: ${said}`}`
        : `the ledger at ${url} answered ${response.status}: ${said}`,
    )
  } catch (cause) {
    if (cause instanceof CommandError) throw cause
    throw new CommandError(
      `nothing answers at ${url}.\nRun \`npm start\`, or name the ledger with --ledger or NDX_LEDGER_URL.`,
      { cause },
    )
  } finally {
    clearTimeout(timer)
  }
}

function ledgerUrlOf(option: string | undefined, terminal: Terminal): string {
  const text = option ?? configOf(terminal).ledgerUrl ?? defaultLedgerUrl
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new UsageError(
      `${option === undefined ? 'NDX_LEDGER_URL' : '--ledger'} must be an address like ${defaultLedgerUrl}.`,
    )
  return text.replace(/\/+$/, '')
}

async function print(chunks: Readable, terminal: Terminal): Promise<void> {
  const decoder = new TextDecoder()
  for await (const chunk of chunks)
    await terminal.write(typeof chunk === 'string' ? chunk : decoder.decode(chunk as Buffer, { stream: true }))
}

/** Under its name only when it is whole. */
async function save(chunks: Readable, path: string): Promise<void> {
  const beside = `${path}.part`
  const fd = openSync(beside, 'w')
  try {
    await pipeline(chunks, createWriteStream(beside, { fd }))
    renameSync(beside, path)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  }
}

function tableOf({ events }: ReceiptVerdict): string {
  const rows = events.map(({ index, event }) => {
    const rest = Object.entries(event).filter(([name]) => !shownApart.includes(name))
    const details = rest.map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : value}`)
    return [String(index), timeOf(event.at), event.kind, event.source, details.join(' ')]
  })
  return formatTable(['ENTRY', 'TIME', 'KIND', 'SOURCE', 'DETAILS'], rows)
}

export const upper = (name: string): string => name.toUpperCase()

const cellsOf = (row: unknown, names: readonly string[]): string[] =>
  names.map(name => String((isJsonObject(row) ? (row as JsonObject)[name] : undefined) ?? '-'))

export function timeOf(ms: unknown): string {
  const date = new Date(typeof ms === 'number' ? ms : Number.NaN)
  return Number.isNaN(date.getTime()) ? '-' : date.toISOString()
}
