// The entry of an Idempotency-Key, pure: how it is named, written, read and compared. Small, since there is one for each key
// of a whole window: digests are cut to 128 bits, and the deadline is told from the beginning. Both backends hold the same text.
import { hash } from 'node:crypto'
import { type ServiceId } from '#contracts/contract.ts'
import { type Beginning, type Begun } from '#gateway/counters/counters.ts'

const digestLengthMax = 128
const windowMsMax = 40 * 86_400_000
const exchangeIdForm = /^[A-Za-z0-9-]{1,64}$/

/** Names the key within its client; two services may use one key for different things. */
export const keyName = (service: ServiceId, key: string): string => cut(`${service} ${key}`)

/**
 * `<exchange id> <body> <began, epoch ms> <ms from there to the deadline>`
 * @throws RangeError when a part is out of its bounds; it is ours, not the client's.
 */
export function writeEntry(beginning: Beginning): string {
  const { exchangeId, key, body, windowMs } = beginning
  checkDigest('key', key)
  checkDigest('body', body)
  checkExchangeId(exchangeId)
  if (!(windowMs >= 1 && windowMs <= windowMsMax)) throw new RangeError(`windowMs: not 1 to ${windowMsMax}`)
  const beganMs = Math.floor(beginning.beganMs)
  const restMs = Math.ceil(beginning.deadlineMs) - beganMs
  if (!Number.isSafeInteger(beganMs) || !(restMs >= 0 && restMs <= windowMsMax)) {
    throw new RangeError(`deadlineMs: not 0 to ${windowMsMax} ms after beganMs`)
  }
  return `${exchangeId} ${cut(body)} ${beganMs} ${restMs}`
}

/** What an entry that was there says to a question with this body. */
export function compareEntry(entry: string, body: string): Exclude<Begun, { state: 'new' }> {
  const [exchangeId = '', firstBody, began, rest] = entry.split(' ')
  if (firstBody !== cut(body)) return { state: 'other' }
  const beganMs = Number(began)
  return { state: 'same', exchangeId, beganMs, deadlineMs: beganMs + Number(rest) }
}

/** Whether the entry is that exchange's. */
export const isEntryOf = (entry: string | undefined, exchangeId: string): boolean =>
  entry?.startsWith(`${exchangeId} `) === true

export const isExchangeId = (value: string): boolean => exchangeIdForm.test(value)

/** @throws RangeError */
export function checkExchangeId(exchangeId: string): void {
  if (!isExchangeId(exchangeId)) throw new RangeError('exchangeId: not 1 to 64 letters, digits and hyphens')
}

function checkDigest(name: string, digest: string): void {
  if (digest.length < 1 || digest.length > digestLengthMax) {
    throw new RangeError(`${name}: not 1 to ${digestLengthMax} characters`)
  }
}

const cut = (text: string): string => hash('sha256', text, 'base64url').slice(0, 22)
