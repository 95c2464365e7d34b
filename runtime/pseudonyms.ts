// Keyed pseudonyms: what stands for a person outside `data` (DESIGN: numbers that name people), and keyed commitments: what
// proves later what the data was. A bare hash of twelve digits is broken in minutes, so the key is secret; a domain per use keeps
// one use from being joined with another; a key per month bounds what one key can tell, and ends when it is destroyed.
import { hash, hkdfSync } from 'node:crypto'
import { createKeyring, type KeyringOptions, type KeySource } from './key-versions.ts'

/** What a pseudonym stands for; pseudonyms of two domains cannot be compared. */
export type PseudonymDomain = 'subject' | 'officer'

export interface Pseudonyms {
  /** `<key version>.<22 characters>`, the same for the same value, domain and key version. Never fails for want of a version. */
  of(domain: PseudonymDomain, value: string): string
  /** Key versions that are there, in the order of use. */
  readonly versions: readonly string[]
}

export interface Commitments {
  /** `<key version>.<43 characters>`: proves later what the data was, to whoever has the key and the data. */
  commit(exchangeId: string, kind: DataKind, data: string): string
  /** Whether it is a commitment to this data; undefined: its key is gone, so nobody can tell any more. */
  matches(commitment: string, exchangeId: string, kind: DataKind, data: string): boolean | undefined
}
type DataKind = 'request' | 'reply'

/** `now` in epoch ms; the month is that of UTC+7. Throws when there is no key. */
export function createPseudonyms(
  keys: KeySource,
  now: () => number,
  onTrouble?: KeyringOptions<unknown>['onTrouble'],
): Pseudonyms {
  const keyring = createKeyring({
    keys,
    now,
    make: key => ({
      subject: createKeyedHash(derive(key, 'subject')),
      officer: createKeyedHash(derive(key, 'officer')),
    }),
    ...(onTrouble === undefined ? {} : { onTrouble }),
  })
  return {
    of(domain, value) {
      const { version, made } = keyring.current()
      return `${version}.${made[domain](value).slice(0, pseudonymLength)}`
    },
    get versions() {
      return keyring.versions
    },
  }
}

/** The same keys and versions as pseudonyms, another domain. */
export function createCommitments(
  keys: KeySource,
  now: () => number,
  onTrouble?: KeyringOptions<unknown>['onTrouble'],
): Commitments {
  const keyring = createKeyring({
    keys,
    now,
    make: key => createKeyedHash(derive(key, 'commitment')),
    ...(onTrouble === undefined ? {} : { onTrouble }),
  })
  return {
    commit(exchangeId, kind, data) {
      const { version, made } = keyring.current()
      return `${version}.${made(statementOf(exchangeId, kind, data))}`
    },
    matches(commitment, exchangeId, kind, data) {
      const version = commitment.slice(0, commitment.indexOf('.'))
      const keyedHash = keyring.find(version)
      if (keyedHash === undefined) return undefined
      return commitment === `${version}.${keyedHash(statementOf(exchangeId, kind, data))}`
    },
  }
}

const statementOf = (exchangeId: string, kind: DataKind, data: string): string => `${kind}\0${exchangeId}\0${data}`

/** Of base64url: 132 bits. */
const pseudonymLength = 22
const blockBytes = 64
const digestBytes = 32
/** Longer values are hashed first: no identifier is, and little data. */
const valueBytesMax = 8192

/** A key of its own for each domain (HKDF, RFC 5869). */
const derive = (key: Buffer, domain: PseudonymDomain | 'commitment'): Buffer =>
  Buffer.from(hkdfSync('sha256', key, '', `ndx pseudonym ${domain}`, digestBytes))

/**
 * HMAC-SHA-256 (RFC 2104) as base64url, as two one-shot hashes over buffers that are made once: a third of the time of
 * node:crypto's Hmac object, on a path that every exchange takes.
 */
function createKeyedHash(key: Buffer): (value: string) => string {
  const inner = Buffer.alloc(blockBytes + valueBytesMax, 0x36)
  const outer = Buffer.alloc(blockBytes + digestBytes, 0x5c)
  for (const [i, byte] of key.entries()) {
    inner.writeUInt8(0x36 ^ byte, i)
    outer.writeUInt8(0x5c ^ byte, i)
  }
  return value => {
    const isLong = value.length * 3 > valueBytesMax
    const length = inner.write(isLong ? hash('sha256', value) : value, blockBytes)
    outer.write(hash('sha256', inner.subarray(0, blockBytes + length), 'binary'), blockBytes, 'latin1')
    return hash('sha256', outer, 'base64url')
  }
}

/** SHA-256 as base64url; only for values that are not personal data. */
export const digestOf = (value: string): string => hash('sha256', value, 'base64url')
