// The log as C2SP tlog-tiles, for programs that are not ours: below `/log` the newest signed checkpoint, the tree's hashes in tiles
// and the entries in bundles. Only what that checkpoint covers is there; tiles and bundles never change and may be kept for ever.
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { type FastifyInstance, type FastifyReply } from 'fastify'
import { bundledBytesMax, encodeBundle } from './merkle/entry-bundle.ts'
import { hashBytes } from './merkle/hashes.ts'
import { parseTilePath, type TilePlace } from './merkle/tile-path.ts'
import { tileHashes } from './merkle/tiles.ts'
import { type LedgerStore } from './store.ts'

export type TiledLog = Pick<LedgerStore, 'entries' | 'tile' | 'lastCheckpoint'>

/** What a client is given as the log's address, after the ledger's own. */
export const tiledLogPrefix = '/log'
const forEver = 'public, max-age=31536000, immutable'
/** Levels of the tree to a level of tiles. */
const tileLevels = 8
const compress = promisify(gzip)

/** What is stored does not reach as far as what was signed. */
class TileMissing extends Error {
  constructor(what: string) {
    super(`the store does not have ${what}, which its newest checkpoint covers`)
    this.name = 'TileMissing'
  }
}

export function tlogTileRoutes(app: FastifyInstance, log: TiledLog): void {
  const none = (reply: FastifyReply, error: string) => reply.code(404).send({ error })
  app.get(`${tiledLogPrefix}/checkpoint`, async (_, reply) => {
    const checkpoint = log.lastCheckpoint()
    if (checkpoint === undefined) return none(reply, 'no checkpoint yet')
    return reply.header('cache-control', 'no-cache').type('text/plain; charset=utf-8').send(checkpoint.note)
  })
  app.get<{ Params: { '*': string } }>(`${tiledLogPrefix}/tile/*`, async (request, reply) => {
    const place = parseTilePath(`tile/${request.params['*']}`)
    if (place === undefined) return none(reply, 'no path of a tile')
    if (!isCovered(place, log.lastCheckpoint()?.size ?? 0))
      return none(reply, 'the newest checkpoint does not cover that tile')
    if (place.level !== 'entries') return asTile(reply).send(readTile(log, place, place.level))
    const entries = readEntries(log, place)
    // A log of before the limit of an entry may hold one. It stays in exports; only this format cannot say it.
    if (entries.some(entry => Buffer.byteLength(entry) > bundledBytesMax))
      return none(reply, `an entry of that bundle is longer than ${bundledBytesMax} bytes`)
    return sendBundle(encodeBundle(entries), request.headers['accept-encoding'], reply)
  })
}

/** As many hashes as a tree of `size` has at that level, at least. */
function isCovered({ level, index, width }: TilePlace, size: number): boolean {
  const leavesEach = level === 'entries' ? 1 : tileHashes ** level
  return index * tileHashes + width <= Math.floor(size / leavesEach)
}

function readTile(log: TiledLog, { index, width }: TilePlace, level: number): Buffer {
  const bytes = log.tile(level * tileLevels, index)?.subarray(0, width * hashBytes)
  if (bytes?.length !== width * hashBytes) throw new TileMissing(`tile ${level}/${index}`)
  return bytes
}

function readEntries(log: TiledLog, { index, width }: TilePlace): string[] {
  const entries = log.entries(index * tileHashes, width)
  if (entries.length !== width) throw new TileMissing(`the entries of bundle ${index}`)
  return entries
}

const asTile = (reply: FastifyReply): FastifyReply =>
  reply.header('cache-control', forEver).type('application/octet-stream')

async function sendBundle(bundle: Buffer, accepted: string | undefined, reply: FastifyReply): Promise<FastifyReply> {
  asTile(reply).header('vary', 'accept-encoding')
  if (!takesGzip(accepted)) return reply.send(bundle)
  return reply.header('content-encoding', 'gzip').send(await compress(bundle))
}

/** RFC 9110, section 12.5.3, as far as gzip goes; `*` alone is not taken for it. */
const takesGzip = (accepted = ''): boolean =>
  accepted.split(',').some(coding => {
    const [name = '', ...parameters] = coding.split(';').map(part => part.trim().toLowerCase())
    return name === 'gzip' && !parameters.some(parameter => /^q=0(\.0*)?$/.test(parameter))
  })
