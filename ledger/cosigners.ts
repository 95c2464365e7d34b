// Has checkpoints cosigned by the witnesses that are configured, and keeps their cosignatures with them. What a witness merely says
// ends nothing: one that claims more entries or another past is asked for the checkpoint it cosigned, and only that, signed by the
// log and by the witness, proves that the log was rolled back or forked. Else it is an alarm, and the witness is asked less often.
import { describeError, type Log } from '#runtime/log.ts'
import { LogCorrupt } from './checkpoints.ts'
import { judgeHead, type LogHead } from './head-verdict.ts'
import { openCheckpoint } from './notes/checkpoint.ts'
import { type VerifierKey } from './notes/keys.ts'
import { addSignature } from './notes/note.ts'
import { type StoredCheckpoint } from './store.ts'
import { CosignError, cosign } from './witness/client.ts'
import { fetchWitnessedHead, HeadError } from './witness/witnessed-head.ts'

/** unreachable: away · refused: it does not cosign this log, or its key is not known here · the others: said, and not proven. */
export const witnessAlarms = ['unreachable', 'refused', 'ahead-unproven', 'inconsistent-unproven'] as const
export type WitnessAlarm = (typeof witnessAlarms)[number]

export interface CosignersParts {
  urls: readonly string[]
  /** Looked at each time, so that a witness may be introduced while the ledger runs. */
  keys(): readonly VerifierKey[]
  logKey: VerifierKey
  head: LogHead
  log: Log
  /** Any clock that only goes forward, ms. */
  clock(): number
  onAlarm(url: string, alarm: WitnessAlarm): void
}

export interface Cosigners {
  /** Asks those that have not cosigned it and whose pause is over. Throws LogCorrupt when one proves that it saw another log. */
  cosign(checkpoint: StoredCheckpoint): Promise<StoredCheckpoint>
  /** By how many known witnesses it is cosigned. */
  count(checkpoint: StoredCheckpoint): number
}

const pauseMinMs = 1_000
/** One that is away may be back; one that refuses or contradicts without proof needs somebody to look. */
const pauseMaxMs = { unreachable: 5_000, other: 60_000 }

interface Asked {
  witnessedSize?: number
  failures: number
  nextMs: number
}

export function createCosigners(parts: CosignersParts): Cosigners {
  const { urls, keys, logKey, head, log, clock } = parts
  const asked = new Map<string, Asked>(urls.map(url => [url, { failures: 0, nextMs: 0 }]))

  async function ask(url: string, state: Asked, { note, size }: StoredCheckpoint): Promise<string | undefined> {
    const known = state.witnessedSize === undefined ? {} : { witnessedSize: state.witnessedSize }
    try {
      const { line } = await cosign(url, { note, size, nodes: head.nodes, keys: keys(), ...known })
      if (state.failures > 0) log.info({ event: 'witness', url, state: 'answers' })
      asked.set(url, { witnessedSize: size, failures: 0, nextMs: 0 })
      return line
    } catch (error) {
      if (!(error instanceof CosignError)) throw error
      await noteFault(url, state, error)
      return undefined
    }
  }

  async function noteFault(url: string, state: Asked, error: CosignError): Promise<void> {
    const { fault } = error
    if (fault === 'ahead' || fault === 'inconsistent') await demandProof(url, error)
    const alarm = fault === 'ahead' || fault === 'inconsistent' ? (`${fault}-unproven` as const) : fault
    const failures = state.failures + 1
    const pauseMs = Math.min(pauseMinMs * 2 ** (failures - 1), pauseMaxMs[alarm === 'unreachable' ? alarm : 'other'])
    asked.set(url, { ...state, failures, nextMs: clock() + pauseMs })
    parts.onAlarm(url, alarm)
    const facts = { event: 'witness', url, state: alarm, error: describeError(error) }
    if (alarm !== 'unreachable') log.error(facts, 'a witness does not cosign; the ledger goes on without it')
    else if (failures === 1) log.warn(facts)
  }

  /** Throws LogCorrupt when the witness shows what it says. */
  async function demandProof(url: string, { message }: CosignError): Promise<void> {
    const shown = await fetchWitnessedHead(url, { logKey, witnessKeys: keys() }).catch(error => {
      if (error instanceof HeadError) return undefined
      throw error
    })
    if (shown === undefined || judgeHead(shown, head) === 'continued') return
    log.fatal({ event: 'witness', url, state: 'contradicted', evidence: shown.note })
    throw new LogCorrupt(`a witness cosigned another log of this name, of ${shown.size} entries (${message})`)
  }

  const count = (note: string): number => openCheckpoint(note, [logKey], keys()).cosignatures.length

  /** A witness that is asked about a head again signs it again: once is enough. */
  function add(note: string, line: string): string {
    const more = addSignature(note, line)
    return count(more) > count(note) ? more : note
  }

  return {
    async cosign(checkpoint) {
      const due = [...asked].filter(([, state]) => state.witnessedSize !== checkpoint.size && state.nextMs <= clock())
      const lines = await Promise.all(due.map(([url, state]) => ask(url, state, checkpoint)))
      return { ...checkpoint, note: lines.filter(line => line !== undefined).reduce(add, checkpoint.note) }
    },
    count: ({ note }) => count(note),
  }
}
