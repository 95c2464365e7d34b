// Sheds before any work is done: when the gateway stops, holds as many exchanges as it may, or its event loop lags. Health,
// keys and documentation are not shed: what must stay green or cheap stays.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { ExchangeError } from '#contracts/errors.ts'

export interface PressureOptions {
  pending: { readonly size: number }
  pendingMax: number
  eventLoopDelayMaxMs: number
  isStopping(): boolean
  onShed(): void
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered whatever the load. */
    isVital?: boolean
  }
}

const sampleMs = 500

export const pressure = fp(
  async (app: FastifyInstance, { pending, pendingMax, eventLoopDelayMaxMs, isStopping, onShed }: PressureOptions) => {
    const delay = monitorEventLoopDelay({ resolution: 20 })
    delay.enable()
    let isLagging = false
    const timer = setInterval(() => {
      isLagging = delay.percentile(99) / 1e6 > eventLoopDelayMaxMs
      delay.reset()
    }, sampleMs).unref()
    app.addHook('onClose', async () => {
      clearInterval(timer)
      delay.disable()
    })
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
      if (!isLagging && pending.size < pendingMax) return done()
      onShed()
      done(new ExchangeError('NDX_GATEWAY_OVERLOADED', { retryAfterSeconds: 1 + Math.floor(Math.random() * 3) }))
    })
  },
  { name: 'pressure', dependencies: ['correlation'] },
)
