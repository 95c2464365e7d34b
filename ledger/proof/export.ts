// An export: the log, or its end, as text that can be verified anywhere with public keys alone. Header, then a line an entry and a
// line a checkpoint, each checkpoint right after the last entry it covers; the last line is a checkpoint:
//   ndx-export/v1 / origin <log> / from <N> / left <hashes of the compact range of the entries before N, base 64>
//   <index> <leaf hash, base 64> <entry, the very JSON that was hashed>
//   checkpoint <the signed note as a JSON string>
import { rangeHashes } from '#ledger/merkle/compact-range.ts'
import { leafHash } from '#ledger/merkle/hashes.ts'
import { type NodeReader } from '#ledger/merkle/proofs.ts'

export const exportMark = 'ndx-export/v1'

export interface ExportSource {
  origin: string
  /** Entries in order, from this index on. */
  entries(from: number): Iterable<string>
  /** Checkpoints of at least this size, in the order of their sizes. */
  checkpoints(fromSize: number): Iterable<{ size: number; note: string }>
  nodes: NodeReader
}

/**
 * Lines with their ends, as they are asked for. Entries after the last checkpoint are left out: nothing signed covers them yet.
 * Throws RangeError when the log ends before `from`, or its entries before a checkpoint's size.
 */
export function* writeExport(source: ExportSource, from = 0): Generator<string> {
  const left = rangeHashes(from, source.nodes).map(hash => hash.toString('base64'))
  yield `${exportMark}\norigin ${source.origin}\nfrom ${from}\n${['left', ...left].join(' ')}\n`
  const entries = source.entries(from)[Symbol.iterator]()
  try {
    let index = from
    for (const { size, note } of source.checkpoints(from)) {
      for (; index < size; index++) {
        const { value: entry, done } = entries.next()
        if (done === true) throw new RangeError(`entry ${index} is missing, which a checkpoint of ${size} covers`)
        yield `${index} ${leafHash(entry).toString('base64')} ${entry}\n`
      }
      yield `checkpoint ${JSON.stringify(note)}\n`
    }
  } finally {
    entries.return?.()
  }
}
