// One call: what a client is told, and the HTTP request that tells it. It says where to look, never what was answered, so that a
// wrong address learns nothing of anybody.
import { request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { hasForm } from '#bus/forms.ts'
import { type ExchangeView, stateOf } from '../exchange-view.ts'
import { type CallbackAddresses } from './address.ts'
import { type SignedMessage, signMessage } from './signature.ts'

export interface CallbackTarget {
  url: string
  secret: string
}

const answerWithinMs = 5_000
const answerBytesMax = 1_024

/** Where to look, and how it ended. */
export function messageOf(view: ExchangeView, nowMs: number): SignedMessage {
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

/**
 * Undefined: taken (2xx). Else why not, in the words that a note may hold, without anything the receiver said. Redirects are not
 * followed: 3xx is a failure. Settles within 5 s.
 */
export function deliver(
  target: CallbackTarget,
  message: SignedMessage,
  addresses: CallbackAddresses,
): Promise<string | undefined> {
  return post(target, message, addresses).catch(reasonOf)
}

function post(
  target: CallbackTarget,
  message: SignedMessage,
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
    request.on('error', reject)
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
function reasonOf(error: NodeJS.ErrnoException): string {
  const reason = error.code ?? error.message
  return hasForm('reason', reason) ? reason : 'failed'
}
