// The gateway's notes with what it says of them in its log, and whether there is evidence enough to disclose and effect anything.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Bus } from '#bus/bus.ts'
import { noteTopic } from '#bus/topics.ts'
import { type Config } from '#runtime/config.ts'
import { describeError, type Log } from '#runtime/log.ts'
import { unidentifiedLinesMax } from './audit-log.ts'
import { type Evidence } from './exchange/evidence.ts'
import { type LedgerPosition } from './ledger-position.ts'
import { type NoteEvents, type Notes, type NotesParts, startNotes } from './notes/notes.ts'

export interface EvidenceKeepingParts extends Pick<NotesParts, 'lingerMs' | 'bytesMax'> {
  config: Pick<Config, 'dataDir' | 'instance' | 'ledgerBehindMaxMs'>
  bus: Pick<Bus, 'publish'>
  log: Log
  ledgerPosition: LedgerPosition
  /** Epoch ms. */
  now(): number
  /** So many notes were dropped. */
  onLost(count: number): void
}

/** Throws when the notes' folder cannot be written. */
export function keepEvidence(parts: EvidenceKeepingParts): { notes: Notes; evidence: Evidence } {
  const { config, bus, ledgerPosition, now, lingerMs, bytesMax } = parts
  const notes = startNotes({
    directory: join(config.dataDir, 'notes'),
    instance: config.instance,
    run: `${Date.now().toString(36)}${randomBytes(3).toString('hex')}`,
    publish: record => bus.publish(noteTopic, record),
    now,
    on: noteEvents(parts),
    ...(lingerMs === undefined ? {} : { lingerMs }),
    ...(bytesMax === undefined ? {} : { bytesMax }),
  })
  const evidence = {
    get isKept() {
      return notes.isKept
    },
    get isLedgerBehind() {
      return (ledgerPosition.behindMs ?? 0) > config.ledgerBehindMaxMs
    },
  }
  return { notes, evidence }
}

function noteEvents({ log, onLost }: EvidenceKeepingParts): NoteEvents {
  return {
    fault: error =>
      error === undefined
        ? log.info({ event: 'notes', state: 'kept' })
        : log.error({ event: 'notes', state: 'not kept', error: describeError(error) }),
    lost: count => {
      onLost(count)
      log.error({ event: 'notes-lost', count })
    },
    rejection: error => log.warn({ event: 'notes', state: 'not sent', reason: reasonOf(error) }),
    leftRun: (source, notes, error) =>
      log[error === undefined ? 'info' : 'error']({ event: 'notes-left', source, notes, reason: reasonOf(error) }),
    tally: ({ code, count }) => {
      if (count > unidentifiedLinesMax) log.info({ event: 'unidentified', code, count })
    },
  }
}

const reasonOf = (cause: unknown): string | undefined => (cause instanceof Error ? cause.message : undefined)
