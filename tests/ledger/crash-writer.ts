// The process that crash.test.ts kills: takes what an exchange's records make of a ledger, signs now and then, has each checkpoint
// cosigned by a witness with a folder of its own. Started again it goes on where it stopped. `node crash-writer.ts <folder>`.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type IncomingRecord } from '#bus/bus.ts'
import { createCheckpoints } from '#ledger/checkpoints.ts'
import { nodesOf } from '#ledger/log-appender.ts'
import { consistencyProof } from '#ledger/merkle/proofs.ts'
import { logKeyPath, readNoteKey } from '#ledger/notes/keys.ts'
import { openSqliteStore } from '#ledger/sqlite-store.ts'
import { formatSubmission } from '#ledger/witness/submission.ts'
import { addCheckpoint } from '#ledger/witness/witness.ts'
import { openWitnessState } from '#ledger/witness/witness-state.ts'
import { ingestInto } from './ingesting.ts'
import { Records, someMs } from './records.ts'

export const origin = 'ndx.example/crash'
export const batchCount = 8

/** The same records in the same batches, every time. */
export function batches(): IncomingRecord[][] {
  const records = new Records()
  return Array.from({ length: batchCount }, (_, batch) =>
    Array.from({ length: 12 }, (_, i) => batch * 12 + i).flatMap(number => [
      records.request(number),
      records.reply(number),
      records.note(number, 'delivered'),
    ]),
  )
}

export function writeAll(folder: string): void {
  const store = openSqliteStore(join(folder, 'ledger', 'ledger.sqlite'))
  const key = readNoteKey(logKeyPath(folder))
  const witnessKey = readNoteKey(join(folder, 'witness', 'witness-key'))
  const state = openWitnessState(join(folder, 'witness', 'state'), witnessKey.verifier)
  const checkpoints = createCheckpoints(store, origin, key)
  const ingestion = ingestInto(store)
  for (const batch of batches()) {
    ingestion.ingest(batch)
    const signed = checkpoints.sign(someMs) ?? store.lastCheckpoint()
    if (signed === undefined) continue
    const submit = (oldSize: number) =>
      addCheckpoint(
        formatSubmission({ oldSize, proof: consistencyProof(oldSize, signed.size, nodesOf(store)), note: signed.note }),
        { key: witnessKey, state, logKeys: () => [key.verifier], nowS: () => Math.floor(someMs / 1000) },
      )
    let answer = submit(0)
    if (answer.status === 409) answer = submit(Number(answer.body))
    if (answer.status !== 200) throw new Error(`the witness answered ${answer.status}: ${answer.body}`)
  }
  state.close()
  store.close()
}

if (import.meta.main) {
  const folder = process.argv[2] ?? ''
  mkdirSync(folder, { recursive: true })
  writeAll(folder)
}
