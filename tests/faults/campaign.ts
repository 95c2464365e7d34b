// A campaign: the platform under a constant load, faults one after the other, a drain and a check in between. One table row for
// each kind of fault.
import { join } from 'node:path'
import { setTimeout as pass } from 'node:timers/promises'
import { until } from '#tests/bus/until.ts'
import { check, settledIn, type Violation } from './checks.ts'
import { type Client, createClient } from './client.ts'
import { type Attempt, type ClientLedger, createClientLedger } from './client-ledger.ts'
import { beginning, drain, type Place } from './drain.ts'
import { type Evidence } from './evidence.ts'
import { type Fault } from './faults.ts'
import { tellHistory } from './history.ts'
import { createLoad, type Load } from './load.ts'
import { type Platform, startPlatform } from './platform.ts'
import { type Round, summarise } from './report.ts'

export interface CampaignOptions {
  perSecond: number
  /** Of services that answer at once; undefined: what the contracts say. */
  deadlineMs?: number
}

/** A violation, with everything known of its exchange. */
export interface Finding extends Violation {
  fault: string
  history: string
}

/** From the beginning of a round. */
export interface RoundTimes {
  mendedMs: number
  recoveredMs: number
  overMs: number
}

export interface Campaign {
  readonly platform: Platform
  readonly rounds: readonly Round[]
  readonly findings: readonly Finding[]
  /** Breaks one thing under load, waits until everything answers again and there were so many answers in the round. */
  runRound(fault: Fault, answeredMin: number): Promise<RoundTimes>
  /** Rests, waits until all is settled, checks everything since the last time. */
  settle(): Promise<{ findings: Finding[]; evidence: Evidence }>
  /** Under load, until there were so many more answers. */
  ask(answeredMin: number): Promise<void>
  /** Under load, until this moment (performance.now()). */
  askUntil(momentMs: number): Promise<void>
  stop(): Promise<void>
}

/** After a fault each gateway must have answered so many in a row. */
const inARow = 20
const recoveredWithinMs = 120_000
const answeredWithinMs = 600_000
const endingsShown = 400
const longestDefaultMs = 5_000

export async function startCampaign(options: CampaignOptions): Promise<Campaign> {
  const platform = await startPlatform(options)
  const ledger = createClientLedger(join(platform.dataDir, '..', 'client.jsonl'))
  const client = createClient(platform)
  const run = `run-${Date.now().toString(36)}`
  const load = createLoad({ ...options, gateways: platform.gateways, client, ledger, run })
  return new FaultCampaign({ platform, ledger, client, load, deadlineMs: options.deadlineMs ?? longestDefaultMs })
}

interface Parts {
  platform: Platform
  ledger: ClientLedger
  client: Client
  load: Load
  deadlineMs: number
}

class FaultCampaign implements Campaign {
  readonly rounds: Round[] = []
  readonly findings: Finding[] = []
  readonly #parts: Parts
  readonly #settled = new Map<string, string>()
  #place: Place = beginning
  #isAsking = false
  /** Rounds since the last drain. */
  #unchecked: { index: number; fault: string; fromMs: number; toMs: number }[] = []

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get platform(): Platform {
    return this.#parts.platform
  }

  async runRound(fault: Fault, answeredMin: number): Promise<RoundTimes> {
    const { load, platform } = this.#parts
    this.#keepAsking()
    load.round = this.rounds.length + this.#unchecked.length + 1
    const round = { index: load.round, fault: fault.name, fromMs: performance.now(), toMs: 0 }
    this.#unchecked.push(round)
    const before = load.answered
    await fault.strike(platform)
    const mendedMs = performance.now()
    const hasRecovered = () => platform.gateways.every(({ name }) => this.#hasRecovered(name, mendedMs))
    await until(`everything answers again after: ${fault.name}`, hasRecovered, recoveredWithinMs).catch(cause => {
      throw new Error(`not recovered; the last endings: ${this.#describeEndings()}`, { cause })
    })
    const recoveredMs = performance.now()
    await until(`${answeredMin} answers`, () => load.answered >= before + answeredMin, answeredWithinMs)
    round.toMs = performance.now()
    const since = (ms: number): number => Math.round(ms - round.fromMs)
    return { mendedMs: since(mendedMs), recoveredMs: since(recoveredMs), overMs: since(round.toMs) }
  }

  async ask(answeredMin: number): Promise<void> {
    const { load } = this.#parts
    this.#keepAsking()
    const before = load.answered
    await until(`${answeredMin} answers`, () => load.answered >= before + answeredMin, answeredWithinMs)
  }

  async askUntil(momentMs: number): Promise<void> {
    this.#keepAsking()
    await pass(Math.max(0, momentMs - performance.now()))
  }

  async settle(): Promise<{ findings: Finding[]; evidence: Evidence }> {
    const { load, platform, client, ledger, deadlineMs } = this.#parts
    await load.rest()
    this.#isAsking = false
    const attempts = [...ledger.attempts]
    ledger.forget()
    const drained = await drain(platform, client, attempts, { place: this.#place, deadlineMs })
    const evidence = { ...drained.evidence, settledBefore: new Map(this.#settled) }
    this.#place = drained.next
    const faultOf = (violation: Violation): string => this.#faultOf(violation, attempts)
    const findings = check(evidence).map(violation => ({
      ...violation,
      fault: faultOf(violation),
      history: tellHistory(violation, evidence),
    }))
    for (const [exchangeId, outcome] of settledIn(evidence)) this.#settled.set(exchangeId, outcome)
    this.rounds.push(...this.#unchecked.map(round => summarise(round, evidence, findings)))
    this.#unchecked = []
    this.findings.push(...findings)
    return { findings, evidence }
  }

  async stop(): Promise<void> {
    const { load, client, ledger, platform } = this.#parts
    await load.rest()
    client.close()
    await ledger.close()
    await platform.stop()
  }

  #keepAsking(): void {
    if (!this.#isAsking) this.#parts.load.start()
    this.#isAsking = true
  }

  /** The newest of its first attempts that are over: all answered or accepted, and all sent after the fault was mended. */
  #hasRecovered(gateway: string, mendedMs: number): boolean {
    const { attempts } = this.#parts.ledger
    let count = 0
    for (let at = attempts.length - 1; at >= 0 && count < inARow; at--) {
      const { gateway: name, sentMs, ending } = attempts[at] as Attempt
      if (sentMs < mendedMs) return false
      if (name !== gateway || ending === undefined) continue
      if (ending !== 'answered' && ending !== 'accepted') return false
      count++
    }
    return count >= inARow
  }

  #describeEndings(): string {
    const last = this.#parts.ledger.attempts.slice(-endingsShown)
    const kinds = Object.entries(
      Object.groupBy(last, ({ gateway, ending, code = '' }) => `${gateway} ${ending} ${code}`.trim()),
    )
    return kinds.map(([kind, some = []]) => `${some.length} × ${kind}`).join(', ')
  }

  #faultOf({ n }: Violation, attempts: readonly Attempt[]): string {
    const round = attempts.find(attempt => attempt.n === n)?.round
    return this.#unchecked.find(({ index }) => index === round)?.fault ?? 'none'
  }
}
