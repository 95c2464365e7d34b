// The audit log as a table: which lines are wanted, and how one looks. Exchanges are rows; other events of the log and lines
// that are no JSON are shown dim in between, unless somebody asked for certain exchanges. Pure, but for the terminal's colours.
import { isJsonObject, type JsonObject } from '#contracts/json.ts'
import { readJson } from '#contracts/strict-json.ts'
import { type Line } from './lines.ts'
import { cutTo, escapeText } from './safe-text.ts'
import { type Column, fitColumns, formatRow } from './table.ts'
import { type Style, type Terminal } from './terminal.ts'

export interface Wanted {
  client?: readonly string[]
  /** Whole ids, or either half of one. */
  service?: readonly string[]
  outcome?: readonly string[]
  code?: readonly string[]
  /** Epoch ms; lines of no known time are not older. */
  sinceMs?: number
}

/** One line of the log. */
export type Entry = { kind: 'exchange' | 'event'; facts: JsonObject } | { kind: 'text'; text: string }

interface AuditColumn extends Column {
  of(facts: JsonObject): string
  /** Left out where the terminal is narrow. */
  isHop?: boolean
}

const textColumn = (title: string, name: string, width: number, least = width): AuditColumn => ({
  title,
  width,
  least,
  of: facts => textOf(facts[name]),
})
const hopColumn = (title: string, name: string): AuditColumn => ({
  title,
  width: Math.max(title.length, 7),
  side: 'right',
  isHop: true,
  of: facts => millisecondsOf(facts[name]),
})

const columns: readonly AuditColumn[] = [
  { title: 'TIME', width: 12, of: facts => timeOf(facts) },
  textColumn('CLIENT', 'client', 21, 8),
  textColumn('SERVICE', 'service', 39, 14),
  { title: 'OUTCOME', width: 8, of: facts => outcomeOf(facts) },
  textColumn('CODE', 'code', 26, 10),
  { title: 'MS', width: 7, side: 'right', of: facts => millisecondsOf(facts['totalMs']) },
  hopColumn('DECIDED', 'decidedMs'),
  hopColumn('PUBLISHED', 'publishedMs'),
  hopColumn('REPLIED', 'repliedMs'),
  hopColumn('HANDLED', 'handledMs'),
  textColumn('EXCHANGE', 'exchangeId', 36, 8),
]
/** Room in which the hops fit, when everything else shrinks. */
const hopsRoom = 117
const textWidth = 200
const eventMembersHidden: readonly string[] = ['level', 'time', 'instance', 'event', 'pid', 'hostname', 'stack']

const outcomeStyles: Readonly<Record<string, Style>> = {
  answered: 'green',
  refused: 'yellow',
  failed: 'red',
  expired: 'red',
  unknown: 'red',
}

const eventStyleOf = ({ level }: JsonObject): Style => {
  if (level === 'error' || level === 'fatal') return 'red'
  return level === 'warn' ? 'yellow' : 'dim'
}

export function readEntry({ text, isCut }: Line): Entry {
  const facts = isCut ? undefined : readJson(text)
  if (!isJsonObject(facts)) return { kind: 'text', text }
  return { kind: facts['event'] === 'exchange' ? 'exchange' : 'event', facts }
}

export function isWanted(entry: Entry, { sinceMs, client, service, outcome, code }: Wanted): boolean {
  const isPicky = [client, service, outcome, code].some(names => names !== undefined)
  if (entry.kind === 'text') return !isPicky
  const { facts } = entry
  const { time } = facts
  if (sinceMs !== undefined && typeof time === 'number' && time < sinceMs) return false
  if (!isPicky) return true
  if (entry.kind !== 'exchange') return false
  const id = textOf(facts['service'])
  return (
    isAmong(client, textOf(facts['client'])) &&
    (isAmong(service, id) || id.split('/').some(half => isAmong(service, half))) &&
    isAmong(outcome, outcomeOf(facts)) &&
    isAmong(code, textOf(facts['code']))
  )
}

export interface AuditTable {
  header(): string
  row(entry: Entry): string
}

export function createAuditTable({ columns: room, paint }: Pick<Terminal, 'columns' | 'paint'>): AuditTable {
  const shown = columns.filter(({ isHop }) => room === undefined || room >= hopsRoom || !isHop)
  const fitted = fitColumns(shown, room)
  const outcomeAt = shown.findIndex(({ title }) => title === 'OUTCOME')
  const titles = shown.map(({ title }) => title)
  return {
    header: () => `${paint('bold', formatRow(fitted, titles))}\n`,
    row: entry => {
      if (entry.kind === 'text') return `${paint('dim', cutSafely(entry.text, room))}\n`
      if (entry.kind === 'event')
        return `${paint(eventStyleOf(entry.facts), cutSafely(describeEvent(entry.facts), room))}\n`
      const style = outcomeStyles[outcomeOf(entry.facts)]
      const dress = (cell: string, at: number): string =>
        at === outcomeAt && style !== undefined ? paint(style, cell) : cell
      const cells = shown.map(({ of }) => of(entry.facts))
      return `${formatRow(fitted, cells, dress)}\n`
    },
  }
}

function describeEvent(facts: JsonObject): string {
  const members = Object.entries(facts)
    .filter(([name]) => !eventMembersHidden.includes(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return [timeOf(facts), textOf(facts['event'] ?? facts['msg']), ...members].join('  ')
}

const cutSafely = (text: string, room = textWidth): string => cutTo(room, escapeText(text.slice(0, room * 4)))

/** How it ended; of one that did not end yet, how it was decided. */
const outcomeOf = (facts: JsonObject): string => textOf(facts['outcome'] ?? facts['decision'])

const textOf = (value: unknown): string => {
  if (typeof value === 'string' && value !== '') return value
  return value === undefined || value === '' ? '-' : JSON.stringify(value)
}

const millisecondsOf = (value: unknown): string => (typeof value === 'number' ? value.toFixed(1) : '-')

/** Local time of day. */
function timeOf({ time }: JsonObject): string {
  const date = new Date(typeof time === 'number' ? time : Number.NaN)
  if (Number.isNaN(date.getTime())) return '-'
  const two = (value: number): string => String(value).padStart(2, '0')
  const milliseconds = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`
}

const isAmong = (names: readonly string[] | undefined, name: string): boolean =>
  names === undefined || names.includes(name)
