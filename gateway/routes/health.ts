// live: the process answers. ready: a record of our own went round the bus in time, and the counters answer or their absence
// is bridged, and what is told can be written down. Neither needs a token; neither says more than that.
import { type FastifyInstance } from 'fastify'
import { type Evidence } from '../exchange/evidence.ts'
import { type LedgerPosition } from '../ledger-position.ts'

export interface HealthParts {
  isRoadOpen(): boolean
  /** Rejects when the counters do not answer. */
  pingCounters(): Promise<void>
  evidence: Pick<Evidence, 'isKept'>
  ledgerPosition: Pick<LedgerPosition, 'behindMs'>
  isStopping(): boolean
}

export function healthRoutes(app: FastifyInstance, parts: HealthParts): void {
  const config = { isVital: true }
  app.get('/health/live', { config }, async () => ({ status: 'live' }))
  app.get('/health/ready', { config }, async (_, reply) => {
    const { ready, ...checks } = await checkReadiness(parts)
    return reply
      .status(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ status: ready ? 'ready' : 'not ready', ...checks })
  })
}

/** Also for the operations listener. */
export async function checkReadiness({ isRoadOpen, pingCounters, evidence, ledgerPosition, isStopping }: HealthParts) {
  const counters = await pingCounters().then(
    () => 'answer' as const,
    () => 'away' as const,
  )
  const bus = isRoadOpen() ? 'open' : 'closed'
  const stopping = isStopping()
  const notes = evidence.isKept ? 'kept' : 'not kept'
  const { behindMs: ledgerBehindMs } = ledgerPosition
  const ready = bus === 'open' && counters === 'answer' && evidence.isKept && !stopping
  return { ready, bus, counters, notes, ...(ledgerBehindMs === undefined ? {} : { ledgerBehindMs }), stopping }
}
