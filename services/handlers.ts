// Finds the code for each contract of a provider: services/<provider>/<service>.ts, exported as `createHandler`. A contract
// without a handler, or a handler without a contract, stops the host at start and is named.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type ProviderId } from '#contracts/contract.ts'
import { type Registry } from '#contracts/registry.ts'
import { type AdapterTools, type CreateHandler } from './adapter.ts'
import { type Route } from './execution.ts'

/** The folder this file is in: the adapters that come with NDX. */
export const ownServicesDir = import.meta.dirname

/** Providers that have a folder of handlers. */
export const listProviders = (directory = ownServicesDir): ProviderId[] =>
  readdirSync(directory, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name as ProviderId)

/** Throws with every contract that has no handler. */
export async function loadRoutes(
  registry: Registry,
  tools: AdapterTools,
  directory = ownServicesDir,
): Promise<Route[]> {
  const services = registry.services.filter(service => service.providerId === tools.provider)
  if (services.length === 0)
    throw new Error(`no contract names the provider ${tools.provider}; see contracts/README.md`)
  const missing = services.map(service => fileOf(directory, service)).filter(file => !existsSync(file))
  if (missing.length > 0) throw new Error(`no handler for: ${missing.join(', ')}; see services/README.md`)
  return Promise.all(
    services.map(async service => {
      const module = (await import(pathToFileURL(fileOf(directory, service)).href)) as { createHandler?: CreateHandler }
      if (typeof module.createHandler !== 'function')
        throw new Error(`${fileOf(directory, service)} does not export createHandler`)
      return { service, handler: module.createHandler(tools) }
    }),
  )
}

const fileOf = (
  directory: string,
  { providerId, name, major }: { providerId: string; name: string; major: number },
): string => join(directory, providerId, major === 1 ? `${name}.ts` : `${name}.v${major}.ts`)
