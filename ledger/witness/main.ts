// The witness process. It needs its data directory and a port, and knows neither Kafka nor the ledger's store.
import { runProcess } from '#runtime/lifetime.ts'
import { startWitness } from './server.ts'

await runProcess(async ({ dataDir, host, witnessPort, instance, innerHosts }, log) => {
  const name = `ndx.example/witness/${instance}`
  const witness = await startWitness({ dataDir, name, host, port: witnessPort, innerHosts, log })
  log.info({ event: 'listening', url: witness.url })
  return { stop: () => witness.stop() }
})
