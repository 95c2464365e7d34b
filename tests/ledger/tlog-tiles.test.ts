// The log as C2SP tlog-tiles: its paths, its bytes and its headers, and a reader with nothing of the product's that fetches all of
// it and computes the signed root again.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeBundle } from '#ledger/merkle/entry-bundle.ts'
import { formatTilePath, parseTilePath } from '#ledger/merkle/tile-path.ts'
import { makeNoteKey } from '#ledger/notes/keys.ts'
import { until } from '#tests/bus/until.ts'
import { startWorld } from '#tests/world.ts'
import { naiveRoot } from './merkle-naive.ts'
import { MemoryLog, type Served, serveTiles } from './tiled-log.ts'

const folder = mkdtempSync(join(tmpdir(), 'ndx-tiles-'))
afterAll(() => rmSync(folder, { recursive: true }))
const key = makeNoteKey(join(folder, 'log'), 'log.example')

describe('a path', () => {
  test.each([
    ['tile/0/000', { level: 0, index: 0, width: 256 }],
    ['tile/0/x001/x234/067', { level: 0, index: 1_234_067, width: 256 }],
    ['tile/1/x001/000.p/17', { level: 1, index: 1000, width: 17 }],
    ['tile/63/255.p/255', { level: 63, index: 255, width: 255 }],
    ['tile/entries/273.p/112', { level: 'entries', index: 273, width: 112 }],
    ['tile/0/x009/x007/x199/x254/x740/991', { level: 0, index: Number.MAX_SAFE_INTEGER, width: 256 }],
  ] as const)('%s is one tile’s', (path, place) => {
    expect(parseTilePath(path)).toEqual(place)
    expect(formatTilePath(place)).toBe(path)
  })

  test.each([
    '',
    'tile/0',
    'tile/0/',
    'tile/0/0',
    'tile/0/0000',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/data/000',
    'tile/0/x000/001',
    'tile/0/x001/x002',
    'tile/0/001/002',
    'tile/0/000.p/0',
    'tile/0/000.p/01',
    'tile/0/000.p/256',
    'tile/0/000.p/999',
    'tile/0/000.p/',
    'tile/0/000.p/5/',
    'tile/0/000\n',
    '/tile/0/000',
    'tile/0/x009/x007/x199/x254/x740/992',
    'tile/0/x001/x000/x000/x000/x000/x000/000',
  ])('%j is none', path => {
    expect(parseTilePath(path)).toBeUndefined()
  })

  test('is read back as it was written, whatever the place', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 256 }), fc.integer({ min: -1, max: 63 }), (n, w, l) => {
        const place = { level: l === -1 ? ('entries' as const) : l, index: n, width: w }
        expect(parseTilePath(formatTilePath(place))).toEqual(place)
      }),
    )
  })

  test('of any text is a place or none', () => {
    const piece = fc.constantFrom('tile', '/', 'entries', 'x', '0', '001', '.p/', '9', '255', 'é', '%2f', ' ')
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map(pieces => pieces.join('')),
        ),
        text => {
          const place = parseTilePath(text)
          if (place !== undefined) expect(formatTilePath(place)).toBe(text)
        },
      ),
    )
  })
})

describe('a bundle', () => {
  test('is lengths and bytes by turns', () => {
    expect(encodeBundle([])).toEqual(Buffer.alloc(0))
    expect(encodeBundle(['a', '', 'hồ'])).toEqual(Buffer.from([0, 1, 0x61, 0, 0, 0, 4, 0x68, 0xe1, 0xbb, 0x93]))
  })

  test('holds an entry of 65,535 bytes and none of one more', () => {
    const bundle = encodeBundle(['x'.repeat(65_535)])
    expect([bundle.length, bundle.readUInt16BE(0)]).toEqual([65_537, 65_535])
    expect(() => encodeBundle(['', `${'x'.repeat(65_533)}ồ`])).toThrow(RangeError)
  })
})

let log: MemoryLog
let served: Served
beforeEach(async () => {
  log = new MemoryLog(key)
  served = await serveTiles(log)
})
afterEach(() => served.stop())

