// A client of a running gateway, for tests: gets real tokens from the token endpoint, forges others, asks over real HTTP.
import { createPrivateKey, type KeyObject, randomUUID, sign } from 'node:crypto'
import { type ClientId } from '#contracts/contract.ts'
import { type Json, type JsonObject } from '#contracts/json.ts'
import { readClientPrivateKey, type Secrets } from '#runtime/secrets.ts'

export interface AskerParts {
  url: string
  issuer: string
  audience: string
  dataDir: string
  secrets: Secrets
  now(): number
}

export interface Answered {
  status: number
  headers: Headers
  text: string
  /** The parsed body; undefined when it is no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts the whole body
  body: any
}

export interface AskOptions {
  /** Whose token is sent; default social-insurance. */
  client?: string
  /** A token to send in place of a real one; null: none. */
  token?: string | null
  headers?: Record<string, string>
  method?: string
  /** Sent as it is, in place of the JSON. */
  raw?: string | Buffer
}

type Claims = Record<string, unknown>

export interface Forgery {
  /** Laid over a good header or good claims; a member that is undefined is left out. */
  header?: Claims
  claims?: Claims
  /** Default: the gateway's own signing key. */
  key?: KeyObject
  /** In place of signing with `key`. */
  sign?: (input: string) => Buffer
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** A question that is answered `{ matched: true }` by the synthetic nation. */
export const goodEnvelope = Object.freeze({
  purpose: 'social-insurance-enrolment',
  request: { personalId: '026701599619', fullName: 'Huỳnh Thị Phương Hương', dateOfBirth: '2001-11-27' },
})

export class Asker {
  readonly #parts: AskerParts
  readonly #tokens = new Map<string, { token: string; untilMs: number }>()

  constructor(parts: AskerParts) {
    this.#parts = parts
  }

  get url(): string {
    return this.#parts.url
  }

  /** An access token from the token endpoint, kept until shortly before it expires. */
  async token(client = 'social-insurance', scope = 'exchange catalogue'): Promise<string> {
    const key = `${client} ${scope}`
    const kept = this.#tokens.get(key)
    if (kept !== undefined && kept.untilMs > this.#parts.now()) return kept.token
    const { status, body, text } = await this.requestToken(client, { scope })
    if (status !== 200) throw new Error(`no token for ${client}: ${text}`)
    const { access_token: token, expires_in: seconds } = body as { access_token: string; expires_in: number }
    this.#tokens.set(key, { token, untilMs: this.#parts.now() + (seconds - 60) * 1000 })
    return token
  }

  /** What the token endpoint says to this form; the client's assertion and the grant type are filled in. */
  requestToken(client: string, form: Record<string, string> = {}, endpoint = '/oauth/token'): Promise<Answered> {
    return this.sendForm(endpoint, {
      grant_type: 'client_credentials',
      client_assertion_type: assertionType,
      client_assertion: this.assertion({ client }),
      ...form,
    })
  }

  revoke(client: string, token: string): Promise<Answered> {
    return this.requestToken(client, { token }, '/oauth/revoke')
  }

  sendForm(path: string, form: Record<string, string> | URLSearchParams): Promise<Answered> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    return this.send(path, { method: 'POST', headers, body: new URLSearchParams(form).toString() })
  }

  /** A client assertion (RFC 7523), good but for what is laid over it. */
  assertion({ client = 'social-insurance', ...forgery }: Forgery & { client?: string } = {}): string {
    const hasOwnKey = forgery.key !== undefined && forgery.header?.['kid'] !== undefined
    const jwk = hasOwnKey ? {} : readClientPrivateKey(this.#parts.dataDir, client)
    const nowSeconds = this.#seconds()
    return forgeJwt({
      header: { alg: 'ES256', kid: jwk['kid'], typ: 'JWT', ...forgery.header },
      claims: {
        iss: client,
        sub: client,
        aud: this.#parts.issuer,
        jti: randomUUID(),
        iat: nowSeconds,
        exp: nowSeconds + 60,
        ...forgery.claims,
      },
      key: forgery.key ?? createPrivateKey({ key: jwk, format: 'jwk' }),
      ...(forgery.sign === undefined ? {} : { sign: forgery.sign }),
    })
  }

  /** An access token as the gateway's own issuer would sign it, but for what is laid over it. */
  forge({ header, claims, key, sign: signed }: Forgery = {}, client = 'social-insurance'): string {
    const { issuer, audience, secrets } = this.#parts
    const nowSeconds = this.#seconds()
    return forgeJwt({
      header: { alg: 'ES256', typ: 'at+jwt', kid: secrets.issuerKeyId, ...header },
      claims: {
        iss: issuer,
        aud: audience,
        sub: client,
        client_id: client as ClientId,
        jti: randomUUID(),
        scope: 'exchange catalogue',
        iat: nowSeconds,
        exp: nowSeconds + 600,
        ...claims,
      },
      key: key ?? secrets.issuerKey,
      ...(signed === undefined ? {} : { sign: signed }),
    })
  }

  /** One exchange: POST /v1/services/<service>. */
  async ask(service: string, envelope: Json | object = goodEnvelope, options: AskOptions = {}): Promise<Answered> {
    const { client, token, headers = {}, method = 'POST', raw } = options
    const bearer = token === undefined ? await this.token(client) : token
    return this.send(`/v1/services/${service}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...headers,
      },
      body: (raw ?? JSON.stringify(envelope)) as NonNullable<RequestInit['body']>,
    })
  }

  /** GET with a real token, or the one given; null: none. */
  async get(path: string, { client, token, headers = {} }: AskOptions = {}): Promise<Answered> {
    const bearer = token === undefined ? await this.token(client) : token
    return this.send(path, {
      headers: { ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }), ...headers },
    })
  }

  async send(path: string, init: RequestInit = {}): Promise<Answered> {
    const response = await fetch(`${this.url}${path}`, { ...init, redirect: 'manual' })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: parsed(text) }
  }

  #seconds(): number {
    return Math.floor(this.#parts.now() / 1000)
  }
}

/** Signs whatever is given: what is undefined is left out, and nothing is checked. */
export function forgeJwt({
  header,
  claims,
  key,
  sign: signed,
}: Required<Pick<Forgery, 'header' | 'claims' | 'key'>> & Pick<Forgery, 'sign'>): string {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${(signed ?? signerOf(key))(input).toString('base64url')}`
}

/** ES256 with an EC key, RS256 with an RSA key. */
export const signerOf =
  (key: KeyObject) =>
  (input: string): Buffer =>
    sign('sha256', Buffer.from(input), key.asymmetricKeyType === 'ec' ? { key, dsaEncoding: 'ieee-p1363' } : key)

export const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function parsed(text: string): JsonObject | undefined {
  try {
    return JSON.parse(text) as JsonObject
  } catch {
    return undefined
  }
}
