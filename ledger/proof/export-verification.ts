// Verifies an export: every entry is hashed again, indexes are without a gap, every checkpoint's signature and root are right, the
// last has its cosignatures, and nothing is missing at the end if a later checkpoint is known. One pass, a few kilobytes of memory.
// An entry altered together with its hash is found by the next checkpoint, which narrows it to the entries since the one before.

import { entryBytesMax, type LedgerEvent } from '#ledger/event.ts'
import { CompactRange } from '#ledger/merkle/compact-range.ts'
import { leafHash } from '#ledger/merkle/hashes.ts'
import { missingOf } from '#ledger/missing.ts'
import { type SignedCheckpoint } from '#ledger/notes/checkpoint.ts'
import { decodeHash, decodeSize } from '#ledger/notes/encoding.ts'
import { readEntry } from './entry.ts'
import { exportMark } from './export.ts'
import { Fault, type Finding, quote } from './fault.ts'
import { checkWitnesses, openTrusted, type Policy } from './policy.ts'
import { checkPredecessor, type Predecessor, type PredecessorPolicy } from './predecessor.ts'
import { describeChange, lastEndMissing } from './re-encoding.ts'
import { LineError } from './text-lines.ts'

export interface ExportPolicy extends Policy, PredecessorPolicy {
  /** A signed checkpoint from elsewhere: what it covers must be here. */
  checkpoint?: string
}

export interface ExportVerdict extends Partial<Finding> {
  ok: boolean
  /** '' when all is well. */
  why: string
  /** Entries read. */
  entries: number
  from: number
  /** Size of the last checkpoint that was right; entries before it, from `from` on, are as they were signed. */
  size: number
  checkpoints: number
  /** Names of the witnesses. */
  cosignedBy: string[]
  /** The log that this one goes on from, when it is a successor and the export begins with its first entry. */
  predecessor?: Predecessor
  /** What the log itself says is missing, in words; at most 20, the first. */
  missing?: readonly string[]
  /** Of the file, from 1: where it was found; 0: not in the file. When all is well, the last. */
  line: number
}

const headerLines = 4
const missingMax = 20
const checkpointMark = 'checkpoint '

/** Lines without their ends, as `readLines` gives them. Never rejects for what is in them. */
export async function verifyExport(
  lines: AsyncIterable<string> | Iterable<string>,
  policy: ExportPolicy,
): Promise<ExportVerdict> {
  const verifier = new ExportVerifier(policy)
  try {
    verifier.begin()
    for await (const line of lines) verifier.take(line)
    return verifier.end()
  } catch (error) {
    if (error instanceof Fault) return verifier.verdict(error.finding)
    if (error instanceof LineError) return verifier.verdict(verifier.asFault(error))
    throw error
  }
}

class ExportVerifier {
  readonly #policy: ExportPolicy
  #given: SignedCheckpoint | undefined
  #lines = 0
  #from = 0
  #range = new CompactRange()
  #checkpoints = 0
  #last: SignedCheckpoint | undefined
  #cosignedBy: string[] = []
  #first: LedgerEvent | undefined
  readonly #missing: string[] = []
  #predecessor: Predecessor | undefined

  constructor(policy: ExportPolicy) {
    this.#policy = policy
  }

  /** Throws Fault. */
  begin(): void {
    const { checkpoint } = this.#policy
    if (checkpoint !== undefined) this.#given = openTrusted(checkpoint, this.#policy, 'the checkpoint given')
  }

