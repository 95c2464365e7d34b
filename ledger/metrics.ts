// What an operator sees of the ledger: how far it has read, how large it is, what it did. Names end in their unit.
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { type WitnessAlarm } from './cosigners.ts'
import { type ParkedReason, parkedReasons } from './parking.ts'

export interface LedgerGauges {
  lag(): number
  caughtUpMs(): number
  size(): number
  bytes(): number
  checkpoint(): { size: number; atMs: number } | undefined
  /** Compared with what others hold of this log since the start. */
  isCompared(): boolean
  witnessesMin: number
  parked(reason: ParkedReason): number
  receiversFailing(): number
  callbackSecretsMissing(): number
  now(): number
}

/** What a fault can be in. */
export type LedgerPart = 'ingestion' | 'unrecorded' | 'gap' | 'reaper' | 'checkpoint' | 'callbacks' | 'key-forgetting'

export interface LedgerMetrics {
  events(count: number): void
  reaped(): void
  faulted(part: LedgerPart): void
  called(how: 'called-back' | 'uncalled'): void
  cosigned(count: number): void
  witnessAlarm(witness: string, state: WitnessAlarm): void
  readonly contentType: string
  render(): Promise<string>
}

export function createLedgerMetrics(gauges: LedgerGauges): LedgerMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
  gauge('ndx_ledger_lag_records', 'Records written and not yet in the ledger', gauges.lag)
  gauge('ndx_ledger_behind_seconds', 'Age of the newest moment up to which everything was read', () =>
    Math.max(0, (gauges.now() - gauges.caughtUpMs()) / 1000),
  )
  gauge('ndx_ledger_entries', 'Entries in the log', gauges.size)
  gauge('ndx_ledger_bytes', 'Size of the store on disk', gauges.bytes)
  gauge('ndx_ledger_checkpoint_entries', 'Entries under the newest checkpoint', () => gauges.checkpoint()?.size ?? 0)
  gauge('ndx_ledger_checkpoint_age_seconds', 'Age of the newest checkpoint', () => {
    const checkpoint = gauges.checkpoint()
    return checkpoint === undefined ? 0 : Math.max(0, (gauges.now() - checkpoint.atMs) / 1000)
  })
  gauge('ndx_ledger_compared', '1: the log was compared with the heads that others hold, and is signed', () =>
    Number(gauges.isCompared()),
  )
  gauge('ndx_ledger_cosignatures_needed', 'NDX_WITNESSES_MIN', () => gauges.witnessesMin)
  gauge('ndx_ledger_callback_receivers_failing', 'Clients whose callback receiver fails', gauges.receiversFailing)
  gauge(
    'ndx_ledger_callback_secrets_missing',
    'Clients with a callback address and no callback secret',
    gauges.callbackSecretsMissing,
  )
  new Gauge({
    name: 'ndx_ledger_parked',
    help: 'Overdue exchanges that were tried and are not settled, by why',
    labelNames: ['why'],
    registers,
    collect() {
      for (const reason of parkedReasons) this.set({ why: reason }, gauges.parked(reason))
    },
  })
  const cosignatures = new Gauge({
    name: 'ndx_ledger_cosignatures',
    help: 'Witnesses that cosigned the newest checkpoint',
    registers,
  })
  const witnessAlarms = new Counter({
    name: 'ndx_ledger_witness_alarms_total',
    help: 'Witnesses that did not cosign, by what they said instead; -unproven: they showed no signed head for it',
    labelNames: ['witness', 'state'],
    registers,
  })
  const events = new Counter({ name: 'ndx_ledger_events_total', help: 'Events appended', registers })
  const reaped = new Counter({
    name: 'ndx_ledger_reaped_total',
    help: 'Exchanges settled because nobody answered',
    registers,
  })
  const faults = new Counter({
    name: 'ndx_ledger_faults_total',
    help: 'What went wrong, by part',
    labelNames: ['part'],
    registers,
  })
  const calls = new Counter({
    name: 'ndx_ledger_callbacks_total',
    help: 'Callbacks taken or given up',
    labelNames: ['outcome'],
    registers,
  })
  return {
    events: count => events.inc(count),
    reaped: () => reaped.inc(),
    faulted: part => faults.inc({ part }),
    called: outcome => calls.inc({ outcome }),
    cosigned: count => cosignatures.set(count),
    witnessAlarm: (witness, state) => witnessAlarms.inc({ witness, state }),
    contentType: registry.contentType,
    render: () => registry.metrics(),
  }
}
