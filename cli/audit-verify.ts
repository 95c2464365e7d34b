// The two actions of `ndx audit` that need no ledger: verify an export or a receipt, compare two exports. Streams: an export may be
// larger than memory.
import { createReadStream } from 'node:fs'
import { noteBytesMax } from '#ledger/notes/note.ts'
import { diffExports } from '#ledger/proof/export-difference.ts'
import { type ExportPolicy, type ExportVerdict, verifyExport } from '#ledger/proof/export-verification.ts'
import { Fault, type Finding } from '#ledger/proof/fault.ts'
import { describeStart, windowsLineEnds } from '#ledger/proof/re-encoding.ts'
import { type ReceiptVerdict, receiptMark, verifyReceiptLines } from '#ledger/proof/receipt.ts'
import { LineError, readLines } from '#ledger/proof/text-lines.ts'
import { type AuditOptions, readKey } from './audit-trust.ts'
import { readFileWithin } from './bounded-reading.ts'
import { UsageError } from './command.ts'
import { escapeText } from './safe-text.ts'
import { type Terminal } from './terminal.ts'

export async function verify(path: string, options: AuditOptions, terminal: Terminal): Promise<number> {
  const policy = options.trust()
  const given = givenFrom(options)
  const { first, all } = await peek(linesOf(path, terminal))
  if (first === receiptMark) {
    if (options.checkpoint !== undefined) throw new UsageError('--checkpoint is for exports; a receipt holds its own.')
    if (options.predecessor !== undefined || options['predecessor-key'] !== undefined)
      throw new UsageError('--predecessor and --predecessor-key are for exports.')
    const verdict = await verifyReceiptLines(all, policy)
    await terminal.write(verdict.ok ? tellReceipt(verdict, policy.logKey.name) : tellFinding(verdict))
    return verdict.ok ? 0 : 1
  }
  const verdict = await verifyExport(all, { ...policy, ...given })
  await terminal.write(verdict.ok ? tellExport(verdict, policy.logKey.name) : tellFinding(verdict))
  return verdict.ok ? 0 : 1
}

/** Throws UsageError. */
function givenFrom({ checkpoint, predecessor, 'predecessor-key': key }: AuditOptions): Partial<ExportPolicy> {
  return {
    ...(checkpoint === undefined ? {} : { checkpoint: readCheckpoint('--checkpoint', checkpoint) }),
    ...(predecessor === undefined ? {} : { predecessor: readCheckpoint('--predecessor', predecessor) }),
    ...(key === undefined ? {} : { predecessorKey: readKey('--predecessor-key', key, 'log') }),
  }
}

export async function diff(a: string, b: string, terminal: Terminal): Promise<number> {
  if (a === '-' && b === '-') throw new UsageError('only one of two exports can come from standard input.')
  try {
    const difference = await diffExports(namedLinesOf(a, terminal), namedLinesOf(b, terminal))
    const { index, what } = difference ?? { what: 'the same entries' }
    await terminal.write(`${index === undefined ? '' : `entry ${index}: `}${escapeText(what)}\n`)
    return difference === undefined ? 0 : 1
  } catch (error) {
    if (error instanceof Fault) throw new UsageError(escapeText(error.message))
    throw error
  }
}

export const tellReceipt = ({ exchange, events, size, cosignedBy }: ReceiptVerdict, log: string): string =>
  `ok: ${events.length} events of ${escapeText(exchange)} are in ${escapeText(log)} (checkpoint of ${size}${tellWitnesses(cosignedBy)})\n`

/** For standard output: what is wrong, and where. */
export function tellFinding({ why = '', firstBad, lastBad, line = 0 }: Partial<Finding>): string {
  const among = lastBad === undefined ? `${firstBad}` : `one of ${firstBad} to ${lastBad}`
  const inFile = line === 0 ? '' : `found in line ${line}\n`
  const place = firstBad === undefined ? inFile : `first bad entry: ${among}${line === 0 ? '' : ` (line ${line})`}\n`
  return `bad: ${escapeText(why)}\n${place}`
}

/** Throws UsageError, also for what mail or Windows made of it. */
export function readCheckpoint(option: string, path: string): string {
  const bytes = readBytes(path)
  const why = describeStart(bytes) ?? (bytes.includes('\r\n') ? windowsLineEnds(1) : undefined)
  if (why !== undefined) throw new UsageError(`${option}: ${why}.`)
  return bytes.toString('utf8')
}

function readBytes(path: string): Buffer {
  try {
    return readFileWithin(path, noteBytesMax)
  } catch (cause) {
    throw new UsageError(`cannot read: ${(cause as Error).message}`)
  }
}

function tellExport(
  { entries, from, size, checkpoints, cosignedBy, predecessor, missing }: ExportVerdict,
  log: string,
): string {
  const range = entries === 0 ? 'no entries' : `entries ${from} to ${size - 1}`
  return `ok: ${range} of ${escapeText(log)} are as it signed them (${checkpoints} checkpoints, the last of ${size}${tellWitnesses(cosignedBy)})\n${tellPredecessor(predecessor)}${tellMissing(missing)}`
}

/** The log is whole; what it is made from was not. */
const tellMissing = (missing: readonly string[] = []): string =>
  missing.map(detail => `it says itself that something is missing: ${escapeText(detail)}\n`).join('')

const tellPredecessor = (predecessor: ExportVerdict['predecessor']): string =>
  predecessor === undefined
    ? ''
    : `it succeeds ${escapeText(predecessor.origin)}, which ended with ${predecessor.size} entries, root ${escapeText(predecessor.root)}: ${escapeText(predecessor.reason)}\n`

const tellWitnesses = (names: readonly string[]): string =>
  names.length === 0 ? '' : `, cosigned by ${names.map(escapeText).join(', ')}`

async function* linesOf(path: string, { input }: Terminal): AsyncGenerator<string> {
  try {
    yield* readLines(
      path === '-' ? (input as AsyncIterable<Buffer>) : createReadStream(path, { highWaterMark: 256 * 1024 }),
    )
  } catch (cause) {
    if (cause instanceof Error && 'syscall' in cause) throw new UsageError(`cannot read: ${cause.message}`)
    throw cause
  }
}

/** What is wrong with its lines is a UsageError that names the file. */
async function* namedLinesOf(path: string, terminal: Terminal): AsyncGenerator<string> {
  try {
    yield* linesOf(path, terminal)
  } catch (cause) {
    if (!(cause instanceof LineError)) throw cause
    throw new UsageError(escapeText(`${path === '-' ? 'standard input' : path}: ${cause.message}`))
  }
}

/** The first line, and all of them. A fault of the first line is thrown where they are read. */
async function peek(
  lines: AsyncGenerator<string>,
): Promise<{ first: string | undefined; all: AsyncGenerator<string> }> {
  let fault: unknown
  let first: string | undefined
  try {
    const { value, done } = await lines.next()
    first = done === true ? undefined : value
  } catch (error) {
    if (!(error instanceof LineError)) throw error
    fault = error
  }
  async function* all(): AsyncGenerator<string> {
    if (fault !== undefined) throw fault
    if (first !== undefined) yield first
    yield* lines
  }
  return { first, all: all() }
}
