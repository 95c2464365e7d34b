// Records as the road would bring them to a ledger, three an exchange: request, reply, note. Made as they are needed, so that
// what is measured is not their memory.
import { type IncomingRecord } from '#bus/bus.ts'
import { Records } from '#tests/ledger/records.ts'

const facts = { client: 'social-insurance', status: 200, reply: 'ndx.reply.population/0/123456' }

/** `exchanges` of them in batches of `perBatch`; the last batch may be smaller. Goes on where `records` are. */
export function* makeBatches(
  exchanges: number,
  perBatch: number,
  { records = new Records(), first = 0 }: { records?: Records; first?: number } = {},
): Generator<IncomingRecord[]> {
  for (let from = first; from < first + exchanges; from += perBatch) {
    const batch: IncomingRecord[] = []
    for (let i = from; i < Math.min(from + perBatch, first + exchanges); i++)
      batch.push(records.request(i), records.reply(i), records.note(i, 'delivered', facts))
    yield batch
  }
}
