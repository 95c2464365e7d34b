// A client as an agency would write it: signs an assertion with its own key, gets a token, asks. Real HTTP, nothing of the
// gateway's code.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { importJWK, type JWK, SignJWT } from 'jose'
import { type JsonObject } from '#contracts/json.ts'

export interface TokenRequest {
  url: string
  /** Where the simulated clients' private keys are. */
  dataDir: string
  client: string
  scope?: string
}

/** The token endpoint's answer, whatever its status. */
export async function requestToken({
  url,
  dataDir,
  client,
  scope,
}: TokenRequest): Promise<{ status: number; body: JsonObject }> {
  const key = JSON.parse(readFileSync(join(dataDir, 'clients', `${client}.private.json`), 'utf8')) as JWK
  const metadata = (await (await fetch(`${url}/.well-known/oauth-authorization-server`)).json()) as { issuer: string }
  const response = await fetch(`${url}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await signAssertion(key, client, metadata.issuer),
      ...(scope === undefined ? {} : { scope }),
    }),
  })
  return { status: response.status, body: (await response.json()) as JsonObject }
}

const attemptsMax = 20

/** Asks again after a 503, as its answer says: a busy machine can make Redis seem away for a moment. */
export async function getToken(request: TokenRequest): Promise<string> {
  let { status, body } = await requestToken(request)
  for (let attempt = 1; status === 503 && attempt < attemptsMax; attempt++) {
    await new Promise(resolve => setTimeout(resolve, 100))
    ;({ status, body } = await requestToken(request))
  }
  if (status !== 200) throw new Error(`no token: ${JSON.stringify(body)}`)
  return String(body['access_token'])
}

export const signAssertion = async (key: JWK, client: string, audience: string): Promise<string> =>
  new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256', ...(key.kid === undefined ? {} : { kid: key.kid }) })
    .setIssuer(client)
    .setSubject(client)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('60s')
    .sign(await importJWK(key, 'ES256'))

export interface Asked {
  status: number
  headers: Headers
  /** The answer or the problem. */
  body: JsonObject
}

/** Asks one question; rejects only when the connection breaks or nothing came within `patienceMs`. */
export async function ask(
  url: string,
  token: string,
  service: string,
  envelope: object,
  patienceMs = 15_000,
): Promise<Asked> {
  const response = await fetch(`${url}/v1/services/${service}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(envelope),
    signal: AbortSignal.timeout(patienceMs),
  })
  const body = (await response.json()) as JsonObject
  return { status: response.status, headers: response.headers, body }
}
