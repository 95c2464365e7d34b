// The token endpoint (RFC 6749 client_credentials, RFC 7523 private_key_jwt, tokens of RFC 9068), revocation (RFC 7009), the
// key set and the server's metadata (RFC 8414). Errors keep OAuth's members beside our own code.
import { randomUUID } from 'node:crypto'
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { type ErrorCode, ExchangeError, errorTable } from '#contracts/errors.ts'
import { type ClientLimits, takeOrRefuse } from '../limits/client-limits.ts'
import { concludeRefusal, type ProblemsOptions } from '../plugins/problems.ts'
import { type AssertionParts, assertionAlgorithms, assertionType, verifyAssertion } from '../tokens/client-assertion.ts'
import { type IssuerKeys } from '../tokens/issuer-keys.ts'
import { isScope, scopes, tokenLifeMaxSeconds } from '../tokens/scopes.ts'

export interface TokenRouteParts extends AssertionParts, ProblemsOptions {
  clientLimits: ClientLimits
  audience: string
  keys: IssuerKeys
  revoke(tokenId: string, untilMs: number): Promise<void>
  onIssued(client: string): void
}

/** Public: keys and where the endpoints are. With an external issuer only its name. */
export function keyRoutes(app: FastifyInstance, { issuer, keys }: Pick<TokenRouteParts, 'issuer' | 'keys'>): void {
  const config = { isVital: true }
  app.get('/.well-known/jwks.json', { config }, async (_, reply) =>
    reply.header('cache-control', 'public, max-age=300').send(keys.published),
  )
  app.get('/.well-known/oauth-authorization-server', { config }, async () => ({
    issuer,
    ...(keys.signingKey === undefined
      ? {}
      : {
          jwks_uri: `${issuer}/.well-known/jwks.json`,
          token_endpoint: `${issuer}/oauth/token`,
          revocation_endpoint: `${issuer}/oauth/revoke`,
          token_endpoint_auth_methods_supported: ['private_key_jwt'],
          token_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
          grant_types_supported: ['client_credentials'],
          response_types_supported: [],
          scopes_supported: scopes,
        }),
  }))
}

export function tokenRoutes(app: FastifyInstance, parts: TokenRouteParts): void {
  app.register(async scope => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: 16_384 },
      (_request, body, done) => done(null, new URLSearchParams(body as string)),
    )
    scope.setErrorHandler((error, request, reply) => answerOAuth(error, request, reply, parts))
    scope.post('/oauth/token', async (request, reply) => {
      const form = formOf(request)
      if (only(form, 'grant_type') !== 'client_credentials') throw new ExchangeError('NDX_GRANT_TYPE_UNSUPPORTED')
      const { client } = await authenticate(form, request, reply, parts)
      const granted = scopesOf(only(form, 'scope'))
      const iat = Math.floor(parts.now() / 1000)
      const claims = {
        iss: parts.issuer,
        aud: parts.audience,
        sub: client,
        client_id: client,
        jti: randomUUID(),
        scope: granted,
        iat,
        exp: iat + tokenLifeMaxSeconds,
      }
      parts.onIssued(client)
      parts.log.info({
        event: 'token',
        exchangeId: request.trail.exchangeId,
        client,
        tokenId: claims.jti,
        scope: granted,
      })
      return reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' }).send({
        access_token: app.jwt.sign(claims),
        token_type: 'Bearer',
        expires_in: tokenLifeMaxSeconds,
        scope: granted,
      })
    })
    scope.post('/oauth/revoke', async (request, reply) => {
      const form = formOf(request)
      const { client } = await authenticate(form, request, reply, parts)
      const claims = await claimsOf(app, only(form, 'token'), parts.keys)
      const isTheirs = claims?.client_id === client && typeof claims.jti === 'string' && typeof claims.exp === 'number'
      if (isTheirs) {
        await parts.revoke(claims.jti as string, (claims.exp as number) * 1000)
        parts.log.info({ event: 'token-revoked', exchangeId: request.trail.exchangeId, client, tokenId: claims.jti })
      }
      return reply.status(200).send()
    })
  })
}

