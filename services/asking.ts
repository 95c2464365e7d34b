// How a register asks other registers: through the gateway over HTTP like any client, with the agreement and the key of the client
// that has its provider's name. Nothing is kept here but an access token: what is asked, and under which key, the register stores.
import { type JsonWebKey } from 'node:crypto'
import { isJsonObject, type JsonObject } from '#contracts/json.ts'
import { tokenRequest } from '#runtime/client-assertion.ts'
import { readClientPrivateKey } from '#runtime/secrets.ts'
import { AskError, type Errand, type Standing } from './adapter.ts'

export interface AskerOptions {
  client: string
  /** Of the gateway; undefined as long as it is not known. */
  url(): string | undefined
  /** Folder of the simulated clients' keys. */
  dataDir: string
}

export interface Asker {
  ask(errand: Errand): Promise<Standing>
  /** Nothing is asked any more, and nothing waited for. */
  stop(): void
}

interface Answer {
  status: number
  headers: Headers
  body: JsonObject
}

/** Nothing is waited for on the other side, so an answer takes milliseconds. */
const answerMaxMs = 3_000
/** A token is not used for its last seconds. */
const tokenMarginMs = 30_000

export function createAsker({ client, url, dataDir }: AskerOptions): Asker {
  const stopping = new AbortController()
  let token: { text: string; untilMs: number } | undefined
  let key: JsonWebKey | undefined

  async function send(path: string, request: RequestInit): Promise<Answer> {
    const base = url()
    if (base === undefined) throw new AskError('it is not known where the gateway is')
    try {
      const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(answerMaxMs)])
      const response = await fetch(`${base}${path}`, { redirect: 'error', ...request, signal })
      const body: unknown = await response.json()
      return { status: response.status, headers: response.headers, body: isJsonObject(body) ? body : {} }
    } catch (cause) {
      throw new AskError('the gateway does not answer', { cause })
    }
  }

  async function tokenText(): Promise<string> {
    if (token !== undefined && performance.now() < token.untilMs) return token.text
    const metadata = await send('/.well-known/oauth-authorization-server', {})
    const { issuer, token_endpoint: endpoint } = metadata.body
    if (typeof issuer !== 'string' || endpoint === undefined)
      throw new AskError('the gateway takes tokens of another issuer, where this register has no key')
    key ??= readClientPrivateKey(dataDir, client)
    const form = await tokenRequest(key, { client, issuer, scope: 'exchange' })
    const answer = await send('/oauth/token', { method: 'POST', body: form })
    const { access_token: text, expires_in: seconds } = answer.body
    if (answer.status !== 200 || typeof text !== 'string') throw askErrorOf(answer)
    token = { text, untilMs: performance.now() + Number(seconds) * 1000 - tokenMarginMs }
    return text
  }

  async function sendAs(path: string, request: RequestInit, headers: Record<string, string>): Promise<Answer> {
    const authorization = `Bearer ${await tokenText()}`
    const answer = await send(path, { ...request, headers: { ...headers, authorization } })
    if (answer.status === 401) token = undefined
    return answer
  }

  const post = ({ service, envelope, key, ticket }: Errand): Promise<Answer> =>
    sendAs(
      `/v1/services/${service}`,
      { method: 'POST', body: envelope },
      {
        'content-type': 'application/json',
        'idempotency-key': key,
        prefer: 'respond-async',
        'ndx-parent': ticket.exchangeId,
        ...(ticket.traceparent === '' ? {} : { traceparent: ticket.traceparent }),
      },
    )

  return {
    async ask(errand) {
      if (errand.exchangeId !== undefined) {
        const answer = await sendAs(`/v1/exchanges/${errand.exchangeId}`, {}, {})
        // It was lost before it came onto its topic: asked again, it comes about.
        if (answer.body['code'] !== 'NDX_EXCHANGE_UNKNOWN') return standingOf(answer)
      }
      return standingOf(await post(errand))
    },
    stop: () => stopping.abort(),
  }
}

/** The answer to a question, or to the question how it stands. */
function standingOf(answer: Answer): Standing {
  const { status, body } = answer
  const { exchangeId, outcome, reply, code } = body
  if ((status === 200 || status === 202) && typeof exchangeId === 'string') {
    if (outcome === 'accepted') return { outcome, exchangeId }
    if (outcome === 'answered' && isJsonObject(reply)) return { outcome, exchangeId, reply }
    if (outcome === 'answered') return { outcome: 'gone', code: 'replyGone' }
    if (outcome === 'failed' || outcome === 'expired' || outcome === 'refused') return ended(outcome, body)
  }
  // A problem: of the exchange that the key began, of this question, or of the moment.
  if (outcome === 'failed' || outcome === 'expired') return ended(outcome, body)
  const under = /^\/v1\/exchanges\/([0-9a-f-]{36})$/.exec(answer.headers.get('location') ?? '')?.[1]
  if (status === 504 && under !== undefined) return { outcome: 'accepted', exchangeId: under }
  const isFinal = body['fault'] === 'client' && body['retryable'] === false && status !== 401
  if (isFinal && typeof code === 'string') return ended('refused', body)
  throw askErrorOf(answer)
}

const ended = (outcome: 'failed' | 'expired' | 'refused', { code, providerCode }: JsonObject): Standing => ({
  outcome,
  code: String(code ?? outcome),
  ...(typeof providerCode === 'string' ? { providerCode } : {}),
})

function askErrorOf({ status, headers, body }: Answer): AskError {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  return new AskError(`the gateway answered ${status} ${String(body['code'] ?? '')}`, {
    ...(Number.isFinite(seconds) ? { retryAfterMs: seconds * 1000 } : {}),
  })
}
