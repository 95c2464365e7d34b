// An entry of the log as a verifier sees it: one line of JSON in the one form that `encodeEvent` gives, with the members that
// every event has. The hash proves that nobody changed it; this says that it is an event at all.
import { isJsonObject } from '#contracts/json.ts'
import { encodeEvent, type LedgerEvent } from '#ledger/event.ts'

const texts = ['kind', 'exchange', 'source', 'origin'] as const

/** What is wrong with it, in words; or the event. */
export function readEntry(entry: string): { event: LedgerEvent } | { why: string } {
  const event = parse(entry)
  if (!isJsonObject(event)) return { why: 'it is not a JSON object' }
  if (event['v'] !== 1) return { why: 'it is of no known format (v)' }
  if (!Number.isSafeInteger(event['at'])) return { why: 'its time (at) is not a whole number' }
  const missing = texts.find(name => typeof event[name] !== 'string')
  if (missing !== undefined) return { why: `${missing} is not a string` }
  if (!Object.values(event).every(isDetail))
    return { why: 'a member is neither string, number, boolean nor list of strings' }
  if (encodeEvent(event as LedgerEvent) !== entry) return { why: 'its JSON is not in the one form of an event' }
  return { event: event as LedgerEvent }
}

const isDetail = (value: unknown): boolean =>
  typeof value === 'string' ||
  typeof value === 'number' ||
  typeof value === 'boolean' ||
  (Array.isArray(value) && value.every(item => typeof item === 'string'))

function parse(entry: string): unknown {
  try {
    return JSON.parse(entry)
  } catch {
    return undefined
  }
}
