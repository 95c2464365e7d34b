// Entries as they rest on the disk: 256 to a bundle, as C2SP tlog-tiles counts them, a full one compressed (zstd). The bundle at the
// end grows by rows of a batch each, as text; when it is full, one row takes their place.
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

export const bundleEntries = 256

/** A row: `count` entries from index `first` on, all of one bundle. */
export interface EntryRow {
  first: number
  lines: string | Uint8Array
  count: number
}

/** Bundles decoded last: what is read of exchanges of one time stands in the same few. */
const keptMax = 32

export class EntryBundles {
  readonly #rowsOf: (bundle: number) => EntryRow[]
  readonly #kept = new Map<number, string[]>()
  /** The entries of the bundle that is not full. */
  #tail: string[]

  /** @param rowsOf the rows of a bundle, by `first` */
  constructor(size: number, rowsOf: (bundle: number) => EntryRow[]) {
    this.#rowsOf = rowsOf
    this.#tail = this.#decode(Math.floor(size / bundleEntries))
  }

  /** The rows that hold these entries of the batch; a row of 256 takes the place of all rows of its bundle. */
  *rows(first: number, entries: readonly string[]): Generator<EntryRow> {
    let tail = this.#tail
    for (let at = 0; at < entries.length; ) {
      const some = entries.slice(at, at + bundleEntries - tail.length)
      const start = first + at
      tail = [...tail, ...some]
      at += some.length
      const isFull = tail.length === bundleEntries
      yield isFull
        ? { first: start + some.length - bundleEntries, lines: compress(tail), count: bundleEntries }
        : { first: start, lines: some.join('\n'), count: some.length }
      if (isFull) tail = []
    }
  }

  /** After a batch was stored. */
  appended(first: number, entries: readonly string[]): void {
    const bundle = Math.floor((first + entries.length) / bundleEntries)
    const inTail = first + entries.length - bundle * bundleEntries
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
    const lines = known ?? this.#decode(bundle)
    this.#kept.delete(bundle)
    this.#kept.set(bundle, lines)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > keptMax && oldest !== undefined) this.#kept.delete(oldest)
    return lines
  }

  #decode(bundle: number): string[] {
    return this.#rowsOf(bundle).flatMap(({ lines }) => textOf(lines).split('\n'))
  }
}

const compress = (lines: readonly string[]): Buffer =>
  zstdCompressSync(lines.join('\n'), { params: { [constants.ZSTD_c_compressionLevel]: 3 } })

const textOf = (lines: string | Uint8Array): string =>
  typeof lines === 'string' ? lines : zstdDecompressSync(lines).toString('utf8')
