// Events of the ledger's own, which no record of the bus gave. The one place where they get into a log.
import { encodeEntry, type LedgerEvent } from './event.ts'
import { createLogAppender } from './log-appender.ts'
import { type LedgerStore } from './store.ts'

/** On the disk when it returns. The store must be nobody else's meanwhile. Throws what the store throws. */
export function appendOwnEvents(store: LedgerStore, events: readonly LedgerEvent[]): void {
  const appender = createLogAppender(store)
  const [first, entries] = [appender.size, events.map(event => encodeEntry([event]))]
  appender.append(entries, tiles => store.append({ ...nothing, first, entries, tiles }))
}

const nothing = { views: [], tallies: [], positions: [], sources: [], callbacks: [], keys: [], gaps: [] }
