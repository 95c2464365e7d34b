// Sheds before any work is done: when the gateway stops, or has more to do than it can. Health, keys and documentation are not shed:
// what must stay green or cheap stays. A question that is too much does not come as far as this
// (gateway/door.ts).
import { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { ExchangeError } from '#contracts/errors.ts'
import { type Overload } from '../overload.ts'

export interface PressureOptions {
  overload: Overload
  isStopping(): boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered whatever the load. */
    isVital?: boolean
  }
}

export const pressure = fp(
  async (app: FastifyInstance, { overload, isStopping }: PressureOptions) => {
    app.addHook('onClose', async () => overload.close())
    /** A connection kept alive would keep the stop waiting until it times out. */
    app.addHook('onSend', (_request, reply, payload, done) => {
      if (isStopping()) reply.header('connection', 'close')
      done(null, payload)
    })
    app.addHook('onRequest', (request, _reply, done) => {
      if (request.routeOptions.config.isVital) return done()
      if (isStopping()) {
        return done(new ExchangeError('NDX_GATEWAY_STOPPING', { retryAfterSeconds: 1 }))
      }
      if (!overload.isNow) return done()
      request.trail.isShed = true
      done(new ExchangeError('NDX_GATEWAY_OVERLOADED', { retryAfterSeconds: overload.shed() }))
    })
  },
  { name: 'pressure', dependencies: ['correlation'] },
)