async function authenticate(
  form: URLSearchParams,
  request: FastifyRequest,
  reply: FastifyReply,
  parts: TokenRouteParts,
) {
  if (only(form, 'client_assertion_type') !== assertionType)
    throw new ExchangeError('NDX_ASSERTION_INVALID', { detail: `client_assertion_type must be ${assertionType}.` })
  const agreement = await verifyAssertion(only(form, 'client_assertion') ?? '', parts)
  const named = only(form, 'client_id')
  if (named !== undefined && named !== agreement.client)
    throw new ExchangeError('NDX_ASSERTION_INVALID', { detail: 'client_id names another client than the assertion.' })
  request.trail.client = agreement.client
  takeOrRefuse(parts.clientLimits.tokens, agreement.client, reply)
  return agreement
}

function formOf({ body }: FastifyRequest): URLSearchParams {
  if (body instanceof URLSearchParams) return body
  throw new ExchangeError('NDX_BODY_MALFORMED', { detail: 'A form body is required.' })
}

/** RFC 6749 section 3.2: a parameter must not stand twice. */
function only(form: URLSearchParams, name: string): string | undefined {
  const values = form.getAll(name)
  if (values.length > 1) throw new ExchangeError('NDX_BODY_MALFORMED', { detail: `${name} stands twice.` })
  return values[0]
}

/** Asked for none: all. */
function scopesOf(asked: string | undefined): string {
  if (asked === undefined || asked === '') return scopes.join(' ')
  const names = asked.split(' ')
  if (!names.every(isScope)) throw new ExchangeError('NDX_SCOPE_UNKNOWN', { detail: `Scopes: ${scopes.join(', ')}.` })
  return [...new Set(names)].join(' ')
}

/** A token that is not ours is nothing to revoke (RFC 7009 section 2.2); only our signature makes it ours. */
async function claimsOf(
  app: FastifyInstance,
  token: string | undefined,
  keys: IssuerKeys,
): Promise<TokenClaims | undefined> {
  if (token === undefined) return undefined
  try {
    const { header } = app.jwt.decode<{ header: object }>(token, { complete: true }) ?? { header: {} }
    return app.jwt.verify<TokenClaims>(token, {
      key: await keys.find(header),
      algorithms: ['ES256'],
      ignoreExpiration: true,
    })
  } catch {
    return undefined
  }
}

interface TokenClaims {
  client_id?: unknown
  jti?: unknown
  exp?: unknown
}

const oauthErrors: Partial<Record<ErrorCode, string>> = {
  NDX_GRANT_TYPE_UNSUPPORTED: 'unsupported_grant_type',
  NDX_SCOPE_UNKNOWN: 'invalid_scope',
  NDX_ASSERTION_INVALID: 'invalid_client',
  NDX_ASSERTION_REPLAYED: 'invalid_client',
  NDX_COUNTERS_UNAVAILABLE: 'temporarily_unavailable',
  NDX_RATE_EXCEEDED: 'temporarily_unavailable',
  NDX_ADDRESS_LIMITED: 'temporarily_unavailable',
}

/** RFC 6749 section 5.2. What is not the endpoint's own goes to the common handler. */
async function answerOAuth(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  parts: ProblemsOptions,
): Promise<FastifyReply> {
  if (!(error instanceof ExchangeError)) throw error
  const { status, en, retryable } = errorTable[error.code]
  await concludeRefusal(request, status, error, parts)
  if (error.facts.retryAfterSeconds !== undefined) reply.header('retry-after', String(error.facts.retryAfterSeconds))
  return reply
    .status(status)
    .header('cache-control', 'no-store')
    .send({
      error: oauthErrors[error.code] ?? 'invalid_request',
      error_description: error.facts.detail ?? en,
      code: error.code,
      exchangeId: request.trail.exchangeId,
      retryable,
    })
}
