// The HTTP server below Fastify, and the first that a question meets: with more to do than the gateway can, it is shed here, for
// about half of what Fastify's way to the same answer costs. Three times what can be answered still leaves time to answer
// (bench/README.md, Overload).
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { ExchangeError } from '#contracts/errors.ts'
import { makeExchangeId } from './plugins/correlation.ts'
import { type PressureOptions } from './plugins/pressure.ts'
import { toProblem } from './problem.ts'

const headerBytesMax = 16_384
const headersMax = 64
const timeouts = { requestTimeout: 10_000, keepAliveTimeout: 30_000 }
const silenceMs = 70_000

export function createDoor(handler: RequestListener, { overload, isStopping }: PressureOptions): Server {
  const server = createServer({ maxHeaderSize: headerBytesMax, ...timeouts }, (request, response) => {
    if (overload.isNow && isQuestion(request) && !isStopping()) shed(response, overload.shed())
    else handler(request, response)
  })
  server.maxHeadersCount = headersMax
  server.setTimeout(silenceMs)
  return server
}

const overloaded = toProblem(new ExchangeError('NDX_GATEWAY_OVERLOADED'), makeExchangeId())
const [beforeId, afterId] = JSON.stringify(overloaded).split(overloaded.exchangeId) as [string, string]
const bytes = String(Buffer.byteLength(JSON.stringify(overloaded)))

const isQuestion = ({ method, url }: IncomingMessage): boolean =>
  method === 'POST' && url !== undefined && url.startsWith('/v1/services/')

/** As every other problem is answered (gateway/plugins/problems.ts); all but its id was written once. */
function shed(response: ServerResponse, retryAfterSeconds: number): void {
  const exchangeId = makeExchangeId()
  response.writeHead(overloaded.status, [
    'exchange-id',
    exchangeId,
    'retry-after',
    String(retryAfterSeconds),
    'cache-control',
    'no-store',
    'content-type',
    'application/problem+json; charset=utf-8',
    'content-length',
    bytes,
  ])
  response.end(beforeId + exchangeId + afterId)
}
