// Whom a verifier trusts: the log's key, and how many of which witnesses. Everything else in an export or a receipt is a claim.
import { openCheckpoint, type SignedCheckpoint } from '#ledger/notes/checkpoint.ts'
import { isSameKey, type VerifierKey } from '#ledger/notes/keys.ts'
import { NoteError } from '#ledger/notes/note.ts'
import { Fault, type Finding } from './fault.ts'

export interface Policy {
  /** Its name is the log's. */
  logKey: VerifierKey
  witnessKeys?: readonly VerifierKey[]
  /** So many of them must have cosigned; default none. */
  witnessesMin?: number
}

/** Throws Fault. */
export function openTrusted(
  note: string,
  { logKey, witnessKeys }: Policy,
  what: string,
  where: Omit<Finding, 'why'> = {},
): SignedCheckpoint {
  try {
    return openCheckpoint(note, [logKey], witnessKeys)
  } catch (error) {
    if (error instanceof NoteError) throw new Fault(`${what}: ${error.message}`, where)
    throw error
  }
}

/** Names of the witnesses that cosigned one of these, which are of one size and root. Throws Fault when they are too few. */
export function checkWitnesses(checkpoints: readonly SignedCheckpoint[], { witnessesMin = 0 }: Policy): string[] {
  const keys = checkpoints.flatMap(({ cosignatures }) => cosignatures.map(({ key }) => key))
  const distinct = keys.filter((key, at) => keys.findIndex(other => isSameKey(other, key)) === at)
  if (distinct.length < witnessesMin)
    throw new Fault(
      `${distinct.length} of the known witnesses cosigned the checkpoint of ${checkpoints[0]?.size}, not ${witnessesMin}`,
    )
  return distinct.map(({ name }) => name)
}
