// Entries as they rest on the disk: 256 to a bundle, as C2SP tlog-tiles counts them, in rows of what came together. A row of many is
// compressed (zstd), one of few is text; a bundle that was filled by many small rows is written once more, as one.
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

export const bundleEntries = 256

/** A row: `count` entries from index `first` on, all of one bundle. */
export interface EntryRow {
  first: number
  lines: string | Uint8Array
  count: number
}

/** Fewer in a row compress badly. */
const compressedMin = 16
/** A full bundle of more rows is written as one. */
const rowsMax = 4
/** Bundles decoded last: what is read of exchanges of one time stands in the same few. */
const keptMax = 32

export class EntryBundles {
  readonly #rowsOf: (bundle: number) => EntryRow[]
  readonly #kept = new Map<number, string[]>()
  /** The entries of the bundle that is not full. */
  #tail: string[]
  #tailRows: number

  /** @param rowsOf the rows of a bundle, by `first` */
  constructor(size: number, rowsOf: (bundle: number) => EntryRow[]) {
    this.#rowsOf = rowsOf
    const rows = rowsOf(Math.floor(size / bundleEntries))
    this.#tail = decode(rows)
    this.#tailRows = rows.length
  }

  /** The rows that hold these entries of the batch; one of 256 takes the place of all rows of its bundle. */
  *rows(first: number, entries: readonly string[]): Generator<EntryRow> {
    let tail = this.#tail
    let rows = this.#tailRows
    for (let at = 0; at < entries.length; ) {
      const some = entries.slice(at, at + bundleEntries - tail.length)
      tail = tail.length === 0 ? some : [...tail, ...some]
      rows++
      at += some.length
      const isFull = tail.length === bundleEntries
      const isMany = isFull && rows > rowsMax
      yield isMany ? rowOf(first + at - bundleEntries, tail) : rowOf(first + at - some.length, some)
      if (!isFull) continue
      tail = []
      rows = 0
    }
  }

  /** After a batch was stored. */
  appended(first: number, entries: readonly string[]): void {
    const bundle = Math.floor((first + entries.length) / bundleEntries)
    const inTail = first + entries.length - bundle * bundleEntries
    this.#tailRows = inTail === 0 ? 0 : inTail <= entries.length ? 1 : this.#tailRows + 1
    this.#tail = inTail <= entries.length ? entries.slice(entries.length - inTail) : [...this.#tail, ...entries]
  }

  /** The entries from that index on that stand in its bundle. */
  read(index: number, size: number): string[] {
    const bundle = Math.floor(index / bundleEntries)
    const lines = bundle === Math.floor(size / bundleEntries) ? this.#tail : this.#full(bundle)
    return lines.slice(index - bundle * bundleEntries)
  }

  #full(bundle: number): string[] {
    const known = this.#kept.get(bundle)
    const lines = known ?? decode(this.#rowsOf(bundle))
    this.#kept.delete(bundle)
    this.#kept.set(bundle, lines)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > keptMax && oldest !== undefined) this.#kept.delete(oldest)
    return lines
  }
}

const decode = (rows: readonly EntryRow[]): string[] => rows.flatMap(({ lines }) => textOf(lines).split('\n'))

const rowOf = (first: number, entries: readonly string[]): EntryRow => ({
  first,
  count: entries.length,
  lines: entries.length < compressedMin ? entries.join('\n') : compress(entries),
})

const compress = (lines: readonly string[]): Buffer =>
  zstdCompressSync(lines.join('\n'), { params: { [constants.ZSTD_c_compressionLevel]: 3 } })

const textOf = (lines: string | Uint8Array): string =>
  typeof lines === 'string' ? lines : zstdDecompressSync(lines).toString('utf8')
