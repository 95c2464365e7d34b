// One provider, put together: its tools, its handlers, the host that runs them. Every process that runs adapters starts them here.
import { type Registry } from '#contracts/registry.ts'
import { type Nation } from '#nation/nation.ts'
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
}

/** Rejects when a contract has no handler. What was deferred before is taken up again. `stop` ends handlers and host. */
export async function startProvider({
  registry,
  nation,
  dataDir,
  directory,
  ...options
}: ProviderOptions): Promise<Host> {
  const kit = createTools({ ...options, nation, dataDir, services: registry.services })
  try {
    const routes = await loadRoutes(registry, kit.tools, directory)
    return runHost({ ...options, routes, onStopped: kit.stop })
  } catch (error) {
    await kit.stop()
    throw error
  }
}