const get = (path: string, encoding = 'identity') =>
  fetch(`${served.prefix}/${path}`, { headers: { 'accept-encoding': encoding } })
const statusOf = async (path: string): Promise<number> => (await get(path)).status

describe('the checkpoint', () => {
  test('is the newest, as text that nobody keeps', async () => {
    expect(await statusOf('checkpoint')).toBe(404)
    log.add(3)
    const note = log.seal()
    log.add(3)
    const response = await get('checkpoint')
    expect(await response.text()).toBe(note)
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('no-cache')
  })
})

describe('a tile', () => {
  test('may be kept for ever, and is bytes', async () => {
    log.add(256)
    log.seal()
    for (const path of ['tile/0/000', 'tile/1/000.p/1', 'tile/entries/000', 'tile/entries/000.p/9']) {
      const response = await get(path)
      expect(response.headers.get('content-type')).toBe('application/octet-stream')
      expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
      await response.arrayBuffer()
    }
  })

  test('is there when the newest checkpoint covers it, whatever the log has grown to', async () => {
    expect(await statusOf('tile/0/000.p/1')).toBe(404)
    log.add(300)
    expect(await statusOf('tile/0/000.p/1')).toBe(404)
    log.seal()
    log.add(300)
    const there = ['tile/0/000', 'tile/0/000.p/255', 'tile/0/001.p/44', 'tile/0/001.p/1', 'tile/1/000.p/1']
    const notThere = ['tile/0/001.p/45', 'tile/0/001', 'tile/0/002', 'tile/1/000', 'tile/1/000.p/2', 'tile/2/000.p/1']
    for (const path of there) expect([path, await statusOf(path)]).toEqual([path, 200])
    for (const path of notThere) expect([path, await statusOf(path)]).toEqual([path, 404])
    expect(await statusOf('tile/entries/001.p/44')).toBe(200)
    expect(await statusOf('tile/entries/001.p/45')).toBe(404)
    for (const level of [7, 8, 63]) expect(await statusOf(`tile/${level}/000.p/1`)).toBe(404)
  })

  test('of a path that is none is not found, and that is not kept', async () => {
    for (const path of ['tile/', 'tile/0/0', 'tile/entries', 'tile/0/..%2f000', 'tile/x/000', 'tile/0/000.p/256'])
      expect([path, await statusOf(path)]).toEqual([path, 404])
  })

  test('that the store has lost is a fault and not a shorter tile', async () => {
    log.add(300)
    log.seal()
    log.list.pop()
    expect(await statusOf('tile/entries/001.p/44')).toBe(500)
  })

  test('of an entry that is too long for the format is said to be that', async () => {
    log.add(1, () => 'x'.repeat(65_536))
    log.seal()
    const response = await get('tile/entries/000.p/1')
    expect([response.status, await response.json()]).toEqual([
      404,
      { error: 'an entry of that bundle is longer than 65535 bytes' },
    ])
    expect(await statusOf('tile/0/000.p/1')).toBe(200)
  })

  test('of entries is compressed for whoever takes that', async () => {
    log.add(256)
    log.seal()
    const plain = encodeBundle(log.list)
    for (const [accepted, coding] of [
      ['gzip', 'gzip'],
      ['br, GZIP;q=0.5', 'gzip'],
      ['identity', null],
      ['gzip;q=0, identity', null],
      ['br', null],
    ] as const) {
      const response = await get('tile/entries/000', accepted)
      expect([accepted, response.headers.get('content-encoding'), response.headers.get('vary')]).toEqual([
        accepted,
        coding,
        'accept-encoding',
      ])
      expect(Buffer.from(await response.arrayBuffer())).toEqual(plain) // fetch unpacks
    }
    expect(gunzipSync(await rawOf('tile/entries/000'))).toEqual(plain)
  })
})

/** Without the unpacking that fetch does. */
const rawOf = (path: string): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const asked = request(`${served.prefix}/${path}`, { headers: { 'accept-encoding': 'gzip' } }, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks)))
    })
    asked.on('error', reject).end()
  })

