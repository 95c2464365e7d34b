// A small exchange of the tour's own: two gateways, a slow register and a ledger on one embedded road, each gateway with a bus of
// its own, so that one can be killed as by kill -9 and nothing else is. Its data directory and keys end with it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryBus } from '#bus/memory-bus.ts'
import { MemoryRoad } from '#bus/memory-road.ts'
import { type JsonObject } from '#contracts/json.ts'
import { loadRegistry, type Registry } from '#contracts/registry.ts'
import { MemoryCounters } from '#gateway/counters/memory-counters.ts'
import { type Gateway, startGateway } from '#gateway/gateway.ts'
import { startLedger } from '#ledger/ledger.ts'
import { readConfig } from '#runtime/config.ts'
import { endProcess } from '#runtime/lifetime.ts'
import { createLog } from '#runtime/log.ts'
import { createCommitments } from '#runtime/pseudonyms.ts'
import { makeSecrets, readClientKeys, readSecrets } from '#runtime/secrets.ts'
import { version } from '#runtime/version.ts'
import { runHost } from '#services/host.ts'

export interface TwoGateways {
  a: Gateway
  b: Gateway
  /** Ids of the exchanges that the register executed. */
  executed: readonly string[]
  /** For keys and tokens. */
  dataDir: string
  /** From here on A reads and writes nothing. */
  killA(): void
  stop(): Promise<void>
}

interface Register {
  service: string
  /** How long it takes over a question. */
  workMs: number
  reply: JsonObject
}

const retentionMax = 1_000

/** Resolves when both gateways would answer. */
export async function startTwoGateways(register: Register): Promise<TwoGateways> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ndx-tour-'))
  try {
    return await assemble(register, dataDir)
  } catch (error) {
    rmSync(dataDir, { recursive: true, force: true })
    throw error
  }
}

async function assemble(register: Register, dataDir: string): Promise<TwoGateways> {
  const config = readConfig({
    NDX_DATA_DIR: dataDir,
    NDX_PORT: '0',
    NDX_OPERATIONS_PORT: '0',
    NDX_LEDGER_PORT: '0',
    NDX_INSTANCE: 'tour',
  })
  const registry = loadRegistry({ idScheme: config.idScheme })
  makeSecrets(dataDir, registry)
  const secrets = readSecrets(dataDir)
  const log = createLog({ level: 'silent', instance: 'tour', stream: { write: () => {} } })
  const road = new MemoryRoad(retentionMax)
  const [busA, busB, bus] = [new MemoryBus({ road }), new MemoryBus({ road }), new MemoryBus({ road })]
  const commitments = createCommitments(secrets.pseudonymKeys, Date.now)
  const ledger = await startLedger({
    config,
    registry,
    bus,
    commitments,
    callbackSecretOf: () => undefined,
    log,
    onFatal: endProcess,
    storePath: ':memory:',
  })
  const executed: string[] = []
  const host = startRegister(register, { registry, bus, log, executed })
  const shared = {
    registry,
    secrets,
    clientKeys: readClientKeys(dataDir),
    counters: new MemoryCounters(),
    ledgerUrl: ledger.url,
    log,
    version,
  }
  const a = await startGateway({ ...shared, config: { ...config, instance: 'a', replyPartition: 0 }, bus: busA })
  const b = await startGateway({ ...shared, config: { ...config, instance: 'b', replyPartition: 1 }, bus: busB })
  await Promise.all([a.ready, b.ready, host.ready, ledger.ready])
  return {
    a,
    b,
    executed,
    dataDir,
    killA: () => busA.kill(),
    stop: async () => {
      // A is dead: what it had in hand is not waited for.
      void a.stop().catch(() => {})
      await b.stop()
      await host.stop()
      await ledger.stop()
      await Promise.all([busA, busB, bus].map(one => one.close()))
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

interface Surroundings {
  registry: Registry
  bus: MemoryBus
  log: ReturnType<typeof createLog>
  executed: string[]
}

function startRegister({ service: id, workMs, reply }: Register, { registry, bus, log, executed }: Surroundings) {
  const service = registry.find(id)
  if (service === undefined) throw new Error(`there is no service ${id}`)
  const handler = async (_: JsonObject, { exchangeId }: { exchangeId: string }): Promise<JsonObject> => {
    executed.push(exchangeId)
    await new Promise(resolve => setTimeout(resolve, workMs))
    return reply
  }
  return runHost({
    provider: service.providerId,
    routes: [{ service, handler }],
    bus,
    instance: 'tour',
    poolSize: 4,
    log,
    now: () => bus.now(),
    clock: () => performance.now(),
  })
}
