// `node tests/ledger/fuzz.ts [records] [seed]`: hostile records on each kind of topic through a whole ledger's ingestion. It must take
// all of them, every entry must be within its limit and hold values of known forms alone, and the log must verify as an auditor
// would verify it. Ends with 1 and the first thing that is wrong.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Form, hasForm, isCount } from '#bus/forms.ts'
import { createCheckpoints } from '#ledger/checkpoints.ts'
import { decodeEntry, type EventDetail, entryBytesMax, type LedgerEvent } from '#ledger/event.ts'
import { nodesOf } from '#ledger/log-appender.ts'
import { makeNoteKey } from '#ledger/notes/keys.ts'
import { writeExport } from '#ledger/proof/export.ts'
import { verifyExport } from '#ledger/proof/export-verification.ts'
import { openSqliteStore } from '#ledger/sqlite-store.ts'
import { type LedgerStore } from '#ledger/store.ts'
import { createCommitments } from '#runtime/pseudonyms.ts'
import { hostileRecords, kindsOfTopics, secret } from './hostile-records.ts'
import { ingestInto } from './ingesting.ts'
import { tools } from './records.ts'

const perBatch = 500
const origin = 'ndx.example/fuzz'

export interface Fuzzed {
  records: number
  entries: number
  /** Events by kind. */
  kinds: Record<string, number>
}

/** Throws for the first thing that is not as it must be. */
export async function fuzzLedger(
  records: number,
  seed: number,
  onProgress = (_done: number): void => {},
): Promise<Fuzzed> {
  const folder = mkdtempSync(join(tmpdir(), 'ndx-fuzz-'))
  const store = openSqliteStore(join(folder, 'ledger.sqlite'))
  try {
    const { commit } = createCommitments(new Map([['202601', Buffer.alloc(32, 7)]]), Date.now)
    const ingestion = ingestInto(store, { tools: { ...tools, commit } })
    const key = makeNoteKey(join(folder, 'log-key'), origin)
    const checkpoints = createCheckpoints(store, origin, key)
    const kinds: Record<string, number> = {}
    const source = hostileRecords(seed)
    const ends = new Map<string, number>()
    let checked = 0
    for (let done = 0; done < records; done += perBatch) {
      const batch = Array.from({ length: Math.min(perBatch, records - done) }, () => source.next().value)
      for (const { topic, partition, offset } of batch) ends.set(`${topic}/${partition}`, Number(offset) + 1)
      ingestion.ingest(batch)
      checked = checkEntries(store, checked, kinds)
      checkpoints.sign(done + 1)
      onProgress(done + batch.length)
    }
    for (const [place, end] of ends) {
      const [topic = '', partition] = place.split('/')
      if (ingestion.position(topic, Number(partition))?.next !== end)
        throw new Error(`${place} was not read to its end`)
    }
    if (kindsOfTopics.some(topic => ![...ends.keys()].some(place => place.startsWith(`${topic}/`))))
      throw new Error('a kind of topic was left out')
    while (checkpoints.sign(records + 2) !== undefined);
    await verify(store, { logKey: key.verifier })
    return { records, entries: store.size, kinds }
  } finally {
    store.close()
    rmSync(folder, { recursive: true })
  }
}

function checkEntries(store: LedgerStore, from: number, kinds: Record<string, number>): number {
  for (let at = from; at < store.size; at += 256) {
    for (const [i, entry] of store.entries(at, Math.min(256, store.size - at)).entries()) {
      const why = faultOf(entry, kinds)
      if (why !== undefined) throw new Error(`entry ${at + i}: ${why}`)
    }
  }
  return store.size
}

function faultOf(entry: string, kinds: Record<string, number>): string | undefined {
  const bytes = Buffer.byteLength(entry)
  if (bytes > entryBytesMax) return `it has ${bytes} bytes`
  if (/B\u00ed|026701599619/.test(entry)) return `it holds ${secret}`
  const events = decodeEntry(entry)
  if (events === undefined) return 'it is not one'
  for (const event of events) {
    kinds[event.kind] = (kinds[event.kind] ?? 0) + 1
    for (const name of Object.keys(event))
      if (!isOfForm(event, name)) return `${name} of ${event.kind} is ${JSON.stringify(event[name])?.slice(0, 100)}`
  }
  return undefined
}

