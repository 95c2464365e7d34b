// The keys that access tokens are verified with: our own, or an external issuer's key set. A key is found by the token's kid
// and bound to the algorithm it says, so a token cannot choose how it is verified. `jku`, `x5u` and `jwk` headers are ignored.
import { createPublicKey, KeyObject } from 'node:crypto'
import { createRemoteJWKSet, errors } from 'jose'
import { ExchangeError } from '#contracts/errors.ts'
import { type Secrets } from '#runtime/secrets.ts'

export interface TokenHeader {
  alg?: unknown
  kid?: unknown
}

export interface IssuerKeys {
  /** The public key, PEM. Throws ExchangeError NDX_TOKEN_INVALID or NDX_ISSUER_UNAVAILABLE. */
  find(header: TokenHeader): Promise<string>
  /** PEM; undefined with an external issuer: then no tokens are issued here. */
  readonly signingKey?: string
  readonly signingKeyId?: string
  /** The public key set to publish (RFC 7517). */
  readonly published: { keys: object[] }
}

export function ownIssuerKeys({ issuerKey, issuerKeyId }: Secrets): IssuerKeys {
  const publicKey = createPublicKey(issuerKey)
  const pem = pemOf(publicKey)
  return {
    find: async ({ alg, kid }) => {
      if (kid !== issuerKeyId || alg !== 'ES256') throw new ExchangeError('NDX_TOKEN_INVALID')
      return pem
    },
    signingKey: issuerKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    signingKeyId: issuerKeyId,
    published: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: issuerKeyId, alg: 'ES256', use: 'sig' }] },
  }
}

/** Kept for 10 minutes; an unknown kid asks again, at most once in 30 s, so that a flood of them costs the issuer nothing. */
export function externalIssuerKeys(url: string, { cooldownMs = 30_000 }: { cooldownMs?: number } = {}): IssuerKeys {
  const keySet = createRemoteJWKSet(new URL(url), {
    cacheMaxAge: 600_000,
    cooldownDuration: cooldownMs,
    timeoutDuration: 2_000,
  })
  return {
    find: async ({ alg, kid }) => {
      if (typeof kid !== 'string' || (alg !== 'ES256' && alg !== 'RS256')) throw new ExchangeError('NDX_TOKEN_INVALID')
      try {
        return pemOf(KeyObject.from(await keySet({ alg, kid })))
      } catch (cause) {
        if (cause instanceof errors.JWKSNoMatchingKey || cause instanceof errors.JWKSMultipleMatchingKeys)
          throw new ExchangeError('NDX_TOKEN_INVALID')
        throw new ExchangeError('NDX_ISSUER_UNAVAILABLE', { retryAfterSeconds: 5 }, { cause })
      }
    },
    published: { keys: [] },
  }
}

const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()
