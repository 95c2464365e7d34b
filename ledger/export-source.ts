// What an export is written from (proof/export.ts): a store, as far as it is signed.
import { nodesOf } from './log-appender.ts'
import { type ExportSource } from './proof/export.ts'
import { type LedgerStore } from './store.ts'

const checkpointsAtOnce = 500
const entriesAtOnce = 500

/** Up to one checkpoint, however the log grows meanwhile. */
export function exportSource(store: LedgerStore, origin: string, size: number): ExportSource {
  return {
    origin,
    nodes: nodesOf(store),
    *entries(from: number) {
      for (let at = from; at < size; ) {
        const entries = store.entries(at, Math.min(entriesAtOnce, size - at))
        if (entries.length === 0) return
        yield* entries
        at += entries.length
      }
    },
    *checkpoints(fromSize: number) {
      for (let last = fromSize - 1; last < size; ) {
        const checkpoints = store.checkpoints(last, checkpointsAtOnce).filter(checkpoint => checkpoint.size <= size)
        if (checkpoints.length === 0) return
        yield* checkpoints
        last = checkpoints.at(-1)?.size ?? size
      }
    },
  }
}
