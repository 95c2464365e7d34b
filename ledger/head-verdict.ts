// Whether a head that somebody else holds is of this log: what the ledger asks before it signs, and before it believes a witness.
import { type NodeReader, rootAt } from './merkle/proofs.ts'

export interface Head {
  size: number
  root: Buffer
}

/** The log as it stands; `size` grows. */
export interface LogHead {
  readonly size: number
  nodes: NodeReader
}

/** continued: this log has these entries · ahead: it has fewer · forked: it has others. */
export type HeadVerdict = 'continued' | 'ahead' | 'forked'

export function judgeHead({ size, root }: Head, log: LogHead): HeadVerdict {
  if (size > log.size) return 'ahead'
  return rootAt(size, log.nodes).equals(root) ? 'continued' : 'forked'
}
