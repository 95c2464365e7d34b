// The ledger over HTTP, for gateways, operators and auditors of the inner network: how an exchange stands, proofs, exports, whether
// the books balance. It holds pseudonyms and no data, and has no authentication: it never listens on a public address.
import { Readable } from 'node:stream'
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { type ExchangeId } from '#bus/message.ts'
import { type ExchangeStatus } from '#contracts/exchange-status.ts'
import { type CallbackSender } from './callbacks/sender.ts'
import { type ExchangeView } from './exchange-view.ts'
import { nodesOf } from './log-appender.ts'
import { consistencyProof } from './merkle/proofs.ts'
import { type LedgerMetrics } from './metrics.ts'
import { writeExport } from './proof/export.ts'
import { writeReceipt } from './proof/receipt.ts'
import { reconcile } from './reconciliation.ts'
import { statusOf, type Watchers } from './status.ts'
import { type LedgerStore } from './store.ts'
import { tellStory } from './story.ts'

export interface LedgerApiParts {
  store: LedgerStore
  origin: string
  road: string
  watchers: Watchers
  metrics: LedgerMetrics
  callbacks: CallbackSender
  caughtUpMs(): number
  isReady(): boolean
}

const waitMsMax = 30_000
const givenUpMax = 1_000
const checkpointsAtOnce = 500
const entriesAtOnce = 500
const exchangeIdForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export function buildLedgerApi(parts: LedgerApiParts): FastifyInstance {
  const app = fastify({ logger: false, requestTimeout: 10_000, keepAliveTimeout: 60_000, forceCloseConnections: true })
  app.addHook('onSend', async (_, reply) => void reply.header('cache-control', 'no-store'))
  // What went wrong inside is the log's; a caller of the inner network learns that it did.
  app.setErrorHandler((error: { statusCode?: number }, _, reply) => {
    const status = error.statusCode !== undefined && error.statusCode < 500 ? error.statusCode : 503
    reply.code(status).send({ error: status === 503 ? 'not available' : 'not a question' })
  })
  statusRoutes(app, parts)
  auditRoutes(app, parts)
  callbackRoutes(app, parts)
  app.get('/metrics', async (_, reply) => reply.type(parts.metrics.contentType).send(await parts.metrics.render()))
  app.get('/health/live', async () => ({ status: 'live' }))
  app.get('/health/ready', async (_, reply) => reply.code(parts.isReady() ? 200 : 503).send({ ready: parts.isReady() }))
  return app
}

function statusRoutes(app: FastifyInstance, { store, road, watchers, caughtUpMs }: LedgerApiParts): void {
  const unknown = (reply: FastifyReply) => reply.code(404).send({ caughtUpMs: caughtUpMs() })
  const read = (exchange: string): ExchangeStatus | undefined => {
    const view = store.view(exchange)
    return view === undefined ? undefined : statusOf(view, road)
  }
  app.get('/v1/position', async () => ({ caughtUpMs: caughtUpMs() }))
  /** Waits for as long as nothing is final, with `until=deferred` also as long as it is not deferred. */
  app.get<{ Params: { exchange: string }; Querystring: { waitMs?: string; until?: string } }>(
    '/v1/exchanges/:exchange',
    async (request, reply) => {
      const { exchange } = request.params
      const untilMs = performance.now() + waitOf(request.query.waitMs)
      const isDeferralNews = request.query.until === 'deferred'
      let status = read(exchange)
      while (isOpen(status) && !(isDeferralNews && status?.isDeferred)) {
        const leftMs = untilMs - performance.now()
        if (leftMs <= 0) break
        await watchers.changed(exchange, leftMs)
        status = read(exchange)
      }
      return status ?? unknown(reply)
    },
  )
  app.get<{ Params: { client: string; provider: string; service: string; digest: string } }>(
    '/v1/keys/:client/:provider/:service/:digest',
    async ({ params: { client, provider, service, digest } }, reply) => {
      const view = store.viewByKey(`${client}/${provider}/${service}/${digest}`)
      return (view === undefined ? undefined : statusOf(view, road)) ?? unknown(reply)
    },
  )
}

const isOpen = (status: ExchangeStatus | undefined): boolean => status === undefined || status.state === 'accepted'

function waitOf(text = '0'): number {
  const waitMs = Number(text)
  return Number.isFinite(waitMs) ? Math.min(Math.max(waitMs, 0), waitMsMax) : 0
}

