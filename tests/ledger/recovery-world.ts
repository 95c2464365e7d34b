// A ledger with a witness on a bus of its own, in a folder, stopped and started again as an operator would. What a test starts is
// stopped after it.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { type IncomingRecord } from '#bus/bus.ts'
import { MemoryBus } from '#bus/memory-bus.ts'
import { checkpointTopic } from '#bus/topics.ts'
import { type Ledger, startLedger } from '#ledger/ledger.ts'
import { parseCheckpoint } from '#ledger/notes/checkpoint.ts'
import { parseNote } from '#ledger/notes/note.ts'
import { storePath } from '#ledger/succession.ts'
import { introduce } from '#ledger/witness/introduction.ts'
import { type RunningWitness, startWitness } from '#ledger/witness/server.ts'
import { createLog } from '#runtime/log.ts'
import { until } from '#tests/bus/until.ts'
import { ndxHere } from '#tests/cli/ndx.ts'
import { Records, registry, tools } from './records.ts'

const log = createLog({ level: 'silent', instance: 'test' })
export const logOrigin = 'ndx.example/log'

export class RecoveryWorld {
  folder = ''
  bus = new MemoryBus()
  records = new Records()
  witness!: RunningWitness
  ledger: Ledger | undefined
  faults: unknown[] = []

  /** Registers what has to be done before and after each test. */
  constructor() {
    beforeEach(async () => {
      this.folder = mkdtempSync(join(tmpdir(), 'ndx-recovery-'))
      this.#newBus()
      this.faults = []
      this.introduce()
      this.witness = await startWitness({ dataDir: this.witnessDir, name: 'w', host: '127.0.0.1', port: 0, log })
    })
    afterEach(async () => {
      await this.stop()
      await this.witness.stop()
      await this.bus.close()
      rmSync(this.folder, { recursive: true })
    })
  }

  get dataDir(): string {
    return join(this.folder, 'data')
  }

  get witnessDir(): string {
    return join(this.folder, 'w')
  }

  get store(): string {
    return storePath(this.dataDir)
  }

  introduce(): void {
    introduce({ ledgerDir: this.dataDir, witnessDir: this.witnessDir, origin: logOrigin, witnessName: 'w.example' })
  }

  async start({ isWitnessed = true } = {}): Promise<Ledger> {
    this.ledger = await startLedger({
      config: {
        dataDir: this.dataDir,
        instance: 'l1',
        ledgerHost: '127.0.0.1',
        ledgerPort: 0,
        logOrigin,
        witnessUrls: isWitnessed ? [this.witness.url] : [],
        witnessesMin: isWitnessed ? 1 : 0,
        innerHosts: [],
        callbackNetworks: [],
      },
      registry,
      bus: this.bus,
      commitments: { commit: tools.commit },
      callbackSecretOf: () => undefined,
      log,
      checkpointEveryMs: 50,
      onFatal: error => void this.faults.push(error),
    })
    return this.ledger
  }

  async stop(): Promise<void> {
    await this.ledger?.stop()
    this.ledger = undefined
  }

  /** Another bus, as when its topics are gone. */
  async loseBus(): Promise<void> {
    await this.bus.close()
    this.#newBus()
  }

  /** One whose deadline is far off, so that the reaper leaves it alone. */
  request(exchange: number): IncomingRecord {
    const nowMs = this.bus.now()
    return this.records.request(exchange, { acceptedMs: nowMs, deadlineMs: nowMs + 3_600_000 })
  }

  /** One after the other, each in the log before the next is written. */
  async take(...records: IncomingRecord[]): Promise<void> {
    for (const { topic, partition, key, headers, value } of records) {
      const size = this.ledger?.store.size ?? 0
      await this.bus.publish(topic, { key, partition, headers, value: value.toString('utf8') })
      await until('it is in the log', () => (this.ledger?.store.size ?? 0) > size)
    }
  }

  async cosigned(): Promise<number> {
    const size = (): number => this.ledger?.store.size ?? 0
    await until('all of it is cosigned', async () => (await this.witnessed())?.size === size())
    await until('the ledger is ready', async () => (await this.ready()).ready)
    return size()
  }

  /** What the witness cosigned last of the log by that name. */
  async witnessed(origin = this.ledger === undefined ? logOrigin : undefined) {
    const name = origin ?? this.#origin()
    const response = await fetch(`${this.witness.url}/checkpoint?origin=${name}`)
    if (response.status !== 200) return undefined
    const note = await response.text()
    return { note, ...parseCheckpoint(parseNote(note).text) }
  }

  published(): Promise<number> {
    return this.bus.endOf(checkpointTopic, 0)
  }

  async ready() {
    const response = await fetch(`${this.ledger?.url}/health/ready`)
    return (await response.json()) as { ready: boolean; comparison: { state: string; detail: string } }
  }

  get(path: string): Promise<Response> {
    return fetch(`${this.ledger?.url}${path}`)
  }

  copy(from: string, to: string): void {
    copyFileSync(from, to)
  }

  ndx(...args: string[]) {
    return ndxHere(args, {
      NDX_DATA_DIR: this.dataDir,
      NDX_LOG_ORIGIN: logOrigin,
      NDX_WITNESS_URLS: this.witness.url,
      ...(this.ledger === undefined ? {} : { NDX_LEDGER_URL: this.ledger.url }),
    })
  }

  #newBus(): void {
    this.bus = new MemoryBus()
    this.records = new Records()
  }

  #origin(): string {
    const { note } = this.ledger?.store.lastCheckpoint() ?? { note: '' }
    return note === '' ? logOrigin : parseCheckpoint(parseNote(note).text).origin
  }
}
