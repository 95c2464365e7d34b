// The ledger over HTTP, for gateways, operators and auditors of the inner network: how an exchange stands, proofs, exports, whether
// the books balance. It holds pseudonyms and no data, and has no authentication: it never listens on a public address.
import { Readable } from 'node:stream'
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { type ExchangeId } from '#bus/message.ts'
import { type ExchangeStatus } from '#contracts/exchange-status.ts'
import { foreignHostStatus, foreignHostText, isInnerHost, operatorHeader } from '#runtime/inner-host.ts'
import { type Backups } from './backups.ts'
import { type CallbackSender } from './callbacks/sender.ts'
import { type ExchangeView } from './exchange-view.ts'
import { exportSource } from './export-source.ts'
import { nodesOf } from './log-appender.ts'
import { consistencyProof } from './merkle/proofs.ts'
import { type LedgerMetrics } from './metrics.ts'
import { writeExport } from './proof/export.ts'
import { writeReceipt } from './proof/receipt.ts'
import { type Publication } from './publication.ts'
import { reconcile } from './reconciliation.ts'
import { statusOf, type Watchers } from './status.ts'
import { type LedgerStore } from './store.ts'
import { tellStory } from './story.ts'
import { tlogTileRoutes } from './tlog-tiles.ts'

export interface LedgerApiParts {
  store: LedgerStore
  origin: string
  road: string
  watchers: Watchers
  metrics: LedgerMetrics
  callbacks: CallbackSender
  publication: Publication
  backups: Backups
  /** Names under which it may be asked. */
  innerHosts: readonly string[]
  caughtUpMs(): number
  /** It follows the bus and is not behind. */
  isReading(): boolean
}

const waitMsMax = 30_000
const givenUpMax = 1_000
const exchangeIdForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export function buildLedgerApi(parts: LedgerApiParts): FastifyInstance {
  const app = fastify({ logger: false, requestTimeout: 10_000, keepAliveTimeout: 60_000, forceCloseConnections: true })
  // No authentication, so at least nobody's browser may be made to ask (runtime/inner-host.ts).
  app.addHook('onRequest', async ({ headers, method }, reply) => {
    if (!isInnerHost(headers.host, parts.innerHosts))
      return reply.code(foreignHostStatus).send({ error: foreignHostText })
    if (method !== 'GET' && method !== 'HEAD' && headers[operatorHeader] === undefined)
      return reply.code(403).send({ error: `what changes something needs the header ${operatorHeader}` })
    return undefined
  })
  app.addHook('onSend', async (_, reply) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
  })
  // What went wrong inside is the log's; a caller of the inner network learns that it did.
  app.setErrorHandler((error: { statusCode?: number }, _, reply) => {
    const status = error.statusCode !== undefined && error.statusCode < 500 ? error.statusCode : 503
    reply.code(status).send({ error: status === 503 ? 'not available' : 'not a question' })
  })
  statusRoutes(app, parts)
  auditRoutes(app, parts)
  tlogTileRoutes(app, parts.store)
  callbackRoutes(app, parts)
  app.get('/metrics', async (_, reply) => reply.type(parts.metrics.contentType).send(await parts.metrics.render()))
  app.get('/health/live', async () => ({ status: 'live' }))
  app.get('/health/ready', async (_, reply) => {
    const readiness = readinessOf(parts)
    return reply.code(readiness.ready ? 200 : 503).send(readiness)
  })
  return app
}

/** Ready: it reads, its log was compared with what others hold, and its heads are cosigned as NDX_WITNESSES_MIN asks. */
function readinessOf({ isReading, publication: { standing, witnessing } }: LedgerApiParts) {
  const ready = isReading() && standing.state === 'compared' && witnessing.isMet
  const { witnesses, needed, cosigned } = witnessing
  return { ready, reading: isReading(), comparison: standing, witnesses: { configured: witnesses, needed, cosigned } }
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
      const found = store.viewByKey(`${client}/${provider}/${service}/${digest}`)
      const status = found && statusOf(found.view, road)
      return status === undefined ? unknown(reply) : { ...status, body: found?.body }
    },
  )
}

const isOpen = (status: ExchangeStatus | undefined): boolean => status === undefined || status.state === 'accepted'

function waitOf(text = '0'): number {
  const waitMs = Number(text)
  return Number.isFinite(waitMs) ? Math.min(Math.max(waitMs, 0), waitMsMax) : 0
}

function auditRoutes(app: FastifyInstance, { store, origin, backups, caughtUpMs }: LedgerApiParts): void {
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
  app.post('/v1/audit/backup', async (_, reply) => {
    const made = await backups.take()
    return made ?? reply.code(409).send({ error: 'a backup is being made already' })
  })
  app.get('/v1/audit/reconciliation', async () => reconcile(store, caughtUpMs()))
}

const exchangeOf = (store: LedgerStore, exchange = ''): ExchangeView | undefined =>
  exchangeIdForm.test(exchange) ? store.view(exchange) : undefined

const asText = (reply: FastifyReply): FastifyReply => reply.type('text/plain; charset=utf-8')

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
