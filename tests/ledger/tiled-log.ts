// A log of any size in memory, with its tiles as the ledger's store keeps them and a signed head; served over HTTP as tlog-tiles.
// And a proxy that alters what comes through it, for clients that must find that out.
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import fastify from 'fastify'
import { leafHash } from '#ledger/merkle/hashes.ts'
import { TileWriter } from '#ledger/merkle/tiles.ts'
import { signCheckpoint } from '#ledger/notes/checkpoint.ts'
import { type SignerKey } from '#ledger/notes/keys.ts'
import { type StoredCheckpoint } from '#ledger/store.ts'
import { type TiledLog, tlogTileRoutes } from '#ledger/tlog-tiles.ts'

export class MemoryLog implements TiledLog {
  readonly list: string[] = []
  readonly #key: SignerKey
  readonly #writer = new TileWriter()
  readonly #tiles = new Map<string, Buffer>()
  #checkpoint: StoredCheckpoint | undefined

  constructor(key: SignerKey) {
    this.#key = key
  }

  add(count: number, entryOf = (index: number): string => `{"entry":${index},"title":"hồ sơ"}`): void {
    for (let index = this.list.length, end = index + count; index < end; index++) {
      const entry = entryOf(index)
      this.list.push(entry)
      this.#writer.append(leafHash(entry))
    }
    for (const { level, index, bytes } of this.#writer.take()) this.#tiles.set(`${level}/${index}`, bytes)
  }

  /** Signs the present head. */
  seal(): string {
    const origin = this.#key.verifier.name
    const size = this.list.length
    const note = signCheckpoint({ origin, size, root: this.root() }, this.#key)
    this.#checkpoint = { size, atMs: 0, note }
    return note
  }

  root(): Buffer {
    return this.#writer.root()
  }

  entries(from: number, max: number): string[] {
    return this.list.slice(from, from + max)
  }

  tile(level: number, index: number): Buffer | undefined {
    return this.#tiles.get(`${level}/${index}`)
  }

  lastCheckpoint(): StoredCheckpoint | undefined {
    return this.#checkpoint
  }
}

export interface Served {
  /** What a client takes for the log's address. */
  prefix: string
  stop(): Promise<void>
}

export async function serveTiles(log: TiledLog): Promise<Served> {
  const app = fastify()
  tlogTileRoutes(app, log)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { prefix: `${url}/log`, stop: () => app.close() }
}

/** Everything as it is but for what `alter` changes; it gets what the path holds, unpacked, and may change it in place. */
export async function serveAltered(prefix: string, alter: (path: string, body: Buffer) => Buffer): Promise<Served> {
  const server: Server = createServer(async (request, response) => {
    const path = request.url ?? ''
    const answer = await fetch(`${prefix}${path}`, { headers: { 'accept-encoding': 'identity' } })
    const body = Buffer.from(await answer.arrayBuffer())
    response.writeHead(answer.status).end(answer.ok ? alter(path.slice(1), body) : body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    prefix: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
