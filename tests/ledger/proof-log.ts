// A small log in memory, as a ledger would keep it: events, nodes, a checkpoint every so many entries. For tests of what is made
// of a log: exports, receipts, cosignatures.
import { encodeEntry, type LedgerEvent } from '#ledger/event.ts'
import { CompactRange } from '#ledger/merkle/compact-range.ts'
import { leafHash } from '#ledger/merkle/hashes.ts'
import { type NodeReader, rootAt } from '#ledger/merkle/proofs.ts'
import { signCheckpoint } from '#ledger/notes/checkpoint.ts'
import { type SignerKey } from '#ledger/notes/keys.ts'
import { addSignature, cosignText, parseNote } from '#ledger/notes/note.ts'
import { type ExportSource, writeExport } from '#ledger/proof/export.ts'

export interface TestLog extends ExportSource {
  readonly size: number
  readonly list: readonly string[]
  add(entry: string): void
  /** Signs the head at this size; default the present one. Cosigned by these. */
  seal(size?: number, witnesses?: readonly SignerKey[]): string
  rootAt(size: number): Buffer
  /** The whole text. */
  exported(from?: number): string
}

export function createLog(key: SignerKey): TestLog {
  const list: string[] = []
  const nodes = new Map<string, Buffer>()
  const range = new CompactRange()
  const sealed: { size: number; note: string }[] = []
  const reader: NodeReader = {
    node: (level, index) => {
      const hash = nodes.get(`${level}/${index}`)
      if (hash === undefined) throw new RangeError(`no node ${level}/${index}`)
      return hash
    },
  }
  const origin = key.verifier.name
  const log: TestLog = {
    origin,
    list,
    nodes: reader,
    get size() {
      return list.length
    },
    entries: function* (from) {
      yield* list.slice(from)
    },
    checkpoints: function* (fromSize) {
      yield* sealed.filter(({ size }) => size >= fromSize)
    },
    add: entry => {
      list.push(entry)
      range.append(leafHash(entry), (level, index, hash) => nodes.set(`${level}/${index}`, hash))
    },
    seal: (size = list.length, witnesses = []) => {
      const signed = signCheckpoint({ origin, size, root: rootAt(size, reader) }, key)
      const { text } = parseNote(signed)
      const note = witnesses.reduce((all, by) => addSignature(all, cosignText(text, by, 1_700_000_000 + size)), signed)
      sealed.push({ size, note })
      return note
    },
    rootAt: size => rootAt(size, reader),
    exported: (from = 0) => [...writeExport(log, from)].join(''),
  }
  return log
}

/** As the ledger writes them, an event each; three to an exchange. */
export const eventOf = (index: number, more: Partial<LedgerEvent> = {}): string => {
  const kind = (['accepted', 'answered', 'delivered'] as const)[index % 3] ?? 'accepted'
  const event: LedgerEvent = {
    kind,
    exchange: `0198c2f0-0000-7000-8000-${String(Math.floor(index / 3)).padStart(12, '0')}`,
    at: 1_767_225_600_000 + index,
    source: kind === 'answered' ? '/adapter/population/a' : '/gateway/g1',
    origin: `memory:ndx.note/0/${index}`,
    client: 'bank',
    title: 'hồ sơ số 1',
    fields: ['fullName', 'dateOfBirth'],
    ...more,
  }
  return encodeEntry([event])
}

/** With a checkpoint after every `every` entries, and at the end. */
export function createFilledLog(
  key: SignerKey,
  count: number,
  every: number,
  witnesses: readonly SignerKey[] = [],
): TestLog {
  const log = createLog(key)
  for (let index = 0; index < count; index++) {
    log.add(eventOf(index))
    if (log.size % every === 0 || log.size === count) log.seal(log.size, log.size === count ? witnesses : [])
  }
  return log
}
