// A handler for a register that answers later: takes each question into its own store, works on it when it is due, and marks it
// settled only when the reply is on the road. One key (an application, a registration) is given one number, whoever asks and
// however often; one exchange has one outcome. What a desk that died left behind is taken up by the next one.
import { join } from 'node:path'
import { type JsonObject } from '#contracts/json.ts'
import { describeError } from '#runtime/log.ts'
import { AdapterFailure, type AdapterTools, defer, type Handler, pickFields, type Settlement } from './adapter.ts'
import { type DeskStore, openDeskStore, type Taken } from './desk-store.ts'
import { localDateOf } from './local-date.ts'

export interface DeskOptions<Request> {
  /** The store is `<dataDir>/<name>.sqlite`; one of its own for each service. */
  name: string
  /** From a question to its answer. */
  workMs: number
  /** What in a request the register gives a number to. */
  keyOf(request: Request): string
  /** Whether a request asks for what its key was given. */
  isSame(before: Request, asked: Request): boolean
  /** The contract's error for one that does not. */
  otherwise: string
  /** In a transaction. Throws what is no answer: it is decided anew a second later. */
  decide(request: Request, circumstances: Circumstances): Decision
}

export interface Circumstances {
  /** The date in Vietnam, `yyyy-mm-dd`. */
  today: string
  /** Whether the desk has given the number to another key. */
  isTaken(number: string): boolean
}

/** A reply with a number is kept, and told again whenever its key is asked for; other outcomes are decided each time. */
export type Decision = Settlement | { reply: JsonObject; number: string }

/** Settled side by side; more waits for the next round. */
const batchMax = 100
/** For so long nobody else takes what this desk has in hand. */
const claimMs = 10_000
const againMs = 1000
/** Two rounds are never closer. */
const roundMinMs = 10
/** Records stay on their topic for a day; twice that, what they came to is remembered. */
const rememberMs = 48 * 3_600_000

export function createDesk<Request>(tools: AdapterTools, options: DeskOptions<Request>): Handler {
  const { now, log, provider } = tools
  const store = openDeskStore(join(tools.dataDir, `${options.name}.sqlite`))
  const { recall, decide } = createBook(store, options, now)
  const rounds = startRounds(store.nextDueMs, tools, async () => {
    await Promise.all(store.claim(now(), now() + claimMs, batchMax).map(settle))
    store.forget(now() - rememberMs)
  })

  async function settle({ exchangeId, request, fields, ticket }: Taken): Promise<void> {
    try {
      const settlement = withFields(decide(request), new Set(fields))
      await tools.settle(ticket, settlement)
      store.finish(exchangeId, settlement, now())
    } catch (error) {
      log.warn({ event: 'unsettled', provider, exchangeId, error: describeError(error) }, 'it is tried again')
      store.putBack(exchangeId, now() + againMs)
    }
  }

  tools.onStop(async () => {
    await rounds.stop()
    store.close()
  })
  return (request, { exchangeId, fields, ticket }) => {
    const known = store.find(exchangeId) ?? recall(request)
    if (known !== undefined && known !== 'open') return replyOf(withFields(known, fields))
    if (known === undefined) store.accept({ exchangeId, request, fields: [...fields], ticket }, now() + options.workMs)
    rounds.plan()
    return defer()
  }
}

const withFields = (settlement: Settlement, fields: ReadonlySet<string>): Settlement =>
  'reply' in settlement ? { reply: pickFields(settlement.reply, fields) } : settlement

function replyOf(settlement: Settlement): JsonObject {
  if ('failure' in settlement) throw new AdapterFailure(settlement.failure)
  return settlement.reply
}

/** What keys were given and are to be given. */
function createBook<Request>(
  store: DeskStore,
  { keyOf, isSame, otherwise, decide }: DeskOptions<Request>,
  now: () => number,
) {
  /** What a key that has its number, or asks for another thing than it has, comes to. */
  function recall(request: JsonObject): Settlement | undefined {
    const issued = store.issued(keyOf(request as Request))
    if (issued === undefined) return undefined
    return isSame(issued.request as Request, request as Request) ? { reply: issued.reply } : { failure: otherwise }
  }

  function decideAnew(request: JsonObject): Settlement {
    const decision = decide(request as Request, { today: localDateOf(now()), isTaken: store.isTaken })
    if ('failure' in decision) return decision
    if ('number' in decision) store.issue(keyOf(request as Request), { ...decision, request })
    return { reply: decision.reply }
  }

  return {
    recall,
    decide: (request: JsonObject) => store.inTransaction(() => recall(request) ?? decideAnew(request)),
  }
}

/** Works whenever something is due, one round after the other. */
function startRounds(
  nextDueMs: () => number | undefined,
  { now, log, provider }: AdapterTools,
  work: () => Promise<void>,
) {
  let timer: NodeJS.Timeout | undefined
  let round: Promise<void> | undefined
  let isStopped = false

  function wait(ms: number): void {
    clearTimeout(timer)
    if (isStopped) return
    timer = setTimeout(() => {
      round = run()
    }, ms)
    timer.unref()
  }

  async function run(): Promise<void> {
    try {
      await work()
      round = undefined
      plan()
    } catch (error) {
      log.error({ event: 'desk-failed', provider, error: describeError(error) }, 'the store could not be read')
      round = undefined
      wait(againMs)
    }
  }

  /** The clock may jump while it waits, so it looks at least once a second while there is work. */
  function plan(): void {
    if (round !== undefined) return
    const nextMs = nextDueMs()
    if (nextMs !== undefined) wait(Math.min(againMs, Math.max(roundMinMs, nextMs - now())))
  }

  plan()
  return {
    plan,
    /** Finishes what is in hand. */
    async stop(): Promise<void> {
      isStopped = true
      clearTimeout(timer)
      await round
    },
  }
}
