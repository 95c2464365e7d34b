// `ndx audit story`: exchanges that belong together, from the first of them, as the ledger tells it: who asked whom in the course of
// what, how it ended and when. Nothing of it is verified here; `audit prove` does that for each.
import { isJsonObject, type JsonObject } from '#contracts/json.ts'
import { readJson } from '#contracts/strict-json.ts'
import { askLedger, timeOf, upper } from './audit-ledger.ts'
import { type AuditOptions } from './audit-trust.ts'
import { readAnswer } from './bounded-reading.ts'
import { CommandError } from './command.ts'
import { formatTable } from './table.ts'
import { type Terminal } from './terminal.ts'

const columns = ['exchange', 'client', 'service', 'outcome', 'code', 'accepted', 'settled', 'took']
/** Deeper ones are set no further in. */
const indentMax = 8

export async function story(exchange: string, options: AuditOptions, terminal: Terminal): Promise<number> {
  const path = `/v1/audit/story?exchange=${encodeURIComponent(exchange)}`
  const body = readJson(await readAnswer(await askLedger(path, options, terminal)))
  const chapters = isJsonObject(body) ? body['story'] : undefined
  if (!Array.isArray(chapters) || !chapters.every(isJsonObject))
    throw new CommandError('what answers there is not a ledger: it told no story.')
  await terminal.write(formatTable(columns.map(upper), chapters.map(rowOf)))
  const traces = new Set(chapters.map(traceOf)).size
  terminal.say(
    `${chapters.length} ${chapters.length === 1 ? 'exchange' : 'exchanges'} in ${traces === 1 ? 'one trace' : `${traces} traces`}`,
  )
  return 0
}

function rowOf(chapter: JsonObject): string[] {
  const { exchangeId, depth, client, service, code, acceptedMs, settledMs } = chapter
  const indent = '  '.repeat(Math.min(Math.max(Number(depth) || 0, 0), indentMax))
  const tookMs = typeof acceptedMs === 'number' && typeof settledMs === 'number' ? settledMs - acceptedMs : undefined
  return [
    `${indent}${textOf(exchangeId)}`,
    `${textOf(client)}${chapter['isForeign'] === true ? ' (not who answers it)' : ''}`,
    textOf(service),
    outcomeOf(chapter),
    textOf(code),
    timeOf(acceptedMs),
    timeOf(settledMs),
    tookMs === undefined ? '-' : `${(tookMs / 1000).toFixed(1)} s`,
  ]
}

const outcomeOf = ({ state, isDeferred }: JsonObject): string =>
  `${textOf(state)}${state === 'accepted' && isDeferred === true ? ', deferred' : ''}`

/** The trace id of a traceparent. */
const traceOf = ({ traceparent }: JsonObject): string => textOf(traceparent).split('-')[1] ?? '-'

const textOf = (value: unknown): string => (typeof value === 'string' && value !== '' ? value : '-')
