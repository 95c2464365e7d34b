// What the numbers of notes tell: which were read before, which are missing, and which run of a gateway ended without saying so. Pure.
import { type NoteRead, type SheetRead, type UnreadableRead } from './reading.ts'

/** One run of a gateway, as far as its notes were read. */
export interface NoteSource {
  /** `/gateway/<instance>/<run>` */
  source: string
  /** The number that comes next. */
  next: number
  /** It said that it ended, or another run of the same instance began. */
  isEnded: boolean
}

/** Notes of a source that were not read, `to` excluded; how many there were of a run that was cut off nobody knows. */
export interface MissingNotes {
  source: string
  from: number
  to?: number
}

export interface Numbered {
  /** Read for the first time. */
  fresh: readonly (NoteRead | UnreadableRead)[]
  missing: MissingNotes[]
  changed: NoteSource[]
}

/** No gateway notes so many between two sheets: such a number is not believed. */
export const jumpMax = 10_000_000

/**
 * @param known of its source, if there is one
 * @param others of the same instance
 * Undefined: its number cannot be.
 */
export function numberNotes(
  { source, first, isLast, notes }: SheetRead,
  known: NoteSource | undefined,
  others: readonly NoteSource[],
): Numbered | undefined {
  const next = known?.next ?? 0
  if (first > next + jumpMax) return undefined
  const cutOff = known === undefined ? others.filter(other => !other.isEnded) : []
  return {
    fresh: notes.slice(Math.max(0, next - first)),
    missing: [
      ...cutOff.map(other => ({ source: other.source, from: other.next })),
      ...(first > next ? [{ source, from: next, to: first }] : []),
    ],
    changed: [
      ...cutOff.map(other => ({ ...other, isEnded: true })),
      { source, next: Math.max(next, first + notes.length), isEnded: isLast || known?.isEnded === true },
    ],
  }
}

/** All runs of one gateway share it. */
export const instanceOf = (source: string): string => source.slice(0, source.lastIndexOf('/'))
