// Keyed pseudonyms: what stands for a person outside `data` (DESIGN: numbers that name people). A bare hash of twelve digits
// is broken in minutes, so the key is secret; a domain per use keeps one use from being joined with another.
import { createHmac, createSecretKey, hash, hkdfSync, type KeyObject } from 'node:crypto'

/** What a pseudonym stands for; pseudonyms of two domains cannot be compared. */
export type PseudonymDomain = 'subject' | 'officer'

export interface Pseudonyms {
  /** `<key version>.<22 characters>`, the same for the same value, domain and key. */
  of(domain: PseudonymDomain, value: string): string
}

export function createPseudonyms(key: Buffer, version = 'v1'): Pseudonyms {
  if (key.length < 32) throw new Error('the pseudonym key needs at least 32 bytes')
  const keys: Record<PseudonymDomain, KeyObject> = { subject: derive(key, 'subject'), officer: derive(key, 'officer') }
  return {
    of: (domain, value) =>
      `${version}.${createHmac('sha256', keys[domain]).update(value).digest().subarray(0, 16).toString('base64url')}`,
  }
}

/** A key of its own for each domain (HKDF, RFC 5869). */
const derive = (key: Buffer, domain: PseudonymDomain): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', key, '', `ndx pseudonym ${domain}`, 32)))

/** SHA-256 as base64url; only for values that are not personal data. */
export const digestOf = (value: string): string => hash('sha256', value, 'base64url')
