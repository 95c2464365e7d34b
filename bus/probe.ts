// Knows whether the road is open: a small record of our own that went out and came back within its time proves writing and
// reading at once, which no connection does (a hung peer "connects"). Built on the port alone. The reader of this process's
// reply partition reads `probeTopic` too and hands those records to `onRecord`.
import { type Bus, type IncomingRecord } from '#bus/bus.ts'
import { probeTopic } from '#bus/topics.ts'

/** Pause between probes while the road is closed. */
const closedIntervalMs = 300
const instanceHeader = 'ndx-instance'
const sequenceHeader = 'ndx-sequence'

export interface ProbeOptions {
  bus: Bus
  /** The partition this process reads. */
  partition: number
  /** Tells our records from those of another process on this partition. */
  instance: string
  /** Pause between probes while the road is open. */
  intervalMs?: number
  /** How long a record may be on its way before the road counts as closed. */
  timeoutMs?: number
  now?(): number
}

export interface Probe {
  readonly isOpen: boolean
  /** Resolves when the road is open for the first time; never, if it never is. */
  readonly firstOpen: Promise<void>
  readonly lastRoundTripMs: number | null
  /** Calls when the road opens or closes. Must not throw. */
  onChange(listener: (isOpen: boolean, cause?: unknown) => void): void
  /** Every record of `probeTopic`, others' included. */
  onRecord(record: IncomingRecord): void
  /** The reader lost the road: closed at once, until a record sent from now on comes back. */
  interrupted(cause?: unknown): void
  stop(): void
}

export function createProbe(options: ProbeOptions): Probe {
  return new RoadProbe(options)
}

/**
 * One record of no further meaning, so that `bus.now()` is the road's clock from here on. No probe takes it for its own. For a
 * process that judges deadlines before it has published anything. Rejects as publish does.
 */
export function announce(bus: Bus, instance: string): Promise<void> {
  return bus.publish(probeTopic, { key: null, headers: { [instanceHeader]: instance }, value: '' })
}

class RoadProbe implements Probe {
  readonly firstOpen: Promise<void>
  readonly #bus: Bus
  readonly #partition: number
  readonly #instance: string
  readonly #intervalMs: number
  readonly #timeoutMs: number
  readonly #now: () => number
  readonly #listeners: ((isOpen: boolean, cause?: unknown) => void)[] = []
  #isOpen = false
  #lastRoundTripMs: number | null = null
  #timer: NodeJS.Timeout | null = null
  #isStopped = false
  #isPublishing = false
  #sequence = 0
  /** The record that is out; null when it came back or is given up. */
  #out: { sequence: number; sentMs: number } | null = null
  #resolveFirstOpen = (): void => {}

  constructor({ bus, partition, instance, intervalMs = 1_000, timeoutMs = 1_000, now = Date.now }: ProbeOptions) {
    this.#bus = bus
    this.#partition = partition
    this.#now = now
    // Records of an earlier life of this instance may still be read.
    this.#instance = `${instance}/${now()}/${Math.random().toString(36).slice(2)}`
    this.#intervalMs = intervalMs
    this.#timeoutMs = timeoutMs
    this.firstOpen = new Promise(resolve => (this.#resolveFirstOpen = resolve))
    this.#send()
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get lastRoundTripMs(): number | null {
    return this.#lastRoundTripMs
  }

  onChange(listener: (isOpen: boolean, cause?: unknown) => void): void {
    this.#listeners.push(listener)
  }

  onRecord({ headers }: IncomingRecord): void {
    const out = this.#out
    if (this.#isStopped || !out) return
    if (headers[instanceHeader] !== this.#instance || headers[sequenceHeader] !== String(out.sequence)) return
    this.#out = null
    this.#lastRoundTripMs = this.#now() - out.sentMs
    this.#sendIn(Math.max(0, this.#intervalMs - this.#lastRoundTripMs))
    this.#change(true)
    this.#resolveFirstOpen()
  }

  interrupted(cause?: unknown): void {
    if (!this.#isStopped) this.#close(cause ?? new Error('the reader was interrupted'))
  }

  stop(): void {
    this.#isStopped = true
    this.#out = null
    if (this.#timer) clearTimeout(this.#timer)
  }

  /** One record is out at a time: while the last one is still with the bus, only its end is awaited. */
  #send(): void {
    if (this.#isStopped || this.#isPublishing) return
    const sequence = ++this.#sequence
    this.#out = { sequence, sentMs: this.#now() }
    this.#isPublishing = true
    this.#arm(this.#timeoutMs, () =>
      this.#close(new Error(`no record of our own came back within ${this.#timeoutMs} ms`)),
    )
    const headers = { [instanceHeader]: this.#instance, [sequenceHeader]: String(sequence) }
    this.#bus.publish(probeTopic, { key: null, partition: this.#partition, headers, value: '' }).then(
      () => this.#published(sequence, null),
      error => this.#published(sequence, error),
    )
  }

  #published(sequence: number, error: unknown): void {
    this.#isPublishing = false
    if (this.#isStopped) return
    if (error && this.#out?.sequence === sequence) this.#close(error)
    else if (!this.#timer) this.#sendIn(0)
  }

  #close(cause: unknown): void {
    this.#out = null
    this.#sendIn(closedIntervalMs)
    this.#change(false, cause)
  }

  #sendIn(pauseMs: number): void {
    this.#arm(pauseMs, () => this.#send())
  }

  #arm(pauseMs: number, act: () => void): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = null
      act()
    }, pauseMs)
  }

  #change(isOpen: boolean, cause?: unknown): void {
    if (this.#isOpen === isOpen) return
    this.#isOpen = isOpen
    for (const listener of this.#listeners) listener(isOpen, cause)
  }
}
