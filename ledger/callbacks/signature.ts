// The signature of a callback, as the Standard Webhooks specification 1.0 has it: HMAC-SHA-256 over `<id>.<timestamp>.<body>`, so
// that any of its libraries can verify ours. The secret is shared with the client alone.
import { createHmac, timingSafeEqual } from 'node:crypto'

export interface SignedMessage {
  /** `webhook-id`: the same for every try. */
  id: string
  /** `webhook-timestamp`: seconds since the epoch, of this try. */
  timestampSeconds: number
  body: string
}

const secretPrefix = 'whsec_'

/** `v1,<base64>` @param secret `whsec_<base64 of 24 to 64 bytes>`; throws on another form. */
export function signMessage({ id, timestampSeconds, body }: SignedMessage, secret: string): string {
  const mac = createHmac('sha256', keyOf(secret)).update(`${id}.${timestampSeconds}.${body}`).digest('base64')
  return `v1,${mac}`
}

/** True when one of the space-separated signatures is ours. The age of the timestamp is the receiver's to judge. */
export function isSignedBy(message: SignedMessage, signatures: string, secret: string): boolean {
  const expected = Buffer.from(signMessage(message, secret))
  return signatures.split(' ').some(signature => {
    const given = Buffer.from(signature)
    return given.length === expected.length && timingSafeEqual(given, expected)
  })
}

function keyOf(secret: string): Buffer {
  const key = Buffer.from(secret.slice(secretPrefix.length), 'base64')
  if (!secret.startsWith(secretPrefix) || key.length < 24 || key.length > 64)
    throw new Error('a callback secret is whsec_ and the base64 of 24 to 64 bytes')
  return key
}
