// What handlers are given beside their questions: the nation, a folder, the clock, and the way to settle what they deferred. A
// deferred reply is held to its contract like any other, and goes where the question's ticket says.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Bus } from '#bus/bus.ts'
import { type ExchangeId, writeReply } from '#bus/message.ts'
import { replyTopic } from '#bus/topics.ts'
import { type ProviderId, type Service } from '#contracts/contract.ts'
import { type Nation } from '#nation/nation.ts'
import { describeError, type Log } from '#runtime/log.ts'
import { type AdapterTools, AskError, type Settlement, type Ticket } from './adapter.ts'
import { hostFailed, judge, replyTypeOf, sourceOf, type Verdict } from './verdict.ts'

export interface ToolsOptions {
  provider: ProviderId
  nation: Nation
  bus: Pick<Bus, 'publish'>
  /** The provider's, among others perhaps. */
  services: readonly Service[]
  instance: string
  /** Folder of all that this installation keeps. */
  dataDir: string
  log: Log
  /** Epoch ms on the road's clock. */
  now(): number
  /** How it asks other registers; without it, it cannot. */
  ask?: AdapterTools['ask']
}

export interface Kit {
  tools: AdapterTools
  /** Calls what handlers want called, the last first. Never rejects. */
  stop(): Promise<void>
}

/** `<dataDir>/registers` is where the simulated registers keep their stores. */
const registersFolder = 'registers'

export function createTools(options: ToolsOptions): Kit {
  const { provider, nation, dataDir, log, now } = options
  const stops: (() => void | Promise<void>)[] = []
  const tools: AdapterTools = {
    provider,
    nation,
    log,
    now,
    get dataDir() {
      const folder = join(dataDir, registersFolder)
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      return folder
    },
    settle: (ticket, settlement) => settle(ticket, settlement, options),
    ask: options.ask ?? (() => Promise.reject(new AskError('it is not known where the gateway is: NDX_GATEWAY_URL'))),
    onStop: stop => void stops.push(stop),
  }
  async function stop(): Promise<void> {
    for (const stopOne of stops.splice(0).reverse()) {
      try {
        await stopOne()
      } catch (error) {
        log.error({ event: 'stop-failed', provider, error: describeError(error) })
      }
    }
  }
  return { tools, stop }
}

/** Past the deadline it is sent all the same: the ledger decides what it is. */
async function settle(
  ticket: Ticket,
  settlement: Settlement,
  { provider, services, instance, bus, log, now }: ToolsOptions,
): Promise<void> {
  const { exchangeId, type, traceparent, contractHash, replyPartition, deadlineMs, waitedMs, takenMs } = ticket
  const service = services.find(({ requestType, hash }) => requestType === type && hash === contractHash)
  const verdict: Verdict =
    service === undefined ? hostFailed('CONTRACT_UNKNOWN') : judge(settlement, service, exchangeId, log)
  const repliedMs = now()
  if (repliedMs > deadlineMs)
    log.warn({ event: 'late', provider, exchangeId, lateMs: repliedMs - deadlineMs }, 'settled after its deadline')
  const message = {
    exchangeId: exchangeId as ExchangeId,
    type: replyTypeOf(type, provider),
    source: sourceOf(provider, instance),
    repliedMs,
    traceparent,
    contractHash,
    ...verdict,
    waitedMs,
    handledMs: Math.max(0, repliedMs - takenMs),
  }
  await bus.publish(replyTopic(provider), writeReply(message, replyPartition))
}
