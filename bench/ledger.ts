// `node bench/ledger.ts [exchanges]`: what the ledger alone costs, without Kafka: a request and a reply an exchange, and sheets of notes,
// into the log in batches of 300, a checkpoint every 3,000 exchanges, then the whole exported and verified as an auditor would.
// Defaults to a million entries; takes about two minutes and a gigabyte of disk, which it gives back.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCheckpoints } from '#ledger/checkpoints.ts'
import { createIngestion } from '#ledger/ingestion.ts'
import { createLogAppender, nodesOf } from '#ledger/log-appender.ts'
import { makeNoteKey } from '#ledger/notes/keys.ts'
import { writeExport } from '#ledger/proof/export.ts'
import { verifyExport } from '#ledger/proof/export-verification.ts'
import { openSqliteStore } from '#ledger/sqlite-store.ts'
import { type LedgerStore } from '#ledger/store.ts'
import { createCommitments } from '#runtime/pseudonyms.ts'
import { tools as plainTools, someMs } from '#tests/ledger/records.ts'
import { makeBatches } from './ledger-records.ts'

const origin = 'ndx.example/bench'
const exchangesPerBatch = 100
const batchesPerCheckpoint = 30
const defaultExchanges = 333_400

const asked = Number(process.argv[2] ?? defaultExchanges)
if (!Number.isInteger(asked) || asked < exchangesPerBatch) {
  process.stderr.write(`node bench/ledger.ts [exchanges], at least ${exchangesPerBatch}\n`)
  process.exit(2)
}
const exchanges = asked - (asked % exchangesPerBatch)
const folder = mkdtempSync(join(tmpdir(), 'ndx-bench-ledger-'))
try {
  await run()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function run(): Promise<void> {
  const key = makeNoteKey(join(folder, 'log-key'), origin)
  const store = openSqliteStore(join(folder, 'ledger.sqlite'))
  const commitments = createCommitments(new Map([['202601', randomBytes(32)]]), Date.now)
  const ingestion = createIngestion({
    store,
    appender: createLogAppender(store),
    tools: { ...plainTools, commit: (...given) => commitments.commit(...given) },
    source: '/ledger/bench',
    now: () => someMs,
    onCommitted: () => {},
  })
  const checkpoints = createCheckpoints(store, origin, key)
  let [cpuUs, wallMs, batches] = [0, 0, 0]
  for (const batch of makeBatches(exchanges, exchangesPerBatch)) {
    const [cpu, wall] = [process.cpuUsage(), performance.now()]
    ingestion.ingest(batch)
    if (++batches % batchesPerCheckpoint === 0) checkpoints.sign(Date.now())
    const used = process.cpuUsage(cpu)
    cpuUs += used.user + used.system
    wallMs += performance.now() - wall
  }
  while (checkpoints.sign(Date.now()) !== undefined);
  const memory = process.memoryUsage.rss()
  say('exchanges', exchanges)
  say('CPU an exchange', `${(cpuUs / exchanges).toFixed(1)} µs`)
  say('exchanges a second, flushed', Math.round((exchanges / wallMs) * 1000))
  say('bytes an exchange', Math.round(store.bytes() / exchanges))
  say('memory, without what made the records', `${memory >> 20} MiB at most`)
  await verify(store, key.verifier)
  store.close()
}

async function verify(store: LedgerStore, logKey: Parameters<typeof verifyExport>[1]['logKey']): Promise<void> {
  const source = {
    origin,
    nodes: nodesOf(store),
    *entries(from: number) {
      for (let at = from; at < store.size; at += 500) yield* store.entries(at, 500)
    },
    checkpoints: (size: number) => store.checkpoints(size - 1, 1_000_000),
  }
  const startedMs = performance.now()
  const verdict = await verifyExport(linesOf(writeExport(source)), { logKey, witnessKeys: [] })
  const seconds = (performance.now() - startedMs) / 1000
  if (!verdict.ok || verdict.entries !== store.size) throw new Error(`the export does not verify: ${verdict.why}`)
  say('entries verified', verdict.entries)
  say('export and verification', `${seconds.toFixed(1)} s, ${Math.round(verdict.entries / seconds)} entries a second`)
}

function* linesOf(parts: Iterable<string>): Generator<string> {
  for (const part of parts) yield* part.trimEnd().split('\n')
}

function say(what: string, figure: string | number): void {
  process.stdout.write(`${what.padEnd(40)}${figure}\n`)
}