const forms: Readonly<Record<string, Form>> = {
  client: 'client',
  provider: 'provider',
  service: 'service',
  version: 'version',
  contract: 'contractHash',
  agreement: 'agreement',
  purpose: 'code',
  procedure: 'code',
  officer: 'pseudonym',
  subject: 'pseudonym',
  parent: 'exchange',
  decision: 'code',
  outcome: 'code',
  code: 'code',
  incident: 'code',
  topic: 'topic',
  offset: 'digits',
  record: 'place',
  letter: 'letter',
  operator: 'operator',
  proposedBy: 'operator',
}
const counts = ['at', 'major', 'deadline', 'replyPartition', 'size', 'waitedMs', 'handledMs', 'status', 'attempts']
counts.push('tries', 'count', 'partition', 'from', 'to')
const flags = ['callback', 'misplaced', 'sent']
const commitmentForm = /^[A-Za-z0-9]{1,12}\.[A-Za-z0-9_-]{43}$/

function isOfForm(event: LedgerEvent, name: string): boolean {
  const value = event[name]
  const form = forms[name]
  if (form !== undefined) return hasForm(form, value)
  if (counts.includes(name)) return isCount(value)
  if (flags.includes(name)) return typeof value === 'boolean'
  if (name === 'fields' || name === 'withheld' || name === 'released') return isFieldList(value)
  return isOfOtherForm(name, value)
}

function isOfOtherForm(name: string, value: EventDetail | undefined): boolean {
  if (name === 'kind') return typeof value === 'string' && /^[a-z-]{1,30}$/.test(value)
  if (name === 'exchange') return value === '' || hasForm('exchange', value)
  if (name === 'source') return value === '' || hasForm('source', value)
  if (name === 'traceparent') return value === '' || hasForm('traceparent', value)
  if (name === 'type') return value === '' || hasForm('replyType', value)
  if (name === 'request') return typeof value === 'string' && commitmentForm.test(value)
  if (name === 'reply') return typeof value === 'string' && (commitmentForm.test(value) || hasForm('place', value))
  if (name === 'origin') return typeof value === 'string' && /^road-1:ndx\.[a-z.-]+\/\d+\/\d+(#\d+)?$/.test(value)
  if (name === 'reason') return typeof value === 'string' && /^[A-Za-z0-9 ._:-]{1,100}$/.test(value)
  return name === 'of' && (value === 'notes' || value === 'records')
}

const isFieldList = (value: EventDetail | undefined): boolean =>
  Array.isArray(value) && value.length <= 100 && value.every(item => hasForm('field', item))

async function verify(store: LedgerStore, { logKey }: { logKey: Parameters<typeof verifyExport>[1]['logKey'] }) {
  const source = {
    origin,
    nodes: nodesOf(store),
    *entries(from: number) {
      for (let at = from; at < store.size; at += 256) yield* store.entries(at, Math.min(256, store.size - at))
    },
    checkpoints: (size: number) => store.checkpoints(size - 1, 1_000_000),
  }
  const lines = function* () {
    for (const part of writeExport(source)) yield* part.trimEnd().split('\n')
  }
  const verdict = await verifyExport(lines(), { logKey })
  if (!verdict.ok || verdict.entries !== store.size) throw new Error(`the log does not verify: ${verdict.why}`)
}

if (process.argv[1] === import.meta.filename) {
  const [records = 1_000_000, seed = 1] = process.argv.slice(2).map(Number)
  const every = Math.max(perBatch, Math.floor(records / 20))
  const done = await fuzzLedger(records, seed, count => {
    if (count % every < perBatch) process.stderr.write(`${count} of ${records}\n`)
  })
  process.stdout.write(`${JSON.stringify({ ...done, seed }, null, 2)}\n`)
}
