// The tour's ledger: whether it can be reached, and verified, from here. One in a container keeps its key to itself until somebody
// copies it.
import { existsSync } from 'node:fs'
import { openCheckpoint } from '#ledger/notes/checkpoint.ts'
import { logKeyPath, publicSuffix, readNoteKey } from '#ledger/notes/keys.ts'
import { NoteError } from '#ledger/notes/note.ts'
import { type Policy } from '#ledger/proof/policy.ts'
import { CommandError } from './command.ts'
import { lookFor } from './demo-claims.ts'
import { type Tour } from './demo-tour.ts'
import { type Answer, send } from './simulated-client.ts'
import { shownPath } from './surroundings.ts'

/** `isHere`: its private key is in this command's data directory, so it runs on this machine. */
export type TourLedger = { policy: Policy; isHere: boolean } | { why: string[] }

/** A head is signed every second while there is something new. */
const checkpointWithinMs = 5_000

export async function findLedger(tour: Tour): Promise<TourLedger> {
  const { ledgerUrl, config } = tour
  const note = await lookFor(() => readCheckpoint(ledgerUrl), checkpointWithinMs)
  if (note === undefined || note === 'silence')
    return { why: [`No ledger answers at ${ledgerUrl}; name it with --ledger or NDX_LEDGER_URL.`] }
  const policy = tour.trust()
  const keyFile = shownPath(`${logKeyPath(config.dataDir)}${publicSuffix}`)
  const hint = 'Copy its log-key.pub (`docker compose cp` from a container) and name the copy with --key.'
  if (policy === undefined) return { why: [`The key of the ledger at ${ledgerUrl} is not in ${keyFile}.`, hint] }
  if (isAnothers(note.text, policy))
    return { why: [`The ledger at ${ledgerUrl} has another key than ${policy.from ?? keyFile}.`, hint] }
  return { policy, isHere: isHere(note.text, config.dataDir) }
}

function isHere(note: string, dataDir: string): boolean {
  const path = logKeyPath(dataDir)
  return existsSync(path) && !isAnothers(note, { logKey: readNoteKey(path).verifier })
}

/** undefined: nothing was signed yet. */
async function readCheckpoint(ledgerUrl: string): Promise<Answer | 'silence' | undefined> {
  try {
    const answer = await send(`${ledgerUrl}/v1/audit/checkpoint`)
    return answer.status === 200 ? answer : undefined
  } catch (error) {
    if (error instanceof CommandError) return 'silence'
    throw error
  }
}

/** Signed by nobody we know. Whatever else is wrong with it, the verification will say. */
function isAnothers(note: string, { logKey }: Policy): boolean {
  try {
    openCheckpoint(note, [logKey])
    return false
  } catch (error) {
    if (error instanceof NoteError) return error.fault === 'unsigned'
    throw error
  }
}
