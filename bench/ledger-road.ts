// `node bench/ledger-road.ts [exchanges]`: the ledger process on a real Kafka, without gateway or adapter: records are written as
// these would write them. First at a steady rate: how long from acceptance to a signed checkpoint, and what an exchange costs.
// Then with the ledger stopped: so many unread exchanges (300,000), and how fast a restarted ledger takes them.
import { randomUUIDv7 } from 'node:crypto'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Bus, type IncomingRecord } from '#bus/bus.ts'
import { createKafkaBus } from '#bus/kafka-bus/kafka-bus.ts'
import { createTopics } from '#bus/kafka-bus/topics-admin.ts'
import { type ExchangeId } from '#bus/message.ts'
import { encodeNote, writeSheet } from '#bus/note.ts'
import { noteTopic, planTopics } from '#bus/topics.ts'
import { decodeEntry } from '#ledger/event.ts'
import { openSqliteStore } from '#ledger/sqlite-store.ts'
import { Records } from '#tests/ledger/records.ts'
import { findFreePort } from '#tests/stack/ports.ts'
import { waitUntil } from '#tests/stack/probes.ts'
import { type Stack, startStack } from '#tests/stack/stack.ts'
import { readCpuMs, readMemoryMb } from './accounting.ts'
import { type Child, startChild } from './child.ts'
import { createEnding } from './ending.ts'
import { percentile } from './percentile.ts'
import { createWorld, type World } from './world.ts'

const perSecond = 3_000
const partitions = 6
const steadySeconds = 20
const tickMs = 20
/** A request and a reply, and of fifty exchanges one sheet of notes. */
const notesPerSheet = 50
const defaultUnread = 300_000
const atOnce = 1_000
const lookEveryMs = 200

const unread = Number(process.argv[2] ?? defaultUnread)
if (!Number.isInteger(unread) || unread < atOnce) {
  process.stderr.write(`node bench/ledger-road.ts [exchanges], at least ${atOnce}\n`)
  process.exit(2)
}
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const ending = createEnding(say)
try {
  await run()
} finally {
  await ending.run()
}

async function run(): Promise<void> {
  const world = createWorld()
  ending.add(world.remove)
  const stack = await startStack()
  ending.add(() => stack.stop())
  await createTopics(stack.kafkaBrokers, planTopics(world.providers))
  const bus = createKafkaBus({ brokers: stack.kafkaBrokers, clientId: 'ndx-bench' })
  ending.add(() => bus.close())
  const dataDir = world.folder('ledger-data')
  for (const folder of ['secrets', 'clients'])
    cpSync(join(world.dataDir, folder), join(dataDir, folder), { recursive: true })
  const first = await startLedger(world, stack, dataDir)
  // Topics that were just made have no leader for a moment.
  const isWritten = () =>
    createWriter(bus)
      .write(partitions)
      .then(() => true)
      .catch(() => false)
  await waitUntil('the road', 30_000, isWritten)
  await writeSteadily(bus, 5)
  await isCaughtUp(first)
  const cpuMs = readCpuMs(first.pid) ?? 0
  const written = await writeSteadily(bus, steadySeconds)
  const memoryMb = readMemoryMb(first.pid)
  await isCaughtUp(first)
  const usedUs = (((readCpuMs(first.pid) ?? 0) - cpuMs) * 1000) / written
  await first.stop()
  const size = tellWaits(dataDir, written)
  say(`ledger at ${perSecond} exchanges a second      ${usedUs.toFixed(0)} µs of CPU an exchange, ${memoryMb} MB`)
  await catchUp(bus, world, stack, dataDir)
  const added = sizeOf(dataDir) - size
  say(`                                    ${(added / unread).toFixed(2)} entries an exchange`)
}

async function catchUp(bus: Bus, world: World, stack: Stack, dataDir: string): Promise<void> {
  const writer = createWriter(bus)
  for (let done = 0; done < unread; done += atOnce) await writer.write(Math.min(atOnce, unread - done))
  const startedMs = performance.now()
  const ledger = await startLedger(world, stack, dataDir)
  const readyMs = performance.now()
  const cpuMs = readCpuMs(ledger.pid) ?? 0
  const memoryMb = await isCaughtUp(ledger)
  const seconds = (performance.now() - readyMs) / 1000
  const usedUs = ((readCpuMs(ledger.pid) ?? 0) - cpuMs) * 1000
  say(`started with ${unread} unread exchanges ${((readyMs - startedMs) / 1000).toFixed(1)} s, then`)
  say(`caught up in                        ${seconds.toFixed(1)} s, ${Math.round(unread / seconds)} exchanges a second`)
  say(`                                    ${(usedUs / unread).toFixed(0)} µs an exchange, ${memoryMb} MB at most`)
  await ledger.stop()
}

interface LedgerProcess extends Child {
  url: string
}

