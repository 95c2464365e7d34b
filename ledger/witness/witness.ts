// Decides on a submission, in the order of C2SP tlog-witness: is it one, whose, signed, from where, consistent. Then it is stored,
// then answered. All of it runs without a pause, so two submissions cannot both start from the same checkpoint.
import { emptyRoot } from '#ledger/merkle/hashes.ts'
import { verifyConsistency } from '#ledger/merkle/verification.ts'
import { openCheckpoint, parseCheckpoint, type SignedCheckpoint } from '#ledger/notes/checkpoint.ts'
import { type SignerKey, type VerifierKey } from '#ledger/notes/keys.ts'
import { addSignature, cosignText, NoteError, parseNote } from '#ledger/notes/note.ts'
import { parseSubmission, type Submission, sizeType } from './submission.ts'
import { type Witnessed, type WitnessState } from './witness-state.ts'

export interface WitnessAnswer {
  status: 200 | 400 | 403 | 404 | 409 | 422
  type: string
  body: string
  origin?: string
  size?: number
  /** With 422: what a log signed that does not fit what it signed before. Evidence, to be kept. */
  evidence?: string
}

export interface WitnessParts {
  key: SignerKey
  state: WitnessState
  /** Keys of the logs that are witnessed; a key's name is its log's. */
  logKeys: () => readonly VerifierKey[]
  /** Epoch seconds. */
  nowS: () => number
}

/** Throws when the state cannot be stored; then there is no cosignature. */
export function addCheckpoint(body: string, { key, state, logKeys, nowS }: WitnessParts): WitnessAnswer {
  const submission = parseSubmission(body)
  if (submission === undefined) return refuse(400, 'no submission: old size, proof, blank line, checkpoint')
  const opened = open(submission.note, logKeys())
  if ('status' in opened) return opened
  const last = state.last(opened.origin)
  const refusal = findRefusal(submission, opened, last)
  if (refusal !== undefined) return { ...refusal, origin: opened.origin, size: opened.size }
  const timeS = Math.max(nowS(), last?.timeS ?? 0)
  const line = cosignText(opened.text, key, timeS)
  state.store(addSignature(withoutOthers(submission.note, opened), line))
  return { status: 200, type: 'text/plain; charset=utf-8', body: `${line}\n`, origin: opened.origin, size: opened.size }
}

/** The checkpoint, or why it is not looked at. */
function open(note: string, logKeys: readonly VerifierKey[]): SignedCheckpoint | WitnessAnswer {
  try {
    const { origin } = parseCheckpoint(parseNote(note).text)
    const keys = logKeys.filter(({ name, type }) => type === 'log' && name === origin)
    if (keys.length === 0) return { ...refuse(404, 'a log that is not witnessed here'), origin }
    return openCheckpoint(note, keys)
  } catch (error) {
    if (!(error instanceof NoteError)) throw error
    return refuse(error.fault === 'malformed' ? 400 : 403, error.message)
  }
}

function findRefusal(
  { oldSize, proof, note }: Submission,
  { size, root }: SignedCheckpoint,
  last: Witnessed | undefined,
): WitnessAnswer | undefined {
  const [fromSize, fromRoot] = [last?.size ?? 0, last?.root ?? emptyRoot]
  if (oldSize > size) return refuse(400, 'the old size is larger than the checkpoint’s')
  if (oldSize !== fromSize) return { status: 409, type: sizeType, body: `${fromSize}\n` }
  if (verifyConsistency({ from: fromSize, to: size, fromRoot, toRoot: root, proof })) return undefined
  return { ...refuse(422, `it is not proven to continue the checkpoint of ${fromSize}`), evidence: note }
}

/** Text and the log's own signatures: others' need not be stored. */
function withoutOthers(note: string, { origin, text }: SignedCheckpoint): string {
  const own = parseNote(note).signatures.filter(({ name }) => name === origin)
  return `${text}\n${own.map(({ line }) => `${line}\n`).join('')}`
}

const refuse = (status: 400 | 403 | 404 | 422, why: string): WitnessAnswer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${why}\n`,
})
