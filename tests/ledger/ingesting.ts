// An ingestion into a store, as the ledger composes it, for tests.
import { createIngestion, type Ingestion, type IngestionParts } from '#ledger/ingestion.ts'
import { createLogAppender } from '#ledger/log-appender.ts'
import { type LedgerStore } from '#ledger/store.ts'
import { someMs, tools } from './records.ts'

export const ingestInto = (store: LedgerStore, parts: Partial<IngestionParts> = {}): Ingestion =>
  createIngestion({
    store,
    appender: createLogAppender(store),
    tools,
    source: '/ledger/l1',
    now: () => someMs,
    onCommitted: () => {},
    ...parts,
  })
