// What is simulated against: a platform that runs, or an embedded exchange in this process, started for the run with a data
// directory of its own, which ends with it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Config } from '#runtime/config.ts'
import { createLog } from '#runtime/log.ts'
import { startEmbedded } from '../embedded.ts'

export interface Platform {
  url: string
  ledgerUrl: string
  /** Where the clients' keys are. */
  dataDir: string
  isEmbedded: boolean
  stop(): Promise<void>
}

/** The simulation shares the event loop, so lag is no sign of overload here. */
const eventLoopDelayMaxMs = 60_000

export async function startOwnPlatform(given: Config): Promise<Platform> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ndx-simulate-'))
  const { kafkaBrokers: _, redisUrl: __, ledgerUrl: ___, logFile, ...rest } = given
  const config: Config = { ...rest, dataDir, port: 0, operationsPort: 0, ledgerPort: 0, eventLoopDelayMaxMs }
  const log =
    logFile === undefined
      ? createLog({ level: 'silent', instance: given.instance, stream: { write: () => {} } })
      : createLog({ level: given.logLevel, file: logFile, instance: given.instance })
  const remove = (): void => rmSync(dataDir, { recursive: true, force: true })
  try {
    const exchange = await startEmbedded(config, log)
    return {
      url: exchange.gateway.url,
      ledgerUrl: exchange.ledger.url,
      dataDir,
      isEmbedded: true,
      stop: async () => {
        await exchange.stop()
        remove()
      },
    }
  } catch (error) {
    remove()
    throw error
  }
}
