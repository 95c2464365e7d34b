// The ledger process of the real stack: one at a time, on Kafka, with its store under NDX_DATA_DIR. `npm start` runs the same
// ledger embedded (cli/embedded.ts). It gives way to processes beside it: nobody waits for it, what it has not read stays on the
// road, and in one go it costs less.
import { constants, setPriority } from 'node:os'
import { createKafkaBus } from '#bus/kafka-bus/kafka-bus.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { endProcess, runProcess } from '#runtime/lifetime.ts'
import { logAs } from '#runtime/log.ts'
import { readPseudonymKeys } from '#runtime/pseudonym-keys.ts'
import { createCommitments } from '#runtime/pseudonyms.ts'
import { readCallbackSecret } from '#runtime/secrets.ts'
import { startLedger } from './ledger.ts'

setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
await runProcess(async (config, log) => {
  const { kafkaBrokers, contractsDir } = config
  if (kafkaBrokers === undefined) throw new Error('set NDX_KAFKA_BROKERS; `npm start` runs without servers')
  const registry = loadRegistry({
    idScheme: config.idScheme,
    ...(contractsDir === undefined ? {} : { directory: contractsDir }),
  })
  const bus = createKafkaBus({ brokers: kafkaBrokers, clientId: config.instance, log: logAs(log, 'bus') })
  const ledger = await startLedger({
    config,
    registry,
    bus,
    commitments: createCommitments(readPseudonymKeys(config.dataDir), Date.now),
    callbackSecretOf: client => readCallbackSecret(config.dataDir, client),
    log,
    onFatal: endProcess,
  })
  ledger.ready.then(() => log.info({ event: 'ready' })).catch(() => {})
  log.info({ event: 'listening', url: ledger.url })
  return {
    stop: async () => {
      await ledger.stop()
      await bus.close()
    },
  }
})
