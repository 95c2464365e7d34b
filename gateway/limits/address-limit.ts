// What one address may have refused before anybody was identified. Past it only tokens that are verified already pass, so that a
// sender without a key costs no signatures, and the clients behind the same proxy go on.
import { ExchangeError } from '#contracts/errors.ts'
import { createTokenBuckets } from './token-buckets.ts'

export interface AddressLimit {
  /** A refusal without an identified client went to it. */
  count(address: string | undefined): void
  /** Throws NDX_ADDRESS_LIMITED. */
  check(address: string | undefined): void
}

const addressesMax = 10_000
/** How many seconds' worth may come at once. */
const burstSeconds = 4

/** @param perSecond 0: no bound. */
export function createAddressLimit({ perSecond, now }: { perSecond: number; now(): number }): AddressLimit {
  if (perSecond === 0) return { count: () => {}, check: () => {} }
  const limits = { ratePerSecond: perSecond, burst: perSecond * burstSeconds }
  const buckets = createTokenBuckets({ limits, now, namesMax: addressesMax })
  return {
    count: address => void buckets.take(nameOf(address)),
    check(address) {
      const { admitted, resetSeconds } = buckets.look(nameOf(address))
      if (!admitted) throw new ExchangeError('NDX_ADDRESS_LIMITED', { retryAfterSeconds: Math.max(1, resetSeconds) })
    },
  }
}

/** Of IPv6 the network: one subscriber has all addresses of a /64. An IPv4 address may be written as one of IPv6. */
export function nameOf(address = ''): string {
  if (!address.includes(':')) return address
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  const [head = '', tail] = (address.split('%')[0] as string).toLowerCase().split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after]
  return groups
    .slice(0, 4)
    .map(group => group.replace(/^0+(?=.)/, ''))
    .join(':')
}
