// The client: sends one attempt, waits for as long as the contract says and a little more, and writes down what it heard. Its
// tokens are signed with the platform's own key, so that the load does not stop when the token endpoint does; they follow the
// clock of the gateway they are for, as a token of that gateway would.
import { randomUUID } from 'node:crypto'
import { isJsonObject, type JsonObject } from '#contracts/json.ts'
import { createCommitments } from '#runtime/pseudonyms.ts'
import { readSecrets } from '#runtime/secrets.ts'
import { forgeJwt } from '#tests/asker.ts'
import { type Attempt, type Ending } from './client-ledger.ts'
import { clientId } from './contracts.ts'
import { createCaller, type Heard, Silence } from './http.ts'
import { type Member } from './member.ts'
import { type Platform } from './platform.ts'
import { type Question } from './questions.ts'
import { writeTrace } from './traces.ts'

/** How an exchange stands, as its status URL told. */
export interface StatusReading {
  exchangeId: string
  /** 0: nothing was heard. */
  status: number
  outcome?: string
  code?: string
  commitment?: string
}

export interface Client {
  /** Asks, and fills in the rest of the attempt. Never rejects. */
  ask(question: Question, attempt: Attempt, gateway: Member): Promise<Partial<Attempt>>
  readStatus(exchangeId: string, gateway: Member): Promise<StatusReading>
  close(): void
}

/** Beyond what the contract lets a gateway hold the connection. */
const marginMs = 2_000
const tokenSeconds = 600
const tokenKeptMs = 300_000
const statusPatienceMs = 10_000

export function createClient({ dataDir, registry }: Pick<Platform, 'dataDir' | 'registry'>): Client {
  const secrets = readSecrets(dataDir)
  const { commit } = createCommitments(secrets.pseudonymKeys, Date.now)
  const caller = createCaller()
  const tokens = new Map<number, { token: string; untilMs: number }>()

  function tokenFor({ clockShiftMs }: Member): string {
    const kept = tokens.get(clockShiftMs)
    if (kept !== undefined && kept.untilMs > Date.now()) return kept.token
    const iat = Math.floor((Date.now() + clockShiftMs) / 1000)
    const token = forgeJwt({
      header: { alg: 'ES256', typ: 'at+jwt', kid: secrets.issuerKeyId },
      claims: {
        iss: 'http://localhost:8080',
        aud: 'ndx',
        sub: clientId,
        client_id: clientId,
        jti: randomUUID(),
        scope: 'exchange catalogue',
        iat,
        exp: iat + tokenSeconds,
      },
      key: secrets.issuerKey,
    })
    tokens.set(clockShiftMs, { token, untilMs: Date.now() + tokenKeptMs })
    return token
  }

  const commitmentOf = (exchangeId: unknown, reply: unknown): Pick<Attempt, 'commitment'> =>
    typeof exchangeId === 'string' && isJsonObject(reply)
      ? { commitment: commit(exchangeId, 'reply', JSON.stringify(reply)) }
      : {}

  return {
    async ask({ service, body, key, isAsync, isRight }, { n, attempt }, gateway) {
      const heard = await caller
        .call({
          method: 'POST',
          url: `${gateway.url}/v1/services/${service}`,
          headers: {
            authorization: `Bearer ${tokenFor(gateway)}`,
            'content-type': 'application/json',
            traceparent: writeTrace({ question: n, attempt }),
            ...(key === undefined ? {} : { 'idempotency-key': key }),
            ...(isAsync ? { prefer: 'respond-async' } : {}),
          },
          body: JSON.stringify(body),
          patienceMs: (registry.find(service)?.contract.maxWaitMs ?? 0) + marginMs,
        })
        .catch((silence: Silence) => silence)
      const endedMs = performance.now()
      if (heard instanceof Silence)
        return { endedMs, ending: heard.isUnsent ? 'unreachable' : 'unknown', code: heard.message }
      const told = parse(heard.text)
      const facts = { endedMs, status: heard.status, ending: endingOf(heard.status, told), ...factsOf(heard, told) }
      if (facts.ending !== 'answered') return facts
      const reply = told['reply']
      return {
        ...facts,
        ...commitmentOf(told['exchangeId'], reply),
        isRight: isJsonObject(reply) && isRight(reply),
      }
    },
    async readStatus(exchangeId, gateway) {
      const heard = await caller
        .call({
          method: 'GET',
          url: `${gateway.url}/v1/exchanges/${exchangeId}`,
          headers: { authorization: `Bearer ${tokenFor(gateway)}` },
          patienceMs: statusPatienceMs,
        })
        .catch((silence: Silence) => silence)
      if (heard instanceof Silence) return { exchangeId, status: 0, code: heard.message }
      const told = parse(heard.text)
      const { outcome, code } = told
      return {
        exchangeId,
        status: heard.status,
        ...(typeof outcome === 'string' ? { outcome } : {}),
        ...(typeof code === 'string' ? { code } : {}),
        ...commitmentOf(exchangeId, told['reply']),
      }
    },
    close: caller.close,
  }
}

function endingOf(status: number, told: JsonObject): Ending {
  if (status === 200) return 'answered'
  if (status === 202) return 'accepted'
  if (status === 502) return 'failed'
  if (status === 504) return told['code'] === 'NDX_REQUEST_EXPIRED' ? 'expired' : 'unknown'
  return status === 503 || (status >= 400 && status < 500) ? 'refused' : 'unknown'
}

/** A 504 says by its Location which exchange it is about. */
function factsOf({ headers }: Heard, told: JsonObject): Partial<Attempt> {
  const { code, retryable } = told
  const about = /^\/v1\/exchanges\/(.+)$/.exec(headers.location ?? '')?.[1] ?? told['exchangeId']
  return {
    ...(typeof about === 'string' ? { exchangeId: about } : {}),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof retryable === 'boolean' ? { isRetryable: retryable } : {}),
    ...(headers['idempotency-replayed'] === 'true' ? { isReplayed: true } : {}),
  }
}

function parse(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : {}
  } catch {
    return {}
  }
}
