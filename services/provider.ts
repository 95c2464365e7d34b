// One provider, put together: its tools, its handlers, the host that runs them. Every process that runs adapters starts them here.
import { type Registry } from '#contracts/registry.ts'
import { type Nation } from '#nation/nation.ts'
import { type AdapterTools } from './adapter.ts'
import { createAsker } from './asking.ts'
import { loadRoutes } from './handlers.ts'
import { type Host, type HostOptions, runHost } from './host.ts'
import { createTools } from './tools.ts'

export interface ProviderOptions extends Omit<HostOptions, 'routes' | 'onStopped'> {
  registry: Registry
  nation: Nation
  /** Folder of all that this installation keeps; registers keep theirs below it. */
  dataDir: string
  /** Folder of handlers; default: those that come with NDX. */
  directory?: string | undefined
  /** Where it asks other registers; undefined as long as that is not known. */
  gatewayUrl?: (() => string | undefined) | undefined
  /** In place of asking there. */
  ask?: AdapterTools['ask']
}

/** Rejects when a contract has no handler. What was deferred before is taken up again. `stop` ends handlers and host. */
export async function startProvider({
  registry,
  nation,
  dataDir,
  directory,
  gatewayUrl,
  ...options
}: ProviderOptions): Promise<Host> {
  const isAsker = options.ask === undefined && gatewayUrl !== undefined
  const asker = isAsker ? createAsker({ client: options.provider, url: gatewayUrl, dataDir }) : undefined
  const kit = createTools({
    ...options,
    nation,
    dataDir,
    services: registry.services,
    ...(asker === undefined ? {} : { ask: asker.ask }),
    ...(options.ask === undefined ? {} : { ask: options.ask }),
  })
  /** What is asked is not waited for any more; it is asked again by the next. */
  const onStopped = async (): Promise<void> => {
    asker?.stop()
    await kit.stop()
  }
  try {
    const routes = await loadRoutes(registry, kit.tools, directory)
    return runHost({ ...options, routes, onStopped })
  } catch (error) {
    await onStopped()
    throw error
  }
}
