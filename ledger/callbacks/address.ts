// Where a callback may go: only to addresses that its agreement names, and of these only to public ones, or to networks that the
// operator allows. What a name resolves to is checked at every connection and that very address is connected to, so that a name
// which changes its mind between check and use (rebinding) gains nothing.
import { lookup as resolveName } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** Loopback, private, link-local, shared, benchmark, documentation, multicast and reserved (IANA special-purpose registries). */
const closedNetworks = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
  'ff00::/8',
]

export class AddressRefused extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'AddressRefused'
  }
}

export interface CallbackAddresses {
  /** Throws AddressRefused for a URL that is not http(s), has credentials, or names a closed address. */
  check(url: URL): void
  /** For node:http: resolves a name and fails with AddressRefused unless every address it has is open. */
  lookup: LookupFunction
}

/** @param allowed networks in CIDR form that are open although closed to others. Throws on another form. */
export function createCallbackAddresses(allowed: readonly string[]): CallbackAddresses {
  const closed = listOf(closedNetworks)
  const open = listOf(allowed)
  const isOpen = (address: string): boolean => {
    const plain = unmapped(address)
    const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4'
    return open.check(plain, family) || !closed.check(plain, family)
  }
  return {
    check(url) {
      if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new AddressRefused('a callback goes over https')
      if (url.username !== '' || url.password !== '')
        throw new AddressRefused('a callback address holds no credentials')
      const host = url.hostname.replace(/^\[|\]$/g, '')
      if (isIP(host) === 0) {
        if (url.protocol === 'http:') throw new AddressRefused('a callback to a name goes over https')
        return
      }
      if (!isOpen(host)) throw new AddressRefused('the callback address is in a closed network')
      if (url.protocol === 'http:' && !open.check(unmapped(host), isIP(unmapped(host)) === 6 ? 'ipv6' : 'ipv4'))
        throw new AddressRefused('a callback over http needs a network that the operator allows')
    },
    lookup(hostname, _options, callback) {
      resolveName(hostname, { all: true }, (error, addresses) => {
        if (error) return callback(error, [])
        if (addresses.length === 0 || !addresses.every(({ address }) => isOpen(address)))
          return callback(new AddressRefused('the callback name resolves into a closed network'), [])
        callback(null, addresses)
      })
    },
  }
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits = ''] = network.split('/')
    const family = isIP(address)
    const width = Number(bits)
    if (family === 0 || !/^\d{1,3}$/.test(bits) || width > (family === 4 ? 32 : 128))
      throw new Error(`not a network: ${network}; write it as 10.1.0.0/16`)
    list.addSubnet(address, width, family === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}

/** An IPv4 address in IPv6 clothes is the IPv4 address. */
const unmapped = (address: string): string => /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
