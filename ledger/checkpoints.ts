// Signs the head of the log, at most once a second and only when it grew. Before it signs it reads the new entries back from the
// store and hashes them again: a checkpoint that its own bytes cannot reproduce would end the log (it happened to others, once by
// a single flipped bit). What it signed before is stored before anybody sees it, and it signs no other head of that size.

import { nodesOf } from './log-appender.ts'
import { CompactRange, rangeHashes } from './merkle/compact-range.ts'
import { leafHash } from './merkle/hashes.ts'
import { rootAt } from './merkle/proofs.ts'
import { openCheckpoint, signCheckpoint } from './notes/checkpoint.ts'
import { type SignerKey } from './notes/keys.ts'
import { type LedgerStore, type StoredCheckpoint } from './store.ts'

/** Entries hashed again in one go, some tens of milliseconds. */
const entriesMax = 20_000

/** What is stored is not what was appended, or not what was signed. Nothing may be signed any more. */
export class LogCorrupt extends Error {
  constructor(message: string) {
    super(
      `${message}; the ledger must not sign on: restore a newer copy, or begin a successor log (npx ndx ledger succeed; ledger/README.md, “After a loss”)`,
    )
    this.name = 'LogCorrupt'
  }
}

export interface Checkpoints {
  /** Signs what is new; undefined when nothing is. Throws LogCorrupt. */
  sign(nowMs: number): StoredCheckpoint | undefined
  last(): StoredCheckpoint | undefined
}

/** Throws LogCorrupt when the last checkpoint is not of this log. */
export function createCheckpoints(store: LedgerStore, origin: string, key: SignerKey): Checkpoints {
  const nodes = nodesOf(store)
  let verified = restore(store.lastCheckpoint())

  function restore(checkpoint: StoredCheckpoint | undefined): CompactRange {
    if (checkpoint === undefined) return new CompactRange()
    const { size, root } = openCheckpoint(checkpoint.note, [key.verifier])
    if (size > store.size) throw new LogCorrupt(`${size} entries were signed, the log has ${store.size}`)
    if (!rootAt(size, nodes).equals(root))
      throw new LogCorrupt(`the log is not the one whose ${size} entries were signed`)
    return new CompactRange(size, rangeHashes(size, nodes))
  }

  return {
    sign(nowMs) {
      const size = Math.min(store.size, verified.size + entriesMax)
      if (size === verified.size) return undefined
      for (const entry of store.entries(verified.size, size - verified.size)) verified.append(leafHash(entry))
      const root = verified.root()
      if (verified.size !== size || !rootAt(size, nodes).equals(root))
        throw new LogCorrupt(`stored entries before ${size} do not give the root they were appended with`)
      const checkpoint = { size, atMs: nowMs, note: signCheckpoint({ origin, size, root }, key) }
      try {
        store.addCheckpoint(checkpoint)
      } catch (error) {
        verified = restore(store.lastCheckpoint())
        throw error
      }
      return checkpoint
    },
    last: () => store.lastCheckpoint(),
  }
}
