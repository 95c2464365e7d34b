// The tree against RFC 6962: known roots, an implementation of its own in the RFC's words, every pair of sizes up to 256, proofs
// that are wrong in every way, and trees of any shape.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CompactRange, rangeHashes, subtreesOf } from '#ledger/merkle/compact-range.ts'
import { emptyRoot, leafHash, nodeHash } from '#ledger/merkle/hashes.ts'
import { consistencyProof, inclusionProof, type NodeReader, rootAt } from '#ledger/merkle/proofs.ts'
import { verifyConsistency, verifyInclusion } from '#ledger/merkle/verification.ts'
import { entriesOf, naivePath, naiveProof, naiveRoot, wrongConsistencies, wrongInclusions } from './merkle-naive.ts'

/** A tree with all its nodes in memory, and its root at every size. */
function treeOf(entries: readonly Buffer[]) {
  const nodes = new Map<string, Buffer>()
  const range = new CompactRange()
  const roots = [range.root()]
  for (const entry of entries) {
    range.append(leafHash(entry.toString('utf8')), (level, index, hash) => nodes.set(`${level}/${index}`, hash))
    roots.push(range.root())
  }
  const reader: NodeReader = {
    node: (level, index) => {
      const hash = nodes.get(`${level}/${index}`)
      if (hash === undefined) throw new Error(`asked for a node that is not complete: ${level}/${index}`)
      return hash
    },
  }
  return { nodes, range, roots, reader, leaf: (index: number) => reader.node(0, index) }
}

const hex = (hashes: readonly Buffer[]): string[] => hashes.map(hash => hash.toString('hex'))

describe('known answers', () => {
  test('the empty tree, the empty leaf', () => {
    expect(emptyRoot.toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(leafHash('').toString('hex')).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d')
  })

  test('the eight entries that implementations of RFC 6962 share', () => {
    const entries = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
    const { roots } = treeOf(entries.map(text => Buffer.from(text, 'hex')))
    expect(hex(roots.slice(1))).toEqual([
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ])
  })

  test('a leaf is no node of two children, and no hash of another length is hashed', () => {
    const [a, b] = [leafHash('a'), leafHash('b')]
    expect(leafHash(Buffer.concat([a, b]).toString('latin1'))).not.toEqual(nodeHash(a, b))
    expect(() => nodeHash(a, b.subarray(1))).toThrow(RangeError)
    expect(leafHash('hồ sơ')).toEqual(naiveRoot([Buffer.from('hồ sơ', 'utf8')]))
  })
})

describe('every size up to 256', () => {
  const sizes = 256
  const entries = entriesOf(sizes)
  const { range, roots, reader, leaf } = treeOf(entries)

  test('has the root that the RFC’s recursion gives', () => {
    for (let size = 0; size <= sizes; size++) {
      const naive = naiveRoot(entries.slice(0, size))
      expect(roots[size]).toEqual(naive)
      expect(rootAt(size, reader)).toEqual(naive)
    }
    expect(range.size).toBe(sizes)
  })

  test('proves every entry, with the RFC’s path', () => {
    for (let size = 1; size <= sizes; size++) {
      for (let index = 0; index < size; index++) {
        const path = inclusionProof(index, size, reader)
        const isRight = verifyInclusion({ leaf: leaf(index), index, size, path, root: roots[size]! })
        if (!isRight) expect.fail(`entry ${index} of ${size}`)
        if (size % 37 === 0) expect(path).toEqual(naivePath(index, entries.slice(0, size)))
      }
    }
  })

  test('is proven to continue every smaller one, with the RFC’s proof', () => {
    for (let to = 0; to <= sizes; to++) {
      for (let from = 0; from <= to; from++) {
        const proof = consistencyProof(from, to, reader)
        const isRight = verifyConsistency({ from, to, fromRoot: roots[from]!, toRoot: roots[to]!, proof })
        if (!isRight) expect.fail(`${from} to ${to}`)
        if (to % 37 === 0 && from > 0 && from < to) expect(proof).toEqual(naiveProof(from, entries.slice(0, to)))
      }
    }
  })

  test('is not proven to continue one of another root', () => {
    const other = treeOf(entriesOf(sizes, 'other'))
    for (let to = 1; to <= sizes; to += 3) {
      for (let from = 1; from <= to; from += 5) {
        const proof = consistencyProof(from, to, reader)
        const claim = { from, to, fromRoot: other.roots[from]!, toRoot: roots[to]!, proof }
        if (verifyConsistency(claim)) expect.fail(`${from} to ${to}`)
      }
    }
  })
})

describe('wrong proofs', () => {
  const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 127, 129]
  const { roots, reader, leaf } = treeOf(entriesOf(129))

  test('of inclusion are refused, in every way that one can be wrong', () => {
    let refused = 0
    for (const size of sizes) {
      for (const index of new Set([0, 1, 2, size >> 1, size - 2, size - 1].filter(at => at >= 0 && at < size))) {
        const right = { leaf: leaf(index), index, size, path: inclusionProof(index, size, reader), root: roots[size]! }
        expect(verifyInclusion(right)).toBe(true)
        for (const [what, wrong] of wrongInclusions(right)) {
          if (verifyInclusion(wrong)) expect.fail(`${what} of entry ${index} of ${size}`)
          refused++
        }
      }
    }
    expect(refused).toBeGreaterThan(3000)
  })

  test('of consistency are refused, in every way that one can be wrong', () => {
    let refused = 0
    for (const to of sizes) {
      for (const from of new Set([0, 1, 2, 3, to >> 1, to - 1, to].filter(size => size >= 0 && size <= to))) {
        const proof = consistencyProof(from, to, reader)
        const right = { from, to, fromRoot: roots[from]!, toRoot: roots[to]!, proof }
        expect(verifyConsistency(right)).toBe(true)
        for (const [what, wrong] of wrongConsistencies(right)) {
          if (verifyConsistency(wrong)) expect.fail(`${what} of ${from} to ${to}`)
          refused++
        }
      }
    }
    expect(refused).toBeGreaterThan(3000)
  })

  test('of what is not there are not made', () => {
    expect(() => inclusionProof(3, 3, reader)).toThrow(RangeError)
    expect(() => inclusionProof(-1, 3, reader)).toThrow(RangeError)
    expect(() => inclusionProof(0.5, 3, reader)).toThrow(RangeError)
    expect(() => consistencyProof(4, 3, reader)).toThrow(RangeError)
    expect(() => rootAt(-1, reader)).toThrow(RangeError)
  })
})

