// The log's growing end: hashes entries, says which tiles are to be stored, and moves on only once they are.
import { leafHash } from './merkle/hashes.ts'
import { type Tile, TileReader, type TileSource, TileWriter } from './merkle/tiles.ts'
import { type LedgerStore } from './store.ts'

export interface LogAppender {
  /** Entries in the log. */
  readonly size: number
  /** `commit` stores entries and tiles; when it throws, nothing was appended, and that is thrown on. */
  append(entries: readonly string[], commit: (tiles: readonly Tile[]) => void): void
}

/** Throws when the stored tiles do not hold what the stored size says. */
export function createLogAppender(store: LedgerStore): LogAppender {
  const tile = tileSource(store)
  let writer = new TileWriter(store.size, tile)
  return {
    get size() {
      return writer.size
    },
    append(entries, commit) {
      try {
        for (const entry of entries) writer.append(leafHash(entry))
        commit(writer.take())
      } catch (error) {
        writer = new TileWriter(store.size, tile)
        throw error
      }
    },
  }
}

export const tileSource =
  (store: LedgerStore): TileSource =>
  (level, index) => {
    const bytes = store.tile(level, index)
    if (bytes === undefined) throw new RangeError(`the store has no tile ${level}/${index}`)
    return bytes
  }

export const nodesOf = (store: LedgerStore): TileReader => new TileReader(tileSource(store))