async function startLedger(world: World, stack: Stack, dataDir: string): Promise<LedgerProcess> {
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const child = startChild({
    name: 'ledger',
    script: ['ledger/main.ts'],
    root: join(import.meta.dirname, '..'),
    outputFile: join(world.dataDir, 'ledger-output'),
    environment: {
      NODE_OPTIONS: '--max-semi-space-size=16 --max-old-space-size=512 --v8-pool-size=0',
      MALLOC_ARENA_MAX: '2',
      NDX_INSTANCE: 'bench-ledger',
      NDX_LEDGER_PORT: String(port),
      NDX_KAFKA_BROKERS: stack.kafkaBrokers.join(),
      NDX_DATA_DIR: dataDir,
      NDX_CONTRACTS_DIR: world.contractsDir,
    },
  })
  ending.add(child.stop)
  await child.ready(`${url}/health/live`)
  return { ...child, url }
}

/** The most memory seen meanwhile, MB. */
async function isCaughtUp({ url, pid }: LedgerProcess): Promise<number> {
  const askedMs = Date.now()
  for (let mostMb = 0; ; await pause(lookEveryMs)) {
    mostMb = Math.max(mostMb, readMemoryMb(pid) ?? 0)
    const response = await fetch(`${url}/v1/audit/reconciliation`)
    const { caughtUpMs } = (await response.json()) as { caughtUpMs: number }
    if (caughtUpMs >= askedMs) return mostMb
  }
}

/** Exchanges written. */
async function writeSteadily(bus: Bus, seconds: number): Promise<number> {
  const writer = createWriter(bus)
  const startedMs = performance.now()
  const all = perSecond * seconds
  let begun = 0
  const writes: Promise<void>[] = []
  while (begun < all) {
    const due = Math.min(all, Math.floor(((performance.now() - startedMs) / 1000) * perSecond))
    writes.push(writer.write(due - begun))
    begun = due
    await pause(tickMs)
  }
  await Promise.all(writes)
  return all
}

function createWriter(bus: Bus) {
  const source = `/gateway/bench/${randomUUIDv7().slice(-12)}`
  let noted = 0
  return {
    /** So many whole exchanges, accepted now. */
    async write(count: number): Promise<void> {
      const records = new Records()
      const facts = { client: 'social-insurance', status: 200 }
      const notes: string[] = []
      const acceptedMs = bus.now()
      const writes: Promise<void>[] = []
      for (let i = 0; i < count; i++) {
        const exchangeId = randomUUIDv7() as ExchangeId
        const times = { exchangeId, acceptedMs, deadlineMs: acceptedMs + 5000 }
        const partition = i % partitions
        writes.push(publish(bus, records.request(0, times, partition)))
        writes.push(publish(bus, records.reply(0, { exchangeId, repliedMs: acceptedMs })))
        notes.push(encodeNote({ kind: 'delivered', exchangeId, notedMs: acceptedMs, facts }))
      }
      for (let i = 0; i < count; i += notesPerSheet) {
        const sheet = notes.slice(i, i + notesPerSheet)
        writes.push(bus.publish(noteTopic, writeSheet({ source, first: noted, notes: sheet }, acceptedMs)))
        noted += sheet.length
      }
      await Promise.all(writes)
    },
  }
}

function publish(bus: Bus, { topic, partition, headers, value }: IncomingRecord): Promise<void> {
  return bus.publish(topic, { key: null, partition, headers, value: value.toString() })
}

function sizeOf(dataDir: string): number {
  const store = openStore(dataDir)
  const { size } = store
  store.close()
  return size
}

function openStore(dataDir: string) {
  return openSqliteStore(join(dataDir, 'ledger', 'ledger.sqlite'))
}

/** Of the last exchanges: from acceptance to the first signed checkpoint that covers it. Returns the log's size. */
function tellWaits(dataDir: string, exchanges: number): number {
  const store = openStore(dataDir)
  const { size: end } = store
  // An exchange has two entries at most here: its note may come in a later read.
  const from = Math.max(0, store.size - exchanges * 2)
  const checkpoints = store.checkpoints(from, 1_000_000)
  const waitsMs: number[] = []
  let at = from
  for (const { size, atMs } of checkpoints) {
    for (; at < size; at += 500)
      for (const line of store.entries(at, Math.min(500, size - at))) {
        const [event] = decodeEntry(line) ?? []
        if (event?.kind === 'accepted') waitsMs.push(atMs - event.at)
      }
    at = size
  }
  store.close()
  const sorted = waitsMs.slice(-exchanges).toSorted((a, b) => a - b)
  const [p50, p99] = [percentile(sorted, 0.5), percentile(sorted, 0.99)]
  say(`accepted to checkpoint              p50 ${p50} ms, p99 ${p99} ms, of ${sorted.length} exchanges`)
  return end
}
