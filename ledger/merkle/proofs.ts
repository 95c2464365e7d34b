// Proofs made from stored nodes, as RFC 6962 defines them: that an entry is in a tree (2.1.1), that a tree is the beginning of a
// larger one (2.1.2). Only nodes of complete subtrees are asked for; what lies at the right edge is computed.
import { foldRange, rangeHashes } from './compact-range.ts'
import { checkSize, nodeHash } from './hashes.ts'

export interface NodeReader {
  /** Hash of the complete subtree of 2^level leaves that starts at leaf index*2^level. Throws when it is not there. */
  node(level: number, index: number): Buffer
}

/** Root of the first `size` leaves. */
export function rootAt(size: number, reader: NodeReader): Buffer {
  checkSize(size)
  return foldRange(rangeHashes(size, reader))
}

/** From the leaf's sibling up to the root's child. Throws RangeError when the index is not in the tree. */
export function inclusionProof(index: number, size: number, reader: NodeReader): Buffer[] {
  checkSize(size)
  checkSize(index)
  if (index >= size) throw new RangeError(`no entry ${index} in a tree of ${size}`)
  const path: Buffer[] = []
  let [start, end] = [0, size]
  while (end - start > 1) {
    const middle = start + splitOf(end - start)
    if (index < middle) {
      path.push(rangeHash(middle, end, reader))
      end = middle
    } else {
      path.push(rangeHash(start, middle, reader))
      start = middle
    }
  }
  return path.reverse()
}

/** Empty when the sizes are equal or the smaller is 0. Throws RangeError when `from` is the larger. */
export function consistencyProof(from: number, to: number, reader: NodeReader): Buffer[] {
  checkSize(from)
  checkSize(to)
  if (from > to) throw new RangeError(`a tree of ${from} is not the beginning of one of ${to}`)
  if (from === 0) return []
  const proof: Buffer[] = []
  let [start, end] = [0, to]
  while (end !== from) {
    const middle = start + splitOf(end - start)
    if (from <= middle) {
      proof.push(rangeHash(middle, end, reader))
      end = middle
    } else {
      proof.push(rangeHash(start, middle, reader))
      start = middle
    }
  }
  if (start > 0) proof.push(rangeHash(start, end, reader))
  return proof.reverse()
}

/** The largest power of two below `count`, which is 2 or more. */
function splitOf(count: number): number {
  let split = 1
  while (split * 2 < count) split *= 2
  return split
}

/** MTH of the leaves from `start` up to below `end`, as the two recursions above part them: `start` fits every subtree in it. */
function rangeHash(start: number, end: number, reader: NodeReader): Buffer {
  const count = end - start
  const split = count === 1 ? 1 : splitOf(count)
  if (count === 1) return reader.node(0, start)
  if (split * 2 === count) return reader.node(Math.round(Math.log2(count)), start / count)
  return nodeHash(rangeHash(start, start + split, reader), rangeHash(start + split, end, reader))
}