function auditRoutes(app: FastifyInstance, { store, origin, caughtUpMs }: LedgerApiParts): void {
  const nodes = nodesOf(store)
  const none = (reply: FastifyReply, what: string) => reply.code(404).send({ error: what })
  app.get('/v1/audit/checkpoint', async (_, reply) => {
    const checkpoint = store.lastCheckpoint()
    return checkpoint === undefined ? none(reply, 'no checkpoint yet') : asText(reply).send(checkpoint.note)
  })
  app.get<{ Querystring: { exchange?: string } }>('/v1/audit/proof/inclusion', async (request, reply) => {
    const view = exchangeOf(store, request.query.exchange)
    const checkpoint = store.lastCheckpoint()
    if (view === undefined || checkpoint === undefined) return none(reply, 'no such exchange, or no checkpoint yet')
    const covered = view.leaves.filter(leaf => leaf < checkpoint.size)
    if (covered.length < view.leaves.length || covered.length === 0)
      return reply.code(409).send({ error: 'its newest event is not under a checkpoint yet; ask again in a second' })
    const entries = covered.map(index => ({ index, entry: store.entries(index, 1)[0] ?? '' }))
    return asText(reply).send(
      writeReceipt({ origin, exchange: view.exchange, entries, note: checkpoint.note, size: checkpoint.size, nodes }),
    )
  })
  app.get<{ Querystring: { from?: string; to?: string } }>('/v1/audit/proof/consistency', async (request, reply) => {
    const [from, to] = [Number(request.query.from), Number(request.query.to)]
    const isRange =
      Number.isSafeInteger(from) && Number.isSafeInteger(to) && 0 <= from && from <= to && to <= store.size
    if (!isRange) return reply.code(400).send({ error: 'from and to are sizes of the log, from the smaller' })
    return { from, to, proof: consistencyProof(from, to, nodes).map(hash => hash.toString('base64')) }
  })
  app.get<{ Querystring: { from?: string } }>('/v1/audit/export', async (request, reply) => {
    const from = Number(request.query.from ?? 0)
    const checkpoint = store.lastCheckpoint()
    if (checkpoint === undefined) return none(reply, 'no checkpoint yet')
    if (!Number.isSafeInteger(from) || from < 0 || from >= checkpoint.size)
      return reply.code(400).send({ error: `from is an index below ${checkpoint.size}` })
    const source = exportSource(store, origin, checkpoint.size)
    return asText(reply).send(Readable.from(writeExport(source, from)))
  })
  app.get<{ Querystring: { exchange?: string } }>('/v1/audit/story', async (request, reply) => {
    const view = exchangeOf(store, request.query.exchange)
    return view === undefined ? none(reply, 'no such exchange') : { story: tellStory(view, store) }
  })
  app.get('/v1/audit/reconciliation', async () => reconcile(store, caughtUpMs()))
}

const exchangeOf = (store: LedgerStore, exchange = ''): ExchangeView | undefined =>
  exchangeIdForm.test(exchange) ? store.view(exchange) : undefined

const asText = (reply: FastifyReply): FastifyReply => reply.type('text/plain; charset=utf-8')

/** Up to one checkpoint, however the log grows meanwhile. */
function exportSource(store: LedgerStore, origin: string, size: number) {
  return {
    origin,
    nodes: nodesOf(store),
    *entries(from: number) {
      for (let at = from; at < size; ) {
        const entries = store.entries(at, Math.min(entriesAtOnce, size - at))
        if (entries.length === 0) return
        yield* entries
        at += entries.length
      }
    },
    *checkpoints(fromSize: number) {
      for (let last = fromSize - 1; last < size; ) {
        const checkpoints = store.checkpoints(last, checkpointsAtOnce).filter(checkpoint => checkpoint.size <= size)
        if (checkpoints.length === 0) return
        yield* checkpoints
        last = checkpoints.at(-1)?.size ?? size
      }
    },
  }
}

function callbackRoutes(app: FastifyInstance, { callbacks }: LedgerApiParts): void {
  app.get('/v1/callbacks/given-up', async () =>
    callbacks.givenUp(givenUpMax).map(({ exchange, client, tries }) => ({ exchange, client, tries })),
  )
  app.post<{ Params: { exchange: string } }>('/v1/callbacks/:exchange/replay', async ({ params }, reply) =>
    callbacks.replay(params.exchange as ExchangeId)
      ? { exchange: params.exchange, replayed: true }
      : reply.code(404).send({ error: 'no callback of that exchange was given up' }),
  )
}
