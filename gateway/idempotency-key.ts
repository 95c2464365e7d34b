// The Idempotency-Key field (draft-ietf-httpapi-idempotency-key-header): its form, and the keyed digests under which the key and
// the body it came with are remembered. Neither key nor body leaves this file otherwise.
import { createHmac, createSecretKey } from 'node:crypto'
import { type Service } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { type IdempotencyDigests } from './exchange/inquiry.ts'

const keyForm = /^[!-~]{1,128}$/
/** Of base64url: 132 bits. */
const digestLength = 22

export type DigestKey = (value: string, body: Buffer, service: Service) => IdempotencyDigests

/** The same key and body asked of another major version of the service is another question. */
export function createDigestKey(indexKey: Buffer): DigestKey {
  const secret = createSecretKey(indexKey)
  const digest = (...parts: (string | Buffer)[]): string => {
    const hmac = createHmac('sha256', secret)
    for (const part of parts) hmac.update(part)
    return hmac.digest('base64url').slice(0, digestLength)
  }
  return (value, body, { major }) => ({
    key: digest('key\n', readKey(value)),
    body: digest(`body v${major}\n`, body),
  })
}

/** Throws NDX_IDEMPOTENCY_KEY_INVALID. The draft's form is a quoted string; the bare one is common, and means the same. */
function readKey(value: string): string {
  const isQuoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"')
  const key = isQuoted ? value.slice(1, -1) : value
  if (keyForm.test(key)) return key
  throw new ExchangeError('NDX_IDEMPOTENCY_KEY_INVALID', { detail: 'One key of 1 to 128 visible ASCII characters.' })
}
