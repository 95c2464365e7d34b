// RFC 6962's tree once more, written as the RFC writes it and with nothing of the product's: over lists of entries, by recursion.
// What the product computes is compared with this. And the ways in which a proof can be wrong, one after the other.
import { createHash } from 'node:crypto'
import { type Consistency, type Inclusion } from '#ledger/merkle/verification.ts'

const sha256 = (...parts: (Buffer | number[])[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(Buffer.from(part))
  return hash.digest()
}

/** 2.1: MTH(D[n]). */
export function naiveRoot(entries: readonly Buffer[]): Buffer {
  const [only] = entries
  if (only === undefined) return sha256()
  if (entries.length === 1) return sha256([0], only)
  const k = splitOf(entries.length)
  return sha256([1], naiveRoot(entries.slice(0, k)), naiveRoot(entries.slice(k)))
}

/** 2.1.1: PATH(m, D[n]). */
export function naivePath(m: number, entries: readonly Buffer[]): Buffer[] {
  if (entries.length === 1) return []
  const k = splitOf(entries.length)
  const [left, right] = [entries.slice(0, k), entries.slice(k)]
  return m < k ? [...naivePath(m, left), naiveRoot(right)] : [...naivePath(m - k, right), naiveRoot(left)]
}

/** 2.1.2: PROOF(m, D[n]), for 0 < m < n. */
export const naiveProof = (m: number, entries: readonly Buffer[]): Buffer[] => subproof(m, entries, true)

function subproof(m: number, entries: readonly Buffer[], isWhole: boolean): Buffer[] {
  if (m === entries.length) return isWhole ? [] : [naiveRoot(entries)]
  const k = splitOf(entries.length)
  const [left, right] = [entries.slice(0, k), entries.slice(k)]
  return m <= k
    ? [...subproof(m, left, isWhole), naiveRoot(right)]
    : [...subproof(m - k, right, false), naiveRoot(left)]
}

/**
 * On which side each hash of a path or proof goes. Trees of different sizes can have a path of one shape, and then one path proves
 * the entry in either: a size is bound by what signs it, not by the root.
 */
function shapeOfPath(m: number, n: number): string {
  if (!isIndexOf(m, n)) return 'none'
  if (n === 1) return ''
  const k = splitOf(n)
  return m < k ? `${shapeOfPath(m, k)}R` : `${shapeOfPath(m - k, n - k)}L`
}

function shapeOfProof(m: number, n: number, isWhole = true): string {
  if (m !== n && !isIndexOf(m, n)) return 'none'
  if (m === 0) return n === 0 ? 'empty' : 'anything'
  if (m === n) return isWhole ? '' : '.'
  const k = splitOf(n)
  return m <= k ? `${shapeOfProof(m, k, isWhole)}R` : `${shapeOfProof(m - k, n - k, false)}L`
}

const isIndexOf = (m: number, n: number): boolean =>
  Number.isSafeInteger(m) && Number.isSafeInteger(n) && m >= 0 && m < n

const splitOf = (n: number): number => {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

export const entriesOf = (count: number, seed = 'entry'): Buffer[] =>
  Array.from({ length: count }, (_, at) => Buffer.from(`${seed} ${at}`))

export function flipBit(hash: Buffer, bit: number): Buffer {
  const flipped = Buffer.from(hash)
  flipped[bit >> 3]! ^= 1 << (bit & 7)
  return flipped
}

type Wrong<T> = [what: string, wrong: T]
const stranger = sha256([9])
const short = Buffer.alloc(31)

/** Wrong lists of hashes made of right ones. */
function wrongHashes(hashes: readonly Buffer[], roots: readonly Buffer[]): Wrong<Buffer[]>[] {
  const each = hashes.flatMap((hash, at): Wrong<Buffer[]>[] => [
    ...[0, 7, 100, 255].map((bit): Wrong<Buffer[]> => [`bit ${bit} of ${at}`, hashes.with(at, flipBit(hash, bit))]),
    [`without ${at}`, hashes.toSpliced(at, 1)],
    [`${at} twice`, hashes.toSpliced(at, 0, hash)],
    [`a stranger before ${at}`, hashes.toSpliced(at, 0, stranger)],
    [`${at} cut`, hashes.with(at, short)],
    [`${at} longer`, hashes.with(at, Buffer.concat([hash, Buffer.of(0)]))],
    [`${at} swapped with the next`, swap([...hashes], at)],
  ])
  const ends = [...roots, stranger, Buffer.alloc(0), Buffer.alloc(32)].flatMap((hash, at): Wrong<Buffer[]>[] => [
    [`longer at the end by ${at}`, [...hashes, hash]],
    [`longer at the beginning by ${at}`, [hash, ...hashes]],
  ])
  const many: Wrong<Buffer[]> = ['a thousand more', [...hashes, ...Array.from({ length: 1000 }, () => stranger)]]
  const none: Wrong<Buffer[]>[] = hashes.length === 0 ? [] : [['no proof', []]]
  return [...each, ...ends, many, ...none].filter(([, wrong]) => !isSame(wrong, hashes))
}

const isSame = (a: readonly Buffer[], b: readonly Buffer[]): boolean =>
  a.length === b.length && a.every((hash, at) => hash.equals(b[at]!))

function swap(hashes: Buffer[], at: number): Buffer[] {
  const next = hashes[at + 1]
  return next === undefined ? hashes : hashes.with(at, next).with(at + 1, hashes[at]!)
}

const wrongNumbers = (right: number): number[] =>
  [right - 1, right + 1, right * 2, right ^ 1, right ^ 2, 0, -1, 0.5, Number.NaN, Infinity, 2 ** 53, 2 ** 52].filter(
    wrong => wrong !== right,
  )

const wrongRoots = (root: Buffer): Buffer[] => [
  stranger,
  flipBit(root, 0),
  flipBit(root, 255),
  Buffer.alloc(32),
  short,
  Buffer.alloc(0),
]

export function wrongInclusions(right: Inclusion): Wrong<Inclusion>[] {
  const { leaf, index, size, path, root } = right
  const numbers: Wrong<Inclusion>[] = [
    ...wrongNumbers(index).map((wrong): Wrong<Inclusion> => [`index ${wrong}`, { ...right, index: wrong }]),
    ...wrongNumbers(size).map((wrong): Wrong<Inclusion> => [`size ${wrong}`, { ...right, size: wrong }]),
  ]
  return [
    ...wrongHashes(path, [leaf, root]).map(([what, wrong]): Wrong<Inclusion> => [what, { ...right, path: wrong }]),
    ['a level more than the tree has', { ...right, path: [...path, stranger], root: sha256([1], stranger, root) }],
    ...numbers.filter(([, wrong]) => shapeOfPath(wrong.index, wrong.size) !== shapeOfPath(index, size)),
    ...wrongRoots(root).map((wrong): Wrong<Inclusion> => ['another root', { ...right, root: wrong }]),
    ...wrongRoots(leaf).map((wrong): Wrong<Inclusion> => ['another leaf', { ...right, leaf: wrong }]),
  ]
}

/** Not of the second root when the first tree is empty: of that everything is a continuation. */
export function wrongConsistencies(right: Consistency): Wrong<Consistency>[] {
  const { from, to, fromRoot, toRoot, proof } = right
  const numbers: Wrong<Consistency>[] = [
    ...wrongNumbers(from).map((wrong): Wrong<Consistency> => [`from ${wrong}`, { ...right, from: wrong }]),
    ...wrongNumbers(to).map((wrong): Wrong<Consistency> => [`to ${wrong}`, { ...right, to: wrong }]),
  ]
  const secondRoots = from === 0 ? [short, Buffer.alloc(0)] : wrongRoots(toRoot)
  const swapped: Wrong<Consistency>[] = fromRoot.equals(toRoot)
    ? []
    : [
        ['roots swapped', { ...right, fromRoot: toRoot, toRoot: fromRoot }],
        ['sizes swapped', { ...right, from: to, to: from }],
      ]
  return [
    ...wrongHashes(proof, [fromRoot, toRoot]).map(
      ([what, wrong]): Wrong<Consistency> => [what, { ...right, proof: wrong }],
    ),
    [
      'a level more than the trees have',
      {
        ...right,
        proof: [...proof, stranger],
        fromRoot: sha256([1], stranger, fromRoot),
        toRoot: sha256([1], stranger, toRoot),
      },
    ],
    ...numbers.filter(([, wrong]) => shapeOfProof(wrong.from, wrong.to) !== shapeOfProof(from, to)),
    ...wrongRoots(fromRoot).map((wrong): Wrong<Consistency> => ['another first root', { ...right, fromRoot: wrong }]),
    ...secondRoots.map((wrong): Wrong<Consistency> => ['another second root', { ...right, toRoot: wrong }]),
    ...swapped,
  ]
}
