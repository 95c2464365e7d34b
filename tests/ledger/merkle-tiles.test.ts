// Tiles: what a writer hands over is enough to prove and to go on, whatever the size of the pieces in which the log grows.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CompactRange } from '#ledger/merkle/compact-range.ts'
import { hashBytes, leafHash } from '#ledger/merkle/hashes.ts'
import { consistencyProof, inclusionProof, rootAt } from '#ledger/merkle/proofs.ts'
import { TileReader, type TileSource, TileWriter, tileHashes } from '#ledger/merkle/tiles.ts'
import { verifyConsistency, verifyInclusion } from '#ledger/merkle/verification.ts'

const leafOf = (index: number): Buffer => leafHash(`entry ${index}`)

class TileStore {
  readonly tiles = new Map<string, Buffer>()
  readonly source: TileSource = (level, index) => {
    const bytes = this.tiles.get(`${level}/${index}`)
    if (bytes === undefined) throw new Error(`no tile ${level}/${index}`)
    return bytes
  }

  keep(writer: TileWriter): void {
    for (const { level, index, bytes } of writer.take()) {
      const before = this.tiles.get(`${level}/${index}`)
      if (before !== undefined) expect(bytes.subarray(0, before.length)).toEqual(before)
      this.tiles.set(`${level}/${index}`, bytes)
    }
  }
}

function grow(store: TileStore, from: number, to: number): TileWriter {
  const writer = new TileWriter(from, store.source)
  for (let index = from; index < to; index++) writer.append(leafOf(index))
  store.keep(writer)
  return writer
}

describe('tiles', () => {
  const size = 70_000
  const store = new TileStore()
  const nodes = new Map<string, Buffer>()
  const range = new CompactRange()
  for (let index = 0; index < size; index++)
    range.append(leafOf(index), (level, at, hash) => nodes.set(`${level}/${at}`, hash))
  grow(store, 0, size)

  test('hold levels 0, 8 and 16, full but for the last', () => {
    expect([...store.tiles.keys()].filter(name => name.startsWith('8/'))).toEqual(['8/0', '8/1'])
    expect(store.tiles.get('0/0')?.length).toBe(tileHashes * hashBytes)
    expect(store.tiles.get(`0/${Math.floor(size / 256)}`)?.length).toBe((size % 256) * hashBytes)
    expect(store.tiles.get('16/0')).toEqual(nodes.get('16/0'))
    expect(store.tiles.size).toBe(Math.ceil(size / 256) + 2 + 1)
  })

  test('give every node that is complete, and no other', () => {
    const reader = new TileReader(store.source)
    for (const [name, hash] of nodes) {
      const [level = 0, index = 0] = name.split('/').map(Number)
      if (level >= 5 || index % 97 === 0) expect(reader.node(level, index)).toEqual(hash)
    }
    for (let level = 0; level <= 16; level++) expect(() => reader.node(level, Math.floor(size / 2 ** level))).toThrow()
  })

  test('prove entries and growth', () => {
    const reader = new TileReader(store.source)
    for (const at of [1, 2, 255, 256, 257, 65_535, 65_536, 65_537, size]) {
      const root = rootAt(at, reader)
      const path = inclusionProof(at - 1, at, reader)
      expect(verifyInclusion({ leaf: leafOf(at - 1), index: at - 1, size: at, path, root })).toBe(true)
      const proof = consistencyProof(at, size, reader)
      expect(verifyConsistency({ from: at, to: size, fromRoot: root, toRoot: range.root(), proof })).toBe(true)
    }
  })
})

test('a writer restored after every piece writes the same tiles as one that was never stopped', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 12 }), pieces => {
      const [piecewise, atOnce] = [new TileStore(), new TileStore()]
      let size = 0
      for (const piece of pieces) {
        const writer = grow(piecewise, size, size + piece)
        size += piece
        expect(writer.size).toBe(size)
      }
      const writer = grow(atOnce, 0, size)
      expect(piecewise.tiles).toEqual(atOnce.tiles)
      expect(writer.root()).toEqual(rootAt(size, new TileReader(piecewise.source)))
    }),
    { numRuns: 40 },
  )
})

test('what was taken is not given again, and does not change afterwards', () => {
  const writer = new TileWriter()
  writer.append(leafOf(0))
  const [first] = writer.take()
  expect(writer.take()).toEqual([])
  writer.append(leafOf(1))
  expect(first).toEqual({ level: 0, index: 0, bytes: leafOf(0) })
  expect(writer.take()).toEqual([{ level: 0, index: 0, bytes: Buffer.concat([leafOf(0), leafOf(1)]) }])
})

test('a writer is not restored from tiles of another size', () => {
  const store = new TileStore()
  grow(store, 0, 300)
  expect(() => new TileWriter(301, store.source)).toThrow(RangeError)
  expect(() => new TileWriter(299, store.source)).toThrow(RangeError)
  expect(() => new TileWriter(1)).toThrow(RangeError)
  expect(new TileWriter(300, store.source).size).toBe(300)
})
