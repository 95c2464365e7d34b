// Gets a witness's cosignature for a checkpoint: proves that it continues what the witness saw last, and learns from a 409 what
// that was. What comes back is verified before it is believed. That a witness saw more than the log has, or another past, is only
// said here, not proven: witnessed-head.ts asks for the proof.
import { consistencyProof, type NodeReader } from '#ledger/merkle/proofs.ts'
import { decodeSize } from '#ledger/notes/encoding.ts'
import { type VerifierKey } from '#ledger/notes/keys.ts'
import { NoteError, parseNote, parseSignature, verifySignatures } from '#ledger/notes/note.ts'
import { requestWitness, underWitness, type WitnessResponse } from './request.ts'
import { formatSubmission } from './submission.ts'

export interface Cosigning {
  /** A signed checkpoint of `size`. */
  note: string
  size: number
  nodes: NodeReader
  /** What the witness saw last, as far as is known; default 0, and it tells. */
  witnessedSize?: number
  /** Keys of witnesses; a cosignature of another is not taken. */
  keys: readonly VerifierKey[]
  timeoutMs?: number
}

export interface Cosignature {
  /** To be added to the note (`addSignature`), without its end. */
  line: string
  key: VerifierKey
  timeS: number
}

/**
 * unreachable: no answer, or one that says nothing; ask again · refused: it does not know the log or its key, or its own key is not
 * known here · ahead: it saw a larger log than this · inconsistent: it saw another past.
 */
export type CosignFault = 'unreachable' | 'refused' | 'ahead' | 'inconsistent'

export class CosignError extends Error {
  readonly fault: CosignFault
  /** With `ahead`: what the witness saw. */
  readonly witnessedSize: number | undefined

  constructor(
    fault: CosignFault,
    message: string,
    { cause, witnessedSize }: { cause?: unknown; witnessedSize?: number } = {},
  ) {
    super(message, { cause })
    this.name = 'CosignError'
    this.fault = fault
    this.witnessedSize = witnessedSize
  }
}

/** Another log process may be asking too; after so many 409s it is given up for this time. */
const attemptsMax = 3

/** Throws CosignError. */
export async function cosign(witnessUrl: string, cosigning: Cosigning): Promise<Cosignature> {
  const { note, size, nodes, timeoutMs = 2_000 } = cosigning
  let oldSize = Math.min(cosigning.witnessedSize ?? 0, size)
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const body = formatSubmission({ oldSize, proof: consistencyProof(oldSize, size, nodes), note })
    const answer = await post(underWitness(witnessUrl, '/add-checkpoint'), body, timeoutMs)
    if (answer.status === 200) return readCosignature(answer.body, cosigning)
    if (answer.status !== 409) throw asError(answer, witnessUrl)
    const witnessedSize = decodeSize(answer.body.replace(/\n$/, ''))
    if (witnessedSize === undefined) throw new CosignError('unreachable', `${witnessUrl} answered 409 without its size`)
    if (witnessedSize > size)
      throw new CosignError('ahead', `${witnessUrl} saw ${witnessedSize} entries, the log has ${size}`, {
        witnessedSize,
      })
    oldSize = witnessedSize
  }
  throw new CosignError('unreachable', `${witnessUrl} said another size each time`)
}

/** The first line that is a known witness's and right. */
function readCosignature(body: string, { note, keys }: Cosigning): Cosignature {
  try {
    const { text } = parseNote(note)
    const signatures = body.replace(/\n$/, '').split('\n').map(parseSignature)
    for (const signature of signatures) {
      const [verified] = verifySignatures({ text, signatures: [signature] }, keys)
      if (verified?.timeS !== undefined) return { line: signature.line, key: verified.key, timeS: verified.timeS }
    }
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause
    throw new CosignError('refused', `the cosignature is not right: ${cause.message}`, { cause })
  }
  throw new CosignError('refused', 'the cosignature is of no witness whose key is known here')
}

function asError({ status, body }: WitnessResponse, witnessUrl: string): CosignError {
  const said = `${witnessUrl} answered ${status}: ${JSON.stringify(body.slice(0, 200).trim())}`
  if (status === 422) return new CosignError('inconsistent', said)
  return new CosignError(status >= 400 && status < 500 && status !== 429 ? 'refused' : 'unreachable', said)
}

const post = (url: string, body: string, timeoutMs: number): Promise<WitnessResponse> =>
  requestWitness(
    url,
    { method: 'POST', body, headers: { 'content-type': 'text/plain; charset=utf-8' } },
    timeoutMs,
  ).catch((cause: Error) => {
    throw new CosignError('unreachable', cause.message, { cause })
  })
