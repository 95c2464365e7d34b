// A client's receiver of callbacks, as any client may write one: takes only what is signed with its own secret and fresh
// (Standard Webhooks 1.0), says 204 at once, and works later.
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { readJson } from '#contracts/strict-json.ts'
import { isSignedBy } from '#ledger/callbacks/signature.ts'
import { lookFor } from './demo-claims.ts'
import { memberOf } from './simulated-client.ts'

export interface Receiver {
  /** The body of the one that names this exchange; undefined: none came within so long. */
  received(exchangeId: string, withinMs: number): Promise<string | undefined>
  stop(): void
}

const bodyBytesMax = 16 * 1024
const ageMaxSeconds = 300
const keptMax = 1_000

/** Listens where the agreement says. Resolves with why not when it cannot. */
export function listenForCallbacks(url: URL, secret: string): Promise<Receiver | { why: string }> {
  const bodies: string[] = []
  const server = createServer(async (request, response) => {
    const body = await readBody(request).catch(() => undefined)
    const isTaken = body !== undefined && request.url === url.pathname && isOurs(request, body, secret)
    if (isTaken && bodies.length < keptMax) bodies.push(body)
    response.writeHead(isTaken ? 204 : 401, { connection: 'close' }).end()
  })
  return new Promise(resolve => {
    server.once('error', ({ code }: NodeJS.ErrnoException) => resolve({ why: code ?? 'error' }))
    server.listen(Number(url.port), url.hostname.replace(/^\[|\]$/g, ''), () => resolve(receiverOf(server, bodies)))
  })
}

const receiverOf = (server: Server, bodies: readonly string[]): Receiver => ({
  received: (exchangeId, withinMs) =>
    lookFor(
      async () => bodies.find(body => memberOf(memberOf(readJson(body), 'data'), 'exchangeId') === exchangeId),
      withinMs,
    ),
  stop: () => {
    server.close()
    server.closeAllConnections()
  },
})

function isOurs({ headers }: IncomingMessage, body: string, secret: string): boolean {
  const timestampSeconds = Number(headers['webhook-timestamp'])
  const message = { id: String(headers['webhook-id']), timestampSeconds, body }
  const isFresh = Math.abs(Date.now() / 1000 - timestampSeconds) <= ageMaxSeconds
  return isFresh && isSignedBy(message, String(headers['webhook-signature']), secret)
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request) {
    bytes += (part as Buffer).length
    if (bytes > bodyBytesMax) throw new RangeError('no callback is that long')
    parts.push(part as Buffer)
  }
  return Buffer.concat(parts).toString('utf8')
}
