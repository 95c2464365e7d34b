// The last checkpoint of a log that a witness cosigned, as the witness shows it: `GET /checkpoint?origin=<log>`. It is evidence, so
// it counts only with the log's own signature and that of a known witness; whoever stands between can forge neither.
import { openCheckpoint, type SignedCheckpoint } from '#ledger/notes/checkpoint.ts'
import { type VerifierKey } from '#ledger/notes/keys.ts'
import { NoteError } from '#ledger/notes/note.ts'
import { requestWitness, underWitness } from './request.ts'

export const headPath = '/checkpoint'

export interface WitnessedHead extends SignedCheckpoint {
  /** As it was signed and cosigned. */
  note: string
}

export interface HeadQuestion {
  logKey: VerifierKey
  /** Keys of witnesses; a cosignature of another proves nothing. */
  witnessKeys: readonly VerifierKey[]
  timeoutMs?: number
}

/** unreachable: ask again · unproven: what it shows is not signed by the log and a known witness. */
export class HeadError extends Error {
  readonly fault: 'unreachable' | 'unproven'

  constructor(fault: HeadError['fault'], message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'HeadError'
    this.fault = fault
  }
}

/** Undefined: the witness shows none, since it cosigned none or does not serve them. Throws HeadError. */
export async function fetchWitnessedHead(
  witnessUrl: string,
  { logKey, witnessKeys, timeoutMs = 2_000 }: HeadQuestion,
): Promise<WitnessedHead | undefined> {
  const url = underWitness(witnessUrl, `${headPath}?origin=${encodeURIComponent(logKey.name)}`)
  const { status, body } = await requestWitness(url, {}, timeoutMs).catch((cause: Error) => {
    throw new HeadError('unreachable', cause.message, { cause })
  })
  if (status === 404 || status === 405) return undefined
  if (status !== 200)
    throw new HeadError('unreachable', `${witnessUrl} answered ${status} when asked for its checkpoint`)
  return openWitnessed(body, { logKey, witnessKeys })
}

/** Throws HeadError `unproven`. */
export function openWitnessed(note: string, { logKey, witnessKeys }: HeadQuestion): WitnessedHead {
  try {
    const head = openCheckpoint(note, [logKey], witnessKeys)
    if (head.cosignatures.length > 0) return { ...head, note }
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause
    throw new HeadError('unproven', `no checkpoint of ${logKey.name}: ${cause.message}`, { cause })
  }
  throw new HeadError('unproven', `a checkpoint of ${logKey.name} that no known witness cosigned`)
}
