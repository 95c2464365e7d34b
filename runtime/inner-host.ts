// Whether a request to an inner listener was meant for it. A listener without authentication on loopback or an inner network can be
// reached by a page in an operator's browser, whose name was made to resolve there (DNS rebinding): then its Host is that name. An
// address is no name that anybody could make resolve, so it passes.
import { isIP } from 'node:net'
import { hostname } from 'node:os'

/** Misdirected Request (RFC 9110). */
export const foreignHostStatus = 421
export const foreignHostText = 'this host name is not known here; NDX_INNER_HOSTS names more'
/** A page of another origin cannot send it without being allowed to first. */
export const operatorHeader = 'ndx-operator'

const hostForm = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/

/** Of a Host header: an address, `localhost`, this machine's name, or one of these. */
export function isInnerHost(header: string | undefined, names: readonly string[]): boolean {
  const [, address, name] = hostForm.exec((header ?? '').toLowerCase()) ?? []
  if (address !== undefined) return isIP(address) === 6
  if (name === undefined) return false
  return isIP(name) === 4 || ['localhost', hostname(), ...names].some(known => known.toLowerCase() === name)
}
