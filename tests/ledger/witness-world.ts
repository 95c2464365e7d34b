// A witness and a log that it trusts, in a folder of their own, for each test anew. What a test starts is stopped after it.
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { consistencyProof } from '#ledger/merkle/proofs.ts'
import { signCheckpoint } from '#ledger/notes/checkpoint.ts'
import { makeNoteKey, type SignerKey } from '#ledger/notes/keys.ts'
import { type RunningWitness, startWitness } from '#ledger/witness/server.ts'
import { formatSubmission } from '#ledger/witness/submission.ts'
import { createLog as createProcessLog } from '#runtime/log.ts'
import { createFilledLog, type TestLog } from './proof-log.ts'

export class WitnessWorld {
  folder = ''
  key!: SignerKey
  log!: TestLog
  /** Of the witness's own log. */
  lines: string[] = []
  nowMs = 0
  readonly #running: RunningWitness[] = []

  /** Registers what has to be done before and after each test. */
  constructor() {
    beforeEach(() => this.#open())
    afterEach(() => this.#close())
  }

  get dataDir(): string {
    return join(this.folder, 'witness')
  }

  get stateFile(): string {
    return join(this.dataDir, 'state', `${createHash('sha256').update('log.example').digest('hex')}.checkpoint`)
  }

  trust(file: string): void {
    const logs = join(this.dataDir, 'logs')
    mkdirSync(logs, { recursive: true })
    copyFileSync(file, join(logs, `${readdirSync(logs).length}.pub`))
  }

  async start(): Promise<RunningWitness> {
    const stream = { write: (line: string) => void this.lines.push(line) }
    const witness = await startWitness({
      dataDir: this.dataDir,
      name: 'witness.example/w1',
      host: '127.0.0.1',
      port: 0,
      log: createProcessLog({ level: 'debug', instance: 'w1', stream }),
      now: () => this.nowMs,
    })
    this.#running.push(witness)
    return witness
  }

  async stop(witness: RunningWitness): Promise<void> {
    this.#running.splice(this.#running.indexOf(witness), 1)
    await witness.stop()
  }

  async post({ url }: RunningWitness, body: string | Buffer) {
    const response = await fetch(`${url}/add-checkpoint`, { method: 'POST', body: new Uint8Array(Buffer.from(body)) })
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() }
  }

  /** What an honest log sends. */
  submission(oldSize: number, size: number, of = this.log): string {
    return formatSubmission({ oldSize, proof: consistencyProof(oldSize, size, of.nodes), note: this.headOf(size, of) })
  }

  headOf(size: number, of = this.log, by = this.key): string {
    return signCheckpoint({ origin: of.origin, size, root: of.rootAt(size) }, by)
  }

  #open(): void {
    this.folder = mkdtempSync(join(tmpdir(), 'ndx-witness-'))
    this.lines = []
    this.nowMs = 1_767_225_600_000
    this.key = makeNoteKey(join(this.folder, 'log'), 'log.example')
    this.log = createFilledLog(this.key, 40, 40)
    this.trust(join(this.folder, 'log.pub'))
  }

  async #close(): Promise<void> {
    for (const witness of this.#running.splice(0)) await witness.stop()
    rmSync(this.folder, { recursive: true })
  }
}
