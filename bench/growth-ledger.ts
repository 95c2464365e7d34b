// What the ledger's own work costs as its log grows: appending, telling how an exchange stands, proving that it is in the log. The
// store is filled through its own ingestion, in this process, without Kafka; the file is on disk and flushed at every commit.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCheckpoints } from '#ledger/checkpoints.ts'
import { createIngestion, type Ingestion } from '#ledger/ingestion.ts'
import { createLogAppender, nodesOf } from '#ledger/log-appender.ts'
import { makeNoteKey } from '#ledger/notes/keys.ts'
import { writeReceipt } from '#ledger/proof/receipt.ts'
import { openSqliteStore } from '#ledger/sqlite-store.ts'
import { statusOf } from '#ledger/status.ts'
import { type LedgerStore } from '#ledger/store.ts'
import { createChance, within } from '#nation/chance.ts'
import { createCommitments } from '#runtime/pseudonyms.ts'
import { exchangeIdOf, tools as plainTools, Records, someMs } from '#tests/ledger/records.ts'
import { createGuard, quote } from '#tests/stack/guard.ts'
import { type Ending } from './ending.ts'
import { Histogram } from './histogram.ts'
import { makeBatches } from './ledger-records.ts'

export interface LedgerRow {
  /** In the log when it was measured. */
  entries: number
  /** CPU µs of an exchange's entry, and the time of a commit of 100 exchanges, flushed. */
  appendUs: number
  commitP50Ms: number
  commitP99Ms: number
  /** Of a random exchange. */
  statusP50Us: number
  statusP99Us: number
  proofP50Us: number
  proofP99Us: number
  bytesPerEntry: number
  memoryMb: number
}

const origin = 'ndx.example/bench'
const entriesPerExchange = 1
const fillPerBatch = 600
const measuredPerBatch = 100
const measuredBatches = 60
const batchesPerCheckpoint = 20
const looks = 3_000
const topic = 711

export async function measureLedger(
  sizes: readonly number[],
  ending: Ending,
  onProgress: (done: number, total: number) => void,
): Promise<LedgerRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ndx-bench-growth-'))
  const guard = createGuard()
  guard.onLoss(`rm -rf ${quote(folder)}`)
  ending.add(() => {
    rmSync(folder, { recursive: true, force: true })
    guard.dismiss()
  })
  const log = new GrowingLog(folder)
  ending.add(() => log.close())
  const rows: LedgerRow[] = []
  for (const size of sizes) {
    await log.fillTo(size, done => onProgress(done, sizes.at(-1) ?? 0))
    rows.push(log.measure())
  }
  return rows
}

class GrowingLog {
  readonly #store: LedgerStore
  readonly #ingestion: Ingestion
  readonly #records = new Records()
  readonly #sign: () => unknown
  #exchanges = 0

  constructor(folder: string) {
    const key = makeNoteKey(join(folder, 'log-key'), origin)
    this.#store = openSqliteStore(join(folder, 'ledger.sqlite'))
    const commitments = createCommitments(new Map([['202601', randomBytes(32)]]), Date.now)
    this.#ingestion = createIngestion({
      store: this.#store,
      appender: createLogAppender(this.#store),
      tools: { ...plainTools, commit: (...given) => commitments.commit(...given) },
      source: '/ledger/bench',
      now: () => someMs,
      onCommitted: () => {},
    })
    const checkpoints = createCheckpoints(this.#store, origin, key)
    this.#sign = () => checkpoints.sign(Date.now())
  }

  close(): void {
    this.#store.close()
  }

  /** Lets others run now and then, so that it can be interrupted. */
  async fillTo(entries: number, onProgress: (done: number) => void): Promise<void> {
    let batches = 0
    for (const batch of this.#batches(Math.ceil(entries / entriesPerExchange) - this.#exchanges, fillPerBatch)) {
      this.#ingestion.ingest(batch)
      if (++batches % batchesPerCheckpoint !== 0) continue
      this.#sign()
      onProgress(this.#store.size)
      await new Promise(resolve => setImmediate(resolve))
    }
    while (this.#sign() !== undefined);
  }

  *#batches(exchanges: number, perBatch: number) {
    const first = this.#exchanges
    this.#exchanges += Math.max(0, exchanges)
    yield* makeBatches(Math.max(0, exchanges), perBatch, { records: this.#records, first })
  }

  /** Each is done often enough to have a 99th percentile. Appending makes the log a little longer: its size is told as it was. */
  measure(): LedgerRow {
    const { size: entries } = this.#store
    const known = this.#exchanges
    const chance = createChance(entries)
    const someId = (i: number) => exchangeIdOf(within(chance.draw(i, topic), known))
    const status = time(looks, i => {
      const view = this.#store.view(someId(i))
      if (view === undefined || statusOf(view, plainTools.road)?.state !== 'answered')
        throw new Error('a status is wrong')
    })
    const proof = time(looks, i => this.#prove(someId(i)))
    const append = this.#append()
    return {
      entries,
      ...append,
      statusP50Us: usOf(status, 0.5),
      statusP99Us: usOf(status, 0.99),
      proofP50Us: usOf(proof, 0.5),
      proofP99Us: usOf(proof, 0.99),
      bytesPerEntry: this.#store.bytes() / this.#store.size,
      memoryMb: process.memoryUsage.rss() / 2 ** 20,
    }
  }

  #append(): Pick<LedgerRow, 'appendUs' | 'commitP50Ms' | 'commitP99Ms'> {
    const commits = new Histogram()
    let cpuUs = 0
    for (const batch of this.#batches(measuredBatches * measuredPerBatch, measuredPerBatch)) {
      const [cpu, startMs] = [process.cpuUsage(), performance.now()]
      this.#ingestion.ingest(batch)
      commits.record(performance.now() - startMs)
      const used = process.cpuUsage(cpu)
      cpuUs += used.user + used.system
    }
    while (this.#sign() !== undefined);
    return {
      appendUs: cpuUs / (measuredBatches * measuredPerBatch),
      commitP50Ms: commits.percentile(0.5) ?? 0,
      commitP99Ms: commits.percentile(0.99) ?? 0,
    }
  }

  /** As the ledger's API does: every event of the exchange under the newest checkpoint. */
  #prove(exchange: string): void {
    const [view, checkpoint] = [this.#store.view(exchange), this.#store.lastCheckpoint()]
    if (view === undefined || checkpoint === undefined) throw new Error('there is nothing to prove')
    const entries = view.leaves.map(index => ({ index, entry: this.#store.entries(index, 1)[0] ?? '' }))
    const { size, note } = checkpoint
    const receipt = writeReceipt({ origin, exchange: view.exchange, entries, note, size, nodes: nodesOf(this.#store) })
    if (receipt.length === 0) throw new Error('a receipt is empty')
  }
}

function time(count: number, act: (i: number) => void): Histogram {
  const histogram = new Histogram()
  for (let i = 0; i < count; i++) {
    const startMs = performance.now()
    act(i)
    histogram.record(performance.now() - startMs)
  }
  return histogram
}

const usOf = (histogram: Histogram, share: number): number => (histogram.percentile(share) ?? 0) * 1000
