// Says whether a proof holds: the algorithms of RFC 9162, sections 2.1.3.2 and 2.1.4.2, for trees of RFC 6962. Whatever is not
// exactly right (a hash too many or too few, of another length, an index outside) is `false`; nothing here throws for a proof.
import { emptyRoot, hashBytes, nodeHash } from './hashes.ts'

export interface Inclusion {
  leaf: Buffer
  index: number
  size: number
  path: readonly Buffer[]
  root: Buffer
}

export interface Consistency {
  from: number
  to: number
  fromRoot: Buffer
  toRoot: Buffer
  proof: readonly Buffer[]
}

/** The proof of a tree of 2^53 leaves is not longer. */
const hashesMax = 64

export function verifyInclusion({ leaf, index, size, path, root }: Inclusion): boolean {
  if (!isSize(index) || !isSize(size) || index >= size || !areHashes([leaf, root, ...path])) return false
  let [place, last, hash] = [index, size - 1, leaf]
  for (const sibling of path) {
    if (last === 0) return false
    if (isOdd(place) || place === last) {
      hash = nodeHash(sibling, hash)
      while (!isOdd(place) && place !== 0) [place, last] = [half(place), half(last)]
    } else {
      hash = nodeHash(hash, sibling)
    }
    ;[place, last] = [half(place), half(last)]
  }
  return last === 0 && hash.equals(root)
}

export function verifyConsistency({ from, to, fromRoot, toRoot, proof }: Consistency): boolean {
  if (!isSize(from) || !isSize(to) || from > to || !areHashes([fromRoot, toRoot, ...proof])) return false
  if (from === 0 && !fromRoot.equals(emptyRoot)) return false
  if (from === to) return proof.length === 0 && fromRoot.equals(toRoot)
  if (from === 0) return proof.length === 0
  let [place, last] = [from - 1, to - 1]
  while (isOdd(place)) [place, last] = [half(place), half(last)]
  const isWhole = place === 0
  const [first, ...rest] = isWhole ? [fromRoot, ...proof] : proof
  if (first === undefined) return false
  let [fromHash, toHash] = [first, first]
  for (const sibling of rest) {
    if (last === 0) return false
    if (isOdd(place) || place === last) {
      fromHash = nodeHash(sibling, fromHash)
      toHash = nodeHash(sibling, toHash)
      while (!isOdd(place) && place !== 0) [place, last] = [half(place), half(last)]
    } else {
      toHash = nodeHash(toHash, sibling)
    }
    ;[place, last] = [half(place), half(last)]
  }
  return last === 0 && fromHash.equals(fromRoot) && toHash.equals(toRoot)
}

const isSize = (value: number): boolean => Number.isSafeInteger(value) && value >= 0
const isOdd = (value: number): boolean => value % 2 === 1
const half = (value: number): number => Math.floor(value / 2)
const areHashes = (hashes: readonly Buffer[]): boolean =>
  hashes.length <= hashesMax + 2 && hashes.every(({ length }) => length === hashBytes)