const sha256 = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()

/** As the specification writes paths. */
const pathOf = (what: string, n: number, width: number): string => {
  const groups = String(n).padStart(9, '0').match(/.../g) as string[]
  const first = groups.findIndex(group => group !== '000')
  const shown = groups.slice(first === -1 ? 2 : first)
  const number = shown.map((group, at) => (at === shown.length - 1 ? group : `x${group}`)).join('/')
  return `tile/${what}/${number}${width === 256 ? '' : `.p/${width}`}`
}

const bytesOf = async (path: string): Promise<Buffer> => {
  const response = await get(path)
  expect([path, response.status]).toEqual([path, 200])
  return Buffer.from(await response.arrayBuffer())
}

/** All tiles of a level: full ones and the one at the edge. */
async function readLevel(what: string, count: number): Promise<Buffer[]> {
  const tiles: Buffer[] = []
  for (let n = 0; n * 256 < count; n++) tiles.push(await bytesOf(pathOf(what, n, Math.min(256, count - n * 256))))
  return tiles
}

function entriesOf(bundle: Buffer): Buffer[] {
  const entries: Buffer[] = []
  for (let at = 0; at < bundle.length; ) {
    const length = bundle.readUInt16BE(at)
    entries.push(bundle.subarray(at + 2, at + 2 + length))
    at += 2 + length
  }
  return entries
}

describe('a reader of its own', () => {
  test.each([1, 2, 255, 256, 257, 511, 512, 1000])('gets all of a log of %i, and its root', async size => {
    log.add(size)
    const [, sizeText, root] = log.seal().split('\n')
    const bundles = await readLevel('entries', Number(sizeText))
    const entries = bundles.flatMap(entriesOf)
    expect(entries.map(String)).toEqual(log.list)
    expect(naiveRoot(entries).toString('base64')).toBe(root)
    const leaves = Buffer.concat(await readLevel('0', size))
    expect(leaves).toEqual(Buffer.concat(entries.map(entry => sha256(Buffer.of(0), entry))))
    const above = Math.floor(size / 256)
    const tops = Buffer.concat(await readLevel('1', above))
    for (let n = 0; n < above; n++)
      expect(tops.subarray(32 * n, 32 * n + 32)).toEqual(naiveRoot(entries.slice(256 * n, 256 * n + 256)))
  })

  test('finds the tiles that the specification names for 70,000 entries', async () => {
    log.add(70_000)
    log.seal()
    for (const [what, n, width, bytes] of [
      ['0', 272, 256, 8192],
      ['0', 273, 112, 112 * 32],
      ['1', 0, 256, 8192],
      ['1', 1, 17, 17 * 32],
      ['2', 0, 1, 32],
    ] as const)
      expect(await bytesOf(pathOf(what, n, width))).toHaveLength(bytes)
    for (const path of ['tile/0/273', 'tile/0/274.p/1', 'tile/1/001', 'tile/2/000', 'tile/3/000.p/1'])
      expect(await statusOf(path)).toBe(404)
  })
})

test('a ledger serves its own log so', async () => {
  const world = await startWorld({ ledger: true })
  try {
    const store = world.ledger?.store
    await world.ask('population/identity-verification')
    await until('a head is signed', () => (store?.lastCheckpoint()?.size ?? 0) > 0)
    const size = store?.lastCheckpoint()?.size ?? 0
    const [head, bundle, beyond] = await Promise.all(
      ['checkpoint', `tile/entries/000.p/${size}`, 'tile/entries/000'].map(path =>
        fetch(`${world.ledger?.url}/log/${path}`),
      ),
    )
    expect((await head?.text())?.split('\n')[0]).toBe('ndx.example/ledger')
    expect(Buffer.from(await (bundle as Response).arrayBuffer())).toEqual(encodeBundle(store?.entries(0, size) ?? []))
    expect([head, bundle, beyond].map(response => response?.headers.get('cache-control'))).toEqual([
      'no-cache',
      'public, max-age=31536000, immutable',
      'no-store',
    ])
  } finally {
    await world.stop()
  }
})
