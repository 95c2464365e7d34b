// What a successor log says of the log before it, in its first entry, and whether that is so. The entry holds the predecessor's last
// signed head as it is: it can be verified with that log's key, and compared with the head that an auditor kept.
import { type LedgerEvent } from '#ledger/event.ts'
import { type Checkpoint, openCheckpoint, parseCheckpoint } from '#ledger/notes/checkpoint.ts'
import { type VerifierKey } from '#ledger/notes/keys.ts'
import { NoteError, parseNote } from '#ledger/notes/note.ts'
import { Fault } from './fault.ts'

export interface Predecessor {
  origin: string
  size: number
  /** Base 64. */
  root: string
  reason: string
  /** Its last checkpoint, signed. */
  checkpoint: string
}

export interface PredecessorPolicy {
  /** Of the predecessor: what its head must be signed with. */
  predecessorKey?: VerifierKey
  /** Its last checkpoint, from elsewhere. */
  predecessor?: string
}

/** Undefined: the log succeeds none. Throws Fault when the entry is not what it says, or not what the policy knows. */
export function checkPredecessor(
  first: LedgerEvent | undefined,
  { predecessorKey, predecessor: given }: PredecessorPolicy,
): Predecessor | undefined {
  const isAsked = predecessorKey !== undefined || given !== undefined
  if (first?.kind !== 'succession') {
    if (isAsked) throw new Fault('the export does not begin with the entry that names a predecessor')
    return undefined
  }
  const text = (name: string): string => String(first[name] ?? '')
  const said = { origin: text('predecessor'), size: Number(first['size']), root: text('root') }
  const keys = predecessorKey === undefined ? undefined : [predecessorKey]
  if (!isSame(open(text('checkpoint'), keys, 'the checkpoint in entry 0'), said))
    throw new Fault('entry 0 names another head of its predecessor than the checkpoint that it holds', { firstBad: 0 })
  if (given !== undefined) compare(open(given, keys, 'the predecessor’s checkpoint given'), said)
  return { ...said, reason: text('reason'), checkpoint: text('checkpoint') }
}

type Said = Pick<Predecessor, 'origin' | 'size' | 'root'>

/** Without a key: as it stands, signed or not. Throws Fault. */
function open(note: string, keys: readonly VerifierKey[] | undefined, what: string): Checkpoint {
  try {
    return keys === undefined ? parseCheckpoint(parseNote(note).text) : openCheckpoint(note, keys)
  } catch (error) {
    if (error instanceof NoteError) throw new Fault(`${what}: ${error.message}`)
    throw error
  }
}

const isSame = ({ origin, size, root }: Checkpoint, said: Said): boolean =>
  origin === said.origin && size === said.size && root.toString('base64') === said.root

function compare(given: Checkpoint, said: Said): void {
  if (given.origin !== said.origin)
    throw new Fault(`the log succeeds ${said.origin}; the checkpoint given is of ${given.origin}`)
  if (given.size > said.size)
    throw new Fault(`the predecessor signed ${given.size} entries; its successor knows of ${said.size} only`, {
      firstBad: 0,
    })
  if (given.size < said.size)
    throw new Fault(
      `the checkpoint given covers ${given.size} entries, the successor commits to ${said.size}: verify the predecessor’s export against the checkpoint in entry 0`,
    )
  if (!isSame(given, said))
    throw new Fault('the predecessor signed another root than the one its successor commits to', { firstBad: 0 })
}
