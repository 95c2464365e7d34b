// An adapter of this project as a conformance run wants it: on a road it shares with the check, each life on a bus of its own, so that
// it can be killed as by kill -9. Its register's store outlives it.
import { MemoryBus } from '#bus/memory-bus.ts'
import { type MemoryRoad } from '#bus/memory-road.ts'
import { type Candidate } from '#conformance/candidate.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { type Registry } from '#contracts/registry.ts'
import { createNation, type Nation } from '#nation/nation.ts'
import { type Config } from '#runtime/config.ts'
import { createLog } from '#runtime/log.ts'
import { type Host } from '#services/host.ts'
import { startProvider } from '#services/provider.ts'

export interface OwnAdapterParts {
  road: MemoryRoad
  registry: Registry
  provider: string
  dataDir: string
  config: Config
}

const outputMax = 8 * 2 ** 20

export class OwnAdapter implements Candidate {
  readonly #parts: OwnAdapterParts
  readonly #nation: Nation
  #life: { bus: MemoryBus; host: Host } | undefined
  #output = ''

  constructor(parts: OwnAdapterParts) {
    this.#parts = parts
    this.#nation = createNation({ seed: parts.config.nationSeed })
  }

  async start(): Promise<void> {
    const { road, registry, provider, dataDir, config } = this.#parts
    const bus = new MemoryBus({ road })
    const stream = { write: (line: string) => this.#print(line) }
    const host = await startProvider({
      provider: provider as ProviderId,
      registry,
      nation: this.#nation,
      dataDir,
      directory: config.servicesDir,
      bus,
      instance: config.instance,
      poolSize: config.poolSize,
      log: createLog({ level: 'debug', instance: config.instance, stream }),
      now: () => bus.now(),
      clock: () => performance.now(),
    })
    this.#life = { bus, host }
    await host.ready
  }

  /** What it has in hand is lost to it; its timers and its store are closed, since the process lives on. */
  async kill(): Promise<void> {
    this.#life?.bus.kill()
    await this.stop()
  }

  async stop(): Promise<void> {
    const life = this.#life
    this.#life = undefined
    await life?.host.stop()
    await life?.bus.close()
  }

  output(): string {
    return this.#output
  }

  ended(): undefined {
    return undefined
  }

  #print(line: string): void {
    if (this.#output.length < outputMax) this.#output += line
  }
}
