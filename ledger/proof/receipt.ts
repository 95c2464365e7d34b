// A receipt: what the log says of one exchange, as text that proves itself with public keys alone. It proves that these events are
// in the log as they stand; that there are no others of the exchange, only an export can prove. Its form:
//   ndx-receipt/v1 / origin <log> / exchange <id>
//   event <index> <entry> / path <inclusion path, base 64>     for each entry, in the order of the log
//   (blank line) and the signed checkpoint, with cosignatures, as it is
import { entryBytesMax, type LedgerEvent } from '#ledger/event.ts'
import { leafHash } from '#ledger/merkle/hashes.ts'
import { inclusionProof, type NodeReader } from '#ledger/merkle/proofs.ts'
import { verifyInclusion } from '#ledger/merkle/verification.ts'
import { decodeHash, decodeSize } from '#ledger/notes/encoding.ts'
import { readEntry } from './entry.ts'
import { Fault, type Finding, quote } from './fault.ts'
import { checkWitnesses, openTrusted, type Policy } from './policy.ts'
import { describeChange, lastEndMissing } from './re-encoding.ts'
import { LineError } from './text-lines.ts'

export const receiptMark = 'ndx-receipt/v1'

export interface ReceiptParts {
  origin: string
  exchange: string
  /** In the order of the log; at least one. */
  entries: readonly { index: number; entry: string }[]
  /** A signed checkpoint of `size`, which covers them all. */
  note: string
  size: number
  nodes: NodeReader
}

export interface ReceiptVerdict extends Partial<Finding> {
  ok: boolean
  /** '' when all is well. */
  why: string
  exchange: string
  /** Of the checkpoint. */
  size: number
  /** Those proven so far, with the entry that each is in: all, when all is well. */
  events: { index: number; event: LedgerEvent }[]
  /** Names of the witnesses. */
  cosignedBy: string[]
}

/** An exchange has a dozen events; one that asks for more is no receipt. */
const eventsMax = 10_000
const headerLines = 3
export const receiptBytesMax = 16 * 1024 * 1024

export function writeReceipt({ origin, exchange, entries, note, size, nodes }: ReceiptParts): string {
  const lines = entries.flatMap(({ index, entry }) => {
    const path = inclusionProof(index, size, nodes).map(hash => hash.toString('base64'))
    return [`event ${index} ${entry}`, ['path', ...path].join(' ')]
  })
  return `${[receiptMark, `origin ${origin}`, `exchange ${exchange}`, ...lines].join('\n')}\n\n${note}`
}

/** Never throws for what is in the text. */
export function verifyReceipt(text: string, policy: Policy): ReceiptVerdict {
  const verdict: ReceiptVerdict = { ok: false, why: '', exchange: '', size: 0, events: [], cosignedBy: [] }
  try {
    checkReceipt(text, policy, verdict)
    return { ...verdict, ok: true }
  } catch (error) {
    if (error instanceof Fault) return { ...verdict, ...error.finding }
    throw error
  }
}

/** Lines without their ends, as `readLines` gives them. Never rejects for what is in them. */
export async function verifyReceiptLines(
  lines: AsyncIterable<string> | Iterable<string>,
  policy: Policy,
): Promise<ReceiptVerdict> {
  const bad = { ok: false, exchange: '', size: 0, events: [], cosignedBy: [] }
  let text = ''
  try {
    for await (const line of lines) {
      text += `${line}\n`
      if (text.length > receiptBytesMax) return { ...bad, why: 'no receipt is that long' }
    }
    return verifyReceipt(text, policy)
  } catch (error) {
    if (!(error instanceof LineError)) throw error
    const { line, isUnended, message } = error
    const isWhole = isUnended && verifyReceipt(`${text}${error.text}\n`, policy).ok
    return { ...bad, line, why: isWhole ? lastEndMissing(line) : message }
  }
}

function checkReceipt(text: string, policy: Policy, verdict: ReceiptVerdict): void {
  const end = text.indexOf('\n\n')
  const [mark, origin, exchange = '', ...lines] = text.slice(0, end === -1 ? text.length : end).split('\n')
  if (mark !== receiptMark) throw new Fault(`this is no receipt: it is not headed ${receiptMark}`, { line: 1 })
  if (origin !== `origin ${policy.logKey.name}`)
    throw new Fault(`the key is of ${policy.logKey.name}; the receipt says ${quote(origin ?? '')}`, { line: 2 })
  if (!exchange.startsWith('exchange ')) throw new Fault('line 3 does not name the exchange', { line: 3 })
  verdict.exchange = exchange.slice('exchange '.length)
  if (end === -1) throw new Fault('the receipt ends before its checkpoint: it was cut')
  const at = { line: headerLines + lines.length + 2 }
  const checkpoint = openTrusted(text.slice(end + 2), policy, 'the checkpoint of the receipt', at)
  verdict.size = checkpoint.size
  if (lines.length === 0 || lines.length % 2 === 1 || lines.length > 2 * eventsMax)
    throw new Fault('the receipt does not hold an event and a path by turns')
  for (let at = 0; at < lines.length; at += 2) {
    const line = headerLines + at + 1
    const { index, events } = checkEntry(lines[at] ?? '', lines[at + 1] ?? '', { ...checkpoint, line })
    const before = verdict.events.at(-1)?.index ?? -1
    if (index <= before) throw new Fault(`entry ${index} stands after entry ${before}`, { firstBad: index, line })
    if (events.some(event => event.exchange !== verdict.exchange))
      throw new Fault(`entry ${index} is of another exchange`, { firstBad: index, line })
    verdict.events.push(...events.map(event => ({ index, event })))
  }
  verdict.cosignedBy = checkWitnesses([checkpoint], policy)
}

function checkEntry(
  entryLine: string,
  pathLine: string,
  { size, root, line }: { size: number; root: Buffer; line: number },
) {
  const [, indexText = '', entry = ''] = /^event ([0-9]+) (.*)$/s.exec(entryLine) ?? []
  const index = decodeSize(indexText)
  if (index === undefined) throw new Fault(`this is no event of a receipt: ${quote(entryLine)}`, { line })
  const [name, ...texts] = pathLine.split(' ')
  const path = texts.map(decodeHash).filter(hash => hash !== undefined)
  const isPath = name === 'path' && path.length === texts.length
  const where = { firstBad: index, line }
  const isIn = (text: string): boolean => isPath && verifyInclusion({ leaf: leafHash(text), index, size, path, root })
  if (!isIn(entry)) {
    const change = describeChange(entry, isIn)
    const why = change === undefined ? '' : `: ${change}`
    throw new Fault(`entry ${index} is not in the log of ${size} entries as it stands here${why}`, where)
  }
  const bytes = Buffer.byteLength(entry)
  if (bytes > entryBytesMax)
    throw new Fault(`entry ${index} has ${bytes} bytes; none has more than ${entryBytesMax}`, where)
  const read = readEntry(entry)
  if ('why' in read) throw new Fault(`entry ${index} is no entry: ${read.why}`, where)
  return { index, events: read.events }
}
