// Who asks: an access token of RFC 9068, verified by @fastify/jwt with algorithms, issuer, audience, typ and age pinned. Every
// fault of the verifier is a 401. A verified token is remembered until it expires, so that a client's second request costs a
// look-up; whether it was revoked is asked on every request.
import fastifyJwt from '@fastify/jwt'
import { type FastifyInstance, type FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type Agreement, type ClientId } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { type IssuerKeys } from '../tokens/issuer-keys.ts'
import { type Scope, tokenLifeMaxSeconds } from '../tokens/scopes.ts'
import { type Claims, type VerifiedTokens } from '../tokens/verified-tokens.ts'
import { countFields } from './correlation.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by authenticate(). */
    agreement: Agreement
  }
  interface FastifyInstance {
    /** A hook that lets only tokens with this scope pass, and sets request.agreement. */
    authenticate(scope: Scope): (request: FastifyRequest) => Promise<void>
  }
}

export interface AuthenticationOptions {
  issuer: string
  audience: string
  keys: IssuerKeys
  agreements: ReadonlyMap<ClientId, Agreement>
  verifiedTokens: VerifiedTokens
  isRevoked(tokenId: string): boolean
  /** Epoch ms. */
  now(): number
}

/** How far ahead an issuer's clock may be. */
const clockSkewSeconds = 10
const tokenLengthMax = 4096

export const authentication = fp(
  async (app: FastifyInstance, options: AuthenticationOptions) => {
    const { issuer, audience, keys, agreements, verifiedTokens, isRevoked, now } = options
    await app.register(fastifyJwt, {
      secret: {
        private: keys.signingKey ?? '',
        public: (_request: FastifyRequest, token: unknown) => keys.find((token as Decoded).header),
      },
      decode: { complete: true },
      sign: {
        algorithm: 'ES256',
        ...(keys.signingKeyId === undefined ? {} : { kid: keys.signingKeyId, header: { alg: 'ES256', typ: 'at+jwt' } }),
      },
      verify: {
        algorithms: ['ES256', 'RS256'],
        allowedIss: issuer,
        allowedAud: audience,
        checkTyp: 'at+jwt',
        requiredClaims: ['iss', 'aud', 'sub', 'client_id', 'jti', 'scope', 'iat', 'exp'],
        maxAge: tokenLifeMaxSeconds, // numbers are seconds to @fastify/jwt
      },
    } as never)
    app.decorateRequest('agreement')
    app.decorate('authenticate', (scope: Scope) => async (request: FastifyRequest) => {
      const token = tokenOf(request)
      const claims = recall(verifiedTokens, token, now) ?? (await verify(request, token, options))
      const agreement = agreements.get(claims.client_id as ClientId)
      if (agreement === undefined) throw new ExchangeError('NDX_CLIENT_UNKNOWN')
      request.trail.client = agreement.client
      if (isRevoked(claims.jti)) throw new ExchangeError('NDX_TOKEN_REVOKED')
      if (!claims.scope.split(' ').includes(scope))
        throw new ExchangeError('NDX_SCOPE_MISSING', { detail: `The scope “${scope}” is needed.` })
      request.agreement = agreement
    })
  },
  { name: 'authentication', dependencies: ['correlation'] },
)

interface Decoded {
  header: { alg?: unknown; kid?: unknown }
}

/** RFC 6750: one Authorization field, the scheme Bearer, one space, the token. */
function tokenOf({ headers, raw }: FastifyRequest): string {
  const { authorization } = headers
  if (authorization === undefined) throw new ExchangeError('NDX_TOKEN_MISSING')
  if (countFields(raw.rawHeaders, 'authorization') > 1)
    throw new ExchangeError('NDX_TOKEN_INVALID', { detail: 'The Authorization field stands twice.' })
  const match = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization.slice(0, tokenLengthMax + 16))
  if (match?.[1] === undefined)
    throw new ExchangeError('NDX_TOKEN_INVALID', { detail: 'Authorization must be “Bearer <token>”.' })
  if (match[1].length > tokenLengthMax)
    throw new ExchangeError('NDX_TOKEN_INVALID', { detail: 'The token is too long.' })
  return match[1]
}

function recall(kept: VerifiedTokens, token: string, now: () => number): Claims | undefined {
  const claims = kept.find(token)
  if (claims === undefined) return undefined
  if (claims.exp * 1000 > now()) return claims
  kept.drop(token)
  throw new ExchangeError('NDX_TOKEN_EXPIRED')
}

async function verify(
  request: FastifyRequest,
  token: string,
  { audience, verifiedTokens, now }: AuthenticationOptions,
): Promise<Claims> {
  const claims = checkClaims(await verifySignature(request), audience, now)
  verifiedTokens.keep(token, claims)
  return claims
}

async function verifySignature(request: FastifyRequest): Promise<Record<string, unknown>> {
  try {
    return await request.jwtVerify<Record<string, unknown>>()
  } catch (cause) {
    if (cause instanceof ExchangeError) throw cause
    const isExpired = (cause as { code?: string }).code === 'FST_JWT_AUTHORIZATION_TOKEN_EXPIRED'
    throw new ExchangeError(isExpired ? 'NDX_TOKEN_EXPIRED' : 'NDX_TOKEN_INVALID')
  }
}

/** What the verifier does not check: kinds of the claims, one audience alone, an age from the future, a life longer than ours. */
function checkClaims(claims: Record<string, unknown>, audience: string, now: () => number): Claims {
  const { aud, sub, client_id, jti, scope, iat, exp } = claims
  const areTexts = [client_id, jti, scope].every(
    claim => typeof claim === 'string' && claim.length > 0 && claim.length <= 200,
  )
  if (!areTexts || aud !== audience || sub !== client_id || typeof iat !== 'number' || typeof exp !== 'number')
    throw new ExchangeError('NDX_TOKEN_INVALID')
  const nowSeconds = now() / 1000
  if (iat > nowSeconds + clockSkewSeconds)
    throw new ExchangeError('NDX_TOKEN_INVALID', { detail: 'The token is from the future.' })
  if (exp - iat > tokenLifeMaxSeconds)
    throw new ExchangeError('NDX_TOKEN_INVALID', { detail: `The token lives longer than ${tokenLifeMaxSeconds} s.` })
  if (exp <= nowSeconds) throw new ExchangeError('NDX_TOKEN_EXPIRED')
  return { client_id, jti, scope, iat, exp } as Claims
}
