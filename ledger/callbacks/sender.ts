// Tells clients that an exchange is settled, at the address their agreement names: at least once, signed, with growing jittered
// pauses, and after the last try given up, which can be replayed. Clients take turns and each has its share (receivers.ts), so that
// a receiver that answers nothing delays no other. The queue is the store's; a restart goes on where it stopped.
import { type ExchangeId } from '#bus/message.ts'
import { type NoteFacts } from '#bus/note.ts'
import { type Callback, givenUpMs, type LedgerStore } from '../store.ts'
import { type CallbackAddresses } from './address.ts'
import { deliver, messageOf } from './delivery.ts'
import { type CallEnd, callsMax, createReceivers } from './receivers.ts'

export interface CallbackParts {
  store: LedgerStore
  addresses: CallbackAddresses
  /** The address of a client's agreement and its secret, which may be made later; undefined: it has no address. */
  targetOf(client: string): { url: string; secret?: string | undefined } | undefined
  /** Puts a note on the bus; not awaited. */
  note(kind: 'called-back' | 'uncalled', exchangeId: ExchangeId, facts: NoteFacts): void
  /** A client's receiver failed several times in a row, or answers again. */
  onReceiver(client: string, state: 'failing' | 'answers'): void
  /** A fault of our own in one call; the callback stays due. */
  onFailed(error: unknown): void
  /** Epoch ms. */
  now(): number
  /** 0 to 1, for jitter. */
  random?(): number
  /** Pauses between tries; their number is that of the tries after the first. */
  pausesMs?: readonly number[]
}

export interface CallbackSender {
  /** Begins what is due and has room, and waits for none of it; what ends makes room for the next. Call it again and again. */
  send(): void
  /** Resolves when nothing is on its way. */
  idle(): Promise<void>
  /** Begins nothing more; resolves when what is on its way has ended. */
  stop(): Promise<void>
  /** How many clients' receivers fail. */
  readonly failing: number
  /** Those given up, at most `max`. */
  givenUp(max: number): Callback[]
  /** Due at once again, with all its tries; false: it is not given up. */
  replay(exchange: ExchangeId): boolean
}

/** Seconds, minutes, hours: a receiver that is mended within a day misses nothing. */
export const defaultPausesMs = [5_000, 30_000, 120_000, 600_000, 3_600_000, 6 * 3_600_000, 12 * 3_600_000]

export function createCallbackSender(parts: CallbackParts): CallbackSender {
  const { store, now } = parts
  const receivers = createReceivers(parts.onReceiver)
  const attempt = attemptWith(parts)
  const sending = new Map<ExchangeId, { client: string; ended: Promise<void> }>()
  /** Clients that may have something due, in the order of their turns. */
  let turns: string[] = []
  let isStopped = false

  /** The earliest that is due and not on its way; false: there is none. */
  function begin(client: string): boolean {
    const begun = [...sending.values()].filter(one => one.client === client).length
    const callback = store.dueCallbacks(client, now(), begun + 1).find(({ exchange }) => !sending.has(exchange))
    if (callback === undefined) return false
    receivers.begin(client)
    sending.set(callback.exchange, { client, ended: call(callback) })
    return true
  }

  async function call(callback: Callback): Promise<void> {
    const { client, exchange } = callback
    let how: CallEnd = 'fault'
    try {
      how = await attempt(callback)
    } catch (error) {
      parts.onFailed(error)
    }
    sending.delete(exchange)
    receivers.end(client, how, now())
    // What failed waits for the next round, so that a receiver that refuses at once is not called in a loop.
    if (how === 'answered' && !turns.includes(client)) turns.push(client)
    takeTurns()
  }

  function takeTurns(): void {
    const later: string[] = []
    while (!isStopped && sending.size < callsMax) {
      const client = turns.shift()
      if (client === undefined) break
      const room = receivers.roomFor(client, now())
      if (room === 'wait') later.push(client)
      if (room === 'free' && begin(client)) turns.push(client)
    }
    turns.unshift(...later)
  }

  const idle = async (): Promise<void> => {
    while (sending.size > 0) await Promise.all(Array.from(sending.values(), ({ ended }) => ended))
  }

  return {
    send() {
      const due = store.callbackClients(now())
      turns = [...new Set([...turns, ...due])]
      takeTurns()
    },
    idle,
    stop() {
      isStopped = true
      return idle()
    },
    get failing() {
      return receivers.failing
    },
    givenUp: max => store.givenUpCallbacks(max),
    replay(exchange) {
      const found = store.callback(exchange)
      if (found === undefined || found.dueMs !== givenUpMs) return false
      store.putCallback(exchange, { ...found, dueMs: now(), tries: 0 })
      return true
    },
  }
}

/** One try, and in the store what comes of it. Rejects when the store does. */
function attemptWith({ store, addresses, targetOf, note, now, random = Math.random, ...parts }: CallbackParts) {
  const { pausesMs = defaultPausesMs } = parts

  function giveUp(callback: Callback, reason: string): CallEnd {
    store.putCallback(callback.exchange, { ...callback, dueMs: givenUpMs })
    note('uncalled', callback.exchange, { client: callback.client, tries: callback.tries, reason })
    return 'answered'
  }

  return async (callback: Callback): Promise<CallEnd> => {
    // In a turn of its own: calls that need no network must not hold up the process, however many there are.
    await new Promise(resolve => setImmediate(resolve))
    const { exchange, client, tries } = callback
    const target = targetOf(client)
    const view = store.view(exchange)
    if (target === undefined || view === undefined) return giveUp(callback, 'no address')
    const { url, secret } = target
    // Tried again as ever: the secret may be made meanwhile.
    const failure =
      secret === undefined ? 'no secret' : await deliver({ url, secret }, messageOf(view, now()), addresses)
    if (failure === undefined) {
      store.putCallback(exchange, undefined)
      note('called-back', exchange, { client, tries: tries + 1 })
      return 'answered'
    }
    const pauseMs = pausesMs[tries]
    if (failure === 'status 410') return giveUp({ ...callback, tries: tries + 1 }, failure)
    if (pauseMs === undefined) {
      giveUp({ ...callback, tries: tries + 1 }, failure)
      return 'failed'
    }
    // Full jitter around the pause: receivers that come back are not stormed.
    const dueMs = Math.round(now() + pauseMs * (0.5 + random()))
    store.putCallback(exchange, { ...callback, dueMs, tries: tries + 1 })
    return 'failed'
  }
}
