// What a run has left that was not closed: its notes under their numbers, then a note for each tally that has none. Total: a torn last
// line is dropped, for nobody was answered on it; a line that is not whole is skipped, and its number stays used. The same files
// always give the same notes under the same numbers, so that sending them twice does no harm.
import { encodeNote } from '#bus/note.ts'
import { isJsonObject } from '#contracts/json.ts'
import { listSegments } from './note-file.ts'
import { type NumberedNote, readLine, type Tally } from './note-line.ts'

/** Gives back the number after the last. Throws only when a file cannot be read. */
export function* readLeftRun(folder: string): Generator<NumberedNote, number> {
  const tallies = new Map<string, Tally>()
  let next = 0
  let unread = 0
  for (const { first, read } of listSegments(folder)) {
    next = Math.max(next, first)
    const lines = read().split('\n')
    for (const line of lines.slice(0, -1)) {
      if (line === '') continue
      const entry = readLine(line)
      if (entry === undefined) unread++
      else if (!('number' in entry)) tallies.set(keyOf(entry), entry)
      else if (entry.number >= next) {
        forgetTallied(entry.note, tallies)
        next = entry.number + 1
        unread = 0
        yield entry
      }
    }
  }
  next += unread
  for (const tally of tallies.values()) yield { number: next++, note: encodeTally(tally) }
  return next
}

/** The one note of all refusals with this code in that second. */
export const encodeTally = ({ second, code, count }: Tally): string =>
  encodeNote({ kind: 'unidentified', exchangeId: '', notedMs: second * 1000, facts: { code, count } })

function forgetTallied(note: string, tallies: Map<string, Tally>): void {
  if (tallies.size === 0) return
  const { kind, at, facts } = JSON.parse(note) as Record<string, unknown>
  if (kind === 'unidentified' && isJsonObject(facts))
    tallies.delete(keyOf({ second: Number(at) / 1000, code: String(facts['code']) }))
}

const keyOf = ({ second, code }: Pick<Tally, 'second' | 'code'>): string => `${second} ${code}`