describe('any tree', () => {
  const entry = fc.string({ unit: 'binary', maxLength: 20 })

  test('is restored from its compact range and goes on as if nothing had been', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 70 }), fc.array(entry, { maxLength: 70 }), (before, after) => {
        const whole = treeOf([...before, ...after].map(text => Buffer.from(text)))
        const restored = new CompactRange(before.length, rangeHashes(before.length, whole.reader))
        for (const text of after) restored.append(leafHash(text))
        expect(restored.root()).toEqual(naiveRoot([...before, ...after].map(text => Buffer.from(text))))
        expect(restored.hashes).toEqual(whole.range.hashes)
      }),
      { numRuns: 60 },
    )
  })

  test('proves what is in it, at the size it had, and nothing else', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { minLength: 1, maxLength: 300 }),
        fc.nat(),
        fc.nat(),
        entry,
        (texts, a, b, other) => {
          const { roots, reader } = treeOf(texts.map(text => Buffer.from(text)))
          const size = 1 + (a % texts.length)
          const index = b % size
          const claim = { index, size, path: inclusionProof(index, size, reader), root: roots[size]! }
          expect(verifyInclusion({ ...claim, leaf: leafHash(texts[index]!) })).toBe(true)
          expect(verifyInclusion({ ...claim, leaf: leafHash(other) })).toBe(other === texts[index])
        },
      ),
      { numRuns: 60 },
    )
  })

  test('of any size splits into subtrees of falling size', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), size => {
        const leaves = subtreesOf(size).map(({ level }) => 2 ** level)
        expect(leaves.reduce((sum, count) => sum + count, 0)).toBe(size)
        expect(leaves.every((count, at) => at === 0 || count < leaves[at - 1]!)).toBe(true)
      }),
    )
  })

  test('of thousands of millions of leaves is proven like a small one', () => {
    const size = 2 ** 40 + 3
    const reader: NodeReader = { node: (level, index) => leafHash(`${level}/${index}`) }
    const index = size - 1
    const path = inclusionProof(index, size, reader)
    const claim = { leaf: reader.node(0, index), index, size, path, root: rootAt(size, reader) }
    expect(verifyInclusion(claim)).toBe(true)
    expect(verifyInclusion({ ...claim, index: index - 2 ** 32 })).toBe(false)
  })

  test('is not restored from hashes that are too few, too many or no hashes', () => {
    const hash = leafHash('x')
    expect(() => new CompactRange(3, [hash])).toThrow(RangeError)
    expect(() => new CompactRange(2, [hash, hash])).toThrow(RangeError)
    expect(() => new CompactRange(1, [hash.subarray(1)])).toThrow(RangeError)
    expect(() => new CompactRange(-1)).toThrow(RangeError)
    expect(() => new CompactRange().append(hash.subarray(1))).toThrow(RangeError)
  })
})
