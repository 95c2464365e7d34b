// A batch that the store refuses again and again holds, perhaps, one record that it cannot take. It is halved until that record is
// alone, which is then told as one that cannot be read: no record may keep the others from the log. A disk that is full or failing
// is no record's fault: then the batch waits, whole.
import { type IncomingRecord } from '#bus/bus.ts'
import { type Ingestion } from './ingestion.ts'

/** So often a batch is tried whole. */
const refusalsMax = 2

export interface Quarantine {
  /** As `ingestion.ingest`. */
  ingest(records: readonly IncomingRecord[]): void
}

/** `onSetAside` is told of each record that the log could not take, and why. */
export function createQuarantine(
  ingestion: Ingestion,
  onSetAside: (record: IncomingRecord, cause: unknown) => void,
): Quarantine {
  let refused: IncomingRecord | undefined
  let refusals = 0

  function split(records: readonly IncomingRecord[]): void {
    try {
      ingestion.ingest(records)
    } catch (error) {
      if (isStoreAway(error)) throw error
      const [first, ...more] = records
      if (first === undefined) throw error
      if (more.length === 0) {
        ingestion.setAside(first)
        onSetAside(first, error)
        return
      }
      const middle = Math.floor(records.length / 2)
      split(records.slice(0, middle))
      split(records.slice(middle))
    }
  }

  return {
    ingest(records) {
      if (records[0] !== refused) refusals = 0
      refused = records[0]
      if (refusals >= refusalsMax) {
        split(records)
      } else {
        refusals++
        ingestion.ingest(records)
      }
      refused = undefined
      refusals = 0
    },
  }
}

/** Not the record's doing: SQLITE_PERM, BUSY, LOCKED, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB. */
const awayCodes: readonly number[] = [3, 5, 6, 8, 10, 11, 13, 14, 26]

function isStoreAway(error: unknown): boolean {
  const code = (error as { errcode?: number } | undefined)?.errcode
  return code !== undefined && awayCodes.includes(code & 0xff)
}
