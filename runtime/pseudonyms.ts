// Keyed pseudonyms: what stands for a person outside `data` (DESIGN: numbers that name people). A bare hash of twelve digits
// is broken in minutes, so the key is secret; a domain per use keeps one use from being joined with another.
import { hash, hkdfSync } from 'node:crypto'

/** What a pseudonym stands for; pseudonyms of two domains cannot be compared. */
export type PseudonymDomain = 'subject' | 'officer'

export interface Pseudonyms {
  /** `<key version>.<22 characters>`, the same for the same value, domain and key. */
  of(domain: PseudonymDomain, value: string): string
}

export function createPseudonyms(key: Buffer, version = 'v1'): Pseudonyms {
  if (key.length < 32) throw new Error('the pseudonym key needs at least 32 bytes')
  const keyed = { subject: createKeyedHash(derive(key, 'subject')), officer: createKeyedHash(derive(key, 'officer')) }
  return { of: (domain, value) => `${version}.${keyed[domain](value).slice(0, pseudonymLength)}` }
}

/** Of base64url: 132 bits. */
const pseudonymLength = 22
const blockBytes = 64
const digestBytes = 32
/** Longer values are hashed first; no identifier is. */
const valueBytesMax = 512

/** A key of its own for each domain (HKDF, RFC 5869). */
const derive = (key: Buffer, domain: PseudonymDomain): Buffer =>
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
    hash('sha256', inner.subarray(0, blockBytes + length), 'buffer').copy(outer, blockBytes)
    return hash('sha256', outer, 'base64url')
  }
}

/** SHA-256 as base64url; only for values that are not personal data. */
export const digestOf = (value: string): string => hash('sha256', value, 'base64url')
