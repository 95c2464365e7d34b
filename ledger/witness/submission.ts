// What a log sends to a witness (C2SP tlog-witness, add-checkpoint): the size it believes the witness saw last, the proof from
// there, and the checkpoint. Both sides stand here.
import { decodeHash, decodeSize } from '#ledger/notes/encoding.ts'
import { noteBytesMax } from '#ledger/notes/note.ts'

export interface Submission {
  oldSize: number
  proof: readonly Buffer[]
  note: string
}

const proofHashesMax = 63
export const submissionBytesMax = noteBytesMax + 4096
/** The media type of a witness's own size, with 409. */
export const sizeType = 'text/x.tlog.size'

export const formatSubmission = ({ oldSize, proof, note }: Submission): string =>
  `old ${oldSize}\n${proof.map(hash => `${hash.toString('base64')}\n`).join('')}\n${note}`

/** `undefined` when the body is not one. The note is as it came. */
export function parseSubmission(body: string): Submission | undefined {
  const end = body.indexOf('\n\n')
  if (end === -1) return undefined
  const [old = '', ...texts] = body.slice(0, end).split('\n')
  const oldSize = old.startsWith('old ') ? decodeSize(old.slice('old '.length)) : undefined
  const proof = texts.map(decodeHash).filter(hash => hash !== undefined)
  if (oldSize === undefined || proof.length !== texts.length || proof.length > proofHashesMax) return undefined
  return { oldSize, proof, note: body.slice(end + 2) }
}
