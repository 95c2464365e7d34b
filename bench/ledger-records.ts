// Records as the bus would bring them to a ledger: a request and a reply an exchange, and a sheet of notes for fifty. Made as they
// are needed, so that what is measured is not their memory.
import { type IncomingRecord } from '#bus/bus.ts'
import { Records } from '#tests/ledger/records.ts'

/** As a gateway gathers them at some thousand exchanges a second. */
const notesPerSheet = 50
const facts = { client: 'social-insurance', status: 200, reply: 'ndx.reply.population/0/123456' }

/** `exchanges` of them in batches of `perBatch`; the last batch may be smaller. Goes on where `records` are. */
export function* makeBatches(
  exchanges: number,
  perBatch: number,
  { records = new Records(), first = 0 }: { records?: Records; first?: number } = {},
): Generator<IncomingRecord[]> {
  for (let from = first; from < first + exchanges; from += perBatch) {
    const to = Math.min(from + perBatch, first + exchanges)
    const batch: IncomingRecord[] = []
    for (let i = from; i < to; i++) batch.push(records.request(i), records.reply(i))
    for (let i = from; i < to; i += notesPerSheet) {
      const told = Array.from({ length: Math.min(notesPerSheet, to - i) }, (_, at) => i + at)
      batch.push(
        records.sheet(
          i,
          told.map(exchange => ({ exchange, kind: 'delivered', facts })),
        ),
      )
    }
    yield batch
  }
}
