// Secrets are made at first start and kept as files of the owner alone; none is committed, none has a default. The simulated
// clients' private keys lie beside them so that the command line can act as a client; a gateway reads only public ones.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type ClientId } from '#contracts/contract.ts'
import { makePseudonymKeys, type PseudonymKeys, readPseudonymKeys } from './pseudonym-keys.ts'
import { readSecretFile, writeWhole } from './secret-file.ts'

export { readSecretFile }

export interface Secrets {
  /** Signs access tokens (ES256). */
  issuerKey: KeyObject
  issuerKeyId: string
  /** For pseudonyms and commitments; picks up versions that come and go. */
  pseudonymKeys: PseudonymKeys
  /** Keys the digests of Idempotency-Keys and their bodies; not rotated, since they live only as long as the window. */
  indexKey: Buffer
}

const issuerFile = 'issuer-key.json'
const indexFile = 'index-key'

/** As the registry names them. */
export interface ClientsWithSecrets {
  /** They get a key pair and a callback secret. */
  simulatedClients: readonly ClientId[]
  /** They get a callback secret: the client's copy has to be handed over, whoever holds its key. */
  callbackClients: readonly ClientId[]
}

/** Makes what is missing and leaves what is there; `nowMs` decides of which months. Returns the names of the files made. */
export function makeSecrets(
  dataDir: string,
  { simulatedClients, callbackClients }: ClientsWithSecrets,
  nowMs = Date.now(),
): string[] {
  const made: string[] = []
  const make = (name: string, content: () => string, mode = 0o600): void => {
    const path = join(dataDir, name)
    if (existsSync(path)) return
    writeWhole(path, content(), mode)
    made.push(name)
  }
  mkdirSync(join(dataDir, 'secrets'), { recursive: true, mode: 0o700 })
  mkdirSync(join(dataDir, 'clients'), { recursive: true, mode: 0o700 })
  make(`secrets/${issuerFile}`, () => JSON.stringify(makeKey()))
  made.push(...makePseudonymKeys(dataDir, nowMs))
  make(`secrets/${indexFile}`, () => randomBytes(32).toString('base64url'))
  const makeCallbackSecret = (client: ClientId): void =>
    make(`clients/${client}.callback-secret`, () => `whsec_${randomBytes(32).toString('base64')}`)
  for (const client of simulatedClients) {
    makeCallbackSecret(client)
    make(`clients/${client}.private.json`, () => JSON.stringify(makeKey()))
    make(
      `clients/${client}.public.json`,
      () => JSON.stringify(publicPartOf(readKey(join(dataDir, `clients/${client}.private.json`)))),
      0o644,
    )
  }
  for (const client of callbackClients) makeCallbackSecret(client)
  return made
}

/** Reads the gateway's own secrets. Throws with what to do when one is missing. */
export function readSecrets(dataDir: string): Secrets {
  const issuer = readKey(join(dataDir, 'secrets', issuerFile))
  return {
    issuerKey: createPrivateKey({ key: issuer, format: 'jwk' }),
    issuerKeyId: String(issuer['kid']),
    pseudonymKeys: readPseudonymKeys(dataDir),
    indexKey: Buffer.from(readSecretFile(join(dataDir, 'secrets', indexFile)).trim(), 'base64url'),
  }
}

/** Public keys of the simulated clients, by client. */
export function readClientKeys(dataDir: string): Map<ClientId, JsonWebKey> {
  const folder = join(dataDir, 'clients')
  if (!existsSync(folder)) return new Map()
  const files = readdirSync(folder).filter(name => name.endsWith('.public.json'))
  return new Map(files.map(name => [name.slice(0, -'.public.json'.length) as ClientId, readKey(join(folder, name))]))
}

/** The private key of a simulated client, for the command line. */
export const readClientPrivateKey = (dataDir: string, client: string): JsonWebKey =>
  readKey(join(dataDir, 'clients', `${client}.private.json`))

/** With it the ledger signs callbacks to this client, and the client verifies them; undefined: the client has none. */
export function readCallbackSecret(dataDir: string, client: string): string | undefined {
  const path = join(dataDir, 'clients', `${client}.callback-secret`)
  return existsSync(path) ? readSecretFile(path).trim() : undefined
}

const readKey = (path: string): JsonWebKey => JSON.parse(readSecretFile(path)) as JsonWebKey

/** An ES256 key pair as a private JWK; its kid is its thumbprint (RFC 7638). */
function makeKey(): JsonWebKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = privateKey.export({ format: 'jwk' })
  const thumbprint = hash('sha256', JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }), 'base64url')
  return { ...jwk, kid: thumbprint, alg: 'ES256', use: 'sig' }
}

export function publicPartOf(jwk: JsonWebKey): JsonWebKey {
  const publicJwk = createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'jwk' })
  return { ...publicJwk, kid: jwk['kid'], alg: jwk['alg'], use: 'sig' }
}
