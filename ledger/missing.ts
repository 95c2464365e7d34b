// What the log says is missing, in words for whoever reads the books or verifies an export.
import { type LedgerEvent } from './event.ts'

export interface Missing {
  /** `missing-records` or `missing-notes`. */
  kind: string
  detail: string
}

/** Of a `gap` event in the entry of that index; undefined: nothing is missing by this event. */
export function missingOf(index: number, event: LedgerEvent): Missing | undefined {
  if (event.kind !== 'gap') return undefined
  const { of, from, to = '?', topic, partition, reason, source } = event
  const where = of === 'notes' ? `of ${source}` : `of ${topic}/${partition} (${reason})`
  return { kind: `missing-${of}`, detail: `entry ${index}: ${from} to ${to} ${where}` }
}
