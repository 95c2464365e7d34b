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
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ClientId } from '#contracts/contract.ts'

export interface Secrets {
  /** Signs access tokens (ES256). */
  issuerKey: KeyObject
  issuerKeyId: string
  pseudonymKey: Buffer
}

const issuerFile = 'issuer-key.json'
const pseudonymFile = 'pseudonym-key'

/** Makes what is missing and leaves what is there. Returns the names of the files made. */
export function makeSecrets(dataDir: string, clients: Iterable<ClientId>): string[] {
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
  make(`secrets/${pseudonymFile}`, () => randomBytes(32).toString('base64url'))
  for (const client of clients) {
    make(`clients/${client}.private.json`, () => JSON.stringify(makeKey()))
    make(
      `clients/${client}.public.json`,
      () => JSON.stringify(publicPartOf(readKey(join(dataDir, `clients/${client}.private.json`)))),
      0o644,
    )
  }
  return made
}

/** Reads the gateway's own secrets. Throws with what to do when one is missing. */
export function readSecrets(dataDir: string): Secrets {
  const issuer = readKey(join(dataDir, 'secrets', issuerFile))
  return {
    issuerKey: createPrivateKey({ key: issuer, format: 'jwk' }),
    issuerKeyId: String(issuer['kid']),
    pseudonymKey: Buffer.from(readSecretFile(join(dataDir, 'secrets', pseudonymFile)).trim(), 'base64url'),
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

const readKey = (path: string): JsonWebKey => JSON.parse(readSecretFile(path)) as JsonWebKey

export function readSecretFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Error(`cannot read the secret ${path}; \`npx ndx secrets\` makes what is missing`, { cause })
  }
}

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

/** Never half a file: written beside, then renamed. */
function writeWhole(path: string, content: string, mode: number): void {
  const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`
  writeFileSync(beside, `${content}\n`, { mode, flag: 'wx' })
  renameSync(beside, path)
}
