// Opens the gateway's port with several listening sockets. libuv (1.45 and later) accepts one connection a socket in each turn of the
// event loop; with one socket a busy gateway lets in so few that new clients wait outside for seconds, where nothing sheds, counts or
// answers them (bench/README.md, Overload). What comes in at any socket is the one HTTP server's.
import { createServer, type Server } from 'node:net'
import { type FastifyInstance } from 'fastify'

/**
 * One for each that may come in at a turn, which under load takes a tenth of a second; one that nobody knocks at costs nothing. Where the
 * kernel cannot share a port's connections among sockets (SO_REUSEPORT) there is one.
 */
const socketCount = process.platform === 'linux' ? 256 : 1

export interface Listeners {
  port: number
  /** Lets nobody in any more. Resolves when all who are in have gone. */
  close(): Promise<void>
}

/** @param port 0: any free one. Rejects as `listen` does: EADDRINUSE, EACCES, EADDRNOTAVAIL. */
export async function openListeners(
  app: FastifyInstance,
  { host, port: wanted }: { host: string; port: number },
): Promise<Listeners> {
  const first = app.server
  const port = await claimPort(host, wanted)
  const others = Array.from({ length: socketCount - 1 }, () =>
    createServer({ allowHalfOpen: true, noDelay: true }, socket => first.emit('connection', socket)),
  )
  const place = { host, port, reusePort: socketCount > 1 }
  await app.listen(place)
  await Promise.all(others.map(server => listen(server, place)))
  return {
    port,
    async close() {
      await Promise.all([app.close(), ...others.map(close)])
    },
  }
}

/** Sockets that share a port would share another process's too: it must be nobody's before. */
async function claimPort(host: string, wanted: number): Promise<number> {
  const probe = createServer()
  const port = await listen(probe, { host, port: wanted })
  await close(probe)
  return port
}

function listen(server: Server, options: { host: string; port: number; reusePort?: boolean }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(address !== null && typeof address === 'object' ? address.port : options.port)
    })
  })
}

const close = (server: Server): Promise<void> => new Promise(resolve => server.close(() => resolve()))
