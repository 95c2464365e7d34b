// What a command finds around it: the checked configuration, the contracts, and where the gateway is. Read from the environment
// that the terminal brings; nothing is cached.
import { join, relative } from 'node:path'
import { loadRegistry, type Registry } from '#contracts/registry.ts'
import { type Config, readConfig } from '#runtime/config.ts'
import { UsageError } from './command.ts'
import { type Terminal } from './terminal.ts'

export const defaultUrl = 'http://127.0.0.1:8080'
export const defaultOperationsUrl = 'http://127.0.0.1:9464'
export const defaultLedgerUrl = 'http://127.0.0.1:9470'

/** Throws ConfigError. */
export const configOf = ({ environment }: Terminal): Config => readConfig(environment)

/** Throws RegistryError. */
export const registryOf = ({ idScheme, contractsDir }: Config): Registry =>
  loadRegistry({ idScheme, ...(contractsDir === undefined ? {} : { directory: contractsDir }) })

/** `--url`, else NDX_URL, else the default; without a slash at the end. */
export function urlOf(option: string | undefined, { environment }: Terminal): string {
  if (option !== undefined) return checkUrl('--url', option)
  return environment['NDX_URL'] ? checkUrl('NDX_URL', environment['NDX_URL']) : defaultUrl
}

export const operationsUrlOf = ({ environment }: Terminal): string =>
  environment['NDX_OPERATIONS_URL']
    ? checkUrl('NDX_OPERATIONS_URL', environment['NDX_OPERATIONS_URL'])
    : defaultOperationsUrl

/** `--ledger`, else NDX_LEDGER_URL, else the default. */
export function ledgerUrlOf(option: string | undefined, { environment }: Terminal): string {
  if (option !== undefined) return checkUrl('--ledger', option, defaultLedgerUrl)
  const named = environment['NDX_LEDGER_URL']
  return named ? checkUrl('NDX_LEDGER_URL', named, defaultLedgerUrl) : defaultLedgerUrl
}

/** Where an embedded exchange logs, and where `watch` looks. */
export const logFileOf = ({ logFile, dataDir }: Pick<Config, 'logFile' | 'dataDir'>): string =>
  logFile ?? join(dataDir, 'log', 'ndx.log')

/** As short as it can be said from here. */
export function shownPath(path: string): string {
  const shown = relative(process.cwd(), path)
  return shown === '' || shown.startsWith('..') ? path : shown
}

/** How a server that listens there is reached from this machine. */
export function addressOf(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function checkUrl(name: string, text: string, example = defaultUrl): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new UsageError(`${name} must be an address like ${example}.`)
  return text.replace(/\/+$/, '')
}

/** A whole number from 0 up to below `count`. */
export function readIndex(text: string, count: number): number {
  const index = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (!(index < count)) throw new UsageError(`<n> is a whole number from 0 to ${(count - 1).toLocaleString('en')}.`)
  return index
}
