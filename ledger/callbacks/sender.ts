// Tells clients that an exchange is settled, at the address their agreement names: at least once, signed, with growing jittered
// pauses, and after the last try as a dead letter that can be sent again. What is told is where to look, never what was answered,
// so that a wrong address learns nothing of anybody. The queue is the store's; a restart goes on where it stopped.
import { request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { type ExchangeId } from '#bus/message.ts'
import { type NoteFacts } from '#bus/note.ts'
import { type ExchangeView, stateOf } from '../exchange-view.ts'
import { type Callback, type LedgerStore } from '../store.ts'
import { type CallbackAddresses } from './address.ts'
import { signMessage } from './signature.ts'

export interface CallbackParts {
  store: LedgerStore
  addresses: CallbackAddresses
  /** The address of a client's agreement and its secret; undefined when it has none. */
  targetOf(client: string): { url: string; secret: string } | undefined
  /** Puts a note on the road; not awaited. */
  note(kind: 'called-back' | 'uncalled', exchangeId: ExchangeId, facts: NoteFacts): void
  /** Epoch ms. */
  now(): number
  /** 0 to 1, for jitter. */
  random?(): number
  /** Pauses between tries; their number is that of the tries after the first. */
  pausesMs?: readonly number[]
}

export interface CallbackSender {
  /** One round over what is due; resolves when each was tried. */
  send(): Promise<void>
  /** Those given up, at most `max`. */
  givenUp(max: number): Callback[]
  /** Due at once again, with all its tries; false: it is not given up. */
  replay(exchange: ExchangeId): boolean
}

/** Seconds, minutes, hours: a receiver that is mended within a day misses nothing. */
export const defaultPausesMs = [5_000, 30_000, 120_000, 600_000, 3_600_000, 6 * 3_600_000, 12 * 3_600_000]
/** A callback that was given up is due then: never. */
const neverMs = 8e15
const atOnceMax = 32
const answerWithinMs = 5_000
const answerBytesMax = 1_024

export function createCallbackSender(parts: CallbackParts): CallbackSender {
  const { store, addresses, targetOf, note, now, random = Math.random, pausesMs = defaultPausesMs } = parts
  const sending = new Set<ExchangeId>()

  async function attempt(callback: Callback): Promise<void> {
    const { exchange, client, tries } = callback
    const target = targetOf(client)
    const view = store.view(exchange)
    if (target === undefined || view === undefined) return giveUp(callback, 'no address')
    const failure = await post(target, messageOf(view, now()), addresses).catch((error: Error) => error.message)
    if (failure === undefined) {
      store.putCallback(exchange, undefined)
      return note('called-back', exchange, { client, tries: tries + 1 })
    }
    const pauseMs = pausesMs[tries]
    if (pauseMs === undefined || failure === 'status 410') return giveUp({ ...callback, tries: tries + 1 }, failure)
    // Full jitter around the pause: receivers that come back are not stormed.
    const dueMs = Math.round(now() + pauseMs * (0.5 + random()))
    store.putCallback(exchange, { ...callback, dueMs, tries: tries + 1 })
  }

  function giveUp(callback: Callback, reason: string): void {
    store.putCallback(callback.exchange, { ...callback, dueMs: neverMs })
    note('uncalled', callback.exchange, { client: callback.client, tries: callback.tries, reason })
  }

  return {
    async send() {
      const due = store.dueCallbacks(now(), atOnceMax).filter(({ exchange }) => !sending.has(exchange))
      await Promise.all(
        due.map(async callback => {
          sending.add(callback.exchange)
          try {
            await attempt(callback)
          } finally {
            sending.delete(callback.exchange)
          }
        }),
      )
    },
    givenUp: max => store.dueCallbacks(neverMs + 1, max).filter(({ dueMs }) => dueMs === neverMs),
    replay(exchange) {
      const found = store.callback(exchange)
      if (found === undefined || found.dueMs !== neverMs) return false
      store.putCallback(exchange, { ...found, dueMs: now(), tries: 0 })
      return true
    },
  }
}

/** Where to look, and how it ended. */
function messageOf(view: ExchangeView, nowMs: number): { id: string; timestampSeconds: number; body: string } {
  const { exchange, request } = view
  const body = JSON.stringify({
    type: 'exchange.settled',
    timestamp: new Date(nowMs).toISOString(),
    data: {
      exchangeId: exchange,
      service: request?.service,
      outcome: stateOf(view),
      location: `/v1/exchanges/${exchange}`,
    },
  })
  return { id: `msg_${exchange}`, timestampSeconds: Math.floor(nowMs / 1000), body }
}

/** Undefined: taken (2xx). Else why not, without anything the receiver said. Redirects are not followed: 3xx is a failure. */
function post(
  target: { url: string; secret: string },
  message: { id: string; timestampSeconds: number; body: string },
  addresses: CallbackAddresses,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const url = new URL(target.url)
    addresses.check(url)
    const send = url.protocol === 'https:' ? requestTls : requestPlain
    const request = send(url, {
      method: 'POST',
      lookup: addresses.lookup,
      agent: false,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(message.body),
        'user-agent': 'ndx',
        'webhook-id': message.id,
        'webhook-timestamp': String(message.timestampSeconds),
        'webhook-signature': signMessage(message, target.secret),
      },
    })
    const timer = setTimeout(() => request.destroy(new Error('no answer in time')), answerWithinMs)
    request.on('close', () => clearTimeout(timer))
    request.on('error', error => reject(reasonOf(error)))
    request.on('response', response => {
      const { statusCode = 0 } = response
      let bytes = 0
      // The answer is of no interest and may be endless.
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > answerBytesMax) response.destroy()
      })
      resolve(statusCode >= 200 && statusCode < 300 ? undefined : `status ${statusCode}`)
    })
    request.end(message.body)
  })
}

/** A system error's message may hold an address; its code says enough. */
const reasonOf = (error: NodeJS.ErrnoException): Error => new Error(error.code ?? error.message)
