// How much of the sender each client's receiver may use: a share that grows while it answers and is one call after a failure, so
// that a receiver that answers nothing holds no more than one call. Those that failed several times in a row share a part of
// all calls among them: however many are dead, the rest is there for the others. Bounded by the clients with a call or a failure.

/** Calls at once: to one client's receiver; to all that fail; to all. */
export const clientCallsMax = 8
export const failingCallsMax = 32
export const callsMax = 128
/** So many failures in a row, and a receiver counts as failing until it answers. */
export const failuresMax = 3
/** After a fault of our own (a store that does not write): the same call would be made again at once. */
const faultPauseMs = 5_000

/** `answered`: taken or finally declined. `failed`: is to be called again. `fault`: ours. */
export type CallEnd = 'answered' | 'failed' | 'fault'

export interface Receivers {
  /** `full`: this client has its share. `wait`: those that fail have theirs; its turn comes. */
  roomFor(client: string, nowMs: number): 'free' | 'full' | 'wait'
  begin(client: string): void
  end(client: string, how: CallEnd, nowMs: number): void
  /** How many count as failing. */
  readonly failing: number
}

interface Receiver {
  calls: number
  /** In a row. */
  answers: number
  failures: number
  notBeforeMs: number
}

/** @param onState a receiver begins to count as failing, or answers again */
export function createReceivers(onState: (client: string, state: 'failing' | 'answers') => void): Receivers {
  const known = new Map<string, Receiver>()
  const isFailing = ({ failures }: Receiver): boolean => failures >= failuresMax
  const failing = (): Receiver[] => [...known.values()].filter(isFailing)

  return {
    roomFor(client, nowMs) {
      const receiver = known.get(client)
      if (receiver === undefined) return 'free'
      const { calls, answers, notBeforeMs } = receiver
      if (nowMs < notBeforeMs || calls >= Math.min(clientCallsMax, 1 + answers)) return 'full'
      if (!isFailing(receiver)) return 'free'
      return failing().filter(one => one.calls > 0).length < failingCallsMax ? 'free' : 'wait'
    },
    begin(client) {
      const receiver = known.get(client) ?? { calls: 0, answers: 0, failures: 0, notBeforeMs: 0 }
      receiver.calls++
      known.set(client, receiver)
    },
    end(client, how, nowMs) {
      const receiver = known.get(client)
      if (receiver === undefined) return
      const wasFailing = isFailing(receiver)
      receiver.calls--
      if (how === 'fault') receiver.notBeforeMs = nowMs + faultPauseMs
      if (how === 'answered') Object.assign(receiver, { answers: receiver.answers + 1, failures: 0 })
      if (how === 'failed') Object.assign(receiver, { answers: 0, failures: receiver.failures + 1 })
      if (wasFailing !== isFailing(receiver)) onState(client, wasFailing ? 'answers' : 'failing')
      if (receiver.calls === 0 && receiver.failures === 0 && receiver.notBeforeMs <= nowMs) known.delete(client)
    },
    get failing() {
      return failing().length
    },
  }
}
