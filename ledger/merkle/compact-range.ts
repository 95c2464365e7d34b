// The right edge of a growing tree: the hashes of the complete subtrees that its leaves split into, largest first (one for each 1
// in the size's binary form). It is all that is needed to append and to know the root; a log of a thousand million has thirty.
import { checkSize, emptyRoot, hashBytes, nodeHash } from './hashes.ts'
import { type NodeReader } from './proofs.ts'

/** Told of every subtree that became complete, the leaf itself (level 0) first. */
export type OnNode = (level: number, index: number, hash: Buffer) => void

export class CompactRange {
  #size: number
  readonly #hashes: Buffer[]

  /** Of an empty tree, or one restored. Throws RangeError when the hashes are not as many as the size needs. */
  constructor(size = 0, hashes: readonly Buffer[] = []) {
    checkSize(size)
    if (hashes.length !== subtreesOf(size).length || hashes.some(({ length }) => length !== hashBytes))
      throw new RangeError(`not the compact range of ${size} leaves`)
    this.#size = size
    this.#hashes = [...hashes]
  }

  get size(): number {
    return this.#size
  }

  /** Largest subtree first. */
  get hashes(): readonly Buffer[] {
    return [...this.#hashes]
  }

  append(leaf: Buffer, onNode?: OnNode): void {
    let [level, index, hash] = [0, this.#size, leaf]
    checkSize(index + 1)
    if (leaf.length !== hashBytes) throw new RangeError('a leaf is no SHA-256 hash')
    onNode?.(level, index, hash)
    while (index % 2 === 1) {
      hash = nodeHash(this.#hashes.pop() as Buffer, hash)
      index = (index - 1) / 2
      level++
      onNode?.(level, index, hash)
    }
    this.#hashes.push(hash)
    this.#size++
  }

  root(): Buffer {
    return foldRange(this.#hashes)
  }
}

/** The complete subtrees of the first `size` leaves, largest first. */
export function subtreesOf(size: number): { level: number; index: number }[] {
  const subtrees = []
  let start = 0
  for (let level = 52; level >= 0; level--) {
    const leaves = 2 ** level
    if (size - start < leaves) continue
    subtrees.push({ level, index: start / leaves })
    start += leaves
  }
  return subtrees
}

/** The hashes that a `CompactRange` of this size is restored from. */
export const rangeHashes = (size: number, reader: NodeReader): Buffer[] =>
  subtreesOf(size).map(({ level, index }) => reader.node(level, index))

export const foldRange = (hashes: readonly Buffer[]): Buffer =>
  hashes.length === 0 ? emptyRoot : hashes.reduceRight((right, left) => nodeHash(left, right))