  /** Throws Fault. */
  take(line: string): void {
    this.#lines++
    if (this.#lines <= headerLines) this.#takeHeader(line)
    else if (line.startsWith(checkpointMark)) this.#takeCheckpoint(line.slice(checkpointMark.length))
    else this.#takeEntry(line)
  }

  /** Throws Fault. */
  end(): ExportVerdict {
    if (this.#lines === 0) throw new Fault('the file is empty')
    if (this.#lines < headerLines) throw new Fault('the export ends in its header: it was cut')
    const { size } = this.#range
    if (this.#last?.size !== size)
      throw new Fault('the export ends before the checkpoint of its last entries: it was cut', this.#here())
    const given = this.#given
    if (given !== undefined && given.size > size)
      throw new Fault(`the checkpoint given covers ${given.size} entries; the export ends after ${size}`, this.#here())
    if (given !== undefined && given.size < this.#from)
      throw new Fault(`the checkpoint given covers ${given.size} entries; the export begins after ${this.#from}`)
    this.#cosignedBy = checkWitnesses(given?.size === size ? [this.#last, given] : [this.#last], this.#policy)
    this.#predecessor = checkPredecessor(this.#first, this.#policy)
    return this.verdict()
  }

  verdict(finding?: Finding): ExportVerdict {
    return {
      ok: finding === undefined,
      why: '',
      entries: Math.max(0, this.#range.size - this.#from),
      from: this.#from,
      size: this.#last?.size ?? this.#from,
      checkpoints: this.#checkpoints,
      cosignedBy: this.#cosignedBy,
      ...(this.#predecessor === undefined ? {} : { predecessor: this.#predecessor }),
      ...(this.#missing.length === 0 ? {} : { missing: this.#missing }),
      line: this.#lines,
      ...finding,
    }
  }

  /** What a line that could not be read means for the entries. */
  asFault({ message, line, text = '', isUnended }: LineError): Finding {
    const here = this.#here()
    const isInHeader = line <= headerLines
    if (isUnended && this.#isWholeWith(text)) return { line, why: lastEndMissing(line) }
    const isNoEntry = isInHeader || (!isUnended && text.startsWith(checkpointMark))
    return { ...(isNoEntry ? {} : here), line, why: message }
  }

  /** Whether this would have been the last line. */
  #isWholeWith(line: string): boolean {
    try {
      this.take(line)
      this.end()
      return true
    } catch (error) {
      if (error instanceof Fault) return false
      throw error
    }
  }

  #takeHeader(line: string): void {
    const { logKey } = this.#policy
    const [name, value = '', ...more] = line.split(' ')
    if (this.#lines === 1) {
      if (line !== exportMark) throw new Fault(`this is no export: its first line is ${quote(line)}, not ${exportMark}`)
    } else if (this.#lines === 2) {
      if (name !== 'origin') throw new Fault('line 2 does not name the log')
      if (line !== `origin ${logKey.name}`)
        throw new Fault(`the key is of ${logKey.name}; the export says ${quote(line)}`)
    } else if (this.#lines === 3) {
      const from = decodeSize(value)
      if (name !== 'from' || from === undefined || more.length > 0)
        throw new Fault('line 3 is not where the export begins')
      this.#from = from
    } else {
      this.#range = readRange(line, this.#from)
      this.#checkGiven()
    }
  }

  #takeEntry(line: string): void {
    const here = this.#here()
    const index = this.#range.size
    const afterIndex = line.indexOf(' ')
    const afterHash = line.indexOf(' ', afterIndex + 1)
    const said = decodeSize(line.slice(0, Math.max(0, afterIndex)))
    if (said === undefined || afterHash === -1)
      throw new Fault(describeLine(line, this.#lines), line === '' ? {} : here)
    if (said !== index) throw new Fault(`entry ${said} stands where entry ${index} belongs`, here)
    const entry = line.slice(afterHash + 1)
    const bytes = Buffer.byteLength(entry)
    if (bytes > entryBytesMax)
      throw new Fault(`entry ${index} has ${bytes} bytes; none has more than ${entryBytesMax}`, here)
    const hash = leafHash(entry)
    const hashText = line.slice(afterIndex + 1, afterHash)
    if (hash.toString('base64') !== hashText) throw new Fault(describeEntry(entry, index, hashText), here)
    const read = readEntry(entry)
    if ('why' in read) throw new Fault(`entry ${index} is no entry: ${read.why}`, here)
    if (index === 0) this.#first = read.events[0]
    this.#note(index, read.events)
    this.#range.append(hash)
    this.#checkGiven()
  }

  #note(index: number, events: readonly LedgerEvent[]): void {
    for (const event of events) {
      const missing = missingOf(index, event)
      if (missing !== undefined && this.#missing.length < missingMax) this.#missing.push(missing.detail)
    }
  }

  #takeCheckpoint(text: string): void {
    const { size } = this.#range
    const checkpoint = openTrusted(readNote(text), this.#policy, `the checkpoint after ${size} entries`)
    if (checkpoint.size !== size) {
      const firstBad = Math.min(checkpoint.size, size)
      const where = firstBad < this.#from ? {} : { firstBad }
      throw new Fault(`the checkpoint of ${checkpoint.size} entries stands after ${size}`, where)
    }
    this.#checkRoot(checkpoint.root, `the signed checkpoint of ${size}`)
    this.#checkpoints++
    this.#last = checkpoint
  }

  #checkGiven(): void {
    if (this.#given?.size === this.#range.size) this.#checkRoot(this.#given.root, 'the checkpoint given')
  }

  #checkRoot(root: Buffer, what: string): void {
    const { size } = this.#range
    if (this.#range.root().equals(root)) return
    const first = this.#last?.size ?? this.#from
    const isLeftKnown = this.#from === 0 || this.#last !== undefined
    const where = first < size ? { firstBad: first, ...(first < size - 1 ? { lastBad: size - 1 } : {}) } : {}
    throw new Fault(
      `${what} has another root than its entries${isLeftKnown ? '' : ', or than the hashes of those before the export'}`,
      where,
    )
  }

  #here(): { firstBad: number } {
    return { firstBad: this.#range.size }
  }
}

function describeLine(line: string, at: number): string {
  if (line === '') return `line ${at} is empty`
  if (line === exportMark) return `line ${at} is the beginning of another export: verify each by itself`
  return `line ${at} is neither an entry nor a checkpoint: ${quote(line)}`
}

function describeEntry(entry: string, index: number, hashText: string): string {
  const change = describeChange(entry, text => leafHash(text).toString('base64') === hashText)
  return `entry ${index} is not what its hash says${change === undefined ? '' : `: ${change}`}`
}

function readRange(line: string, from: number): CompactRange {
  const [name, ...texts] = line.split(' ')
  const hashes = texts.map(decodeHash).filter(hash => hash !== undefined)
  try {
    if (name === 'left' && hashes.length === texts.length) return new CompactRange(from, hashes)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  throw new Fault(`line 4 does not hold the hashes of the ${from} entries before the export`)
}

/** In the one form that JSON gives it. */
function readNote(text: string): string {
  try {
    const note: unknown = JSON.parse(text)
    if (typeof note === 'string' && JSON.stringify(note) === text) return note
  } catch {}
  throw new Fault('a checkpoint line does not hold a JSON string')
}
