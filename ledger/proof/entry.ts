// An entry of the log as a verifier sees it: one line of JSON in the one form that the ledger gives it, of this format or the one
// before. The hash proves that nobody changed it; this says that it is an entry at all.
import { decodeEntry, encodeEntry, entryBytesMax, type LedgerEvent } from '#ledger/event.ts'

/** What is wrong with it, in words; or its events. */
export function readEntry(entry: string): { events: readonly LedgerEvent[] } | { why: string } {
  if (Buffer.byteLength(entry) > entryBytesMax) return { why: `it is longer than ${entryBytesMax} bytes` }
  const [first, ...more] = decodeEntry(entry) ?? []
  if (first === undefined) return { why: 'it is not a list of events of one exchange' }
  const inOneForm = first['v'] === 1 ? encodeFormat1(first) : encodeEntry([first, ...more])
  return inOneForm === entry ? { events: [first, ...more] } : { why: 'its JSON is not in the one form of an entry' }
}

const encodeFormat1 = (event: LedgerEvent): string => {
  const names = Object.keys(event).sort()
  return `{${names.map(name => `${JSON.stringify(name)}:${JSON.stringify(event[name])}`).join()}}`
}
