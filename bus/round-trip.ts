// Whether a process can use the bus: a record of its own that went out and came back says so (probe.ts), again every ten seconds.
// Its acknowledgement tells the bus's time too, so nothing that depends on a deadline is decided before the first.
import { type Bus } from '#bus/bus.ts'
import { createProbe } from '#bus/probe.ts'
import { partitionOf, probeTopic } from '#bus/topics.ts'

export interface RoundTrip {
  /** The last record came back in time. */
  readonly isOpen: boolean
  /** Resolves when the first came back: `bus.now()` is the bus's clock from here on. */
  readonly firstOpen: Promise<void>
  stop(): Promise<void>
}

const intervalMs = 10_000
/** A busy machine is not an outage. */
const timeoutMs = 5_000

/** @param onChange told when the bus opens or closes; must not throw */
export function keepRoundTrip(
  bus: Bus,
  instance: string,
  onChange: (isOpen: boolean, cause?: unknown) => void = () => {},
): RoundTrip {
  const partition = partitionOf(probeTopic, instance)
  const probe = createProbe({ bus, partition, instance, intervalMs, timeoutMs })
  probe.onChange(onChange)
  const reader = bus.readReplies({
    topics: [probeTopic],
    partition,
    sinceMs: bus.now(),
    onRecord: record => probe.onRecord(record),
    onState: (state, cause) => {
      if (state === 'interrupted') probe.interrupted(cause)
    },
  })
  return {
    get isOpen() {
      return probe.isOpen
    },
    firstOpen: probe.firstOpen,
    stop() {
      probe.stop()
      return reader.stop()
    },
  }
}
