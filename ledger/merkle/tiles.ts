// Nodes kept in tiles, as C2SP tlog-tiles does: a tile holds up to 256 hashes of one level, only levels 0, 8, 16, … are kept, and
// the seven between are computed again (at most 127 hashes a node). A log costs 32 bytes and an eighth of a byte an entry.
import { CompactRange, rangeHashes } from './compact-range.ts'
import { hashBytes, nodeHash } from './hashes.ts'
import { type NodeReader } from './proofs.ts'

export const tileHashes = 256
const tileBytes = tileHashes * hashBytes
const tileLevels = 8

/** The hashes of a tile, one after the other; the last tile of a level may have fewer than 256. Throws when it is not there. */
export type TileSource = (level: number, index: number) => Buffer

/** Hashes index*256 and following of the complete subtrees of 2^level leaves; `level` is a multiple of 8. */
export interface Tile {
  level: number
  index: number
  bytes: Buffer
}

/** Remembers nothing, so it may live as long as the log. */
export class TileReader implements NodeReader {
  readonly #tile: TileSource

  constructor(tile: TileSource) {
    this.#tile = tile
  }

  /** Throws RangeError when the tile does not hold it. */
  node(level: number, index: number): Buffer {
    const within = level % tileLevels
    const count = 2 ** within
    const first = index * count
    const bytes = this.#tile(level - within, Math.floor(first / tileHashes))
    const start = (first % tileHashes) * hashBytes
    const end = start + count * hashBytes
    if (!(end <= bytes.length)) throw new RangeError(`node ${level}/${index} is not in its tile`)
    return topOf(bytes.subarray(start, end))
  }
}

function topOf(bytes: Buffer): Buffer {
  if (bytes.length === hashBytes) return bytes
  const middle = bytes.length / 2
  return nodeHash(topOf(bytes.subarray(0, middle)), topOf(bytes.subarray(middle)))
}

/** The tile of a level that is not full. */
interface Edge {
  bytes: Buffer
  count: number
  index: number
  isChanged: boolean
}

/**
 * Appends, and says which tiles are to be written. The tiles at the right edge are in memory (8 KiB a level). When a write did
 * not happen, throw this one away and restore another from what is stored.
 */
export class TileWriter {
  readonly #range: CompactRange
  /** By level / 8. */
  readonly #edge: Edge[] = []
  #full: Tile[] = []

  /** Of an empty log, or restored from its tiles. Throws RangeError when these do not hold exactly `size` leaves. */
  constructor(size = 0, tile: TileSource = none) {
    this.#range = new CompactRange(size, rangeHashes(size, new TileReader(tile)))
    for (let level = 0; 2 ** level <= size; level += tileLevels) {
      const count = Math.floor(size / 2 ** level)
      const edge = this.#edgeAt(level)
      edge.index = Math.floor(count / tileHashes)
      edge.count = count % tileHashes
      if (edge.count === 0) continue
      const stored = tile(level, edge.index)
      if (stored.length !== edge.count * hashBytes)
        throw new RangeError(`tile ${level}/${edge.index} is not of ${size}`)
      stored.copy(edge.bytes)
    }
  }

  get size(): number {
    return this.#range.size
  }

  /** Of the leaves so far, largest subtree first. */
  get hashes(): readonly Buffer[] {
    return this.#range.hashes
  }

  root(): Buffer {
    return this.#range.root()
  }

  append(leaf: Buffer): void {
    this.#range.append(leaf, (level, _, hash) => {
      if (level % tileLevels === 0) this.#add(level, hash)
    })
  }

  /** What changed since it was last taken, each tile whole: full ones once, for ever; the others as far as they go. */
  take(): Tile[] {
    const tiles = this.#full
    this.#full = []
    for (const [at, edge] of this.#edge.entries()) {
      if (!edge.isChanged) continue
      edge.isChanged = false
      const bytes = Buffer.from(edge.bytes.subarray(0, edge.count * hashBytes))
      tiles.push({ level: at * tileLevels, index: edge.index, bytes })
    }
    return tiles
  }

  #add(level: number, hash: Buffer): void {
    const edge = this.#edgeAt(level)
    hash.copy(edge.bytes, edge.count * hashBytes)
    edge.count++
    edge.isChanged = true
    if (edge.count < tileHashes) return
    this.#full.push({ level, index: edge.index, bytes: edge.bytes })
    Object.assign(edge, { bytes: Buffer.alloc(tileBytes), count: 0, index: edge.index + 1, isChanged: false })
  }

  #edgeAt(level: number): Edge {
    const at = level / tileLevels
    this.#edge[at] ??= { bytes: Buffer.alloc(tileBytes), count: 0, index: 0, isChanged: false }
    return this.#edge[at]
  }
}

const none: TileSource = (level, index) => {
  throw new RangeError(`no tile ${level}/${index}`)
}
