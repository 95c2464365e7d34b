// After the load rests: waits until nothing is on its way any more, reads the status of everything that was left open, and collects
// the evidence since the last time. Each part is read from where the last drain stopped.
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { decodeEntry } from '#ledger/event.ts'
import { logKeyPath, publicSuffix, readVerifierKey } from '#ledger/notes/keys.ts'
import { verifyExport } from '#ledger/proof/export-verification.ts'
import { type Reconciliation } from '#ledger/reconciliation.ts'
import { waitUntil } from '#tests/stack/probes.ts'
import { type Client, type StatusReading } from './client.ts'
import { type Attempt } from './client-ledger.ts'
import { type Evidence } from './evidence.ts'
import { type Member } from './member.ts'
import { type Platform } from './platform.ts'
import { type Execution, executionsFile } from './services/executions.ts'
import { readEffects } from './services/population/residence-registration.ts'

/** Where the next drain goes on. */
export interface Place {
  entries: number
  executionsBytes: number
  effectsRow: number
}

export const beginning: Place = { entries: 0, executionsBytes: 0, effectsRow: 1 }

export interface Drained {
  evidence: Omit<Evidence, 'settledBefore'>
  next: Place
}

/** A publish whose outcome is unknown ends within this; the ledger's grace is shorter. */
const roadSettlesMs = 8_000
const graceMs = 2_000
const settledWithinMs = 90_000
const toldWithinMs = 45_000
const readersMax = 16

/** @param deadlineMs the longest of those services that answer at once */
export async function drain(
  platform: Platform,
  client: Client,
  attempts: readonly Attempt[],
  { place, deadlineMs }: { place: Place; deadlineMs: number },
): Promise<Drained> {
  const quietMs = Date.now() + Math.max(deadlineMs + graceMs, roadSettlesMs)
  await waitUntil('the ledger, with nothing open,', settledWithinMs, () => isSettled(platform, quietMs))
  const readings = await readStatuses(platform, client, attempts)
  // The readings made notes of their own.
  await waitUntil('the gateways, with no note of theirs waiting,', settledWithinMs, () => areNotesSent(platform))
  const readMs = Date.now()
  await waitUntil('the ledger, with all of it signed,', settledWithinMs, () => isSigned(platform, readMs))
  const { events, fault, size } = await readExport(platform, place.entries)
  const registers = join(platform.dataDir, 'registers')
  const { executions, bytes } = readExecutions(join(registers, executionsFile), place.executionsBytes)
  const { effects, nextRow } = readEffects(registers, place.effectsRow)
  const reconciliation = await reconcile(platform)
  return {
    evidence: { attempts, readings, events, executions, effects, reconciliation, exportFault: fault },
    next: { entries: size, executionsBytes: bytes, effectsRow: nextRow },
  }
}

async function reconcile({ ledger }: Platform): Promise<Reconciliation> {
  const response = await fetch(`${ledger.url}/v1/audit/reconciliation`)
  return (await response.json()) as Reconciliation
}

async function isSettled(platform: Platform, quietMs: number): Promise<boolean> {
  if (Date.now() < quietMs) return false
  const { caughtUpMs, open, overdue } = await reconcile(platform)
  return caughtUpMs > quietMs && open === 0 && overdue === 0
}

async function areNotesSent({ gateways }: Platform): Promise<boolean> {
  const waiting = await Promise.all(gateways.map(gateway => gateway.metric('ndx_notes_waiting')))
  return waiting.every(count => count === 0)
}

async function isSigned(platform: Platform, sinceMs: number): Promise<boolean> {
  const [{ caughtUpMs }, entries, signed] = await Promise.all([
    reconcile(platform),
    platform.ledger.metric('ndx_ledger_entries'),
    platform.ledger.metric('ndx_ledger_checkpoint_entries'),
  ])
  return caughtUpMs > sinceMs && entries === signed
}

/** Of every exchange that the client knows and whose outcome it was not told. */
async function readStatuses(
  { gateways }: Platform,
  client: Client,
  attempts: readonly Attempt[],
): Promise<StatusReading[]> {
  const open = attempts.filter(({ ending }) => ending === 'accepted' || ending === 'unknown')
  const waiting = [...new Set(open.flatMap(({ exchangeId }) => exchangeId ?? []))]
  const readings: StatusReading[] = []
  const reader = async (): Promise<void> => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop())
      readings.push(await readStatus(id, gateways[waiting.length % 2] as Member, client))
  }
  await Promise.all(Array.from({ length: readersMax }, reader))
  return readings
}

/** A 503 says that nobody can tell for the moment, a 429 that too many were read at once; `accepted` is said for a while of what is perhaps not on its topic at all. */
async function readStatus(exchangeId: string, gateway: Member, client: Client): Promise<StatusReading> {
  let reading: StatusReading = { exchangeId, status: 0 }
  const isFinal = async (): Promise<boolean> => {
    reading = await client.readStatus(exchangeId, gateway)
    return ![0, 429, 503].includes(reading.status) && reading.outcome !== 'accepted'
  }
  await waitUntil(`the status of ${exchangeId}`, toldWithinMs, isFinal).catch(() => {})
  return reading
}

async function readExport({ ledger, dataDir }: Platform, from: number) {
  const response = await fetch(`${ledger.url}/v1/audit/export?from=${from}`)
  const lines = (await response.text()).split('\n').slice(0, -1)
  const logKey = readVerifierKey(`${logKeyPath(dataDir)}${publicSuffix}`)
  const { ok, why, line, size } = await verifyExport(lines, { logKey })
  const events = lines.flatMap(text => {
    const [, entry] = /^\d+ \S+ (\{.*)$/.exec(text) ?? []
    return entry === undefined ? [] : (decodeEntry(entry) ?? [])
  })
  return { events, fault: ok ? '' : `line ${line}: ${why}`, size }
}

function readExecutions(file: string, from: number): { executions: Execution[]; bytes: number } {
  if (!existsSync(file)) return { executions: [], bytes: 0 }
  const handle = openSync(file, 'r')
  try {
    const buffer = Buffer.alloc(fstatSync(handle).size - from)
    readSync(handle, buffer, 0, buffer.length, from)
    const lines = buffer.toString('utf8').split('\n').filter(Boolean)
    return { executions: lines.map(line => JSON.parse(line) as Execution), bytes: from + buffer.length }
  } finally {
    closeSync(handle)
  }
}
