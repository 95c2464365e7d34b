// How a client proves who it is at the token endpoint: an assertion signed with its private key (private_key_jwt, RFC 7523). For
// the command line, which acts as a simulated client, and for a register that asks others.
import { randomUUID } from 'node:crypto'
import { type JWK, SignJWT } from 'jose'

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const lifeSeconds = 60

/** The form of a request for an access token. `issuer` is what the server's metadata say (RFC 8414). */
export async function tokenRequest(
  key: JWK,
  { client, issuer, scope }: { client: string; issuer: string; scope?: string | undefined },
): Promise<URLSearchParams> {
  return new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: assertionType,
    client_assertion: await signAssertion(key, client, issuer),
    ...(scope === undefined ? {} : { scope }),
  })
}

const signAssertion = (key: JWK, client: string, issuer: string): Promise<string> =>
  new SignJWT()
    .setProtectedHeader({ alg: 'ES256', ...(key.kid === undefined ? {} : { kid: key.kid }) })
    .setIssuer(client)
    .setSubject(client)
    .setAudience(issuer)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime(`${lifeSeconds} seconds`)
    .sign(key)
