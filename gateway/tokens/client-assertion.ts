// private_key_jwt (RFC 7523): a client proves who it is with a short-lived JWT of its own, signed with a key that its
// agreement names. Checked: algorithm, signature, iss = sub = the client, aud = our issuer alone, a life of at most 5 minutes,
// a jti that was not seen before. Which scopes it gets is not decided here.
import { createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, jwtVerify } from 'jose'
import { type Agreement, type ClientId } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { type Counters } from '../counters/counters.ts'

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
export const assertionAlgorithms = ['ES256', 'RS256', 'PS256']
const lifeMaxSeconds = 300
const clockSkewSeconds = 5

export interface AssertionParts {
  issuer: string
  agreements: ReadonlyMap<ClientId, Agreement>
  /** Public keys of simulated clients: those whose agreement names none. */
  clientKeys: ReadonlyMap<ClientId, object>
  counters: Pick<Counters, 'useOnce'>
  now(): number
}

/** The agreement of the client that signed. Throws ExchangeError. */
export async function verifyAssertion(assertion: string, parts: AssertionParts): Promise<Agreement> {
  const agreement = parts.agreements.get(claimedClient(assertion))
  if (agreement === undefined) throw invalid('iss names no client')
  const { jti, exp } = await verifySignature(assertion, agreement, parts)
  const lifeMs = exp * 1000 - parts.now() + clockSkewSeconds * 1000
  const isFirst = await parts.counters.useOnce(`assertion ${agreement.client} ${jti}`, Math.max(lifeMs, 1000))
  if (!isFirst)
    throw new ExchangeError('NDX_ASSERTION_REPLAYED', {
      detail: 'Make a new assertion with a new jti for each request.',
    })
  return agreement
}

function claimedClient(assertion: string): ClientId {
  try {
    return decodeJwt(assertion).iss as ClientId
  } catch {
    throw invalid('it is not a JWT')
  }
}

async function verifySignature(
  assertion: string,
  agreement: Agreement,
  { issuer, clientKeys, now }: AssertionParts,
): Promise<{ jti: string; exp: number }> {
  const { client } = agreement
  const simulated = clientKeys.get(client)
  const keys = agreement.keys.length === 0 && simulated !== undefined ? [simulated] : agreement.keys
  try {
    const { payload } = await jwtVerify(assertion, createLocalJWKSet({ keys } as JSONWebKeySet), {
      algorithms: assertionAlgorithms,
      issuer: client,
      subject: client,
      audience: issuer,
      requiredClaims: ['jti', 'exp', 'iat'],
      maxTokenAge: lifeMaxSeconds,
      clockTolerance: clockSkewSeconds,
      currentDate: new Date(now()),
    })
    const { jti, exp, iat, aud } = payload as { jti: unknown; exp: number; iat: number; aud: unknown }
    if (typeof jti !== 'string' || jti.length < 1 || jti.length > 200)
      throw new ClaimFault('jti must be a text of 1 to 200 characters')
    if (typeof aud !== 'string') throw new ClaimFault('aud must be one text')
    if (exp - iat > lifeMaxSeconds) throw new ClaimFault(`it may live ${lifeMaxSeconds} s at most`)
    return { jti, exp }
  } catch (cause) {
    throw invalid(reasonOf(cause))
  }
}

/** Which of our checks failed, in our own words: jose's messages may quote the assertion. */
function reasonOf(cause: unknown): string {
  if (cause instanceof errors.JWTClaimValidationFailed || cause instanceof errors.JWTExpired)
    return `claim ${cause.claim}: ${cause.reason.replaceAll('_', ' ')}`
  if (cause instanceof ClaimFault) return cause.message
  if (cause instanceof errors.JWKSNoMatchingKey) return 'no key of the client matches its kid and alg'
  if (cause instanceof errors.JWSSignatureVerificationFailed) return 'the signature does not verify'
  return 'it cannot be verified'
}

/** A claim that is there but not as we want it. */
class ClaimFault extends Error {}

const invalid = (reason: string): ExchangeError =>
  new ExchangeError('NDX_ASSERTION_INVALID', { detail: `The client assertion was refused: ${reason}.` })
