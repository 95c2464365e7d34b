// Acts as one of the simulated clients: proves who it is with the private key under the data directory (RFC 7523), gets an
// access token, asks. Knows the gateway over HTTP only; whatever goes wrong is told with what to do about it.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type JWK } from 'jose'
import { readJson } from '#contracts/strict-json.ts'
import { tokenRequest } from '#runtime/client-assertion.ts'
import { readClientPrivateKey } from '#runtime/secrets.ts'
import { readAnswer } from './bounded-reading.ts'
import { CommandError } from './command.ts'
import { findNearest } from './nearest.ts'
import { escapeText } from './safe-text.ts'

export interface Answer {
  status: number
  headers: Headers
  /** Parsed when it is JSON that is not nested too deep, else its first characters. */
  body: unknown
  text: string
  tookMs: number
}

export interface TokenOptions {
  url: string
  dataDir: string
  client: string
  scope?: string
}

const answerMaxMs = 30_000

/** A fresh access token. Throws CommandError. */
export async function fetchToken({ url, dataDir, client, scope }: TokenOptions): Promise<string> {
  const key = readKey(dataDir, client)
  const issuer = await findIssuer(url)
  const form = await tokenRequest(key, { client, issuer, scope })
  const answer = await send(`${url}/oauth/token`, { method: 'POST', body: form })
  const token = memberOf(answer.body, 'access_token')
  if (answer.status === 200 && typeof token === 'string') return token
  throw new CommandError(tellRefusal(answer, { url, dataDir, client }))
}

export interface AskOptions {
  url: string
  token: string
  /** More header fields: Prefer, Idempotency-Key. */
  headers?: Readonly<Record<string, string>>
  /** Aborting it breaks the connection. */
  signal?: AbortSignal
}

/** One question; whatever the gateway answers is returned. */
export function askService(
  { url, token, headers = {}, ...rest }: AskOptions,
  service: string,
  envelope: unknown,
): Promise<Answer> {
  const path = service.split('/').map(encodeURIComponent).join('/')
  return send(`${url}/v1/services/${path}`, {
    ...rest,
    method: 'POST',
    headers: { ...headers, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(envelope),
  })
}

/** Throws CommandError when nothing answers there. */
export async function send(url: string, request: RequestInit = {}): Promise<Answer> {
  const startedMs = performance.now()
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(answerMaxMs), ...request })
    const text = await readAnswer(response)
    return {
      status: response.status,
      headers: response.headers,
      body: parse(text),
      text,
      tookMs: performance.now() - startedMs,
    }
  } catch (cause) {
    if (cause instanceof CommandError) throw cause
    throw new CommandError(tellSilence(new URL(url).origin, cause), { cause })
  }
}

export const memberOf = (body: unknown, name: string): unknown =>
  typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined

const parse = (text: string): unknown => readJson(text) ?? text.slice(0, 500)

function readKey(dataDir: string, client: string): JWK {
  const folder = join(dataDir, 'clients')
  const suffix = '.private.json'
  const names = existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith(suffix)) : []
  const clients = names.map(name => name.slice(0, -suffix.length)).sort()
  if (clients.includes(client)) return readOwnKey(dataDir, client)
  if (clients.length === 0)
    throw new CommandError(
      `there are no clients’ keys in ${folder}.\n\`npm start\` makes them at its first start; NDX_DATA_DIR names the folder of a gateway that runs elsewhere.`,
    )
  const nearest = findNearest(client, clients)
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`
  throw new CommandError(
    `there is no client “${escapeText(client.slice(0, 60))}”.${hint}\nIn ${folder} are the keys of ${clients.length} clients; \`npx ndx clients\` lists who may ask.`,
  )
}

function readOwnKey(dataDir: string, client: string): JWK {
  try {
    return readClientPrivateKey(dataDir, client)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new CommandError(`the key of ${client} in ${join(dataDir, 'clients')} is no JSON; restore the file.`, {
      cause,
    })
  }
}

/** The metadata of RFC 8414: who issues, and whether tokens are to be had here at all. */
async function findIssuer(url: string): Promise<string> {
  const { status, body } = await send(`${url}/.well-known/oauth-authorization-server`)
  const issuer = memberOf(body, 'issuer')
  if (status !== 200 || typeof issuer !== 'string')
    throw new CommandError(
      `what answers at ${url} is not an NDX gateway (status ${status}).\nName the right one with --url or NDX_URL; is another program on that port?`,
    )
  if (memberOf(body, 'token_endpoint') === undefined)
    throw new CommandError(`the gateway takes tokens of ${escapeText(issuer)} only; get one there.`)
  return issuer
}

function tellRefusal({ status, body }: Answer, { url, dataDir, client }: TokenOptions): string {
  const told = memberOf(body, 'error_description') ?? memberOf(body, 'detail') ?? memberOf(body, 'title')
  const reason = escapeText(String(told ?? `status ${status}`))
  if (memberOf(body, 'code') !== 'NDX_ASSERTION_INVALID') return `the gateway gave no token: ${reason}`
  return `the gateway at ${url} does not accept the key of ${client} in ${dataDir}: ${reason}\nIf it was started with another data directory, name that one in NDX_DATA_DIR.`
}

function tellSilence(origin: string, cause: unknown): string {
  const { code, name } = ((cause as Error).cause ?? cause) as NodeJS.ErrnoException
  if (name === 'TimeoutError') return `${origin} did not answer within ${answerMaxMs / 1000} s.`
  return `nothing answers at ${origin} (${code ?? name}).\nRun \`npm start\` (or \`docker compose up --wait\`), or name another address with --url or NDX_URL.`
}
