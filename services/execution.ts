// One question answered by its handler: deadline, contract and request checked, the handler called, called again after a fault
// while there is time, its answer held to the contract. Never throws: whatever a handler does becomes a verdict.
import { publishWithinMs, type RequestMessage } from '#bus/message.ts'
import { type ProviderId, type Service } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'
import { type Log } from '#runtime/log.ts'
import { AdapterFailure, type Deferral, deferral, type Handler, type Question, type Ticket } from './adapter.ts'
import { hostFailed, judge, type Verdict } from './verdict.ts'

/** One service of the provider with the code that answers it. */
export interface Route {
  service: Service
  handler: Handler
}

export interface ExecutionParts {
  provider: ProviderId
  routes: readonly Route[]
  log: Log
  /** Epoch ms on the road's clock. */
  now(): number
  /** 0 … 1 */
  random?(): number
  /** The host stops. */
  stopping: AbortSignal
}

export interface Execution {
  verdict: Verdict | Deferral
  service?: Service
  /** Times the handler was called. */
  attempts: number
  /** The handler threw what is no answer, as often as it was allowed to. */
  isGivenUp: boolean
}

/** A handler that throws is called this often in all, with pauses of 50 to 250 ms. */
const attemptsMax = 3
const pauseMinMs = 50
const pauseMaxMs = 250

/** A handler gets no longer, though its deadline may be days away: whoever needs longer defers. */
export const handlerMaxMs = 60_000

/** What is known of a request beside its message. */
export interface Delivery {
  /** When it was appended, epoch ms on the road's clock. */
  writtenMs: number
  /** Another host may have handled it, and have died before its reply. */
  mayBeRepeated: boolean
}

export async function execute(
  request: RequestMessage,
  { writtenMs, mayBeRepeated }: Delivery,
  parts: ExecutionParts,
): Promise<Execution> {
  const { routes, now } = parts
  const unexecuted = (verdict: Verdict): Execution => ({ verdict, attempts: 0, isGivenUp: false })
  // `expired` means surely not executed, and that only the first who has it in hand can say.
  if (request.deadlineMs <= now()) return unexecuted(mayBeRepeated ? hostFailed('UNANSWERED') : { outcome: 'expired' })
  const route = routes.find(
    ({ service }) => service.requestType === request.type && service.hash === request.contractHash,
  )
  if (route === undefined) return unexecuted(hostFailed('CONTRACT_UNKNOWN'))
  // The deadline, not the time of acceptance: an operator's replay has a new one.
  const beganMs = request.deadlineMs - route.service.contract.deadlineMs
  if (writtenMs > beganMs + publishWithinMs) return unexecuted({ outcome: 'expired' })
  if (route.service.checkRequest(request.data) !== undefined) return unexecuted(hostFailed('REQUEST_INVALID'))
  return { service: route.service, ...(await attempt(route, request, parts)) }
}

async function attempt(
  { handler, service }: Route,
  request: RequestMessage,
  parts: ExecutionParts,
): Promise<Execution> {
  const { log, now, random = Math.random } = parts
  const { exchangeId, deadlineMs } = request
  const ticket = ticketFor(request, now())
  for (let attempts = 1; ; attempts++) {
    const ended = (verdict: Verdict | Deferral, isGivenUp = false): Execution => ({ verdict, attempts, isGivenUp })
    try {
      const answer = await callHandler(handler, request, ticket, parts)
      if (answer === undefined) return ended(hostFailed('HANDLER_TIMEOUT'))
      if (answer === deferral) return ended(deferral)
      return ended(judge({ reply: answer }, service, exchangeId, log))
    } catch (error) {
      if (error instanceof AdapterFailure && isListed(error.code, service))
        return ended(judge({ failure: error.code }, service, exchangeId, log))
      log.error(
        { event: 'handler-failed', provider: parts.provider, exchangeId, attempt: attempts, ...whereThrown(error) },
        'a handler threw',
      )
      const pauseMs = pauseMinMs + random() * (pauseMaxMs - pauseMinMs)
      const isLast = attempts === attemptsMax || error instanceof AdapterFailure
      if (isLast || now() + pauseMs >= deadlineMs) return ended(hostFailed('HANDLER_FAILED'), true)
      await new Promise(resolve => setTimeout(resolve, pauseMs))
      if (now() >= deadlineMs) return ended(hostFailed('HANDLER_FAILED'), true)
    }
  }
}

const isListed = (code: string, { contract }: Service): boolean => contract.errors.some(error => error.code === code)

const ticketFor = (
  { exchangeId, type, replyPartition, contractHash, traceparent, deadlineMs, acceptedMs }: RequestMessage,
  takenMs: number,
): Ticket => ({
  exchangeId,
  type,
  replyPartition,
  contractHash,
  traceparent,
  deadlineMs,
  waitedMs: Math.max(0, takenMs - acceptedMs),
  takenMs,
})

/** Kind and place of a handler's error. Its message is the provider's, and may name the person asked about. */
function whereThrown(error: unknown): { kind: string; frames: string[] } {
  if (!(error instanceof Error)) return { kind: typeof error, frames: [] }
  const frames = (error.stack ?? '').split('\n').filter(line => /^ {4}at .*:\d+:\d+\)?$/.test(line))
  return { kind: error.constructor.name, frames: frames.map(line => line.trim()) }
}

/** The handler's answer, or undefined when the deadline came first. A handler that answers at once costs no timer. */
async function callHandler(
  handler: Handler,
  request: RequestMessage,
  ticket: Ticket,
  { now, stopping }: ExecutionParts,
): Promise<JsonObject | Deferral | undefined> {
  const { procedure, officer } = request
  // Few handlers ask for it, and each costs as much as all else here.
  let deadline: AbortController | undefined
  let isOver = false
  const question: Question = {
    exchangeId: request.exchangeId,
    client: request.client,
    purpose: request.purpose,
    ...(procedure === undefined ? {} : { procedure }),
    ...(officer === undefined ? {} : { officer }),
    fields: new Set(request.fields),
    deadlineMs: request.deadlineMs,
    ticket,
    get signal() {
      deadline ??= new AbortController()
      if (isOver) deadline.abort()
      return AbortSignal.any([deadline.signal, stopping])
    },
  }
  const answer = handler(request.data, question)
  if (!(answer instanceof Promise)) return answer
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>(resolve => {
    timer = setTimeout(resolve, Math.min(request.deadlineMs - now(), handlerMaxMs), undefined)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
    isOver = true
    deadline?.abort()
    answer.catch(() => {}) // it lost the race: its failure was already replied to as a time-out
  }
}
