// Whether the gateway has more to do than it can: as many exchanges in hand or pending as it may have, or an event loop that lags.
// What is shed then is counted, and told twice a second; a line and a note of each would cost what shedding saves.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type Log } from '#runtime/log.ts'
import { type Intake } from './exchange/intake.ts'

export interface OverloadOptions {
  pending: { readonly size: number }
  pendingMax: number
  intake: Pick<Intake, 'isFull' | 'inHand'>
  eventLoopDelayMaxMs: number
  onShed(): void
  log: Log
}

export interface Overload {
  /** New work is to be shed, before anything is done for it. */
  readonly isNow: boolean
  /** One more was. Whole seconds after which it may be asked again: not all at once. */
  shed(): number
  close(): void
}

const sampleMs = 500

export function watchOverload(options: OverloadOptions): Overload {
  const { pending, pendingMax, intake, eventLoopDelayMaxMs, onShed, log } = options
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  let isLagging = false
  let shed = 0
  const timer = setInterval(() => {
    isLagging = delay.percentile(99) / 1e6 > eventLoopDelayMaxMs
    delay.reset()
    if (shed > 0) log.warn({ event: 'shedding', shed, isLagging, inHand: intake.inHand, pending: pending.size })
    shed = 0
  }, sampleMs).unref()
  return {
    get isNow() {
      return isLagging || intake.isFull || pending.size >= pendingMax
    },
    shed() {
      shed++
      onShed()
      return 1 + Math.floor(Math.random() * 3)
    },
    close() {
      clearInterval(timer)
      delay.disable()
    },
  }
}
